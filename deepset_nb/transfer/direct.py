"""The direct route for a few texts: one request each, ingested before it answers, no session.

The platform's own SDK takes it for up to 20 inputs, as we do. A request whose answer was lost may have arrived all
the same; it is not sent again (that could double the file) but looked up by name, size and time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from ..client import AsyncClient
from ..client.fingerprint import fingerprint
from ..errors import ApiError, ConnectionFailed, DeepsetError, Forbidden, ServerError, Unauthorized, WorkspaceNotFound
from ..models import WriteMode
from ..settings import Settings
from .identity import Identity
from .leftovers import CLOCK_SLACK
from .plan import replan
from .progress import Progress
from .receipt import Row
from .reconcile import find_ids
from .record import Record
from .remove import remove_own
from .resume import Findings, begin, look_back

MOST_DIRECT = 20  # inputs; more go through a session
LARGEST_DIRECT = 200_000_000  # bytes; beyond, the platform answers 413 (platform API reference: status codes)
CONNECTIONS = 4


def goes_directly(texts: Sequence[tuple[str, bytes, object]]) -> bool:
    """Whether the direct route takes all of these documents."""
    return len(texts) <= MOST_DIRECT and all(len(content) <= LARGEST_DIRECT for _, content, _ in texts)


class DirectUpload:
    """A transfer of documents in memory without a session.

    Args:
        settings: Whose key, which host, which workspace.
        plan: Makes the rows.
        progress: Where everything is reported.
        write_mode: What happens to names the workspace already has.
        who: Whose platform this is; with it the journal is kept, and what an earlier run has sent is not sent again.
        resume: False sends it again.
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
    ) -> None:
        self.settings = settings
        self.progress = progress
        self.write_mode = write_mode
        self.error: DeepsetError | None = None
        self._record = Record(progress, "upload", write_mode)
        self.job_id = self._record.job
        self._who = who
        self._resume = resume
        self._plan = plan
        del progress.phases["ingesting"]  # a direct request is answered when its file is ingested
        self._stopped = self._removing = False
        self._began: datetime | None = None  # by the platform's clock; what is newer may be ours

    def stop_sending(self, ending: Literal["later", "keep", "remove"] = "keep") -> None:
        """Send nothing more; what is on its way arrives, and is removed again if so asked."""
        self._stopped = True
        self._removing = ending == "remove"

    def made_between(self) -> None:
        """Not known: nothing tells how far the platform's clock is from ours."""

    def again(self) -> DirectUpload:
        """The same transfer for what did not make it."""
        bad = self.progress.receipt.missed()
        fresh = Progress(self.progress.target)
        # Without rows it ended before there was a plan: then all is still to do.
        plan = (lambda: replan(bad)) if self.progress.receipt.rows else self._plan
        resume = self._resume and not self.progress.receipt.rows
        return DirectUpload(self.settings, plan, fresh, write_mode=self.write_mode, who=self._who, resume=resume)

    async def run(self) -> None:
        """Send all texts. Ends normally however they fared; raises only when cancelled."""
        async with self._record if self._who else contextlib.nullcontext():
            try:
                await self._run()
            finally:
                self._record.touch_all(self.progress.receipt.rows)

    async def _run(self) -> None:
        self.progress.enter("planning")
        receipt = self.progress.planned(self._plan())
        try:
            await self._look_back()
            rows = receipt.with_status("pending")
            self.progress.enter("sending", files=len(rows), size=sum(row.size for row in rows))
            await self._send(rows)
        except asyncio.CancelledError:
            for row in receipt.with_status("pending"):
                sending = row.phase == "sending"
                reason = (
                    "Cancelled while it was sent; it may have arrived." if sending else "Cancelled before it was sent."
                )
                remedy = "ws.list_files(name=...) tells." if sending else "job.retry() sends it."
                row.end("unaccounted" if sending else "cancelled", reason, remedy)
            self.progress.end("cancelled")
            raise
        except DeepsetError as error:
            self.error = error
        if self.error:
            receipt.end_all("failed", self.error.message, self.error.remedy)
        receipt.end_all("cancelled", "Cancelled before it was sent.", "job.retry() sends it.")
        if self._removing:
            async with AsyncClient(self.settings) as client:
                await remove_own(client, self.settings.workspace_name, self.progress, None)
        self.progress.end(receipt.verdict())

    async def _look_back(self) -> None:
        """Leave out what an earlier run has sent; what may have arrived is looked up."""
        journal, rows, workspace = self._record.journal, self.progress.receipt.rows, self.settings.workspace_name
        if journal is None or self._who is None:
            return
        who = self._who
        async with AsyncClient(self.settings) as client:

            async def find() -> Findings:
                if self._resume:
                    return await look_back(journal, client, workspace, who, rows, self.write_mode)
                return Findings()

            findings = await begin(self._record, who, rows, find)
            for row, past in findings.unsure:
                since = datetime.fromtimestamp(past.changed_at, UTC) - CLOCK_SLACK
                await self._find(client, row, since)
                if row.file_id:
                    row.phase, row.state = "ingested", "resumed"
                    row.end("ok")
                elif row.reason and row.reason.startswith("Ambiguous"):
                    row.end("unaccounted", row.reason, row.remedy)
                else:
                    row.reason = row.remedy = None
        for note in findings.notes:
            self.progress.add_note(note)

    async def _send(self, rows: list[Row]) -> None:
        queue = iter(rows)
        async with AsyncClient(self.settings) as client:
            if rows:
                self._began = await self._platform_time(client)
            async with asyncio.TaskGroup() as group:
                for _ in range(min(CONNECTIONS, len(rows))):
                    group.create_task(self._worker(client, queue))

    async def _platform_time(self, client: AsyncClient) -> datetime | None:
        """When the newest file was made; our own clock cannot tell a file sent before from one of ours."""
        try:
            async for page in client.files.list(self.settings.workspace_name, order="DESC", batch_size=1):
                return page[0].created_at + timedelta(microseconds=1)
        except (Unauthorized, WorkspaceNotFound):
            raise
        except ApiError:
            return None  # a key that may not list may still send
        return datetime.min.replace(tzinfo=UTC)

    async def _worker(self, client: AsyncClient, queue: Iterator[Row]) -> None:
        for row in queue:
            if self._stopped:
                return
            await self._send_row(client, row)

    async def _send_row(self, client: AsyncClient, row: Row) -> None:
        assert isinstance(row.source, bytes)
        row.started, row.phase = time.monotonic(), "sending"
        row.attempts += 1
        meta = json.loads(row.meta) if isinstance(row.meta, bytes) else None
        workspace = self.settings.workspace_name
        try:
            # The name a session would store: it must not depend on how many documents there are.
            file_id = await client.files.upload(
                workspace, row.stored_name, row.source, meta=meta, write_mode=self.write_mode
            )
        except (ConnectionFailed, ServerError) as error:
            await self._look_up(client, row, error)
        except DeepsetError as error:
            row.end("failed", error.message, error.remedy)
            if isinstance(error, Unauthorized | Forbidden | WorkspaceNotFound):
                self.error, self._stopped = error, True  # none of the others can fare better
        else:
            row.file_id, row.phase = str(file_id), "ingested"
            row.end("ok")
        row.content = fingerprint(row.source)
        row.meta_content = fingerprint(row.meta) if isinstance(row.meta, bytes) else None
        self._record.touch(row)
        if row.status == "ok":
            sending = self.progress.phases["sending"]
            sending["files_done"] += 1
            self.progress.bytes_sent(row.size)

    async def _look_up(self, client: AsyncClient, row: Row, error: DeepsetError) -> None:
        """The answer was lost; the file may be there nevertheless."""
        looked = False
        if self._began is not None:
            with contextlib.suppress(DeepsetError):
                await self._find(client, row, self._began)
                looked = True
        if not looked:
            row.file_id = row.created_at = None
            remedy = "It may have arrived all the same: look with ws.list_files(name=...) before job.retry()."
            row.end("unaccounted", error.message, remedy)
            return
        if row.file_id:
            row.phase = "ingested"
            row.end("ok")
        elif row.reason and row.reason.startswith("Ambiguous"):
            row.end("unaccounted", row.reason, row.remedy)
        else:
            row.end("failed", error.message, error.remedy or "job.retry() sends it again.")

    async def _find(self, client: AsyncClient, row: Row, since: datetime) -> None:
        """Fill in the id of a file made since then, if its content is the row's: its name and size may be another's."""
        workspace = self.settings.workspace_name
        await find_ids(client, workspace, [row], since)
        if row.file_id is None:
            return
        assert isinstance(row.source, bytes)
        read = 0
        async with contextlib.aclosing(client.files.download(workspace, row.file_id)) as pieces:
            async for piece in pieces:
                if row.source[read : read + len(piece)] != piece:
                    break
                read += len(piece)
        if read != len(row.source):
            row.file_id = row.created_at = None
