"""A cancel is acknowledged within two seconds in whatever phase, with a whole receipt, and leaves nothing behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import httpx
import pytest

import deepset_nb as dn
from deepset_nb.job import UploadJob
from deepset_nb.transfer import shard
from deepset_nb.transfer.plan import plan_rows, read_given
from deepset_nb.transfer.progress import Progress
from deepset_nb.transfer.receipt import Row
from deepset_nb.transfer.upload import Upload
from tests.clients.front import Answer, Front, Request, front
from tests.contract.platform_holds import Wanted, assert_true, contents_of
from tests.contract.rooms import StartedRoom, until
from tests.contract.test_upload_breaks import workspace_of
from tests.leaks import nothing_left

ACKNOWLEDGED_S = 2.0
Start = Callable[..., StartedRoom]


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """60 files of 20 kB, every third one with metadata."""
    made = tmp_path / "documents"
    made.mkdir()
    for number in range(60):
        (made / f"{number:02}.bin").write_bytes(bytes([number]) * 20_000)
        if number % 3 == 0:
            (made / f"{number:02}.bin.meta.json").write_text(f'{{"number": {number}}}')
    return made


@pytest.fixture
def gateway(ws: dn.Workspace) -> Iterator[Front]:
    with front(ws.settings.api_url) as gateway:
        yield gateway


@pytest.fixture
def there(ws: dn.Workspace, gateway: Front) -> dn.Workspace:
    return dn.Workspace(ws.name, api_key=ws.settings.api_key.reveal(), api_url=gateway.api_url)


def active(job: UploadJob) -> str:
    return next((phase["name"] for phase in job.state()["phases"] if phase["state"] == "active"), "")


def sent(job: UploadJob) -> int:
    return job.state()["phases"][1]["files_done"]


def cancelled(job: UploadJob) -> None:
    """Cancel; it has ended in time, and each row has its outcome."""
    began = time.monotonic()
    job.cancel().wait(30)
    assert time.monotonic() - began < ACKNOWLEDGED_S
    assert job.state()["status"] == "cancelled"
    assert not (job.receipt["status"] == "pending").any()


def brings_the_rest(job: UploadJob, ws: dn.Workspace, wanted: Wanted) -> None:
    again = job.retry(show=False).wait(60)
    assert set(again.receipt["status"]) <= {"ok", "skipped"}, again.failed.to_string()
    missed = set(again.receipt["name"])
    assert missed | set(job.receipt.loc[job.receipt["status"] == "ok", "name"]) == set(wanted)
    assert set(ws.list_upload_sessions()["status"]) == {"CLOSED"}


def held(gateway: Front, when: Callable[[Request], bool]) -> tuple[Event, Event]:
    """Requests that fit arrive, and are answered only when told to; returns both moments."""
    arrived, go_on = Event(), Event()

    def rule(request: Request) -> Answer | None:
        if when(request):
            arrived.set()
            go_on.wait(20)
        return None

    gateway.rule = rule
    return arrived, go_on


def test_while_planning(ws: dn.Workspace, documents: Path) -> None:
    planning, go_on = Event(), Event()

    def plan() -> list[Row]:
        planning.set()
        go_on.wait(10)
        return plan_rows(read_given(documents))

    with nothing_left(ws, documents):
        job = UploadJob(Upload(ws.settings, plan, Progress(ws.target), who=ws._who))
        planning.wait(10)
        cancelled(job)
        go_on.set()
        brings_the_rest(job, ws, contents_of(documents))


def test_while_many_small_files_are_sent(ws: dn.Workspace, documents: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard, "OBJECTS_PER_SESSION", 30)
    assert ws.sandbox is not None
    ws.sandbox.fault("bandwidth:30000")
    with nothing_left(ws, documents):
        job = ws.upload(documents, show=False)
        until(lambda: sent(job) > 5)
        cancelled(job)
        ws.sandbox.clear_faults()
        assert_true(job, ws, contents_of(documents))
        brings_the_rest(job, ws, contents_of(documents))


def test_while_one_large_file_is_sent(ws: dn.Workspace, tmp_path: Path) -> None:
    with (tmp_path / "large.bin").open("wb") as file:
        file.truncate(100 << 20)
    assert ws.sandbox is not None
    ws.sandbox.fault("bandwidth:1000000")
    with nothing_left(ws, tmp_path):
        job = ws.upload(tmp_path, show=False)
        until(lambda: job.state()["phases"][1]["bytes_done"] > 1_000_000)
        cancelled(job)
        ws.sandbox.clear_faults()
        brings_the_rest(job, ws, contents_of(tmp_path))


def test_while_waiting_for_room(ws: dn.Workspace, documents: Path) -> None:
    key = {"Authorization": f"Bearer {ws.settings.api_key.reveal()}"}
    url = f"{ws.settings.api_url}/workspaces/{ws.name}/upload_sessions"
    others = [httpx.post(url, json={}, headers=key).raise_for_status().json()["session_id"] for _ in range(10)]
    with nothing_left(ws, documents):
        job = ws.upload(documents, show=False)
        until(lambda: "Waiting for room" in job.state()["detail"])
        cancelled(job)
        assert (job.receipt["status"] == "cancelled").all()
        for session in others:
            ws.close_upload_session(session)
        brings_the_rest(job, ws, contents_of(documents))


def test_while_a_session_is_closed(ws: dn.Workspace, there: dn.Workspace, gateway: Front, documents: Path) -> None:
    arrived, go_on = held(gateway, lambda request: request.method == "PUT")
    with nothing_left(there, documents):
        job = there.upload(documents, show=False)
        assert arrived.wait(20), (job.state(), [(r.method, r.path) for r in gateway.requests if "bucket" not in r.path])
        began = time.monotonic()
        job.cancel()
        time.sleep(0.3)
        go_on.set()  # the answer is waited for, a moment
        job.wait(30)
        assert time.monotonic() - began < ACKNOWLEDGED_S
        assert (job.receipt["phase"] == "ingesting").all()
        brings_the_rest(job, ws, contents_of(documents))


def test_while_ingesting(start: Start, documents: Path) -> None:
    ws = workspace_of(start(ingest_rate=20))
    with nothing_left(ws, documents):
        job = ws.upload(documents, show=False)
        until(lambda: job.state()["phases"][2]["files_done"] > 3)
        cancelled(job)
        brings_the_rest(job, ws, contents_of(documents))


def test_while_ids_are_asked(ws: dn.Workspace, there: dn.Workspace, gateway: Front, documents: Path) -> None:
    listing = f"/workspaces/{ws.name}/files"
    arrived, go_on = held(gateway, lambda request: request.path.split("?")[0].endswith(listing))
    with nothing_left(there, documents):
        job = there.upload(documents, show=False)
        assert arrived.wait(20), (job.state(), [(r.method, r.path) for r in gateway.requests if "bucket" not in r.path])
        cancelled(job)
        go_on.set()
        assert (job.receipt["status"] == "ok").all()


@pytest.mark.parametrize("when", ["sending", "ingesting"])
def test_keep_ends_the_sending_at_once_and_ingests_what_was_sent(start: Start, documents: Path, when: str) -> None:
    ws = workspace_of(start(ingest_rate=100, faults=("bandwidth:30000",) if when == "sending" else ()))
    with nothing_left(ws, documents):
        job = ws.upload(documents, show=False)
        until(lambda: active(job) == when and sent(job) > 5)
        began = time.monotonic()
        job.cancel(ingest="keep")
        assert job.state()["status"] == "cancelling"
        until(lambda: active(job) != "sending")
        assert time.monotonic() - began < ACKNOWLEDGED_S
        job.wait(30)
        assert not (job.receipt["status"] == "pending").any()
        if when == "sending":  # else the platform goes on ingesting, and nobody watches
            assert_true(job, ws, contents_of(documents))
        brings_the_rest(job, ws, contents_of(documents))
