"""The forms without a kernel: what GitHub, nbconvert and a terminal show of a job or a table.

Pure functions from states to text. The HTML has no scripts and no colours of its own, so that it is readable on any
background; everything from a server or a file name is escaped.
"""

from __future__ import annotations

import html
import re
from collections.abc import Container, Iterable, Sequence

from ..i18n import ENGLISH, Translator
from ..transfer.progress import JobState, PhaseProgress, Target
from ..transfer.receipt_page import ReceiptRow
from .messages import is_running
from .upload_messages import UploaderState

# Controls, and the characters that reorder or hide their neighbours ("invoice\u202efdp.exe").
_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_LONGEST = 160
SHOWN_ROWS = 20  # of a receipt in a saved notebook; the receipt has them all
SHOWN_WORDS = 1_200
_SIGNS = {"done": "✓", "active": "…", "waiting": "·", "failed": "✗"}

_BOX = (
    "border:1px solid color-mix(in srgb,currentColor 25%,transparent);border-radius:4px;padding:10px 14px;"
    "max-width:960px;overflow-wrap:break-word;font-family:system-ui,sans-serif;font-variant-numeric:tabular-nums"
)
_CELL = "text-align:left;vertical-align:top;padding:2px 16px 2px 0;overflow-wrap:break-word"
_LONG_CELL = _CELL.replace("break-word", "anywhere")  # a column of words is as wide as the longest of them
_ROW = "background:none"  # JupyterLab stripes every table; of three lines that looks like emphasis
_LONG_WORD = re.compile(r"[^\s-]{13}")  # not an id, which lines break at its hyphens
SIZES = {1}  # the column of sizes, where there is one


def visible(text: str, longest: int = _LONGEST) -> str:
    """Controls spelled out, and the middle of very long names left out."""
    if len(text) > longest:
        half = (longest - 1) // 2
        text = f"{text[:half]}…{text[-half:]}"
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def size(number: float, tr: Translator = ENGLISH) -> str:
    """Bytes in decimal units, as the platform's limits count."""
    return tr.size(number)


def files(count: int, tr: Translator = ENGLISH) -> str:
    """``1 file``, ``1,204 files``."""
    return tr.plural(count, "{count} file", "{count} files")


def elapsed(seconds: float) -> str:
    """``0:07``, ``12:30``, ``1:02:03``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


# --- jobs -----------------------------------------------------------------------------------------------------------


def job_text(state: JobState, tr: Translator = ENGLISH) -> str:
    """A job in plain text: headline, phases, failures."""
    lines = [visible(state["headline"], 400), _where(state["target"], tr)]
    lines += [visible(text, SHOWN_WORDS) for text in (state["detail"], state["note"]) if text]
    lines += [
        f"  {_SIGNS[phase['state']]} {_label(phase, tr):<10} {_amount(phase, tr)}".rstrip() for phase in state["phases"]
    ]
    lines.append(f"  {_facts(state, tr)}")
    for failure in state["failures"]:
        lines.append(
            f"  {visible(failure['path'])}: {visible(failure['reason'], 600)} {visible(failure['remedy'], 600)}"
        )
    if more := state["failures_total"] - len(state["failures"]):
        lines.append("  " + tr("and {count} more in {code}", count=more, code="job.receipt"))
    return "\n".join(lines)


def job_line(state: JobState, tr: Translator = ENGLISH) -> str:
    """A job in one line."""
    return f"{visible(state['headline'], 400)} ({_where(state['target'], tr)})"


def job_progress(state: JobState, tr: Translator = ENGLISH) -> str:
    """How far a job is, in one line for a terminal."""
    active = next((_amount(phase, tr) for phase in state["phases"] if phase["state"] == "active"), "")
    parts = [visible(state["headline"], 400), active.partition(", ")[2], _facts(state, tr), visible(state["detail"])]
    return " · ".join(part for part in parts if part)


def job_html(state: JobState, mode: str = "", rows: Sequence[ReceiptRow] = (), tr: Translator = ENGLISH) -> str:
    """A job as HTML.

    Args:
        state: The job's state, in the reader's language.
        mode: Why this is not the live panel, if there is something to say.
        rows: The first rows of its receipt, once it has ended.
        tr: Says the rest.
    """
    where = html.escape(_where(state["target"], tr))
    parts = [f"<strong>{_text(state['headline'], 400)}</strong>", f"<div>{where}</div>"]
    parts += [f"<p>{_text(text, SHOWN_WORDS)}</p>" for text in (state["detail"], state["note"]) if text]
    parts.append(_table((), ((_SIGNS[p["state"]], _label(p, tr), _amount(p, tr)) for p in state["phases"])))
    parts.append(f"<p>{_text(_facts(state, tr))}</p>")
    if total := state["failures_total"]:
        failures = [(visible(failure["path"]), failure["reason"], failure["remedy"]) for failure in state["failures"]]
        said = tr.plural(total, "{count} file did not make it", "{count} files did not make it")
        parts.append(f"<p>{_text(said)}</p>")
        heads = (tr("File"), tr("What happened"), tr("What to do"))
        parts.append(_table(heads, failures, 600, wide=True))
        parts += _and_more(total - len(failures), tr)
    if rows:
        shown = [(visible(row["path"]), size(row["size"], tr), outcome(row["status"], tr)) for row in rows]
        parts.append(_table((tr("File"), tr("Size"), tr("Outcome")), shown, numbers=SIZES))
        parts += _and_more(state["counts"]["total"] - len(rows), tr)
    if state["session_id"]:
        parts.append(f"<p>{_text(tr('Session'))} <code>{_text(state['session_id'])}</code></p>")
    if mode:
        parts.append(f"<div><small>{_text(mode, 400)}</small></div>")
    return _box(parts)


def outcome(status: str, tr: Translator = ENGLISH) -> str:
    """A receipt's status in words."""
    words = {
        "pending": tr("under way"),
        "ok": tr("ok"),
        "failed": tr("failed"),
        "skipped": tr("left out"),
        "unaccounted": tr("unaccounted"),
        "cancelled": tr("cancelled"),
    }
    return words.get(status, status)


