"""The plan: which files to send, and which hazards stand in the way. Nothing is sent here.

Every file found becomes a row of the receipt. What cannot be sent ends here, with state, reason and remedy; what is
sent although something about it is worth knowing carries a warning.

- `given` understands the arguments of a call, `sources` and `documents` turn them into rows,
- `hazards` says what follows from one file alone, `meta` what follows from its metadata,
- this module what follows from the files together: sidecars, names that clash, types that differ.
"""

from __future__ import annotations

import contextlib
import gc
import reprlib
from collections.abc import Iterable, Iterator
from typing import Any, cast

from ..client.addresses import without_ending
from ..client.filenames import stored_name
from ..client.places import stat_of
from ..errors import InputError
from ..models import DeepsetCloudFile, utf8
from .documents import document_rows, text_row
from .given import Given, PathLike, Patterns, read_given
from .hazards import (
    BUCKET_LIMIT,
    KEY_LIMIT,
    SIDECAR,
    browser_row,
    file_row,
    leave_out,
    lies_in_browser,
    refuse,
    unreadable_row,
    warn,
)
from .meta import MetaTable, Told, settle, sidecar_of, tagged, unless_gone
from .meta_values import Kinds, Unusable
from .receipt import Row
from .sources import find
from .texts import warn_of_other_encodings

__all__ = [
    "BUCKET_LIMIT",
    "SIDECAR",
    "Given",
    "PathLike",
    "Patterns",
    "plan_files",
    "plan_rows",
    "plan_texts",
    "read_given",
    "refuse_sidecar_names",
    "replan",
    "text_document",
]

MOST_UNMATCHED = 20  # rows for names of meta= without a file; a table may describe far more than one upload


def plan_rows(given: Given) -> list[Row]:
    """Find and judge: rows ready to send are ``pending``, the others have their outcome.

    Returns:
        One row per file, in the order found. A paired sidecar is part of its file's row.
    """
    if given.documents is not None:
        rows = list(document_rows(given.documents, given.told))
    else:
        with _collector_resting():
            rows = list(find(given.roots, given.rules))
        if given.told is not None:
            for row in rows:
                row.told = given.told
    rows = _judge(rows)
    if given.documents is not None:
        refuse_sidecar_names(rows)
    warn_of_other_encodings(rows, given.check_text)
    return [*rows, *_unmatched(given.told, rows)]


