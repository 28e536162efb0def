"""The processes of a measurement: the drain on one core, the client on another, watched from outside.

A side is a program that gets its order as JSON in its last argument, prints one line of JSON when everything is
imported and ready, begins when it reads a line, and prints its measurement as a second line.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil  # type: ignore[import-untyped, unused-ignore]

from tests.process import ROOT, SCRATCH

SAMPLE_S = 0.025  # the system's own peak tells of what passes between two samples
LIMIT_S = 1800.0  # of one measurement
T = TypeVar("T")
Measured = dict[str, Any]


@dataclass(frozen=True)
class Cores:
    """Who runs where; None where the system has no second core or no pinning."""

    drain: int | None = None
    client: int | None = None

    @classmethod
    def found(cls) -> Cores:
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        return cls(cores[0], cores[1]) if len(cores) > 1 else cls()

    def __str__(self) -> str:
        if self.client is None:
            return "not pinned: drain and client share what there is, so ratios are blurred"
        return f"drain on core {self.drain}, clients on core {self.client}"


class Failed(Exception):
    """A side did not do what it was asked; the text says what."""


@dataclass(frozen=True)
class RunningDrain:
    """A drain's address, and what passed through it."""

    address: str

    @property
    def account(self) -> dict[str, str]:
        return {"api_url": f"{self.address}/api/v1", "api_key": "a-key-of-the-benchmark", "workspace_name": "bench"}

    def counts(self) -> Measured:
        """Posts, bytes, connections, CPU seconds."""
        return dict(httpx.get(f"{self.address}/drain", trust_env=False).raise_for_status().json())

    def listed(self) -> int:
        """How many files the workspace has."""
        account = self.account
        url = f"{account['api_url']}/workspaces/{account['workspace_name']}/files"
        headers = {"Authorization": f"Bearer {account['api_key']}"}
        return int(httpx.get(url, headers=headers, trust_env=False).raise_for_status().json()["total"])


@contextlib.contextmanager
def drain(delay_ms: float = 0.0, core: int | None = None, files: int = 0) -> Iterator[RunningDrain]:
    """A fresh drain while the block runs; with ``files`` so many are listed from the start."""
    pinned = [] if core is None else ["--core", str(core)]
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.drain",
        "--delay-ms",
        str(delay_ms),
        "--files",
        str(files),
        *pinned,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            yield RunningDrain(f"http://127.0.0.1:{int(process.stdout.readline())}")
        finally:
            process.kill()


def run_side(command: Sequence[str | Path], order: dict[str, Any], env: dict[str, str] | None = None) -> Measured:
    """Let a side do its measurement; what it found, with ``growth_mb`` from what was seen outside.

    Raises:
        Failed: It ended, or said nothing in time; its log's end is in the text.
    """
    log = SCRATCH / "logs" / "benchmarks.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            [*command, json.dumps(order)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=ROOT,
            env=env,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        watchdog = threading.Timer(LIMIT_S, process.kill)
        watchdog.start()
        try:
            idle = with_rss(_line(process.stdout.readline(), log))
            process.stdin.write("go\n")
            process.stdin.flush()
            line, peak = watched(process.pid, process.stdout.readline)
            return with_growth(_line(line, log), idle, peak)
        finally:
            watchdog.cancel()
            process.kill()


def _line(text: str, log: Path) -> Measured:
    if not text:
        raise Failed(f"it ended early: {' '.join(log.read_text(errors='replace').splitlines()[-3:])}")
    return dict(json.loads(text))


def watched(pid: int, action: Callable[[], T]) -> tuple[T, int]:
    """What the action returned, and the largest resident size of the process meanwhile, in bytes."""
    done, peak = threading.Event(), 0

    def sample() -> None:
        nonlocal peak
        process = psutil.Process(pid)
        with contextlib.suppress(psutil.NoSuchProcess):
            while not done.wait(SAMPLE_S):
                peak = max(peak, process.memory_info().rss)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        result = action()
    finally:
        done.set()
        thread.join()
    return result, peak


def with_rss(idle: Measured) -> Measured:
    """What an idle process said of itself, and its resident size now."""
    return idle | {"rss": psutil.Process(idle["pid"]).memory_info().rss}


def with_growth(measured: Measured, idle: Measured, sampled: int) -> Measured:
    """Peak minus idle. The system's own peak counts where it rose: samples may miss a short one."""
    peak = max(sampled, measured["max_rss"]) if measured["max_rss"] > idle["max_rss"] else sampled
    return measured | {"growth_mb": max(0, peak - idle["rss"]) / 1e6, "idle_mb": idle["rss"] / 1e6}
