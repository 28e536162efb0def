"""The journal: what was sent where, on disk, so that another process can go on from there.

One SQLite database in the user's state folder, shared by all kernels. A file is known by the platform it goes to (the
ids of organisation and workspace, not a URL or port), its place on disk and its name there. Every change is one short
transaction, so the process may be killed at any moment; what the journal says is then at most one flush old.

The form of an open session is a credential. It is kept while the session is open, because without it nobody could go
on into that session; hence the folder is its owner's alone, and the form is overwritten when the session closes.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import msgspec

from ..models import OpenedSession, WriteMode
from .journal_records import UNKNOWN, JobRecord, Past, PastSession, Place, columns, writable
from .receipt import Row

VERSION = 1
BUSY_S = 10.0  # another kernel's transaction takes milliseconds
KEPT_S = 730 * 86_400.0  # after so long it is forgotten that a file was sent
FORM_KEPT_S = 2 * 86_400.0  # no session lives longer than 24 hours (platform API reference: create upload session)
ONE_BY_ONE = 1_000  # up to so many files are looked up singly, more in one pass over all of a target

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
  job TEXT PRIMARY KEY, kind TEXT, target TEXT, workspace TEXT, host TEXT, organisation TEXT, write_mode TEXT,
  started_at REAL, ended_at REAL, status TEXT, headline TEXT,
  files INTEGER, ok INTEGER, failed INTEGER, skipped INTEGER, unaccounted INTEGER, cancelled INTEGER
);
CREATE TABLE IF NOT EXISTS sessions (
  key TEXT PRIMARY KEY, target TEXT, session TEXT, job TEXT, write_mode TEXT, state TEXT, asked_at REAL, opened TEXT
);
CREATE TABLE IF NOT EXISTS files (
  key INTEGER PRIMARY KEY, target TEXT, place TEXT, stored_name TEXT, path TEXT, name TEXT,
  size INTEGER, mtime_ns INTEGER, content TEXT, meta TEXT, job TEXT, session TEXT, phase TEXT, status TEXT,
  attempts INTEGER, reason TEXT, remedy TEXT, file_id TEXT, created_at REAL, seconds REAL, changed_at REAL,
  UNIQUE (target, place, stored_name)
);
CREATE INDEX IF NOT EXISTS files_by_job ON files (job);
CREATE INDEX IF NOT EXISTS files_by_session ON files (session);
"""

_PAST = f"SELECT {columns(Past)} FROM files WHERE target = ?"  # noqa: S608  the names are our own
_UPDATE = """
UPDATE files SET size = ?, content = ?, meta = ?, session = ?, phase = ?, status = ?, attempts = ?, reason = ?,
  remedy = ?, file_id = ?, created_at = ?, seconds = ?, changed_at = ? WHERE key = ?
"""
_FORGET_REFUSED = """
DELETE FROM files WHERE target = ? AND place = ? AND stored_name = ?
  AND status IN ('failed', 'skipped') AND phase NOT IN ('sent', 'ingesting')
"""


