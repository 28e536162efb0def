"""Running a workload: sides interleaved, every run with a fresh drain, medians at the end."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.benchmarks import our_side, sandbox_load
from tests.benchmarks.listing import measure_listing
from tests.benchmarks.processes import Cores, Failed, Measured, RunningDrain, drain, run_side
from tests.benchmarks.workloads import Figures, Workload
from tests.clients import sdk
from tests.process import SCRATCH

Note = Callable[[str], None]
HERE = Path(__file__).parent


@dataclass
class Result:
    """What was measured of one workload, run by run, and what follows from it."""

    workload: Workload
    against: str = "SDK"
    runs: dict[str, list[Measured]] = field(default_factory=dict)
    figures: Figures = field(default_factory=dict)
    trouble: str = ""

    def median(self, side: str, figure: str) -> float | None:
        values = [run[figure] for run in self.runs.get(side, ()) if figure in run]
        return statistics.median(values) if values else None

    def work_out(self) -> None:
        """Ratios of medians."""
        median = self.median
        ratios = {
            "wall_ratio": (median("sdk", "wall"), median("ours", "wall")),
            "cpu_ratio": (median("sdk", "cpu"), median("ours", "cpu")),
            "growth_ratio": (median("ours", "growth_mb"), median("sdk", "growth_mb")),
            "share": (median("raw", "wall"), median("ours", "wall")),
            "sending_share": (median("raw", "sending"), median("ours", "sending")),
            "cost": (median("ours", "wall"), median("other", "wall")),
        }
        self.figures = {name: above / below for name, (above, below) in ratios.items() if above is not None and below}
        for name in ("growth_mb", "posted"):
            if (value := median("ours", name)) is not None:
                self.figures[name] = value


def measure(workload: Workload, runs: int, cores: Cores, note: Note) -> Result:
    """All sides of a workload; trouble is told in the result, the other workloads go on."""
    result = Result(workload)
    how = {"sdk": _against_sdk, "kernel": _in_a_kernel, "memory": _memory, "sandbox": _sandbox}
    try:
        if "listing" in workload.kind:
            measure_listing(result, runs, cores, note)
            result.work_out()
            return result
        with workload.folder() as folder:
            how.get(workload.kind, _against_parts)(result, folder, runs, cores, note)
        result.work_out()
    except our_side.NotAvailable as lacking:
        result.trouble = f"not available: {lacking}"
    except (Failed, AssertionError, OSError, httpx.HTTPError) as error:
        result.trouble = f"FAILED: {error}"[:400]
    return result


def _against_sdk(result: Result, folder: Path, runs: int, cores: Cores, note: Note) -> None:
    work = result.workload
    for run in range(runs):
        for side in ("sdk", "ours", "raw"):
            note(f"{work.title}: {side}, run {run + 1} of {runs}")
            connections = result.runs["ours"][run]["connections"] if side == "raw" else 0
            with drain(work.delay_ms, cores.drain) as server:
                measured = _side(side, server.account, folder, work, cores, connections)
                result.runs.setdefault(side, []).append(_checked(side, measured, server, work))


def _in_a_kernel(result: Result, folder: Path, runs: int, cores: Cores, note: Note) -> None:
    work, result.against = result.workload, "asyncio.run"
    for run in range(runs):
        for side, action in (("ours", our_side.upload), ("other", our_side.bare)):
            note(f"{work.title}: {'kernel' if side == 'ours' else 'asyncio.run'}, run {run + 1} of {runs}")
            with drain(work.delay_ms, cores.drain) as server:
                measured = action(server.account, folder, work.files, cores)
                result.runs.setdefault(side, []).append(_checked(side, measured, server, work))


def _against_parts(result: Result, folder: Path, runs: int, cores: Cores, note: Note) -> None:
    """One kernel, in which the two alternate."""
    work = result.workload
    note(f"{work.title}: {runs} runs in one kernel")
    with drain(work.delay_ms, cores.drain) as server:
        if work.kind == "plan":
            result.against = "walk"
            measured = our_side.plan(server, folder, work.files, cores, runs)
        else:
            result.against = "plan + list"
            measured = our_side.second_run(server, folder, work.files, cores, runs)
    if measured["failed"] and not measured.get("posted"):
        raise Failed(f"{measured['failed']} of {work.files} files were not skipped")
    result.runs["ours"] = [measured]
    result.runs["other"] = [{"wall": measured["other_wall"], "cpu": measured["other_cpu"]}]


def profile(workload: Workload, cores: Cores) -> Path:
    """Our upload of it under cProfile and asyncio.run; where the statistics are."""
    kept = SCRATCH / f"benchmarks-{workload.key}.prof"
    with workload.folder() as folder, drain(workload.delay_ms, cores.drain) as server:
        our_side.bare(server.account, folder, workload.files, cores, kept)
    return kept


def _memory(result: Result, folder: Path, runs: int, cores: Cores, note: Note) -> None:
    work, result.against = result.workload, ""
    note(f"{work.title}: ours, once")
    with drain(work.delay_ms, cores.drain) as server:
        measured = our_side.upload(server.account, folder, work.files, cores)
        result.runs["ours"] = [_checked("ours", measured, server, work)]


def _sandbox(result: Result, folder: Path, runs: int, cores: Cores, note: Note) -> None:
    work = result.workload
    for run in range(runs):
        for side in ("sdk", "ours"):
            note(f"{work.title}: {side}, run {run + 1} of {runs}")
            with _running_sandbox() as account:
                measured = _side(side, account, folder, work, cores, 0)
            if measured["failed"]:
                raise Failed(f"{side}: {measured['failed']} files failed: {measured.get('why', '')}")
            result.runs.setdefault(side, []).append(measured)


@contextlib.contextmanager
def _running_sandbox() -> Iterator[dict[str, str]]:
    with sandbox_load.running("-c", sandbox_load.SERVE) as line:
        told = json.loads(line)
        yield {"api_url": told["api_url"], "api_key": told["api_key"], "workspace_name": told["workspace"]}


def _side(side: str, account: dict[str, str], folder: Path, work: Workload, cores: Cores, connections: int) -> Measured:
    if side == "ours":
        return our_side.upload(account, folder, work.files, cores)
    order: dict[str, Any] = {"account": account, "folder": str(folder), "core": cores.client}
    if side == "raw":
        return run_side([sys.executable, "-m", "tests.benchmarks.raw_sockets"], order | {"connections": connections})
    env = {"PATH": os.environ["PATH"], "HOME": str(folder.parent), "NO_PROXY": "127.0.0.1", "PYTHONUTF8": "1"}
    return run_side([sdk.python(), HERE / "sdk_side.py"], order, env)


def _checked(side: str, measured: Measured, server: RunningDrain, work: Workload) -> Measured:
    """Only whole uploads count. Adds what the drain saw of it."""
    counts = server.counts()
    if measured["failed"] or counts["posts"] < work.objects:
        why = f"{measured['failed']} files failed, {counts['posts']:,} of {work.objects:,} objects were posted"
        raise Failed(f"{side}: {why}. {measured.get('why', '')}")
    if side != "raw" and (listed := server.listed()) != work.files:
        raise Failed(f"{side}: the drain lists {listed:,} of {work.files:,} files")
    sending = counts["last"] - counts["first"]
    seen = {"connections": counts["most_connections"], "sending": sending, "posts": counts["posts"]}
    return measured | seen | {"drain_busy": counts["cpu"] / measured["wall"]}
