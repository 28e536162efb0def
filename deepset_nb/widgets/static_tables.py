"""The static forms of the session browser and the file browser."""

from __future__ import annotations

from .messages import SessionsState
from .static_html import _box, _table, _text, _where, visible


def sessions_text(state: SessionsState) -> str:
    """The session browser in plain text."""
    lines = [_sessions_title(state), _where(state["target"])]
    lines += ["  " + "  ".join(visible(cell) for cell in row) for row in _session_rows(state)]
    return "\n".join(lines)


def sessions_html(state: SessionsState) -> str:
    """The session browser as HTML."""
    parts = [f"<strong>{_text(_sessions_title(state))}</strong>", f"<div>{_text(_where(state['target']), 1000)}</div>"]
    if state["rows"]:
        parts.append(_table(("Status", "Created (UTC)", "Expires (UTC)", "By", "Session"), _session_rows(state)))
    return _box(parts)


def _sessions_title(state: SessionsState) -> str:
    if state["error"]:
        return visible(f"{state['error']['message']} {state['error']['remedy']}".strip(), 600)
    shown, total = len(state["rows"]), state["total"]
    if state["updated_at"] is None:
        return "Upload sessions, not fetched yet"
    return f"The newest {shown:,} of {total:,} upload sessions" if shown < total else f"Upload sessions: {total:,}"


def _session_rows(state: SessionsState) -> list[tuple[str, ...]]:
    return [
        (
            row["status"],
            row["created_at"][:16].replace("T", " "),
            (row["expires_at"] or "")[:16].replace("T", " "),
            row["created_by"] or "",
            row["session_id"],
        )
        for row in state["rows"]
    ]
