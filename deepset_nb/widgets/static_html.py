"""The forms without a kernel: what GitHub, nbconvert and a terminal show of a job or a table.

Pure functions from states to text. The HTML has no scripts and no colours of its own, so that it is readable on any
background; everything from a server or a file name is escaped.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

from ..transfer.progress import JobState, PhaseProgress, Target
from .upload_messages import UploaderState

# Controls, and the characters that reorder or hide their neighbours ("invoice\u202efdp.exe").
_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_LONGEST = 160
_SIGNS = {"done": "✓", "active": "…", "waiting": "·", "failed": "✗"}

_BOX = (
    "border:1px solid color-mix(in srgb,currentColor 25%,transparent);border-radius:4px;padding:10px 14px;"
    "max-width:960px;font-family:system-ui,sans-serif;font-variant-numeric:tabular-nums"
)
_CELL = "text-align:left;vertical-align:top;padding:2px 16px 2px 0;overflow-wrap:anywhere"


def visible(text: str, longest: int = _LONGEST) -> str:
    """Controls spelled out, and the middle of very long names left out."""
    if len(text) > longest:
        half = (longest - 1) // 2
        text = f"{text[:half]}…{text[-half:]}"
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def size(number: float) -> str:
    """Bytes in decimal units, as the platform's limits count."""
    units = ["B", "kB", "MB", "GB", "TB"]
    while number >= 999.5 and len(units) > 1:
        number /= 1000
        units.pop(0)
    digits = 0 if units[0] == "B" or number >= 99.95 else 1
    return f"{number:,.{digits}f} {units[0]}"


def files(count: int) -> str:
    """``1 file``, ``1,204 files``."""
    return f"{count:,} {'file' if count == 1 else 'files'}"


# --- jobs -----------------------------------------------------------------------------------------------------------


def job_text(state: JobState) -> str:
    """A job in plain text: headline, phases, failures."""
    lines = [visible(state["headline"], 400), _where(state["target"])]
    lines += [visible(text, 1000) for text in (state["detail"], state["note"]) if text]
    lines += [f"  {_SIGNS[phase['state']]} {phase['label']:<10} {_amount(phase)}".rstrip() for phase in state["phases"]]
    for failure in state["failures"]:
        lines.append(
            f"  {visible(failure['path'])}: {visible(failure['reason'], 600)} {visible(failure['remedy'], 600)}"
        )
    if more := state["failures_total"] - len(state["failures"]):
        lines.append(f"  and {more:,} more in job.receipt")
    return "\n".join(lines)


def job_line(state: JobState) -> str:
    """A job in one line."""
    return f"{visible(state['headline'], 400)} ({_where(state['target'])})"


def job_html(state: JobState, mode: str = "") -> str:
    """A job as HTML.

    Args:
        state: The job's state.
        mode: Why this is not the live panel, if there is something to say.
    """
    parts = [f"<strong>{_text(state['headline'], 400)}</strong>", f"<div>{html.escape(_where(state['target']))}</div>"]
    parts += [f"<p>{_text(text, 1000)}</p>" for text in (state["detail"], state["note"]) if text]
    parts.append(_table((), ((_SIGNS[p["state"]], p["label"], _amount(p)) for p in state["phases"])))
    if state["failures_total"]:
        rows = [(visible(failure["path"]), failure["reason"], failure["remedy"]) for failure in state["failures"]]
        parts.append(f"<p>{files(state['failures_total'])} did not make it</p>")
        parts.append(_table(("File", "What happened", "What to do"), rows, 600, wide=True))
        if more := state["failures_total"] - len(rows):
            parts.append(f"<p>and {more:,} more in <code>job.receipt</code></p>")
    if state["session_id"]:
        parts.append(f"<div>Session <code>{_text(state['session_id'])}</code></div>")
    if mode:
        parts.append(f"<div><small>{_text(mode, 400)}</small></div>")
    return _box(parts)


def _amount(phase: PhaseProgress) -> str:
    if phase["state"] == "waiting" or not phase["files_total"]:
        return ""
    done = f"{phase['files_done']:,} of {files(phase['files_total'])}"
    return f"{done}, {size(phase['bytes_done'])} of {size(phase['bytes_total'])}" if phase["bytes_total"] else done


# --- uploader ---------------------------------------------------------------------------------------------------------


def uploader_text(state: UploaderState) -> str:
    """The uploader in plain text: its last job, or that there is none."""
    return job_text(state["job"]) if state["job"] else f"Uploader\n{_where(state['target'])}\n{_waiting(state)}"


def uploader_html(state: UploaderState) -> str:
    """The uploader as HTML."""
    if state["job"]:
        return job_html(state["job"])
    return _box(
        ["<strong>Uploader</strong>", f"<div>{html.escape(_where(state['target']))}</div>", _text(_waiting(state))]
    )


def _waiting(state: UploaderState) -> str:
    if state["files"]:
        return f"{files(state['files'])} chosen, not uploaded yet. Run the cell to use it."
    return "Nothing uploaded yet. Run the cell to use it."


# --- pieces ---------------------------------------------------------------------------------------------------------


def _where(target: Target) -> str:
    of = f" of {visible(target['organisation'])}" if target["organisation"] else ""
    return f"Workspace {visible(target['workspace'])}{of} at {visible(target['host'])}"


def _text(text: str, longest: int = 300) -> str:
    return html.escape(visible(text, longest))


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], longest: int = 300, *, wide: bool = False) -> str:
    head = "".join(f'<th style="{_CELL}">{_text(name)}</th>' for name in heads)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}"><bdi>{_text(cell, longest)}</bdi></td>' for cell in row) + "</tr>"
        for row in rows
    )
    head = f"<thead><tr>{head}</tr></thead>" if head else ""
    # Pages without a doctype give tables a colour and a font of their own.
    style = "border-collapse:collapse;color:inherit;font:inherit" + (";width:100%;table-layout:fixed" if wide else "")
    return f'<table style="{style}">{head}<tbody>{body}</tbody></table>'


def _box(parts: Iterable[str]) -> str:
    return f'<div style="{_BOX}">{"".join(parts)}</div>'
