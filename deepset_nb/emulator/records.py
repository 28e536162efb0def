"""File records: the one place where a file comes into a workspace, from a session or directly, and leaves it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from .config import Choices
from .marks import Marks
from .meta_rules import check_kinds, dump
from .store import NEVER_US


class NameTaken(Exception):
    """Write mode FAIL, and the workspace has a file of this name."""


def add_file(
    db: sqlite3.Connection,
    choices: Choices,
    marks: Marks,
    *,
    workspace_id: str,
    name: str,
    blob: str,
    size: int,
    meta: dict[str, Any],
    write_mode: str,
) -> tuple[str, list[str]]:
    """Add a file under a write mode (platform API reference).

    A TEMPORARY file neither replaces others nor is replaced.

    Returns:
        The file's id, and the blobs no record names any more: discard them after the transaction.

    Raises:
        NameTaken: The mode is FAIL and the name exists.
        WrongMeta: The metadata does not go with that of other files.
    """
    now_us, temporary = marks.now_us(), write_mode == "TEMPORARY"
    same_name = db.execute(
        "SELECT id, blob FROM files INDEXED BY files_by_name WHERE workspace_id = ? AND name = ? AND gone_us = ? "
        "ORDER BY created_us DESC, id DESC",
        (workspace_id, name, NEVER_US),
    ).fetchall()
    if write_mode == "FAIL" and same_name:
        raise NameTaken(name)
    replaced = same_name if write_mode == "OVERWRITE" else []
    check_kinds(db, choices, workspace_id, meta, replaced=[row["id"] for row in replaced])
    remove_files(db, [row["id"] for row in replaced])
    keeps_id = replaced and choices.overwrite_keeps_id
    file_id = replaced[0]["id"] if keeps_id else marks.next_id(db, "file", workspace_id, name)
    hidden = temporary and not choices.temporary_listed
    db.execute(
        "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            file_id,
            workspace_id,
            name,
            name.casefold(),
            size,
            blob,
            dump(meta),
            marks.stamp(db, workspace_id),
            NEVER_US if hidden else now_us + round(choices.list_lag_s * 1_000_000),
            now_us + round(choices.temporary_life_s * 1_000_000) if temporary else NEVER_US,
        ),
    )
    return file_id, [row["blob"] for row in replaced]


def remove_files(db: sqlite3.Connection, ids: Iterable[str]) -> None:
    """Forget these records; their blobs are the caller's to discard after the transaction."""
    db.executemany("DELETE FROM files WHERE id = ?", ((file_id,) for file_id in ids))


def remove_where(db: sqlite3.Connection, where: str, values: Sequence[object]) -> list[str]:
    """Forget all records of a condition of ours; their blobs, to discard after the transaction."""
    rows = db.execute(f"SELECT id, blob FROM files WHERE {where}", values).fetchall()  # noqa: S608
    remove_files(db, [row["id"] for row in rows])
    return [row["blob"] for row in rows]


def change_meta(
    db: sqlite3.Connection, choices: Choices, workspace_id: str, file_id: str, meta: dict[str, Any]
) -> None:
    """Give a file other metadata.

    Raises:
        WrongMeta: It does not go with that of other files.
    """
    check_kinds(db, choices, workspace_id, meta, replaced=[file_id])
    db.execute("UPDATE files SET meta = ? WHERE id = ?", (dump(meta), file_id))


def meta_of(record: sqlite3.Row) -> dict[str, Any]:
    """A record's metadata."""
    meta: dict[str, Any] = json.loads(record["meta"])
    return meta
