"""``list_upload_sessions(diagnose=True)``: how each session stands and what to do next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

import deepset_nb as dn
from deepset_nb import frames


def told(ws: dn.Workspace) -> dict[str, Any]:
    [row] = ws.list_upload_sessions(diagnose=True).to_dict("records")
    return row


def test_a_session_with_failures_says_how_many_and_its_code_shows_which(ws: dn.Workspace, folder: Path) -> None:
    assert ws.sandbox is not None
    ws.sandbox.fault("fail:report-2.txt=UNKNOWN_ERROR")
    ws.upload(folder, show=False).wait(30)
    row = told(ws)

    assert row["verdict"] == "1 of 5 failed."
    assert (row["finished"], row["failed"], row["pending"]) == (4, 1, 0)
    assert eval(row["code"], {"ws": ws})["name"].tolist() == ["report-2.txt"]


def test_an_open_session_says_since_when_and_until_when_and_its_code_closes_it(ws: dn.Workspace) -> None:
    session_id = open_session(ws)
    row = told(ws)

    assert row["verdict"] == "Open for 0 min, nothing ingested yet; closes by itself in 23 h."
    assert pd.isna(row["pending"])
    assert "close it" in row["next_action"]
    assert eval(row["code"], {"ws": ws}).status == "CLOSED"
    assert told(ws)["session_id"] == session_id
    assert told(ws)["verdict"] == "No files in it."


def test_a_session_in_order_needs_nothing(ws: dn.Workspace, folder: Path) -> None:
    ws.upload(folder, show=False).wait(30)
    row = told(ws)

    assert row["verdict"] == "All files are ingested."
    assert pd.isna(row["next_action"])


def test_columns_are_the_same_without_sessions(ws: dn.Workspace) -> None:
    empty = ws.list_upload_sessions(diagnose=True)

    assert {str(name): str(dtype) for name, dtype in empty.dtypes.items()} == frames.SESSIONS | frames.DIAGNOSES


def open_session(ws: dn.Workspace) -> str:
    import asyncio

    from deepset_nb.client import AsyncClient

    async def opened() -> str:
        async with AsyncClient(ws.settings) as client:
            return str((await client.upload_sessions.create(ws.name)).session_id)

    return asyncio.run(opened())


def test_what_is_picked_out_of_all_sessions_is_said(ws: dn.Workspace) -> None:
    [note] = ws.list_upload_sessions(status="OPEN", created_by="ada", diagnose=True).attrs["notes"]

    assert note == "Filtered here, not by the platform: status, created_by."
    assert "notes" not in ws.list_upload_sessions(is_expired=False).attrs
