"""What the API returned, as DataFrames: columns, dtypes and UTC are the same whatever came, also when nothing did.

The only place that decides dtypes, so that they are equal under pandas 2.2 and 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pandas as pd

from .errors import InputError
from .models import File, SessionFile, UploadSessionDetail, WorkspaceInfo
from .transfer.journal_records import JobRecord
from .transfer.meta import meta_of
from .transfer.receipt import Row

TEXT, COUNT, TIME, SECONDS = "string", "Int64", "datetime64[us, UTC]", "Float64"

FILES = {"file_id": TEXT, "name": TEXT, "size": COUNT, "created_at": TIME, "meta": "object", "url": TEXT}
SESSIONS = {
    "session_id": TEXT,
    "status": TEXT,
    "created_at": TIME,
    "expires_at": TIME,
    "write_mode": TEXT,
    "created_by": TEXT,
}
SESSION_FILES = {"name": TEXT, "status": TEXT, "reason": TEXT}
WORKSPACES = {"name": TEXT, "workspace_id": TEXT}
PLAN = {
    "path": TEXT,
    "name": TEXT,
    "stored_name": TEXT,
    "size": COUNT,
    "action": TEXT,
    "state": TEXT,
    "reason": TEXT,
    "remedy": TEXT,
    "meta": "object",
}
JOBS = {
    **dict.fromkeys(("job_id", "kind", "status", "workspace", "host", "organisation"), TEXT),
    **dict.fromkeys(("started_at", "ended_at"), TIME),
    **dict.fromkeys(("files", "ok", "failed", "skipped", "unaccounted", "cancelled"), COUNT),
    "headline": TEXT,
}
FINDINGS = {"cell": COUNT, "where": TEXT, "kind": TEXT, "excerpt": TEXT, "remedy": TEXT}
RECEIPT = {
    "path": TEXT,
    "name": TEXT,
    "stored_name": TEXT,
    "size": COUNT,
    "status": TEXT,
    "phase": TEXT,
    "attempts": COUNT,
    "reason": TEXT,
    "remedy": TEXT,
    "file_id": TEXT,
    "session_id": TEXT,
    "seconds": SECONDS,
}


def _frame(dtypes: Mapping[str, str], records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    columns: dict[str, list[Any]] = {name: [] for name in dtypes}
    for record in records:
        for name, values in columns.items():
            values.append(record[name])
    return pd.DataFrame({name: _series(values, dtypes[name]) for name, values in columns.items()})


def _series(values: list[Any], dtype: str) -> pd.Series[Any]:
    if dtype == TIME:
        times: pd.Series[Any] = pd.to_datetime(pd.Series(values, dtype="object"), utc=True)
        return times.astype("datetime64[us, UTC]")
    # In a plan of 100,000 files most columns say the same of each: building one value is 20 times cheaper.
    if dtype != "object" and values and values.count(values[0]) == len(values):
        return pd.Series(values[0], index=pd.RangeIndex(len(values)), dtype=dtype)
    try:
        return pd.Series(values, dtype=dtype)
    except UnicodeEncodeError:  # a Linux file name that is no UTF-8, where texts are kept by Arrow
        return pd.Series(values, dtype=pd.StringDtype("python"))


def files(found: Iterable[File]) -> pd.DataFrame:
    """Files: ``file_id name size created_at meta url``; ``size`` in bytes, ``meta`` a dict."""
    return _frame(
        FILES,
        (
            {
                "file_id": str(file.file_id),
                "name": file.name,
                "size": file.size,
                "created_at": file.created_at,
                "meta": file.meta or {},
                "url": file.url,
            }
            for file in found
        ),
    )


def files_in(frame: pd.DataFrame) -> list[File]:
    """The files that rows of `files` describe, in their order, each once; ``meta`` and ``url`` may be missing.

    Raises:
        InputError: A column is missing, or a row is not that of a file.
    """
    needed = ("file_id", "name", "size", "created_at")
    if missing := [name for name in needed if name not in frame.columns]:
        raise InputError(
            f"The DataFrame of files has no column {missing[0]!r}.",
            "Give rows of ws.list_files() with these columns: file_id, name, size, created_at.",
        )
    metas = frame["meta"] if "meta" in frame.columns else [None] * len(frame)
    found: dict[UUID, File] = {}
    columns = [*(frame[name] for name in needed), metas]
    for number, (file_id, name, size, created, meta) in enumerate(zip(*columns, strict=True)):
        try:
            moment = pd.Timestamp(created)
            made = (moment.tz_localize("UTC") if moment.tz is None else moment).to_pydatetime(warn=False)
            file = File(UUID(str(file_id)), "", str(name), int(size), made, meta if isinstance(meta, dict) else None)
        except (ValueError, TypeError):
            raise InputError(
                f"Row {number} of the DataFrame of files is not that of a file: its id, size or time is none.",
                "Filter what ws.list_files() returns, but leave its values as they are.",
            ) from None
        found.setdefault(file.file_id, file)
    return list(found.values())


def sessions(found: Iterable[UploadSessionDetail]) -> pd.DataFrame:
    """Upload sessions: ``session_id status created_at expires_at write_mode created_by``."""
    return _frame(SESSIONS, (session_record(session) for session in found))


def session_record(session: UploadSessionDetail) -> dict[str, Any]:
    """One upload session as a row; ``created_by`` is the person's name."""
    user = session.created_by
    return {
        "session_id": str(session.session_id),
        "status": str(session.status),
        "created_at": session.created_at,
        "expires_at": session.expires_at,
        "write_mode": str(session.write_mode),
        "created_by": f"{user.given_name} {user.family_name}".strip() if user else None,
    }


