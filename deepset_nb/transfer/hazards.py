"""What can be said of one file from its name and ``stat`` alone.

A row is born here. Every outcome that the plan gives has a ``state``, one word that a notebook can group by, beside
the reason and the remedy that a person reads.
"""

from __future__ import annotations

import os
import stat as modes

from ..client.addresses import is_hidden, is_remote
from .receipt import IN_BROWSER, Row, Status

SIDECAR = ".meta.json"  # `report.pdf.meta.json` holds the metadata of `report.pdf`
BUCKET_LIMIT = 5 * 1024**3  # bytes of one object in a presigned form post (Amazon S3 documentation)
SPLIT = (
    "Split it and upload the parts: a text by its lines (on Linux: split -C 1G --additional-suffix=.txt FILE), "
    "a PDF by its pages. No other way takes more."
)
KEY_LIMIT = 1024 - 112  # bytes of a name: those of a key (Amazon S3 documentation) less the three UUIDs before it

# What `refuse` calls its rows: nothing but another file, name or metadata changes that.
REFUSALS = frozenset({"bad_meta", "clash", "empty", "name_too_long", "orphan", "too_big", "unreadable"})

_REGULAR, _READABLE = modes.S_IFREG | 0o444, modes.S_IFMT(0o777777) | 0o444
_NOT_READABLE = "Check that it exists and that you may read it."
NOT_READABLE_THERE = "Check the address, and that your credentials let you read it."
_NAME_IT_AGAIN = "Name the signed address itself again: neither a plan nor a receipt keeps what opens it."


def file_row(shown: str, name: str, source: str, stat: os.stat_result) -> Row:
    """A file with the outcome that follows from what the file system says; ``pending`` if nothing stands against it."""
    size, mode = stat.st_size, stat.st_mode
    row = Row(shown, name, name, size, source, None, stat.st_mtime_ns)
    # The common case at once: a plan of 100,000 files is to cost little more than finding them.
    if mode & _READABLE != _REGULAR or not 0 < size <= BUCKET_LIMIT:
        _look_closer(row, mode)
    return row


def browser_row(row: Row) -> Row:
    """A file that lies in a page, with the outcome that follows from what the page says of it."""
    fresh = Row(row.path, row.name, row.name, row.size, row.source, None, row.mtime_ns)
    _look_at_size(fresh)
    return fresh


def lies_in_browser(row: Row) -> bool:
    """Whether its bytes are in a page."""
    return isinstance(row.source, str) and row.source.startswith(IN_BROWSER)


def _look_closer(row: Row, mode: int) -> None:
    assert isinstance(row.source, str)
    if modes.S_ISDIR(mode):
        leave_out(row, "not_a_file", "A folder, or a link to one; links are not followed.", "Name the folder itself.")
    elif not modes.S_ISREG(mode):
        leave_out(row, "not_a_file", "Not a regular file, left out.", "Copy what it points to and upload the copy.")
    else:
        _look_at_size(row)
        if row.status == "pending" and not os.access(row.source, os.R_OK):
            refuse(row, "unreadable", "You may not read this file.", "Change its permissions.")


def _look_at_size(row: Row) -> None:
    if row.size == 0:
        refuse(row, "empty", "The file is empty; the platform refuses empty files.", "Fill it or leave it out.")
    elif row.size > BUCKET_LIMIT:
        refuse(row, "too_big", "Larger than 5 GiB, the most the bucket takes for one file.", SPLIT)


def unreadable_row(shown: str, name: str, source: str, error: OSError) -> Row:
    """A file or folder that the system does not let us look at."""
    row = Row(shown, name, name, 0, source)
    refuse(row, "unreadable", f"It cannot be read: {error.strerror or type(error).__name__}.", remedy_for(source))
    return row


def remedy_for(source: str) -> str:
    """What helps where a path or a URL cannot be read."""
    if not is_remote(source):
        return _NOT_READABLE
    return _NAME_IT_AGAIN if is_hidden(source) else NOT_READABLE_THERE


def refuse(row: Row, state: str, reason: str, remedy: str) -> None:
    """The user wants it sent and it cannot be: a failure."""
    _end(row, "failed", state, reason, remedy)


def leave_out(row: Row, state: str, reason: str, remedy: str) -> None:
    """It is not among what is sent, by a rule or by hand: no failure."""
    _end(row, "skipped", state, reason, remedy)


def warn(row: Row, state: str | None, words: str) -> None:
    """It is sent, and there is something to know about it."""
    row.warning = f"{row.warning} {words}" if row.warning else words
    if state is not None:
        row.state = state


def _end(row: Row, status: Status, state: str, reason: str, remedy: str) -> None:
    if row.status == "pending":
        row.state = state
        row.end(status, reason, remedy)
