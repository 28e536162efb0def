"""marimo on one notebook, on loopback and behind a token."""

from __future__ import annotations

import os
import secrets
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from tests.browser.server_process import ServerProcess

Theme = Literal["light", "dark"]


class MarimoServer(ServerProcess):
    """One server process that shows a notebook as an application; use it as a context manager.

    Args:
        home: An empty folder.
        cells: Code of the cells; each ends in what it shows, names of one are known to the later ones.
        env: Variables the kernel sees.
        theme: Of the page.
    """

    def __init__(self, home: Path, cells: Sequence[str], env: Mapping[str, str], *, theme: Theme = "light") -> None:
        own = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "CACHE", "STATE", "DATA")}
        own |= {"HOME": str(home), "MARIMO_SKIP_UPDATE_CHECK": "1"}
        super().__init__(home, {**os.environ, **env, **own}, home / "marimo.log")
        self._token = secrets.token_hex(16)
        self.url = f"http://127.0.0.1:{self.port}/?access_token={self._token}"
        (home / "notebook.py").write_text(_notebook_of(cells))
        (home / "pyproject.toml").write_text(f'[tool.marimo.display]\ntheme = "{theme}"\n')

    def command(self) -> list[str]:
        """The notebook as an application."""
        command = [sys.executable, "-m", "marimo", "-q", "run", "--headless", "--host", "127.0.0.1"]
        return [*command, "--port", str(self.port), "--token", "--token-password", self._token, "notebook.py"]

    def look(self) -> object:
        """Whether it is up."""
        return urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5).close()


def _notebook_of(cells: Sequence[str]) -> str:
    # Added as source and not as functions: marimo finds by itself which cell gives what to which.
    lines = ["import marimo", "app = marimo.App()"]
    for cell in cells:
        body = "\n".join(f"    {line}" for line in cell.splitlines())
        lines.append(f"\n@app.cell\ndef _():\n{body}\n    return\n")
    return "\n".join([*lines, 'if __name__ == "__main__":\n    app.run()\n'])
