"""Processes: a command run to its end or to its time limit, its output in a log file; what servers need to start."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRATCH = ROOT / ".tests"  # git-ignored; logs, reports, screenshots, layered environments

TIMED_OUT = 124  # as coreutils' timeout says it
GRACE_S = 5.0  # between asking a process group to end and ending it


@dataclass(frozen=True)
class Finished:
    """A command that has ended."""

    exit_code: int
    log: Path

    def tail(self, lines: int = 150) -> str:
        """The end of what the command printed."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def run(
    command: Sequence[str | Path],
    *,
    log: Path,
    limit_s: float,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
) -> Finished:
    """Run ``command``; after ``limit_s`` seconds its whole process group is ended.

    The output goes to a file and not through a pipe: a grandchild that outlives the command would keep a pipe open.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        output.write(f"$ {' '.join(map(str, command))}\n".encode())
        output.flush()
        try:
            process = subprocess.Popen(
                [str(part) for part in command],
                cwd=cwd,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            output.write(f"{error}\n".encode())
            return Finished(127, log)
        try:
            exit_code = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            _end_group(process)
            output.write(f"\nended after its time limit of {limit_s:.0f} s\n".encode())
            exit_code = TIMED_OUT
        except KeyboardInterrupt:
            _end_group(process)
            raise
    return Finished(exit_code, log)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    # The group's id is the leader's: start_new_session made it so. SIGINT first lets pytest tear its servers down.
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
            process.wait(GRACE_S)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
        else:
            if sign is not signal.SIGKILL:  # the leader went; what it left behind goes now
                _quietly_kill(process.pid)
            return


def _quietly_kill(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def end_with_parent() -> None:
    """On Linux, have this child end when its parent is killed: nothing tidies up then."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)
