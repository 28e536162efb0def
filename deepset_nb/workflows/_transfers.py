"""What both clients share: a transfer made of a function's arguments, carried out, and summed up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterable
from functools import partial
from typing import Any, TypeVar

from .. import bridge
from ..errors import InputError, StillRunning, UploadFailed
from ..job import DownloadJob, Job, UploadJob
from ..models import DeepsetCloudFile, DeepsetCloudFileBytes, S3UploadResult, S3UploadSummary, WriteMode, utf8
from ..settings import Settings
from ..transfer.direct import DirectUpload, goes_directly
from ..transfer.download import PATIENT, Download, check_folder
from ..transfer.download_progress import DownloadProgress
from ..transfer.plan import Given, PathLike, plan_rows, plan_texts, read_given
from ..transfer.progress import JobState, Progress, Target
from ..transfer.upload import Upload
from ._progress import in_notebook, line, on_terminal

T = TypeVar("T")
Transfer = Upload | DirectUpload | Download

DEFAULT_WORKSPACE_NAME = ""  # stands for what the environment or a .env file names when a function is called


def paths_transfer(
    settings: Settings,
    paths: PathLike | Iterable[PathLike],
    *,
    write_mode: WriteMode | str,
    blocking: bool,
    timeout_s: float | None,
    recursive: bool = False,
    desired_file_types: list[str] | None = None,
    parallel: bool = False,
    safe_mode: bool = False,
) -> Upload:
    """An upload of files and folders, always through a session, so that there is one to look at."""
    given = [paths] if not isinstance(paths, Iterable) or isinstance(paths, str) else list(paths)
    # A list that a script has found empty is no error.
    asked = read_given(given, recursive=recursive, endings=desired_file_types) if given else Given()
    return Upload(
        settings,
        partial(plan_rows, asked),
        Progress(_target(settings)),
        write_mode=WriteMode.named(write_mode),
        parallel=parallel,
        connections=1 if safe_mode else None,
        resume=False,  # as the platform's own SDK: what a script sends again is there again
        rounds=PATIENT if safe_mode else 1,
        ingest_within_s=timeout_s if blocking else 0,
    )


def documents_transfer(
    settings: Settings,
    files: Iterable[DeepsetCloudFile] | Iterable[DeepsetCloudFileBytes],
    *,
    write_mode: WriteMode | str,
    blocking: bool,
    timeout_s: float | None,
    parallel: bool = False,
) -> Upload | DirectUpload:
    """An upload of documents in memory: a few go directly, more or larger ones through a session."""
    documents = [(file.name, _content(file), file.meta) for file in files]
    plan, progress, mode = partial(plan_texts, documents), Progress(_target(settings)), WriteMode.named(write_mode)
    if goes_directly(documents):
        return DirectUpload(settings, plan, progress, write_mode=mode)
    wait_s = timeout_s if blocking else 0
    return Upload(settings, plan, progress, write_mode=mode, parallel=parallel, resume=False, ingest_within_s=wait_s)


def download_transfer(
    settings: Settings,
    file_dir: PathLike | None,
    *,
    name: str | None,
    odata_filter: str | None,
    include_meta: bool,
    batch_size: int,
    timeout_s: float | None,
    safe_mode: bool,
) -> Download:
    """A download into a folder."""
    return Download(
        settings,
        check_folder(file_dir),
        DownloadProgress(_target(settings)),
        name=name,
        odata_filter=odata_filter,
        include_meta=include_meta,
        batch_size=batch_size,
        safe_mode=safe_mode,
        within_s=timeout_s,
    )


def _target(settings: Settings) -> Target:
    return {"workspace": settings.workspace_name, "host": settings.host, "organisation": None}


def _content(file: DeepsetCloudFile | DeepsetCloudFileBytes) -> bytes:
    content: str | bytes | None = getattr(file, "text", None)
    if content is None:
        content = getattr(file, "file_bytes", None)
    if isinstance(content, bytes | bytearray | memoryview):
        return bytes(content)
    if not isinstance(content, str):
        raise InputError(
            f"{file!r} is neither a text nor a file in bytes.",
            "Make it with DeepsetCloudFile(text, name, meta) or DeepsetCloudFileBytes(file_bytes, name, meta).",
        )
    return utf8(file.name, content)


# --- carrying it out --------------------------------------------------------------------------------------------------


def carry_out(transfer: Transfer, show_progress: bool) -> None:
    """Block until the transfer has ended; the stop button and Ctrl-C cancel it."""
    if show_progress and in_notebook():
        _job(transfer).wait()
    else:
        bridge.run(_run, transfer, show_progress)
    _raise_if_in_vain(transfer)


async def acarry_out(transfer: Transfer, show_progress: bool) -> None:
    """The same for awaiting code; cancelling the awaiting task cancels the transfer."""
    if show_progress and in_notebook():
        await bridge.arun(_ended, _job(transfer))
    else:
        await _run(transfer, show_progress)
    _raise_if_in_vain(transfer)


async def _run(transfer: Transfer, show_progress: bool) -> None:
    # No job: the list of jobs would keep what a script sends, in memory, as long as the script runs.
    async with line(transfer.progress) if show_progress and on_terminal() else contextlib.nullcontext():
        await transfer.run()


def _job(transfer: Transfer) -> Job:
    """The transfer as a job with a panel, whose buttons then work."""
    from ..widgets.show import show_job

    return (DownloadJob if isinstance(transfer, Download) else UploadJob)(transfer, show_job)


async def _ended(job: Job) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def look(_: JobState) -> None:
        if job.done:
            loop.call_soon_threadsafe(ended.set)

    unsubscribe = job.subscribe(look)
    try:
        await ended.wait()
    except asyncio.CancelledError:
        job.cancel()
        await ended.wait()
        raise
    finally:
        unsubscribe()


def _raise_if_in_vain(transfer: Transfer) -> None:
    """A wrong key or workspace is an error of the call, not of each of its files."""
    through = ("sent", "ingesting", "ingested", "fetched")
    if transfer.error and not any(row.phase in through for row in transfer.progress.receipt.rows):
        raise transfer.error


def summary(transfer: Upload | DirectUpload) -> S3UploadSummary:
    """What became of an upload that has ended.

    Raises:
        StillRunning: The wait for ingestion was over before ingestion was.
    """
    rows = transfer.progress.receipt.rows
    failed = transfer.progress.receipt.missed()
    total = sum(row.status != "skipped" for row in rows)
    sessions = [session.opened.session_id for session in transfer.sessions] if isinstance(transfer, Upload) else []
    waiting = sum(row.status == "unaccounted" for row in rows)
    # The last look, file by file, may find that all is well although the counts never said so.
    if isinstance(transfer, Upload) and transfer.timed_out and waiting:
        ids = ", ".join(f"UUID('{session_id}')" for session_id in sessions)
        raise StillRunning(
            f"The platform has not ingested {waiting:,} of {total:,} files within {transfer.ingest_within_s:g} s.",
            f"They are sent, and it goes on by itself: get_upload_session({ids}) tells how far it is.",
        )
    return S3UploadSummary(
        total_files=total,
        successful_upload_count=total - len(failed),
        failed_upload_count=len(failed),
        failed=[S3UploadResult(row.name, False, UploadFailed(row.reason or "", row.remedy or "")) for row in failed],
        session_ids=sessions,
        receipt=transfer.progress.receipt.records(),
    )


def receipt(transfer: Download) -> list[dict[str, Any]]:
    """What became of a download that has ended.

    Raises:
        StillRunning: The time was over before everything was fetched.
    """
    if transfer.timed_out:
        raise StillRunning(
            f"The download took longer than {transfer.within_s:g} s: {transfer.progress.headline()}.",
            "Run it again with a larger timeout_s: it fetches what is missing.",
        )
    return transfer.progress.receipt.records()


async def each_within(pages: AsyncGenerator[T, None], timeout_s: float | None, what: str) -> AsyncGenerator[T, None]:
    """The pages of a listing, each of which may take ``timeout_s``.

    Raises:
        StillRunning: A page took longer.
    """
    async with contextlib.aclosing(pages):
        while True:
            try:
                async with asyncio.timeout(timeout_s):
                    page = await anext(pages)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise StillRunning(
                    f"The platform took longer than {timeout_s:g} s for a page of the {what}.",
                    "Try again, with a larger timeout_s or a smaller batch_size.",
                ) from None
            yield page
