"""Very many upload sessions, written into the sandbox's database: to open and close each would take minutes."""

from __future__ import annotations

import contextlib
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

APART_US = 7 * 60 * 1_000_000  # one was made every seven minutes
LIFE_US = 24 * 3600 * 1_000_000
OPEN = 3  # the newest
MODES = ("KEEP", "OVERWRITE", "FAIL")


def write(data: Path, workspace: str, count: int, now_us: int) -> None:
    """Add sessions to a workspace of the sandbox whose data folder this is: a few open, in a few a file failed."""
    with contextlib.closing(sqlite3.connect(data / "sandbox.db")) as db, db:
        [(workspace_id,)] = db.execute("SELECT id FROM workspaces WHERE name = ?", (workspace,)).fetchall()
        sessions = [
            (str(uuid.uuid4()), number, now_us - (count - number) * APART_US) for number in range(count)
        ]  # the oldest first
        db.executemany(
            "INSERT INTO sessions "
            "(id, workspace_id, write_mode, prefix, status, created_us, expires_us, ends_us, creator) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    session_id,
                    workspace_id,
                    MODES[number % len(MODES)],
                    f"{workspace_id}/{session_id}/",
                    "OPEN" if number >= count - OPEN else "CLOSED",
                    created_us,
                    created_us + LIFE_US,
                    created_us + LIFE_US,
                    "sandbox" if number % 3 else "user",
                )
                for session_id, number, created_us in sessions
            ),
        )
        db.executemany(
            "INSERT INTO ingestions (id, session_id, due_us, name, blob, size, sidecar, is_sidecar, status, reason) "
            "VALUES (?, ?, ?, ?, NULL, 1, NULL, 0, ?, ?)",
            (row for session_id, number, created_us in sessions for row in _outcomes(session_id, number, created_us)),
        )


def _outcomes(session_id: str, number: int, created_us: int) -> Iterator[tuple[object, ...]]:
    for file in range(number % 5):
        failed = number % 7 == 0 and file == 0
        outcome = ("FAILED", "FAILED_TO_PARSE_META") if failed else ("FINISHED", None)
        yield str(uuid.uuid4()), session_id, created_us, f"report-{file}.txt", *outcome
