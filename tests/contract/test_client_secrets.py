"""Neither the key nor the form's fields appear anywhere but on the wire."""

from __future__ import annotations

import asyncio
import logging
import traceback
from dataclasses import replace

import pytest
import stamina

from deepset_nb import errors
from deepset_nb.client import AsyncClient
from deepset_nb.client.http1 import Http1Transport
from deepset_nb.emulator.config import SandboxConfig
from deepset_nb.emulator.server import SandboxServer
from deepset_nb.models import AWSPrefixedRequestConfig, OpenedSession
from deepset_nb.settings import Secret, Settings, resolve

KEY = "api_the-very-secret-key"


@pytest.fixture
def sandbox():
    """A sandbox whose bucket breaks and is busy, so that retries and errors are logged, too."""
    server = SandboxServer(
        SandboxConfig(api_key=KEY, corpus=False, faults=("reset:1", "slow_down:2", "api_502_html:1"))
    )
    connection = server.start()
    yield resolve(connection.workspace, api_key=KEY, api_url=connection.api_url)
    server.stop()


async def everything(settings: Settings, shown: list[object]) -> OpenedSession:
    """Use the client in all its ways; collect what could be shown."""
    workspace = settings.workspace_name
    async with AsyncClient(settings) as client:
        me = await client.workspaces.me()
        opened = await client.upload_sessions.create(workspace)
        form = opened.aws_prefixed_request_config
        async with client.bucket(form) as bucket:
            await bucket.post("a.txt", bytes(400_000), 400_000, on_retry=shown.append)
            shown += [me, opened, form, bucket, client, settings, settings.api_key]
        altered = AWSPrefixedRequestConfig(form.url, {**form.fields, "x-amz-signature": "0" * 64})
        async with client.bucket(altered) as bucket:
            shown.append(await error_of(bucket.post("b.txt", b"x", 1)))
        await client.upload_sessions.close(workspace, opened.session_id)
        shown.append(await error_of(client.upload_sessions.close(workspace, opened.session_id)))
        shown.append(await error_of(client.upload_sessions.create("nowhere")))
    async with AsyncClient(replace(settings, api_key=Secret(f"{KEY}-wrong"))) as client:
        shown.append(await error_of(client.workspaces.me()))
    async with AsyncClient(replace(settings, api_url="http://127.0.0.1:9/api/v1")) as client:
        shown.append(await error_of(client.workspaces.me()))
    return opened


async def error_of(call) -> errors.DeepsetError:
    with pytest.raises(errors.DeepsetError) as caught:
        await call
    return caught.value


def words_of(thing: object) -> str:
    words = f"{thing!r} {thing}"
    if isinstance(thing, BaseException):
        told = traceback.TracebackException.from_exception(thing, capture_locals=True)
        words += "".join(told.format()) + str(vars(thing))
    return words


def test_no_secret_is_shown_logged_or_told(sandbox, caplog, capfd):
    shown: list[object] = []

    with caplog.at_level(logging.DEBUG), stamina.set_testing(True, attempts=5, cap=True):
        opened = asyncio.run(everything(sandbox, shown))

    logged = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    text = "\n".join([logged, *capfd.readouterr(), *map(words_of, shown)])
    fields = opened.aws_prefixed_request_config.fields
    assert "httpcore" in logged
    assert len(shown) > 10
    assert KEY not in text
    for name in ("policy", "x-amz-signature", "x-amz-credential"):
        assert fields[name]
        assert fields[name] not in text


def test_only_the_api_is_sent_the_key(sandbox, monkeypatch):
    sent: list[tuple[str, bool]] = []

    async def run() -> None:
        import httpx

        def watch(transport: type[httpx.AsyncBaseTransport]) -> None:
            handle = transport.handle_async_request

            async def watched(self, request):
                sent.append((request.url.path, "authorization" in request.headers))
                return await handle(self, request)

            monkeypatch.setattr(transport, "handle_async_request", watched)

        watch(httpx.AsyncHTTPTransport)
        watch(Http1Transport)
        await everything(sandbox, [])

    with stamina.set_testing(True, attempts=5, cap=True):
        asyncio.run(run())

    with_key = {path.startswith("/api/v1/") for path, has_key in sent if has_key}
    without = {path.startswith("/api/v1/") for path, has_key in sent if not has_key}
    assert (with_key, without) == ({True}, {False})
