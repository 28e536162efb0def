"""The background thread that ends expired sessions and ingests what is due."""

from __future__ import annotations

import logging
import threading

from .config import SandboxConfig
from .faults import Faults
from .ingest import due, end_session, ingest
from .marks import Marks
from .records import remove_where
from .store import NEVER_US, Store

BATCH = 50  # records per transaction: the bucket's writers get their turn every few milliseconds
GONE = f"gone_us < {NEVER_US} AND gone_us <= ?"  # the first part, as a literal, lets SQLite use the partial index
IDLE_S = 0.1  # how late an expiry or a due file is noticed at most

_log = logging.getLogger(__name__)


class Worker:
    """Ingests in the background; everything it needs to go on after a restart is in the store."""

    def __init__(self, store: Store, faults: Faults, marks: Marks, config: SandboxConfig) -> None:
        """Nothing runs before `start`."""
        self._store, self._faults, self._marks, self._config = store, faults, marks, config
        self._awake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox-ingestion", daemon=True)

    def start(self) -> None:
        """Begin with whatever is due."""
        self._thread.start()

    def wake(self) -> None:
        """Something may have become due: look now instead of a moment later."""
        self._awake.set()

    def stop(self) -> None:
        """End after the batch in hand. Calling it again does nothing."""
        self._stopping.set()
        self._awake.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        rate = self._config.ingest_rate
        while not self._stopping.is_set():
            try:
                self._expire_sessions()
                self._forget_temporary_files()
                ingested = self._ingest_batch(1 if rate else BATCH)
            except Exception:
                _log.exception("The sandbox's ingestion failed; it tries again.")
                ingested = 0
            if not ingested:
                self._awake.wait(IDLE_S)
                self._awake.clear()
            elif rate:
                self._stopping.wait(1 / rate)

    def _expire_sessions(self) -> None:
        now_us = self._marks.now_us()
        with self._store.read() as db:
            expired = db.execute("SELECT id FROM sessions WHERE status = 'OPEN' AND ends_us <= ?", (now_us,)).fetchall()
        for (session_id,) in expired:
            with self._store.write() as db:
                row = db.execute("SELECT status, prefix FROM sessions WHERE id = ?", (session_id,)).fetchone()
                if row["status"] != "OPEN":  # a client closed it a moment ago
                    continue
                superfluous = end_session(
                    db,
                    self._faults.choices,
                    self._marks,
                    session_id=session_id,
                    status="EXPIRED",
                    prefix=row["prefix"],
                    due_us=now_us + round(self._config.ingest_delay_s * 1_000_000),
                )
            self._store.discard(superfluous)

    def _forget_temporary_files(self) -> None:
        now_us = self._marks.now_us()
        with self._store.read() as db:
            found = db.execute(f"SELECT 1 FROM files WHERE {GONE}", (now_us,)).fetchone()  # noqa: S608
        if found:
            with self._store.write() as db:
                blobs = remove_where(db, GONE, (now_us,))
            self._store.discard(blobs)

    def _ingest_batch(self, size: int) -> int:
        with self._store.read() as db:
            if not due(db, self._marks.now_us(), limit=1):
                return 0
        superfluous: list[str] = []
        with self._store.write() as db:  # asked again: a workspace may have been deleted in between
            records = due(db, self._marks.now_us(), limit=size)
            for record in records:
                superfluous += ingest(
                    db,
                    self._store,
                    self._faults.choices,
                    self._marks,
                    record,
                    fault=self._faults.reason_for(record["name"]),
                    copies=self._faults.copies,
                )
        self._store.discard(superfluous)
        return len(records)