def session_files(found: Iterable[SessionFile]) -> pd.DataFrame:
    """Per-file outcome of a session: ``name status reason``."""
    return _frame(
        SESSION_FILES,
        (
            {"name": file.name, "status": str(file.ingestion_status), "reason": file.ingestion_status_reason}
            for file in found
        ),
    )


def workspaces(found: Iterable[WorkspaceInfo]) -> pd.DataFrame:
    """Workspaces: ``name workspace_id``."""
    return _frame(
        WORKSPACES, (msgspec.structs.asdict(info) | {"workspace_id": str(info.workspace_id)} for info in found)
    )


def jobs(records: Iterable[JobRecord]) -> pd.DataFrame:
    """Jobs, past and running: see ``dn.jobs``."""

    def time_of(seconds: float | None) -> datetime | None:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)

    return _frame(
        JOBS,
        (
            asdict(record)
            | {
                "job_id": record.job,
                "started_at": time_of(record.started_at),
                "ended_at": time_of(record.ended_at),
            }
            for record in records
        ),
    )


def findings(records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """What a notebook should not be handed on with."""
    return _frame(FINDINGS, records)


def receipt(records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A receipt: one row per file, see ``UploadJob.receipt``."""
    return _frame(RECEIPT, records)


def receipt_of(rows: Sequence[Row]) -> pd.DataFrame:
    """The same of a transfer's rows, which may change meanwhile; column by column, as they can be very many."""
    return pd.DataFrame({name: _series([row.shown(name) for row in rows], dtype) for name, dtype in RECEIPT.items()})


ACTIONS = {"pending": "send", "failed": "refuse"}


def plan(rows: Sequence[Row]) -> pd.DataFrame:
    """A plan: ``path name stored_name size action state reason remedy meta``, one row per file, see ``Workspace.plan``.

    Column by column, as a plan may have 100,000 rows.
    """
    columns: dict[str, list[Any]] = {
        "path": [row.path if isinstance(row.source, str) else None for row in rows],
        "name": [row.name for row in rows],
        "stored_name": [row.stored_name for row in rows],
        "size": [row.size for row in rows],
        "action": [ACTIONS.get(row.status, "skip") for row in rows],
        "state": [row.state for row in rows],
        "reason": [row.reason or row.warning for row in rows],
        "remedy": [row.remedy for row in rows],
        "meta": [meta_of(row) for row in rows],
    }
    series = {name: _series(values, PLAN[name]) for name, values in columns.items() if name != "stored_name"}
    is_same = columns["stored_name"] == columns["name"]  # nearly always, and cheap to ask: it is one object then
    series["stored_name"] = series["name"].copy() if is_same else _series(columns["stored_name"], TEXT)
    return pd.DataFrame({name: series[name] for name in PLAN})
