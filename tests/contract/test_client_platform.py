"""The client against the sandbox, over sockets: sessions, the bucket, files, errors."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from uuid import uuid4

import pytest
import stamina

from deepset_nb import errors
from deepset_nb.client import AsyncClient
from deepset_nb.client.filenames import stored_name
from deepset_nb.emulator.config import SandboxConfig
from deepset_nb.emulator.server import SandboxServer
from deepset_nb.models import IngestionStatus, UploadSessionState, WriteMode
from deepset_nb.settings import Settings, resolve

WORKSPACE = "client tests ü"
NAMES = ["plain.txt", "two words.txt", "naïve.txt", "emoji 🚀.md", "a+b&c=d;e (1).txt", "50% of [all] ~#.txt"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Settings]:
    """A running sandbox with an empty workspace."""
    server = SandboxServer(SandboxConfig(workspace=WORKSPACE, corpus=False))
    connection = server.start()
    yield resolve(WORKSPACE, api_key=connection.api_key, api_url=connection.api_url)
    server.stop()


def ask(settings: Settings, call):
    async def run():
        async with AsyncClient(settings) as client:
            return await asyncio.wait_for(call(client), 60)

    with stamina.set_testing(True, attempts=5, cap=True):
        return asyncio.run(run())


async def flat(pages) -> list:
    return [row async for page in pages for row in page]


async def ingested(client: AsyncClient, session_id, count: int) -> dict[str, tuple[str, str | None]]:
    for _ in range(500):
        counts = (await client.upload_sessions.status(WORKSPACE, session_id)).ingestion_status
        if counts.finished_files + counts.failed_files >= count:
            break
        await asyncio.sleep(0.02)
    rows = await flat(client.upload_sessions.files(WORKSPACE, session_id))
    return {row.name: (str(row.ingestion_status), row.ingestion_status_reason) for row in rows}


def test_the_key_tells_who_and_where(sandbox):
    async def who(client):
        return await client.workspaces.me(), await client.workspaces.list(), await client.workspaces.get(WORKSPACE)

    me, workspaces, workspace = ask(sandbox, who)

    assert me.organization is not None
    assert workspace in workspaces
    assert workspace.name == WORKSPACE


def test_every_name_arrives_as_the_client_said_it_would(sandbox):
    async def upload(client):
        opened = await client.upload_sessions.create(WORKSPACE)
        async with client.bucket(opened.aws_prefixed_request_config) as bucket:
            for name in NAMES:
                await bucket.post(name, name.encode(), len(name.encode()))
        await client.upload_sessions.close(WORKSPACE, opened.session_id)
        outcome = await ingested(client, opened.session_id, len(NAMES))
        files = {file.name: file for file in await flat(client.files.list(WORKSPACE))}
        content = {
            name: b"".join(
                [piece async for piece in client.files.download(WORKSPACE, files[stored_name(name)].file_id)]
            )
            for name in NAMES
        }
        return outcome, content

    outcome, content = ask(sandbox, upload)

    assert outcome == {stored_name(name): ("FINISHED", None) for name in NAMES}
    assert content == {name: name.encode() for name in NAMES}


def test_a_large_file_from_disk_comes_back_the_same(sandbox, tmp_path):
    path = tmp_path / "large.bin"
    path.write_bytes(os.urandom(5_000_000))
    sent: list[int] = []

    async def there_and_back(client):
        opened = await client.upload_sessions.create(WORKSPACE, WriteMode.OVERWRITE)
        async with client.bucket(opened.aws_prefixed_request_config) as bucket:
            await bucket.post("large.bin", path, 5_000_000, on_sent=sent.append)
        await client.upload_sessions.close(WORKSPACE, opened.session_id)
        await ingested(client, opened.session_id, 1)
        [file] = await flat(client.files.list(WORKSPACE, name="large.bin"))
        return b"".join([piece async for piece in client.files.download(WORKSPACE, file.file_id)])

    assert ask(sandbox, there_and_back) == path.read_bytes()
    assert sum(sent) == 5_000_000


def test_many_small_files_go_over_many_connections(sandbox):
    async def upload(client):
        opened = await client.upload_sessions.create(WORKSPACE)
        async with client.bucket(opened.aws_prefixed_request_config, connections=32) as bucket:
            await asyncio.gather(*[bucket.post(f"small{number}.txt", b"x", 1) for number in range(120)])
        await client.upload_sessions.close(WORKSPACE, opened.session_id)
        await ingested(client, opened.session_id, 120)
        found = await flat(client.files.list(WORKSPACE, name="small", batch_size=50))
        return {file.name for file in found}, len(found)

    names, count = ask(sandbox, upload)

    assert names == {f"small{number}.txt" for number in range(120)}
    assert count == 120


def test_a_direct_upload_is_there_at_once_with_its_metadata(sandbox):
    async def upload(client):
        file_id = await client.files.upload_text(WORKSPACE, "direct ü.txt", "grüße", {"topic": "news", "n": 3})
        [file] = await flat(client.files.list(WORKSPACE, odata_filter="topic eq 'news'"))
        return file_id, file, await client.files.meta(WORKSPACE, file_id)

    file_id, file, meta = ask(sandbox, upload)

    assert (file.file_id, file.name, file.size) == (file_id, "direct ü.txt", len("grüße".encode()))
    assert meta == {"topic": "news", "n": 3}


def test_a_direct_upload_from_disk_comes_back_the_same(sandbox, tmp_path):
    path = tmp_path / "d.bin"
    path.write_bytes(os.urandom(1_500_000))

    async def there_and_back(client):
        file_id = await client.files.upload(WORKSPACE, "d.bin", path)
        return b"".join([piece async for piece in client.files.download(WORKSPACE, file_id)])

    assert ask(sandbox, there_and_back) == path.read_bytes()


def test_a_name_that_exists_is_a_conflict_in_fail_mode(sandbox):
    async def twice(client):
        for _ in range(2):
            await client.files.upload(WORKSPACE, "once.txt", b"x", write_mode=WriteMode.FAIL)

    with pytest.raises(errors.Conflict, match=r"once\.txt"):
        ask(sandbox, twice)


def test_failed_files_come_with_their_reason(sandbox):
    async def upload(client):
        opened = await client.upload_sessions.create(WORKSPACE)
        async with client.bucket(opened.aws_prefixed_request_config) as bucket:
            await bucket.post("empty.txt", b"", 0)
            await bucket.post("bad.txt", b"x", 1)
            await bucket.post("bad.txt.meta.json", b"{no json", 8)
        await client.upload_sessions.close(WORKSPACE, opened.session_id)
        outcome = await ingested(client, opened.session_id, 2)
        failed = client.upload_sessions.files(WORKSPACE, opened.session_id, ingestion_status=IngestionStatus.FAILED)
        return outcome, len(await flat(failed))

    outcome, failed = ask(sandbox, upload)

    assert outcome == {"empty.txt": ("FAILED", "EMPTY_FILE"), "bad.txt": ("FAILED", "FAILED_TO_PARSE_META")}
    assert failed == 2


def test_sessions_are_listed_and_closing_one_twice_is_a_conflict(sandbox):
    async def open_and_close(client):
        opened = await client.upload_sessions.create(WORKSPACE, expires_in_seconds=600)
        await client.upload_sessions.close(WORKSPACE, opened.session_id)
        listed = await flat(client.upload_sessions.list(WORKSPACE, is_expired=False, batch_size=3))
        with pytest.raises(errors.Conflict, match="closed already"):
            await client.upload_sessions.close(WORKSPACE, str(opened.session_id))
        return opened, {detail.session_id: detail for detail in listed}

    opened, listed = ask(sandbox, open_and_close)

    assert listed[opened.session_id].status is UploadSessionState.CLOSED
    assert listed[opened.session_id].expires_at == opened.expires_at


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda client: client.upload_sessions.status(WORKSPACE, uuid4()), errors.SessionNotFound),
        (lambda client: client.upload_sessions.close(WORKSPACE, uuid4()), errors.SessionNotFound),
        (lambda client: flat(client.upload_sessions.files(WORKSPACE, uuid4())), errors.SessionNotFound),
        (lambda client: client.files.meta(WORKSPACE, uuid4()), errors.FileNotFound),
        (lambda client: flat(client.files.download(WORKSPACE, uuid4())), errors.FileNotFound),
        (lambda client: client.files.upload(WORKSPACE, "empty.txt", b""), errors.Unprocessable),
        (lambda client: client.upload_sessions.create(WORKSPACE, "SIDEWAYS"), errors.Unprocessable),
        (lambda client: flat(client.files.list(WORKSPACE, odata_filter="this is no filter")), errors.Unprocessable),
        (lambda client: client.files.upload(WORKSPACE, "m.txt", b"x", meta={"a": "x" * 33_000}), errors.TooLarge),
    ],
)
def test_what_cannot_work_is_the_error_that_says_so(sandbox, call, kind):
    with pytest.raises(kind) as caught:
        ask(sandbox, call)

    assert caught.value.status >= 400
    assert caught.value.remedy


def test_a_misspelt_workspace_is_answered_with_the_right_spelling(sandbox):
    with pytest.raises(errors.WorkspaceNotFound, match=f"Did you mean '{WORKSPACE}'"):
        ask(sandbox, lambda client: client.upload_sessions.create("client test ü"))


def test_a_wrong_key_is_told_apart_from_a_wrong_address(sandbox):
    wrong_key = resolve(WORKSPACE, api_key="wrong", api_url=sandbox.api_url)
    with pytest.raises(errors.Unauthorized, match=sandbox.host):
        ask(wrong_key, lambda client: client.workspaces.me())

    nobody = resolve(WORKSPACE, api_key="wrong", api_url="http://127.0.0.1:9")
    with pytest.raises(errors.ConnectionFailed, match=r"127\.0\.0\.1:9"):
        ask(nobody, lambda client: client.workspaces.me())


def test_too_many_open_sessions_say_what_to_do(sandbox):
    async def open_many(client):
        opened = []
        try:
            for _ in range(11):
                opened.append(await client.upload_sessions.create(WORKSPACE))
        finally:
            for session in opened:
                await client.upload_sessions.close(WORKSPACE, session.session_id)

    with pytest.raises(errors.Conflict, match=r"close_upload_session\(\)"):
        ask(sandbox, open_many)


def test_a_form_whose_fields_were_altered_is_refused(sandbox):
    async def alter(client):
        opened = await client.upload_sessions.create(WORKSPACE)
        form = opened.aws_prefixed_request_config
        form.fields["x-amz-signature"] = "0" * 64
        try:
            async with client.bucket(form) as bucket:
                await bucket.post("a.txt", b"x", 1)
        finally:
            await client.upload_sessions.close(WORKSPACE, opened.session_id)

    with pytest.raises(errors.BucketError) as caught:
        ask(sandbox, alter)

    assert (caught.value.status, caught.value.code) == (403, "SignatureDoesNotMatch")


def test_a_proxy_in_the_environment_is_not_asked_about_this_machine(sandbox, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    async def upload(client):
        opened = await client.upload_sessions.create(WORKSPACE)
        async with client.bucket(opened.aws_prefixed_request_config) as bucket:
            await bucket.post("past the proxy.txt", b"x", 1)
        await client.upload_sessions.close(WORKSPACE, opened.session_id)

    ask(sandbox, upload)
