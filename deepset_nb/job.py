"""A running or ended upload or download: progress, cancel, wait, retry, receipt.

A job runs on the bridge's loop and outlives the cell that started it. It knows nothing of widgets: whoever makes it
may hand it a view, which the rich reprs talk to, and anybody may subscribe to its state.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import itertools
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from . import bridge, frames
from .client.waits import told_to
from .errors import Cancelled, DownloadFailed, InputError, JobError, StillRunning, UploadFailed
from .job_news import News
from .job_roles import Ending, Transfer, View
from .transfer.progress import JobState
from .transfer.receipt import MISSED
from .transfer.receipt_page import ReceiptPage, page_of
from .transfer.remove import take_back
from .transfer.small import small

if TYPE_CHECKING:
    import pandas as pd

DRAIN_S = 5.0  # what a cancelled job gets for its last words

_numbers = itertools.count(1)
_jobs: list[Job] = []


class Job:
    """What uploads and downloads have in common: work that outlives the cell it was started in.

    Attributes:
        id: Number of the job in this kernel, counted from 1.
        started_at: Seconds since 1970.
        view: What shows it, if anything does.
        code: The line of Python that does the same; never with a key in it.
        next: The job that went on from here after ``retry()`` or the Retry button, or None.
    """

    _failure: type[JobError] = JobError

    def __init__(self, transfer: Transfer, show: Callable[[Job], View] | None = None, code: str = "") -> None:
        """Start the transfer in the background; ``show`` makes the view that shows it."""
        self.id = next(_numbers)
        self.code = transfer.progress.code = code
        self._show = show
        self._transfer = transfer
        self.started_at = time.time()
        self.next: Self | None = None
        self._retrying = threading.Lock()  # two panels of one job may ask at once
        self._news = News(self.id, self.state, lambda: self.done)
        _jobs.append(self)
        self._task = bridge.submit(self._run, on_exit="wait")
        self._task.add_done_callback(self._close_books)
        self.view: View | None = show(self) if show else None

    # --- progress ---------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        teller = asyncio.create_task(self._news.keep_telling())
        try:
            with told_to(self._transfer.progress):
                await self._transfer.run()
        finally:
            teller.cancel()
            self._news.tell(self.state())

    def _close_books(self, task: bridge.BridgeTask[None]) -> None:
        """End a job whose transfer could not do so: cancelled before it began, or broken by an internal error."""
        if not self.done:
            self._transfer.progress.end("cancelled" if isinstance(task.future.exception(), Cancelled) else "failed")
            self._news.tell(self.state())

    def state(self) -> JobState:
        """Phases, counts, failures and words of this moment, as plain JSON values without any secret."""
        state = small(self._transfer.progress.state())
        if self.next is not None:  # a second try of the same would do it twice
            state |= {"can_retry": False, "retry_files": 0}
        return state

    def subscribe(self, callback: Callable[[JobState], None]) -> Callable[[], None]:
        """Call back with every new state, at most ten times a second, and once more at the end.

        While ``wait()`` blocks the main thread, from there; else from a thread of its own.

        Returns:
            A function that ends the subscription.
        """
        return self._news.subscribe(callback)

    @property
    def job_id(self) -> str:
        """Id of the job in ``dn.jobs()``, the same in every kernel."""
        return self._transfer.job_id

    @property
    def done(self) -> bool:
        """Whether it has ended, well or not."""
        return self._transfer.progress.status not in ("running", "cancelling")

    # --- control ----------------------------------------------------------------------------------------------

    def wait(self, timeout_s: float | None = None) -> Self:
        """Block the cell until the job has ended; the stop button cancels it.

        Example:
            >>> job.wait(timeout_s=60).receipt  # doctest: +SKIP

        Args:
            timeout_s: Seconds to wait at most; None waits until it has ended. The job's own waits are all bounded.

        Returns:
            The job itself, also when files failed: see ``failed`` and ``raise_for_failures``.

        Raises:
            StillRunning: The time is over; the job goes on.
        """
        try:
            ended = bridge.run(self._wait, timeout_s)
        except KeyboardInterrupt:
            self.cancel()
            concurrent.futures.wait([self._task.future], DRAIN_S)
            raise
        if not ended:
            raise StillRunning(
                f"Job {self.id} is still running after {timeout_s:g} s: {self.state()['headline']}.",
                "It goes on: call job.wait() again, or job.cancel().",
            )
        if self.view:
            self.view.refresh()
        return self

    async def _wait(self, timeout_s: float | None) -> bool:
        with bridge.lend_main_thread(self._task):
            await asyncio.wait({self._task.ended(asyncio.get_running_loop())}, timeout=timeout_s)
        if not self._task.done():
            return False
        if (error := self._task.future.exception()) and not isinstance(error, Cancelled):
            raise error  # an internal error: files that fail never raise
        return True

    def cancel(self) -> Self:
        """End the job; acknowledged at once, ``wait()`` for its last words.

        Example:
            >>> job.cancel()  # doctest: +SKIP

        Returns:
            The job itself.
        """
        self._transfer.progress.cancelling = True
        self._task.cancel()
        return self

    def retry(self, *, show: bool = True) -> Self:
        """Try again what did not make it: failed, cancelled and unaccounted files.

        Files are judged afresh, so a repaired sidecar or a file no longer empty goes through. What a cancelled job
        left half done, an open upload session or the beginning of a file, the new one goes on with.

        Example:
            >>> job.retry().wait().receipt  # doctest: +SKIP

        Args:
            show: Show the new job as this one was shown.

        Returns:
            A new job; this one keeps its receipt.

        Raises:
            StillRunning: It has not ended.
            InputError: It was tried again before: that job goes on from here, a second one would do the same twice.
        """
        if not self.done:
            raise StillRunning(f"Job {self.id} is still running.", "Wait for it, or cancel it first.")
        with self._retrying:
            if self.next:
                number = self.next.id
                raise InputError(
                    f"Job {self.id} was tried again before, as job {number}.",
                    "Go on with that one, job.next: the panel that shows it has a Retry button.",
                )
            self.next = type(self)(self._transfer.again(), self._show if show else None, self.code)
        self._news.tell(self.state())  # other views of this one lose their Retry button
        return self.next

    # --- result -----------------------------------------------------------------------------------------------

    @property
    def receipt(self) -> pd.DataFrame:
        """One row per file, complete at every moment, also after an exception or a cancel.

        Returns:
            Columns ``path name stored_name status phase reason remedy file_id session_id`` (string), ``size`` (bytes)
            and ``attempts`` (Int64), ``seconds`` (Float64, from first try to outcome). ``status`` is one of pending,
            ok, failed, skipped, unaccounted, cancelled.
        """
        return frames.receipt_of(list(self._transfer.progress.receipt.rows))

    def receipt_page(self, status: str = "", offset: int = 0, limit: int = 50) -> ReceiptPage:
        """Some rows of the receipt, for a view that turns pages.

        Args:
            status: Only rows of this status; empty for all.
            offset: How many rows to leave out at the beginning.
            limit: How many rows at most.
        """
        return page_of(self._transfer.progress, status, offset, limit)

    @property
    def failed(self) -> pd.DataFrame:
        """The rows of the receipt that did not make it, with reason and remedy."""
        receipt = self.receipt
        return receipt[receipt["status"].isin(MISSED)].reset_index(drop=True)

    def raise_for_failures(self) -> Self:
        """Raise if any file did not make it; for scripts and pipelines that must not go on then.

        Returns:
            The job itself.

        Raises:
            UploadFailed, DownloadFailed: Name the first files, their reasons and remedies.
        """
        progress = self._transfer.progress
        if bad := progress.receipt.missed():
            shown = "; ".join(f"{progress.shown(row)}: {row.reason}" for row in bad[:3])
            more = f"; and {len(bad) - 3:,} more in job.failed" if len(bad) > 3 else ""
            raise self._failure(
                f"{len(bad):,} of {len(progress.receipt.rows):,} files did not make it: {shown}{more}.",
                bad[0].remedy or "job.failed lists reasons and remedies; job.retry() tries them again.",
            )
        return self

    def __repr__(self) -> str:
        kind, state = type(self).__name__, self.state()
        return f"<{kind} {self.id}, {state['status']}: {state['headline']} ({state['target']['workspace']})>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return self.view.mimebundle() if self.view else {"text/plain": repr(self)}


class UploadJob(Job):
    """An upload under way; made by ``ws.upload`` and ``ws.upload_texts``, which return at once.

    Example:
        >>> import deepset_nb as dn
        >>> ws = dn.sandbox()
        >>> job = ws.upload("reports/")  # doctest: +SKIP
        >>> job.wait().receipt  # doctest: +SKIP
    """

    _failure = UploadFailed
    _ending: Ending | None = None  # how it was cancelled

    def cancel(self, ingest: Ending = "later") -> Self:
        """End the job; acknowledged at once, ``wait()`` for its last words.

        Example:
            >>> job.cancel()  # doctest: +SKIP

        Args:
            ingest: What becomes of the files already sent. ``"later"``: the upload session stays open, nothing is
                ingested until ``job.retry()`` goes on into it, it is closed by hand, or the platform closes it after
                24 hours. ``"keep"``: the session is closed now and what was sent is ingested. ``"remove"``: so too,
                then exactly the files that this job made are deleted; also while the platform ingests.

        Returns:
            The job itself.

        Raises:
            InputError: There is nothing left to remove from, as it has ended.
        """
        if ingest not in ("later", "keep", "remove"):
            raise InputError(f"A job cannot be cancelled with ingest={ingest!r}.", 'Use "later", "keep" or "remove".')
        progress = self._transfer.progress
        if ingest == "remove" and (self.done or self._ending == "later"):
            raise InputError(
                f"Job {self.id} has ended already, or is just ending; nothing was removed.",
                "job.wait(), then job.undo() tells what it has brought there, job.undo(dry_run=False) deletes it.",
            )
        if ingest == "later":
            progress.cancelling, self._ending = True, ingest
            self._task.cancel()  # after "keep", too: that ends the watching
        elif progress.status == "running" or (ingest == "remove" and self._ending == "keep"):
            progress.cancelling, self._ending = True, ingest
            phases = ("sending", "ingesting") if ingest == "remove" else ("sending",)
            if any(name in phases and phase["state"] == "active" for name, phase in progress.phases.items()):
                self._transfer.stop_sending(ingest)
            else:
                self._task.cancel()
        return self

    def undo(self, *, dry_run: bool = True) -> pd.DataFrame:
        """Delete what this job brought to the platform: tells which files, and with ``dry_run=False`` does it.

        Only files whose ids are known to be this job's. Ids of an upload session come from listings, which may lag by
        three minutes (platform guides): where another file of that name and size was made meanwhile, both stay.

        Example:
            >>> job.undo()  # doctest: +SKIP
            >>> job.undo(dry_run=False)["status"].value_counts()  # doctest: +SKIP

        Args:
            dry_run: Only tell what would be deleted.

        Returns:
            Columns ``file_id name status reason remedy`` (string), ``size`` (Int64, bytes), ``created_at``
            (datetime64[us, UTC], empty for texts). ``status`` is pending in a dry run, then ok, failed, or skipped
            for what was gone already or may be somebody else's.

        Raises:
            StillRunning: It has not ended; ``cancel(ingest="remove")`` ends it so.
        """
        if not self.done:
            way = "wait(), then job.undo()" if self._ending == "later" else 'cancel(ingest="remove")'
            raise StillRunning(f"Job {self.id} is still running.", f"job.{way} removes what it has sent.")
        transfer = self._transfer
        rows, made = transfer.progress.receipt.rows, transfer.made_between()
        return frames.deletions(bridge.run(take_back, transfer.settings, rows, made, dry_run))


class DownloadJob(Job):
    """A download under way; made by ``ws.download``, which returns at once.

    In its receipt ``name`` is the file's name on the platform, ``stored_name`` and ``path`` are the local ones, and
    ``session_id`` is empty. A cancelled or broken download has no half file under a file's name: the beginnings of
    large files stay as hidden ``.dnb-*.part`` files, and the next download goes on from them.

    Example:
        >>> import deepset_nb as dn
        >>> ws = dn.sandbox()
        >>> job = ws.download("reports/")  # doctest: +SKIP
        >>> job.wait().receipt[["name", "path", "status"]]  # doctest: +SKIP
    """

    _failure = DownloadFailed


def kernel_jobs() -> list[Job]:
    """The jobs of this kernel, oldest first."""
    return list(_jobs)
