"""What a job says of itself against a real platform: what it waits for, what a cancel leaves, how to do it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import deepset_nb as dn
from deepset_nb._places import STATE_VARIABLE
from deepset_nb.client import retries
from deepset_nb.connect import _enter as enter
from tests.contract.rooms import until

Start = Callable[..., Any]


@pytest.fixture
def own(start: Start) -> dn.Workspace:
    """A workspace of a sandbox that may misbehave."""
    return enter(asdict(start(seed=1).connection), None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "reports"
    made.mkdir()
    for number in range(6):
        (made / f"{number}.txt").write_text("text " * (number + 1))
    return made


def breaks(ws: dn.Workspace, fault: str) -> None:
    assert ws.sandbox is not None
    ws.sandbox.fault(fault)


def states_of(job: Any) -> list[Any]:
    states: list[Any] = []
    job.subscribe(states.append)
    job.wait(60)
    return states


def test_a_wait_for_another_try_is_told_while_it_lasts(
    own: dn.Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "WAIT_FIRST_S", 1.2)
    breaks(own, "slow_down:6")
    states = states_of(own.upload(folder, show=False))
    waiting = [state for state in states if "try 2 of 5 in " in state["detail"]]

    assert waiting
    assert all("SlowDown" in state["detail"] for state in waiting)
    assert {state["status"] for state in waiting} == {"running"}
    assert states[-1]["detail"] == ""
    assert states[-1]["status"] == "done"


def test_a_wait_for_the_platform_itself_is_told_too(
    own: dn.Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "WAIT_FIRST_S", 1.2)
    breaks(own, "api_429:2")
    details = {state["detail"] for state in states_of(own.upload(folder, show=False))}

    assert any(detail.startswith("Waiting, try 2 of 5 in ") for detail in details), details


def test_no_retry_is_offered_for_what_the_bucket_refused_for_good(own: dn.Workspace, folder: Path) -> None:
    breaks(own, "too_large:20")
    state = own.upload(folder, show=False).wait(60).state()

    assert state["counts"]["failed"] > 0
    assert (state["status"], state["can_retry"], state["retry_files"]) == ("failed", False, 0)


def test_after_a_cancel_that_keeps_the_session_is_closed_and_said_so(own: dn.Workspace, tmp_path: Path) -> None:
    (tmp_path / "small.txt").write_text("small")
    (tmp_path / "large.bin").write_bytes(bytes(20_000_000))
    breaks(own, "bandwidth:500000")
    job = own.upload(tmp_path, show=False)
    until(lambda: job.state()["counts"]["waiting"] == 1)
    state = job.cancel("keep").wait(60).state()

    assert state["status"] == "cancelled"
    assert state["expires_at"] is None
    assert "the upload session is closed: the platform ingests what was sent" in state["note"]
    assert state["headline"] == "Cancelled: 1 of 2 files are on the platform"
    assert state["counts"]["waiting"] == 0
    assert own.get_upload_session(state["session_id"]).status == "CLOSED"


def test_the_code_of_a_job_gives_the_same_plan(ws: dn.Workspace, folder: Path) -> None:
    (folder / "below").mkdir()
    (folder / "below" / "7.txt").write_text("deep")
    options: Any = {"recursive": True, "exclude": ["1.*"], "meta": {"year": 2024, "who": 'it\'s "me"'}}
    job = ws.upload([folder, folder / "0.txt"], show=False, resume=False, **options).wait(60)
    again = eval(job.code.replace("ws.upload(", "ws.plan("), {"ws": ws})

    assert job.code.startswith("ws.upload([")
    assert str(ws.settings.api_key.reveal()) not in job.code
    pd.testing.assert_frame_equal(again, ws.plan([folder, folder / "0.txt"], resume=False, **options))


def test_the_code_of_texts_and_downloads_can_be_run(ws: dn.Workspace, tmp_path: Path) -> None:
    first = ws.upload_texts({"note.txt": "text"}, show=False).wait(60)
    assert first.code == 'ws.upload_texts({"note.txt": "text"})'
    assert eval(first.code, {"ws": ws}).wait(60).receipt["status"].tolist() == ["skipped"]

    fetched = ws.download(tmp_path / "got", name="note", include_meta=False, show=False).wait(60)
    assert fetched.code == f'ws.download("{tmp_path / "got"}", name="note", include_meta=False)'
    assert eval(fetched.code, {"ws": ws}).wait(60).receipt["status"].tolist() == ["skipped"]


def test_the_receipt_comes_in_pages_that_add_up_to_it(ws: dn.Workspace, folder: Path) -> None:
    (folder / "empty.txt").touch()
    job = ws.upload(folder, show=False).wait(60)
    pages = [job.receipt_page(offset=offset, limit=3) for offset in (0, 3, 6, 9)]

    rows = [row for page in pages for row in page["rows"]]
    assert [row["path"] for row in rows] == job.receipt["path"].tolist()
    assert [row["status"] for row in rows] == job.receipt["status"].tolist()
    assert {page["total"] for page in pages} == {7}
    [failed] = job.receipt_page("failed")["rows"]
    assert failed["path"].endswith("empty.txt")
    assert pages[0]["counts"]["ok"] == 6


def test_a_journal_that_cannot_be_used_is_told_without_its_place(
    ws: dn.Workspace, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "anna").touch()
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path / "anna" / "state"))
    note = ws.upload(folder, show=False).wait(60).state()["note"]

    assert note is not None
    assert note.startswith("The journal cannot be used")
    assert "anna" not in note
