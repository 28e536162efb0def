"""Taking uploads back: `undo`, `cancel(ingest="remove")` and tags delete exactly what they can prove."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import deepset_nb as dn
from deepset_nb import frames
from deepset_nb.errors import InputError, StillRunning
from tests.clients.front import Answer, Front, Request, front
from tests.contract.rooms import StartedRoom, until


def names(ws: dn.Workspace) -> list[str]:
    return sorted(ws.list_files()["name"])


@pytest.fixture
def others(ws: dn.Workspace) -> dn.Workspace:
    """A workspace where somebody else's files are, one of a name that comes again."""
    ws.upload_texts({"theirs.txt": "x", "report-1.txt": "of somebody else"}, show=False).wait(30)
    return ws


def test_undo_tells_first_and_then_deletes_what_the_job_brought(others: dn.Workspace, folder: Path) -> None:
    job = others.upload(folder, show=False).wait(30)
    told = job.undo()

    assert {str(name): str(dtype) for name, dtype in told.dtypes.items()} == frames.DELETIONS
    assert set(told["status"]) == {"pending"}
    assert len(names(others)) == 7
    assert set(job.undo(dry_run=False)["status"]) == {"ok"}
    assert names(others) == ["report-1.txt", "theirs.txt"]
    assert set(job.undo(dry_run=False)["status"]) == {"skipped"}


def test_undo_leaves_what_was_there_before(others: dn.Workspace, folder: Path) -> None:
    others.upload(folder / "report-0.txt", show=False).wait(30)
    job = others.upload(folder, show=False).wait(30)
    job.undo(dry_run=False)

    assert names(others) == ["report-0.txt", "report-1.txt", "theirs.txt"]


def test_after_an_undo_the_same_cell_sends_again(ws: dn.Workspace, folder: Path) -> None:
    ws.upload(folder, show=False).wait(30).undo(dry_run=False)

    assert set(ws.upload(folder, show=False).wait(30).receipt["status"]) == {"ok"}
    assert len(names(ws)) == 5


def test_a_job_that_runs_is_not_undone(ws: dn.Workspace, folder: Path) -> None:
    assert ws.sandbox is not None
    ws.sandbox.fault("latency:300ms")
    job = ws.upload(folder, show=False)
    with pytest.raises(StillRunning, match="running"):
        job.undo()
    ws.sandbox.clear_faults()
    job.wait(60)


def lagging(gateway: Front, workspace: str, listed: set[str]) -> Callable[[Request], Answer | None]:
    """Listings that show only these files yet."""

    def rule(request: Request) -> Answer | None:
        if request.method != "GET" or not request.path.partition("?")[0].endswith(f"{workspace}/files"):
            return None
        answer = gateway.passed_on(request)
        page = json.loads(answer.body)
        page["data"] = [file for file in page["data"] if file["file_id"] in listed]
        return Answer(answer.status, json.dumps(page), answer.headers)

    return rule


def test_what_a_late_listing_took_for_ours_is_not_removed(start: Callable[..., StartedRoom], tmp_path: Path) -> None:
    connection = start(ingest_delay_s=0.7).connection
    ws = dn.Workspace(connection.workspace, api_key=connection.api_key, api_url=connection.api_url)
    (tmp_path / "handout.txt").write_text("ours")
    listed: set[str] = set()
    with front(connection.api_url) as gateway:
        gateway.rule = lagging(gateway, ws.name, listed)
        slow = dn.Workspace(ws.name, api_key=connection.api_key, api_url=gateway.api_url)
        job = slow.upload(tmp_path / "handout.txt", show=False)
        until(lambda: job.state()["phases"][2]["state"] == "active")
        theirs = ws.upload_texts({"handout.txt": "them"}, show=False).wait(30).receipt["file_id"][0]
        listed.add(theirs)
        assert job.wait(30).receipt["file_id"].tolist() == [theirs]
        gateway.rule = lambda request: None  # now both are listed

        assert job.undo()["status"].tolist() == ["skipped"]
        assert job.undo(dry_run=False)["reason"].str.contains("not known").all()
    assert names(ws) == ["handout.txt", "handout.txt"]


