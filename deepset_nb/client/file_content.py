"""Reading what is sent: small files at once, large ones in a thread, a read ahead of the network.

A slow disk must not stall the event loop, but the hop into a thread costs more than reading a small file.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from io import FileIO

import xxhash

from ..errors import BucketError

READ_BYTES = 1 << 20  # a hop into the thread: large enough to make it cheap
WRITE_BYTES = 256 << 10  # a write: small enough to finish within the write time-out on a slow, shared uplink
INLINE_BYTES = 64 << 10  # a file up to here is read without the hop

_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def small_content(path: str | os.PathLike[str], size: int) -> bytes:
    """The content of a small file, which must have the size it was planned with."""
    descriptor = os.open(path, _FLAGS)
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
        self._pieces: deque[bytes] = deque()
        self._ahead: asyncio.Future[deque[bytes]] | None = None

    async def next_piece(self) -> bytes:
        """The next 256 KiB or less."""
        if not self._pieces:
            if self._size <= INLINE_BYTES:
                self._pieces = self._read_some()
            else:
                loop = asyncio.get_running_loop()
                self._pieces = await (self._ahead or loop.run_in_executor(None, self._read_some))
                # The disk works while the network does.
                self._ahead = loop.run_in_executor(None, self._read_some) if self._read < self._size else None
        return self._pieces.popleft()

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

    def _read_some(self) -> deque[bytes]:
        pieces: deque[bytes] = deque()
        with self._reading:
            until = min(self._read + READ_BYTES, self._size)
            while self._read < until:
                piece = self._file.read(min(WRITE_BYTES, until - self._read))
                if not piece:
                    raise file_changed(f"it had {self._size:,} bytes and ended after {self._read:,}")
                self._hash.update(piece)
                self._read += len(piece)
                pieces.append(piece)
        return pieces


def file_changed(how: str) -> BucketError:
    """The error for a file that is not what it was when the upload was planned."""
    return BucketError(
        f"The file changed while it was being sent: {how}.",
        "Nothing of it was stored. Wait until nothing writes to it, then send it again.",
        code="FileChanged",
    )
