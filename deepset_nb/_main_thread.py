"""The main thread while it waits for a task: a place where callbacks may use the synchronous API again.

A plain queue, no event loop: the loop of the kernel or of the script stays the current one for the callbacks.
"""

from __future__ import annotations

import contextlib
import contextvars
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

TICK_S = 0.1  # a wait without a time-out cannot be interrupted on Windows


# `asyncio.run`, uvloop and ipykernel's awaiting cells turn Ctrl-C into something their loop will do. While we block
# that loop it cannot.
_NEEDS_ITS_LOOP = ("asyncio.runners", "uvloop", "ipykernel")


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    handler = signal.getsignal(signal.SIGINT)
    module = getattr(getattr(handler, "func", handler), "__module__", None) or ""
    if not module.startswith(_NEEDS_ITS_LOOP):
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


class MainThread:
    """One wait of the main thread.

    Waits may nest, in a callback that waits itself. Each serves its own callbacks only, so that a callback is never
    entered a second time before it has returned, and their order is kept.
    """

    def __init__(self) -> None:
        """Accept callbacks from now on."""
        self._calls: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._accepts = True

    def post(self, fn: Callable[..., object], args: tuple[Any, ...]) -> bool:
        """From any thread: have ``fn(*args)`` called in the caller's context; False if nobody waits here any more."""
        context = contextvars.copy_context()
        with self._lock:
            if self._accepts:
                self._calls.put(lambda: context.run(fn, *args))
            return self._accepts

    def wait(self, future: Future[Any]) -> None:
        """Serve callbacks until the future is done; what was posted before its end is still served."""
        future.add_done_callback(lambda _: self._calls.put(None))
        with _interruptible():
            while not future.done():
                with contextlib.suppress(queue.Empty):
                    self._serve(self._calls.get(timeout=TICK_S))
            self.close()
            while not self._calls.empty():
                self._serve(self._calls.get_nowait())

    def close(self) -> None:
        """Accept no more: later callbacks are the sender's own affair."""
        with self._lock:
            self._accepts = False

    @staticmethod
    def _serve(call: Callable[[], object] | None) -> None:
        if call is not None:
            call()


class Lent:
    """A main thread that waits for one task and serves another one's callbacks, in the context of the first."""

    def __init__(self, main: MainThread | Lent) -> None:
        """Take the present context."""
        self._main = main
        self._context = contextvars.copy_context()

    def post(self, fn: Callable[..., object], args: tuple[Any, ...]) -> bool:
        """As of `MainThread`."""
        return self._main.post(self._context.copy().run, (fn, *args))
