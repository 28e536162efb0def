"""The pipeline: plan -> shard -> send -> close -> watch -> reconcile.

Each stage writes to the receipt, so an interruption at any point leaves rows that say what is where:

- while sending, the session stays open: nothing is ingested until it is closed, by us or by the platform after 24 h;
- after closing, the platform ingests on its own, whether or not anybody watches.

Close is the commit. A cancelled transfer therefore has two honest endings: ``later`` leaves the session open, so that
a retry goes on into it; ``keep`` closes it, so that what was sent is ingested.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

from ..client import AsyncClient
from ..errors import Conflict, DeepsetError
from ..models import WriteMode
from ..settings import Settings
from .plan import refuse_sidecar_names, replan
from .progress import Progress
from .receipt import Row
from .reconcile import reconcile
from .send import send_rows
from .session import Session, shards
from .watch import watch

CONNECTIONS = 10  # what the platform's own SDK settled on behind corporate proxies

Ending = Literal["later", "keep"]


class Upload:
    """One transfer through upload sessions.

    Args:
        settings: Whose key, which host, which workspace.
        plan: Makes the rows; runs in a thread, as walking folders can take long.
        progress: Where every stage reports.
        write_mode: What happens to names the workspace already has.
        resume: An open session of an earlier try: what it holds is not sent again.
        parallel: Let the platform ingest the files in parallel.
        connections: How many files are on their way at a time.
        rounds: How often to begin anew with a file after the bucket's own attempts ran out.
        ingest_within_s: The longest wait for ingestion after the last byte; 0 leaves at once, None waits as long as
            something changes.
    """

    def __init__(
        self,
        settings: Settings,
        plan: Callable[[], list[Row]],
        progress: Progress,
        *,
        write_mode: WriteMode = WriteMode.KEEP,
        resume: Session | None = None,
        parallel: bool = False,
        connections: int = CONNECTIONS,
        rounds: int = 1,
        ingest_within_s: float | None = None,
    ) -> None:
        self.settings = settings
        self.progress = progress
        self.write_mode = write_mode
        self.sessions: list[Session] = [resume] if resume else []
        self.parallel = parallel
        self.connections = connections
        self.rounds = rounds
        self.ingest_within_s = ingest_within_s
        self.timed_out = False
        self.ending: Ending = "later"
        self.error: DeepsetError | None = None
        self._plan = plan
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sending: asyncio.Task[None] | None = None

    def stop_sending(self) -> None:
        """End sending, then close and ingest what the bucket has. Callable from any thread."""
        self.ending = "keep"
        if self._loop and self._sending:
            self._loop.call_soon_threadsafe(self._sending.cancel)

    def open_session(self) -> Session | None:
        """The session a cancelled transfer left open, if it still takes objects."""
        return next((session for session in self.sessions if session.usable), None)

    def again(self) -> Upload:
        """The same upload for what did not make it.

        What waits in a session that is still open is kept there and only the rest is sent; everything else is judged
        afresh and sent through a session of its own.
        """
        session = self.open_session()
        waiting = session.sent if session else []
        kept = [dataclasses.replace(row, status="pending", reason=None, remedy=None) for row in waiting]
        bad = self.progress.receipt.with_status("failed", "unaccounted", "cancelled")
        held = {id(row) for row in waiting}
        rest = [row for row in bad if id(row) not in held]
        return Upload(
            self.settings,
            lambda: [*kept, *replan(rest)],
            Progress(self.progress.target),
            write_mode=self.write_mode,
            resume=Session(session.opened, session.opened_at, list(kept)) if session else None,
            parallel=self.parallel,
            connections=self.connections,
            rounds=self.rounds,
            ingest_within_s=self.ingest_within_s,
        )

    async def run(self) -> None:
        """Do it all. Ends normally however the files fared; raises only when cancelled."""
        try:
            await self._run()
        except asyncio.CancelledError:
            self._say_what_is_where()
            self.progress.end("cancelled")
            raise
        except DeepsetError as error:
            self.error = error
            self.progress.detail = str(error)
            self._end_pending("failed", error.message, error.remedy)
            self._note_open_session()
            self.progress.end("failed")
        except BaseException as error:
            self._end_pending("failed", f"Internal error: {type(error).__name__}.", "Please report it.")
            self.progress.end("failed")
            raise
        else:
            self.progress.end(self._verdict())

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.progress.enter("planning")
        self.progress.planned(await asyncio.to_thread(self._plan))
        refuse_sidecar_names(self.progress.receipt.rows)
        async with AsyncClient(self.settings) as client:
            self._sending = asyncio.create_task(self._send(client))
            try:
                await self._sending
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if self.ending != "keep" or (task is not None and task.cancelling()):
                    raise
                self._end_pending("cancelled", "Cancelled before it was sent.", "job.retry() sends it.", unsent=True)
            for session in self.sessions:
                await self._close(client, session)
            await self._ingest(client)

    async def _send(self, client: AsyncClient) -> None:
        rows = self.progress.receipt.with_status("pending")
        fresh = [row for row in rows if row.phase == "planned"]
        sending = self.progress.enter("sending", files=len(rows), size=sum(row.size for row in rows))
        sending["files_done"] = len(rows) - len(fresh)
        sending["bytes_done"] = sum(row.size for row in rows) - sum(row.size for row in fresh)
        resumed = next((session for session in self.sessions if session.usable), None)
        taken = sum(row.objects for row in resumed.rows) if resumed else 0
        for shard in shards(fresh, taken):
            session = resumed or await self._open(client)
            resumed = None
            session.rows.extend(shard)
            self.progress.session_id, self.progress.expires_at = session.id, session.expires_at
            form = session.opened.aws_prefixed_request_config
            async with client.bucket(form, connections=self.connections) as bucket:
                await send_rows(bucket, session, shard, self.progress, workers=self.connections, rounds=self.rounds)

    async def _open(self, client: AsyncClient) -> Session:
        asked_at = datetime.now(UTC)
        opened = await client.upload_sessions.create(
            self.settings.workspace_name, self.write_mode, parallel=self.parallel
        )
        self.sessions.append(Session(opened, asked_at))
        return self.sessions[-1]

    async def _close(self, client: AsyncClient, session: Session) -> None:
        try:
            await client.upload_sessions.close(self.settings.workspace_name, session.opened.session_id)
        except Conflict:  # closed by hand or expired: either way its ingestion has begun
            session.closed_by_others = True
        session.closed = True

    async def _ingest(self, client: AsyncClient) -> None:
        sent = [row for session in self.sessions for row in session.sent]
        for row in sent:
            row.phase = "ingesting"
        if self.ingest_within_s == 0:
            for row in sent:
                row.reason, row.remedy = "Sent; the platform ingests it by itself.", "get_upload_session() tells how."
            return
        self.progress.enter("ingesting", files=len(sent))
        now, patience, through = asyncio.get_running_loop().time(), self.ingest_within_s, 0
        until = None if patience is None else now + patience
        for session in self.sessions:
            try:
                async with asyncio.timeout_at(until):
                    complete = await watch(client, self.settings.workspace_name, session, self.progress, through)
            except TimeoutError:
                complete, self.timed_out = False, True
            await reconcile(client, self.settings.workspace_name, session, complete=complete)
            through += len(session.sent)
        self.progress.detail = ""

    def _verdict(self) -> Literal["done", "failed", "cancelled"]:
        counts = self.progress.receipt.counts()
        if counts["failed"] or counts["unaccounted"]:
            return "failed"
        return "cancelled" if counts["cancelled"] else "done"

    def _end_pending(
        self, status: Literal["failed", "cancelled"], reason: str, remedy: str, *, unsent: bool = False
    ) -> None:
        for row in self.progress.receipt.with_status("pending"):
            if not unsent or row.phase in ("planned", "sending"):
                row.end(status, reason, remedy)

    def _say_what_is_where(self) -> None:
        """The words of a cancelled transfer: what the platform has, and until when."""
        self._end_pending("cancelled", "Cancelled before it was sent.", "job.retry() sends it.", unsent=True)
        session = self.open_session()
        if session:
            self._end_pending(
                "cancelled",
                f"It was sent, but not ingested: its session is open{_until(session)}.",
                "job.retry() goes on into the session; ws.close_upload_session(session_id) ingests what it has.",
            )
            self._note_open_session()
            return
        self._end_pending(
            "cancelled",
            "It was sent and its session is closed: the platform ingests it although nobody watches.",
            "ws.get_upload_session(session_id).files tells how it went.",
        )
        self.progress.note = (
            "The session is closed; the platform ingests what was sent." if self.sessions else "Nothing was sent."
        )

    def _note_open_session(self) -> None:
        """Name the session that stays behind, and both ways on from it."""
        session = self.open_session()
        if session is None:
            return
        total = len(self.progress.receipt.rows)
        self.progress.note = (
            f"{len(session.sent):,} of {total:,} files wait in upload session {session.id}, which stays "
            f"open{_until(session)}; the platform then closes it by itself. job.retry() sends the rest into it, "
            "ws.close_upload_session(session_id) ingests what it has."
        )


def _until(session: Session) -> str:
    expires_at = session.opened.expires_at
    return f" until {expires_at:%Y-%m-%d %H:%M} UTC" if expires_at else ""
