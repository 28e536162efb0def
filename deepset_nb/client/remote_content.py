"""Reading what is sent from behind a URL: in threads of its own, piece by piece, a few files at a time."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import IO
from weakref import WeakKeyDictionary

import xxhash

from .file_content import READ_BYTES, file_changed
from .places import opened, stat_of

AT_A_TIME = 16  # open files: each holds a block or two that the store has sent ahead

_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_A_TIME, "deepset_nb remote")


class RemoteContent:
    """A file behind a URL, read once from its beginning to its end; opened with the first piece.

    Args:
        url: For fsspec.
        size: Its length in bytes, as it was planned.
    """

    def __init__(self, url: str, size: int) -> None:
        """Nothing is opened yet."""
        self._url, self._size = url, size
        self._hash = xxhash.xxh3_128()
        self._read = 0
        self._reading = threading.Lock()
        self._turn: asyncio.Semaphore | None = None
        self._open = contextlib.ExitStack()
        self._file: IO[bytes] | None = None

    async def next_piece(self) -> bytes:
        """The next 512 KiB or less."""
        loop = asyncio.get_running_loop()
        if self._turn is None:
            turn = _turns.setdefault(loop, asyncio.Semaphore(AT_A_TIME))
            await turn.acquire()
            self._turn = turn
        return await loop.run_in_executor(_threads(), self._read_piece)

    def check_unchanged(self) -> None:
        """Of a URL only the length can be told, and all of it was read."""

    @property
    def fingerprint(self) -> str:
        """Of what was read."""
        return self._hash.hexdigest()

    def close(self) -> None:
        """Close it, when the read under way has ended; does not wait for that."""
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.release()
            _threads().submit(self._close)

    def _read_piece(self) -> bytes:
        with self._reading:
            if self._file is None:
                if (now := stat_of(self._url).st_size) != self._size:
                    raise file_changed(f"it had {self._size:,} bytes and has {now:,} now")
                self._file = self._open.enter_context(opened(self._url))
            piece = self._file.read(min(READ_BYTES, self._size - self._read))
            if not piece:
                raise file_changed(f"it had {self._size:,} bytes and ended after {self._read:,}")
            self._hash.update(piece)
            self._read += len(piece)
            return piece

    def _close(self) -> None:
        with self._reading, contextlib.suppress(OSError):
            self._open.close()
