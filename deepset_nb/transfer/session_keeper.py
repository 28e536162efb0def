"""The upload sessions of one transfer: opened, gone on with after an earlier try, closed.

What is open on the platform must be known here at every moment, also when a cancel comes while a session is being
opened: only ten may be open, and nothing but closing ends one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from datetime import UTC, datetime
from typing import Any

from ..client import AsyncClient
from ..errors import Conflict, Unprocessable
from ..models import UploadSessionState, WriteMode
from .progress import Progress
from .receipt import Row
from .session import Session

ANSWER_S = 2.0  # what a cancel leaves to a request that opens or closes a session


class SessionKeeper:
    """Opens and closes the sessions of one transfer.

    Args:
        workspace: The workspace's name.
        write_mode: Of the sessions it opens.
        parallel: Whether the platform may ingest their files in parallel.
        progress: Shows the session that is filled now.
        resumed: Sessions of an earlier try.

    Attributes:
        sessions: All of them, oldest first.
    """

    def __init__(
        self, workspace: str, write_mode: WriteMode, parallel: bool, progress: Progress, resumed: Iterable[Session]
    ) -> None:
        self.sessions: list[Session] = list(resumed)
        self._workspace = workspace
        self._write_mode = write_mode
        self._parallel = parallel
        self._progress = progress

    @property
    def still_open(self) -> list[Session]:
        """The sessions that still take objects."""
        return [session for session in self.sessions if session.usable]

    async def resumable(self, client: AsyncClient) -> Session | None:
        """The session an earlier try left open; the last, the others are full. Closed by hand, it takes no more."""
        session = next(reversed(self.still_open), None)
        if session is not None:
            listed, _ = await client.upload_sessions.newest(self._workspace)
            closed = {each.session_id for each in listed if each.status != UploadSessionState.OPEN}
            if session.opened.session_id in closed:
                return None
            self._progress.session_id, self._progress.expires_at = session.id, session.expires_at
        return session

    async def recognise(self, client: AsyncClient, session: Session, rows: list[Row]) -> None:
        """Take what arrived although its sending was broken off as sent: sent again it would be there twice."""
        if not session.closed:
            await self.close(client, session)
        pages = client.upload_sessions.files(self._workspace, session.opened.session_id)
        arrived = {file.name async for page in pages for file in page} & session.uncertain
        for row in rows:
            if row.phase == "planned" and row.stored_name in arrived:
                row.phase, row.session_id = "ingesting", session.id
                session.rows.append(row)

    async def open(self, client: AsyncClient) -> Session:
        """Open a session; where too many are open, the oldest full one of ours is closed to make room."""
        try:
            await _to_its_end(self._create(client))
        except (Conflict, Unprocessable):  # too many are open; the platform's reference names no status
            if not (full := self.still_open):
                raise
            await self.close(client, full[0])
            await _to_its_end(self._create(client))
        return self.sessions[-1]

    async def close(self, client: AsyncClient, session: Session) -> None:
        """Close a session, which starts its ingestion."""
        await _to_its_end(self._close(client, session))

    async def _create(self, client: AsyncClient) -> None:
        asked_at = datetime.now(UTC)
        opened = await client.upload_sessions.create(self._workspace, self._write_mode, parallel=self._parallel)
        session = Session(opened, asked_at)
        self.sessions.append(session)
        self._progress.session_id, self._progress.expires_at = session.id, session.expires_at

    async def _close(self, client: AsyncClient, session: Session) -> None:
        try:
            await client.upload_sessions.close(self._workspace, session.opened.session_id)
        except Conflict:  # closed by hand or expired: either way its ingestion has begun
            session.closed_by_others = True
        for row in session.sent:
            row.phase = "ingesting"
        session.closed = True


async def _to_its_end(step: Coroutine[Any, Any, None]) -> None:
    """Await a step that changes what is open on the platform; a cancel lets its answer arrive, so that we know."""
    task = asyncio.create_task(step)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=ANSWER_S)
        task.cancel()
        raise
