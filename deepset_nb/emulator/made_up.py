"""Made-up files in bulk: a workspace of 100,000 files in seconds, to try listings, filters and browsers on.

They are written as records, past bucket and ingestion. Files of a kind share one content, which no deletion removes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from .marks import SEEDED_START_US, Marks
from .meta_rules import check_kinds, dump
from .platform import Platform
from .store import NEVER_US

MOST = 1_000_000
APART_US = 5 * 60 * 1_000_000  # one was made every five minutes, the last one just now

KINDS = (
    ("report", "md", "# Report\n\n" + "What the branch lent this month, and to whom.\n" * 40),
    ("minutes", "txt", "Minutes of a meeting.\n" * 25),
    ("catalogue", "csv", "title,year,copies\n" + "An atlas of rivers,1987,2\n" * 160),
    ("letter", "txt", "Dear readers,\nthe reading room is open again.\n" * 6),
    ("map", "json", '{"kind": "map", "sheets": [1, 2, 3]}\n'),
)
TOPICS = ("rivers", "borrowing", "history", "events", "conservation", "overview", "report")
AUTHORS = ("Amara Okafor", "Ingrid Moe", "Jonas Petrauskas")


def fill(platform: Platform, workspace_name: str, count: int) -> int:
    """Bring a workspace to at least ``count`` files.

    Returns:
        How many were made.
    """
    workspace = platform.workspace(workspace_name)
    with platform.store.read() as db:
        if not _missing(db, workspace.id, count):
            return 0  # most calls: the cell of a lesson is run again
    with platform.store.write() as db:
        if missing := _missing(db, workspace.id, count):
            blobs = [platform.store.shared_blob(kind, text.encode()) for kind, _, text in KINDS]
            check_kinds(db, platform.choices, workspace.id, _meta(0))
            first = platform.marks.reserve(db, f"made up {workspace.id}", missing)
            newest_us = platform.now_us() if platform.marks.seed is None else SEEDED_START_US
            numbers = range(first, first + missing)
            _insert(db, _records(platform.marks, workspace.id, numbers, blobs, newest_us, platform.now_us()))
    return missing


def _missing(db: sqlite3.Connection, workspace_id: str, count: int) -> int:
    (there,) = db.execute(
        "SELECT count(*) FROM files WHERE workspace_id = ? AND gone_us = ?", (workspace_id, NEVER_US)
    ).fetchone()
    return max(0, count - int(there))


def _insert(db: sqlite3.Connection, records: Iterator[tuple[object, ...]]) -> None:
    db.executemany("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", records)


def _records(
    marks: Marks, workspace_id: str, numbers: range, blobs: list[str], newest_us: int, now_us: int
) -> Iterator[tuple[object, ...]]:
    sizes = [len(text.encode()) for _, _, text in KINDS]
    for number in numbers:
        kind = number % len(KINDS)
        name = f"{KINDS[kind][0]}-{number:06}.{KINDS[kind][1]}"
        created_us = newest_us - (numbers[-1] - number) * APART_US
        file_id = marks.id("made up", workspace_id, number)
        meta = dump(_meta(number))
        yield file_id, workspace_id, name, name, sizes[kind], blobs[kind], meta, created_us, now_us, NEVER_US


def _meta(number: int) -> dict[str, object]:
    return {
        "topic": TOPICS[number % len(TOPICS)],
        "year": 2015 + number % 11,
        "language": "en",
        "author": AUTHORS[number % len(AUTHORS)],
    }
