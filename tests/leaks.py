"""Nothing is left behind: what the process holds, and what the workspace has open, before and after a piece of work."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped, unused-ignore]

import deepset_nb as dn
from deepset_nb import bridge
from deepset_nb._places import state_folder
from deepset_nb.job import kernel_jobs

SETTLE_S = 5.0  # sockets close and threads return a moment after a job has ended
OURS = Path(dn.__file__).parent
SANDBOX = OURS / "emulator"  # it may run in the same process, and what it holds is its own


@contextlib.contextmanager
def nothing_left(ws: dn.Workspace, *folders: Path) -> Iterator[None]:
    """Fail if the block leaves tasks, sockets, open files, locks, busy threads, or upload sessions no note names.

    Args:
        ws: Where the block sends to.
        folders: Where the files lie that it sends.
    """
    sessions, jobs = _open_sessions(ws), len(kernel_jobs())
    bridge.run(ws._connection.close)  # kept for a while on purpose
    tasks, sockets, threads = _tasks(), _sockets(ws), set(threading.enumerate())
    yield
    bridge.run(ws._connection.close)
    _until_none("asyncio tasks", lambda: _tasks() - tasks)
    _until_none("sockets", lambda: _sockets(ws) - sockets)
    _until_none("threads", lambda: {thread.name for thread in set(threading.enumerate()) - threads if _is_ours(thread)})
    _until_none("busy threads", _at_work)
    _until_none("open files", lambda: _open_files(folders))
    _until_none("locks", lambda: set((state_folder() / "running").glob("*")))
    notes = [job.state()["note"] or "" for job in kernel_jobs()[jobs:]]
    last = notes[-1] if notes else ""
    unnamed = {session for session in _open_sessions(ws) - sessions if session not in last}
    assert not unnamed, f"open upload sessions that the last job does not name: {unnamed}; it says {last!r}"


def _until_none(what: str, left: Callable[[], set[object]]) -> None:
    deadline = time.monotonic() + SETTLE_S
    while found := left():
        assert time.monotonic() < deadline, f"{what} left: {found}"
        time.sleep(0.02)


def _tasks() -> set[object]:
    async def all_but_this() -> set[object]:
        return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}

    return bridge.run(all_but_this)


def _sockets(ws: dn.Workspace) -> set[object]:
    port = int(ws.settings.host.rpartition(":")[2])
    found = psutil.Process().net_connections("tcp")
    return {(one.fd, one.laddr, one.status) for one in found if one.raddr and one.raddr.port == port}


def _is_ours(thread: threading.Thread) -> bool:
    """Not those that event loops keep for their next piece of work, here or in a sandbox of this process."""
    return not thread.name.startswith(("asyncio_", "AnyIO worker thread", "sandbox", "Thread-"))


def _at_work() -> set[object]:
    """Threads, but for those of the bridge and the tests, that are in the middle of code of ours."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    busy: set[object] = set()
    for ident, innermost in sys._current_frames().items():
        if names.get(ident) in ("deepset_nb", "MainThread"):
            continue
        for frame, line in traceback.walk_stack(innermost):
            place = Path(frame.f_code.co_filename)
            if place.is_relative_to(OURS) and not place.is_relative_to(SANDBOX):
                busy.add(f"{names.get(ident)} at {place.name}:{line}")
    return busy


def _open_files(folders: tuple[Path, ...]) -> set[object]:
    held = {one.path for one in psutil.Process().open_files()}
    return {path for path in held for folder in folders if path.startswith(f"{os.path.realpath(folder)}{os.sep}")}


def _open_sessions(ws: dn.Workspace) -> set[str]:
    listed = ws.list_upload_sessions()
    return set(listed.loc[listed["status"] == "OPEN", "session_id"])
