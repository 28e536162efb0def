"""The rows of the table that are about pages: what is compared with what, and what each must reach."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from typing import Literal

from tests.benchmarks.workloads import Bound, GiB, MiB, Workload

Group = Literal["kernel lane", "direct lane", "first paint", "many rows"]


@dataclass(frozen=True)
class PageRow(Workload):
    """One row about a page.

    Attributes:
        group: Rows of a group are measured together, in one server.
        subject: What of ours is measured.
        other: What beside it.
        what: Which of the measurements this row is about.
        runs: How often each side runs; 0 leaves it to the command line.
    """

    group: Group = "first paint"
    subject: str = ""
    other: str = ""
    what: str = "paint"
    runs: int = 0


# A page reads a file in pieces, which its garbage collector lets pile up for a while: the same for any size of file.
_ROOM = (Bound("kernel_mib", most=64), Bound("server_mib", most=64), Bound("page_mib", most=320))
_FASTER = (Bound("speed", 0.45),)
_LATER = (Bound("later_ms", most=150),)


def _paint(subject: str) -> PageRow:
    title = f"first paint of the {subject}"
    return PageRow("m", "page", title, 1, 0, subject=subject, other="empty anywidget", musts=_LATER)


PAGE_ROWS = (
    PageRow(
        *("k", "page", "browser to kernel, 256 MiB", 1, 256 * MiB),
        group="kernel lane",
        subject="uploader",
        other="FileUpload",
        musts=(*_FASTER, *_ROOM),
        aims=(Bound("speed", 0.6),),
    ),
    PageRow(
        *("k", "page", "browser to kernel, 1 GiB", 1, GiB), group="kernel lane", subject="uploader", musts=_ROOM, runs=1
    ),
    PageRow(
        *("o", "page", "browser to kernel, 1 GiB", 1, GiB),
        group="kernel lane",
        subject="uploader",
        other="FileUpload",
        musts=_ROOM,
        runs=1,
    ),
    PageRow(
        *("l", "page", "browser to bucket, 256 MiB", 1, 256 * MiB),
        group="direct lane",
        subject="uploader",
        other="plain form",
        musts=(Bound("speed", 0.8),),
    ),
    *map(_paint, ("job panel", "uploader", "session browser", "file browser")),
    PageRow(
        *("n", "page", "100,000 rows, first paint", 100_000, 0),
        group="many rows",
        subject="file browser",
        other="itables",
        musts=(Bound("cost", most=1),),
        runs=21,  # few milliseconds decide, of some hundred that differ by 15 from run to run
    ),
    PageRow(
        *("n", "page", "100,000 rows, first paint", 100_000, 0),
        group="many rows",
        subject="file browser",
        other="quak",
        musts=(Bound("cost", most=0.5),),
    ),
    PageRow(
        *("n", "page", "100,000 rows, 95th frame of scrolling", 100_000, 0),
        group="many rows",
        subject="file browser",
        other="quak",
        what="scroll",
        musts=(Bound("cost", most=1),),
    ),
)


ON_REQUEST = {"o"}  # left out unless its letter is given


def chosen(keys: Set[str], *, quick: bool) -> Iterator[list[PageRow]]:
    """The rows with these letters, those that are measured together in one list."""
    rows = [_stand_in(row) if quick else row for row in PAGE_ROWS if row.key in keys]
    for _, together in itertools.groupby(rows, key=lambda row: row.key):
        yield list(together)


def _stand_in(row: PageRow) -> PageRow:
    """One of seconds: to see that it works, not how fast it is."""
    size, files = row.size // 16, max(row.files // 50, 1)
    return replace(row, title=f"{row.title}: a part of it", size=size, files=files, runs=1)
