"""Who is told what of a job: every new state, in order, at most ten times a second, and the last one for certain.

States are told on the bridge's thread; while a cell's ``job.wait()`` blocks the main thread, from there, as some front
ends (Colab) show only what the main thread publishes.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable

from . import bridge
from .transfer.progress import JobState

PUBLISH_S = 0.1  # Jupyter drops messages above 1,000 a second; ten a second is as smooth as eyes need
SHARE = 20  # the picture of a hundred thousand files takes a while to draw: at most a twentieth of the time

Callback = Callable[[JobState], None]

_log = logging.getLogger("deepset_nb")


class _Reader:
    """One subscriber. It gets states one after the other, whichever threads bring them; what it misses is old.

    A callback may itself wait for the job, and waits of the main thread end while it still tells: so a state may come
    before the one before has been dealt with, or after a newer one.
    """

    def __init__(self, callback: Callback) -> None:
        self.callback = callback
        self._lock = threading.Lock()
        self._last = 0
        self._next: JobState | None = None
        self._busy = False

    def take(self, number: int, state: JobState) -> None:
        """Call back with this state, unless a newer one is known."""
        with self._lock:
            if number <= self._last:
                return
            self._last = number
            if self._busy:
                self._next = state
                return
            self._busy = True
        try:
            self.callback(state)
            while (newer := self._newer()) is not None:
                self.callback(newer)
        except BaseException:
            self._busy = False
            raise

    def _newer(self) -> JobState | None:
        with self._lock:
            newer, self._next = self._next, None
            self._busy = newer is not None
        return newer


class News:
    """The news of one job.

    Args:
        job: Its number, for the log.
        state: Gives the picture of the moment.
        is_over: Whether that picture is final.
    """

    def __init__(self, job: int, state: Callable[[], JobState], is_over: Callable[[], bool]) -> None:
        """Nobody listens yet."""
        self._job = job
        self._state = state
        self._is_over = is_over
        self._readers: list[_Reader] = []
        self._told = 0

    def subscribe(self, callback: Callback) -> Callable[[], None]:
        """Call back with every new state; at once if there will be none. Returns what ends the subscription."""
        reader = _Reader(callback)
        self._readers.append(reader)
        if self._is_over():
            callback(self._state())
        return lambda: self._readers.remove(reader) if reader in self._readers else None

    async def keep_telling(self) -> None:
        """Tell every change, until cancelled."""
        shown: JobState | None = None
        while True:
            now = time.monotonic()
            if (state := self._state()) != shown:
                self.tell(state)
                shown = state
            await asyncio.sleep(max(PUBLISH_S, SHARE * (time.monotonic() - now)))

    def tell(self, state: JobState) -> None:
        """Tell one state to everybody."""
        self._told += 1
        for reader in list(self._readers):
            bridge.notify(self._tell, reader, self._told, state)

    def _tell(self, reader: _Reader, number: int, state: JobState) -> None:
        if reader not in self._readers:
            return
        try:
            reader.take(number, state)
        except Exception:  # a faulty callback must not stop the transfer, nor the other callbacks
            _log.exception("A callback of job %d failed and is not called again.", self._job)
            if reader in self._readers:
                self._readers.remove(reader)
