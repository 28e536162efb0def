"""What the browsers of files and sessions say to the page and hear; the twin of js/src/lib/messages_browsers.ts.

Rows come in chunks of `CHUNK`; the state holds the first one, all others are answers to requests.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from ..transfer.progress import JobState, Target
from .messages import Problem

CHUNK = 50  # rows of an answer; the first of them are in the state, which is saved in the notebook


# --- states ---------------------------------------------------------------------------------------------------------


class FileRow(TypedDict):
    """A file; ``meta`` holds the values of the keys that were asked for, as text, in their order."""

    file_id: str
    name: str
    size: int
    created_at: str
    meta: list[str | None]


class FileQuery(TypedDict):
    """Request ``query`` of the file browser, and what it shows."""

    name: str
    filter: str
    sort: Literal["created_at", "name"]
    order: Literal["ASC", "DESC"]


class FilesState(TypedDict):
    """The file browser.

    ``revision`` counts queries, ``version`` what became of the rows meanwhile. ``total`` is what the platform says,
    null where it does not; ``extent`` how many rows there are to scroll through. ``keys`` are the metadata keys that
    the files seen so far have, the most frequent ones first.
    """

    target: Target
    query: FileQuery
    revision: int
    version: int
    rows: list[FileRow]
    total: int | None
    extent: int
    loading: bool
    updated_at: str | None
    error: Problem | None
    code: str
    selected: int
    keys: list[str]
    folder: str
    job: JobState | None


class SessionCounts(TypedDict):
    """What became of a session's files; ``pending`` is null while it is open, when nobody tells."""

    finished: int
    failed: int
    pending: int | None


class SessionRow(TypedDict):
    """One upload session; times are ISO 8601 in UTC."""

    session_id: str
    status: str
    created_at: str
    expires_at: str | None
    created_by: str | None
    write_mode: str
    counts: SessionCounts | None


class SessionQuery(TypedDict):
    """Request ``query`` of the session browser, and what it shows; empty texts are everything."""

    status: Literal["", "OPEN", "CLOSED", "EXPIRED"]
    created_by: str


class SessionsState(TypedDict):
    """The session browser; as `FilesState`. ``looked_through`` of ``sessions`` were compared with the query."""

    target: Target
    query: SessionQuery
    revision: int
    version: int
    rows: list[SessionRow]
    total: int | None
    extent: int
    looked_through: int | None
    sessions: int | None
    loading: bool
    updated_at: str | None
    error: Problem | None
    code: str
    selected: int


# --- browser to kernel ----------------------------------------------------------------------------------------------


class RowsPayload(TypedDict):
    """Request ``rows``: a chunk, counted from 0, and the metadata keys that are columns."""

    chunk: int
    keys: list[str]


class SelectPayload(TypedDict):
    """Request ``select``: these rows on or off, ``only`` these on."""

    ids: list[str]
    on: bool
    only: bool


class RangePayload(TypedDict):
    """Request ``select_range``: also select the rows from one position to another."""

    first: int
    last: int


class IdPayload(TypedDict):
    """Requests ``details`` of a file, ``close`` of a session."""

    id: str


class IdsPayload(TypedDict):
    """Requests ``counts`` and ``watch`` of sessions."""

    ids: list[str]


class OutcomesPayload(TypedDict):
    """Request ``outcomes``: a chunk of the files of a session."""

    id: str
    status: Literal["", "FAILED", "PENDING", "FINISHED"]
    chunk: int


class DownloadPayload(TypedDict):
    """Request ``download``: the selected files into a folder of the kernel's computer."""

    folder: str


class DeletePayload(TypedDict):
    """Request ``delete``: exactly these files; ``typed`` is what the reader typed to confirm, their number."""

    ids: list[str]
    typed: str


# --- kernel to browser ----------------------------------------------------------------------------------------------


class FileRows(TypedDict):
    """Answer to ``rows`` of the file browser."""

    revision: int
    version: int
    rows: list[FileRow]
    total: int | None
    extent: int


class SessionRows(TypedDict):
    """Answer to ``rows`` of the session browser."""

    revision: int
    version: int
    rows: list[SessionRow]
    total: int | None
    extent: int


class Selection(TypedDict):
    """Answer to ``selection``, ``select`` and ``select_range``."""

    ids: list[str]


class Selected(TypedDict):
    """The selection has changed, in whichever view."""

    kind: Literal["selected"]
    ids: list[str]


class Walked(TypedDict):
    """How far a filtered listing has been read on the way to rows further down."""

    kind: Literal["walked"]
    rows: int


class FileDetails(TypedDict):
    """Answer to ``details``: everything about one file; ``more`` metadata entries are left out."""

    file_id: str
    name: str
    size: int
    created_at: str
    meta: list[list[str]]
    more: int


class CountsOf(TypedDict):
    """The state and counts of one session."""

    session_id: str
    status: str
    counts: SessionCounts


class CountsResult(TypedDict):
    """Answer to ``counts`` and ``watch``."""

    sessions: list[CountsOf]


class Outcome(TypedDict):
    """What became of one file of a session, why, and what to do."""

    name: str
    status: str
    reason: str
    remedy: str


class OutcomesResult(TypedDict):
    """Answer to ``outcomes``."""

    rows: list[Outcome]
    total: int | None
    has_more: bool


class KeptFile(TypedDict):
    """A file that could not be deleted."""

    file_id: str
    name: str
    error: Problem


class DeleteResult(TypedDict):
    """Answer to ``delete``: how many are gone, and which are not."""

    deleted: int
    kept: list[KeptFile]


class Deleting(TypedDict):
    """How far a deletion is."""

    kind: Literal["deleting"]
    done: int
    total: int
