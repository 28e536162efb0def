"""The pipeline: plan -> look back -> shard -> send -> close -> watch -> reconcile.

Each stage writes to the receipt and to the journal, so an interruption at any point leaves rows that say what is where:

- while sending, the session stays open: nothing is ingested until it is closed, by us or by the platform after 24 h;
- after closing, the platform ingests on its own, whether or not anybody watches.

Close is the commit. A cancelled transfer therefore has two honest endings: ``later`` leaves the session open, so that
the same upload, run again, goes on into it; ``keep`` closes it, so that what was sent is ingested.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from datetime import UTC, datetime
from typing import Literal

from ..client import AsyncClient
from ..client.bucket import Bucket
from ..client.concurrency import CEILING
from ..errors import DeepsetError
from ..models import AWSPrefixedRequestConfig, WriteMode
from ..settings import Settings
from . import elsewhere
from .another_try import judge_again
from .from_browser import AT_ONCE, BrowserBucket, Courier, browsers_limit
from .identity import Identity, identify
from .outcome import end_unsent, note_open_sessions, say_what_is_kept, say_what_is_where
from .plan import refuse_sidecar_names
from .progress import Progress
from .receipt import Row
from .reconcile import find_all_ids, made_between, reconcile
from .record import Record
from .remove import remove_own
from .resume import Findings, begin, look_back
from .send import send_shards
from .session import Session
from .session_keeper import SessionKeeper
from .shard import Shard, portions
from .watch import watch

Ending = Literal["later", "keep", "remove"]


class Upload:
    """One transfer through upload sessions.

    Args:
        settings: Whose key, which host, which workspace.
        plan: Makes the rows; runs in a thread, as walking folders can take long.
        progress: Where every stage reports.
        write_mode: What happens to names the workspace already has.
        who: Whose platform this is, where it is known already.
        resume: Go on from what the journal knows of these files.
        retried: Sessions of an earlier try in this process: what they hold is not sent again.
        parallel: Let the platform ingest the files in parallel.
        connections: How many files are on their way at a time; None leaves it to the kernel's own limit.
        rounds: How often to begin anew with a file after the bucket's own attempts ran out.
        ingest_within_s: The longest wait for ingestion after the last byte; 0 leaves at once, None waits as long as
            something changes.
        courier: The page that holds files of the plan and posts them itself.
        executor: Posts in other processes, which read the files themselves.

    Attributes:
        job_id: The transfer's id in the journal, the same in every kernel.
    """

    def __init__(
        self,
        settings: Settings,
        plan: Callable[[], list[Row]],
        progress: Progress,
        *,
        write_mode: WriteMode = WriteMode.KEEP,
        who: Identity | None = None,
        resume: bool = True,
        retried: Iterable[Session] = (),
        parallel: bool = False,
        connections: int | None = None,
        rounds: int = 1,
        ingest_within_s: float | None = None,
        courier: Courier | None = None,
        executor: Executor | None = None,
    ) -> None:
        self.settings = settings
        self.progress = progress
        self.write_mode = write_mode
        self.parallel = parallel
        self.connections = connections
        self.rounds = rounds
        self.ingest_within_s = ingest_within_s
        self.courier = courier
        self.executor = executor
        self.timed_out = False
        self.ending: Ending = "later"
        self.error: DeepsetError | None = None
        self._plan = plan
        self._who = who
        self._resume = resume
        self._retried = list(retried)
        self._record = Record(progress, "upload", write_mode)
        self.job_id = self._record.job
        self._keeper = SessionKeeper(settings.workspace_name, write_mode, parallel, progress, self._record)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sending: asyncio.Task[None] | None = None
        self._ended_at: datetime | None = None

    def stop_sending(self, ending: Ending = "keep") -> None:
        """End sending, then close and ingest what the bucket has, and remove it again if so asked. From any thread."""
        self.ending = ending
        if self._loop and self._sending:
            self._loop.call_soon_threadsafe(self._sending.cancel)

    @property
    def sessions(self) -> list[Session]:
        """The upload sessions of this transfer, oldest first."""
        return self._keeper.sessions

    def made_between(self) -> tuple[datetime, datetime] | None:
        """From when to when its files were made, by the platform's clock."""
        return made_between(self.sessions, self._ended_at or datetime.now(UTC)) if self.sessions else None

    def again(self) -> Upload:
        """The same upload for what did not make it.

        What waits in a session for its outcome is kept there: only the rest is judged afresh and sent, into a session
        still open or one of its own.
        """
        bad = self.progress.receipt.missed()
        if not self.progress.receipt.rows:  # it ended before there was a plan: then all is still to do
            return self._another(self._plan, self._resume)
        if self._record.is_superseded():  # the cell was run again in between: only the journal knows all of it
            return self._another(lambda: judge_again(bad), True)
        again = [session.again() for session in self.sessions]
        retried = [session for session in again if session.rows or session.uncertain or session.usable]
        kept = [row for session in retried for row in session.rows]
        held = {id(row) for session in self.sessions for row in session.undecided}
        rest = [row for row in bad if id(row) not in held]
        return self._another(lambda: [*kept, *judge_again(rest)], False, retried)

    def _another(self, plan: Callable[[], list[Row]], resume: bool, retried: Iterable[Session] = ()) -> Upload:
        return Upload(
            self.settings,
            plan,
            Progress(self.progress.target),
            write_mode=self.write_mode,
            who=self._who,
            resume=resume,
            retried=retried,
            parallel=self.parallel,
            connections=self.connections,
            rounds=self.rounds,
            ingest_within_s=self.ingest_within_s,
            courier=self.courier,
            executor=self.executor,
        )

    async def run(self) -> None:
        """Do it all. Ends normally however the files fared; raises only when cancelled."""
        async with self._record:
            try:
                await self._run()
            except asyncio.CancelledError:
                say_what_is_where(self.progress, self.sessions)
                self._end("cancelled")
                raise
            except DeepsetError as error:
                self.error = error
                self.progress.error = str(error)
                for row in self.progress.receipt.with_status("pending"):
                    if row.phase == "ingesting":
                        lost = f"its outcome could not be asked: {error.message}"
                        why = f"It was sent and its session is closed, but {lost}"
                        row.end("unaccounted", why, "job.retry() asks again and does not send it twice.")
                self.progress.receipt.end_all("failed", error.message, error.remedy)
                note_open_sessions(self.progress, self.sessions)
                self._end("failed")
            except BaseException as error:
                self.progress.receipt.end_all("failed", f"Internal error: {type(error).__name__}.", "Please report it.")
                self._end("failed")
                raise
            else:
                self._end(self.progress.receipt.verdict())

    def _end(self, status: Literal["done", "failed", "cancelled"]) -> None:
        self._record.touch_all(self.progress.receipt.rows)
        self._ended_at = datetime.now(UTC)
        self.progress.end(status)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.progress.enter("planning")
        self.progress.planned(await asyncio.to_thread(self._plan))
        refuse_sidecar_names(self.progress.receipt.rows)
        async with AsyncClient(self.settings) as client:
            self._sending = asyncio.create_task(self._send(client, await self._look_back(client)))
            try:
                await self._sending
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if self.ending == "later" or (task is not None and task.cancelling()):
                    raise
                end_unsent(self.progress)
                if self.ending == "keep":
                    say_what_is_kept(self.progress)
            for session in self.sessions:
                if not session.closed:
                    await self._keeper.close(client, session)
            await self._ingest(client)
            if self.ending == "remove":
                await remove_own(client, self.settings.workspace_name, self.progress, self.made_between())

    async def _look_back(self, client: AsyncClient) -> list[Session]:
        """Find and note what earlier runs have done of this; the sessions to go on with."""
        workspace, rows = self.settings.workspace_name, self.progress.receipt.rows
        journal = self._record.journal
        if journal is None:
            return self._retried
        who = self._who or await identify(client, workspace)

        async def find() -> Findings:
            if self._resume:
                return await look_back(journal, client, workspace, who, rows, self.write_mode)
            return Findings(taken_over=[session.id for session in self._retried])

        findings = await begin(self._record, who, rows, find)
        for note in findings.notes:
            self.progress.add_note(note)
        return [*self._retried, *findings.sessions]

    async def _send(self, client: AsyncClient, resumed: list[Session]) -> None:
        rows = self.progress.receipt.with_status("pending")
        sending = self.progress.enter("sending", files=len(rows), size=sum(row.size for row in rows))
        await self._keeper.go_on_with(client, resumed, rows)
        fresh = [row for row in rows if row.phase == "planned"]
        sending["files_done"] = len(rows) - len(fresh)
        sending["bytes_done"] = sum(row.size for row in rows) - sum(row.size for row in fresh)
        await send_shards(
            self._shards(client, fresh),
            self.progress,
            self._record,
            workers=self._workers(),
            rounds=self.rounds,
        )

    def _workers(self) -> int:
        """How many rows may be on their way at a time."""
        if self.executor is not None:
            return elsewhere.AT_ONCE
        return self.connections or (CEILING if self.courier is None else AT_ONCE)

    def _buckets(self, client: AsyncClient) -> Callable[[AWSPrefixedRequestConfig], Bucket]:
        if self.executor is not None:
            others = elsewhere.Elsewhere(self.executor, self.progress.add_note)
            return lambda form: elsewhere.ExecutorBucket(form, others, connections=self.connections)
        if (courier := self.courier) is None:
            return lambda form: client.bucket(form, connections=self.connections)
        limit = browsers_limit()
        return lambda form: BrowserBucket(form, courier, limit, connections=self.connections)

    def _shards(self, client: AsyncClient, rows: list[Row]) -> Iterable[Shard]:
        """Rows go into the session they were on their way to; others fill the last open one, then fresh ones."""
        shards: list[Shard] = []
        bucket = self._buckets(client)
        usable = self._keeper.still_open
        for session in usable:
            mine = [row for row in rows if row.stored_name in session.uncertain]
            taken = sum(row.objects for row in session.rows) + sum(row.objects for row in mine)
            rows = [row for row in rows if row.stored_name not in session.uncertain]
            if session is usable[-1]:
                # Of two files of one name the session would keep only the later: the other goes into a fresh one.
                held = session.others.union(row.stored_name for row in session.rows)
                apart = [row for row in rows if row.stored_name in held]
                more, *others = portions((row for row in rows if row.stored_name not in held), taken)
                mine, rows = mine + more, [row for other in others for row in other] + apart
            shards.append(Shard(self._keeper, client, mine, session, bucket))
        shards += [Shard(self._keeper, client, part, None, bucket) for part in portions(rows) if part]
        return shards

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
                sent_into = len(session.sent)  # asked for what arrived unanswered, it may turn out to be more
                async with asyncio.timeout_at(until):
                    complete = await watch(client, self.settings.workspace_name, session, self.progress, through)
            except TimeoutError:
                complete, self.timed_out = False, True
            await reconcile(client, self.settings.workspace_name, session, complete=complete)
            through += sent_into
            self._record.touch_all(session.rows)
        await find_all_ids(client, self.settings.workspace_name, self.sessions)
        for session in self.sessions:
            if all(row.status in ("ok", "failed") for row in session.sent):
                self._record.touch_all(session.rows)
                await self._record.over(session.id)
        self.progress.detail = ""
