"""What the processes behind a page cost while something passes through them."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil  # type: ignore[import-untyped, unused-ignore]

from tests.benchmarks.processes import SAMPLE_S, Measured

MiB = 1 << 20
_FORGET_PEAK = "5"  # to /proc/PID/clear_refs: the system's peak begins anew


class Watched:
    """Growth of resident memory over idle, and CPU seconds, while the block runs.

    Args:
        pids: Processes, by the names they have in the figures.
    """

    def __init__(self, **pids: int) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        self._thread = threading.Thread(target=self._sample)
        self._done = threading.Event()

    def __enter__(self) -> Self:
        """Begin."""
        for process in self._processes.values():
            with contextlib.suppress(OSError):
                Path(f"/proc/{process.pid}/clear_refs").write_text(_FORGET_PEAK)
        self._idle = {name: process.memory_info().rss for name, process in self._processes.items()}
        self._cpu = {name: _seconds(process) for name, process in self._processes.items()}
        self._peak = dict(self._idle)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """End."""
        self._done.set()
        self._thread.join()

    def figures(self) -> Measured:
        """``NAME_mib``, ``NAME_idle_mib`` and ``NAME_cpu`` of each."""
        found: Measured = {}
        for name, process in self._processes.items():
            peak = max(self._peak[name], _highest(process.pid))
            found[f"{name}_mib"] = (peak - self._idle[name]) / MiB
            found[f"{name}_idle_mib"] = self._idle[name] / MiB
            found[f"{name}_cpu"] = _seconds(process) - self._cpu[name]
        return found

    def _sample(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            while not self._done.wait(SAMPLE_S):
                for name, process in self._processes.items():
                    self._peak[name] = max(self._peak[name], process.memory_info().rss)


def renderer(browser: int) -> int:
    """The process that draws the page: the largest of the browser's renderers."""
    children = psutil.Process(browser).children(recursive=True)
    renderers = [child for child in children if "--type=renderer" in child.cmdline()]
    return int(max(renderers, key=lambda child: child.memory_info().rss).pid)


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _highest(pid: int) -> int:
    """What the system saw between two samples, where it tells."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0
