"""Listing files: ours to a DataFrame in a kernel, beside the SDK, which returns lists of dataclasses."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks import our_side
from tests.benchmarks.processes import Cores, Failed, Measured, drain, run_side
from tests.clients import sdk
from tests.process import SCRATCH

if TYPE_CHECKING:
    from tests.benchmarks.measure import Note, Result

CELL = """
clock = Clock()
frame = ws.list_files({arguments})
in_kernel.say(clock.stop(failed=abs(len(frame) - {files})))
"""


def measure_listing(result: Result, runs: int, cores: Cores, note: Note) -> None:
    """Pages of 100 rows from a drain that has them rendered; beside the SDK only where it ends in reasonable time."""
    work = result.workload
    sides = ["ours"] if work.kind == "long listing" else ["sdk", "ours"]
    for run in range(runs if len(sides) > 1 else 1):
        for side in sides:
            note(f"{work.title}: {side}, run {run + 1} of {runs}")
            with drain(0.0, cores.drain, files=work.files) as server:
                measured = _side(side, server.account, work.files, cores, raw=work.kind == "long listing")
            if measured["failed"]:
                raise Failed(f"{side}: {measured['failed']:,} files of {work.files:,} are missing")
            result.runs.setdefault(side, []).append(measured)
    if work.kind == "listing":
        note(f"{work.title}: the sandbox, once")
        result.runs["sandbox"] = [sandbox_figure(work.files)]


def _side(side: str, account: dict[str, str], files: int, cores: Cores, *, raw: bool) -> Measured:
    if side == "ours":
        cell = CELL.format(arguments="meta='raw'" if raw else "", files=files)
        return our_side.in_cell(cell, account, cores)
    order = {"account": account, "list": files, "core": cores.client}
    env = {"PATH": os.environ["PATH"], "HOME": str(SCRATCH), "NO_PROXY": "127.0.0.1", "PYTHONUTF8": "1"}
    return run_side([sdk.python(), Path(__file__).parent / "sdk_side.py"], order, env)


def sandbox_figure(files: int) -> Measured:
    """The same of the real sandbox, for comparison: a server that is asked as users ask it."""
    from tests.benchmarks import sandbox_load

    code = (
        "import os, time, deepset_nb as dn\n"
        "hasattr(os, 'sched_setaffinity') and os.sched_setaffinity(0, range(os.cpu_count()))\n"
        f"ws = dn.sandbox(files={files})\nws.list_files(limit=1)\n"
        "began = time.perf_counter()\n"
        "count = len(ws.list_files())\nprint(count, time.perf_counter() - began, flush=True)\n"
    )
    with sandbox_load.running("-c", code) as line:
        count, _, seconds = line.partition(" ")
    if count != str(files):
        raise Failed(f"the sandbox: {count.strip() or 'none'} of {files:,} files were listed")
    return {"files": files, "wall": float(seconds)}


if __name__ == "__main__":
    print(sandbox_figure(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
