"""Every notebook, executed as papermill and graders do: all widget state is saved then, and no secret is in it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import nbclient
import nbformat
import pytest

import deepset_nb as dn
from deepset_nb._places import notebooks_folder
from deepset_nb.connect import JOIN
from deepset_nb.emulator import Connection, sigv4
from deepset_nb.emulator.config import SandboxConfig
from deepset_nb.emulator.server import SandboxServer

NOTEBOOKS = sorted(path.name for path in notebooks_folder().glob("*.ipynb"))
STATE = "application/vnd.jupyter.widget-state+json"


CARELESS = """import anywidget, traitlets
import deepset_nb as dn
from deepset_nb import bridge
ws = dn.sandbox()
async def form():
    async with dn.AsyncClient(ws.settings) as client:
        session = await client.upload_sessions.create(ws.name)
        return dict(session.aws_prefixed_request_config.fields)
class Careless(anywidget.AnyWidget):
    _esm = "export default {}"
    kept = traitlets.Unicode("").tag(sync=True)
fields = bridge.run(form)
print(fields["x-amz-signature"])
Careless(kept=fields["policy"])"""


@pytest.fixture
def signed(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Policies and signatures of all forms that sandboxes of this process have handed out."""
    found: set[str] = set()
    sign = sigv4.Credentials.sign

    def noted(credentials: sigv4.Credentials, policy: str, date: str, region: str) -> str:
        signature = sign(credentials, policy, date, region)
        found.update((policy, signature))
        return signature

    monkeypatch.setattr(sigv4.Credentials, "sign", noted)
    return found


@pytest.fixture
def sandbox(signed: set[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    """The sandbox that notebooks join."""
    server = SandboxServer(SandboxConfig())
    connection = server.start()
    monkeypatch.setenv(JOIN, json.dumps(asdict(connection)))
    yield connection
    server.stop()


def executed(notebook: nbformat.NotebookNode, folder: Path, saved: Path) -> str:
    """Execute a notebook, save it, and return the file's text."""
    # An exercise that nobody has solved yet may fail: what is saved then counts, too.
    client = nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}})
    client.allow_errors = True
    client.execute()
    nbformat.write(notebook, saved)
    return saved.read_text()


def parts_of_forms(text: str, signed: set[str]) -> list[str]:
    """What is in a file of presigned forms: those handed out, and whatever looks like one."""
    looks = re.findall(r"eyJleHBpcmF0aW9u|eyJjb25kaXRpb25z|x-amz-signature\W{1,20}[0-9a-f]{64}", text)
    return looks + [one for one in signed if one in text]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_no_secret_is_in_a_notebook_executed_without_a_browser(
    name: str, tmp_path: Path, sandbox: Connection, signed: set[str]
) -> None:
    folder = shutil.copytree(notebooks_folder(), tmp_path / "lessons")
    notebook = nbformat.read(folder / name, as_version=4)
    text = executed(notebook, folder, tmp_path / name)
    found = dn.check_notebook(tmp_path / name)

    states = notebook.metadata["widgets"][STATE]["state"].values()
    assert any("state" in one["state"] for one in states)  # the panels are in the file, so it is worth looking
    assert signed or name.startswith("05")  # that one has sandboxes of its own, in its kernel
    assert found[found["kind"].isin(["API key", "presigned field"])].empty, found.to_string()
    assert sandbox.api_key not in text
    assert sandbox.admin_key not in text
    assert parts_of_forms(text, signed) == []


def test_a_notebook_that_keeps_parts_of_a_form_is_found_out(
    tmp_path: Path, sandbox: Connection, signed: set[str]
) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CARELESS)])
    text = executed(notebook, tmp_path, tmp_path / "careless.ipynb")
    policy, signature = sorted(signed, key=len, reverse=True)

    assert set(parts_of_forms(text, signed)) == {policy, signature, "eyJleHBpcmF0aW9u"}
    assert len(parts_of_forms(json.dumps({"policy": policy, "x-amz-signature": signature}), set())) == 2
