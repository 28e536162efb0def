"""The SDK's functions, called as scripts call them; every one of them also under a running event loop."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import stamina

import deepset_nb as dn
from deepset_nb.errors import (
    Conflict,
    InputError,
    InvalidSessionId,
    NothingToUpload,
    PathNotFound,
    SessionNotFound,
    SettingsError,
    StillRunning,
    Unauthorized,
    WorkspaceNotFound,
)
from deepset_nb.transfer import direct, send
from deepset_nb.workflows.sync_client.files import (
    DeepsetCloudFile,
    DeepsetCloudFileBytes,
    WriteMode,
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
from tests.clients.account import account, contents, sockets_to, work_on_the_bridge
from tests.clients.front import front
from tests.contract.rooms import StartedRoom, until


def fault(ws: dn.Workspace, *faults: str) -> None:
    assert ws.sandbox is not None
    ws.sandbox.fault(*faults)


def names(rows: list[dict[str, Any]], status: str) -> list[str]:
    return [row["name"] for row in rows if row["status"] == status]


def where(room: StartedRoom) -> dict[str, Any]:
    connection = room.connection
    return {"api_key": connection.api_key, "api_url": connection.api_url, "workspace_name": connection.workspace}


# --- upload -------------------------------------------------------------------------------------------------------


def test_a_folder_arrives_and_the_summary_counts_files_not_sidecars(ws: dn.Workspace, folder: Path) -> None:
    summary = upload([folder], **account(ws))

    assert (summary.total_files, summary.successful_upload_count, summary.failed_upload_count) == (5, 5, 0)
    assert summary.failed == []
    assert names(summary.receipt, "ok") == [f"report-{n}.txt" for n in range(5)]
    assert contents(ws)["report-1.txt"] == (len("Report 1.\n" * 20), {"number": 1})
    assert get_upload_session(summary.session_ids[0], **account(ws)).ingestion_status.finished_files == 5


def test_a_blocking_call_works_under_a_running_event_loop(ws: dn.Workspace, folder: Path) -> None:
    async def cell() -> int:
        upload([folder], **account(ws))
        return sum(len(page) for page in list_files(**account(ws)))

    assert asyncio.run(cell()) == 5


def test_a_file_that_ingestion_refuses_is_in_the_summary_with_its_reason(ws: dn.Workspace, folder: Path) -> None:
    fault(ws, "fail:report-3.txt=FAILED_TO_PARSE_META")
    summary = upload([folder], **account(ws))

    assert (summary.total_files, summary.successful_upload_count, summary.failed_upload_count) == (5, 4, 1)
    assert [(result.file_name, result.success) for result in summary.failed] == [("report-3.txt", False)]
    assert "metadata" in str(summary.failed[0].exception)


def test_what_is_left_out_is_a_row_of_the_receipt_and_counts_nowhere(ws: dn.Workspace, folder: Path) -> None:
    (folder / ".hidden").write_text("x")
    summary = upload([folder], **account(ws))

    assert summary.total_files == summary.successful_upload_count == 5
    assert names(summary.receipt, "skipped") == [".hidden"]


@pytest.mark.parametrize("types", [[".pdf"], ["pdf"], ["PDF", ".docx"]])
def test_desired_file_types_need_neither_dot_nor_case(ws: dn.Workspace, folder: Path, types: list[str]) -> None:
    (folder / "Plan.PDF").write_bytes(b"%PDF")
    (folder / "Plan.PDF.meta.json").write_text('{"kind": "plan"}')
    summary = upload([folder], desired_file_types=types, **account(ws))

    assert contents(ws) == {"Plan.PDF": (4, {"kind": "plan"})}
    assert summary.total_files == 1
    assert len(names(summary.receipt, "skipped")) == 5


def test_subfolders_are_uploaded_when_asked_for(ws: dn.Workspace, folder: Path) -> None:
    (folder / "old").mkdir()
    (folder / "old" / "deep.txt").write_text("x")
    upload([folder], **account(ws))
    assert "deep.txt" not in contents(ws)
    upload([folder / "old"], recursive=True, **account(ws))

    assert "deep.txt" in contents(ws)


def test_file_paths_are_uploaded_as_named(ws: dn.Workspace, folder: Path) -> None:
    summary = upload_file_paths([folder / "report-0.txt", folder / "report-0.txt.meta.json"], **account(ws))

    assert summary.total_files == 1
    assert contents(ws) == {"report-0.txt": (200, {"number": 0})}


def test_a_path_that_does_not_exist_is_an_error_and_nothing_was_sent(ws: dn.Workspace, folder: Path) -> None:
    with pytest.raises(PathNotFound, match="reprots"):
        upload([folder, folder.parent / "reprots"], **account(ws))
    (folder / "empty").mkdir()
    with pytest.raises(NothingToUpload, match="holds no files"):
        upload([folder / "empty"], **account(ws))

    assert contents(ws) == {}


@pytest.mark.parametrize("call", [upload, upload_file_paths, upload_texts, upload_bytes])
def test_an_empty_list_uploads_nothing_and_is_no_error(ws: dn.Workspace, call: Callable[..., Any]) -> None:
    summary = call([], **account(ws))

    assert (summary.total_files, summary.failed) == (0, [])


def test_write_modes_are_honoured_also_as_plain_text(ws: dn.Workspace, folder: Path) -> None:
    upload([folder], **account(ws))
    assert upload([folder], write_mode=WriteMode.FAIL, **account(ws)).failed_upload_count == 5
    assert upload([folder], write_mode="OVERWRITE", **account(ws)).failed_upload_count == 0  # type: ignore[arg-type]
    assert sum(len(page) for page in list_files(**account(ws))) == 5
    with pytest.raises(InputError, match="no write mode"):
        upload([folder], write_mode="REPLACE", **account(ws))  # type: ignore[arg-type]


def test_the_platform_is_asked_for_parallel_ingestion_when_wanted(ws: dn.Workspace, folder: Path) -> None:
    asked = []
    for wanted in (True, False):
        with front(ws.settings.api_url) as gateway:
            upload([folder], enable_parallel_processing=wanted, **account(ws) | {"api_url": gateway.api_url})
        opening = next(r for r in gateway.requests if r.method == "POST" and r.path.endswith("/upload_sessions"))
        asked.append(json.loads(opening.body)["parallel_processing_enabled"])

    assert asked == [True, False]


def test_safe_mode_outlasts_what_five_attempts_do_not(
    ws: dn.Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(send, "PAUSE_S", 0.01)
    one = [folder / "report-4.txt"]
    with stamina.set_testing(True, attempts=5, cap=True):
        fault(ws, "slow_down:7")
        assert upload(one, **account(ws)).failed_upload_count == 1
        assert ws.sandbox is not None
        ws.sandbox.clear_faults()
        fault(ws, "slow_down:7")
        summary = upload(one, safe_mode=True, **account(ws))

    assert summary.failed_upload_count == 0
    assert summary.receipt[0]["attempts"] == 8


def test_a_wrong_key_or_workspace_is_an_error_of_the_call(ws: dn.Workspace, folder: Path) -> None:
    text = [DeepsetCloudFile("x", "a.txt"), DeepsetCloudFile("y", "b.txt")]
    for call, what in ((upload, [folder]), (upload_texts, text)):
        with pytest.raises(Unauthorized):
            call(what, **account(ws) | {"api_key": "wrong"})  # type: ignore[operator]
        with pytest.raises(WorkspaceNotFound):
            call(what, **account(ws) | {"workspace_name": "nowhere"})  # type: ignore[operator]


# --- the wait for ingestion ---------------------------------------------------------------------------------------


def test_not_blocking_returns_when_all_is_sent_and_closed(start: Callable[..., StartedRoom], folder: Path) -> None:
    room = start(ingest_delay_s=60)
    began = time.monotonic()
    summary = upload([folder], blocking=False, **where(room))

    assert time.monotonic() - began < 30
    assert (summary.successful_upload_count, summary.failed_upload_count) == (5, 0)
    assert names(summary.receipt, "pending") == [f"report-{n}.txt" for n in range(5)]
    session = next(iter(list_upload_sessions(**where(room))))[0]
    assert (session.session_id, session.status) == (summary.session_ids[0], "CLOSED")
    assert get_upload_session(session.session_id, **where(room)).ingestion_status.finished_files == 0


def test_the_wait_for_ingestion_is_bounded_and_its_end_names_the_session(
    start: Callable[..., StartedRoom], folder: Path
) -> None:
    room = start(ingest_delay_s=60)
    began = time.monotonic()
    with pytest.raises(TimeoutError, match=r"not ingested 5 of 5 files within 1 s.*get_upload_session\(UUID") as caught:
        upload([folder], timeout_s=1, **where(room))

    assert 1 <= time.monotonic() - began < 30
    assert isinstance(caught.value, StillRunning)


def test_sending_is_not_bounded_by_the_timeout(ws: dn.Workspace, tmp_path: Path) -> None:
    (tmp_path / "slow.bin").write_bytes(bytes(150_000))
    fault(ws, "bandwidth:100000")
    summary = upload([tmp_path / "slow.bin"], timeout_s=1, **account(ws))

    assert summary.successful_upload_count == 1


def test_ctrl_c_ends_a_script_at_once_and_leaves_its_session_open(ws: dn.Workspace, tmp_path: Path) -> None:
    (tmp_path / "slow.bin").write_bytes(bytes(3_000_000))
    fault(ws, "bandwidth:50000")
    command = [sys.executable, "-W", "error", "-c", SCRIPT, json.dumps(account(ws)), str(tmp_path)]
    script = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    until(lambda: len(ws.list_upload_sessions()) == 1, 30)
    time.sleep(0.2)
    script.send_signal(signal.SIGINT)
    _, complaints = script.communicate(timeout=30)

    assert complaints.rstrip().endswith("KeyboardInterrupt")
    assert "never" not in complaints
    assert ws.list_upload_sessions()["status"].tolist() == ["OPEN"]


# --- texts and bytes ----------------------------------------------------------------------------------------------


def test_twenty_texts_go_directly_and_twenty_one_through_a_session(ws: dn.Workspace) -> None:
    texts = [DeepsetCloudFile(f"Grüße {n}", f"{n:02}.txt", {"n": n}) for n in range(21)]
    assert upload_texts(texts[:20], **account(ws)).session_ids == []
    assert list(list_upload_sessions(**account(ws))) == []
    summary = upload_texts(texts, write_mode=WriteMode.OVERWRITE, **account(ws))

    assert summary.successful_upload_count == 21
    assert [session.session_id for page in list_upload_sessions(**account(ws)) for session in page] == (
        summary.session_ids
    )
    assert contents(ws) == {f"{n:02}.txt": (len(f"Grüße {n}".encode()), {"n": n}) for n in range(21)}


def test_a_document_too_large_for_the_direct_route_goes_through_a_session(
    ws: dn.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct, "LARGEST_DIRECT", 5)
    assert upload_texts([DeepsetCloudFile("12345", "a.txt")], **account(ws)).session_ids == []
    summary = upload_texts([DeepsetCloudFile("123456", "b.txt")], **account(ws))

    assert len(summary.session_ids) == 1
    assert set(contents(ws)) == {"a.txt", "b.txt"}


def test_bytes_arrive_as_they_are(ws: dn.Workspace, tmp_path: Path) -> None:
    content = bytes(range(256)) * 10
    upload_bytes([DeepsetCloudFileBytes(content, "all.bin")], **account(ws))
    download(file_dir=tmp_path, include_meta=False, **account(ws))

    assert (tmp_path / "all.bin").read_bytes() == content


def test_something_else_than_a_document_is_refused_before_anything_is_sent(ws: dn.Workspace) -> None:
    with pytest.raises(InputError, match="half a character"):
        upload_texts([DeepsetCloudFile("a\ud800", "a.txt")], **account(ws))
    with pytest.raises(InputError, match="neither a text"):
        upload_texts([DeepsetCloudFile(5, "a.txt")], **account(ws))  # type: ignore[arg-type]

    assert contents(ws) == {}


# --- listings and sessions ----------------------------------------------------------------------------------------


def test_files_come_in_pages_by_name_and_by_filter(ws: dn.Workspace) -> None:
    texts = [DeepsetCloudFile("x", f"{n:02}.txt", {"half": "first" if n < 10 else "second"}) for n in range(20)]
    upload_texts(texts, **account(ws))

    assert [len(page) for page in list_files(batch_size=8, **account(ws))] == [8, 8, 4]
    assert [file.name for page in list_files(name="07", **account(ws)) for file in page] == ["07.txt"]
    found = [file for page in list_files(odata_filter="half eq 'second'", batch_size=4, **account(ws)) for file in page]
    assert sorted(file.name for file in found) == [f"{n}.txt" for n in range(10, 20)]


def test_content_keeps_its_position_and_says_that_it_is_gone(ws: dn.Workspace) -> None:
    arguments = account(ws)
    with pytest.raises(InputError, match="cannot be searched by content"):
        next(list_files(arguments["api_key"], arguments["api_url"], arguments["workspace_name"], None, "words"))


@pytest.mark.parametrize("leave", ["break", "error", "close", "garbage"])
def test_a_listing_can_be_left_anywhere_and_leaves_no_socket_and_no_task(ws: dn.Workspace, leave: str) -> None:
    upload_texts([DeepsetCloudFile("x", f"{n:02}.txt") for n in range(20)], **account(ws))
    before = sockets_to(ws)
    pages = list_files(batch_size=2, **account(ws))
    if leave == "break":
        for _ in list_files(batch_size=2, **account(ws)):
            break
    elif leave == "error":
        with pytest.raises(ZeroDivisionError):
            [1 / 0 for _ in list_files(batch_size=2, **account(ws))]
    else:
        next(pages)
        pages.close() if leave == "close" else None
    del pages

    until(lambda: sockets_to(ws) <= before and not work_on_the_bridge())


def test_a_page_that_takes_too_long_is_a_timeout(ws: dn.Workspace) -> None:
    fault(ws, "latency:2s")
    for listing in (list_files, list_upload_sessions):
        with pytest.raises(TimeoutError, match=r"longer than 0\.2 s for a page"):
            next(listing(timeout_s=0.2, **account(ws)))


def test_a_session_is_closed_by_hand_once(ws: dn.Workspace, connection: Any) -> None:
    async def open_one() -> UUID:
        async with dn.AsyncClient(ws.settings) as client:
            return (await client.upload_sessions.create(ws.name)).session_id

    session_id = asyncio.run(open_one())
    close_upload_session(session_id, **account(ws))

    assert next(list_upload_sessions(**account(ws)))[0].status == "CLOSED"
    with pytest.raises(Conflict):
        close_upload_session(session_id, **account(ws))


def test_a_session_that_is_not_there_and_an_id_that_is_none(ws: dn.Workspace) -> None:
    with pytest.raises(SessionNotFound):
        get_upload_session(uuid4(), **account(ws))
    with pytest.raises(InvalidSessionId):
        get_upload_session("session-1", **account(ws))  # type: ignore[arg-type]


# --- where settings come from, where progress goes ----------------------------------------------------------------


def test_settings_come_from_the_environment_when_a_function_is_called(
    ws: dn.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SettingsError, match="API key"):
        next(list_files())
    monkeypatch.setenv("API_KEY", ws.settings.api_key.reveal())
    monkeypatch.setenv("API_URL", ws.settings.api_url)
    monkeypatch.setenv("DEFAULT_WORKSPACE_NAME", ws.name)
    upload_texts([DeepsetCloudFile("x", "a.txt")])

    assert [file.name for page in list_files() for file in page] == ["a.txt"]


def test_settings_come_from_an_env_file_and_never_reach_the_environment(
    ws: dn.Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    key, url = ws.settings.api_key.reveal(), ws.settings.api_url
    Path(".env").write_text(f"API_KEY={key}\nAPI_URL={url}\nDEFAULT_WORKSPACE_NAME={ws.name}\n")

    assert list(list_files()) == []
    assert "API_KEY" not in os.environ


SCRIPT = """
import json, sys
from pathlib import Path
from deepset_nb.workflows.sync_client.files import upload
arguments = json.loads(sys.argv[1])
print(upload([Path(sys.argv[2])], **arguments).successful_upload_count)
"""


def test_a_script_on_a_terminal_gets_a_line_and_one_in_a_pipe_gets_nothing(ws: dn.Workspace, folder: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", SCRIPT, json.dumps(account(ws)), str(folder)]
    piped = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert (piped.stdout.strip(), piped.stderr) == ("5", "")

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 160))
    shown = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, text=True, timeout=60, check=True)
    os.close(theirs)
    line = os.read(ours, 100_000).decode()
    os.close(ours)

    assert shown.stdout.strip() == "5"
    assert line.rstrip().split("\r")[-1].startswith("All 5 files are on the platform: 100%")
    assert ws.settings.api_key.reveal() not in line
