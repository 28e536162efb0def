"""From a folder into the platform: every file ends in exactly one stated outcome."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import httpx
import pandas as pd
import pytest

import deepset_nb as dn
from deepset_nb import bridge
from deepset_nb.client import AsyncClient
from deepset_nb.client.http1 import Http1Transport
from deepset_nb.emulator.server import Connection
from deepset_nb.errors import InputError, StillRunning, UploadFailed
from deepset_nb.job import UploadJob
from deepset_nb.transfer.progress import JobState


def upload(ws: dn.Workspace, folder: Path, **options: object) -> UploadJob:
    return ws.upload(folder, show=False, **options)  # type: ignore[arg-type]


def wait_for(condition, timeout_s: float = 20) -> None:  # type: ignore[no-untyped-def]
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


async def meta_of(ws: dn.Workspace, file_id: str) -> dict[str, object]:
    async with AsyncClient(ws.settings) as client:
        return await client.files.meta(ws.name, file_id)


def test_a_folder_arrives_with_its_metadata_and_every_row_is_ok(ws: dn.Workspace, folder: Path) -> None:
    receipt = upload(ws, folder).wait(30).receipt

    assert receipt["status"].tolist() == ["ok"] * 5
    assert receipt["phase"].unique().tolist() == ["ingested"]
    assert receipt["file_id"].notna().all()
    assert receipt["session_id"].nunique() == 1
    assert set(receipt["file_id"]) == set(ws.list_files()["file_id"])
    first = receipt.set_index("name").loc["report-0.txt", "file_id"]
    assert bridge.run(meta_of, ws, first) == {"number": 0}


def test_upload_returns_at_once(ws: dn.Workspace, folder: Path) -> None:
    assert ws.sandbox is not None
    ws.sandbox.fault("latency:500ms")
    began = time.monotonic()
    job = upload(ws, folder)
    returned_after = time.monotonic() - began
    job.wait(60)

    assert returned_after < 0.4 < job.state()["elapsed_s"]


def test_one_bad_file_among_good_ones_is_named_and_the_headline_is_not_green(ws: dn.Workspace, folder: Path) -> None:
    (folder / "empty.txt").touch()
    (folder / "bad.txt").write_text("x")
    (folder / "bad.txt.meta.json").write_text("{")
    job = upload(ws, folder).wait(30)

    assert job.state()["status"] == "failed"
    assert job.state()["headline"] == "2 of 7 files did not make it"
    assert job.failed["name"].tolist() == ["bad.txt", "empty.txt"]
    assert job.failed["remedy"].notna().all()
    assert len(ws.list_files()) == 5
    with pytest.raises(UploadFailed, match=r"2 of 7 files did not make it: .*bad\.txt"):
        job.raise_for_failures()


@pytest.mark.parametrize(
    ("reason", "words"),
    [("FAILED_TO_PARSE_META", "metadata"), ("EMPTY_FILE", "empty"), ("UNKNOWN_ERROR", "gives no reason")],
)
def test_a_file_that_ingestion_refuses_is_failed_with_the_platforms_reason(
    ws: dn.Workspace, folder: Path, reason: str, words: str
) -> None:
    assert ws.sandbox is not None
    ws.sandbox.fault(f"fail:report-3.txt={reason}")
    job = upload(ws, folder).wait(30)

    assert job.failed["name"].tolist() == ["report-3.txt"]
    assert words in job.failed["reason"][0]
    assert job.receipt["status"].value_counts().to_dict() == {"ok": 4, "failed": 1}


def test_a_name_the_workspace_has_is_refused_in_fail_mode(ws: dn.Workspace, folder: Path) -> None:
    upload(ws, folder).wait(30)
    job = upload(ws, folder, write_mode="FAIL", resume=False).wait(30)

    assert job.receipt["status"].unique().tolist() == ["failed"]
    assert "already has a file of this name" in job.receipt["reason"][0]
    assert len(ws.list_files()) == 5


def test_overwrite_replaces_and_keep_doubles(ws: dn.Workspace, folder: Path) -> None:
    upload(ws, folder).wait(30)
    replaced = upload(ws, folder, write_mode="overwrite", resume=False).wait(30)

    assert replaced.receipt["status"].unique().tolist() == ["ok"]
    assert len(ws.list_files()) == 5
    upload(ws, folder, resume=False).wait(30)
    assert len(ws.list_files()) == 10


def test_an_unknown_write_mode_is_refused_at_once(ws: dn.Workspace, folder: Path) -> None:
    with pytest.raises(InputError, match="no write mode 'REPLACE'"):
        upload(ws, folder, write_mode="REPLACE")


def test_a_bucket_that_asks_to_slow_down_is_asked_again_and_the_tries_are_counted(
    ws: dn.Workspace, folder: Path
) -> None:
    assert ws.sandbox is not None
    ws.sandbox.fault("slow_down:2")
    receipt = upload(ws, folder).wait(60).receipt

    assert receipt["status"].unique().tolist() == ["ok"]
    assert receipt["attempts"].sum() == 7


def test_names_survive_the_way_there(ws: dn.Workspace, tmp_path: Path) -> None:
    names = ["naïve file.txt", "日本語.txt", "a+b&c=d.txt", "100% sure.txt", "🦆.txt"]
    for name in names:
        (tmp_path / name).write_text(name)
    receipt = upload(ws, tmp_path).wait(30).receipt

    assert receipt["status"].unique().tolist() == ["ok"]
    assert sorted(receipt["stored_name"]) == sorted(ws.list_files()["name"])
    assert "100_ sure.txt" in set(receipt["stored_name"])


def test_the_receipt_is_complete_while_the_upload_runs(ws: dn.Workspace, folder: Path) -> None:
    assert ws.sandbox is not None
    ws.sandbox.fault("latency:300ms")
    job = upload(ws, folder)
    wait_for(lambda: len(job.receipt) == 5)

    assert job.receipt["status"].unique().tolist() == ["pending"]
    job.wait(60)


def test_wait_gives_up_at_its_time_out_and_the_job_goes_on(ws: dn.Workspace, folder: Path) -> None:
    assert ws.sandbox is not None
    ws.sandbox.fault("latency:500ms")
    job = upload(ws, folder)

    with pytest.raises(StillRunning, match="It goes on"):
        job.wait(0.2)
    assert job.wait(60).receipt["status"].unique().tolist() == ["ok"]


def test_progress_arrives_at_most_ten_times_a_second_and_once_more_at_the_end(ws: dn.Workspace, folder: Path) -> None:
    states: list[JobState] = []
    job = upload(ws, folder)
    job.subscribe(states.append)
    job.wait(30)

    assert states[-1]["status"] == "done"
    assert states[-1]["counts"]["ok"] == 5
    assert len(states) <= 12 + 10 * states[-1]["elapsed_s"]


def test_a_progress_callback_may_call_the_synchronous_api(ws: dn.Workspace, folder: Path) -> None:
    listings: list[pd.DataFrame] = []
    job = upload(ws, folder)
    job.subscribe(lambda _: listings.append(ws.list_upload_sessions()))
    job.wait(30)

    assert listings
    assert job.state()["status"] == "done"


def test_a_faulty_callback_does_not_stop_the_upload(
    ws: dn.Workspace, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    job = upload(ws, folder)
    job.subscribe(lambda _: 1 / 0)

    assert job.wait(30).receipt["status"].unique().tolist() == ["ok"]
    assert "is not called again" in caplog.text


def test_a_subscriber_that_comes_late_gets_the_final_state(ws: dn.Workspace, folder: Path) -> None:
    states: list[JobState] = []
    upload(ws, folder).wait(30).subscribe(states.append)

    assert [state["status"] for state in states] == ["done"]


def test_several_uploads_run_side_by_side(ws: dn.Workspace, tmp_path: Path) -> None:
    jobs = []
    for letter in "abc":
        folder = tmp_path / letter
        folder.mkdir()
        (folder / f"{letter}.txt").write_text(letter)
        jobs.append(upload(ws, folder))

    assert [job.wait(30).receipt["status"].tolist() for job in jobs] == [["ok"]] * 3
    assert sorted(ws.list_files()["name"]) == ["a.txt", "b.txt", "c.txt"]


# --- cancel and retry ---------------------------------------------------------------------------------------------


@pytest.fixture
def slow(ws: dn.Workspace, tmp_path: Path) -> Path:
    """A folder the bucket takes many seconds for: 30 files of 100 kB at 100 kB/s a connection."""
    assert ws.sandbox is not None
    ws.sandbox.fault("bandwidth:100000")
    made = tmp_path / "slow"
    made.mkdir()
    for number in range(30):
        (made / f"{number:02}.bin").write_bytes(bytes(100_000))
    return made


def sent(job: UploadJob) -> int:
    return job.state()["phases"][1]["files_done"]


def test_cancel_is_quick_says_what_is_where_and_leaves_the_session_open(ws: dn.Workspace, slow: Path) -> None:
    job = upload(ws, slow)
    wait_for(lambda: sent(job) > 0)
    began = time.monotonic()
    job.cancel().wait(10)

    assert time.monotonic() - began < 2
    state = job.state()
    assert state["status"] == "cancelled"
    assert state["headline"].startswith("Not finished: ")
    assert "stays open until" in (state["note"] or "")
    assert job.receipt["status"].unique().tolist() == ["cancelled"]
    assert ws.list_upload_sessions()["status"].tolist() == ["OPEN"]
    assert ws.list_files().empty


def test_nothing_goes_on_after_a_cancel(ws: dn.Workspace, slow: Path) -> None:
    job = upload(ws, slow)
    wait_for(lambda: sent(job) > 0)
    job.cancel().wait(10)
    arrived = sent(job)
    time.sleep(1.5)

    assert sent(job) == arrived
    assert not [thread.name for thread in threading.enumerate() if "upload" in thread.name]


def test_retry_after_a_cancel_goes_on_into_the_open_session_and_leaves_no_duplicate(
    ws: dn.Workspace, slow: Path
) -> None:
    job = upload(ws, slow)
    wait_for(lambda: sent(job) > 0)
    job.cancel().wait(10)
    assert ws.sandbox is not None
    ws.sandbox.clear_faults()
    again = job.retry().wait(30)

    assert again.receipt["status"].unique().tolist() == ["ok"]
    assert len(again.receipt) == 30
    assert again.receipt["attempts"].eq(1).all()
    assert sorted(ws.list_files()["name"]) == sorted(path.name for path in slow.iterdir())
    assert ws.list_upload_sessions()["status"].tolist() == ["CLOSED"]
    assert job.receipt["status"].unique().tolist() == ["cancelled"]


def test_cancel_with_keep_ingests_what_was_sent_and_names_the_rest(ws: dn.Workspace, slow: Path) -> None:
    job = upload(ws, slow)
    wait_for(lambda: sent(job) > 0)
    job.cancel(ingest="keep").wait(30)
    counts = job.receipt["status"].value_counts()

    assert job.state()["status"] == "cancelled"
    assert set(counts.index) == {"ok", "cancelled"}
    assert len(ws.list_files()) == counts["ok"]
    assert ws.list_upload_sessions()["status"].tolist() == ["CLOSED"]


def test_cancel_of_an_ended_job_changes_nothing(ws: dn.Workspace, folder: Path) -> None:
    job = upload(ws, folder).wait(30)

    assert job.cancel().state()["status"] == "done"


def test_retry_sends_only_what_did_not_make_it_and_sees_a_repaired_sidecar(ws: dn.Workspace, folder: Path) -> None:
    (folder / "report-0.txt.meta.json").write_text("{broken")
    job = upload(ws, folder).wait(30)
    assert job.failed["name"].tolist() == ["report-0.txt"]
    (folder / "report-0.txt.meta.json").write_text('{"number": 0}')
    again = job.retry().wait(30)

    assert again.receipt[["name", "status"]].values.tolist() == [["report-0.txt", "ok"]]
    assert len(ws.list_files()) == 5


def test_a_second_retry_of_one_job_is_refused_as_it_would_send_files_twice(ws: dn.Workspace, folder: Path) -> None:
    (folder / "report-0.txt.meta.json").write_text("{broken")
    job = upload(ws, folder).wait(30)
    again = job.retry().wait(30)

    with pytest.raises(InputError, match=f"as job {again.id}"):
        job.retry()
    assert len(ws.list_files()) == 4


def test_retry_of_a_running_job_is_refused(ws: dn.Workspace, slow: Path) -> None:
    job = upload(ws, slow)

    with pytest.raises(StillRunning):
        job.retry()
    job.cancel().wait(10)


def test_a_session_closed_by_hand_while_sending_is_not_an_error(ws: dn.Workspace, slow: Path) -> None:
    job = upload(ws, slow)
    wait_for(lambda: sent(job) > 0)
    ws.close_upload_session(job.state()["session_id"] or "")
    assert ws.sandbox is not None
    ws.sandbox.clear_faults()
    receipt = job.wait(60).receipt

    assert "ok" in set(receipt["status"])
    assert set(receipt["status"]) <= {"ok", "unaccounted", "failed"}
    assert receipt.loc[receipt["status"] != "ok", "reason"].notna().all()


def test_a_platform_that_goes_away_leaves_rows_that_say_so(tmp_path: Path, folder: Path) -> None:
    from deepset_nb.emulator.config import SandboxConfig
    from deepset_nb.emulator.server import SandboxServer

    server = SandboxServer(SandboxConfig(corpus=False, faults=("bandwidth:2000",)))
    connection: Connection = server.start()
    ws = dn.Workspace(connection.workspace, api_key=connection.api_key, api_url=connection.api_url)
    job = upload(ws, folder)
    wait_for(lambda: job.state()["session_id"] is not None)
    server.stop()
    receipt = job.wait(120).receipt

    assert set(receipt["status"]) == {"failed"}
    assert receipt["reason"].notna().all()
    assert receipt["remedy"].notna().all()


# --- texts --------------------------------------------------------------------------------------------------------


def test_texts_arrive_with_their_metadata(ws: dn.Workspace) -> None:
    job = ws.upload_texts([dn.DeepsetCloudFile("Grüße", "note.txt", {"topic": "news"})], show=False).wait(30)
    row = job.receipt.iloc[0]

    assert (row["status"], row["size"]) == ("ok", 7)
    assert bridge.run(meta_of, ws, row["file_id"]) == {"topic": "news"}
    assert ws.list_upload_sessions().empty


def test_more_than_twenty_texts_go_through_a_session(ws: dn.Workspace) -> None:
    job = ws.upload_texts({f"{n}.txt": f"text {n}" for n in range(21)}, show=False).wait(30)

    assert job.receipt["status"].unique().tolist() == ["ok"]
    assert len(ws.list_upload_sessions()) == 1


def test_no_texts_are_an_error(ws: dn.Workspace) -> None:
    with pytest.raises(InputError, match="list of texts is empty"):
        ws.upload_texts([])


def test_the_bucket_sees_no_api_key(ws: dn.Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[httpx.Request] = []
    original = Http1Transport.handle_async_request

    async def spy(self: Http1Transport, request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return await original(self, request)

    monkeypatch.setattr(Http1Transport, "handle_async_request", spy)
    upload(ws, folder).wait(30)
    bucket = [request for request in seen if "/bucket/" in request.url.path]

    assert len(bucket) == 7
    assert not any("authorization" in request.headers for request in bucket)
