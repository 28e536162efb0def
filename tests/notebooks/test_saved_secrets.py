"""Every notebook, executed as papermill and graders do: all widget state is saved then, and no secret is in it."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import nbclient
import nbformat
import pytest

import deepset_nb as dn
from deepset_nb._places import notebooks_folder
from deepset_nb.connect import JOIN
from deepset_nb.emulator.config import SandboxConfig
from deepset_nb.emulator.server import SandboxServer

NOTEBOOKS = sorted(path.name for path in notebooks_folder().glob("*.ipynb"))
STATE = "application/vnd.jupyter.widget-state+json"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_no_secret_is_in_a_notebook_executed_without_a_browser(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(notebooks_folder(), tmp_path / "lessons")
    server = SandboxServer(SandboxConfig())
    connection = server.start()
    monkeypatch.setenv(JOIN, json.dumps(asdict(connection)))
    notebook = nbformat.read(folder / name, as_version=4)
    try:
        # An exercise that nobody has solved yet may fail: what is saved then counts, too.
        client = nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}})
        client.allow_errors = True
        client.execute()
    finally:
        server.stop()
    saved = tmp_path / name
    nbformat.write(notebook, saved)
    found = dn.check_notebook(saved)
    text = saved.read_text()

    states = notebook.metadata["widgets"][STATE]["state"].values()
    assert any("state" in one["state"] for one in states)  # the panels are in the file, so it is worth looking
    assert found[found["kind"].isin(["API key", "presigned field"])].empty, found.to_string()
    assert connection.api_key not in text
    assert connection.admin_key not in text
