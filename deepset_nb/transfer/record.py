"""The journal's side of one transfer: notes what happens, a few times a second, off the event loop.

A journal that cannot be used (disk full, damaged, locked) never stops a transfer: it goes on without, and says that
another kernel will not be able to go on from it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ParamSpec, TypeVar
from uuid import uuid4
from weakref import WeakKeyDictionary

import filelock

from .._places import state_folder
from ..client.addresses import is_remote, shown
from ..models import OpenedSession, WriteMode
from .journal import Journal
from .journal_records import JobRecord, Past, Place, writable
from .progress import Progress
from .receipt import IN_BROWSER, Row

MEMORY = "memory:"  # before the names of documents that lie on no disk
FLUSH_S = 0.02  # what a killed process forgets at most; the files concerned are sent once more, into the same place
UNUSABLE = (sqlite3.Error, OSError, NotImplementedError)  # the last: a file system without locks

P = ParamSpec("P")
T = TypeVar("T")

_open: dict[tuple[int, Path], Journal] = {}
_opening = threading.Lock()
_beginnings: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, asyncio.Lock]] = WeakKeyDictionary()


def beginning(target: str) -> asyncio.Lock:
    """Held from looking back to `Record.begin`: jobs of one kernel would else make each other look back for ever."""
    return _beginnings.setdefault(asyncio.get_running_loop(), {}).setdefault(target, asyncio.Lock())


def open_journal() -> Journal:
    """The journal of this process; a forked child opens its own."""
    key = (os.getpid(), state_folder())
    with _opening:
        if key not in _open:
            _open[key] = Journal(key[1])
        return _open[key]


def place_of(row: Row) -> Place:
    """What the journal knows a file by."""
    if isinstance(row.source, bytes):
        where = f"{MEMORY}{row.name}"
    elif row.source.startswith((MEMORY, IN_BROWSER)):  # the former by an earlier run, which took its content along
        where = row.source
    elif is_remote(row.source):
        where = shown(row.source)  # the journal is no place for what signs an address
    else:
        where = os.path.abspath(row.source)  # noqa: PTH100
    return writable(where), row.stored_name


class Record:
    """Notes of one transfer; use it as ``async with Record(...) as record``.

    Args:
        progress: Told when the journal cannot be used.
        kind: ``upload`` or ``download``.
        write_mode: Of its sessions.

    Attributes:
        journal: The journal, or None where it cannot be used.
        job: Id of this transfer, the same in every kernel.
    """

    def __init__(self, progress: Progress, kind: str, write_mode: WriteMode) -> None:
        self.job = uuid4().hex
        self.journal: Journal | None = None
        self._progress = progress
        target = progress.target
        self._about = JobRecord(
            self.job,
            kind,
            "",
            target["workspace"],
            target["host"],
            target["organisation"],
            str(write_mode),
            time.time(),
        )
        self._write_mode = write_mode
        self._dirty: dict[int, Row] = {}
        self._changed = asyncio.Event()
        self._flusher: asyncio.Task[None] | None = None
        self._lock: filelock.FileLock | None = None

    async def __aenter__(self) -> Record:
        await self._try(self._open)
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            if self._flusher is not None:
                self._flusher.cancel()
                await asyncio.wait({self._flusher})
            if self.journal is not None:
                await self._flush()
                await self._try(self._end)
        finally:  # also if cancelled once more: held, it would keep this kernel from going on
            if self._lock is not None:
                _let_go(self._lock)

    def _open(self) -> None:
        journal = open_journal()
        locks = journal.folder / "running"
        locks.mkdir(exist_ok=True, mode=0o700)
        # Held as long as this process lives: others see by it whether a transfer is still under way.
        self._lock = _lock(locks, self.job)
        self._lock.acquire(timeout=0)
        self.journal = journal

    def is_superseded(self) -> bool:
        """Whether a later transfer has taken over files of this one: what is known here is then not all there is."""
        keyed = sum(row.key > 0 for row in self._progress.receipt.rows)
        try:
            return self.journal is not None and sum(self.journal.counts_of(self.job).values()) < keyed
        except UNUSABLE:
            return False

    async def begin(
        self,
        target: str,
        version: int | None,
        apply: Callable[[], tuple[list[Row], list[tuple[Row, Past, bool]], list[str]]],
    ) -> bool:
        """Note the transfer with all its files, unless another one to this target has begun meanwhile.

        Args:
            target: The platform's identity.
            version: Of the target's journal when it was read; None does not matter.
            apply: Called when it is certain that the rows are ours; returns those to note, those that stay as they are
                known (and whether they become part of this transfer), and the sessions taken over.

        Returns:
            False if the journal must be read again.
        """
        self._about.target = target
        applied = False

        def step(journal: Journal) -> bool:
            nonlocal applied
            with journal.exclusively():
                if version is not None and journal.version(target) != version:
                    return False
                applied = True
                rows, kept, sessions = apply()
                journal.begin(self._about, ((row, place_of(row)) for row in rows), kept)
                for session in sessions:
                    journal.taken_over(session, self.job)
            return True

        if self.journal is None or (done := await self._try(step, self.journal)) is None:
            if not applied:  # twice would give rows twice
                apply()
            return True
        if done:
            self._flusher = asyncio.create_task(self._keep_flushing())
        return done

    # --- what happens -----------------------------------------------------------------------------------------

    def touch(self, row: Row) -> None:
        """The row has changed; it is noted soon."""
        if row.key:
            self._dirty[row.key] = row
            self._changed.set()

    def touch_all(self, rows: Iterable[Row]) -> None:
        """The same for many."""
        self._dirty.update((row.key, row) for row in rows if row.key)
        self._changed.set()

    async def asked(self) -> str:
        """A session is going to be asked for; returns our name for it."""
        key = uuid4().hex
        if self.journal is not None:
            await self._try(self.journal.asked, key, self._about, self._write_mode)
        return key

    async def opened(self, key: str, opened: OpenedSession) -> None:
        """It was opened."""
        if self.journal is not None:
            await self._try(self.journal.opened, key, opened)

    async def assigned(self, session: str, rows: list[Row]) -> None:
        """Files are going into a session; noted before the first is sent."""
        if self.journal is not None:
            await self._try(self.journal.assigned, session, rows)

    async def closed(self, session: str) -> None:
        """A session is closed."""
        if self.journal is not None:
            await self._flush()
            await self._try(self.journal.closed, session)

    async def over(self, key_or_session: str) -> None:
        """A session was refused, or the outcome of its files is known."""
        if self.journal is not None:
            await self._flush()
            await self._try(self.journal.over, key_or_session)

    # --- writing ----------------------------------------------------------------------------------------------

    async def _keep_flushing(self) -> None:
        while self.journal is not None:
            await self._changed.wait()
            await asyncio.sleep(FLUSH_S)
            self._changed.clear()
            await self._flush()

    async def _flush(self) -> None:
        if self._dirty and self.journal is not None:
            dirty, self._dirty = self._dirty, {}
            await self._try(self.journal.save, dirty.values())

    def _end(self) -> None:
        assert self.journal is not None
        receipt, about = self._progress.receipt, self._about
        counts = receipt.counts()
        about.ended_at, about.status, about.headline = time.time(), self._progress.status, self._progress.headline()
        about.files = len(receipt.rows)
        for status in ("ok", "failed", "skipped", "unaccounted", "cancelled"):
            setattr(about, status, counts[status])
        self.journal.end(about)

    async def _try(self, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        try:
            return await asyncio.to_thread(step, *args, **kwargs)
        except UNUSABLE as error:
            self.journal, self._dirty = None, {}
            why = getattr(error, "strerror", None) or str(error)
            self._progress.add_note(
                f"The journal cannot be used ({why}): this transfer goes on, but another kernel cannot go on from it."
            )
            return None


def _let_go(lock: filelock.FileLock) -> None:
    with contextlib.suppress(OSError):
        lock.release()
        Path(lock.lock_file).unlink(missing_ok=True)


def is_alive(journal: Journal, job: str) -> bool:
    """Whether a transfer is under way, in this kernel or another."""
    lock = _lock(journal.folder / "running", job)
    if not Path(lock.lock_file).exists():
        return False
    try:
        with lock.acquire(timeout=0):
            Path(lock.lock_file).unlink(missing_ok=True)
            return False
    except (filelock.Timeout, OSError):
        return True


def _lock(folder: Path, job: str) -> filelock.FileLock:
    return filelock.FileLock(folder / f"{job}.lock", thread_local=False)