@contextlib.contextmanager
def _collector_resting() -> Iterator[None]:
    """While rows are made, which are many and hold no cycles, collecting would take half as long as finding files."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def plan_files(files: Iterable[Row]) -> list[Row]:
    """Rows of files that lie elsewhere than they are shown: ``source`` says where, ``path`` is what is shown."""
    rows = [_look(row) for row in files]
    for row in rows:
        if row.name.startswith("."):
            leave_out(row, "hidden", "Hidden, left out.", "Give it another name if you want it uploaded.")
    return _judge(rows)


def plan_texts(texts: Iterable[tuple[str, bytes, dict[str, Any] | None]]) -> list[Row]:
    """Rows of documents made in memory: (name, content, metadata)."""
    told = [(name, content, Told((meta,), beside=False) if meta else None) for name, content, meta in texts]
    return _judge([text_row(*one) for one in told])


def replan(rows: Iterable[Row]) -> list[Row]:
    """Judge rows afresh for another try: files on disk may have been repaired, texts in memory have not changed."""
    fresh = []
    for row in rows:
        again = _look(row)
        if row.state == "clash":  # the other one may be up already, and is not among these
            refuse(again, "clash", row.reason or "", row.remedy or "")
        elif isinstance(row.meta, str):
            again.meta = unless_gone(row.meta)
        elif row.told is None:
            again.meta = row.meta
        if again.meta is None and isinstance(row.source, str) and (row.told is None or row.told.beside):
            again.meta = sidecar_of(row.source)
        fresh.append(again)
    return _judge(fresh)


def text_document(file: DeepsetCloudFile, tag: str | None = None) -> tuple[str, bytes, dict[str, Any] | None]:
    """A text as `plan_texts` takes it.

    Raises:
        InputError: It is something else, or cannot be written as UTF-8.
    """
    if not isinstance(file, DeepsetCloudFile) or not isinstance(file.text, str) or not isinstance(file.name, str):
        raise InputError(
            f"{reprlib.repr(file)} is not a text with a name.",
            "Give a dict of names and texts, or a list of DeepsetCloudFile(text, name, meta).",
        )
    told = tagged(None, tag)
    meta = {**(file.meta or {}), **cast("dict[str, Any]", told.layers[0])} if told else file.meta
    return file.name, utf8(file.name, file.text), meta


def _look(row: Row) -> Row:
    """The row as if it were new."""
    if isinstance(row.source, bytes):
        fresh = text_row(row.name, row.source, row.told)
        fresh.path = row.path
    elif lies_in_browser(row):
        fresh = browser_row(row)
        fresh.told = row.told
    else:
        try:
            fresh = file_row(row.path, row.name, row.source, stat_of(row.source))
        except OSError as error:
            fresh = unreadable_row(row.path, row.name, row.source, error)
        fresh.told = row.told
    return fresh


def _judge(rows: list[Row]) -> list[Row]:
    rows = _pair(rows)
    _settle_meta(rows)
    _settle_names(rows)
    return rows


def _pair(rows: list[Row]) -> list[Row]:
    """Give each file the metadata beside it; that of no file is left out."""
    if f"{SIDECAR}/" not in "/".join([row.name for row in rows]) + "/":  # a third of the cost of looking at each
        return rows
    sidecars = {
        without_ending(row.path, SIDECAR): row
        for row in rows
        if row.name.endswith(SIDECAR) and isinstance(row.source, str)
    }
    paired: set[int] = set()
    for row in rows:
        sidecar = sidecars.get(row.path)
        # One that exclude= names is not wanted; it keeps its row.
        if sidecar is None or sidecar.state == "excluded" or row.name.endswith(SIDECAR):
            continue
        paired.add(id(sidecar))
        if row.told is None or row.told.beside:
            # Also if it cannot be read, or the file cannot be sent: another try looks at it again.
            row.meta = sidecar.source
    alone = {id(sidecar) for sidecar in sidecars.values()} - paired
    return [_orphan(row) if id(row) in alone else row for row in rows if id(row) not in paired]


def _orphan(row: Row) -> Row:
    if row.state in ("hidden", "excluded", "left_out"):
        return row
    orphan = Row(row.path, row.name, row.name, row.size, row.source)
    missing = row.name[: -len(SIDECAR)]
    leave_out(orphan, "orphan", f"Metadata without its file: there is no {missing!r} beside it.", "Add the file.")
    return orphan


def _settle_meta(rows: Iterable[Row]) -> None:
    kinds = Kinds()
    for row in rows:
        if (row.meta is None and row.told is None) or row.status != "pending":
            continue
        try:
            meta = settle(row)
        except Unusable as error:
            refuse(row, "bad_meta", error.reason, error.remedy)
        else:
            if meta and (words := kinds.differing(meta, row.path)):
                warn(row, None, words)


def _settle_names(rows: list[Row]) -> None:
    """A name is a file's identity within a session: the second of that name would silently replace the first.

    Each check looks at all names at once before it looks at single rows: 100,000 calls each would cost more than
    finding the files.
    """
    joined = "/".join([row.name for row in rows])
    if stored_name(joined) != joined:
        for row in rows:
            _rename(row)
    names = [row.stored_name for row in rows if row.status == "pending"]
    if len(set(names)) < len(names):
        taken: dict[str, Row] = {}
        for row in rows:
            if row.status == "pending" and (other := taken.setdefault(row.stored_name, row)) is not row:
                _clash(row, other)
    if max(map(len, names), default=0) * 4 > KEY_LIMIT - len(SIDECAR):
        for row in rows:
            _measure(row)
    parts = "/".join(names)
    folded = parts.casefold()
    if folded != parts and len(set(folded.split("/"))) < len(set(parts.split("/"))):
        _warn_of_twins(rows)


def _rename(row: Row) -> None:
    row.stored_name = stored_name(row.name)
    if row.stored_name != row.name and row.status == "pending":
        warn(row, "renamed", f"Goes up as {row.stored_name!r}: the bucket does not take some of its characters.")


def _clash(row: Row, other: Row) -> None:
    shown = [one.path if isinstance(one.source, str) else f"document {one.name}" for one in (row, other)]
    refuse(
        row,
        "clash",
        f"{shown[0]!r} and {shown[1]!r} both go up as {row.stored_name!r}; one would replace the other.",
        "Rename one of the two, or upload their folders one after the other.",
    )


def _measure(row: Row) -> None:
    limit = KEY_LIMIT - (len(SIDECAR) if row.meta is not None else 0)
    if row.status == "pending" and (size := len(row.stored_name.encode())) > limit:
        refuse(row, "name_too_long", f"Its name has {size:,} bytes; the bucket takes {limit:,}.", "Shorten it.")


def _warn_of_twins(rows: Iterable[Row]) -> None:
    twins: dict[str, list[Row]] = {}
    for row in rows:
        if row.status == "pending":
            twins.setdefault(row.stored_name.casefold(), []).append(row)
    for alike in twins.values():
        for other, row in zip(alike[-1:] + alike[:-1], alike, strict=True):
            if other is not row:
                warn(row, "case_twin", f"Its name differs from that of {other.path!r} only in upper and lower case.")


def refuse_sidecar_names(rows: Iterable[Row]) -> None:
    """End documents whose names a session reserves: it would take them as metadata of other files."""
    for row in rows:
        if row.status == "pending" and row.name.endswith(SIDECAR):
            refuse(
                row,
                "orphan",
                f"In an upload session the name {row.name!r} means the metadata of {row.name[: -len(SIDECAR)]!r}.",
                "Rename it, or upload it in a call with few documents: up to 20 go without a session.",
            )


def _unmatched(told: Told | None, rows: Iterable[Row]) -> list[Row]:
    """Names that a table of metadata has and the plan has not: often a typing error."""
    tables = [layer for layer in (told.layers if told else ()) if isinstance(layer, MetaTable)]
    planned = {row.name for row in rows} if tables else set()
    names = [name for table in tables for name in table.names if name not in planned]
    found = [Row(name, name, name, 0, "") for name in names[:MOST_UNMATCHED]]
    for row in found:
        leave_out(row, "unmatched_meta", "meta= names it, and no such file is among these.", "Check the name.")
    if more := len(names) - len(found):
        row = Row(f"({more:,} more)", "", "", 0, "")
        leave_out(row, "unmatched_meta", f"meta= names {more:,} more that are not among these.", "Check the names.")
        found.append(row)
    return found
