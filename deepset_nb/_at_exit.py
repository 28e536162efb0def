"""What becomes of running jobs when the interpreter ends.

A plain script waits for the jobs that asked for it, as it would for a thread, and says so; Ctrl-C cancels them.
Everything else, and everything in a Jupyter kernel that is being shut down, is cancelled and given a few seconds
for its last words.
"""

from __future__ import annotations

import atexit
import concurrent.futures.thread  # noqa: F401  its own end must be registered before ours, see arrange()
import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from typing import Any, Literal, Protocol

from deepset_nb._main_thread import TICK_S

OnExit = Literal["cancel", "wait"]

DRAIN_S = 5.0  # what a cancelled job gets for its own clean-up


class Running(Protocol):
    """What has to end before the interpreter does."""

    on_exit: OnExit
    future: Future[Any]

    def cancel(self) -> bool:
        """Ask it to stop."""
        ...


def arrange(running: Callable[[], Iterable[Running]]) -> None:
    """Let ``running()`` end in good order when the interpreter exits.

    ``atexit`` would be too late: by then concurrent.futures has shut its executors down, and a job that looks up a
    host name or calls ``asyncio.to_thread`` fails. CPython runs the callbacks registered here before that, the last
    registered first.
    """
    register: Callable[..., object] = getattr(threading, "_register_atexit", atexit.register)
    try:
        register(finish, running)
    except RuntimeError:  # the interpreter is already on its way out
        atexit.register(finish, running)


def finish(running: Callable[[], Iterable[Running]]) -> None:
    """Wait for what may finish, cancel the rest; never raise."""
    try:
        if not in_kernel():
            _wait(running)
    except KeyboardInterrupt:
        print("deepset_nb: cancelling", file=sys.stderr)  # noqa: T201
    with contextlib.suppress(KeyboardInterrupt):  # a second Ctrl-C does not wait for the clean-up
        _cancel(list(running()))
    for stream in (sys.stdout, sys.stderr):  # a kernel's streams forget last words that nobody flushed
        with contextlib.suppress(Exception):
            stream.flush()


def in_kernel() -> bool:
    """Whether this process is a Jupyter kernel; imports nothing to find out."""
    kernelapp = sys.modules.get("ipykernel.kernelapp")
    if kernelapp is not None and kernelapp.IPKernelApp.initialized():
        return True
    ipython = sys.modules.get("IPython")  # other kernels set a shell with a `kernel`, too
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


def _wait(running: Callable[[], Iterable[Running]]) -> None:
    awaited = [job for job in running() if job.on_exit == "wait"]
    if awaited:
        jobs = "1 running job" if len(awaited) == 1 else f"{len(awaited)} running jobs"
        print(f"deepset_nb: waiting for {jobs}; Ctrl-C cancels", file=sys.stderr, flush=True)  # noqa: T201
    while awaited:
        wait([job.future for job in awaited], TICK_S)
        awaited = [job for job in running() if job.on_exit == "wait"]


def _cancel(jobs: list[Running]) -> None:
    for job in jobs:
        job.cancel()
    deadline = time.monotonic() + DRAIN_S
    while time.monotonic() < deadline and wait([job.future for job in jobs], TICK_S).not_done:
        pass
