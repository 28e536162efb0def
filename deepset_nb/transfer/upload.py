"""The pipeline: plan -> shard -> send -> close -> watch -> reconcile.

Each stage writes to the receipt, so an interruption at any point leaves rows that say what is where:

- while sending, the session stays open: nothing is ingested until it is closed, by us or by the platform after 24 h;
- after closing, the platform ingests on its own, whether or not anybody watches.

Close is the commit. A cancelled transfer therefore has two honest endings: ``later`` leaves the session open, so that
a retry goes on into it; ``keep`` closes it, so that what was sent is ingested.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Literal

from ..client import AsyncClient
from ..errors import DeepsetError
from ..models import WriteMode
from ..settings import Settings
from .plan import refuse_sidecar_names, replan
from .progress import Progress
from .receipt import Row
from .reconcile import reconcile
from .send import send_rows
from .session import Session, shards
from .session_keeper import SessionKeeper
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
        resume: Sessions of an earlier try: what they hold is not sent again.
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
        resume: Iterable[Session] = (),
        parallel: bool = False,
        connections: int = CONNECTIONS,
        rounds: int = 1,
        ingest_within_s: float | None = None,
    ) -> None:
        self.settings = settings
        self.progress = progress
        self.write_mode = write_mode
        self._keeper = SessionKeeper(settings.workspace_name, write_mode, parallel, progress, resume)
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

    @property
    def sessions(self) -> list[Session]:
        """The upload sessions of this transfer, oldest first."""
        return self._keeper.sessions

    def again(self) -> Upload:
        """The same upload for what did not make it.

        What waits in a session for its outcome is kept there: only the rest is judged afresh and sent, into a session
        still open or one of its own.
        """
        again = [session.again() for session in self.sessions]
        resume = [session for session in again if session.rows or session.uncertain or session.usable]
        kept = [row for session in resume for row in session.rows]
        held = {id(row) for session in self.sessions for row in session.undecided}
        bad = self.progress.receipt.missed()
        rest = [row for row in bad if id(row) not in held]
        return Upload(
            self.settings,
            # Without rows it ended before there was a plan: then all is still to do.
            (lambda: [*kept, *replan(rest)]) if self.progress.receipt.rows else self._plan,
            Progress(self.progress.target),
            write_mode=self.write_mode,
            resume=resume,
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
            for row in self.progress.receipt.with_status("pending"):
                if row.phase == "ingesting":
                    why = f"It was sent and its session is closed, but its outcome could not be asked: {error.message}"
                    row.end("unaccounted", why, "job.retry() asks again and does not send it twice.")
            self.progress.receipt.end_all("failed", error.message, error.remedy)
            self._note_open_sessions()
            self.progress.end("failed")
        except BaseException as error:
            self.progress.receipt.end_all("failed", f"Internal error: {type(error).__name__}.", "Please report it.")
            self.progress.end("failed")
            raise
        else:
            self.progress.end(self.progress.receipt.verdict())

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
                self._end_unsent()
            for session in self.sessions:
                if not session.closed:
                    await self._keeper.close(client, session)
            await self._ingest(client)

    async def _send(self, client: AsyncClient) -> None:
        rows = self.progress.receipt.with_status("pending")
        sending = self.progress.enter("sending", files=len(rows), size=sum(row.size for row in rows))
        resumed = await self._keeper.resumable(client)
        for session in self.sessions:
            if session.uncertain and session is not resumed:
                await self._keeper.recognise(client, session, rows)
        fresh = [row for row in rows if row.phase == "planned"]
        sending["files_done"] = len(rows) - len(fresh)
        sending["bytes_done"] = sum(row.size for row in rows) - sum(row.size for row in fresh)
        taken = sum(row.objects for row in resumed.rows) if resumed else 0
        for shard in shards(fresh, taken):
            session = resumed or await self._keeper.open(client)
            resumed = None
            session.rows.extend(shard)
            form = session.opened.aws_prefixed_request_config
            async with client.bucket(form, connections=self.connections) as bucket:
                await send_rows(bucket, session, shard, self.progress, workers=self.connections, rounds=self.rounds)

    async def _ingest(self, client: AsyncClient) -> None:
        sent = [row for session in self.sessions for row in session.sent]
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

    def _end_unsent(self) -> None:
        for row in self.progress.receipt.with_status("pending"):
            if row.phase == "planned":
                row.end("cancelled", "Cancelled before it was sent.", "job.retry() sends it.")
            elif row.phase == "sending":
                row.end("cancelled", "Cancelled on its way.", "job.retry() sends it, unless it has arrived.")

    def _say_what_is_where(self) -> None:
        """The words of a cancelled transfer: what the platform has, and until when."""
        self._end_unsent()
        for session in self.sessions:
            for row in session.undecided:
                if session.closed:
                    row.end(
                        "cancelled",
                        "It was sent and its session is closed: the platform ingests it although nobody watches.",
                        "job.retry() goes on watching; ws.get_upload_session(session_id).files tells how it went.",
                    )
                else:
                    row.end(
                        "cancelled",
                        f"It was sent, but not ingested: its session is open{_until(session)}.",
                        "job.retry() goes on into it; ws.close_upload_session(session_id) ingests what it has.",
                    )
        self.progress.note = (
            "The session is closed; the platform ingests what was sent." if self.sessions else "Nothing was sent."
        )
        self._note_open_sessions()

    def _note_open_sessions(self) -> None:
        """Name what stays behind, and both ways on from it."""
        sessions = self._keeper.still_open
        if not sessions:
            return
        sent, total = sum(len(session.sent) for session in sessions), len(self.progress.receipt.rows)
        which = " and ".join(session.id for session in sessions)
        which = f"upload session {which}, which stays" if len(sessions) == 1 else f"upload sessions {which}, which stay"
        self.progress.note = (
            f"{sent:,} of {total:,} files wait in {which} open{_until(sessions[0])}; the platform then closes what is "
            "open by itself. job.retry() sends the rest, ws.close_upload_session(session_id) ingests what it has."
        )


def _until(session: Session) -> str:
    expires_at = session.opened.expires_at
    return f" until {expires_at:%Y-%m-%d %H:%M} UTC" if expires_at else ""
