"""Blocking calls over asyncio: in scripts, notebooks, threads and widget callbacks.

All I/O of the package lives on one private event loop in one daemon thread:

    run(afn, ...)       blocks; the stop button cancels the work, lets it clean up, then raises KeyboardInterrupt
    submit(afn, ...)    returns a BridgeTask at once (widget callbacks, jobs)
    arun(afn, ...)      for `await`, from any loop
    iterate, aiterate   an async generator as a generator for `for` or `async for`

`nest_asyncio.apply()` on a kernel's own loop drops messages and queued cells on ipykernel >= 7.1. Here nest-asyncio
patches our own loop class and nothing else: synchronous functions called by code *on* the bridge loop work, and
asyncio stays as it is for everybody else.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import importlib
import os
import sys
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from typing import Any, Generic, ParamSpec, TypeVar

from deepset_nb import _at_exit
from deepset_nb._at_exit import OnExit
from deepset_nb._main_thread import Lent, MainThread
from deepset_nb._task import BridgeTask, current_task

__all__ = ["BridgeTask", "aiterate", "arun", "iterate", "lend_main_thread", "notify", "run", "submit", "unpin"]

T = TypeVar("T")
P = ParamSpec("P")

# Kernel > Interrupt reaches a cell that only awaits when the kernel's loop wakes up, so what we hand out wakes it.
AWAIT_TICK_S = 0.2


# -- the loop and its thread -------------------------------------------------------------------------------------------


class _Loop(asyncio.SelectorEventLoop):
    """A class of our own, because nest-asyncio patches the class of the loop it is given."""

    def __del__(self) -> None:
        """Stay quiet: the loop lives as long as the process, and in a forked child it is the parent's."""


def _make_reentrant(loop: _Loop) -> bool:
    # On 3.14 the current task belongs to the thread; only nest-asyncio2 can nest there.
    names = ("nest_asyncio2",) if sys.version_info >= (3, 14) else ("nest_asyncio", "nest_asyncio2")
    for name in names:
        with contextlib.suppress(ImportError, AttributeError):
            importlib.import_module(name)._patch_loop(loop)
            return True
    return False


class Bridge:
    """One event loop, its thread, and the tasks that run on it."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = _Loop()
        self.reentrant = _make_reentrant(self.loop)
        self.tasks: set[BridgeTask[Any]] = set()
        # The copied context tells ipykernel 7.0 which cell the thread's messages belong to.
        serve = contextvars.copy_context().run
        self.thread = threading.Thread(target=serve, args=(self._serve,), name="deepset_nb", daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            with contextlib.suppress(BaseException):  # sys.exit() in a coroutine is its caller's business
                self.loop.run_forever()

    @property
    def is_here(self) -> bool:
        return threading.current_thread() is self.thread


_lock = threading.Lock()
_current: Bridge | None = None
_left_behind: list[Bridge] = []


def _bridge() -> Bridge:
    global _current
    with _lock:
        if _current is None:
            _current = Bridge()
        return _current


def _forget_parent() -> None:
    """Start afresh in a forked child, and keep the parent's loop alive: closing it would alter the shared epoll."""
    global _lock, _current
    _lock = threading.Lock()
    if _current is not None:
        _current.loop.set_exception_handler(lambda loop, context: None)
        _left_behind.append(_current)
        _current = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parent)


def _running() -> list[BridgeTask[Any]]:
    return list(_current.tasks) if _current is not None else []


_at_exit.arrange(_running)


# -- what the package calls --------------------------------------------------------------------------------------------


