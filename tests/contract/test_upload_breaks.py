"""Whatever breaks an upload, and whenever: the receipt is true, and going on from there loses and doubles nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import httpx
import msgspec
import pytest

import deepset_nb as dn
from deepset_nb import bridge
from deepset_nb.errors import SettingsError
from deepset_nb.job import UploadJob
from deepset_nb.transfer import shard
from deepset_nb.transfer.plan import plan_rows, read_given
from deepset_nb.transfer.progress import Progress
from deepset_nb.transfer.receipt import Row
from deepset_nb.transfer.upload import Upload
from tests.clients.front import Answer, Request, front
from tests.contract.rooms import StartedRoom, until

Start = Callable[..., StartedRoom]


def workspace_of(room: StartedRoom) -> dn.Workspace:
    connection = room.connection
    return dn.Workspace(connection.workspace, api_key=connection.api_key, api_url=connection.api_url)


def phase(job: UploadJob, number: int) -> str:
    return job.state()["phases"][number]["state"]


def sent(job: UploadJob) -> int:
    return job.state()["phases"][1]["files_done"]


def statuses(job: UploadJob) -> list[str]:
    return sorted(job.receipt["status"].unique())


def passed_on(ws: dn.Workspace, request: Request) -> Answer:
    """What the sandbox itself says."""
    root = ws.settings.api_url.removesuffix("/api/v1")
    said = httpx.request(request.method, root + request.path, content=request.body, headers=request.headers)
    return Answer(said.status_code, said.text, tuple(said.headers.items()))


@pytest.fixture
def slow(ws: dn.Workspace, tmp_path: Path) -> Path:
    """30 files of 30 kB for a bucket that reads 30 kB/s from each connection."""
    assert ws.sandbox is not None
    ws.sandbox.fault("bandwidth:30000")
    made = tmp_path / "slow"
    made.mkdir()
    for number in range(30):
        (made / f"{number:02}.bin").write_bytes(bytes(30_000))
    return made


# --- cancelled at awkward moments ---------------------------------------------------------------------------------


def test_a_job_cancelled_before_it_began_has_ended_and_retry_sends_everything(ws: dn.Workspace, folder: Path) -> None:
    job = ws.upload(folder, show=False).cancel().wait(10)

    assert job.done
    assert job.state()["status"] == "cancelled"
    assert job.state()["headline"] == "Cancelled: nothing was sent"
    assert statuses(job.retry().wait(30)) == ["ok"]
    assert len(ws.list_files()) == 5


def test_retry_of_a_job_cancelled_while_planning_sends_everything(ws: dn.Workspace, folder: Path) -> None:
    planning, go_on = Event(), Event()

    def plan() -> list[Row]:
        planning.set()
        go_on.wait(10)
        return plan_rows(read_given(folder))

    job = UploadJob(Upload(ws.settings, plan, Progress(ws.target)))
    planning.wait(10)
    job.cancel().wait(10)
    go_on.set()

    assert job.state()["can_retry"]
    assert statuses(job.retry().wait(30)) == ["ok"]
    assert len(ws.list_files()) == 5


def test_a_session_that_opens_while_the_job_is_cancelled_is_known_and_used_by_the_retry(
    ws: dn.Workspace, folder: Path
) -> None:
    opened = Event()

    def answer_late(request: Request) -> Answer | None:
        if request.method != "POST" or not request.path.endswith("/upload_sessions"):
            return None
        answer = passed_on(ws, request)
        opened.set()
        time.sleep(0.5)
        return answer

    with front(ws.settings.api_url, answer_late) as gateway:
        there = dn.Workspace(ws.name, api_key=ws.settings.api_key.reveal(), api_url=gateway.api_url)
        job = there.upload(folder, show=False)
        opened.wait(10)
        job.cancel().wait(10)
        assert job.state()["session_id"] == ws.list_upload_sessions()["session_id"][0]
        assert statuses(job.retry().wait(30)) == ["ok"]

    assert ws.list_upload_sessions()["status"].tolist() == ["CLOSED"]


def test_retry_after_a_cancel_while_ingesting_goes_on_watching_and_doubles_nothing(start: Start, folder: Path) -> None:
    ws = workspace_of(start(ingest_delay_s=1))
    job = ws.upload(folder, show=False)
    until(lambda: phase(job, 2) == "active")
    job.cancel().wait(10)
    assert statuses(job) == ["cancelled"]
    again = job.retry().wait(30)

    assert statuses(again) == ["ok"]
    assert again.receipt["file_id"].notna().all()
    assert len(ws.list_files()) == 5


def test_a_second_cancel_ends_the_watching_that_keep_began(start: Start, tmp_path: Path) -> None:
    ws = workspace_of(start(ingest_delay_s=60, faults=("bandwidth:30000",)))
    for number in range(20):
        (tmp_path / f"{number}.bin").write_bytes(bytes(30_000))
    job = ws.upload(tmp_path, show=False)
    until(lambda: sent(job) > 0)
    job.cancel(ingest="keep")
    until(lambda: phase(job, 2) == "active")

    assert job.cancel().wait(10).state()["status"] == "cancelled"


def test_retry_after_a_cancel_with_several_sessions_doubles_nothing(
    ws: dn.Workspace, slow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard, "OBJECTS_PER_SESSION", 12)
    job = ws.upload(slow, show=False)
    until(lambda: sent(job) > 12)
    job.cancel().wait(10)
    note = job.state()["note"] or ""
    still_open = ws.list_upload_sessions().query("status == 'OPEN'")["session_id"]  # a full one may be closed already
    assert all(session_id in note for session_id in still_open)
    assert ws.sandbox is not None
    ws.sandbox.clear_faults()
    again = job.retry().wait(30)

    assert statuses(again) == ["ok"]
    assert set(ws.list_upload_sessions()["status"]) == {"CLOSED"}
    assert sorted(ws.list_files()["name"]) == sorted(path.name for path in slow.iterdir())


def test_retry_after_the_session_was_closed_by_hand_sends_the_rest_into_another(ws: dn.Workspace, slow: Path) -> None:
    job = ws.upload(slow, show=False)
    until(lambda: sent(job) > 0)
    job.cancel().wait(10)
    ws.close_upload_session(job.state()["session_id"] or "")
    assert ws.sandbox is not None
    ws.sandbox.clear_faults()

    assert statuses(job.retry().wait(30)) == ["ok"]
    assert sorted(ws.list_files()["name"]) == sorted(path.name for path in slow.iterdir())


def test_retry_after_the_session_has_expired_doubles_nothing(ws: dn.Workspace, slow: Path) -> None:
    job = ws.upload(slow, show=False)
    until(lambda: sent(job) > 0)
    job.cancel().wait(10)
    (left,) = job._transfer.sessions  # type: ignore[attr-defined]
    assert left.opened.expires_at is not None
    ws.close_upload_session(left.id)  # what the platform does then
    left.opened = msgspec.structs.replace(left.opened, expires_at=left.opened_at)
    assert ws.sandbox is not None
    ws.sandbox.clear_faults()

    assert statuses(job.retry().wait(30)) == ["ok"]
    assert len(ws.list_files()) == 30


# --- a platform that refuses ----------------------------------------------------------------------------------------


def test_an_upload_of_more_than_ten_sessions_closes_full_ones_to_make_room(
    ws: dn.Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard, "OBJECTS_PER_SESSION", 1)
    for number in range(12):
        (tmp_path / f"{number}.txt").write_text("x")

    assert statuses(ws.upload(tmp_path, show=False).wait(30)) == ["ok"]
    assert len(ws.list_upload_sessions()) == 12


def test_files_whose_outcome_cannot_be_asked_are_unaccounted_and_retry_asks_again(
    ws: dn.Workspace, folder: Path
) -> None:
    refuse = [True]

    def rule(request: Request) -> Answer | None:
        asked = "/upload_sessions/" in request.path and "/files" in request.path
        return Answer(403, "{}") if asked and refuse[0] else None

    with front(ws.settings.api_url, rule) as gateway:
        there = dn.Workspace(ws.name, api_key=ws.settings.api_key.reveal(), api_url=gateway.api_url)
        job = there.upload(folder, show=False).wait(30)
        assert statuses(job) == ["unaccounted"]
        assert job.receipt["phase"].unique().tolist() == ["ingesting"]
        refuse.clear()
        refuse.append(False)
        assert statuses(job.retry().wait(30)) == ["ok"]

    assert len(ws.list_files()) == 5


def test_files_are_ok_although_their_ids_cannot_be_asked(ws: dn.Workspace, folder: Path) -> None:
    def rule(request: Request) -> Answer | None:
        return Answer(403, "{}") if f"/workspaces/{ws.name}/files" in request.path else None

    with front(ws.settings.api_url, rule) as gateway:
        there = dn.Workspace(ws.name, api_key=ws.settings.api_key.reveal(), api_url=gateway.api_url)
        job = there.upload(folder, show=False).wait(30)

    assert job.state()["status"] == "done"
    assert job.receipt["reason"].str.startswith("Ingested; its id could not be asked").all()


@pytest.mark.parametrize("make", ["files", "texts"])
def test_certificates_that_cannot_be_read_end_the_job_with_words(
    ws: dn.Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch, make: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere.pem")
    job = ws.upload(folder, show=False) if make == "files" else ws.upload_texts({"a.txt": "x"}, show=False)
    job.wait(10)

    assert job.done
    assert statuses(job) == ["failed"]
    assert "/nowhere.pem" in job.receipt["reason"][0]
    with pytest.raises(SettingsError, match="SSL_CERT_FILE"):
        dn.Workspace(ws.name, api_key=ws.settings.api_key.reveal(), api_url=ws.settings.api_url)


# --- what was handed in ---------------------------------------------------------------------------------------------


def test_a_file_named_twice_goes_up_once(ws: dn.Workspace, folder: Path) -> None:
    job = ws.upload([folder, folder / "report-3.txt"], show=False).wait(30)

    assert job.receipt["status"].tolist() == ["ok"] * 5
    assert len(ws.list_files()) == 5


# --- texts whose answer is lost -------------------------------------------------------------------------------------


def lost_answer(ws: dn.Workspace, *, arrives: bool) -> Callable[[Request], Answer | None]:
    def rule(request: Request) -> Answer | None:
        if request.method != "POST" or "/files" not in request.path:
            return None
        if arrives:
            passed_on(ws, request)
        return Answer(502)

    return rule


@pytest.mark.parametrize(("arrives", "status"), [(True, "ok"), (False, "failed")])
def test_a_text_of_before_is_not_taken_for_the_one_whose_answer_was_lost(
    ws: dn.Workspace, arrives: bool, status: str
) -> None:
    before = ws.upload_texts({"note.txt": "text A"}, show=False).wait(30).receipt["file_id"][0]
    with front(ws.settings.api_url, lost_answer(ws, arrives=arrives)) as gateway:
        there = dn.Workspace(ws.name, api_key=ws.settings.api_key.reveal(), api_url=gateway.api_url)
        job = there.upload_texts({"note.txt": "text B"}, show=False).wait(30)

    assert job.receipt["status"].tolist() == [status]
    assert job.receipt["file_id"].ne(before).fillna(True).all()
    assert len(ws.list_files()) == 1 + arrives


def test_a_text_of_somebody_else_is_not_taken_for_the_one_whose_answer_was_lost(ws: dn.Workspace) -> None:
    def rule(request: Request) -> Answer | None:
        if request.method != "POST" or "/files" not in request.path:
            return None
        passed_on(
            ws, Request(request.method, request.path, request.headers, request.body.replace(b"text B", b"text A"))
        )
        return Answer(502)

    with front(ws.settings.api_url, rule) as gateway:
        there = dn.Workspace(ws.name, api_key=ws.settings.api_key.reveal(), api_url=gateway.api_url)
        job = there.upload_texts({"note.txt": "text B"}, show=False).wait(30)

    assert job.receipt["status"].tolist() == ["failed"]
    assert job.receipt["file_id"].isna().all()


# --- who watches ----------------------------------------------------------------------------------------------------


def test_the_last_state_is_the_final_one_also_after_a_callback_that_waited(ws: dn.Workspace, folder: Path) -> None:
    seen: list[str] = []
    job = ws.upload(folder, show=False)
    job.subscribe(lambda _: bridge.run(job._wait, 10) and None)
    job.subscribe(lambda state: seen.append(state["status"]))
    job.wait(30)
    until(lambda: "done" in seen)
    bridge.run(job._wait, 0)  # one more turn of the loop

    assert seen[-1] == "done"
