"""Work on the bridge loop, seen from any thread."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from deepset_nb._at_exit import DRAIN_S, OnExit
from deepset_nb._main_thread import TICK_S, Lent, MainThread
from deepset_nb.errors import Cancelled, LoopError, StillRunning

if TYPE_CHECKING:
    from deepset_nb.bridge import Bridge

T = TypeVar("T")

current_task: contextvars.ContextVar[BridgeTask[Any] | None] = contextvars.ContextVar("deepset_nb_task", default=None)


class BridgeTask(Generic[T]):
    """Work on the bridge loop, seen from any thread.

    Attributes:
        future: Resolves after the work's own clean-up; holds its result or its error.
        on_exit: What happens when the interpreter ends first, ``"cancel"`` or ``"wait"``.
    """

    def __init__(
        self,
        bridge: Bridge,
        work: Callable[[], Awaitable[T]],
        on_exit: OnExit = "cancel",
        main: MainThread | Lent | None = None,
    ) -> None:
        """Take the work; `start` starts it."""
        self.future: Future[T] = Future()
        self.future.set_running_or_notify_cancel()
        self.on_exit: OnExit = on_exit
        self.main = main
        self._work = work
        self._bridge = bridge
        self._task: asyncio.Task[T] | None = None
        self._inner: dict[BridgeTask[Any], asyncio.Task[Any] | None] = {}  # synchronous calls our code waits in
        self._cancel_requested = False

    def start(self) -> None:
        """Hand the work to the loop; the caller's context, hence its notebook output area, goes along."""
        context = contextvars.copy_context()
        if self._bridge.is_here and (outer := current_task.get()) is not None:
            self.main = outer.main
        context.run(current_task.set, self)
        self._bridge.tasks.add(self)
        self._bridge.loop.call_soon_threadsafe(self._begin, context)

    def done(self) -> bool:
        """Whether the work, its clean-up included, has ended."""
        return self.future.done()

    def cancel(self) -> bool:
        """Ask the work to stop, from any thread; asking twice does not disturb its clean-up.

        Returns:
            False if it had already ended.
        """
        if self.done() or self._bridge.pid != os.getpid():
            return False
        if not self._cancel_requested:
            self._cancel_requested = True
            self._bridge.loop.call_soon_threadsafe(self._deliver_cancel)
        return True

    def result(self, timeout: float | None = None) -> T:
        """Wait for the outcome; Ctrl-C ends the wait, not the work.

        Args:
            timeout: Seconds; None waits as long as it takes.

        Returns:
            What the coroutine returned.

        Raises:
            Cancelled: The work was cancelled.
            StillRunning: ``timeout`` ran out; the work goes on.
            LoopError: The wait could never end: on the bridge loop itself, or in a forked child.
        """
        self.wait_for_end(timeout)
        if not self.done():
            raise StillRunning(f"The work is still running after {timeout:g} s.", "It goes on; ask again later.")
        return self.future.result()

    def add_done_callback(self, fn: Callable[[BridgeTask[T]], object]) -> None:
        """Call ``fn(task)`` when the work has ended: in the bridge's thread, or here and now if it already has."""
        self.future.add_done_callback(lambda _: fn(self))

    def wait_for_end(self, timeout: float | None = None) -> None:
        """Return when the work has ended or the time-out is over; `done` tells which."""
        if self.done():
            return
        if self._bridge.pid != os.getpid():
            raise LoopError("This work belongs to the parent process.", "Start it again in this one.")
        if self._bridge.is_here:
            self._wait_nested(timeout)
            return
        deadline = time.monotonic() + (threading.TIMEOUT_MAX if timeout is None else timeout)
        while not self.done() and (left := deadline - time.monotonic()) > 0:
            wait([self.future], min(left, TICK_S))

    def ended(self, loop: asyncio.AbstractEventLoop) -> asyncio.Future[None]:
        """A future of ``loop`` that says when, not how, the work has ended."""
        ended = loop.create_future()

        def tell(_: object) -> None:
            with contextlib.suppress(RuntimeError):  # that loop was closed without waiting for us
                loop.call_soon_threadsafe(_resolve, ended)

        self.future.add_done_callback(tell)
        return ended

    def drain(self) -> None:
        """Give the cancelled work its time to clean up; on the bridge loop itself it takes that time by itself."""
        if not self._bridge.is_here:
            self.wait_for_end(DRAIN_S)

    async def adrain(self) -> None:
        """The same for awaiting code."""
        await asyncio.wait({self.ended(asyncio.get_running_loop())}, timeout=DRAIN_S)

    def _begin(self, context: contextvars.Context) -> None:
        self._task = self._bridge.loop.create_task(self._run(), context=context)
        self._task.add_done_callback(self._end)

    async def _run(self) -> T:
        return await self._work()

    def _end(self, task: asyncio.Task[T]) -> None:
        self._bridge.tasks.discard(self)
        # The context goes at once, without waiting for the garbage collector: a kernel's holds the message that it is
        # handling, with all its bytes.
        self._task = None
        if task.cancelled():
            self.future.set_exception(Cancelled("The work was cancelled before its end.", "Run it again to go on."))
        elif (error := task.exception()) is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(task.result())

    def _deliver_cancel(self) -> None:
        for inner in self._inner:
            inner.cancel()
        # A task that stands on the stack below a synchronous call hears of it from there.
        if self._task is not None and self._task not in self._inner.values():
            self._task.cancel()

    def _wait_nested(self, timeout: float | None) -> None:
        if not self._bridge.reentrant:
            raise LoopError(
                "A synchronous call was made on the event loop that would have to answer it.",
                "Await the async function there; or install nest-asyncio2, which lets the loop run inside itself.",
            )
        loop, outer = self._bridge.loop, current_task.get()
        if outer is not None:
            outer._inner[self] = asyncio.current_task(loop)
        try:
            loop.run_until_complete(asyncio.wait({self.ended(loop)}, timeout=timeout))
        finally:
            if outer is not None:
                del outer._inner[self]
        if outer is not None and outer._cancel_requested:
            raise asyncio.CancelledError


def _resolve(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)
