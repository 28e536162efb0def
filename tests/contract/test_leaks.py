"""The check that nothing is left sees each kind of thing that could be."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

import deepset_nb as dn
from deepset_nb import bridge
from deepset_nb._places import state_folder
from deepset_nb.client import AsyncClient
from tests import leaks
from tests.leaks import nothing_left


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "SETTLE_S", 0.2)


def test_a_task_is_seen(ws: dn.Workspace) -> None:
    task = bridge.submit(asyncio.sleep, 0)
    task.result()
    with pytest.raises(AssertionError, match="asyncio tasks left"), nothing_left(ws):
        task = bridge.submit(asyncio.sleep, 60)
    task.cancel()


def test_a_socket_is_seen(ws: dn.Workspace) -> None:
    port = int(ws.settings.host.rpartition(":")[2])
    with socket.socket() as left, pytest.raises(AssertionError, match="sockets left"), nothing_left(ws):
        left.connect(("127.0.0.1", port))


def test_an_open_file_and_a_lock_are_seen(ws: dn.Workspace, folder: Path) -> None:
    left = (folder / "report-0.txt").open()
    with pytest.raises(AssertionError, match="open files left"), nothing_left(ws, folder):
        left.read()
    left.close()
    lock = state_folder() / "running" / "one.lock"
    lock.parent.mkdir(parents=True)
    with pytest.raises(AssertionError, match="locks left"), nothing_left(ws, folder):
        lock.touch()


def test_a_session_that_nobody_names_is_seen(ws: dn.Workspace) -> None:
    async def open_one() -> None:
        async with AsyncClient(ws.settings) as client:
            await client.upload_sessions.create(ws.name)

    with pytest.raises(AssertionError, match="open upload sessions"), nothing_left(ws):
        bridge.run(open_one)
