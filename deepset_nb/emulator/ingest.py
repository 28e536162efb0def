"""What happens when a session ends: its objects become ingestion records, and those become files.

Both steps are transactions of their own: `end_session` turns everything the bucket holds for a session into PENDING
records, `ingest` takes one record to FINISHED or FAILED together with the file it makes. A server stopped in between
goes on where it was, and no file is made twice. Rules: platform API reference.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import unquote

from .config import Choices
from .marks import Marks
from .meta_rules import BadMeta, TooMuchMeta, WrongMeta, parse_meta
from .records import NameTaken, add_file
from .store import Store

SIDECAR = ".meta.json"
SIDECAR_READ_BYTES = 4 * 1024**2  # more than any valid metadata; a sidecar is never read whole without a bound


class _Object(NamedTuple):
    rank: int
    blob: str
    size: int


def end_session(
    db: sqlite3.Connection, choices: Choices, marks: Marks, *, session_id: str, status: str, prefix: str, due_us: int
) -> list[str]:
    """Give an open session its final status and queue what was uploaded into it.

    Objects that arrive later stay in the bucket and are never ingested.

    Returns:
        Blobs no row names any more; discard them after the transaction.
    """
    db.execute("UPDATE sessions SET status = ? WHERE id = ?", (status, session_id))
    if status == "EXPIRED" and not choices.expired_ingests:
        return []
    order = "seq" if marks.seed is None else "key"  # parallel posts arrive in an order no seed can know
    objects = db.execute(
        f"SELECT key, blob, size FROM objects WHERE key >= ? AND key < ? ORDER BY {order}",  # noqa: S608
        key_range(prefix),
    )
    raw: list[tuple[str, _Object]] = []
    sidecars: dict[str, _Object] = {}
    superfluous: list[str] = []
    rank = 0
    for key, blob, size in objects.fetchall():
        name = key[len(prefix) :]
        if choices.decode_names:
            name = unquote(name)
        rank += choices.sidecars_take_room or not name.endswith(SIDECAR)
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
        ((marks.id(session_id, n), session_id, due_us, *record) for n, record in enumerate(records)),
    )
    db.execute("DELETE FROM objects WHERE key >= ? AND key < ?", key_range(prefix))
    kept = {blob for record in records if record.status == "PENDING" for blob in (record.blob, record.sidecar)}
    return superfluous + [
        item.blob for item in [*(item for _, item in raw), *sidecars.values()] if item.blob not in kept
    ]


def key_range(prefix: str) -> tuple[str, str]:
    """The first key under a prefix that ends in ``/``, and the first one after them: "0" is what follows "/"."""
    return prefix, prefix[:-1] + "0"


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
    db: sqlite3.Connection,
    store: Store,
    choices: Choices,
    marks: Marks,
    record: sqlite3.Row,
    *,
    fault: str | None = None,
    copies: int = 1,
) -> list[str]:
    """Take one PENDING record to its end.

    Args:
        db: An open transaction.
        store: Where the sidecar's content is.
        choices: Where the platform's rule is not known.
        marks: Gives the file its id and time.
        record: A row of `due`.
        fault: A reason to fail with, whatever the file is like.
        copies: How many files it becomes.

    Returns:
        Blobs no row names any more; discard them after the transaction.
    """
    superfluous = [record["sidecar"]] if record["sidecar"] else []
    try:
        if fault:
            raise Refused(fault)
        if record["size"] == 0:
            raise Refused("EMPTY_FILE")
        meta = _meta_of(store, choices, record["sidecar"])
        for blob in [record["blob"], *(store.copy(record["blob"]) for _ in range(copies - 1))]:
            _, replaced = add_file(
                db,
                choices,
                marks,
                workspace_id=record["workspace_id"],
                name=record["name"],
                blob=blob,
                size=record["size"],
                meta=meta,
                write_mode="KEEP" if blob != record["blob"] else record["write_mode"],
            )
            superfluous += replaced
    except NameTaken:
        reason = "FILE_ALREADY_EXISTS"
    except WrongMeta:
        reason = "UNKNOWN_ERROR"
    except Refused as refused:
        reason = str(refused)
    else:
        db.execute("UPDATE ingestions SET status = 'FINISHED' WHERE seq = ?", (record["seq"],))
        return superfluous
    db.execute("UPDATE ingestions SET status = 'FAILED', reason = ? WHERE seq = ?", (reason, record["seq"]))
    return [*superfluous, record["blob"]]


def _meta_of(store: Store, choices: Choices, sidecar: str | None) -> dict[str, Any]:
    if sidecar is None:
        return {}
    try:
        with store.blob_path(sidecar).open("rb") as file:
            return parse_meta(file.read(SIDECAR_READ_BYTES), choices)
    except WrongMeta:
        raise  # read, but not accepted
    except BadMeta:
        raise Refused("FAILED_TO_PARSE_META") from None
    except (TooMuchMeta, OSError):
        raise Refused("UNKNOWN_ERROR") from None  # no reason of the platform names it
