"""What the cells of a measurement call, inside the kernel: everything imported first, then one thing timed."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import pkgutil
import statistics
import time
from collections.abc import Callable
from typing import Any

import deepset_nb as dn
from tests.benchmarks.own_process import Clock, idle, max_rss, pin

_ELSEWHERE = ("emulator", "cli", "demo", "magics", "__main__")  # not part of an upload


class NotAvailable(Exception):
    """This version cannot do what is to be measured."""


def prepare(account: dict[str, str], core: int | None) -> dn.Workspace:
    """Import all that is imported lazily, make the workspace, and leave nothing for the clock to pay."""
    for module in pkgutil.walk_packages(dn.__path__, "deepset_nb."):
        if module.name.split(".")[1] not in _ELSEWHERE:
            importlib.import_module(module.name)
    ws = dn.Workspace(**account)
    pin(core)  # after the bridge's thread exists; what comes later inherits it
    return ws


def say(measured: dict[str, Any]) -> None:
    """One line that the process outside finds among what a cell shows."""
    print(f"@@{json.dumps(measured)}@@")


def say_ready() -> None:
    say(idle())


def outcome(receipt: Any, clock: Clock, files: int) -> None:
    """Stop the clock; every file must be on the platform."""
    measured = clock.stop()
    counts = receipt["status"].value_counts().to_dict()
    bad = receipt[receipt["status"] != "ok"]
    measured["failed"] = abs(files - counts.get("ok", 0))
    measured["why"] = "" if bad.empty else str(bad["reason"].iloc[0])
    say(measured)


def walk(folder: str) -> tuple[int, int]:
    """The least a plan can do: see every file and its size."""
    files = size = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                more = walk(entry.path)
                files, size = files + more[0], size + more[1]
            else:
                files, size = files + 1, size + entry.stat().st_size
    return files, size


def needs(ws: Any, *, resume: bool = False) -> None:
    """Say what this version lacks."""
    if not hasattr(ws, "plan"):
        raise NotAvailable("there is no ws.plan")
    if resume and "resume" not in inspect.signature(ws.upload).parameters:
        raise NotAvailable("ws.upload does not resume")


def timed(action: Callable[[], Any], keep: Callable[[Any], Any] = bool) -> tuple[float, float, Any]:
    """Wall seconds, CPU seconds, and what is to be kept of the result; the rest is freed after the clock stopped."""
    began, cpu = time.perf_counter(), time.process_time()
    result = action()
    return time.perf_counter() - began, time.process_time() - cpu, keep(result)


def plan_against_walk(ws: Any, folder: str, files: int, runs: int) -> None:
    """Interleaved in this process: a plan, a walk, a plan, ..."""
    needs(ws)
    walks, plans = [], []
    assert walk(folder)[0] == files  # the first walk reads the disk
    for _ in range(runs):
        walks.append(timed(lambda: walk(folder)))
        plans.append(timed(lambda: ws.plan(folder, recursive=True), len))
        assert plans[-1][2] == files
    _say_both(plans, walks)


def second_run(ws: Any, folder: str, files: int, runs: int, posts: Callable[[], int]) -> None:
    """After a finished upload: the same call again, and beside it a plan and one full listing."""
    needs(ws, resume=True)
    ws.upload(folder, recursive=True).wait().raise_for_failures()
    before = posts()
    again, parts = [], []
    for _ in range(runs):
        again.append(timed(lambda: ws.upload(folder, recursive=True).wait().receipt, skipped))
        parts.append(timed(lambda: (ws.plan(folder, recursive=True), ws.list_files()), lambda both: len(both[1])))
        assert parts[-1][2] >= files
    _say_both(again, parts, posted=posts() - before, failed=files - min(run[2] for run in again))


def skipped(receipt: Any) -> int:
    return int((receipt["status"] == "skipped").sum())


def _say_both(ours: list[tuple[float, float, Any]], other: list[tuple[float, float, Any]], **more: Any) -> None:
    names = ("wall", "cpu")
    measured = {name: statistics.median(run[i] for run in ours) for i, name in enumerate(names)}
    measured |= {f"other_{name}": statistics.median(run[i] for run in other) for i, name in enumerate(names)}
    say({"failed": 0, "max_rss": max_rss(), **measured, **more})
