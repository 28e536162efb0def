"""The workloads of the table, what each must reach, and the folders they are made of."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

KiB, MiB, GiB = 1 << 10, 1 << 20, 1 << 30
Kind = Literal["sdk", "plan", "second run", "kernel", "memory", "sandbox", "page", "listing", "long listing"]
Figures = dict[str, float]
NAMES = {
    "wall_ratio": "x SDK",
    "cpu_ratio": "x SDK's CPU",
    "growth_ratio": "x SDK's memory",
    "growth_mb": " MB",
    "share": " of the limit",
    "cost": "x the other",
    "posted": " objects sent",
    "speed": " of its speed",
    "later_ms": " ms later",
    "kernel_mib": " MiB in the kernel",
    "server_mib": " MiB in the server",
    "page_mib": " MiB in the page",
}
SHARES = ("share", "speed")


@dataclass(frozen=True)
class Bound:
    """What a figure must reach, or must not exceed."""

    figure: str
    least: float | None = None
    most: float | None = None

    def __str__(self) -> str:
        sign = "" if self.most is None else "<="
        return f"{sign}{self._shown(self.least if self.most is None else self.most)}"

    def missed(self, figures: Figures) -> str:
        """In words what is missed; empty where it is reached."""
        value = figures[self.figure]
        fine = value >= self.least if self.most is None and self.least is not None else value <= (self.most or 0)
        return "" if fine else f"{self._shown(value)} is not {self}"

    def _shown(self, value: float | None) -> str:
        number = f"{value:.0%}" if self.figure in SHARES else f"{value:.3g}"
        return number + NAMES[self.figure]


@dataclass(frozen=True)
class Workload:
    """One row of the table.

    Attributes:
        key: Letter for ``--only``.
        kind: What it is compared with.
        files: How many, without sidecars.
        size: Bytes of each; from 1 MiB a multiple of it.
        delay_ms: What the drain waits before it answers a post.
        folders: Over how many the files are spread.
        sparse: Without blocks on disk.
    """

    key: str
    kind: Kind
    title: str
    files: int
    size: int
    delay_ms: int = 0
    sidecars: bool = False
    folders: int = 1
    sparse: bool = False
    musts: tuple[Bound, ...] = ()
    aims: tuple[Bound, ...] = ()

    @property
    def objects(self) -> int:
        return self.files * (2 if self.sidecars else 1)

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """The files on disk, gone after the block."""
        with tempfile.TemporaryDirectory(prefix="benchmark-files-") as home:
            root = Path(home) / "files"
            for number in range(self.files):
                parent = root / f"folder-{number % self.folders:03}" if self.folders > 1 else root
                if number < self.folders:
                    parent.mkdir(parents=True)
                self._write(parent / f"report-{number:06}.txt", number)
            yield root

    def _write(self, path: Path, number: int) -> None:
        with path.open("wb") as file:
            if self.sparse:
                file.truncate(self.size)
            else:
                piece = min(self.size, MiB)
                line = f"Report {number}, as dry as any. ".encode()
                for _ in range(self.size // piece):
                    file.write((line * (piece // len(line) + 1))[:piece])
        if self.sidecars:
            path.with_name(path.name + ".meta.json").write_text(f'{{"topic": "rivers", "number": {number}}}')


def _memory(most: float = 150) -> Bound:
    return Bound("growth_mb", most=most)


WORKLOADS = (
    Workload(
        *("a", "sdk", "10,000 x 1 KiB with sidecars, 0 ms", 10_000, KiB),
        sidecars=True,
        musts=(Bound("wall_ratio", 4), Bound("cpu_ratio", 4), Bound("growth_ratio", most=1)),
        aims=(Bound("wall_ratio", 10), Bound("cpu_ratio", 10), Bound("growth_ratio", most=0.5)),
    ),
    Workload(
        *("b", "sdk", "2,000 x 1 KiB, 20 ms", 2_000, KiB, 20),
        musts=(Bound("wall_ratio", 4.5),),
        aims=(Bound("share", 0.8),),
    ),
    Workload(
        *("c", "sdk", "2,000 x 1 KiB, 100 ms", 2_000, KiB, 100),
        musts=(Bound("wall_ratio", 6),),
        aims=(Bound("wall_ratio", 10), Bound("share", 0.9)),
    ),
    Workload(
        *("d", "sdk", "one file of 1 GiB", 1, GiB),
        sparse=True,
        musts=(Bound("wall_ratio", 1), Bound("share", 0.7), _memory()),
        aims=(Bound("share", 0.9),),
    ),
    Workload(
        *("e", "sdk", "100 x 10 MiB", 100, 10 * MiB),
        musts=(Bound("wall_ratio", 1), _memory()),
        aims=(Bound("share", 0.9),),
    ),
    Workload(
        *("f", "plan", "plan of 100,000 files", 100_000, KiB),
        folders=100,
        musts=(Bound("cost", most=4),),
        aims=(Bound("cost", most=2),),
    ),
    Workload(
        *("g", "second run", "second run of 10,000 files", 10_000, KiB),
        musts=(Bound("posted", most=0), Bound("cost", most=1.3)),
        aims=(Bound("cost", most=1.1),),
    ),
    Workload(
        *("h", "kernel", "in a kernel, 5,000 x 1 KiB, 0 ms", 5_000, KiB),
        musts=(Bound("cost", most=1.1),),
        aims=(Bound("cost", most=1),),
    ),
    Workload("i", "memory", "100,000 x 1 KiB", 100_000, KiB, folders=100, musts=(_memory(),)),
    Workload("i", "memory", "one file of 4 GiB", 1, 4 * GiB, sparse=True, musts=(_memory(),)),
    Workload("j", "sandbox", "2,000 x 1 KiB, the sandbox", 2_000, KiB),
    Workload(
        *("p", "listing", "100,000 files listed, to a DataFrame", 100_000, 0),
        musts=(Bound("wall_ratio", 12), Bound("growth_mb", most=200)),
    ),
    Workload(
        *("q", "long listing", "1,000,000 files listed, metadata raw", 1_000_000, 0),
        musts=(Bound("growth_mb", most=1_000),),
    ),
)


def quick(workload: Workload) -> Workload:
    """A stand-in of seconds: to see that it works, not how fast it is."""
    files, size = max(workload.files // 50, 1), workload.size if workload.size < MiB else max(workload.size // 64, MiB)
    folders = min(workload.folders, 10)
    return replace(workload, title=f"{workload.title}: {files} of it", files=files, size=size, folders=folders)
