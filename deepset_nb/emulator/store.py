"""Where the sandbox keeps everything: one SQLite file for facts, one file on disk per object ("blob").

    data/sandbox.db     workspaces, sessions, objects of the bucket, ingestion records, files
    data/blobs/         contents, named by random ids; objects and files point to them
    data/incoming/      bodies still being received; emptied at every start
    data/lock           held while a server runs, given back by the system even after a crash

A blob is complete before a row names it, and is removed only after no row does: whatever is interrupted leaves at
worst a file nobody names. Times are integers, microseconds since 1970 UTC, so that they sort and compare as times.
`created_us` and `expires_us` are the times the API shows; `ends_us`, `due_us`, `listed_us` and `gone_us` are compared
with the clock. The two differ in a seeded sandbox only, where what is shown must not depend on how fast it is.
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from deepset_nb.errors import SandboxError

SCHEMA_VERSION = 2
NEVER_US = 2**62  # later than any time
_SHARED = "shared-"

_SCHEMA = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE workspaces (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, created_us INTEGER NOT NULL
);
CREATE TABLE sessions (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, workspace_id TEXT NOT NULL, write_mode TEXT NOT NULL,
    prefix TEXT NOT NULL, status TEXT NOT NULL, created_us INTEGER NOT NULL, expires_us INTEGER NOT NULL,
    ends_us INTEGER NOT NULL, creator TEXT NOT NULL
);
CREATE INDEX sessions_of_workspace ON sessions (workspace_id, seq);
CREATE INDEX open_sessions ON sessions (ends_us) WHERE status = 'OPEN';
CREATE TABLE objects (
    seq INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, blob TEXT NOT NULL, size INTEGER NOT NULL
);
CREATE TABLE ingestions (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, session_id TEXT NOT NULL, name TEXT NOT NULL,
    blob TEXT, size INTEGER NOT NULL, sidecar TEXT, is_sidecar INTEGER NOT NULL,
    status TEXT NOT NULL, reason TEXT, due_us INTEGER NOT NULL
);
CREATE INDEX ingestions_of_session ON ingestions (session_id, seq);
CREATE INDEX pending_ingestions ON ingestions (due_us, seq) WHERE status = 'PENDING';
CREATE TABLE files (
    id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL, name TEXT NOT NULL, folded TEXT NOT NULL, size INTEGER NOT NULL,
    blob TEXT NOT NULL, meta TEXT NOT NULL, created_us INTEGER NOT NULL, listed_us INTEGER NOT NULL,
    gone_us INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX files_by_time ON files (workspace_id, created_us, id, listed_us, gone_us, folded);
CREATE INDEX files_by_name ON files (workspace_id, name, id, listed_us, gone_us);
CREATE INDEX temporary_files ON files (gone_us) WHERE gone_us < 4611686018427387904;
CREATE TABLE meta_kinds (workspace_id TEXT NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL,
    PRIMARY KEY (workspace_id, key)) WITHOUT ROWID;
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""


class Store:
    """The sandbox's data folder, opened by at most one server at a time.

    Raises:
        SandboxError: Another server has the folder open, or another version of the sandbox made it.
    """

    def __init__(self, folder: Path) -> None:
        """Open the folder, making it where it does not exist yet."""
        self.folder = folder
        self._incoming = folder / "incoming"
        self._blobs = folder / "blobs"
        self._lock_file = _hold(folder)
        try:
            self._db, self.is_new = _open(folder)
        except BaseException:
            self._lock_file.close()
            raise
        self._writing = threading.RLock()
        self._idle_readers: list[sqlite3.Connection] = []
        self._closed = False
        self.writes = 0  # transactions so far: what is kept of a reading is good while this stays
        self._incoming.mkdir(exist_ok=True)
        for leftover in self._incoming.iterdir():
            leftover.unlink()
        self._blobs.mkdir(exist_ok=True)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction; writers wait for each other."""
        with self._writing:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
            self.writes += 1

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A consistent view that never waits for a writer."""
        try:
            reader = self._idle_readers.pop()
        except IndexError:
            reader = _connect(self.folder)
        try:
            reader.execute("BEGIN")
            yield reader
        finally:
            reader.execute("ROLLBACK")
            self._idle_readers.append(reader)
            if self._closed:
                self._close_readers()

    def incoming_path(self) -> Path:
        """Where a body goes while it is being received."""
        return self._incoming / uuid4().hex

    def blob_path(self, blob: str) -> Path:
        """Where the content named ``blob`` is."""
        return self._blobs / blob

    def new_blob(self, content: bytes | bytearray) -> str:
        """Write a small content at once; no row names it yet, so nobody sees it half."""
        blob = uuid4().hex
        with self.blob_path(blob).open("xb", buffering=0) as file:
            file.write(content)
        return blob

    def shared_blob(self, name: str, content: bytes) -> str:
        """A content that many rows may name; no deletion removes it."""
        blob = _SHARED + name
        if not self.blob_path(blob).exists():
            self.blob_path(self.new_blob(content)).replace(self.blob_path(blob))
        return blob

    def copy(self, blob: str) -> str:
        """The same content as a blob of its own."""
        twin = uuid4().hex
        shutil.copyfile(self.blob_path(blob), self.blob_path(twin))
        return twin

    def adopt(self, received: Path) -> str:
        """Turn a completely received body into a blob; one atomic rename."""
        received.replace(self.blob_path(received.name))
        return received.name

    def discard(self, blobs: Iterable[str]) -> None:
        """Remove contents no row names any more. Call it after the transaction, not inside."""
        for blob in blobs:
            if not blob.startswith(_SHARED):
                self.blob_path(blob).unlink(missing_ok=True)

    def setting(self, name: str, default: str) -> str:
        """The stored value of ``name``; at the first call ``default`` is stored and becomes the value."""
        with self.write() as db:
            db.execute("INSERT OR IGNORE INTO settings VALUES (?, ?)", (name, default))
            value: str = db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()[0]
        return value

    def close(self) -> None:
        """Close all connections and give the folder free. Calling it again does nothing."""
        with self._writing:
            if self._closed:
                return
            self._closed = True
            self._close_readers()
            self._db.close()
            self._lock_file.close()

    def _close_readers(self) -> None:
        while self._idle_readers:
            self._idle_readers.pop().close()


def _connect(folder: Path) -> sqlite3.Connection:
    db = sqlite3.connect(folder / "sandbox.db", timeout=30, isolation_level=None, check_same_thread=False)
    db.row_factory = sqlite3.Row
    return db


def _open(folder: Path) -> tuple[sqlite3.Connection, bool]:
    db = _connect(folder)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")  # a power cut may lose the last moments, never the database
        found = db.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, SCHEMA_VERSION):
            raise SandboxError(
                f"The sandbox data in {folder} has schema version {found}; this sandbox has version {SCHEMA_VERSION}.",
                "Move the folder away, or pass another one as data=.",
            )
        if found == 0:
            db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
    except sqlite3.DatabaseError as error:
        db.close()
        raise SandboxError(
            f"{folder / 'sandbox.db'} is not a sandbox database: {error}.",
            "Move the folder away, or pass another one as data=.",
        ) from None
    except BaseException:
        db.close()
        raise
    return db, found == 0


def _hold(folder: Path) -> sqlite3.Connection:
    # An open exclusive transaction is a lock on every system, and ends with the process.
    lock = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = sqlite3.connect(folder / "lock", timeout=0, isolation_level=None, check_same_thread=False)
        lock.execute("BEGIN EXCLUSIVE")
    except (OSError, sqlite3.DatabaseError) as error:
        if lock is not None:
            lock.close()
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            raise SandboxError(
                f"Another sandbox is running on the data in {folder}.",
                "Stop it first, or pass another folder as data=.",
            ) from None
        raise SandboxError(
            f"The sandbox cannot keep its data in {folder}: {error}.", "Pass a folder it can write to as data=."
        ) from None
    return lock
