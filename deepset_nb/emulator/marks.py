"""Ids and times of what the sandbox makes: by chance and by the clock, or the same on every laptop.

With a seed, an id follows from what a thing is and how many of its kind came before, and the times shown rise by a
second with each thing a workspace gets. Neither depends on how fast the machine is or in which order parallel
requests came, nor on a restart in between. What is compared with the clock stays real: a minute lasts a minute.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

# Plainly made up, and later than the clock of any client: none takes an open session for an expired one.
SEEDED_START_US = int(datetime(2030, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
STEP_US = 1_000_000


class Marks:
    """Gives out ids and times.

    Args:
        clock: Seconds since 1970.
        seed: None for chance and the clock.
    """

    def __init__(self, clock: Callable[[], float], seed: int | None) -> None:
        """Keep both."""
        self._clock = clock
        self.seed = seed

    def now_us(self) -> int:
        """The real time in microseconds, for everything that is compared."""
        return round(self._clock() * 1_000_000)

    def stamp(self, db: sqlite3.Connection, workspace_id: str) -> int:
        """The time to show for something the workspace gets now; part of the caller's transaction."""
        if self.seed is None:
            return self.now_us()
        return SEEDED_START_US + _next(db, f"time {workspace_id}") * STEP_US

    def id(self, *origin: object) -> str:
        """An id; with a seed it follows from ``origin``, which must then be unique."""
        if self.seed is None:
            return str(uuid4())
        return str(UUID(bytes=_digest(self.seed, *origin), version=4))

    def next_id(self, db: sqlite3.Connection, *origin: object) -> str:
        """An id for the next thing of this origin; part of the caller's transaction."""
        return self.id() if self.seed is None else self.id(*origin, _next(db, repr(origin)))

    def reserve(self, db: sqlite3.Connection, counter: str, count: int) -> int:
        """The first of ``count`` numbers that nobody else gets; part of the caller's transaction."""
        db.execute(
            "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + ?",
            (counter, count, count),
        )
        last: int = db.execute("SELECT value FROM counters WHERE name = ?", (counter,)).fetchone()[0]
        return last - count + 1


def share_of(seed: int | None, name: str) -> float:
    """A number from 0 to below 1 that belongs to ``name``, for failures that meet some and not others."""
    return int.from_bytes(_digest(seed, "share", name)[:8]) / 2**64


def _digest(*origin: object) -> bytes:
    return hashlib.blake2b(repr(origin).encode(), digest_size=16).digest()


def _next(db: sqlite3.Connection, counter: str) -> int:
    db.execute(
        "INSERT INTO counters VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1",
        (counter,),
    )
    value: int = db.execute("SELECT value FROM counters WHERE name = ?", (counter,)).fetchone()[0]
    return value
