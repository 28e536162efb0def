"""Known defects of the platform's own SDK (1.7.5 to 1.7.8), numbered 1 to 41: none of them is ours.

One short test for each that concerns the functions of `workflows`. Not here, because there is nothing of ours to test:

- 34, 35, 36, 39 (exit codes, prompts and options of its command line): `deepset-nb` has no verbs for files; a script
  that must fail uses ``summary.failed`` or ``job.raise_for_failures()``.

27 (calls nobody made) is tested for what exists: per-file outcomes and closing. Deleting files and changing metadata
come later.
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import stamina

import deepset_nb as dn
from deepset_nb import settings
from deepset_nb.client.files import _UPLOAD_TIMEOUT
from deepset_nb.errors import Conflict, PathNotFound, SettingsError, StillRunning
from deepset_nb.transfer import shard
from deepset_nb.workflows.async_client import files as async_files
from deepset_nb.workflows.sync_client.files import (
    DeepsetCloudFile,
    DeepsetCloudFileBytes,
    close_upload_session,
    download,
    get_upload_session,
    list_files,
    list_upload_sessions,
    upload,
    upload_bytes,
    upload_texts,
)
from tests.clients.account import account, contents, sockets_to, work_on_the_bridge
from tests.clients.front import Answer, Request, front, once, refusal
from tests.contract.rooms import StartedRoom, until
from tests.process import ROOT


def through(gateway: Any, ws: dn.Workspace) -> dict[str, Any]:
    return account(ws) | {"api_url": gateway.api_url}


def where(room: StartedRoom) -> dict[str, Any]:
    connection = room.connection
    return {"api_key": connection.api_key, "api_url": connection.api_url, "workspace_name": connection.workspace}


def fault(ws: dn.Workspace, *faults: str) -> None:
    assert ws.sandbox is not None
    ws.sandbox.fault(*faults)


def reasons(summary: Any) -> dict[str, str]:
    return {result.file_name: str(result.exception) for result in summary.failed}


def to_bucket(request: Request) -> bool:
    return request.is_to_bucket


@pytest.fixture
def one(tmp_path: Path) -> Path:
    file = tmp_path / "one.txt"
    file.write_text("content")
    return file


# --- S3 path ------------------------------------------------------------------------------------------------------


def test_a_redirected_object_is_posted_again_whole(ws: dn.Workspace, one: Path) -> None:  # 1
    fault(ws, "redirect:1")
    summary = upload([one], **account(ws))

    assert summary.failed == []
    assert contents(ws) == {"one.txt": (7, {})}


MEMORY = """
import json, sys
from pathlib import Path
from deepset_nb.workflows.sync_client.files import {function}

def peak():  # not ru_maxrss: that begins with the size of whoever started us
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1])

