"""One upload session of a transfer: what goes into it, and how far it is."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from ..models import OpenedSession
from .receipt import Row

LIVES = timedelta(days=1)  # platform API reference: create upload session


@dataclass
class Session:
    """An upload session we opened, with the rows that go into it.

    Attributes:
        opened: The platform's answer. Its form is a credential and is never shown.
        opened_at: Our clock when we asked for it.
        rows: What was sent into it, or is on its way.
        closed: Whether its ingestion was started.
        closed_by_others: Whether that was not us; objects sent after that are never ingested.
        uncertain: Rows that were on their way when an earlier try ended and may have arrived: stored names, with the
            size and modification time of the file that was sent.
        others: Stored names of files of an earlier run that belong here and are not at hand.
    """

    opened: OpenedSession = field(repr=False)
    opened_at: datetime
    rows: list[Row] = field(default_factory=list, repr=False)
    closed: bool = False
    closed_by_others: bool = False
    uncertain: dict[str, tuple[int, int]] = field(default_factory=dict)
    others: frozenset[str] = frozenset()

    @functools.cached_property
    def id(self) -> str:
        """The session's id as text: one text for all its rows."""
        return str(self.opened.session_id)

    @property
    def expires_at(self) -> str | None:
        """When the platform closes the session by itself, in ISO format."""
        return self.opened.expires_at.isoformat() if self.opened.expires_at else None

    @property
    def clock_ahead(self) -> timedelta:
        """How much later it is on the platform's clock than on ours, which its expiry tells."""
        expires_at = self.opened.expires_at
        return expires_at - LIVES - self.opened_at if expires_at else timedelta(0)

    @property
    def usable(self) -> bool:
        """Whether it still takes objects."""
        expires_at = self.opened.expires_at
        return not self.closed and (expires_at is None or expires_at > datetime.now(UTC))

    @property
    def sent(self) -> list[Row]:
        """The rows whose objects the bucket has taken."""
        return [row for row in self.rows if row.phase in ("sent", "ingesting", "ingested")]

    @property
    def undecided(self) -> list[Row]:
        """The rows that wait here for their outcome; sent once more, they would be there twice."""
        waiting = "ingesting" if self.closed else "sent"
        return [row for row in self.rows if row.phase == waiting and row.status != "ok"]

    def again(self) -> Session:
        """The same session for another try, with what waits in it."""
        rows = [replace(row, status="pending", reason=None, remedy=None) for row in self.undecided]
        broken_off = {
            row.stored_name: (row.size, row.mtime_ns)
            for row in self.rows
            if row.phase == "sending" and row.status != "ok"
        }
        return replace(self, rows=rows, uncertain=self.uncertain | broken_off)
