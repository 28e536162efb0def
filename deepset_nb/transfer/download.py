"""Fetching: list -> name -> fetch, a row of the receipt for every file.

A file appears under its name only when it is complete, and no file that is there is ever overwritten. Its time is that
of the platform's file, so that the same download, run again, knows what it has and fetches the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import reprlib
import time
from collections.abc import AsyncGenerator, Iterable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

from ..client import AsyncClient
from ..errors import (
    ConnectionFailed,
    DeepsetError,
    FileNotFound,
    InputError,
    ServerError,
    TooManyRequests,
    Unauthorized,
)
from ..models import File
from ..settings import Settings
from .download_progress import DownloadProgress
from .fetch import ATTEMPTS, IS_THERE, Fetcher, in_thread, write_meta
from .local_names import LocalNames, is_copy
from .parts import Parts
from .plan import SIDECAR, PathLike
from .progress import Progress
from .receipt import Row

CONNECTIONS = 8  # httpx's pool slows down above some 30
PATIENT = 2  # safe mode: one connection, and everything is tried twice as often
SILENCES = 2 * CONNECTIONS  # files one after the other that got no answer: then there is nobody to ask

LATER = "Run the same download again: it fetches what is missing."


def check_folder(file_dir: PathLike | None) -> Path:
    """The folder to fetch into; it need not be there yet.

    Raises:
        InputError: Something else is in its place.
    """
    # Not Path.expanduser(), to which ~$reports is the home of an unknown user.
    folder = Path(os.path.expanduser(file_dir or "."))  # noqa: PTH111
    if folder.exists() and not folder.is_dir():
        raise InputError(f"The folder {str(folder)!r} cannot be made: a file is there.", "Name another file_dir.")
    return folder


def parse_file_ids(ids: Iterable[str | UUID]) -> list[UUID]:
    """File ids as they are.

    Raises:
        InputError: One is none.
    """
    found = [ids] if isinstance(ids, str | UUID) else list(ids)
    try:
        return [UUID(str(file_id)) for file_id in found]
    except ValueError:
        bad = next(file_id for file_id in found if not _is_uuid(file_id))
        raise InputError(f"{reprlib.repr(bad)} is not the id of a file.", "ws.list_files() lists them.") from None


def _is_uuid(value: object) -> bool:
    with contextlib.suppress(ValueError):
        return bool(UUID(str(value)))
    return False


class Download:
    """One transfer from a workspace into a folder.

    In its receipt, ``name`` is the platform's, ``stored_name`` and ``path`` are the local ones.

    Args:
        settings: Whose key, which host, which workspace.
        folder: Where the files go; made if it is not there.
        progress: Where every stage reports.
        name: Only files whose names contain this.
        odata_filter: Only files whose metadata matches.
        include_meta: Also write each file's metadata beside it, as ``<name>.meta.json``.
        batch_size: Rows a page of the listing.
        attempts: How often a body that breaks off is begun anew or gone on with.
        safe_mode: One connection and more patience.
        within_s: The longest time for all of it; None is as long as it takes.
        only: These files, instead of asking which there are.
        ids: The files of these ids, looked up in the listing.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        progress: Progress,
        *,
        name: str | None = None,
        odata_filter: str | None = None,
        include_meta: bool = True,
        batch_size: int = 100,
        attempts: int = ATTEMPTS,
        safe_mode: bool = False,
        within_s: float | None = None,
        only: Iterable[File] | None = None,
        ids: Iterable[UUID] | None = None,
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.progress = progress
        self.name = name
        self.odata_filter = odata_filter
        self.include_meta = include_meta
        self.batch_size = batch_size
        self.attempts = attempts
        self.safe_mode = safe_mode
        self.within_s = within_s
        self.error: DeepsetError | None = None
        self.job_id = uuid4().hex
        self.timed_out = False
        # Oldest first, as the listing below: files of one name get the same numbers in every download.
        self._only = None if only is None else sorted(only, key=lambda file: (file.created_at, str(file.file_id)))
        self._ids = None if ids is None else dict.fromkeys(ids)
        self._found: list[tuple[Row, File]] = []
        self._unknown: list[UUID] = []
        self._is_listed = False
        self._silences = 0

    def stop_sending(self, ending: str = "keep") -> None:
        """A download has no gentler end than a cancel: what is complete is there already."""

    def made_between(self) -> None:
        """It makes no files on the platform."""

    def again(self) -> Download:
        """The same download for what did not make it."""
        rest = [file for row, file in self._found if row.status in ("failed", "cancelled")]
        return Download(
            self.settings,
            self.folder,
            DownloadProgress(self.progress.target),
            name=self.name,
            odata_filter=self.odata_filter,
            include_meta=self.include_meta,
            batch_size=self.batch_size,
            attempts=self.attempts,
            safe_mode=self.safe_mode,
            within_s=self.within_s,
            # Without the whole listing it did not know all there is: then everything is looked at again.
            only=rest if self._is_listed else self._only,
            ids=(self._unknown or None) if self._is_listed else self._ids,
        )

    async def run(self) -> None:
        """Do it all. Ends normally however the files fared; raises only when cancelled."""
        receipt = self.progress.receipt
        try:
            try:
                async with asyncio.timeout(self.within_s):
                    await self._run()
            except TimeoutError:
                self.timed_out = True
            receipt.end_all("cancelled", "The time was over before.", LATER)
        except asyncio.CancelledError:
            receipt.end_all("cancelled", "Cancelled before it was fetched.", LATER)
            self.progress.end("cancelled")
            raise
        except DeepsetError as error:
            self._fail(error)
            self.progress.end("failed")
        except BaseException as error:
            receipt.end_all("failed", f"Internal error: {type(error).__name__}.", "Please report it.")
            self.progress.end("failed")
            raise
        else:
            self.progress.end(receipt.verdict())

    def _fail(self, error: DeepsetError) -> None:
        self.error = error
        self.progress.error = str(error)
        self.progress.receipt.end_all("failed", error.message, error.remedy)

    async def _run(self) -> None:
        self.progress.enter("planning")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"The folder {str(self.folder)!r} cannot be made: {error.strerror}.", "Name another file_dir."
            ) from None
        parts, names = Parts(self.folder), LocalNames(self.folder)
        try:
            await in_thread(parts.open)
            await self._list(parts, names)
            missing = [(row, file) for row, file in self._found if row.status == "pending"]
            await in_thread(parts.remove_stale, [file for _, file in missing])
            self.progress.enter("sending", files=len(missing), size=sum(file.size for _, file in missing))
            queue = iter(missing)
            async with asyncio.TaskGroup() as group:
                for _ in range(min(1 if self.safe_mode else CONNECTIONS, len(missing))):
                    group.create_task(self._worker(parts, names, queue))
        finally:
            parts.close()

    async def _list(self, parts: Parts, names: LocalNames) -> None:
        async with AsyncClient(self.settings) as client, contextlib.aclosing(self._listed(client)) as pages:
            async for page in pages:
                await in_thread(self._plan, page, names, parts)
        self._name_unknown()
        self._is_listed = True
        self.progress.phases["planning"] |= {"files_done": len(self._found), "files_total": len(self._found)}

    async def _listed(self, client: AsyncClient) -> AsyncGenerator[list[File], None]:
        if self._only is not None:
            yield self._only
        if self._only is not None and self._ids is None:
            return
        # Oldest first: a file that came later must not take the plain name from one that was fetched under it.
        pages = client.files.list(
            self.settings.workspace_name,
            name=self.name,
            odata_filter=self.odata_filter,
            batch_size=self.batch_size,
            field="created_at",
            order="ASC",
        )
        wanted = None if self._ids is None else set(self._ids)
        async with contextlib.aclosing(pages):
            async for page in pages:
                if wanted is None:
                    yield page
                    continue
                # The platform tells nothing of a file by its id alone: it has to be met in the listing.
                yield [file for file in page if file.file_id in wanted]
                wanted.difference_update(file.file_id for file in page)
                if not wanted:
                    return

    def _name_unknown(self) -> None:
        """A row for each id that the listing did not have."""
        found = {file.file_id for _, file in self._found}
        self._unknown = [file_id for file_id in self._ids or () if file_id not in found]
        for file_id in self._unknown:
            row = Row(str(file_id), str(file_id), "", 0, "", file_id=str(file_id))
            row.end("failed", "The workspace lists no file of this id.", "list_files() lists the ids it has.")
            self.progress.receipt.rows.append(row)

    def _plan(self, files: list[File], names: LocalNames, parts: Parts) -> None:
        for file in files:
            path, there = names.place(file)
            row = Row(str(path), file.name, path.name, file.size, str(path), file_id=str(file.file_id))
            self._found.append((row, file))
            self.progress.receipt.rows.append(row)
            if there and (file.meta is not None or not self._lacks_meta(row)):
                note = None
                if self.include_meta and file.meta is not None:
                    try:
                        note = write_meta(parts, path, file.meta)
                    except OSError as error:
                        note = f"Its metadata cannot be written: {error.strerror or error}."
                row.phase = "fetched"
                row.end("skipped", IS_THERE, note)

    def _lacks_meta(self, row: Row) -> bool:
        return self.include_meta and not os.path.lexists(row.path + SIDECAR)

    async def _worker(self, parts: Parts, names: LocalNames, queue: Iterator[tuple[Row, File]]) -> None:
        attempts = self.attempts * (PATIENT if self.safe_mode else 1)
        # A client each: httpx's pool looks at all its connections at every request, which is a quarter of its work.
        async with AsyncClient(self.settings) as client:
            fetcher = Fetcher(
                client, self.settings.workspace_name, parts, names, self.progress, attempts, self.include_meta
            )
            for row, file in queue:
                if self.error is not None:
                    row.end("failed", self.error.message, self.error.remedy)
                else:
                    await self._fetch(fetcher, row, file)

    async def _fetch(self, fetcher: Fetcher, row: Row, file: File) -> None:
        row.started, row.phase = time.monotonic(), "fetching"
        try:
            if file.meta is None and is_copy(Path(row.path), file):
                await fetcher.fetch_meta(row, file)
            else:
                await fetcher.fetch(row, file)
        except FileNotFound:
            row.end("failed", "The workspace has it no longer.", "It was deleted after it was listed: list_files().")
        except DeepsetError as error:
            row.end("failed", error.message, error.remedy or LATER)
            self._count_silence(error)
        except OSError as error:
            row.end("failed", f"It cannot be written: {error.strerror or error}.", f"See to the folder. {LATER}")
        else:
            self.progress.phases["sending"]["files_done"] += 1
            self._silences = 0

    def _count_silence(self, error: DeepsetError) -> None:
        """Stop asking a platform that is gone: thousands of files would each wait for it in vain."""
        silent = isinstance(error, ConnectionFailed | ServerError | TooManyRequests)
        self._silences = self._silences + 1 if silent else 0
        if isinstance(error, Unauthorized) or self._silences >= SILENCES:
            self._fail(error)
