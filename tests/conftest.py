"""What tests of several rooms share: a real sandbox over a socket, and a machine without anybody's settings."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

import deepset_nb as dn
from deepset_nb import bridge, settings
from deepset_nb._places import STATE_VARIABLE
from deepset_nb.connect import JOIN
from deepset_nb.connect import _enter as enter
from deepset_nb.emulator.config import SandboxConfig
from deepset_nb.emulator.server import Connection, SandboxServer
from deepset_nb.i18n import ENGLISH

hypothesis.settings.register_profile("shared machine", deadline=None)  # a busy machine is no finding
hypothesis.settings.load_profile("shared machine")

_rooms = itertools.count(1)


@pytest.fixture(autouse=True)
def _nobodys_settings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No key, no .env and no sandbox of whoever runs the tests, and no language of the test before."""
    for name in (*settings.KEY_NAMES, *settings.URL_NAMES, *settings.WORKSPACE_NAMES, JOIN):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path_factory.mktemp("state")))
    yield
    settings.forget()
    if (widgets := sys.modules.get("deepset_nb.widgets._base")) is not None:
        widgets.Widget._heard = ENGLISH


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[SandboxServer]:
    """One sandbox for all tests of a process."""
    server = SandboxServer(SandboxConfig(corpus=False))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def connection(sandbox_server: SandboxServer) -> Connection:
    """How to reach it."""
    return sandbox_server.start()


@pytest.fixture
def ws(sandbox_server: SandboxServer, connection: Connection) -> Iterator[dn.Workspace]:
    """A workspace of this test's own, empty; faults are cleared afterwards."""
    name = f"room-{next(_rooms)}"
    sandbox_server.add_workspace(name)
    workspace = enter({**vars(connection)}, name)  # what dn.sandbox(workspace=name) does
    yield workspace
    assert workspace.sandbox is not None
    workspace.sandbox.clear_faults()
    bridge.run(workspace._connection.close)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five small files, two with metadata."""
    made = tmp_path / "reports"
    made.mkdir()
    for number in range(5):
        (made / f"report-{number}.txt").write_text(f"Report {number}.\n" * 20)
    for number in (0, 1):
        (made / f"report-{number}.txt.meta.json").write_text(f'{{"number": {number}}}')
    return made
