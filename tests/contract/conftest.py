"""Real servers on real sockets: one for all tests, in which each test has a room of its own, or one per test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deepset_nb.emulator import SandboxConfig, SandboxServer
from tests.contract.rooms import Clock, Room, StartedRoom, api_client


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start() -> Iterator[Callable[..., Room]]:
    """Start a sandbox of one's own: ``start(ingest_delay_s=5)`` is its first workspace."""
    servers: list[SandboxServer] = []
    clients: list[httpx.Client] = []

    def start(**config: Any) -> Room:
        server = SandboxServer(SandboxConfig(**{"corpus": False} | config))
        servers.append(server)
        connection = server.start()
        clients.append(api_client(connection))
        return StartedRoom(clients[-1], connection.workspace, server, connection)

    yield start
    for client in clients:
        client.close()
    for server in servers:
        server.stop()


@pytest.fixture(scope="session")
def shared_server() -> Iterator[SandboxServer]:
    server = SandboxServer(SandboxConfig(corpus=False))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def room(shared_server: SandboxServer) -> Iterator[Room]:
    """An empty workspace in the sandbox all tests share."""
    name = f"room-{uuid4().hex[:8]}"
    shared_server.add_workspace(name)
    with api_client(shared_server.start()) as api:
        yield Room(api, name)
