"""The static forms of the file browser and the session browser: their first rows, and how many there are."""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import datetime

from ..i18n import ENGLISH, Translator
from .messages_browsers import FilesState, SessionRow, SessionsState
from .static_html import SIZES, _and_more, _box, _table, _text, _where, visible

Rows = list[tuple[str, ...]]

# As many as a reader looks at. They travel with the widget on the message that shows it, and stay in the notebook.
SHOWN = 20


# --- files ----------------------------------------------------------------------------------------------------------


def files_text(state: FilesState, tr: Translator = ENGLISH) -> str:
    """The file browser in plain text."""
    return _plain(_files_title(state, tr), state, _files_rows(state, tr), tr)


def files_html(state: FilesState, tr: Translator = ENGLISH) -> str:
    """The file browser as HTML."""
    heads = (tr("Name"), tr("Size"), tr("Created (UTC)"), tr("File id"))
    return _page(_files_title(state, tr), state, heads, _files_rows(state, tr), tr, SIZES)


def _files_title(state: FilesState, tr: Translator) -> str:
    shown, total = len(state["rows"][:SHOWN]), state["total"]
    if state["updated_at"] is None:
        return tr("Files, not fetched yet")
    if total is None:
        return tr("The first {shown} files; the platform does not say how many there are", shown=shown)
    if shown < total:
        return tr("The first {shown} of {total} files", shown=shown, total=total)
    return tr("Files: {total}", total=total)


def _files_rows(state: FilesState, tr: Translator) -> Rows:
    rows = state["rows"][:SHOWN]
    return [(row["name"], tr.size(row["size"]), tr.minute(row["created_at"]), row["file_id"]) for row in rows]


# --- sessions -------------------------------------------------------------------------------------------------------


def sessions_text(state: SessionsState, tr: Translator = ENGLISH) -> str:
    """The session browser in plain text."""
    return _plain(_sessions_title(state, tr), state, _sessions_rows(state, tr), tr)


def sessions_html(state: SessionsState, tr: Translator = ENGLISH) -> str:
    """The session browser as HTML."""
    heads = (tr("Status"), tr("Files"), tr("Created (UTC)"), tr("Expires (UTC)"), tr("By"), tr("Session"))
    return _page(_sessions_title(state, tr), state, heads, _sessions_rows(state, tr), tr)


def _sessions_title(state: SessionsState, tr: Translator) -> str:
    shown, total = len(state["rows"][:SHOWN]), state["total"]
    if state["updated_at"] is None:
        return tr("Upload sessions, not fetched yet")
    if (looked := state["looked_through"]) is not None:
        if looked >= (state["sessions"] or 0):
            return tr("{count} of {sessions} upload sessions match", count=total or 0, sessions=looked)
        return tr(
            "{count} of the newest {looked} upload sessions match; there are {sessions}",
            count=total or 0,
            looked=looked,
            sessions=state["sessions"] or looked,
        )
    if total is None:
        return tr("The newest {shown} upload sessions; the platform does not say how many there are", shown=shown)
    if shown < total:
        return tr("The newest {shown} of {total} upload sessions", shown=shown, total=total)
    return tr("Upload sessions: {total}", total=total)


def _sessions_rows(state: SessionsState, tr: Translator) -> Rows:
    words = {"OPEN": tr("Open"), "CLOSED": tr("Closed"), "EXPIRED": tr("Expired")}
    return [
        (
            words.get(row["status"], row["status"]),
            verdict(row, state["updated_at"], tr),
            tr.minute(row["created_at"]),
            tr.minute(row["expires_at"] or ""),
            row["created_by"] or "",
            row["session_id"],
        )
        for row in state["rows"][:SHOWN]
    ]


def verdict(row: SessionRow, now: str | None, tr: Translator) -> str:
    """How a session stands, in words; js/src/lib/verdict.ts says the same."""
    counts = row["counts"]
    if row["status"] == "OPEN":
        if now is not None and _minutes(row["created_at"], now) < 1:
            return tr("just opened")
        age = _age(row["created_at"], now, tr)
        if counts is None or counts["finished"] + counts["failed"]:
            return tr("open for {age}", age=age)
        return tr("open for {age}, nothing ingested yet", age=age)
    if counts is None:
        return ""
    done, failed, pending = counts["finished"] + counts["failed"], counts["failed"], counts["pending"] or 0
    if pending and failed:
        return tr("ingesting: {done} of {total} done, {failed} failed", done=done, total=done + pending, failed=failed)
    if pending:
        return tr("ingesting: {done} of {total} done", done=done, total=done + pending)
    if failed:
        return tr("{failed} of {total} failed", failed=failed, total=done)
    return tr.plural(done, "{count} file ingested", "all {count} files ingested") if done else tr("no files in it")


def _age(since: str, now: str | None, tr: Translator) -> str:
    if now is None:
        return "?"
    minutes = _minutes(since, now)
    if minutes < 60:
        return tr("{count} min", count=minutes)
    if minutes < 48 * 60:
        return tr("{count} h", count=minutes // 60)
    return tr("{count} days", count=minutes // 1440)


def _minutes(since: str, now: str) -> int:
    return int((datetime.fromisoformat(now) - datetime.fromisoformat(since)).total_seconds() // 60)


# --- both -----------------------------------------------------------------------------------------------------------


def _plain(title: str, state: FilesState | SessionsState, rows: Rows, tr: Translator) -> str:
    lines = [title, _where(state["target"], tr), *_about(state, tr)]
    lines += ["  " + "  ".join(visible(cell) for cell in row) for row in rows]
    if (more := _left_out(state, rows)) > 0:
        lines.append("  " + tr("and {count} more in {code}", count=more, code=visible(state["code"], 600)))
    return "\n".join(lines)


def _page(
    title: str,
    state: FilesState | SessionsState,
    heads: Sequence[str],
    rows: Rows,
    tr: Translator,
    numbers: Container[int] = (),
) -> str:
    parts = [f"<strong>{_text(title)}</strong>", f"<div>{_text(_where(state['target'], tr), 1000)}</div>"]
    parts += [f"<div>{_text(line, 600)}</div>" for line in _about(state, tr)]
    if rows:
        table = _table(heads, rows, numbers=numbers)
        # Many columns are scrolled sideways in a narrow cell, as a DataFrame's are.
        parts.append(f'<div style="overflow-x:auto;margin-top:8px"><div style="min-width:36em">{table}</div></div>')
    return _box([*parts, *_and_more(_left_out(state, rows), tr, state["code"])])


def _left_out(state: FilesState | SessionsState, rows: Rows) -> int:
    return (state["total"] or 0) - len(rows) if rows else 0


def _about(state: FilesState | SessionsState, tr: Translator) -> list[str]:
    """What went wrong, when this was so, and how to get all of it."""
    lines = []
    if error := state["error"]:
        lines.append(visible(f"{error['message']} {error['remedy']}".strip(), 600))
    if state["updated_at"]:
        lines.append(
            tr("As of {time} UTC; {code} has all of them", time=tr.minute(state["updated_at"]), code=state["code"])
        )
    return lines