def _label(phase: PhaseProgress, tr: Translator) -> str:
    words = {
        "Planning": tr("Planning"),
        "Sending": tr("Sending"),
        "Ingesting": tr("Ingesting"),
        "Listing": tr("Listing"),
        "Fetching": tr("Fetching"),
    }
    return words.get(phase["label"], phase["label"])


def _amount(phase: PhaseProgress, tr: Translator) -> str:
    if phase["state"] == "waiting" or not phase["files_total"]:
        return ""
    number = tr.number(phase["files_done"])
    done = tr.plural(phase["files_total"], "{done} of {count} file", "{done} of {count} files", done=number)
    if not phase["bytes_total"]:
        return done
    bytes_done, bytes_total = tr.size(phase["bytes_done"]), tr.size(phase["bytes_total"])
    return f"{done}, {tr('{done} of {total}', done=bytes_done, total=bytes_total)}"


def _facts(state: JobState, tr: Translator) -> str:
    time = elapsed(state["elapsed_s"])
    facts = [tr("Running for {time}", time=time) if is_running(state) else tr("Took {time}", time=time)]
    if state["speed_bps"]:
        facts.append(f"{tr.size(state['speed_bps'])}/s")
    if state["eta_s"] is not None:
        facts.append(tr("about {time} left", time=_about(state["eta_s"])))
    return ", ".join(facts)


def _about(seconds: int) -> str:
    size, unit = (1, "s") if seconds < 90 else (60, "min") if seconds < 5400 else (3600, "h")
    return f"{round(seconds / size)} {unit}"


def _and_more(count: int, tr: Translator, code: str = "job.receipt") -> list[str]:
    if count <= 0:
        return []
    said = _text(tr("and {count} more in {code}", count=count))
    return [f"<p>{said.replace('{code}', f'<code>{_text(code, 600)}</code>')}</p>"]


# --- uploader ---------------------------------------------------------------------------------------------------------


def uploader_text(state: UploaderState, tr: Translator = ENGLISH) -> str:
    """The uploader in plain text: its last job, or that there is none."""
    if state["job"]:
        return job_text(state["job"], tr)
    return f"{tr('Uploader')}\n{_where(state['target'], tr)}\n{_waiting(state, tr)}"


def uploader_html(state: UploaderState, tr: Translator = ENGLISH) -> str:
    """The uploader as HTML."""
    if state["job"]:
        return job_html(state["job"], tr=tr)
    where = f"<div>{html.escape(_where(state['target'], tr))}</div>"
    return _box([f"<strong>{_text(tr('Uploader'))}</strong>", where, _text(_waiting(state, tr))])


def _waiting(state: UploaderState, tr: Translator) -> str:
    if state["files"]:
        return tr.plural(
            state["files"],
            "{count} file chosen, not uploaded yet. Run the cell to use it.",
            "{count} files chosen, not uploaded yet. Run the cell to use it.",
        )
    return tr("Nothing uploaded yet. Run the cell to use it.")


# --- pieces ---------------------------------------------------------------------------------------------------------


def _where(target: Target, tr: Translator) -> str:
    workspace, host = visible(target["workspace"]), visible(target["host"])
    if target["organisation"]:
        of = visible(target["organisation"])
        return tr("Workspace {workspace} of {organisation} at {host}", workspace=workspace, organisation=of, host=host)
    return tr("Workspace {workspace} at {host}", workspace=workspace, host=host)


def _text(text: str, longest: int = 300) -> str:
    return html.escape(visible(text, longest))


def _table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    longest: int = 300,
    *,
    wide: bool = False,
    numbers: Container[int] = (),
) -> str:
    def cell_style(column: int, cell: str) -> str:
        return (_LONG_CELL if _LONG_WORD.search(cell) else _CELL) + (";text-align:right" if column in numbers else "")

    head = "".join(f'<th style="{cell_style(column, "")}">{_text(name)}</th>' for column, name in enumerate(heads))
    body = "".join(
        f'<tr style="{_ROW}">'
        + "".join(
            f'<td style="{cell_style(column, cell)}"><bdi>{_text(cell, longest)}</bdi></td>'
            for column, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    head = f"<thead><tr>{head}</tr></thead>" if head else ""
    # Pages without a doctype give tables a colour and a font of their own.
    style = "border-collapse:collapse;color:inherit;font:inherit" + (";width:100%;table-layout:fixed" if wide else "")
    return f'<table style="{style}">{head}<tbody>{body}</tbody></table>'


def _box(parts: Iterable[str]) -> str:
    return f'<div style="{_BOX}">{"".join(parts)}</div>'
