"""`python -m tests.notebooks.save`: run the notebooks on a sandbox and save them with their outputs.

A widget's live view needs a kernel, so the saved outputs keep its static form only; that is what GitHub, nbconvert and
JupyterLab before the first run show.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import nbclient
import nbformat

from deepset_nb._places import notebooks_folder
from deepset_nb.connect import JOIN
from deepset_nb.emulator.config import SandboxConfig
from deepset_nb.emulator.server import SandboxServer

LIVE = "application/vnd.jupyter.widget-view+json"


def save(path: Path) -> None:
    """Execute one notebook in a copy of its folder, and write it back with outputs."""
    notebook = nbformat.read(path, as_version=4)
    server = SandboxServer(SandboxConfig())
    os.environ[JOIN] = json.dumps(asdict(server.start()))
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(path.parent, folder, dirs_exist_ok=True)
        nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": folder}}).execute()
    server.stop()
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [_static(output) for output in cell.outputs]
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


def _static(output: Any) -> Any:
    output.get("data", {}).pop(LIVE, None)
    return output


if __name__ == "__main__":
    for found in sorted(notebooks_folder().glob("*.ipynb")):
        save(found)
        print(f"saved {found.name}")
