"""The client against a sandbox that misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import stamina

from deepset_nb import errors
from deepset_nb.client import AsyncClient
from deepset_nb.emulator.config import Choices, SandboxConfig
from deepset_nb.emulator.server import SandboxServer
from deepset_nb.settings import resolve


def with_faults(call: Callable[[AsyncClient, str], Coroutine[Any, Any, Any]], *faults: str, **choices: Any) -> Any:
    """Run ``call(client, workspace)`` against a fresh sandbox."""
    server = SandboxServer(SandboxConfig(corpus=False, faults=faults, choices=Choices(**choices)))
    connection = server.start()

    async def run() -> Any:
        async with AsyncClient(
            resolve(api_url=connection.api_url, api_key=connection.api_key, workspace_name="-")
        ) as client:
            return await asyncio.wait_for(call(client, connection.workspace), 60)

    try:
        with stamina.set_testing(True, attempts=5, cap=True):
            return asyncio.run(run())
    finally:
        server.stop()


async def upload_one(client: AsyncClient, workspace: str) -> tuple[list[int], list[errors.DeepsetError]]:
    sent: list[int] = []
    told: list[errors.DeepsetError] = []
    opened = await client.upload_sessions.create(workspace)
    async with client.bucket(opened.aws_prefixed_request_config) as bucket:
        await bucket.post("a.txt", bytes(600_000), 600_000, on_sent=sent.append, on_retry=told.append)
    return sent, told


@pytest.mark.parametrize(("fault", "retries"), [("slow_down:2", 2), ("reset:2", 2), ("latency:50ms", 0)])
def test_a_bucket_in_trouble_is_outlasted(fault, retries):
    sent, told = with_faults(upload_one, fault)

    assert sum(sent) == 600_000
    assert len(told) == retries


def test_a_bucket_that_stays_busy_says_so_in_its_own_words():
    with pytest.raises(errors.BucketError, match="SlowDown") as caught:
        with_faults(upload_one, "slow_down:50")

    assert caught.value.status == 503


def test_reading_outlasts_a_proxys_error_pages():
    me = with_faults(lambda client, workspace: client.workspaces.me(), "api_502_html:2")

    assert me.organization is not None


def test_what_cannot_be_repeated_fails_with_a_plain_sentence():
    with pytest.raises(errors.ServerError, match="Bad Gateway") as caught:
        with_faults(lambda client, workspace: client.upload_sessions.create(workspace), "api_502_html:1")

    assert "<" not in str(caught.value)


@pytest.mark.parametrize("choices", [{"time_suffix": "Z"}, {"null_expires_at": True}, {"error_wrapper": "detail"}])
def test_other_spellings_of_the_platform_are_understood(choices):
    async def open_and_look(client: AsyncClient, workspace: str) -> None:
        opened = await client.upload_sessions.create(workspace)
        await client.upload_sessions.status(workspace, opened.session_id)
        assert [page async for page in client.upload_sessions.list(workspace)]
        with pytest.raises(errors.WorkspaceNotFound):
            await client.upload_sessions.create("nowhere")

    with_faults(open_and_look, **choices)
