"""What the API returned, as DataFrames: columns, dtypes and UTC are the same whatever came, also when nothing did.

The only place that decides dtypes, so that they are equal under pandas 2.2 and 3.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import pandas as pd

from .errors import InputError
from .models import File, FileRow, SessionFile, UploadSessionDetail, WorkspaceInfo
from .transfer.deletion import Deletion
from .transfer.journal_records import JobRecord
from .transfer.meta import meta_of
from .transfer.meta_edits import Edit, Wish
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


class FileTable:
    """A listing of files under way: columns that grow page by page, and nothing else that does.

    Attributes:
        count: Rows so far.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._ids: list[str] = []
        self._names: list[str] = []
        self._urls: list[str] = []
        self._sizes = array("q")
        self._times = array("q")
        self._metas: list[str] = []
        self._same: dict[str, str] = {}  # metadata is alike in many files: each text is kept once

    @property
    def count(self) -> int:
        return len(self._ids)

    def add(self, rows: Sequence[FileRow]) -> None:
        """Take a page."""
        self._ids += [row.file_id for row in rows]
        self._names += [row.name for row in rows]
        self._urls += [row.url for row in rows]
        self._sizes.extend([row.size for row in rows])
        self._times.extend([microseconds(row.created_at) for row in rows])
        metas = [str(row.meta, "utf-8") for row in rows]
        same = self._same
        self._metas += [same.setdefault(meta, meta) for meta in metas] if len(same) < _KEPT_METAS else metas

    def frame(self, *, raw: bool = False) -> pd.DataFrame:
        """The table as `files` makes it; with ``raw`` the metadata is JSON text, a string column."""
        times = np.array(self._times, dtype="int64").view("datetime64[us]")
        decode = msgspec.json.Decoder().decode
        metas = (
            _series(["{}" if text == "null" else text for text in self._metas], TEXT)
            if raw
            else pd.Series([decode(text) or {} for text in self._metas], dtype="object")
        )
        return pd.DataFrame(
            {
                "file_id": _series(self._ids, TEXT),
                "name": _series(self._names, TEXT),
                "size": pd.Series(np.array(self._sizes, dtype="int64"), dtype=COUNT),
                "created_at": pd.Series(times).dt.tz_localize("UTC"),
                "meta": metas,
                "url": _series(self._urls, TEXT),
            }
        )


_KEPT_METAS = 10_000


def microseconds(moment: datetime) -> int:
    """Since 1970; what has no time zone is UTC."""
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1_000_000)  # exact: a float holds the microseconds of the next 200 years


def with_meta_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame of files whose ``meta`` became columns ``meta.<key>`` with a dtype each.

    Texts are string, whole numbers Int64, other numbers Float64, truth values boolean; mixed values and lists stay
    objects. A file without the key has NA, or None among objects.
    """
    metas: list[dict[str, Any]] = list(frame["meta"])
    keys = list(dict.fromkeys(key for meta in metas for key in meta))
    columns = {f"meta.{key}": _typed([meta.get(key) for meta in metas]) for key in keys}
    rest = frame.drop(columns="meta")
    return pd.concat([rest, pd.DataFrame(columns, index=frame.index)], axis=1)


def _typed(values: list[Any]) -> pd.Series[Any]:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int} and any(not -(2**63) <= value < 2**63 for value in values if value is not None):
        kinds = {object}
    dtypes = {bool: "boolean", int: COUNT, float: SECONDS, str: TEXT}
    if kinds == {int, float}:
        kinds = {float}
    return pd.Series(values, dtype=dtypes.get(kinds.pop(), "object") if len(kinds) == 1 else "object")


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


META = "meta."  # what a column of `with_meta_columns` begins with


def wishes_in(frame: pd.DataFrame) -> list[Wish]:
    """What rows of `files`, edited, say of each file's metadata: dicts or JSON in ``meta``, or columns ``meta.<key>``.

    Raises:
        InputError: A column is missing, or a row has no metadata that is any.
    """
    columns = [str(name) for name in frame.columns if str(name).startswith(META)]
    if frame.empty:
        return []
    if "file_id" not in frame.columns or (("meta" in frame.columns) == bool(columns)):
        raise InputError(
            "Edits of metadata need the column file_id, and meta or meta.<key> columns, not both.",
            "Edit a copy of what ws.list_files() returns, with expand_meta=True for a column a key.",
        )
    names = frame["name"] if "name" in frame.columns else frame["file_id"]
    keys = frozenset(name.removeprefix(META) for name in columns) if columns else None
    rows = (
        frame[columns].rename(columns=lambda name: str(name).removeprefix(META)).to_dict("records") if columns else ()
    )
    metas: Iterable[Any] = rows or frame["meta"]
    wishes: dict[UUID, Wish] = {}
    for number, (file_id, name, meta) in enumerate(zip(frame["file_id"], names, metas, strict=True)):
        try:
            wish = Wish(UUID(str(file_id)), str(name), _meta_given(meta), keys)
        except (ValueError, TypeError):
            raise InputError(
                f"Row {number} of the DataFrame is not that of a file with its metadata.",
                "file_id must be an id, meta a dict or the JSON of an object; nothing was changed.",
            ) from None
        if wishes.setdefault(wish.file_id, wish) is not wish:
            raise InputError(f"The file {file_id} is twice in the DataFrame.", "Drop one of the rows.")
    return list(wishes.values())


def _meta_given(meta: object) -> Mapping[str, Any]:
    value = json.loads(meta) if isinstance(meta, str) else meta
    if not isinstance(value, Mapping):
        raise TypeError
    # An empty cell is no value; a list is one, whatever pandas says of it.
    return {key: item for key, item in value.items() if not (pd.api.types.is_scalar(item) and pd.isna(item))}


def meta_edits(edits: Iterable[Edit]) -> pd.DataFrame:
    """Edits of metadata, one row for each key that differs: see ``Workspace.apply_meta``."""
    return _frame(META_EDITS, (vars(edit) | {"file_id": str(edit.file_id)} for edit in edits))


def deletions(rows: Iterable[Deletion]) -> pd.DataFrame:
    """Files to delete or deleted: see ``Workspace.delete_files``."""
    return _frame(DELETIONS, (vars(row) | {"file_id": str(row.file_id) if row.file_id else None} for row in rows))


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


def is_asked_for(session: UploadSessionDetail, *, status: str | None = None, created_by: str | None = None) -> bool:
    """Whether a session is in this state, and made by somebody whose name contains this; the platform cannot pick."""
    if status and str(session.status) != status:
        return False
    return not created_by or created_by.casefold() in (session_record(session)["created_by"] or "").casefold()


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


def receipt(records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A receipt: one row per file, see ``UploadJob.receipt``."""
    return _frame(RECEIPT, records)


def receipt_of(rows: Sequence[Row]) -> pd.DataFrame:
    """The same of a transfer's rows, which may change meanwhile; column by column, as they can be very many."""
    return pd.DataFrame({name: _series([row.shown(name) for row in rows], dtype) for name, dtype in RECEIPT.items()})


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
    series = {name: _series(values, PLAN[name]) for name, values in columns.items() if name != "stored_name"}
    is_same = columns["stored_name"] == columns["name"]  # nearly always, and cheap to ask: it is one object then
    series["stored_name"] = series["name"].copy() if is_same else _series(columns["stored_name"], TEXT)
    return pd.DataFrame({name: series[name] for name in PLAN})
