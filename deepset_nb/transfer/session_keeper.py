"""The upload sessions of one transfer: opened, gone on with after an earlier try, closed.

What is open on the platform must be known here and in the journal at every moment, also when a cancel comes while a
session is being opened: only ten may be open, and nothing but closing ends one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

from ..client import AsyncClient
from ..errors import ApiError, Conflict, ConnectionFailed, ServerError, TooManyRequests, Unprocessable
from ..models import UploadSessionDetail, UploadSessionState, WriteMode
from .progress import Progress
from .receipt import Row
from .record import Record
from .session import Session

T = TypeVar("T")

ANSWER_S = 2.0  # what a cancel leaves to a request that opens or closes a session
MOST_OPEN = 10  # of a workspace, ours and others' (platform guide: get upload session details)
OPEN_AT_ONCE = 3  # of ours: one is filled while the one before gets its last files; others need room, too
REFUSALS = 3  # in a row, with room enough: then the platform means something else
ROOM_WITHIN_S = 600.0  # the longest wait until one of them is closed
ROOM_POLL_S = 1.0, 10.0  # first and longest pause between two looks


class SessionKeeper:
    """Opens and closes the sessions of one transfer.

    Args:
        workspace: The workspace's name.
        write_mode: Of the sessions it opens.
        parallel: Whether the platform may ingest their files in parallel.
        progress: Shows the session that is filled now.
        record: The journal's side of the transfer.

    Attributes:
        sessions: All of them, oldest first.
        filling: Bounds how many are filled at a time.
    """

    def __init__(
        self, workspace: str, write_mode: WriteMode, parallel: bool, progress: Progress, record: Record
    ) -> None:
        self.sessions: list[Session] = []
        self._workspace = workspace
        self._write_mode = write_mode
        self._parallel = parallel
        self._progress = progress
        self._record = record
        self.filling = asyncio.Semaphore(OPEN_AT_ONCE)

    @property
    def still_open(self) -> list[Session]:
        """The sessions that still take objects."""
        return [session for session in self.sessions if session.usable]

    async def go_on_with(self, client: AsyncClient, sessions: Iterable[Session], rows: list[Row]) -> None:
        """Take over sessions of an earlier try: those still open are gone on with, the others asked what arrived."""
        self.sessions += sessions
        if any(session.usable for session in self.sessions):
            listed, _ = await client.upload_sessions.newest(self._workspace)
            closed = {each.session_id for each in listed if each.status != UploadSessionState.OPEN}
            for session in self.still_open:
                if session.opened.session_id in closed:  # by hand, or by the platform when its time was over
                    session.closed = session.closed_by_others = True
                else:
                    self._show(session)
        for session in self.sessions:
            if session.uncertain and not session.usable:
                await self._recognise(client, session, rows)
        for session in self.sessions:
            if session.closed:
                for row in session.sent:
                    row.phase = "ingesting"

    async def _recognise(self, client: AsyncClient, session: Session, rows: list[Row]) -> None:
        """Take what arrived although its sending was broken off as sent: sent again it would be there twice.

        Not so what has changed since: what arrived is then an older version.
        """
        if not session.closed:
            await self.close(client, session)
        pages = client.upload_sessions.files(self._workspace, session.opened.session_id)
        # FILE_NOT_FOUND: only its metadata arrived.
        arrived = {
            file.name async for page in pages for file in page if file.ingestion_status_reason != "FILE_NOT_FOUND"
        } & session.uncertain.keys()
        for row in rows:
            if row.phase != "planned" or row.status != "pending" or row.stored_name not in arrived:
                continue
            if session.uncertain[row.stored_name] == (row.size, row.mtime_ns):
                row.phase, row.session_id = "ingesting", session.id
                session.rows.append(row)
                self._record.touch(row)

    async def open(self, client: AsyncClient, rows: list[Row]) -> Session:
        """Open a session for these rows; where too many are open, wait until one is closed.

        Raises:
            Conflict: None was closed within ten minutes; says which are in the way.
        """
        deadline, pause, refusals = time.monotonic() + ROOM_WITHIN_S, ROOM_POLL_S[0], 0
        while True:
            try:
                session = await _to_its_end(self._create(client))
                break
            except (Conflict, Unprocessable) as error:  # the platform's reference names no status for "too many"
                in_the_way = await self._in_the_way(client)
                if len(in_the_way) < MOST_OPEN:  # just closed, or refused for another reason
                    refusals += 1
                    if refusals == REFUSALS:
                        raise
                    continue
                words, refusals = _words(in_the_way), 0
                if time.monotonic() + pause > deadline:
                    raise Conflict(
                        f"The workspace has {len(in_the_way)} open upload sessions and takes no more: {words}.",
                        "Close some with ws.close_upload_session(session_id), which ingests what they hold; then "
                        "job.retry().",
                        status=error.status,
                        details=error.details,
                    ) from None
                self._progress.detail = (
                    f"Waiting for room: {len(in_the_way)} upload sessions are open, the most a workspace may have "
                    f"({words}). ws.close_upload_session(session_id) makes room; we wait "
                    f"another {deadline - time.monotonic():.0f} s for it."
                )
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, ROOM_POLL_S[1])
        self._progress.detail = ""
        await self._record.assigned(session.id, rows)
        return session

    async def close(self, client: AsyncClient, session: Session) -> None:
        """Close a session, which starts its ingestion."""
        await _to_its_end(self._close(client, session))

    async def close_filled(self, client: AsyncClient, session: Session) -> None:
        """Close a session that is filled; where that fails for now, it is tried again at the end."""
        try:
            await self.close(client, session)
        except (ConnectionFailed, ServerError, TooManyRequests):
            self._progress.detail = (
                f"Upload session {session.id} could not be closed yet; it is tried again at the end."
            )

    async def _create(self, client: AsyncClient) -> Session:
        asked_at, key = datetime.now(UTC), await self._record.asked()
        try:
            opened = await client.upload_sessions.create(self._workspace, self._write_mode, parallel=self._parallel)
        except ApiError as error:
            if not isinstance(error, ServerError):  # else it may have been opened all the same
                await self._record.over(key)
            raise
        await self._record.opened(key, opened)
        session = Session(opened, asked_at)
        self.sessions.append(session)
        self._show(session)
        return session

    async def _close(self, client: AsyncClient, session: Session) -> None:
        try:
            await client.upload_sessions.close(self._workspace, session.opened.session_id)
        except Conflict:  # closed by hand or expired: either way its ingestion has begun
            session.closed_by_others = True
        for row in session.sent:
            row.phase = "ingesting"
        session.closed = True
        if self._progress.session_id == session.id:
            self._progress.expires_at = None
        self._record.touch_all(session.sent)
        await self._record.closed(session.id)

    async def _in_the_way(self, client: AsyncClient) -> list[UploadSessionDetail]:
        listed, _ = await client.upload_sessions.newest(self._workspace)
        return [each for each in listed if each.status == UploadSessionState.OPEN]

    def _show(self, session: Session) -> None:
        self._progress.session_id, self._progress.expires_at = session.id, session.expires_at


def _words(sessions: list[UploadSessionDetail]) -> str:
    # Without the names of who opened them: a job's words are saved in the notebook.
    shown = [f"{each.session_id}" for each in sessions[:3]]
    more = len(sessions) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "") + "; ws.list_upload_sessions() tells whose"


async def _to_its_end(step: Coroutine[Any, Any, T]) -> T:
    """Await a step that changes what is open on the platform; a cancel lets its answer arrive, so that we know."""
    task = asyncio.create_task(step)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=ANSWER_S)
        task.cancel()
        raise
