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
