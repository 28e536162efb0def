"""Fetching: list -> name -> stream -> rename, a row of the receipt for every file.

A file appears under its name only when it is complete, and no file that is there is ever overwritten. Its time is that
of the platform's file, so that the same download, run again, knows what it has and fetches the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import time
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import msgspec

from ..client import AsyncClient
from ..errors import ConnectionFailed, DeepsetError, InputError
from ..models import File
from ..settings import Settings
from .local_names import LocalNames, is_copy, time_of
from .plan import SIDECAR
from .progress import Progress, Target
from .receipt import Row, encode_meta

CONNECTIONS = 8
ATTEMPTS = 3  # of a body that breaks off; what comes before it is repeated by the client
PAUSE_S = 1.0

LATER = "Run the same download again: it fetches what is missing."


class DownloadProgress(Progress):
    """The same picture as an upload's, in the words of a download."""

    def __init__(self, target: Target) -> None:
        super().__init__(target)
        del self.phases["ingesting"]
        self.phases["planning"]["label"] = "Listing"
        self.phases["sending"]["label"] = "Fetching"

    def headline(self) -> str:
        """One line that is never better than the receipt."""
        counts, total = self.receipt.counts(), len(self.receipt.rows)
        files = "file" if total == 1 else "files"
        there = f", {counts['skipped']:,} were there already" if counts["skipped"] else ""
        match self.status:
            case "done":
                return f"{counts['ok']:,} of {total:,} {files} fetched{there}" if total else "There is nothing to fetch"
            case "failed" if total:
                return f"{total - counts['ok'] - counts['skipped']:,} of {total:,} {files} could not be fetched{there}"
            case "failed":
                return "Nothing was fetched"
            case "cancelled":
                return f"Cancelled: {counts['ok']:,} of {total:,} {files} fetched{there}"
            case "cancelling":
                return "Cancelling"
        if self.phases["sending"]["state"] == "waiting":
            return f"Listing: {total:,} {files} found" if total else "Listing"
        return f"Fetching {counts['ok']:,} of {total - counts['skipped']:,} {files}"


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
        connections: How many files are fetched at a time.
        attempts: How often a body that breaks off is begun anew.
        within_s: The longest time for all of it; None is as long as it takes.
        only: These files, instead of asking which there are.
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
        connections: int = CONNECTIONS,
        attempts: int = ATTEMPTS,
        within_s: float | None = None,
        only: list[File] | None = None,
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.progress = progress
        self.name = name
        self.odata_filter = odata_filter
        self.include_meta = include_meta
        self.batch_size = batch_size
        self.connections = connections
        self.attempts = attempts
        self.within_s = within_s
        self.error: DeepsetError | None = None
        self.timed_out = False
        self._only = only
        self._found: list[tuple[Row, File]] = []
        self._stopped = False

    def stop_sending(self) -> None:
        """Begin no further file; those under way arrive."""
        self._stopped = True

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
            connections=self.connections,
            attempts=self.attempts,
            within_s=self.within_s,
            only=rest if self._found else None,
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
            receipt.end_all("cancelled", f"{'The time was over' if self.timed_out else 'Cancelled'} before.", LATER)
        except asyncio.CancelledError:
            receipt.end_all("cancelled", "Cancelled before it was fetched.", LATER)
            self.progress.end("cancelled")
            raise
        except DeepsetError as error:
            self.error = error
            self.progress.detail = str(error)
            receipt.end_all("failed", error.message, error.remedy)
            self.progress.end("failed")
        except BaseException as error:
            receipt.end_all("failed", f"Internal error: {type(error).__name__}.", "Please report it.")
            self.progress.end("failed")
            raise
        else:
            self.progress.end(receipt.verdict())

    async def _run(self) -> None:
        self.progress.enter("planning")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"The folder {str(self.folder)!r} cannot be made: {error.strerror}.", "Name another file_dir."
            ) from None
        async with AsyncClient(self.settings) as client:
            names = LocalNames(self.folder)
            async with contextlib.aclosing(self._listed(client)) as pages:
                async for page in pages:
                    await asyncio.to_thread(self._plan, page, names)
            missing = [(row, file) for row, file in self._found if row.status == "pending"]
            self.progress.enter("sending", files=len(missing), size=sum(file.size for _, file in missing))
            queue = iter(missing)
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self.connections, len(missing))):
                    group.create_task(self._worker(client, queue))

    async def _listed(self, client: AsyncClient) -> AsyncGenerator[list[File], None]:
        if self._only is not None:
            yield self._only
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
        async with contextlib.aclosing(pages):
            async for page in pages:
                yield page

    def _plan(self, files: list[File], names: LocalNames) -> None:
        for file in files:
            path, there = names.place(file)
            row = Row(str(path), file.name, path.name, file.size, str(path), file_id=str(file.file_id))
            self._found.append((row, file))
            self.progress.receipt.rows.append(row)
            if there:
                note = _write_meta(path, file.meta) if self.include_meta and file.meta is not None else None
                row.phase = "fetched"
                row.end("skipped", "It is there already: same name, size and time.", note)

    async def _worker(self, client: AsyncClient, queue: Iterator[tuple[Row, File]]) -> None:
        for row, file in queue:
            if self._stopped:
                return
            await self._fetch(client, row, file)

    async def _fetch(self, client: AsyncClient, row: Row, file: File) -> None:
        row.started, row.phase, note = time.monotonic(), "fetching", None
        try:
            await self._fetch_body(client, row, file)
            if self.include_meta:
                meta = file.meta
                if meta is None:
                    meta = await client.files.meta(self.settings.workspace_name, file.file_id)
                note = _write_meta(Path(row.path), meta)
        except DeepsetError as error:
            row.end("failed", error.message, error.remedy or LATER)
        except OSError as error:
            row.end("failed", f"It cannot be written: {error.strerror or error}.", f"See to the folder. {LATER}")
        else:
            row.phase = "fetched"
            row.end("ok", None, note)
            self.progress.phases["sending"]["files_done"] += 1

    async def _fetch_body(self, client: AsyncClient, row: Row, file: File) -> None:
        for left in reversed(range(self.attempts)):
            row.attempts += 1
            try:
                await self._stream(client, row, file)
                return
            except ConnectionFailed as error:
                if not left:
                    raise
                self.progress.detail = f"Trying {row.name} again: {error.message}"
                await asyncio.sleep(PAUSE_S)

    async def _stream(self, client: AsyncClient, row: Row, file: File) -> None:
        part = self.folder / f".{secrets.token_hex(8)}.part"
        received = 0
        try:
            with part.open("xb") as out:
                pieces = client.files.download(self.settings.workspace_name, file.file_id)
                async with contextlib.aclosing(pieces):
                    async for piece in pieces:
                        out.write(piece)
                        received += len(piece)
                        self.progress.bytes_sent(len(piece))
            _publish(part, Path(row.path), file)
        except BaseException:
            self.progress.bytes_sent(-received)
            raise
        finally:
            part.unlink(missing_ok=True)
        row.size = received


def _publish(part: Path, path: Path, file: File) -> None:
    os.utime(part, ns=(time_of(file), time_of(file)))
    if os.path.lexists(path) and not is_copy(path, file):
        raise FileExistsError(0, f"meanwhile something else took the name {path.name!r}")
    part.replace(path)


def _write_meta(path: Path, meta: dict[str, Any]) -> str | None:
    """Write the sidecar of a file. One that differs may have been edited: it stays, and what is returned says so."""
    sidecar = path.with_name(path.name + SIDECAR)
    if sidecar.exists():
        try:
            same = msgspec.json.decode(sidecar.read_bytes()) == meta
        except (OSError, msgspec.DecodeError):
            same = False
        return None if same else f"Its {sidecar.name} is not the platform's and was left as it is."
    part = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        part.write_bytes(encode_meta(meta))
        part.replace(sidecar)
    finally:
        part.unlink(missing_ok=True)
    return None
