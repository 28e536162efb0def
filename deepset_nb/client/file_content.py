"""Reading what is sent: small files at once, large ones in a thread, a read ahead of the network.

A slow disk must not stall the event loop, but the hop into a thread costs more than reading a small file.
"""

from __future__ import annotations

import asyncio
import os
import stat as modes
import threading
import weakref
from io import FileIO
from typing import ClassVar

import xxhash

from ..errors import BucketError

READ_BYTES = 512 << 10  # a piece of a large file: large enough to make the hop cheap, small enough for the CPU's cache
INLINE_BYTES = 64 << 10  # a file up to here is read without the hop
FEW_FILES = 32  # with more of them on their way the disk is busy without reading ahead, and memory counts

# O_NONBLOCK: a file may have become a pipe since it was planned, and opening that would wait for a writer.
_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)


def open_regular(path: str | os.PathLike[str], _: int = 0) -> int:
    """Open a file to read, which must still be one; an opener for `FileIO`."""
    descriptor = os.open(path, _FLAGS)
    if not modes.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise file_changed("it is not a regular file any more")
    return descriptor


def small_content(path: str | os.PathLike[str], size: int) -> bytes:
    """The content of a small file, which must have the size it was planned with."""
    descriptor = open_regular(path)
    try:
        if (now := os.fstat(descriptor).st_size) != size:
            raise file_changed(f"it had {size:,} bytes and has {now:,} now")
        data = os.read(descriptor, size)
        while len(data) < size:
            if not (more := os.read(descriptor, size - len(data))):
                raise file_changed(f"it had {size:,} bytes and ended after {len(data):,}")
            data += more
        return data
    finally:
        os.close(descriptor)


class FileContent:
    """An open file, read once from its beginning to its end.

    Args:
        file: The file, which `close` closes.
        size: Its length in bytes, as it was planned.
    """

    _open: ClassVar[weakref.WeakSet[FileContent]] = weakref.WeakSet()

    def __init__(self, file: FileIO, size: int) -> None:
        """Look whether it is still what was planned; nothing is read yet."""
        self._file, self._size = file, size
        self._stat = os.fstat(file.fileno())
        if self._stat.st_size != size:
            file.close()
            raise file_changed(f"it had {size:,} bytes and has {self._stat.st_size:,} now")
        self._hash = xxhash.xxh3_128()
        self._read = 0
        self._reading = threading.Lock()
        self._ahead: asyncio.Future[bytes] | None = None
        self._open.add(self)

    async def next_piece(self) -> bytes:
        """The next 512 KiB or less."""
        if self._size <= INLINE_BYTES:
            return self._read_piece()
        loop = asyncio.get_running_loop()
        piece = await (self._ahead or loop.run_in_executor(None, self._read_piece))
        # The disk works while the network does.
        ahead = self._read < self._size and len(self._open) <= FEW_FILES
        self._ahead = loop.run_in_executor(None, self._read_piece) if ahead else None
        return piece

    def check_unchanged(self) -> None:
        """Raise if the file was written to since it was opened."""
        now = os.fstat(self._file.fileno())
        if now.st_size != self._size:
            raise file_changed(f"it had {self._size:,} bytes and has {now.st_size:,} now")
        if now.st_mtime_ns != self._stat.st_mtime_ns:
            raise file_changed("its content was written to")

    @property
    def fingerprint(self) -> str:
        """Of what was read."""
        return self._hash.hexdigest()

    def close(self) -> None:
        """Close the file, at once or when the read under way has ended; does not wait for that."""
        self._open.discard(self)
        if self._ahead is not None and not self._ahead.cancel() and not self._ahead.cancelled():
            self._ahead.exception()  # nobody will ask for what it read, or why it could not
        if self._reading.acquire(blocking=False):
            self._file.close()
            self._reading.release()
        else:
            # Never under a read: by then its descriptor might be another file's.
            asyncio.get_running_loop().run_in_executor(None, self._close_after_reading)

    def _close_after_reading(self) -> None:
        with self._reading:
            self._file.close()

    def _read_piece(self) -> bytes:
        most = READ_BYTES if len(self._open) <= FEW_FILES else READ_BYTES // 4
        with self._reading:
            piece = self._file.read(min(most, self._size - self._read))
            if not piece:
                raise file_changed(f"it had {self._size:,} bytes and ended after {self._read:,}")
            self._hash.update(piece)
            self._read += len(piece)
            return piece


def file_changed(how: str) -> BucketError:
    """The error for a file that is not what it was when the upload was planned."""
    return BucketError(
        f"The file changed while it was being sent: {how}.",
        "Nothing of it was stored. Wait until nothing writes to it, then send it again.",
        code="FileChanged",
    )
