"""The SDK's coroutines and async generators, on event loops of the caller's own."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop

import deepset_nb as dn
from deepset_nb.errors import Conflict, StillRunning
from deepset_nb.job import UploadJob
from deepset_nb.workflows import _transfers
from deepset_nb.workflows.async_client.files import (
    DeepsetCloudFile,
    DeepsetCloudFileBytes,
    close_upload_session,
    download,
    get_upload_session,
    list_files,
    list_upload_sessions,
    upload,
    upload_bytes,
    upload_file_paths,
    upload_texts,
)
from tests.clients.account import account, contents, sockets_to


@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_every_function_can_be_awaited_on_any_loop(
    ws: dn.Workspace, folder: Path, tmp_path: Path, runner: Callable[[Coroutine[Any, Any, None]], None]
) -> None:
    async def main() -> None:
        to = account(ws)
        sent = await upload([folder], **to)
        assert sent.successful_upload_count == 5
        assert (await upload_file_paths([folder / "report-4.txt"], **to)).successful_upload_count == 1
        assert (await upload_texts([DeepsetCloudFile("x", "a.txt")], **to)).successful_upload_count == 1
        assert (await upload_bytes([DeepsetCloudFileBytes(b"x", "b.bin")], **to)).successful_upload_count == 1
        assert [len(page) async for page in list_files(batch_size=5, **to)] == [5, 3]
        assert [len(page) async for page in list_upload_sessions(**to)] == [2]
        status = await get_upload_session(sent.session_ids[0], **to)
        assert status.ingestion_status.finished_files == 5
        with pytest.raises(Conflict):
            await close_upload_session(sent.session_ids[0], **to)
        rows = await download(file_dir=tmp_path / "got", **to)
        assert [row["status"] for row in rows] == ["ok"] * 8

    runner(main())


def test_several_uploads_run_side_by_side_on_one_loop(ws: dn.Workspace, tmp_path: Path) -> None:
    async def main() -> None:
        for number in range(4):
            (tmp_path / f"{number}.txt").write_text("x")
        found = await asyncio.gather(*(upload([tmp_path / f"{n}.txt"], **account(ws)) for n in range(4)))
        assert len({summary.session_ids[0] for summary in found}) == 4

    asyncio.run(main())
    assert len(contents(ws)) == 4


@pytest.mark.parametrize("with_a_panel", [False, True])
def test_a_cancelled_upload_leaves_its_session_open_and_no_socket(
    ws: dn.Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_a_panel: bool
) -> None:
    monkeypatch.setattr(_transfers, "in_notebook", lambda: with_a_panel)
    monkeypatch.setattr(_transfers, "_job", UploadJob)  # the panel itself needs a kernel
    (tmp_path / "slow.bin").write_bytes(bytes(3_000_000))
    assert ws.sandbox is not None
    ws.sandbox.fault("bandwidth:50000")

    async def main() -> None:
        sending = asyncio.create_task(upload([tmp_path / "slow.bin"], **account(ws)))
        for _ in range(500):
            if [page async for page in list_upload_sessions(**account(ws))]:
                break
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        assert len(asyncio.all_tasks()) == 1
        for _ in range(100):
            if not sockets_to(ws):
                break
            await asyncio.sleep(0.05)

    before = sockets_to(ws)
    asyncio.run(main())

    assert sockets_to(ws) <= before
    assert ws.list_upload_sessions()["status"].tolist() == ["OPEN"]


@pytest.mark.parametrize("leave", ["break", "error", "cancel"])
def test_a_listing_can_be_left_anywhere_and_leaves_no_socket_and_no_task(ws: dn.Workspace, leave: str) -> None:
    upload_all = [DeepsetCloudFile("x", f"{n:02}.txt") for n in range(20)]

    async def read() -> None:
        async for _ in list_files(batch_size=2, **account(ws)):
            if leave == "break":
                break
            if leave == "error":
                raise ZeroDivisionError
            await asyncio.sleep(60)

    async def main() -> None:
        await upload_texts(upload_all, **account(ws))
        before = sockets_to(ws)
        reading = asyncio.create_task(read())
        await asyncio.sleep(0.5 if leave == "cancel" else 0)
        if leave == "cancel":
            reading.cancel()
        with contextlib.suppress(ZeroDivisionError, asyncio.CancelledError):
            await reading
        del reading
        gc.collect()
        for _ in range(100):
            if sockets_to(ws) <= before and len(asyncio.all_tasks()) == 1:
                return
            await asyncio.sleep(0.05)
        raise AssertionError("something is left")

    asyncio.run(main())


def test_a_wait_that_is_over_is_a_timeout(ws: dn.Workspace, tmp_path: Path) -> None:
    assert ws.sandbox is not None
    ws.sandbox.fault("latency:1s")
    with pytest.raises(StillRunning, match=r"took longer than 0\.3 s"):
        asyncio.run(download(file_dir=tmp_path, timeout_s=0.3, **account(ws)))
