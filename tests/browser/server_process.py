"""A server in a process of its own, on loopback, that ends with whoever started it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.process import end_with_parent, free_port

START_LIMIT_S = 90
STOP_LIMIT_S = 15


class ServerProcess(ABC):
    """Starts on entering, is up then, and ends on leaving.

    Args:
        folder: Where it runs.
        env: Its variables.
        log: Where it writes what it prints.
    """

    def __init__(self, folder: Path, env: Mapping[str, str], log: Path) -> None:
        self.port = free_port()
        self.log = log
        self._folder = folder
        self._env = dict(env)

    @abstractmethod
    def command(self) -> Sequence[str]:
        """What starts it."""

    @abstractmethod
    def look(self) -> object:
        """Ask it anything; raises `OSError` until it answers."""

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self.command(),
                cwd=self._folder,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=end_with_parent,
            )
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def stop(self) -> None:
        """End it."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _wait_until_it_answers(self) -> None:
        end = time.monotonic() + START_LIMIT_S
        while True:
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended while it started:\n{self.log.read_text()[-3000:]}")
            with contextlib.suppress(OSError):
                self.look()
                return
            if time.monotonic() > end:
                raise TimeoutError(f"the server did not answer:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.1)
