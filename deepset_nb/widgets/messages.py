"""Every message and state that crosses between kernel and browser; the twin of js/src/lib/messages.ts.

``tests/contract/messages.json`` holds one example of each and is checked from both sides.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from ..transfer.progress import JobState, Target


def is_running(state: JobState) -> bool:
    """Whether a job in this state has not ended yet."""
    return state["status"] in ("running", "cancelling")


# --- states (traits; saved in the notebook, so small and without secrets) -----------------------------------------


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


class PartPayload(TypedDict):
    """Request ``part``: the script of a part of the widget that was not needed until now."""

    name: str


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


class PartResult(TypedDict):
    """A part's script; js/src/lib/part.ts runs it."""

    code: str


class Catalogue(TypedDict):
    """The answer to a hello in a language that is not English; ``messages`` are for js/src/lib/i18n.ts."""

    kind: Literal["catalogue"]
    language: str
    messages: dict[str, Any]
