"""The receipt: one row per file handed in, complete at every moment.

A row starts as ``pending`` and ends in exactly one status. Stages only ever change rows, so whatever interrupts a
transfer, the receipt says what is where.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from .meta import Told

Status = Literal["pending", "ok", "failed", "skipped", "unaccounted", "cancelled"]
Phase = Literal["planned", "sending", "sent", "ingesting", "ingested", "fetching", "fetched"]  # the last two: downloads

MISSED: tuple[Status, ...] = ("failed", "unaccounted", "cancelled")

IN_BROWSER = "browser:"  # before the id of a file that lies in a page and on no disk of the kernel

COLUMNS = (
    *("path", "name", "stored_name", "size", "status", "phase", "attempts"),
    *("reason", "remedy", "file_id", "session_id", "seconds"),
)


@dataclass(slots=True, eq=False)
class Row:
    """One file, from disk (or memory) to index.

    Attributes:
        path: As the user gave it, of a URL what may be seen; for a text made in memory its name.
        name: The file name asked for.
        stored_name: The name the platform lists it under.
        size: Bytes.
        source: The path or URL of its bytes, or the bytes, or `IN_BROWSER` and an id. A str, as a hundred thousand Path
            objects take 80 MB.
        meta: The metadata to send along, if any: the path of a sidecar, or UTF-8 JSON.
        mtime_ns: When the file was last written to, as planned; 0 for what was made in memory.
        state: What the plan found, such as ``new``, ``clash`` or ``hidden``; it does not change while sending.
        warning: What the plan has to say about a file that is sent all the same.
        told: What the caller said about its metadata, to ask again at another try.
        created_at: When the platform made the file, by its own clock, in seconds since 1970.
        content: Fingerprint of the bytes that were sent.
        meta_content: The same of its metadata.
        key: Of the journal's row; 0 where there is none.
        final: Whether it failed in a way that the same file can only fail again.
    """

    path: str
    name: str
    stored_name: str
    size: int
    source: str | bytes = field(repr=False)  # a URL may be signed
    meta: str | bytes | None = field(default=None, repr=False)
    mtime_ns: int = 0
    status: Status = "pending"
    phase: Phase = "planned"
    attempts: int = 0
    reason: str | None = None
    remedy: str | None = None
    file_id: str | None = None
    session_id: str | None = None
    started: float | None = field(default=None, repr=False)
    seconds: float | None = None
    state: str = "new"
    warning: str | None = None
    told: Told | None = field(default=None, repr=False)
    created_at: float | None = None
    content: str | None = None
    meta_content: str | None = None
    key: int = 0
    final: bool = False

    def end(self, status: Status, reason: str | None = None, remedy: str | None = None) -> None:
        """Give the row its outcome. The first failure stays: nothing later may turn it green."""
        if self.status in ("failed", "skipped"):
            return
        self.status, self.reason, self.remedy = status, reason, remedy
        if self.started is not None:
            self.seconds = round(time.monotonic() - self.started, 3)

    def warn(self, words: str) -> None:
        """Say something about a file that is sent all the same."""
        self.warning = f"{self.warning} {words}" if self.warning else words

    @property
    def objects(self) -> int:
        """How many objects of a session this row takes: the file, and its sidecar."""
        return 1 if self.meta is None else 2

    def record(self) -> dict[str, Any]:
        """The row as the DataFrame shows it."""
        return {column: self.shown(column) for column in COLUMNS}

    def shown(self, column: str) -> Any:
        """One cell of it."""
        if column == "reason" and self.warning:
            return f"{self.reason} {self.warning}" if self.reason else self.warning
        return getattr(self, column)


class Receipt:
    """All rows of one transfer, in the order of the plan."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows

    def counts(self) -> Counter[str]:
        """How many rows have which status."""
        return Counter(row.status for row in self.rows)

    def there(self, state: str) -> int:
        """How many were left out in this state."""
        return sum(row.status == "skipped" and row.state == state for row in self.rows)

    def with_status(self, *statuses: Status) -> list[Row]:
        """The rows in one of these statuses."""
        return [row for row in self.rows if row.status in statuses]

    def end_all(self, status: Status, reason: str, remedy: str) -> None:
        """Give every row that has no outcome yet this one."""
        for row in self.with_status("pending"):
            row.end(status, reason, remedy)

    def missed(self) -> list[Row]:
        """The rows that did not make it: what a retry takes up, and what keeps a headline from being green."""
        return self.with_status(*MISSED)

    def verdict(self) -> Literal["done", "failed", "cancelled"]:
        """How the whole ended, never better than its worst row."""
        counts = self.counts()
        if counts["failed"] or counts["unaccounted"]:
            return "failed"
        return "cancelled" if counts["cancelled"] else "done"

    def records(self) -> list[dict[str, Any]]:
        """Every row as the DataFrame shows it."""
        return [row.record() for row in self.rows]


def encode_meta(meta: dict[str, Any]) -> bytes:
    """Metadata as the sidecar the platform reads: UTF-8 JSON, NaN refused."""
    return json.dumps(meta, ensure_ascii=False, allow_nan=False).encode()
