"""Every message and state that crosses between kernel and browser; the twin of js/src/lib/messages.ts.

``tests/contract/messages.json`` holds one example of each and is checked from both sides.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from ..transfer.progress import JobState, Target
from ..transfer.receipt_page import ReceiptCounts, ReceiptRow


def is_running(state: JobState) -> bool:
    """Whether a job in this state has not ended yet."""
    return state["status"] in ("running", "cancelling")


# --- states (traits; saved in the notebook, so small and without secrets) -----------------------------------------


class UploaderState(TypedDict):
    """What the uploader shows besides its list of files, which lives in the browser and in the spool."""

    target: Target
    file_limit_bytes: int
    files: int
    complete: int
    bytes: int
    received_bytes: int
    job: JobState | None


class SessionRow(TypedDict):
    """One upload session; times are ISO 8601 in UTC."""

    session_id: str
    status: str
    created_at: str
    expires_at: str | None
    created_by: str | None
    write_mode: str


class SessionPage(TypedDict):
    """What is fetched for the session browser: the newest sessions, and how many there are."""

    rows: list[SessionRow]
    total: int


class Problem(TypedDict):
    """What happened, and what to do next."""

    message: str
    remedy: str


class SessionsState(TypedDict):
    """The session browser's table."""

    target: Target
    rows: list[SessionRow]
    total: int
    loading: bool
    updated_at: str | None
    error: Problem | None


# --- browser to kernel ----------------------------------------------------------------------------------------------


class Hello(TypedDict):
    """The browser has a live copy of the widget."""

    kind: Literal["hello"]
    frontend: str
    theme: Literal["light", "dark"]
    locale: str
    reduced_motion: bool


class Request(TypedDict):
    """A question; always answered by a `Success` or a `Refusal` of the same id."""

    kind: Literal["request"]
    id: str
    action: str
    payload: dict[str, Any]


class Abort(TypedDict):
    """Nobody waits for this answer any more."""

    kind: Literal["abort"]
    id: str


class Chunk(TypedDict):
    """A piece of a file; comes with exactly one buffer, in any order, perhaps twice."""

    kind: Literal["chunk"]
    file: str
    offset: int
    length: int
    crc32: int


class OfferedFile(TypedDict):
    """A file the browser has; ``file`` is the id that all later messages use."""

    file: str
    name: str
    relative_path: str
    size: int


class PartPayload(TypedDict):
    """Request ``part``: the script of a part of the widget that was not needed until now."""

    name: str


class BeginPayload(TypedDict):
    """Request ``begin``: make room for these files."""

    files: list[OfferedFile]


class FilePayload(TypedDict):
    """Requests ``received`` and ``remove``."""

    file: str


class UploadPayload(TypedDict):
    """Request ``upload``: everything is here, send it to the platform."""

    write_mode: Literal["KEEP", "OVERWRITE", "FAIL"]


class CancelPayload(TypedDict):
    """Request ``cancel`` of a job: what becomes of what was sent; see `UploadJob.cancel`."""

    ingest: Literal["later", "keep"]


class ReceiptPayload(TypedDict):
    """Request ``receipt`` of a job: a page of its files; ``status`` is empty for all."""

    status: str
    offset: int
    limit: int


class ClosePayload(TypedDict):
    """Request ``close`` of the session browser."""

    session_id: str


# --- kernel to browser ----------------------------------------------------------------------------------------------


class Success(TypedDict):
    """The answer to a request."""

    kind: Literal["response"]
    id: str
    ok: Literal[True]
    result: dict[str, Any]


class Refusal(TypedDict):
    """The answer to a request that could not be done."""

    kind: Literal["response"]
    id: str
    ok: Literal[False]
    error: Problem


class Ack(TypedDict):
    """Bytes are on disk: ``received`` without a gap from the start, and the piece that just came."""

    kind: Literal["ack"]
    file: str
    received: int
    offset: int
    length: int


class Nack(TypedDict):
    """A piece did not arrive whole: send it again."""

    kind: Literal["nack"]
    file: str
    offset: int
    length: int
    reason: str


class Refused(TypedDict):
    """The kernel gives up on a file."""

    kind: Literal["refused"]
    file: str
    error: Problem


class PartResult(TypedDict):
    """A part's script; js/src/lib/part.ts runs it."""

    code: str


class Catalogue(TypedDict):
    """The answer to a hello in a language that is not English; ``messages`` are for js/src/lib/i18n.ts."""

    kind: Literal["catalogue"]
    language: str
    messages: dict[str, Any]


class RefusedFile(TypedDict):
    """A file that cannot be taken."""

    file: str
    error: Problem


class BeginResult(TypedDict):
    """Which of the offered files are not taken; the others may be sent."""

    refused: list[RefusedFile]


class Range(TypedDict):
    """A piece of a file."""

    offset: int
    length: int


class ReceivedResult(TypedDict):
    """What the kernel holds of a file, and what it still misses."""

    received: int
    missing: list[Range]


class ReceiptResult(TypedDict):
    """Some files of a job with their outcomes; ``code`` gives them all in Python."""

    rows: list[ReceiptRow]
    offset: int
    total: int
    counts: ReceiptCounts
    code: str


class HeldFile(TypedDict):
    """A file of the spool, as a reloaded page learns of it."""

    file: str
    name: str
    relative_path: str
    size: int
    received: int


class ListResult(TypedDict):
    """Request ``list``: the spool."""

    files: list[HeldFile]
