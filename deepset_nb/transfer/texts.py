"""Whether text files are UTF-8, as the platform expects: judged from their first bytes, a warning and no more."""

from __future__ import annotations

from collections.abc import Iterable

from ..client.places import opened
from .hazards import refuse, warn
from .receipt import Row

TEXT = (".txt", ".md", ".csv", ".json", ".html", ".htm", ".xml")
FIRST = 64 * 1024  # bytes looked at
_CUT = 3  # bytes of a character that the end may have cut off


def warn_of_other_encodings(rows: Iterable[Row], most: int | None) -> None:
    """Look into the first ``most`` text files; None means all."""
    looked = 0
    for row in rows:
        if looked == most:
            return
        if row.status != "pending" or not isinstance(row.source, str) or not row.name.lower().endswith(TEXT):
            continue
        looked += 1
        try:
            place = _first_wrong_byte(row.source)
        except OSError as error:
            refuse(row, "unreadable", f"It cannot be read: {error.strerror}.", "Check that you may read it.")
        else:
            if place is not None:
                words = f"It is not UTF-8 (first seen at byte {place:,}); save it as UTF-8 if its text comes out wrong."
                warn(row, "not_utf8", words)


def _first_wrong_byte(path: str) -> int | None:
    with opened(path) as file:
        first = file.read(FIRST)
    try:
        first.decode()
    except UnicodeDecodeError as error:
        is_cut = error.end == len(first) == FIRST and error.start >= FIRST - _CUT
        return None if is_cut else error.start
    return None
