"""What metadata may be (platform API reference): an object within limits, each key of one type."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from typing import Any

from .config import Choices

RESERVED = ("id", "_id")
MAX_DEPTH = 100  # "one nesting level works"; SQLite reads 1,000


class BadMeta(ValueError):
    """The metadata is not a JSON object."""


class WrongMeta(BadMeta):
    """The metadata is an object, but has a reserved key or a value of another type than in other files."""


class TooMuchMeta(ValueError):
    """The metadata, or one of its values, is larger than the platform takes."""


def parse_meta(text: str | bytes, choices: Choices) -> dict[str, Any]:
    """Metadata from the JSON a client sent; ``null`` counts as none.

    Raises:
        BadMeta: It is no JSON object, or has a reserved key.
        TooMuchMeta: It is larger than the platform takes.
    """
    try:
        meta = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadMeta(f"The metadata is not valid JSON: {error}") from None
    return check_meta({} if meta is None else meta, choices)


def check_meta(meta: object, choices: Choices) -> dict[str, Any]:
    """Metadata as it may be stored.

    Raises:
        BadMeta: It is no JSON object, or has a reserved key.
        TooMuchMeta: It is larger than the platform takes.
    """
    if not isinstance(meta, dict):
        raise BadMeta("The metadata must be a JSON object.")
    reserved = [key for key in RESERVED if key in meta]
    if reserved and choices.reserved_meta == "refuse":
        raise WrongMeta(f"The metadata key {reserved[0]!r} is reserved.")
    meta = {key: value for key, value in meta.items() if key not in reserved}
    _check_depth(meta)
    try:
        total = len(dump(meta).encode())  # also refuses halves of surrogate pairs, which no reply could carry
        largest = max((len(dump(value).encode()) for value in meta.values()), default=0)
    except ValueError as error:
        raise BadMeta(f"The metadata is not valid JSON: {error}") from None
    if total > choices.meta_limit_bytes or largest > choices.meta_value_limit_bytes:
        raise TooMuchMeta("The metadata is too large.")
    return meta


def merge_meta(meta: dict[str, Any], changes: dict[str, Any], *, removing: Collection[object]) -> dict[str, Any]:
    """``meta`` with the changes made; one of the values in ``removing`` takes its key away."""
    gone = [key for key, value in changes.items() if value is None or value in removing]
    return {key: value for key, value in (meta | changes).items() if key not in gone}


def check_kinds(
    db: sqlite3.Connection, choices: Choices, workspace_id: str, meta: dict[str, Any], *, replaced: Collection[str] = ()
) -> None:
    """Compare the type of each value with the same key in the workspace's other files, and remember new keys.

    Args:
        db: An open transaction.
        choices: Whether types must agree at all.
        workspace_id: The files' workspace.
        meta: Of the file that comes, or changes.
        replaced: Ids of files whose metadata does not count, as it is going.

    Raises:
        WrongMeta: Names the key and both types.
    """
    if not choices.meta_types_must_agree:
        return
    kinds = {key: kind for key, value in meta.items() if (kind := kind_of(value))}
    for key, kind in kinds.items():
        known = db.execute(
            "SELECT kind FROM meta_kinds WHERE workspace_id = ? AND key = ?", (workspace_id, key)
        ).fetchone()
        # What is remembered may stem from files that are gone: only those that are there count.
        if known and known[0] != kind and (other := _other_kind(db, workspace_id, key, kind, replaced)):
            raise WrongMeta(f"The metadata key {key!r} is of type {kind}, but of type {other} in other files.")
    db.executemany(
        "INSERT OR REPLACE INTO meta_kinds VALUES (?, ?, ?)", ((workspace_id, *entry) for entry in kinds.items())
    )


def kind_of(value: object) -> str | None:
    """The type that counts: a list has that of its items, nothing has none."""
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "text"
        case dict():
            return "object"
        case list():
            return next((kind for item in value if (kind := kind_of(item))), None)
        case _:
            return None


def dump(value: object) -> str:
    """JSON as it is stored and answered."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _other_kind(
    db: sqlite3.Connection, workspace_id: str, key: str, kind: str, replaced: Collection[str]
) -> str | None:
    rows = db.execute(
        "SELECT files.id, files.meta FROM files, json_each(files.meta) AS entry "
        "WHERE workspace_id = ? AND entry.key = ?",
        (workspace_id, key),
    )
    for file_id, meta in rows:
        other = kind_of(json.loads(meta)[key])
        if file_id not in replaced and other not in (None, kind):
            return other
    return None


def _check_depth(value: object) -> None:
    level, depth = [value], 0
    while level := [child for parent in level for child in _children(parent)]:
        depth += 1
        if depth > MAX_DEPTH:
            raise BadMeta("The metadata is nested too deeply.")


def _children(value: object) -> Collection[object]:
    match value:
        case dict():
            return value.values()
        case list():
            return value
        case _:
            return ()


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")
