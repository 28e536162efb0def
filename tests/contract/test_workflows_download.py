"""From a workspace into a folder: every file whole or not there, nothing overwritten, nothing outside."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import deepset_nb as dn
from deepset_nb.errors import InputError, Unauthorized
from deepset_nb.job import DownloadJob
from deepset_nb.settings import resolve
from deepset_nb.transfer import fetch as module
from deepset_nb.transfer.download import Download
from deepset_nb.transfer.download_progress import DownloadProgress
from deepset_nb.workflows.sync_client.files import (
    DeepsetCloudFile,
    DeepsetCloudFileBytes,
    download,
    upload_bytes,
    upload_texts,
)
from tests.clients.account import account


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "got" / "files"


def fill(ws: dn.Workspace, **texts: str) -> None:
    upload_texts([DeepsetCloudFile(text, f"{name}.txt", {"from": name}) for name, text in texts.items()], **account(ws))


def on_disk(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def statuses(rows: list[dict[str, Any]]) -> dict[str, str]:
    return {row["stored_name"]: row["status"] for row in rows}


def test_files_and_metadata_arrive_byte_for_byte_beside_each_other(ws: dn.Workspace, target: Path) -> None:
    big = os.urandom(3_000_000)
    upload_bytes([DeepsetCloudFileBytes(big, "größe.bin", {"grün": [1, "ü"]})], **account(ws))
    rows = download(file_dir=str(target), **account(ws))

    assert (target / "größe.bin").read_bytes() == big
    assert json.loads((target / "größe.bin.meta.json").read_text()) == {"grün": [1, "ü"]}
    assert len(on_disk(target)) == 2
    assert rows[0] | {"seconds": 0} == {
        "path": str(target / "größe.bin"),
        "name": "größe.bin",
        "stored_name": "größe.bin",
        "size": 3_000_000,
        "status": "ok",
        "phase": "fetched",
        "attempts": 1,
        "reason": None,
        "remedy": None,
        "file_id": ws.list_files()["file_id"][0],
        "session_id": None,
        "seconds": 0,
    }


def test_a_fetched_file_may_be_read_like_any_other(ws: dn.Workspace, target: Path) -> None:
    fill(ws, a="x")
    download(file_dir=target, **account(ws))
    (target / "mine.txt").touch()

    assert stat.S_IMODE((target / "a.txt").stat().st_mode) == stat.S_IMODE((target / "mine.txt").stat().st_mode)


def test_the_current_folder_is_where_files_go_by_default(
    ws: dn.Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fill(ws, a="x")
    download(include_meta=False, **account(ws))

    assert on_disk(tmp_path) == {"a.txt": b"x"}


def test_a_second_run_fetches_only_what_is_new(ws: dn.Workspace, target: Path) -> None:
    fill(ws, a="x", b="y")
    download(file_dir=target, **account(ws))
    fill(ws, c="z")
    (target / "b.txt").unlink()
    (target / "a.txt.meta.json").unlink()

    assert statuses(download(file_dir=target, **account(ws))) == {"a.txt": "skipped", "b.txt": "ok", "c.txt": "ok"}
    assert set(on_disk(target)) == {f"{name}.txt{end}" for name in "abc" for end in ("", ".meta.json")}


def test_a_file_of_the_users_own_is_never_overwritten(ws: dn.Workspace, target: Path) -> None:
    target.mkdir(parents=True)
    (target / "a.txt").write_text("mine")
    (target / "b.txt.meta.json").write_text('{"mine": true}')
    fill(ws, a="x", b="y")
    rows = download(file_dir=target, **account(ws))

    assert (target / "a.txt").read_text() == "mine"
    assert (target / "a_1.txt").read_text() == "x"
    assert (target / "b.txt.meta.json").read_text() == '{"mine": true}'
    assert [row["remedy"] for row in rows if row["name"] == "b.txt"] == [
        "Its b.txt.meta.json is not the platform's and was left as it is."
    ]


def test_a_file_replaced_on_the_platform_is_fetched_again_beside_the_old_one(ws: dn.Workspace, target: Path) -> None:
    fill(ws, a="old")
    download(file_dir=target, include_meta=False, **account(ws))
    os.utime(target / "a.txt", (1, 1))  # as if the platform's were of another day
    rows = download(file_dir=target, include_meta=False, **account(ws))

    assert statuses(rows) == {"a_1.txt": "ok"}


def test_files_of_one_name_all_arrive_and_keep_their_numbers(ws: dn.Workspace, target: Path) -> None:
    for text in ("first", "second", "third"):
        fill(ws, a=text)
    download(file_dir=target, include_meta=False, **account(ws))
    fill(ws, a="fourth")
    download(file_dir=target, include_meta=False, **account(ws))

    assert on_disk(target) == {
        "a.txt": b"first",
        "a_1.txt": b"second",
        "a_2.txt": b"third",
        "a_3.txt": b"fourth",
    }


def test_name_and_filter_choose_and_an_empty_choice_is_no_error(ws: dn.Workspace, target: Path) -> None:
    fill(ws, a="x", b="y")
    download(file_dir=target, name="a.t", include_meta=False, **account(ws))
    assert on_disk(target) == {"a.txt": b"x"}
    download(file_dir=target, odata_filter="from eq 'b'", include_meta=False, batch_size=1, **account(ws))
    assert on_disk(target) == {"a.txt": b"x", "b.txt": b"y"}

    assert download(file_dir=target, name="nothing", **account(ws)) == []


def test_what_cannot_be_written_is_a_failed_row_and_the_others_arrive(
    ws: dn.Workspace, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(ws, a="x", b="y")
    whole = module.publish

    def full_disk(part: Path, path: Path) -> None:
        if path.name == "a.txt":
            raise OSError(28, "No space left on device")
        whole(part, path)

    monkeypatch.setattr(module, "publish", full_disk)
    rows = download(file_dir=target, **account(ws))

    assert statuses(rows) == {"a.txt": "failed", "b.txt": "ok"}
    assert ["No space left" in row["reason"] for row in rows if row["name"] == "a.txt"] == [True]
    assert set(on_disk(target)) == {"b.txt", "b.txt.meta.json"}


def test_a_wrong_key_and_a_file_in_the_folders_place_are_errors_of_the_call(ws: dn.Workspace, tmp_path: Path) -> None:
    with pytest.raises(Unauthorized):
        download(file_dir=tmp_path, **account(ws) | {"api_key": "wrong"})
    (tmp_path / "taken").touch()
    with pytest.raises(InputError, match="cannot be made"):
        download(file_dir=tmp_path / "taken", **account(ws))


def test_a_job_can_run_a_download_and_retry_it(ws: dn.Workspace, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(ws, a="x", b="y")

    def broken(part: Path, path: Path) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(module, "publish", broken)
        job = DownloadJob(Download(ws.settings, target, DownloadProgress(ws.target))).wait(30)
    assert job.state()["headline"] == "2 of 2 files could not be fetched"
    assert on_disk(target) == {}
    again = job.retry().wait(30)

    assert again.receipt["status"].tolist() == ["ok", "ok"]
    assert again.state()["headline"] == "2 of 2 files fetched"
    assert [phase["label"] for phase in again.state()["phases"]] == ["Listing", "Fetching"]


# --- a platform that breaks off --------------------------------------------------------------------------------------

FILE = {
    "file_id": "6f1b1c9e-7a51-4a35-9d7b-2f8e1f0f7a11",
    "url": "",
    "name": "../secret/../a.txt",
    "size": 10,
    "created_at": "2026-01-01T00:00:00Z",
    "meta": None,
}


@contextlib.asynccontextmanager
async def platform(*bodies: bytes, length: int = 10) -> AsyncIterator[str]:
    """A platform with one file, whose body is sent as ``bodies`` say, one for each time it is asked for."""
    left = list(bodies)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]
        if request.endswith(b"/meta"):
            content = b'{"topic": "news"}'
            announced = len(content)
        elif b"/files/" in request:
            content, announced = left.pop(0) if len(left) > 1 else left[0], length
        else:
            content = json.dumps({"data": [FILE], "has_more": False, "total": 1}).encode()
            announced = len(content)
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % announced + content)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def fetch(folder: Path, *bodies: bytes, **options: Any) -> Download:
    async with platform(*bodies) as url:
        settings = resolve("w", api_key="key", api_url=url)
        target = {"workspace": "w", "host": settings.host, "organisation": None}
        transfer = Download(settings, folder, DownloadProgress(target), **options)  # type: ignore[arg-type]
        await transfer.run()
        return transfer


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_S", 0)


@pytest.mark.usefixtures("_at_once")
def test_a_body_that_breaks_off_is_begun_anew(target: Path) -> None:
    done = asyncio.run(fetch(target, b"half", b"", b"0123456789"))

    assert done.progress.receipt.rows[0].attempts == 3
    assert on_disk(target) == {
        ".._secret_.._a.txt": b"0123456789",
        ".._secret_.._a.txt.meta.json": b'{"topic": "news"}',
    }
    assert done.progress.phases["sending"]["bytes_done"] == 10


@pytest.mark.usefixtures("_at_once")
def test_a_body_that_always_breaks_off_is_a_failed_row_and_leaves_nothing_behind(target: Path) -> None:
    done = asyncio.run(fetch(target, b"half", attempts=2))

    row = done.progress.receipt.rows[0]
    assert (row.status, row.attempts, row.phase) == ("failed", 2, "fetching")
    assert "broke" in (row.reason or "")
    assert on_disk(target) == {}
    assert done.progress.phases["sending"]["bytes_done"] == 0
