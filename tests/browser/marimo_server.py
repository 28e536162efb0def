"""marimo on one notebook, on loopback and behind a token."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from tests.browser.server import START_LIMIT_S, STOP_LIMIT_S, end_with_parent, free_port

Theme = Literal["light", "dark"]


class MarimoServer:
    """One server process that shows a notebook as an application; use it as a context manager.

    Args:
        home: An empty folder.
        cells: Code of the cells; each ends in what it shows, names of one are known to the later ones.
        env: Variables the kernel sees.
        theme: Of the page.
    """

    def __init__(self, home: Path, cells: Sequence[str], env: Mapping[str, str], *, theme: Theme = "light") -> None:
        self.log = home / "marimo.log"
        self._home = home
        self._port = free_port()
        self._token = secrets.token_hex(16)
        self._env = {**os.environ, **env, "HOME": str(home), "MARIMO_SKIP_UPDATE_CHECK": "1"}
        for name in ("CONFIG", "CACHE", "STATE", "DATA"):
            self._env[f"XDG_{name}_HOME"] = str(home / name.lower())
        self.url = f"http://127.0.0.1:{self._port}/?access_token={self._token}"
        (home / "notebook.py").write_text(_notebook_of(cells))
        (home / "pyproject.toml").write_text(f'[tool.marimo.display]\ntheme = "{theme}"\n')

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "marimo", "-q", "run", "--headless", "--host", "127.0.0.1"]
        command += ["--port", str(self._port), "--token", "--token-password", self._token, "notebook.py"]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self._home,
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

    def _wait_until_it_answers(self) -> None:
        end = time.monotonic() + START_LIMIT_S
        while True:
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"marimo did not start:\n{self.log.read_text()[-3000:]}")
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{self._port}/health", timeout=5).close()
                return
            time.sleep(0.1)

    def stop(self) -> None:
        """End the server and its kernels."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _notebook_of(cells: Sequence[str]) -> str:
    # Added as source and not as functions: marimo finds by itself which cell gives what to which.
    lines = ["import marimo", "app = marimo.App()"]
    for cell in cells:
        body = "\n".join(f"    {line}" for line in cell.splitlines())
        lines.append(f"\n@app.cell\ndef _():\n{body}\n    return\n")
    return "\n".join([*lines, 'if __name__ == "__main__":\n    app.run()\n'])
