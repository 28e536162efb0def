"""Taking uploads back: `undo`, `cancel(ingest="remove")` and tags delete exactly what they can prove."""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd
import pytest

import deepset_nb as dn
from deepset_nb import frames
from deepset_nb.errors import InputError, StillRunning


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
