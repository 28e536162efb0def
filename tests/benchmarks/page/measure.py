"""Measuring the rows about pages: one server for a group, sides interleaved, medians at the end."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import websocket

from tests.benchmarks import sandbox_load
from tests.benchmarks.measure import Note, Result
from tests.benchmarks.our_side import NotAvailable
from tests.benchmarks.page import direct, kernel_lane
from tests.benchmarks.page.cdp import PageError
from tests.benchmarks.page.lab import Lab, jupyter, lab
from tests.benchmarks.page.paint import first_paint, scroll
from tests.benchmarks.page.rows import PageRow
from tests.benchmarks.page.shown import PANELS, Shown, tables
from tests.benchmarks.processes import Failed, Measured
from tests.browser.server import JupyterServer

FAULTS = (Failed, PageError, AssertionError, OSError, websocket.WebSocketException)
Send = Callable[[Lab, Path], Measured]
LANES: dict[str, dict[str, Send]] = {
    "kernel lane": {"uploader": kernel_lane.uploader, "FileUpload": kernel_lane.file_upload},
    "direct lane": {"uploader": direct.uploader, "plain form": direct.plain_form},
}


def measure_pages(rows: Sequence[PageRow], runs: int, cores: set[int], note: Note) -> list[Result]:
    """All rows of one letter; trouble is told in their results, the other rows go on.

    Args:
        cores: Where server, kernel and browser run.
    """
    results = {row: Result(row, against=row.other) for row in rows}
    try:
        with _running_on(cores), _server() as server:
            if rows[0].group in LANES:
                for row in rows:
                    _send(row, results[row], runs, server, note)
            else:
                _show(results, runs, server, note)
    except FAULTS as error:
        for result in results.values():
            result.trouble = result.trouble or _told(error)
    for row, result in results.items():
        work_out(row, result)
    return list(results.values())


def _send(row: PageRow, result: Result, runs: int, server: JupyterServer, note: Note) -> None:
    """A file through a lane, each time in a fresh browser and a fresh kernel."""
    sides = {"ours": row.subject, "other": row.other} if row.other else {"ours": row.subject}
    runs = row.runs or runs
    try:
        with _file(row.size) as file:
            for run in range(runs):
                for side, name in sides.items():
                    note(f"{row.title}: {name}, run {run + 1} of {runs}")
                    with lab(server) as page:
                        result.runs.setdefault(side, []).append(LANES[row.group][name](page, file))
    except FAULTS as error:
        result.trouble = _told(error)


def _show(results: dict[PageRow, Result], runs: int, server: JupyterServer, note: Note) -> None:
    """Widgets in cells, each in a page of its own and each time with a fresh kernel.

    In one page they would pay for each other's garbage, and not alike.
    """
    first = next(iter(results))
    shown = PANELS if first.group == "first paint" else tables(first.files)
    names = dict.fromkeys(name for row in results for name in (row.other, row.subject))
    wheel = {name for row in results if row.what == "scroll" for name in (row.other, row.subject)}
    often = {name: max(row.runs or runs for row in results if name in (row.other, row.subject)) for name in names}
    ours = {row.subject for row in results}
    found: dict[str, list[Measured]] = {name: [] for name in names}
    trouble: dict[str, str] = {}
    with contextlib.ExitStack() as stack:
        pages = {name: stack.enter_context(lab(server)) for name in names}
        # The first run pays for what the application loads when it is first needed.
        for run in range(-1, max(often.values())):
            for name in names if run % 2 else reversed(names):
                if name in trouble or run >= often[name]:
                    continue
                note(f"{first.group}: {name}, " + (f"run {run + 1} of {often[name]}" if run >= 0 else "to warm up"))
                try:
                    measured = _shown(
                        pages[name], shown[name], wheel=name in wheel and 0 <= run < runs, again=name not in ours
                    )
                except FAULTS as error:
                    trouble[name] = _told(error)
                else:
                    found[name] += [measured] if run >= 0 else []
    for row, result in results.items():
        result.trouble = trouble.get(row.subject) or trouble.get(row.other) or ""
        for side, name in (("ours", row.subject), ("other", row.other)):
            result.runs[side] = [one[row.what] for one in found[name] if row.what in one]


def _shown(page: Lab, shown: Shown, *, wheel: bool, again: bool) -> dict[str, Measured]:
    """One run; now and then another library's rows never come, and it gets a second try. Ours gets none."""
    shown.check()
    try:
        return _run(page, shown, wheel=wheel)
    except Failed:
        if not again:
            raise
    return _run(page, shown, wheel=wheel)


def _run(page: Lab, shown: Shown, *, wheel: bool) -> dict[str, Measured]:
    with page.notebook([shown.prepare, shown.cell]):
        page.run(0)
        measured = {"paint": {"wall": first_paint(page, 1, shown.selector)}}
        if wheel:
            measured["scroll"] = scroll(page, 1, shown.selector)
        return measured


def work_out(row: PageRow, result: Result) -> None:
    """What the row's bounds are about, from the medians."""
    result.work_out()
    ours, other = result.median("ours", "wall"), result.median("other", "wall")
    if ours and other:
        result.figures |= {"speed": other / ours} if row.group in LANES else {"later_ms": (ours - other) * 1000}
    for name in ("kernel_mib", "server_mib", "page_mib", "blank"):
        if (value := result.median("ours", name)) is not None:
            result.figures[name] = value


def _told(error: Exception) -> str:
    return f"not available: {error}" if isinstance(error, NotAvailable) else f"FAILED: {error}"[:400]


@contextlib.contextmanager
def _server() -> Iterator[JupyterServer]:
    """A Jupyter server whose kernels find a sandbox, in a process of its own."""
    with (
        sandbox_load.running("-c", sandbox_load.SERVE) as line,
        jupyter({"DEEPSET_NB_SANDBOX": line.strip()}) as server,
    ):
        yield server


@contextlib.contextmanager
def _file(size: int) -> Iterator[Path]:
    """A file that no compression makes smaller."""
    with tempfile.TemporaryDirectory(prefix="benchmark-files-") as home:
        path = Path(home) / "recording.bin"
        piece = os.urandom(min(size, 1 << 20))
        with path.open("wb") as file:
            while left := size - file.tell():
                file.write(piece[:left])
        yield path


@contextlib.contextmanager
def _running_on(cores: set[int]) -> Iterator[None]:
    """Processes started in the block may use these cores; none: wherever this one may."""
    if not cores or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
