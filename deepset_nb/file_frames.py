"""Files as DataFrames, and DataFrames of files read back: columns, dtypes and UTC as in `frames`."""

from __future__ import annotations

import json
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import pandas as pd

from .errors import InputError
from .frames import COUNT, SECONDS, TEXT, TIME, frame_of, series_of
from .models import File, FileRow
from .transfer.meta_edits import Wish

FILES = {"file_id": TEXT, "name": TEXT, "size": COUNT, "created_at": TIME, "meta": "object", "url": TEXT}


def files(found: Iterable[File]) -> pd.DataFrame:
    """Files: ``file_id name size created_at meta url``; ``size`` in bytes, ``meta`` a dict."""
    return frame_of(
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
            series_of(["{}" if text == "null" else text for text in self._metas], TEXT)
            if raw
            else pd.Series([decode(text) or {} for text in self._metas], dtype="object")
        )
        return pd.DataFrame(
            {
                "file_id": series_of(self._ids, TEXT),
                "name": series_of(self._names, TEXT),
                "size": pd.Series(np.array(self._sizes, dtype="int64"), dtype=COUNT),
                "created_at": pd.Series(times).dt.tz_localize("UTC"),
                "meta": metas,
                "url": series_of(self._urls, TEXT),
            }
        )


_KEPT_METAS = 10_000


def microseconds(moment: datetime) -> int:
    """Since 1970; what has no time zone is UTC."""
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1_000_000)  # exact: a float holds the microseconds of the next 200 years


def with_meta_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame of files whose ``meta``, JSON text, became columns ``meta.<key>`` with a dtype each.

    Texts are string, whole numbers Int64, other numbers Float64, truth values boolean; mixed values, lists and
    numbers that would lose digits stay objects. A file without the key has NA, or None among objects.
    """
    values: defaultdict[str, list[Any]] = defaultdict(lambda: [None] * len(frame))
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    for row, text in enumerate(frame["meta"]):
        for key, value in decode(text).items():
            values[key][row] = value
    columns = {f"{META}{key}": _typed(of_key) for key, of_key in values.items()}
    rest = frame.drop(columns="meta")
    return pd.concat([rest, pd.DataFrame(columns, index=frame.index)], axis=1)


def _typed(values: list[Any]) -> pd.Series[Any]:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int} and any(not -(2**63) <= value < 2**63 for value in values if value is not None):
        kinds = {object}
    dtypes = {bool: "boolean", int: COUNT, float: SECONDS, str: TEXT}
    if kinds == {int, float}:  # a large whole number would not be the same as a float
        kinds = {float} if all(abs(value) <= 2**53 for value in values if type(value) is int) else {object}
    return series_of(values, dtypes.get(kinds.pop(), "object") if len(kinds) == 1 else "object")


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
