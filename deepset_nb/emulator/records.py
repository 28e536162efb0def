"""File records: the one place where a file comes into a workspace, from a session or directly."""

from __future__ import annotations

import json
import sqlite3
from typing import Any
from uuid import uuid4

from .config import Choices


class NameTaken(Exception):
    """Write mode FAIL, and the workspace has a file of this name."""


class BadMeta(ValueError):
    """The metadata is not a JSON object."""


class TooMuchMeta(ValueError):
    """The metadata, or one of its values, is larger than the platform takes."""


def add_file(
    db: sqlite3.Connection,
    choices: Choices,
    *,
    workspace_id: str,
    name: str,
    blob: str,
    size: int,
    meta: str,
    write_mode: str,
    now_us: int,
) -> tuple[str, list[str]]:
    """Add a file under a write mode (platform API reference, section 3.7).

    Returns:
        The file's id, and the blobs no record names any more: discard them after the transaction.

    Raises:
        NameTaken: The mode is FAIL and the name exists.
    """
    same_name = db.execute(
        "SELECT id, blob FROM files INDEXED BY files_by_name WHERE workspace_id = ? AND name = ? "
        "ORDER BY created_us DESC, id DESC",
        (workspace_id, name),
    ).fetchall()
    if write_mode == "FAIL" and same_name:
        raise NameTaken(name)
    file_id, replaced = str(uuid4()), []
    if write_mode == "OVERWRITE" and same_name:
        if choices.overwrite_keeps_id:
            file_id = same_name[0]["id"]
        replaced = [row["blob"] for row in same_name]
        db.execute("DELETE FROM files WHERE workspace_id = ? AND name = ?", (workspace_id, name))
    db.execute(
        "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (file_id, workspace_id, name, name.casefold(), size, blob, meta, now_us),
    )
    return file_id, replaced


def checked_meta(text: str | bytes, choices: Choices) -> str:
    """Metadata as it is stored, from the JSON a client sent; ``null`` counts as none.

    Raises:
        BadMeta: It is no JSON object.
        TooMuchMeta: It is larger than the platform takes.
    """
    try:
        meta = json.loads(text, parse_constant=_no_constant)
        for value in [meta, *(meta.values() if isinstance(meta, dict) else ())]:
            size = len(_dump(value).encode())  # also refuses halves of surrogate pairs, which no reply could carry
            if size > (choices.meta_limit_bytes if value is meta else choices.meta_value_limit_bytes):
                raise TooMuchMeta("The metadata is too large.")
    except TooMuchMeta:
        raise
    except (ValueError, RecursionError) as error:
        raise BadMeta(f"The metadata is not valid JSON: {error}") from None
    if meta is None:
        return "{}"
    if not isinstance(meta, dict):
        raise BadMeta("The metadata must be a JSON object.")
    return _dump(meta)


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")
