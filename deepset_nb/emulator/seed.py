"""The documents a new room begins with, brought in the way a user would: one session, closed by the sandbox.

All in one transaction, so that a room is there with everything in it or not at all.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from .forms import Incoming
from .ingest import due, end_session, ingest
from .platform import Platform, Workspace
from .sessions import NewSession, open_session
from .workspaces import empty

CORPUS = Path(__file__).parent / "corpus"


def make_room(platform: Platform, name: str) -> tuple[Workspace, bool]:
    """The workspace called ``name``, and whether it was made just now (with the documents, if so configured)."""
    try:
        with platform.store.write() as db:
            workspace = platform.new_workspace(db, name)
            superfluous = _fill(platform, db, workspace) if platform.config.corpus else []
    except sqlite3.IntegrityError:
        return platform.workspace(name), False
    platform.store.discard(superfluous)
    return workspace, True


def reset_room(platform: Platform, name: str) -> None:
    """Put a workspace back to its first day: the documents it began with, if so configured, and nothing else."""
    workspace = platform.workspace(name)
    with platform.store.write() as db:
        superfluous = empty(db, workspace)
        superfluous += _fill(platform, db, workspace) if platform.config.corpus else []
    platform.store.discard(superfluous)


def _fill(platform: Platform, db: sqlite3.Connection, workspace: Workspace) -> list[str]:
    session = open_session(db, platform, workspace, NewSession(), creator="sandbox")
    for path in sorted(CORPUS.iterdir()):
        document = Incoming(platform.store)
        document.feed(path.read_bytes())
        key = session["prefix"] + path.name
        db.execute("INSERT INTO objects (key, blob, size) VALUES (?, ?, ?)", (key, document.keep(), document.size))
    superfluous = end_session(
        db,
        platform.choices,
        platform.marks,
        session_id=session["id"],
        status="CLOSED",
        prefix=session["prefix"],
        due_us=0,
    )
    for record in due(db, 0, session_id=session["id"]):
        superfluous += ingest(db, platform.store, platform.choices, platform.marks, record)
    return superfluous
