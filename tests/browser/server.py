"""A JupyterLab server for the browser tests: on loopback, behind a token, with settings of its own."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.browser.server_process import ServerProcess

LAB_SETTINGS: dict[str, dict[str, object]] = {
    # No question about news and no look for updates: both cover the page, both want the network.
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    # A test saves when it wants to.
    "docmanager-extension/plugin": {"autosave": False},
    # Cells out of sight stay in the document, so that their widgets can be found.
    "notebook-extension/tracker": {"windowingMode": "none"},
}


class JupyterServer(ServerProcess):
    """One server process; use it as a context manager.

    Args:
        home: An empty folder; everything the server and its kernels write goes there.
        env: Variables its kernels see.
    """

    def __init__(self, home: Path, env: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.root = home / "notebooks"
        self.token = secrets.token_hex(16)
        super().__init__(self.root, {**os.environ, **self._private_folders(), **(env or {})}, home / "server.log")
        self.url = f"http://127.0.0.1:{self.port}"

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

    def command(self) -> list[str]:
        """JupyterLab, with its settings written."""
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
        return [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"] + [
            f"--{name}={value}" for name, value in options.items()
        ]

    def look(self) -> object:
        """Its version, if it is up."""
        return self.request("GET", "/api/status")

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
        super().stop()
