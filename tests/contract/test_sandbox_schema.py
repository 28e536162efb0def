"""Generated requests at every endpoint the sandbox's own schema names: whatever comes, the answer is no 5xx."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import hypothesis
import pytest
import schemathesis
from fastapi import FastAPI

from deepset_nb.emulator import Choices, SandboxConfig, SandboxServer
from deepset_nb.emulator.app import add_endpoints
from deepset_nb.emulator.auth import ADMIN_HEADER
from tests.contract.rooms import PLAIN

EXAMPLES = 30
ROOM = "room"
SETTINGS = hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,  # the same requests each time
    database=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)


def openapi() -> dict:
    app = FastAPI(title="deepset_nb sandbox", version="1")
    add_endpoints(app)
    return app.openapi()


SCHEMA = schemathesis.openapi.from_dict(openapi())
OPERATIONS = {operation.label: operation for operation in (result.ok() for result in SCHEMA.get_all_operations())}


@pytest.fixture(scope="module")
def server() -> Iterator[SandboxServer]:
    server = SandboxServer(SandboxConfig(workspace=ROOM, seed=1, choices=Choices(lenient_filter=True)))
    server.start()
    yield server
    server.stop()


def root_of(server: SandboxServer) -> str:
    return server.start().api_url.removesuffix("/api/v1")


def test_the_schema_that_is_served_is_the_one_that_is_tried(server):
    assert httpx.get(f"{root_of(server)}/openapi.json", verify=PLAIN).json() == openapi()
    assert len(OPERATIONS) > 25


@pytest.mark.parametrize("label", OPERATIONS)
def test_no_generated_request_is_a_server_error(server, label):
    connection, count = server.start(), 0
    headers = {"Authorization": f"Bearer {connection.api_key}", ADMIN_HEADER: connection.admin_key}

    @SETTINGS
    @hypothesis.given(case=OPERATIONS[label].as_strategy())
    def try_it(case: schemathesis.Case) -> None:
        nonlocal count
        count += 1
        if case.path_parameters and "workspace_name" in case.path_parameters and count % 4:
            server.add_workspace(ROOM)  # an earlier request may have deleted it
            case.path_parameters["workspace_name"] = ROOM
        response = case.call(base_url=root_of(server), headers=headers)
        assert response.status_code < 500, (response.status_code, case.as_curl_command())

    try_it()
