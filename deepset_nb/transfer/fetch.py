"""One file of the platform on its way to disk: stream -> part -> name, and its metadata beside it.

A file has its name only when it is whole. What broke off stays as a part (see `parts`) where going on from there is
worth it; the platform is asked for the rest, and if it sends everything again, everything is taken again.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import msgspec

from ..client import AsyncClient
from ..client.waits import waiting
from ..errors import ConnectionFailed, DeepsetError
from ..models import File
from .local_names import LocalNames, is_copy, time_of
from .parts import Part, Parts, publish
from .plan import SIDECAR
from .progress import Progress
from .receipt import Row, encode_meta

T = TypeVar("T")

ATTEMPTS = 3  # of a body that breaks off; what comes before it is repeated by the client
PAUSE_S = 1.0
IS_THERE = "It is there already: same name, size and time."
HELD_BYTES = 1024 * 1024  # of a file, before they are written; in a thread, so that a slow disk holds up nobody
HELD_S = 0.1  # and for how long: what is counted as here is on disk
ADVANCE = 1024 * 1024  # bytes that make up for a broken attempt: a large file on a bad line arrives in the end


class Fetcher:
    """Fetches files of one workspace into one folder, one after the other; several may share parts and names."""

    def __init__(
        self,
        client: AsyncClient,
        workspace: str,
        parts: Parts,
        names: LocalNames,
        progress: Progress,
        attempts: int,
        include_meta: bool,
    ) -> None:
        self._client = client
        self._workspace = workspace
        self._parts = parts
        self._names = names
        self._progress = progress
        self._attempts = attempts
        self._include_meta = include_meta

    async def fetch_meta(self, row: Row, file: File) -> None:
        """Write the metadata beside a file that is there."""
        note = await asyncio.to_thread(write_meta, self._parts, Path(row.path), await self._meta(file))
        self._progress.phases["sending"]["bytes_done"] += file.size
        row.phase = "fetched"
        row.end("skipped", IS_THERE, note)

    async def fetch(self, row: Row, file: File) -> None:
        """Bring a file to its name, and its metadata beside it; the row ends well or is left to the caller.

        Raises:
            DeepsetError: The platform did not send it, or not as it lists it.
            OSError: The disk did not take it.
        """
        part = self._parts.of(file)
        self._progress.phases["sending"]["bytes_done"] += part.size
        try:
            await self._whole(row, file, part)
            meta = await self._meta(file) if self._include_meta else None
            # All that touches the disk in one go: making files takes longer than the loop may be held up.
            await in_thread(self._land, part, row, file, meta)
        except BaseException as error:
            if row.status == "ok":
                raise  # the cancel came when all was done
            self._progress.phases["sending"]["bytes_done"] -= part.size
            # A full disk needs the room; a broken connection does not.
            part.drop() if isinstance(error, OSError) else self._parts.leave(part)
            raise

    async def _meta(self, file: File) -> dict[str, Any]:
        return await self._client.files.meta(self._workspace, file.file_id) if file.meta is None else file.meta

    async def _whole(self, row: Row, file: File, part: Part) -> None:
        left, furthest = self._attempts, part.size
        if file.size and part.size == file.size:
            return  # an earlier process died between the last byte and the name
        while True:
            row.attempts += 1
            try:
                await self._stream(file, part)
                return
            except _BrokeOff as broken:
                left -= 1
                if part.size >= furthest + ADVANCE:
                    left, furthest = self._attempts, part.size
                if left <= 0:
                    raise broken.cause from None
                attempt = self._attempts - left + 1
                with waiting(attempt, self._attempts, PAUSE_S, f"{row.name}: {broken.cause.message}"):
                    await asyncio.sleep(PAUSE_S)

    async def _stream(self, file: File, part: Part) -> None:
        """Append to the part what the platform sends; a part that cannot be gone on with begins anew."""
        asking = self._client.files.content(self._workspace, file.file_id, start=part.size, etag=part.etag)
        begun = False
        try:
            async with asking as content:
                begun = True
                if content.total not in (None, file.size):
                    raise _wrong_size(file, f"{content.total:,}")
                if part.data is not None:
                    await self._collect(file, part, part.data, content.pieces)
                    return
                if not content.start:
                    self._begin(file, part, content.etag)
                with part.path.open("ab" if part.size else "wb") as out:
                    await self._receive(file, part, content.pieces, out)
        except ConnectionFailed as error:
            if begun:
                raise _BrokeOff(error) from None
            raise  # the client has tried often enough
        if part.size < file.size:
            short = f"It ended after {part.size:,} of {file.size:,} bytes."
            raise _BrokeOff(DeepsetError(short, "Run the same download again: it fetches what is missing."))

    def _begin(self, file: File, part: Part, etag: str) -> None:
        self._progress.phases["sending"]["bytes_done"] -= part.size
        fresh = self._parts.fresh(file, etag)
        if fresh.path != part.path:
            part.drop()
        part.path, part.size, part.etag = fresh.path, 0, fresh.etag

    async def _collect(self, file: File, part: Part, data: bytearray, pieces: AsyncIterator[bytes]) -> None:
        data.clear()
        async for piece in pieces:
            data += piece
            if len(data) > file.size:
                break
        if len(data) != file.size:
            raise _wrong_size(file, f"{len(data):,}" if len(data) < file.size else f"more than {file.size:,}")
        self._count(part, len(data))

    async def _receive(self, file: File, part: Part, pieces: AsyncIterator[bytes], out: BinaryIO) -> None:
        held, since = bytearray(), time.monotonic()
        try:
            async for piece in pieces:
                held += piece
                if part.size + len(held) > file.size:
                    held.clear()
                    raise _wrong_size(file, f"more than {file.size:,}")
                if len(held) >= HELD_BYTES or time.monotonic() - since >= HELD_S:
                    full, held, since = held, bytearray(), time.monotonic()
                    await in_thread(_write, out, full)
                    self._count(part, len(full))
        finally:
            if held:
                _write(out, held)  # little, and what broke off here is not fetched again
                self._count(part, len(held))

    def _count(self, part: Part, received: int) -> None:
        part.size += received
        self._progress.bytes_sent(received)

    def _land(self, part: Part, row: Row, file: File, meta: dict[str, Any] | None) -> None:
        if part.data is not None:
            part.path.write_bytes(part.data)
        os.utime(part.path, ns=(time_of(file), time_of(file)))
        while True:
            try:
                publish(part.path, Path(row.path))
                break
            except FileExistsError:
                there = is_copy(Path(row.path), file)  # a download beside this one was faster
                if not there:
                    path, there = self._names.place(file)
                    row.path, row.stored_name = str(path), path.name
                if there:
                    part.path.unlink()
                    break
        note = None if meta is None else write_meta(self._parts, Path(row.path), meta)
        row.phase = "fetched"
        row.end("ok", None, note)


def write_meta(parts: Parts, path: Path, meta: dict[str, Any]) -> str | None:
    """Write the sidecar of a file. One that differs may have been edited: it stays, and what is returned says so."""
    sidecar = path.with_name(path.name + SIDECAR)
    if not os.path.lexists(sidecar):
        part = parts.private()
        try:
            part.path.write_bytes(encode_meta(meta))
            publish(part.path, sidecar)
            return None
        except FileExistsError:
            pass  # a download beside this one was faster
        finally:
            part.drop()
    try:
        same = msgspec.json.decode(sidecar.read_bytes()) == meta
    except (OSError, msgspec.DecodeError):
        same = False
    return None if same else f"Its {sidecar.name} is not the platform's and was left as it is."


class _BrokeOff(Exception):
    """A body ended early; ``cause`` is what to say if no further attempt is made."""

    def __init__(self, cause: DeepsetError) -> None:
        self.cause = cause
        super().__init__(str(cause))


def _wrong_size(file: File, sent: str) -> DeepsetError:
    return DeepsetError(
        f"The platform sends {sent} bytes of a file that it lists with {file.size:,}.",
        "It may have been replaced just now: run the same download again.",
    )


def _write(out: BinaryIO, data: bytearray) -> None:
    out.write(data)
    out.flush()


async def in_thread(work: Callable[..., T], *arguments: Any) -> T:
    """Work on a file; a cancel waits for the end of it, as nobody may take away what a thread is writing to."""
    working = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait({working})
        working.exception()
        raise
