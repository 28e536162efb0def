"""What happens when a session ends: its objects become ingestion records, and those become files.

Both steps are transactions of their own: `end_session` turns everything the bucket holds for a session into PENDING
records, `ingest` takes one record to FINISHED or FAILED together with the file it makes. A server stopped in between
goes on where it was, and no file is made twice. Rules: platform API reference, section 3.7.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote
from uuid import uuid4

from .config import Choices
from .records import BadMeta, NameTaken, TooMuchMeta, add_file, checked_meta
from .store import Store

SIDECAR = ".meta.json"
SIDECAR_READ_BYTES = 4 * 1024**2  # more than any valid metadata; a sidecar is never read whole without a bound


class _Object(NamedTuple):
    rank: int
    blob: str
    size: int


def end_session(
    db: sqlite3.Connection, choices: Choices, *, session_id: str, status: str, prefix: str, due_us: int
) -> list[str]:
    """Give an open session its final status and queue what was uploaded into it.

    Objects that arrive later stay in the bucket and are never ingested.

    Returns:
        Blobs no row names any more; discard them after the transaction.
    """
    db.execute("UPDATE sessions SET status = ? WHERE id = ?", (status, session_id))
    if status == "EXPIRED" and not choices.expired_ingests:
        return []
    until = prefix[:-1] + "0"  # the character after "/", so this is the range of all keys under the prefix
    objects = db.execute("SELECT key, blob, size FROM objects WHERE key >= ? AND key < ? ORDER BY seq", (prefix, until))
    raw: list[tuple[str, _Object]] = []
    sidecars: dict[str, _Object] = {}
    superfluous: list[str] = []
    for rank, (key, blob, size) in enumerate(objects.fetchall(), 1):
        name = key[len(prefix) :]
        if choices.decode_names:
            name = unquote(name)
        if not name.endswith(SIDECAR):
            raw.append((name, _Object(rank, blob, size)))
            continue
        if name in sidecars:  # two keys, `a%20b` and `a b`, that decode to one name: the later object wins
            superfluous.append(sidecars[name].blob)
        sidecars[name] = _Object(rank, blob, size)
    records = list(_records(raw, sidecars, choices))
    db.executemany(
        "INSERT INTO ingestions (id, session_id, due_us, name, blob, size, sidecar, is_sidecar, status, reason) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ((str(uuid4()), session_id, due_us, *record) for record in records),
    )
    db.execute("DELETE FROM objects WHERE key >= ? AND key < ?", (prefix, until))
    kept = {blob for record in records if record.status == "PENDING" for blob in (record.blob, record.sidecar)}
    return superfluous + [
        item.blob for item in [*(item for _, item in raw), *sidecars.values()] if item.blob not in kept
    ]


class _Record(NamedTuple):
    name: str
    blob: str | None
    size: int
    sidecar: str | None
    is_sidecar: bool
    status: str
    reason: str | None


def _records(raw: list[tuple[str, _Object]], sidecars: dict[str, _Object], choices: Choices) -> Iterator[_Record]:
    limit = choices.max_session_objects or float("inf")
    used: dict[str, int] = {}
    for name, item in raw:
        sidecar = sidecars.get(name + SIDECAR)
        used[name + SIDECAR] = used.get(name + SIDECAR, 0) + 1
        # A sidecar belongs to one record: two records must not both remove its content.
        sidecar_blob = sidecar.blob if sidecar and used[name + SIDECAR] == 1 else None
        beyond = item.rank > limit or (sidecar is not None and sidecar.rank > limit)
        status, reason = ("FAILED", "UNKNOWN_ERROR") if beyond else ("PENDING", None)
        yield _Record(name, item.blob, item.size, sidecar_blob, False, status, reason)
        if sidecar is not None and choices.sidecars_are_rows:
            yield _Record(name + SIDECAR, None, sidecar.size, None, True, "FINISHED", None)
    for name in sidecars:
        if name not in used and choices.orphan_sidecar == "FILE_NOT_FOUND":
            yield _Record(name.removesuffix(SIDECAR), None, 0, None, False, "FAILED", "FILE_NOT_FOUND")


def due(db: sqlite3.Connection, now_us: int, *, limit: int = -1, session_id: str | None = None) -> list[sqlite3.Row]:
    """PENDING records whose time has come, oldest first, each joined with what `ingest` needs of its session."""
    return db.execute(
        "SELECT ingestions.*, sessions.workspace_id, sessions.write_mode "
        "FROM ingestions JOIN sessions ON sessions.id = ingestions.session_id "
        "WHERE ingestions.status = 'PENDING' AND due_us <= ? AND (session_id = ? OR ?) "
        "ORDER BY due_us, ingestions.seq LIMIT ?",
        (now_us, session_id, session_id is None, limit),
    ).fetchall()


class Refused(Exception):
    """A file is not ingested; the argument is the platform's reason."""


def ingest(
    db: sqlite3.Connection, store: Store, choices: Choices, record: sqlite3.Row, *, fault: str | None, now_us: int
) -> list[str]:
    """Take one PENDING record to its end.

    Args:
        db: An open transaction.
        store: Where the sidecar's content is.
        choices: Where the platform's rule is not known.
        record: A row of `due`.
        fault: A reason to fail with, whatever the file is like.
        now_us: The file's creation time.

    Returns:
        Blobs no row names any more; discard them after the transaction.
    """
    superfluous = [record["sidecar"]] if record["sidecar"] else []
    try:
        if fault:
            raise Refused(fault)
        if record["size"] == 0:
            raise Refused("EMPTY_FILE")
        _, replaced = add_file(
            db,
            choices,
            workspace_id=record["workspace_id"],
            name=record["name"],
            blob=record["blob"],
            size=record["size"],
            meta=_meta_of(store, choices, record["sidecar"]),
            write_mode=record["write_mode"],
            now_us=now_us,
        )
    except NameTaken:
        reason = "FILE_ALREADY_EXISTS"
    except Refused as refused:
        reason = str(refused)
    else:
        db.execute("UPDATE ingestions SET status = 'FINISHED' WHERE seq = ?", (record["seq"],))
        return superfluous + replaced
    db.execute("UPDATE ingestions SET status = 'FAILED', reason = ? WHERE seq = ?", (reason, record["seq"]))
    return [*superfluous, record["blob"]]


def _meta_of(store: Store, choices: Choices, sidecar: str | None) -> str:
    if sidecar is None:
        return "{}"
    try:
        with store.blob_path(sidecar).open("rb") as file:
            return checked_meta(file.read(SIDECAR_READ_BYTES), choices)
    except BadMeta:
        raise Refused("FAILED_TO_PARSE_META") from None
    except (TooMuchMeta, OSError):
        raise Refused("UNKNOWN_ERROR") from None  # no reason of the platform names it
