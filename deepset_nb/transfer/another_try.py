"""What another try takes up: everything that may fare better, and nothing that can only fail again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..client.fingerprint import fingerprint_of
from ..client.places import ask_afresh, stat_of
from .plan import replan
from .receipt import IN_BROWSER, Row


def judge_again(rows: Iterable[Row]) -> list[Row]:
    """Rows for another try, in their order; what was refused for good and is the same file still keeps its outcome.

    Args:
        rows: What did not make it.
    """
    rows = list(rows)
    ask_afresh(row.source for row in rows)
    refused = {id(row) for row in rows if row.final and _is_unchanged(row)}
    again = replan([row for row in rows if id(row) not in refused])
    kept = [replace(row, key=0) for row in rows if id(row) in refused]
    for row in kept:
        row.remedy = f"The same file would be refused again, so it was not sent again. {row.remedy or ''}".strip()
    return [*again, *kept]


def _is_unchanged(row: Row) -> bool:
    if isinstance(row.source, bytes) or row.source.startswith(IN_BROWSER):  # a page holds a file as it was chosen
        return True
    try:
        stat = stat_of(row.source)
        if stat.st_size != row.size or not stat.st_mtime_ns or stat.st_mtime_ns != row.mtime_ns:
            return False  # also where no time is told
        return not isinstance(row.meta, str) or row.meta_content is None or fingerprint_of(row.meta) == row.meta_content
    except OSError:
        return False