def run(afn: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a coroutine and wait for it; safe in a notebook, under a running loop and in any thread.

    Example:
        >>> page = run(fetch_page, 1)

    Args:
        afn: An async function; called on the bridge loop.
        *args: Its arguments.
        **kwargs: Its keyword arguments.

    Returns:
        What it returned; what it raised is raised.

    Raises:
        KeyboardInterrupt: The stop button or Ctrl-C; the work is cancelled and has cleaned up by then.
        Cancelled: Somebody else cancelled the work.
        LoopError: Called on the bridge loop while nest-asyncio is not installed.
    """
    thread = threading.current_thread()
    main = MainThread() if thread is threading.main_thread() else None
    # Python waits at exit for threads that are not daemons, hence also for what they wait for.
    task = BridgeTask(
        _bridge(), functools.partial(afn, *args, **kwargs), "cancel" if main or thread.daemon else "wait", main
    )
    try:
        task.start()
        if main is not None:
            main.wait(task.future)
        else:
            task.wait_for_end()
    except BaseException:
        if main is not None:
            main.close()
        if task.cancel():
            task.drain()
        raise
    return task.result()


def submit(afn: Callable[..., Awaitable[T]], *args: Any, on_exit: OnExit = "cancel", **kwargs: Any) -> BridgeTask[T]:
    """Start a coroutine and return at once; errors stay in the task until somebody asks.

    Example:
        >>> task = submit(send_all, paths, on_exit="wait")
        >>> task.cancel()

    Args:
        afn: An async function; called on the bridge loop, with the caller's context variables.
        *args: Its arguments.
        on_exit: If the interpreter ends first: ``"cancel"`` it, or ``"wait"`` for it, which a plain script says on
            stderr. A Jupyter kernel that is shut down always cancels.
        **kwargs: Its keyword arguments.

    Returns:
        The running task.
    """
    task = BridgeTask(_bridge(), functools.partial(afn, *args, **kwargs), on_exit)
    task.start()
    return task


async def arun(afn: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Await a coroutine that runs on the bridge loop, from whatever loop this is.

    Example:
        >>> page = await arun(fetch_page, 1)

    Args:
        afn: An async function; called on the bridge loop.
        *args: Its arguments.
        **kwargs: Its keyword arguments.

    Returns:
        What it returned; what it raised is raised.

    Raises:
        asyncio.CancelledError: The awaiting code was cancelled (Kernel > Interrupt); the work has cleaned up by then.
        Cancelled: Somebody else cancelled the work.
    """
    task = BridgeTask(_bridge(), functools.partial(afn, *args, **kwargs))
    ended = task.ended(asyncio.get_running_loop())
    try:
        task.start()
        while not ended.done():
            await asyncio.wait({ended}, timeout=AWAIT_TICK_S)
    except asyncio.CancelledError:
        task.cancel()
        await task.adrain()
        raise
    except BaseException:  # the awaiting coroutine was dropped, as IPython's terminal does on Ctrl-C
        task.cancel()
        raise
    return task.result()


class _Stream(Generic[T]):
    """An async generator driven by one task, at most one item ahead of its reader."""

    def __init__(self, make: Callable[[], AsyncGenerator[T, None]]) -> None:
        self._items: asyncio.Queue[tuple[T] | None] = asyncio.Queue()
        self.task = BridgeTask(_bridge(), functools.partial(self._fill, make))
        self.task.add_done_callback(lambda _: self._items.put_nowait(None))

    async def take(self) -> tuple[T] | None:
        item = await self._items.get()
        self._items.task_done()
        return item

    async def _fill(self, make: Callable[[], AsyncGenerator[T, None]]) -> None:
        async with contextlib.aclosing(make()) as items:
            async for item in items:
                self._items.put_nowait((item,))
                await self._items.join()  # until it is taken


def iterate(
    agen_fn: Callable[P, AsyncGenerator[T, None]], *args: P.args, **kwargs: P.kwargs
) -> Generator[T, None, None]:
    """Read an async generator in a plain ``for`` loop.

    Leaving the loop in whatever way (its end, ``break``, an error, the stop button) closes the async generator.

    Example:
        >>> for page in iterate(fetch_pages): ...

    Args:
        agen_fn: An async generator function; it runs on the bridge loop, at most one item ahead.
        *args: Its arguments.
        **kwargs: Its keyword arguments.

    Yields:
        Its items.
    """
    stream = _Stream(functools.partial(agen_fn, *args, **kwargs))
    try:
        stream.task.start()
        while (item := run(stream.take)) is not None:
            yield item[0]
        stream.task.result()
    finally:
        if stream.task.cancel():
            stream.task.drain()


async def aiterate(
    agen_fn: Callable[P, AsyncGenerator[T, None]], *args: P.args, **kwargs: P.kwargs
) -> AsyncGenerator[T, None]:
    """Read an async generator of the bridge loop in an ``async for`` loop on any other.

    Args:
        agen_fn: An async generator function; it runs on the bridge loop, at most one item ahead.
        *args: Its arguments.
        **kwargs: Its keyword arguments.

    Yields:
        Its items.
    """
    stream = _Stream(functools.partial(agen_fn, *args, **kwargs))
    try:
        stream.task.start()
        while (item := await arun(stream.take)) is not None:
            yield item[0]
        stream.task.result()
    finally:
        if stream.task.cancel():
            await stream.task.adrain()


def notify(fn: Callable[..., object], *args: Any) -> None:
    """Call ``fn(*args)`` from a coroutine, in the main thread if that waits for the coroutine in `run`, else here.

    In the main thread ``fn`` may use the synchronous API. An error it raises there ends the waiting `run`.

    Args:
        fn: A callback, such as a progress bar's update.
        *args: Its arguments.
    """
    task = current_task.get()
    if task is None or task.main is None or not task.main.post(fn, args):
        fn(*args)


@contextlib.contextmanager
def lend_main_thread(task: BridgeTask[Any]) -> Iterator[None]:
    """In a coroutine of `run`: what ``task`` tells by `notify` is told in the main thread, if that waits in this `run`,
    and on behalf of the cell that waits.

    Args:
        task: Other work, which this coroutine waits for.
    """
    here, before = current_task.get(), task.main
    if here is not None and here.main is not None:
        # In our context, too: what is published belongs to the cell that waits, as the one that began it has ended.
        task.main = Lent(here.main)
    try:
        yield
    finally:
        task.main = before


def unpin(widget: Any) -> None:
    """Let a widget's clicks arrive while a cell runs, where the front end sends them to a subshell.

    ipykernel 7.4 sends them to the shell that last published on the widget's comm instead, usually the busy one.

    Args:
        widget: An ipywidgets widget, opened or not.
    """
    comm: Any = getattr(widget, "comm", None)
    if hasattr(comm, "_reply_subshell_for"):  # private to ipykernel 7.4: (data, the subshell the front end asked for)
        comm._reply_subshell_for = lambda data, default: default