def test_undo_knows_the_files_of_an_upload_from_those_of_the_next(ws: dn.Workspace, folder: Path) -> None:
    first = ws.upload(folder, show=False).wait(30)
    time.sleep(1.1)  # the platform's clock may be that much off
    second = ws.upload(folder, resume=False, show=False).wait(30)
    assert set(second.undo(dry_run=False)["status"]) == {"ok"}
    assert sorted(ws.list_files()["file_id"]) == sorted(first.receipt["file_id"])

    assert set(first.undo(dry_run=False)["status"]) == {"ok"}
    assert names(ws) == []


def test_what_cannot_be_checked_is_not_removed(ws: dn.Workspace, folder: Path) -> None:
    job = ws.upload(folder, show=False).wait(30)
    assert ws.sandbox is not None
    ws.sandbox.fault("api_429:100")
    told = job.undo(dry_run=False)
    ws.sandbox.clear_faults()

    assert set(told["status"]) == {"failed"}
    assert len(names(ws)) == 5


def test_a_removal_that_is_broken_off_says_of_each_file_what_became_of_it(ws: dn.Workspace, tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"{number:02}.txt").write_text("x")
    with front(ws.settings.api_url) as gateway:
        there = dn.Workspace(ws.name, api_key=ws.settings.api_key.reveal(), api_url=gateway.api_url)
        deleted: list[str] = []

        def stop_it(request: Request) -> None:
            if request.method == "DELETE":
                deleted.append(request.path)
                if len(deleted) == 20:
                    job.cancel()

        gateway.rule = stop_it
        job = there.upload(tmp_path, show=False)
        until(lambda: job.state()["phases"][2]["state"] == "active")
        job.cancel(ingest="remove").wait(30)
        status = job.receipt.set_index("name")["status"]

        assert 20 <= len(deleted) < 40
        assert sorted(status.index[status == "ok"]) == names(ws)
        assert set(status[status != "ok"]) == {"cancelled"}
        assert set(job.undo(dry_run=False)["status"]) == {"ok"}
    assert names(ws) == []