class Journal:
    """The database; safe in several threads and processes.

    Args:
        folder: Where it is; made, readable by its owner only.

    Raises:
        sqlite3.Error: It is not usable: damaged, locked for too long, or of a newer version of this package.
        OSError: The folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        """Open it, or make it."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        path = folder / "journal.db"
        path.touch(mode=0o600, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            # No write-ahead log: it does not work on the network file systems that home folders often lie on.
            self._db.execute("PRAGMA journal_mode = TRUNCATE")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute("PRAGMA secure_delete = ON")  # a form that is dropped leaves no trace in the file
            with self.exclusively():
                self._prepare()
        except BaseException:
            self._db.close()
            raise

    def _prepare(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise sqlite3.DatabaseError(f"it is of a newer version ({version}) than this package knows ({VERSION})")
        for statement in _SCHEMA.split(";"):
            self._db.execute(statement)
        self._db.execute(f"PRAGMA user_version = {VERSION}")
        now = time.time()
        self._db.execute("DELETE FROM files WHERE changed_at < ?", (now - KEPT_S,))
        self._db.execute("DELETE FROM jobs WHERE started_at < ?", (now - KEPT_S,))
        self._db.execute("DELETE FROM sessions WHERE asked_at < ?", (now - FORM_KEPT_S,))

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

    @contextlib.contextmanager
    def exclusively(self) -> Iterator[None]:
        """One transaction; no other process changes anything meanwhile."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._db.in_transaction:  # a full disk has undone it already
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    # --- reading ----------------------------------------------------------------------------------------------

    def version(self, target: str) -> int:
        """A number that changes whenever a transfer to this target begins."""
        with self._lock:
            (number,) = self._db.execute(
                "SELECT COALESCE(MAX(rowid), 0) FROM jobs WHERE target = ?", (target,)
            ).fetchone()
        return int(number)

    def remembered(self, target: str, places: Sequence[Place]) -> dict[Place, Past]:
        """What is known of files, by their place and stored name."""
        with self._lock:
            if len(places) <= ONE_BY_ONE:
                one = f"{_PAST} AND place = ? AND stored_name = ?"
                found = [row for place in places if (row := self._db.execute(one, (target, *place)).fetchone())]
                return {(row[1], row[2]): Past(*row) for row in found}
            wanted = set(places)
            rows = self._db.execute(_PAST, (target,))
            return {(row[1], row[2]): Past(*row) for row in rows if (row[1], row[2]) in wanted}

    def of_session(self, target: str, session: str) -> list[Past]:
        """All files that were to go into a session."""
        with self._lock:
            return [Past(*row) for row in self._db.execute(f"{_PAST} AND session = ?", (target, session))]

    def sessions(self, target: str) -> list[PastSession]:
        """The sessions that are not over, oldest first."""
        query = f"SELECT {columns(PastSession)} FROM sessions WHERE target = ? ORDER BY asked_at"  # noqa: S608
        with self._lock:
            return [PastSession(*row) for row in self._db.execute(query, (target,))]

    def jobs(self) -> list[JobRecord]:
        """All transfers, oldest first."""
        with self._lock:
            rows = self._db.execute(f"SELECT {columns(JobRecord)} FROM jobs ORDER BY started_at, rowid")  # noqa: S608
            return [JobRecord(*row) for row in rows]

    def job(self, job: str) -> JobRecord | None:
        """One transfer."""
        with self._lock:
            row = self._db.execute(f"SELECT {columns(JobRecord)} FROM jobs WHERE job = ?", (job,)).fetchone()  # noqa: S608
        return JobRecord(*row) if row else None

    def files_of(self, job: str) -> list[Past]:
        """The files of a transfer that no later one has taken over, in the order of its plan."""
        query = f"SELECT {columns(Past)} FROM files WHERE job = ? ORDER BY key"  # noqa: S608
        with self._lock:
            return [Past(*row) for row in self._db.execute(query, (job,))]

    def counts_of(self, job: str) -> dict[str, int]:
        """How many files of a transfer have which status, those that wait for their outcome as ``sent``."""
        query = """
            SELECT CASE WHEN status = 'pending' AND phase <> 'planned' THEN 'sent' ELSE status END AS now, COUNT(*)
            FROM files WHERE job = ? GROUP BY now
        """
        with self._lock:
            return dict(self._db.execute(query, (job,)).fetchall())

    # --- writing ----------------------------------------------------------------------------------------------

    def begin(
        self, record: JobRecord, rows: Iterable[tuple[Row, Place]], kept: Iterable[tuple[Row, Past, bool]]
    ) -> None:
        """Note a transfer and its files.

        Args:
            record: The transfer.
            rows: Files with their places. What was known of those to be sent is replaced, and each is given its key; of
                those left out or refused nothing that was sent is forgotten.
            kept: Files that stay as they are known, and whether they become part of this transfer.
        """
        with self.exclusively():
            self._put(record)
            (last,) = self._db.execute("SELECT COALESCE(MAX(key), 0) FROM files").fetchone()
            now = time.time()
            ended: list[tuple[object, ...]] = []  # by the plan: these replace nothing that tells of a file once sent

            def ready() -> Iterator[tuple[object, ...]]:  # one after the other: a list of all takes 40 MB
                for key, (row, (place, stored_name)) in enumerate(rows, last + 1):
                    values = (
                        *(key, record.target, place, writable(stored_name), writable(row.path), writable(row.name)),
                        *(row.size, row.mtime_ns),
                        *(row.content, _meta_of(row), record.job, row.session_id, row.phase, row.status),
                        *(row.attempts, row.reason, row.remedy, row.file_id, row.created_at, row.seconds, now),
                    )
                    if row.status == "pending":
                        row.key = key
                        yield values
                    else:
                        ended.append(values)

            marks = ", ".join("?" * 21)
            self._db.executemany(f"INSERT OR REPLACE INTO files VALUES ({marks})", ready())  # noqa: S608
            self._db.executemany(_FORGET_REFUSED, [each[1:4] for each in ended])
            self._db.executemany(f"INSERT OR IGNORE INTO files VALUES ({marks})", ended)  # noqa: S608
            self._db.executemany(
                "UPDATE files SET job = ?, path = ?, mtime_ns = ? WHERE key = ?",
                [
                    (record.job if moves else past.job, writable(row.path), row.mtime_ns, past.key)
                    for row, past, moves in kept
                ],
            )

    def save(self, rows: Iterable[Row]) -> None:
        """Note how files fare."""
        with self.exclusively():  # looked at only now: who writes later must not write what was so earlier
            now = time.time()
            self._db.executemany(
                _UPDATE,
                (
                    (
                        *(row.size, row.content, _meta_of(row), row.session_id, row.phase, row.status, row.attempts),
                        *(row.reason, row.remedy, row.file_id, row.created_at, row.seconds, now, row.key),
                    )
                    for row in rows
                ),
            )

    def asked(self, key: str, record: JobRecord, write_mode: WriteMode) -> None:
        """Note that a session is going to be asked for; the answer may never be seen."""
        with self.exclusively():
            self._db.execute(
                "INSERT INTO sessions VALUES (?, ?, NULL, ?, ?, 'asked', ?, NULL)",
                (key, record.target, record.job, str(write_mode), time.time()),
            )

    def opened(self, key: str, opened: OpenedSession) -> None:
        """Note the answer, form included."""
        with self.exclusively():
            self._db.execute(
                "UPDATE sessions SET session = ?, state = 'open', opened = ? WHERE key = ?",
                (str(opened.session_id), msgspec.json.encode(opened).decode(), key),
            )

    def assigned(self, session: str, rows: Sequence[Row]) -> None:
        """Note which session files are going into, before the first of them is sent."""
        with self.exclusively():
            self._db.executemany("UPDATE files SET session = ? WHERE key = ?", [(session, row.key) for row in rows])
            self._db.execute("UPDATE sessions SET state = 'filling' WHERE session = ?", (session,))

    def taken_over(self, session: str, job: str) -> None:
        """Note that another transfer goes on with a session."""
        with self.exclusively():
            self._db.execute("UPDATE sessions SET job = ? WHERE session = ?", (job, session))

    def closed(self, session: str) -> None:
        """Note that a session is closed; its form is of no use any more."""
        with self.exclusively():
            self._db.execute("UPDATE sessions SET state = 'closed', opened = NULL WHERE session = ?", (session,))

    def over(self, key_or_session: str) -> None:
        """Forget a session: the outcome of its files is known, or it was never opened."""
        with self.exclusively():
            self._db.execute("DELETE FROM sessions WHERE key = ?1 OR session = ?1", (key_or_session,))

    def end(self, record: JobRecord) -> None:
        """Note how a transfer ended."""
        with self.exclusively():
            self._put(record)

    def _put(self, record: JobRecord) -> None:
        values = asdict(record)
        names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
        changes = ", ".join(f"{name} = excluded.{name}" for name in values)
        query = f"INSERT INTO jobs ({names}) VALUES ({marks}) ON CONFLICT (job) DO UPDATE SET {changes}"  # noqa: S608
        self._db.execute(query, values)


def _meta_of(row: Row) -> str | None:
    return UNKNOWN if row.meta is not None and row.meta_content is None else row.meta_content