before = peak()
{function}({first}, **json.loads(sys.argv[1]))
print((peak() - before) // 1024)
"""


def mebibytes_for(function: str, first: str, ws: dn.Workspace) -> int:
    code = MEMORY.format(function=function, first=first)
    command = [sys.executable, "-W", "error", "-c", code, json.dumps(account(ws))]
    return int(subprocess.run(command, capture_output=True, text=True, timeout=80, check=True).stdout)


def test_files_are_streamed_not_held_in_memory(ws: dn.Workspace, tmp_path: Path) -> None:  # 2
    for number in range(4):
        with (tmp_path / f"{number}.bin").open("wb") as file:
            file.truncate(48 << 20)

    assert mebibytes_for("upload", f"[Path({str(tmp_path)!r})]", ws) < 64
    assert len(contents(ws)) == 4


def test_what_the_bucket_refuses_for_good_is_not_tried_again(ws: dn.Workspace, one: Path) -> None:  # 3
    fault(ws, "too_large:3")
    summary = upload([one], **account(ws))
    assert "EntityTooLarge" in reasons(summary)["one.txt"]
    assert summary.receipt[0]["attempts"] == 1

    assert ws.sandbox is not None
    ws.sandbox.clear_faults()
    expired = refusal("ExpiredToken", 400, "The provided token has expired.")
    with front(ws.settings.api_url, once(expired, to_bucket)) as gateway:
        summary = upload([one], **through(gateway, ws))
    assert summary.failed == []
    assert summary.receipt[0]["attempts"] == 2  # the second into a fresh session
    assert len(summary.session_ids) == 2


def test_a_bad_connection_is_tried_again_also_where_the_status_is_400(ws: dn.Workspace, one: Path) -> None:  # 3
    fault(ws, "request_timeout:1")
    summary = upload([one], **account(ws))

    assert summary.failed == []
    assert summary.receipt[0]["attempts"] == 2


def test_a_bucket_that_names_a_wait_is_given_it(ws: dn.Workspace, one: Path) -> None:  # 3
    busy = refusal("TooManyRequests", 429, "Slow down.", ("Retry-After", "2"))
    began = time.monotonic()
    with front(ws.settings.api_url, once(busy, to_bucket)) as gateway:
        summary = upload([one], **through(gateway, ws))

    assert summary.failed == []
    assert time.monotonic() - began >= 2


def test_the_buckets_own_words_reach_the_user(ws: dn.Workspace, one: Path) -> None:  # 4
    fault(ws, "policy_expired:100")
    told = reasons(upload([one], **account(ws)))["one.txt"]

    assert "Invalid according to Policy: Policy expired" in told
    assert "opens a new session" in told


def test_a_slow_upload_has_no_total_time(ws: dn.Workspace, tmp_path: Path) -> None:  # 5
    (tmp_path / "slow.bin").write_bytes(bytes(200_000))
    fault(ws, "bandwidth:100000")
    began = time.monotonic()
    summary = upload([tmp_path / "slow.bin"], timeout_s=1, **account(ws))

    assert time.monotonic() - began > 1.5
    assert summary.failed == []


def test_one_client_uploads_any_number_of_times(ws: dn.Workspace, one: Path) -> None:  # 6
    async def main() -> None:
        async with dn.AsyncClient(ws.settings) as client:
            for _ in range(2):
                opened = await client.upload_sessions.create(ws.name)
                for _ in range(2):
                    async with client.bucket(opened.aws_prefixed_request_config) as bucket:
                        await bucket.post("one.txt", one, 7)
                await client.upload_sessions.close(ws.name, opened.session_id)

    asyncio.run(main())
    until(lambda: len(ws.list_files()) == 2)


def test_names_that_would_become_one_are_told_apart_whatever_the_number_of_files(ws: dn.Workspace) -> None:  # 7
    pair = [DeepsetCloudFile("first", "a#b.txt"), DeepsetCloudFile("second", "a%b.txt")]
    others = [DeepsetCloudFile("x", f"{n}.txt") for n in range(20)]
    few, many = upload_texts(pair, **account(ws)), upload_texts(pair + others, **account(ws))

    assert list(reasons(few)) == list(reasons(many)) == ["a%b.txt"]
    assert "one would replace the other" in reasons(few)["a%b.txt"]
    assert ws.list_files(name="b.txt")["name"].tolist() == ["a_b.txt", "a_b.txt"]


def test_a_part_says_what_type_its_file_is(ws: dn.Workspace, tmp_path: Path) -> None:  # 8
    for name in ("a.pdf", "b.txt", "c.unheard-of"):
        (tmp_path / name).write_text("x")
    with front(ws.settings.api_url, lambda request: None) as gateway:
        upload([tmp_path], **through(gateway, ws))
    heads = [request.body.partition(b'name="file"')[2].partition(b"\r\n\r\n")[0] for request in gateway.requests]
    types = {head.split(b"Content-Type: ")[1].decode() for head in heads if head}

    assert types == {"application/pdf", "text/plain", "application/octet-stream"}


def test_counts_add_up_and_know_files_only(ws: dn.Workspace, folder: Path) -> None:  # 9
    (folder / "empty.txt").touch()
    texts = [DeepsetCloudFile("x", f"{n}.txt", {"n": n}) for n in range(5)] + [DeepsetCloudFile("", "empty.txt")]
    for summary in (upload([folder], **account(ws)), upload_texts(texts, **account(ws))):
        assert (summary.total_files, summary.successful_upload_count, summary.failed_upload_count) == (6, 5, 1)


def test_an_upload_never_stops_the_event_loop(ws: dn.Workspace, tmp_path: Path) -> None:  # 10
    for number in range(200):
        (tmp_path / f"{number}.txt").write_text("x" * 1000)
    gaps: list[float] = []

    async def heartbeat() -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(0.01)
            last, gap = time.monotonic(), time.monotonic() - last
            gaps.append(gap)

    async def main() -> None:
        beating = asyncio.create_task(heartbeat())
        await async_files.upload([tmp_path], **account(ws))
        beating.cancel()

    asyncio.run(main())
    assert len(gaps) > 10
    assert max(gaps) < 1  # theirs waits for seconds once its bucket is full


def test_a_file_that_vanishes_fails_alone(ws: dn.Workspace, tmp_path: Path) -> None:  # 11
    (tmp_path / "a.bin").write_bytes(bytes(100_000))
    (tmp_path / "b.txt").write_text("x")
    (tmp_path / "c.txt").write_text("x")
    fault(ws, "bandwidth:100000")
    timer = threading.Timer(0.4, (tmp_path / "b.txt").unlink)
    timer.start()
    summary = upload([tmp_path], safe_mode=True, **account(ws))
    timer.join()

    assert list(reasons(summary)) == ["b.txt"]
    assert "could not be read" in reasons(summary)["b.txt"]
    assert set(contents(ws)) == {"a.bin", "c.txt"}


# --- session flow -------------------------------------------------------------------------------------------------


def test_only_what_reached_the_bucket_is_waited_for(ws: dn.Workspace, folder: Path) -> None:  # 12
    denied = refusal("AccessDenied", 403, "No.")
    with front(ws.settings.api_url, once(denied, lambda r: b'"report-2.txt"' in r.body)) as gateway:
        summary = upload([folder], timeout_s=60, **through(gateway, ws))

    assert list(reasons(summary)) == ["report-2.txt"]
    assert len(contents(ws)) == 4


def test_every_wait_has_an_end(start: Callable[..., StartedRoom], one: Path) -> None:  # 12
    room = start(ingest_delay_s=60)
    with pytest.raises(StillRunning):
        upload([one], timeout_s=0.5, **where(room))


def test_counts_that_never_reach_the_total_are_not_waited_for(ws: dn.Workspace, folder: Path) -> None:  # 12
    fault(ws, "stuck_status")
    summary = upload([folder], timeout_s=1, **account(ws))

    assert (summary.successful_upload_count, summary.failed) == (5, [])


def test_an_interrupted_upload_ingests_nothing_behind_ones_back(ws: dn.Workspace, tmp_path: Path) -> None:  # 13
    for name in ("a.bin", "b.bin"):
        (tmp_path / name).write_bytes(bytes(400_000))
    fault(ws, "bandwidth:200000")

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(async_files.upload([tmp_path], safe_mode=True, **account(ws)), 3)

    asyncio.run(main())
    assert ws.list_upload_sessions()["status"].tolist() == ["OPEN"]
    assert contents(ws) == {}


def test_sessions_are_named_and_ten_thousand_objects_are_shared_out(
    ws: dn.Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # 14
    monkeypatch.setattr(shard, "OBJECTS_PER_SESSION", 4)
    summary = upload([folder], **account(ws))

    assert len(summary.session_ids) == 2
    finished = [get_upload_session(i, **account(ws)).ingestion_status.finished_files for i in summary.session_ids]
    assert sum(finished) == summary.successful_upload_count == 5


def test_each_refused_file_has_the_platforms_reason(ws: dn.Workspace, folder: Path) -> None:  # 15
    fault(ws, "fail:report-0.txt=EMPTY_FILE", "fail:report-1.txt=UNKNOWN_ERROR")
    told = reasons(upload([folder], **account(ws)))

    assert "empty" in told["report-0.txt"]
    assert "gives no reason" in told["report-1.txt"]


def test_sessions_of_any_kind_can_be_read(start: Callable[..., StartedRoom]) -> None:  # 16
    room = start(faults=("null_expires_at",))
    opened = room.open(write_mode="TEMPORARY")

    assert get_upload_session(opened["session_id"], **where(room)).expires_at is None
    assert [session.write_mode for page in list_upload_sessions(**where(room)) for session in page] == ["TEMPORARY"]


@pytest.mark.parametrize(("is_expired", "sent"), [(False, "is_expired=false"), (True, "is_expired=true"), (None, "")])
def test_unexpired_sessions_can_be_asked_for(ws: dn.Workspace, is_expired: bool | None, sent: str) -> None:  # 16
    with front(ws.settings.api_url) as gateway:
        list(list_upload_sessions(is_expired=is_expired, **through(gateway, ws)))

    assert ("is_expired" in gateway.requests[0].path) is bool(sent)
    assert sent in gateway.requests[0].path


def test_the_platforms_words_are_part_of_the_error(ws: dn.Workspace, one: Path) -> None:  # 17
    full = Answer(409, '{"errors": ["Too many open sessions, the limit is 10."]}')
    with (
        front(ws.settings.api_url, once(full, lambda r: r.method == "POST", times=3)) as gateway,
        pytest.raises(Conflict, match=r"Too many open sessions, the limit is 10.*close_upload_session"),
    ):
        upload([one], **through(gateway, ws))


# --- choosing files -----------------------------------------------------------------------------------------------


def test_the_second_file_of_a_name_is_named_and_sidecars_stay_with_their_own(
    ws: dn.Workspace, tmp_path: Path
) -> None:  # 18
    for year in ("2023", "2024"):
        (tmp_path / year).mkdir()
        (tmp_path / year / "report.txt").write_text(year)
        (tmp_path / year / "report.txt.meta.json").write_text(f'{{"year": {year}}}')
    summary = upload([tmp_path], recursive=True, **account(ws))

    assert "2023" in reasons(summary)["report.txt"]
    assert "one would replace the other" in reasons(summary)["report.txt"]
    assert contents(ws) == {"report.txt": (4, {"year": 2023})}


def test_a_sidecar_away_from_its_file_is_named_not_dropped(ws: dn.Workspace, tmp_path: Path) -> None:  # 19
    (tmp_path / "meta").mkdir()
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "meta" / "a.txt.meta.json").write_text('{"n": 1}')
    summary = upload([tmp_path], recursive=True, **account(ws))

    left_out = {row["name"]: row["reason"] for row in summary.receipt if row["status"] == "skipped"}
    assert "there is no 'a.txt' beside it" in left_out["a.txt.meta.json"]
    assert contents(ws) == {"a.txt": (1, {})}


def test_a_content_called_meta_json_can_be_uploaded_or_is_refused_aloud(ws: dn.Workspace) -> None:  # 20
    content = DeepsetCloudFileBytes(b'{"any": "content"}', "a.txt.meta.json")
    others = [DeepsetCloudFileBytes(b"x", f"{n}.txt") for n in range(20)]
    assert upload_bytes([content], **account(ws)).failed == []
    refused = upload_bytes([content, *others], **account(ws))

    assert "a.txt.meta.json" in contents(ws)
    assert "means the metadata of 'a.txt'" in reasons(refused)["a.txt.meta.json"]


def test_types_are_chosen_whatever_their_case_and_dot(ws: dn.Workspace, tmp_path: Path) -> None:  # 20
    (tmp_path / "A.PDF").write_text("x")
    upload([tmp_path], desired_file_types=["pdf"], **account(ws))

    assert set(contents(ws)) == {"A.PDF"}


def test_hidden_files_and_folders_stay_at_home(ws: dn.Workspace, folder: Path) -> None:  # 21
    for name in (".env", ".DS_Store"):
        (folder / name).write_text("API_KEY=x")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("x")
    summary = upload([folder], recursive=True, **account(ws))

    assert len(contents(ws)) == 5
    assert sorted(row["name"] for row in summary.receipt if row["status"] == "skipped") == [".DS_Store", ".env", ".git"]


def test_a_path_that_is_not_there_is_an_error(ws: dn.Workspace, tmp_path: Path) -> None:  # 22
    with pytest.raises(PathNotFound, match="nowhere"):
        upload([tmp_path / "nowhere"], **account(ws))


def test_an_invalid_sidecar_fails_its_own_file_only(ws: dn.Workspace, folder: Path) -> None:  # 23
    (folder / "report-0.txt.meta.json").write_text("{")
    summary = upload([folder], **account(ws))

    assert "is not JSON" in reasons(summary)["report-0.txt"]
    assert len(contents(ws)) == 4


# --- API client ---------------------------------------------------------------------------------------------------


def test_a_direct_upload_is_given_the_time_the_platform_takes() -> None:  # 24
    # Not waited for here: the platform's own limit of a request is about three minutes.
    assert _UPLOAD_TIMEOUT.read is not None
    assert _UPLOAD_TIMEOUT.read > 180


def test_a_platform_in_trouble_is_asked_again(ws: dn.Workspace, one: Path) -> None:  # 25
    with stamina.set_testing(True, attempts=5, cap=True):
        fault(ws, "api_502_html:3")
        assert list(list_files(**account(ws))) == []
        busy = Answer(503, "", (("Retry-After", "0"),))
        with front(ws.settings.api_url, once(busy, lambda r: r.method == "POST", times=2)) as gateway:
            assert upload([one], **through(gateway, ws)).failed == []
        fault(ws, "api_429:1")
        assert len(next(list_files(**account(ws)))) == 1


def test_a_workspace_may_be_called_anything(sandbox_server: Any, connection: Any, one: Path) -> None:  # 25
    name = "our reports & plans #1 ü"
    sandbox_server.add_workspace(name)
    to = {"api_key": connection.api_key, "api_url": connection.api_url, "workspace_name": name}
    upload([one], **to)

    assert [file.name for file in next(list_files(**to))] == ["one.txt"]


def test_errors_are_errors_also_without_asserts(ws: dn.Workspace) -> None:  # 26
    code = (
        "import json, sys\nfrom deepset_nb.errors import Unprocessable\n"
        "from deepset_nb.workflows.sync_client.files import list_files\n"
        "try: print(list(list_files(odata_filter='(', **json.loads(sys.argv[1]))))\n"
        "except Unprocessable as error: print(error.status)"
    )
    command = [sys.executable, "-O", "-c", code, json.dumps(account(ws))]

    assert subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip() == "400"


def test_no_metadata_is_sent_as_none_at_all(ws: dn.Workspace) -> None:  # 26
    with front(ws.settings.api_url) as gateway:
        upload_texts([DeepsetCloudFile("x", "a.txt")], **through(gateway, ws))

    assert all(b"null" not in request.body and b'name="meta"' not in request.body for request in gateway.requests)
    assert contents(ws) == {"a.txt": (1, {})}


def test_the_outcome_of_each_file_and_closing_by_hand_are_there(ws: dn.Workspace, folder: Path) -> None:  # 27
    fault(ws, "fail:report-0.txt=EMPTY_FILE")
    summary = upload([folder], **account(ws))
    outcome = ws.get_upload_session(summary.session_ids[0]).files.set_index("name")

    assert outcome.loc["report-0.txt"].tolist() == ["FAILED", "EMPTY_FILE"]
    with pytest.raises(Conflict):
        close_upload_session(summary.session_ids[0], **account(ws))


# --- download -----------------------------------------------------------------------------------------------------


def listed_as(name: str, *, size: int = 1) -> Callable[[Request], Answer | None]:
    """A platform that has one file of this name."""
    file = {"file_id": "6f1b1c9e-7a51-4a35-9d7b-2f8e1f0f7a11", "url": "", "size": size, "meta": {}}
    page = {"data": [file | {"name": name, "created_at": "2026-01-01T00:00:00Z"}], "has_more": False, "total": 1}

    def rule(request: Request) -> Answer | None:
        if "/files/" in request.path:
            return Answer(200, "x")
        return Answer(200, json.dumps(page)) if "/files" in request.path else None

    return rule


@pytest.mark.parametrize("name", ["../outside.txt", "/tmp/outside.txt", "..", "a/../../outside.txt", "C:\\outside.txt"])
def test_no_name_leads_out_of_the_folder(ws: dn.Workspace, tmp_path: Path, name: str) -> None:  # 28
    target = tmp_path / "deep" / "down"
    with front(ws.settings.api_url, listed_as(name)) as gateway:
        rows = download(file_dir=target, **through(gateway, ws))

    assert rows[0]["status"] == "ok"
    assert Path(rows[0]["path"]).parent == target
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["down"]
    assert len(list(target.iterdir())) == 2


def test_odd_names_of_any_kind_arrive_in_the_folder(ws: dn.Workspace, tmp_path: Path) -> None:  # 28
    upload_texts([DeepsetCloudFile(f"text {n}", f"{n}.txt", {"n": n}) for n in range(20)], **account(ws))
    fault(ws, "odd_names")
    rows = download(file_dir=tmp_path / "got", **account(ws))

    assert [row["status"] for row in rows] == ["ok"] * 20
    assert any(row["name"].startswith(("../", "/")) for row in rows)
    assert any(len(row["name"]) > 255 for row in rows)
    assert [path.name for path in tmp_path.iterdir()] == ["got"]
    assert sorted(Path(row["path"]).read_text() for row in rows) == sorted(f"text {n}" for n in range(20))
    assert len(list((tmp_path / "got").iterdir())) == 40


def test_names_with_slashes_and_relative_folders_work(
    ws: dn.Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # 29
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "2024_report.txt").write_text("mine")
    with front(ws.settings.api_url, listed_as("2024/report.txt")) as gateway:
        rows = download(file_dir=Path("out"), include_meta=False, **through(gateway, ws))

    assert rows[0]["path"] == "out/2024_report_1.txt"
    assert (tmp_path / "out" / "2024_report_1.txt").read_text() == "x"
    assert (tmp_path / "out" / "2024_report.txt").read_text() == "mine"


def test_a_download_is_streamed(ws: dn.Workspace, tmp_path: Path) -> None:  # 30
    with (tmp_path / "large.bin").open("wb") as file:
        file.truncate(150 << 20)
    upload([tmp_path / "large.bin"], **account(ws))

    assert mebibytes_for("download", f"file_dir={str(tmp_path / 'got')!r}", ws) < 64
    assert (tmp_path / "got" / "large.bin").stat().st_size == 150 << 20


def test_a_download_with_failures_says_so_file_by_file(ws: dn.Workspace, tmp_path: Path) -> None:  # 30
    upload_texts([DeepsetCloudFile("x", f"{n}.txt") for n in range(3)], **account(ws))
    gone = ws.list_files(name="1.txt")["file_id"][0]
    lost = Answer(404, '{"errors": ["Not Found"]}')
    with front(ws.settings.api_url, lambda r: lost if r.path.endswith(gone) else None) as gateway:
        rows = download(file_dir=tmp_path, **through(gateway, ws))

    assert {row["name"]: row["status"] for row in rows} == {"0.txt": "ok", "1.txt": "failed", "2.txt": "ok"}
    assert all(row["reason"] and row["remedy"] for row in rows if row["status"] == "failed")


def test_a_second_download_fetches_nothing_twice(ws: dn.Workspace, tmp_path: Path) -> None:  # 31
    upload_texts([DeepsetCloudFile("x", f"{n}.txt") for n in range(3)], **account(ws))
    download(file_dir=tmp_path, **account(ws))
    before = sorted(path.name for path in tmp_path.iterdir())
    with front(ws.settings.api_url) as gateway:
        rows = download(file_dir=tmp_path, **through(gateway, ws))

    assert [row["status"] for row in rows] == ["skipped"] * 3
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert not any("/files/" in request.path for request in gateway.requests)


def test_the_time_of_a_download_is_bounded_also_within_a_batch(ws: dn.Workspace, tmp_path: Path) -> None:  # 31
    upload_texts([DeepsetCloudFile("x", "a.txt")], **account(ws))

    def slow(request: Request) -> Answer | None:
        if "/files/" in request.path:
            time.sleep(3)
        return None

    began = time.monotonic()
    with front(ws.settings.api_url, slow) as gateway, pytest.raises(TimeoutError, match=r"longer than 0\.5 s"):
        download(file_dir=tmp_path, timeout_s=0.5, **through(gateway, ws))
    assert time.monotonic() - began < 3
    assert list(tmp_path.iterdir()) == []


# --- sync wrapper, command line, packaging ------------------------------------------------------------------------


def test_plain_calls_work_under_a_running_loop_and_leave_nothing_behind(ws: dn.Workspace) -> None:  # 32
    async def cell() -> None:
        upload_texts([DeepsetCloudFile("x", f"{n}.txt") for n in range(4)], **account(ws))
        for _ in list_files(batch_size=1, **account(ws)):
            break

    before = sockets_to(ws)
    asyncio.run(cell())
    until(lambda: sockets_to(ws) <= before and not work_on_the_bridge())


def test_no_bar_is_drawn_where_nobody_watches(
    ws: dn.Workspace, one: Path, capfd: pytest.CaptureFixture[str]
) -> None:  # 33
    upload([one], show_progress=True, **account(ws))

    assert capfd.readouterr() == ("", "")


def test_a_key_never_travels_in_clear_text(one: Path) -> None:  # 37
    with pytest.raises(SettingsError, match="clear text"):
        upload([one], api_key="api_x", api_url="http://api.us.deepset.ai/api/v1", workspace_name="w")


def test_a_saved_key_is_readable_by_its_owner_only(ws: dn.Workspace) -> None:  # 38
    file = settings.save(ws.settings)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(list_files(workspace_name=ws.name)) == []


def test_a_strangers_env_file_never_reaches_the_environment(
    ws: dn.Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # 40
    (tmp_path / ".env").write_text("API_KEY=api_stranger\nAPI_URL=https://stranger.example/api/v1\nOTHER=1\n")
    monkeypatch.chdir(tmp_path)
    list(list_files(**account(ws)))

    assert not {"API_KEY", "API_URL", "OTHER"} & set(os.environ)


def test_python_is_asked_for_in_the_version_that_is_needed() -> None:  # 41
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"] == ">=3.11"
