"""What later runs make of what earlier ones left: nothing is forgotten, nothing taken for what it is not."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

import deepset_nb as dn
from deepset_nb.transfer.journal import Journal
from tests.clients.front import Answer, Front, Request
from tests.contract.rooms import until
from tests.contract.test_upload_again import cancelled, gateway, slow, statuses, there, upload

__all__ = ["gateway", "slow", "there"]  # fixtures


def names(ws: dn.Workspace) -> list[str]:
    return sorted(ws.list_files()["name"])


def in_folder(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".meta.json"))


def test_every_further_run_of_a_finished_upload_skips_what_the_second_skipped(ws: dn.Workspace, folder: Path) -> None:
    first = upload(ws, folder).receipt
    for _ in range(2):
        again = upload(ws, folder)
        assert set(statuses(again).values()) == {"skipped"}
        assert again.receipt["file_id"].tolist() == first["file_id"].tolist()


def test_what_a_run_leaves_out_is_not_forgotten(ws: dn.Workspace, folder: Path) -> None:
    upload(ws, folder)
    upload(ws, folder, exclude=["report-1.txt"])
    plan = ws.plan(folder)
    plan["action"] = "skip"
    ws.upload(plan, show=False).wait(60)

    assert set(statuses(upload(ws, folder)).values()) == {"skipped"}
    assert names(ws) == in_folder(folder)


def test_what_was_sent_into_a_session_that_could_not_be_closed_is_not_sent_again(
    ws: dn.Workspace, there: dn.Workspace, gateway: Front, folder: Path
) -> None:
    gateway.rule = lambda request: Answer(503, "Unavailable") if request.method == "PUT" else None
    assert set(statuses(upload(there, folder)).values()) == {"failed"}
    gateway.rule = lambda request: None
    sent = sum(request.is_to_bucket for request in gateway.requests)

    assert set(statuses(upload(there, folder)).values()) == {"ok"}
    assert sum(request.is_to_bucket for request in gateway.requests) == sent
    assert ws.list_upload_sessions()["status"].tolist() == ["CLOSED"]
    assert names(ws) == in_folder(folder)


def test_what_came_after_somebody_closed_the_session_is_sent_by_the_next_run(
    ws: dn.Workspace, slow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ws.sandbox is not None
    monkeypatch.setattr("deepset_nb.transfer.watch.SETTLED_S", 0.3)
    job = ws.upload(slow, show=False)
    until(lambda: job.state()["phases"][1]["files_done"] > 3)
    ws.close_upload_session(job.state()["session_id"] or "")
    job.wait(60)
    ws.sandbox.clear_faults()
    assert set(statuses(job).values()) == {"ok", "unaccounted"}

    assert set(statuses(upload(ws, slow)).values()) == {"ok", "skipped"}
    assert names(ws) == in_folder(slow)
