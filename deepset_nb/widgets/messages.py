"""Every message and state that crosses between kernel and browser; the twin of js/src/lib/messages.ts.

``tests/contract/messages.json`` holds one example of each and is checked from both sides. What only the browsers of
files and sessions say is in messages_browsers.py.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from ..transfer.progress import JobState
from ..transfer.receipt_page import ReceiptCounts, ReceiptRow


def is_running(state: JobState) -> bool:
    """Whether a job in this state has not ended yet."""
    return state["status"] in ("running", "cancelling")


# --- states (traits; saved in the notebook, so small and without secrets) -----------------------------------------


class Problem(TypedDict):
    """What happened, and what to do next."""

    message: str
    remedy: str


# --- browser to kernel ----------------------------------------------------------------------------------------------


class Hello(TypedDict):
    """The browser has a live copy of the widget."""

    kind: Literal["hello"]
    theme: Literal["light", "dark"]
    locale: str


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


class PartPayload(TypedDict):
    """Request ``part``: the script of a part of the widget that was not needed until now."""

    name: str


class CancelPayload(TypedDict):
    """Request ``cancel`` of a job: what becomes of what was sent; see `UploadJob.cancel`."""

    ingest: Literal["later", "keep", "remove"]


class ReceiptPayload(TypedDict):
    """Request ``receipt`` of a job: a page of its files; ``status`` is empty for all."""

    status: str
    offset: int
    limit: int


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


class PartResult(TypedDict):
    """A part's script; js/src/lib/part.ts runs it."""

    code: str


class Catalogue(TypedDict):
    """The answer to a hello in a language that is not English; ``messages`` are for js/src/lib/i18n.ts."""

    kind: Literal["catalogue"]
    language: str
    messages: dict[str, Any]


class ReceiptResult(TypedDict):
    """Some files of a job with their outcomes; ``code`` gives them all in Python."""

    rows: list[ReceiptRow]
    offset: int
    total: int
    counts: ReceiptCounts
    code: str


class JobCodeResult(TypedDict):
    """Request ``job_code``: the line of Python that does what the job does."""

    code: str
