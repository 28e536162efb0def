"""Where notebooks run: a folder and a sandbox as ``deepset-nb demo`` gives them, and a kernel for each run."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import nbclient

from deepset_nb import settings
from deepset_nb._places import STATE_VARIABLE
from deepset_nb.connect import JOIN
from deepset_nb.demo import write_notebooks
from deepset_nb.emulator.config import SandboxConfig
from deepset_nb.emulator.server import SandboxServer

CELL_LIMIT_S = 60
SEED = 1  # the same ids, times and failures in every run, so that outputs can be compared

Attempt = Callable[[str], None]
Step = Callable[[Any, Attempt], None]


class Classroom:
    """A sandbox, and a folder with the notebooks and documents; nothing of whoever runs it is seen or touched.

    Attributes:
        folder: Where the notebooks run.
    """

    def __init__(self) -> None:
        self._home = tempfile.TemporaryDirectory(prefix="deepset-nb-class-")
        self.folder = Path(self._home.name) / "notebooks"
        self._server = SandboxServer(SandboxConfig(seed=SEED))

    def __enter__(self) -> Self:
        self.folder.mkdir()
        write_notebooks(self.folder)
        home = Path(self._home.name)
        self._env = {name: value for name, value in os.environ.items() if name not in _PERSONAL}
        self._env |= {
            JOIN: json.dumps(asdict(self._server.start())),
            STATE_VARIABLE: str(home / "state"),
            "HOME": str(home),
            "IPYTHONDIR": str(home / "ipython"),
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        self._home.cleanup()

    def run(self, notebook: Any, step: Step | None = None) -> Any:
        """Run a notebook's cells in a kernel of its own and fill in their outputs; a cell that raises ends it.

        Args:
            notebook: As nbformat gives it.
            step: Called in place of running each code cell, with the cell and a function that runs its code, or other
                code in its place.
        """
        client = nbclient.NotebookClient(
            notebook,
            timeout=CELL_LIMIT_S,
            kernel_name="python3",
            resources={"metadata": {"path": str(self.folder)}},
        )
        with client.setup_kernel(env=self._env, cwd=str(self.folder)):
            for index, cell in enumerate(notebook.cells):
                if cell.cell_type != "code":
                    continue

                def attempt(code: str, cell: Any = cell, index: int = index) -> None:
                    cell.source = code
                    client.execute_cell(cell, index)

                if step:
                    step(cell, attempt)
                else:
                    attempt(cell.source)
        return notebook


_PERSONAL = {*settings.KEY_NAMES, *settings.URL_NAMES, *settings.WORKSPACE_NAMES}
