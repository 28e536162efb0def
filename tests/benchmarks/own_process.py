"""What a measured process says of itself; also loaded by the SDK's interpreter, so it needs nothing but Python."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss


def pin(core: int | None) -> None:
    """Keep all threads of this process, and those to come, on one core."""
    if core is not None:
        for thread in Path("/proc/self/task").iterdir():
            with contextlib.suppress(ProcessLookupError):  # it ended just now
                os.sched_setaffinity(int(thread.name), {core})


def idle() -> dict[str, int]:
    """Who is ready to be watched, and its largest resident size so far, in bytes."""
    gc.collect()
    return {"pid": os.getpid(), "max_rss": max_rss()}


def max_rss() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT


class Clock:
    """Wall and CPU seconds (user and system, all threads) since it was made."""

    def __init__(self) -> None:
        self.began = time.perf_counter(), time.process_time()

    def stop(self, **more: Any) -> dict[str, Any]:
        wall, cpu = time.perf_counter() - self.began[0], time.process_time() - self.began[1]
        return {"wall": wall, "cpu": cpu, "max_rss": max_rss(), **more}


class Conversation:
    """Standard output for two lines of JSON only; whatever libraries print goes to standard error."""

    def __init__(self) -> None:
        self.order: dict[str, Any] = json.loads(sys.argv[-1])
        self._out = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        pin(self.order.get("core"))

    def say(self, measured: dict[str, Any]) -> None:
        self._out.write(json.dumps(measured) + "\n")
        self._out.flush()

    def ready(self) -> Clock:
        """Say so, and wait until it begins."""
        self.say(idle())
        sys.stdin.readline()
        return Clock()
