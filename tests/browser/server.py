"""A JupyterLab server for the browser tests: on loopback, behind a token, with settings of its own."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

START_LIMIT_S = 90
STOP_LIMIT_S = 15

LAB_SETTINGS: dict[str, dict[str, object]] = {
    # No question about news and no look for updates: both cover the page, both want the network.
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    # A test saves when it wants to.
    "docmanager-extension/plugin": {"autosave": False},
    # Cells out of sight stay in the document, so that their widgets can be found.
    "notebook-extension/tracker": {"windowingMode": "none"},
}


class JupyterServer:
    """One server process; use it as a context manager.

    Args:
        home: An empty folder; everything the server and its kernels write goes there.
        env: Variables its kernels see.
    """

    def __init__(self, home: Path, env: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.root = home / "notebooks"
        self.log = home / "server.log"
        self.token = secrets.token_hex(16)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._env = {**os.environ, **self._private_folders(), **(env or {})}

    def _private_folders(self) -> dict[str, str]:
        folders = {
            "HOME": self.home / "user",  # no account, no journal of the developer's
            "JUPYTER_CONFIG_DIR": self.home / "config",
            "JUPYTER_DATA_DIR": self.home / "data",
            "JUPYTER_RUNTIME_DIR": self.home / "runtime",
            "JUPYTERLAB_SETTINGS_DIR": self.home / "settings",
            "JUPYTERLAB_WORKSPACES_DIR": self.home / "workspaces",
            "IPYTHONDIR": self.home / "ipython",
        }
        for folder in (self.root, *folders.values()):
            folder.mkdir(parents=True, exist_ok=True)
        return {name: str(folder) for name, folder in folders.items()}

    def __enter__(self) -> Self:
        for name, settings in LAB_SETTINGS.items():
            file = self.home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(settings))
        options = {
            "JupyterNotebookApp.expose_app_in_browser": True,
            "ServerApp.ip": "127.0.0.1",
            "ServerApp.port": self.port,
            "ServerApp.port_retries": 0,
            "ServerApp.root_dir": self.root,
            "IdentityProvider.token": self.token,
            "LabApp.expose_app_in_browser": True,  # window.jupyterapp, which lab.py drives
            "LabApp.extension_manager": "readonly",
            "LabApp.news_url": None,
            "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        }
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
                + [f"--{name}={value}" for name, value in options.items()],
                cwd=self.root,
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
        """The server's process."""
        return self._process.pid

    def _wait_until_it_answers(self) -> None:
        end = time.monotonic() + START_LIMIT_S
        while True:
            if self._process.poll() is not None:
                raise RuntimeError(f"the server ended while it started:\n{self.log.read_text()[-3000:]}")
            with contextlib.suppress(OSError):
                self.request("GET", "/api/status")
                return
            if time.monotonic() > end:
                raise TimeoutError(f"the server did not answer:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.1)

    def request(self, method: str, path: str) -> Any:
        """Ask the server's REST API."""
        request = urllib.request.Request(
            self.url + path, method=method, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def end_kernels(self) -> None:
        """Shut down every kernel, those of closed notebooks too."""
        for kernel in self.request("GET", "/api/kernels"):
            with contextlib.suppress(OSError):  # it may have gone with its session
                self.request("DELETE", f"/api/kernels/{kernel['id']}")

    def stop(self) -> None:
        """End the kernels and the server."""
        with contextlib.suppress(OSError):
            self.end_kernels()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def end_with_parent() -> None:
    """On Linux, have this child end when pytest is killed: no fixture runs then."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)
