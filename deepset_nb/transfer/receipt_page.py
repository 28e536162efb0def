"""A page of a receipt as plain JSON values: a panel shows every file's outcome without ever holding them all."""

from __future__ import annotations

import itertools
from typing import TypedDict

from .progress import Progress
from .shown import short

MOST_ROWS = 100  # in one answer


class ReceiptRow(TypedDict):
    """One file: the receipt's columns that a person reads."""

    path: str
    size: int
    status: str
    phase: str
    reason: str
    remedy: str
    file_id: str | None


class ReceiptCounts(TypedDict):
    """Files of each status."""

    pending: int
    ok: int
    failed: int
    skipped: int
    unaccounted: int
    cancelled: int


class ReceiptPage(TypedDict):
    """Some rows, and how many there are of each status."""

    rows: list[ReceiptRow]
    offset: int
    total: int
    counts: ReceiptCounts


def page_of(progress: Progress, status: str, offset: int, limit: int) -> ReceiptPage:
    """The rows from ``offset`` on, in the order of the plan.

    Args:
        progress: Of the job.
        status: Only rows of this status; empty for all.
        offset: How many to leave out at the beginning.
        limit: How many at most; never more than a hundred.
    """
    receipt, limit = progress.receipt, max(0, min(limit, MOST_ROWS))
    counts = receipt.counts()
    fitting = (row for row in list(receipt.rows) if not status or row.status == status)
    return {
        "rows": [
            {
                "path": short(progress.shown(row)),
                "size": row.size,
                "status": row.status,
                "phase": row.phase,
                "reason": short(row.shown("reason") or ""),
                "remedy": short(row.remedy or ""),
                "file_id": row.file_id,
            }
            for row in itertools.islice(fitting, max(0, offset), max(0, offset) + limit)
        ],
        "offset": offset,
        "total": counts[status] if status else len(receipt.rows),
        "counts": {
            "pending": counts["pending"],
            "ok": counts["ok"],
            "failed": counts["failed"],
            "skipped": counts["skipped"],
            "unaccounted": counts["unaccounted"],
            "cancelled": counts["cancelled"],
        },
    }
