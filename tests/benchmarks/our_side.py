"""Our side, as a user has it: a kernel of its own, the panel shown, journal and receipt written.

``upload`` is what the SDK is compared with; ``plan`` and ``second_run`` are compared with parts of themselves, and
``bare`` runs the coroutine of an upload under asyncio.run, in a plain process, for comparison with the kernel.
"""

from __future__ import annotations

import asyncio
import contextlib
import cProfile
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.own_process import Conversation
from tests.benchmarks.processes import (
    LIMIT_S,
    Cores,
    Failed,
    Measured,
    RunningDrain,
    run_side,
    watched,
    with_growth,
    with_rss,
)
from tests.kernel.kernel_driver import Kernel

UPLOAD = """
clock = Clock()
job = ws.upload({folder!r}, recursive=True)
job.wait()
receipt = job.receipt
in_kernel.outcome(receipt, clock, {files})
"""
PLAN = "in_kernel.plan_against_walk(ws, {folder!r}, {files}, {runs})"
SECOND_RUN = """
import httpx
posts = lambda: httpx.get({address!r} + "/drain", trust_env=False).json()["posts"]
in_kernel.second_run(ws, {folder!r}, {files}, {runs}, posts)
"""


class NotAvailable(Failed):
    """This version cannot do what is to be measured."""


@contextlib.contextmanager
def kernel(account: dict[str, str], cores: Cores) -> Iterator[tuple[Kernel, Measured]]:
    """A kernel with everything imported and a state folder of its own; what it holds while idle."""
    with tempfile.TemporaryDirectory(prefix="benchmark-kernel-") as home:
        started = Kernel(Path(home))
        try:
            started.start()
            setup = f"import os; os.environ['DEEPSET_NB_STATE'] = {home + '/state'!r}\n"
            setup += "from tests.benchmarks import in_kernel\nfrom tests.benchmarks.own_process import Clock\n"
            setup += f"ws = in_kernel.prepare({account!r}, {cores.client!r})\nin_kernel.say_ready()"
            yield started, with_rss(_said(started, setup))
        finally:
            started.close()


def in_cell(cell: str, account: dict[str, str], cores: Cores) -> Measured:
    """Run one cell in a fresh kernel; what it measured, and how much the kernel grew meanwhile."""
    with kernel(account, cores) as (running, idle):
        measured, peak = watched(idle["pid"], lambda: _said(running, cell))
        return with_growth(measured, idle, peak)


def _said(running: Kernel, cell: str) -> Measured:
    outcome = running.run_cell(cell, timeout=LIMIT_S)
    if outcome.error:
        kind = NotAvailable if outcome.error.startswith("NotAvailable") else Failed
        raise kind(outcome.error.removeprefix("NotAvailable: ")[:300])
    found = re.findall(r"@@(\{.*?\})@@", outcome.text)
    return dict(json.loads(found[-1]))


def upload(account: dict[str, str], folder: Path, files: int, cores: Cores) -> Measured:
    return in_cell(UPLOAD.format(folder=str(folder), files=files), account, cores)


def plan(drain: RunningDrain, folder: Path, files: int, cores: Cores, runs: int) -> Measured:
    return in_cell(PLAN.format(folder=str(folder), files=files, runs=runs), drain.account, cores)


def second_run(drain: RunningDrain, folder: Path, files: int, cores: Cores, runs: int) -> Measured:
    cell = SECOND_RUN.format(folder=str(folder), files=files, runs=runs, address=drain.address)
    return in_cell(cell, drain.account, cores)


def bare(account: dict[str, str], folder: Path, files: int, cores: Cores, profile: Path | None = None) -> Measured:
    """The upload's own coroutine under asyncio.run: no kernel, no bridge, no job, no panel.

    With ``profile``, what cProfile saw of it is left there.
    """
    with tempfile.TemporaryDirectory(prefix="benchmark-state-") as state:
        order = {"account": account, "folder": str(folder), "core": cores.client, "state": state}
        order["profile"] = str(profile) if profile else None
        measured = run_side([sys.executable, "-m", "tests.benchmarks.our_side"], order)
    return measured | {"failed": abs(files - measured.pop("ok"))}


@contextlib.contextmanager
def _profiled(path: str | None) -> Iterator[None]:
    if path is None:
        yield
        return
    with cProfile.Profile() as profile:
        yield
    profile.dump_stats(path)


def main() -> None:
    conversation = Conversation()
    order = conversation.order
    os.environ["DEEPSET_NB_STATE"] = order["state"]
    from deepset_nb import job
    from tests.benchmarks import in_kernel

    ws = in_kernel.prepare(order["account"], order["core"])
    # ws.upload makes the transfer exactly as for a user; only what would put it on the bridge is taken out.
    for module in [module for name, module in sys.modules.items() if name.startswith("deepset_nb.")]:
        if vars(module).get("UploadJob") is job.UploadJob and module is not job:
            vars(module)["UploadJob"] = lambda transfer, *_, **__: transfer
    transfer: Any = ws.upload(order["folder"], recursive=True, show=False)
    clock = conversation.ready()
    with _profiled(order["profile"]):
        asyncio.run(transfer.run())
    ok = sum(row.status == "ok" for row in transfer.progress.receipt.rows)
    conversation.say(clock.stop(ok=ok))


if __name__ == "__main__":
    main()