def test_a_removal_that_is_broken_off_before_it_begins_says_so(
    ws: dn.Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken_off(*_: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr("deepset_nb.transfer.remove.leave_unproved", broken_off)
    for number in range(40):
        (tmp_path / f"{number:02}.txt").write_text("x")
    job = ws.upload(tmp_path, show=False)
    until(lambda: job.state()["phases"][2]["state"] == "active")
    job.cancel(ingest="remove").wait(30)
    reasons = job.receipt.set_index("name").loc[names(ws), "reason"]

    assert len(reasons) > 0
    assert set(reasons) == {"It was not removed: the removal was broken off before it began."}


def test_what_was_to_be_kept_can_still_be_removed(start: Callable[..., StartedRoom], tmp_path: Path) -> None:
    connection = start(ingest_delay_s=0.7, faults=("bandwidth:30000",)).connection
    ws = dn.Workspace(connection.workspace, api_key=connection.api_key, api_url=connection.api_url)
    for number in range(20):
        (tmp_path / f"{number:02}.txt").write_text("x" * 2000)
    job = ws.upload(tmp_path, show=False)
    until(lambda: job.state()["phases"][1]["files_done"] > 0)
    job.cancel(ingest="keep")
    until(lambda: job.state()["phases"][2]["state"] == "active")
    job.cancel(ingest="remove").wait(30)

    assert set(job.receipt["status"]) == {"cancelled"}
    assert names(ws) == []


def test_an_ended_job_says_that_a_cancel_removes_nothing(ws: dn.Workspace, folder: Path) -> None:
    job = ws.upload(folder, show=False).wait(30)
    with pytest.raises(InputError, match=r"nothing was removed\..*job\.undo"):
        job.cancel(ingest="remove")

    assert len(names(ws)) == 5


def test_a_job_that_is_just_ending_says_to_wait_for_it(
    ws: dn.Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ws.sandbox is not None
    ws.sandbox.fault("latency:300ms")
    job = ws.upload(folder, show=False)
    with monkeypatch.context() as slow:
        slow.setattr(job._task, "cancel", lambda: None)
        job.cancel()
    with pytest.raises(InputError, match=r"just ending.*job\.wait\(\), then job\.undo"):
        job.cancel(ingest="remove")
    with pytest.raises(StillRunning, match=r"job\.wait\(\), then job\.undo"):
        job.undo()
    ws.sandbox.clear_faults()
    job.wait(60)


@pytest.mark.parametrize("phase", [1, 2])
def test_a_cancel_that_removes_leaves_nothing_of_its_own_behind(
    others: dn.Workspace, tmp_path: Path, phase: int
) -> None:
    (tmp_path / "many").mkdir()
    for number in range(60):
        (tmp_path / "many" / f"{number:02}.txt").write_text("x")
    (tmp_path / "many" / "report-1.txt").write_text("ours")
    assert others.sandbox is not None
    others.sandbox.fault("latency:50ms")
    job = others.upload(tmp_path / "many", show=False)
    while not job.done and not job.state()["phases"][phase]["files_total"]:
        time.sleep(0.005)
    job.cancel(ingest="remove")
    others.sandbox.clear_faults()
    job.wait(60)
    state = job.state()

    assert state["status"] in ("cancelled", "done"), state["headline"]
    assert names(others) == ["report-1.txt", "theirs.txt"]
    assert set(job.receipt["status"]) == {"cancelled"}
    assert "removed" in str(state["note"])
    assert set(others.list_upload_sessions()["status"]) == {"CLOSED"}


def test_texts_that_went_directly_are_removed_as_well(others: dn.Workspace) -> None:
    assert others.sandbox is not None
    others.sandbox.fault("latency:100ms")
    job = others.upload_texts({f"{number:02}.txt": "x" for number in range(18)}, show=False)
    while not job.done and not job.state()["phases"][1]["files_done"]:
        time.sleep(0.005)
    job.cancel(ingest="remove")
    others.sandbox.clear_faults()
    job.wait(60)

    assert names(others) == ["report-1.txt", "theirs.txt"]
    assert set(job.receipt["status"]) == {"cancelled"}


def test_what_is_tagged_is_cleaned_together(others: dn.Workspace, folder: Path) -> None:
    (folder / "report-1.txt.meta.json").write_text('{"topic": "rivers"}')
    others.upload(folder, tag="class 2026-11", meta={"year": 2026}, show=False).wait(30)
    others.upload_texts([dn.DeepsetCloudFile("x", "note.md", {"a": 1})], tag="class 2026-11", show=False).wait(30)
    others.upload_texts({"other.md": "x"}, tag="class 2026-12", show=False).wait(30)
    metas = others.list_files().set_index("name")["meta"]

    assert metas["note.md"] == {"a": 1, "upload_tag": "class 2026-11"}
    assert others.list_files(meta={"topic": "rivers"})["meta"].tolist() == [
        {"topic": "rivers", "year": 2026, "upload_tag": "class 2026-11"}
    ]
    assert sorted(others.clean(tag="class 2026-11")["name"]) == ["note.md", *(f"report-{n}.txt" for n in range(5))]
    assert set(others.clean(tag="class 2026-11", dry_run=False)["status"]) == {"ok"}
    assert names(others) == ["other.md", "report-1.txt", "theirs.txt"]
    assert others.clean(tag="class 2026-11").empty


@pytest.mark.parametrize("tag", ["", " x", "it's", 'a"b', "a\\b", "x" * 201, 5])
def test_a_tag_that_could_not_be_found_again_is_refused(ws: dn.Workspace, folder: Path, tag: str) -> None:
    for call in (lambda: ws.upload(folder, tag=tag, show=False), lambda: ws.clean(tag=tag, dry_run=False)):
        with pytest.raises(InputError, match="tag"):
            call()


def test_the_plan_shows_the_tag(ws: dn.Workspace, folder: Path) -> None:
    plan: pd.DataFrame = ws.plan(folder, tag="x")

    assert [meta["upload_tag"] for meta in plan["meta"]] == ["x"] * 5
