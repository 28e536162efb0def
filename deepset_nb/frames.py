"""What the API returned, as DataFrames: columns, dtypes and UTC are the same whatever came, also when nothing did.

The only place that decides dtypes, so that they are equal under pandas 2.2 and 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import msgspec
import pandas as pd

from .models import SessionFile, UploadSessionDetail, WorkspaceInfo
from .transfer.deletion import Deletion
from .transfer.doctor import Diagnosis
from .transfer.journal_records import JobRecord
from .transfer.meta import meta_of
from .transfer.meta_edits import Edit
from .transfer.receipt import Row

TEXT, COUNT, TIME, SECONDS = "string", "Int64", "datetime64[us, UTC]", "Float64"

SESSIONS = {
    "session_id": TEXT,
    "status": TEXT,
    "created_at": TIME,
    "expires_at": TIME,
    "write_mode": TEXT,
    "created_by": TEXT,
}
DIAGNOSES = {
    **dict.fromkeys(("finished", "failed", "pending"), COUNT),
    **dict.fromkeys(("verdict", "next_action", "code"), TEXT),
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


def frame_of(dtypes: Mapping[str, str], records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    columns: dict[str, list[Any]] = {name: [] for name in dtypes}
    for record in records:
        for name, values in columns.items():
            values.append(record[name])
    return pd.DataFrame({name: series_of(values, dtypes[name]) for name, values in columns.items()})


def series_of(values: list[Any], dtype: str) -> pd.Series[Any]:
    if dtype == TIME:
        times: pd.Series[Any] = pd.to_datetime(pd.Series(values, dtype="object"), utc=True)
        return times.astype("datetime64[us, UTC]")
    # In a plan of 100,000 files most columns say the same of each: building one value is 20 times cheaper.
    is_one = dtype != "object" and values and values.count(values[0]) == len(values)
    data, index = (values[0], pd.RangeIndex(len(values))) if is_one else (values, None)
    try:
        return pd.Series(data, index, dtype=dtype)
    except UnicodeEncodeError:  # a Linux file name that is no UTF-8, where texts are kept by Arrow
        return pd.Series(data, index, dtype=pd.StringDtype("python"))


def meta_edits(edits: Iterable[Edit]) -> pd.DataFrame:
    """Edits of metadata, one row for each key that differs: see ``Workspace.apply_meta``."""
    return frame_of(META_EDITS, (vars(edit) | {"file_id": str(edit.file_id)} for edit in edits))


def deletions(rows: Iterable[Deletion]) -> pd.DataFrame:
    """Files to delete or deleted: see ``Workspace.delete_files``."""
    return frame_of(DELETIONS, (vars(row) | {"file_id": str(row.file_id) if row.file_id else None} for row in rows))


def sessions(found: Iterable[UploadSessionDetail]) -> pd.DataFrame:
    """Upload sessions: ``session_id status created_at expires_at write_mode created_by``."""
    return frame_of(SESSIONS, (session_record(session) for session in found))


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


def is_asked_for(session: UploadSessionDetail, *, status: str | None = None, created_by: str | None = None) -> bool:
    """Whether a session is in this state, and made by somebody whose name contains this; the platform cannot pick."""
    if status and str(session.status) != status:
        return False
    return not created_by or created_by.casefold() in (session_record(session)["created_by"] or "").casefold()


def with_diagnoses(listed: pd.DataFrame, diagnoses: Sequence[Diagnosis]) -> pd.DataFrame:
    """Sessions with ``finished failed pending verdict next_action code``: see ``Workspace.list_upload_sessions``."""
    return pd.concat([listed, frame_of(DIAGNOSES, map(vars, diagnoses))], axis=1)


def session_files(found: Iterable[SessionFile]) -> pd.DataFrame:
    """Per-file outcome of a session: ``name status reason``."""
    return frame_of(
        SESSION_FILES,
        (
            {"name": file.name, "status": str(file.ingestion_status), "reason": file.ingestion_status_reason}
            for file in found
        ),
    )


def workspaces(found: Iterable[WorkspaceInfo]) -> pd.DataFrame:
    """Workspaces: ``name workspace_id``."""
    return frame_of(
        WORKSPACES, (msgspec.structs.asdict(info) | {"workspace_id": str(info.workspace_id)} for info in found)
    )


def jobs(records: Iterable[JobRecord]) -> pd.DataFrame:
    """Jobs, past and running: see ``dn.jobs``."""

    def time_of(seconds: float | None) -> datetime | None:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)

    return frame_of(
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
    return frame_of(FINDINGS, records)


def receipt(records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A receipt: one row per file, see ``UploadJob.receipt``."""
    return frame_of(RECEIPT, records)


def receipt_of(rows: Sequence[Row]) -> pd.DataFrame:
    """The same of a transfer's rows, which may change meanwhile; column by column, as they can be very many."""
    return pd.DataFrame({name: series_of([row.shown(name) for row in rows], dtype) for name, dtype in RECEIPT.items()})


META_EDITS = {
    **dict.fromkeys(("file_id", "name", "key"), TEXT),
    **dict.fromkeys(("before", "after"), "object"),
    **dict.fromkeys(("status", "reason", "remedy"), TEXT),
}
DELETIONS = {
    "file_id": TEXT,
    "name": TEXT,
    "size": COUNT,
    "created_at": TIME,
    "status": TEXT,
    "reason": TEXT,
    "remedy": TEXT,
}

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
    series = {name: series_of(values, PLAN[name]) for name, values in columns.items() if name != "stored_name"}
    is_same = columns["stored_name"] == columns["name"]  # nearly always, and cheap to ask: it is one object then
    series["stored_name"] = series["name"].copy() if is_same else series_of(columns["stored_name"], TEXT)
    return pd.DataFrame({name: series[name] for name in PLAN})
