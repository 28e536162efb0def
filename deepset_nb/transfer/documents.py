"""Documents named one by one in a DataFrame: texts or files with their metadata, or a plan that somebody edited.

A frame says exactly what goes. So no rule of folders applies (a hidden file that is named goes up), and in a plan the
column ``meta`` is all the metadata of its file, whatever lies beside it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..client.addresses import is_from_path, is_remote, name_of, shown
from ..client.places import ask_afresh, stat_of
from ..errors import InputError, MissingExtra
from ..models import utf8
from .hazards import file_row, leave_out, refuse
from .meta import MetaSource, Told, sidecar_of
from .meta_values import Unusable
from .receipt import Row
from .remote_sources import AS_TEXT, refused

if TYPE_CHECKING:
    import pandas as pd

ACTIONS = ("send", "skip", "refuse")
_DECIDED_AGAIN = ("unchanged", "resumed")  # what was said of the platform's side is asked anew
_LEFT_OUT = ("hidden", "excluded", "orphan", "not_a_file", "unmatched_meta", "left_out")
_OF_A_PLAN = ("action", "state", "reason", "remedy")
_FORMS = "Give it the columns name and text, or path, and meta if you like; or what ws.plan() returned."

LeftOut = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Document:
    """One row of the caller's frame.

    Attributes:
        name: Base name it is to have.
        path: Where its bytes are, maybe a URL, unless there is a ``content``.
        content: Its text, made in memory.
        meta: Its metadata.
        is_whole: Whether ``meta`` is all there is, or goes over what lies beside the file.
        left_out: State, reason and remedy of a row that is not to be sent.
    """

    name: str
    path: str = field(default="", repr=False)  # a URL may be signed
    content: bytes | None = None
    meta: MetaSource | None = None
    is_whole: bool = False
    left_out: LeftOut | None = None


def text_row(name: str, content: bytes, told: Told | None) -> Row:
    """A document made in memory."""
    row = Row(name, name, name, len(content), content, told=told)
    if not content:
        refuse(row, "empty", "The text is empty; the platform refuses empty files.", "Fill it or leave it out.")
    return row


def document_rows(documents: tuple[Document, ...], told: Told | None) -> Iterator[Row]:
    """Look at each of them afresh: files may have changed since they were planned."""
    common: tuple[MetaSource, ...] = told.layers if told else ()
    ask_afresh(document.path for document in documents)
    for document in documents:
        layers = common if document.meta is None else (document.meta, *common)
        own = Told(layers, beside=not document.is_whole)
        name, path = document.name, document.path
        if document.left_out is not None:
            row = Row(shown(path) or name, name, name, 0, path)
            leave_out(row, *document.left_out)
        elif document.content is not None:
            row = text_row(name, document.content, own)
        else:
            row = _look(path, name)
            row.told = own
            if own.beside and row.status == "pending":
                row.meta = sidecar_of(path)
        yield row


def _look(path: str, name: str) -> Row:
    try:
        return file_row(shown(path), name, path, stat_of(path))
    except OSError as error:
        return refused(path, name, error)
    except MissingExtra as error:
        row = Row(shown(path), name, name, 0, path)
        refuse(row, "unreadable", error.message, error.remedy)
        return row


# --- reading a frame --------------------------------------------------------------------------------------------------


def read_frame(frame: pd.DataFrame) -> tuple[Document, ...]:
    """The documents a DataFrame names.

    Raises:
        InputError: Columns are missing, or a row names nothing; says which.
    """
    if "path" not in frame.columns and not {"name", "text"} <= set(frame.columns):
        raise InputError(f"The frame has the columns {_named(frame.columns)}, none that names a document.", _FORMS)
    cells = {column: _cells(frame, column) for column in ("path", "name", "text", "meta", *_OF_A_PLAN)}
    is_plan = set(_OF_A_PLAN) <= set(frame.columns)
    documents = []
    for number, values in enumerate(zip(*cells.values(), strict=True)):
        cell = dict(zip(cells, values, strict=True))
        try:
            documents.append(_document(cell, is_plan))
        except InputError as error:
            raise InputError(f"Row {number:,} of the frame: {error.message}", error.remedy) from None
    return tuple(documents)


def _cells(frame: pd.DataFrame, column: str) -> list[Any]:
    """A column as a list, None where it has no value."""
    if column not in frame.columns:
        return [None] * len(frame)
    if not hasattr(values := frame[column], "tolist"):
        raise InputError(f"The frame has several columns {column!r}.", _FORMS)
    return [None if missing else value for value, missing in zip(values.tolist(), values.isna().tolist(), strict=True)]


def _named(columns: Any) -> str:
    shown = [str(column) for column in columns[:8]]
    return ", ".join(shown) + (", ..." if len(columns) > len(shown) else "") or "(none)"


def _document(cell: dict[str, Any], is_plan: bool) -> Document:
    path, name, text, meta = cell["path"], cell["name"], cell["text"], cell["meta"]
    if isinstance(path, os.PathLike):
        path = os.fspath(path)
    for column, value in (("path", path), ("name", name), ("text", text)):
        if value is not None and not isinstance(value, str):
            raise InputError(f"its {column} is a {type(value).__name__}.", f"Make it a text. {_FORMS}")
    if meta is not None and not isinstance(meta, Mapping):
        raise InputError(f"its meta is a {type(meta).__name__}.", "Make it a dict, or leave it empty.")
    left_out = _left_out(cell) if is_plan else None
    if path and is_remote(path.strip()):
        path = path.strip()
        name = name or name_of(path)
    elif path:
        if is_from_path(path) and not os.path.lexists(path):
            raise InputError("its path is an address that was made a Path.", AS_TEXT)
        path = os.path.expanduser(path)  # noqa: PTH111
        name = name or os.path.basename(path)  # noqa: PTH119
    if left_out is not None:
        return Document(name or "", path or "", left_out=left_out)
    if not name:
        raise InputError("it has no name.", "Give it one.")
    if text is None and not path:
        raise InputError(
            f"{name!r} has neither a text nor a path.",
            "A plan does not hold the texts of documents made in memory: put them into a column 'text'.",
        )
    if is_plan and meta is None and cell["state"] == "bad_meta":
        # What was wrong is not in the frame: without new metadata it would go up with none.
        meta = _refusing(cell["reason"] or "Its metadata was refused.", "Set its meta, or plan again.")
    return Document(name, path or "", None if text is None else utf8(name, text), meta, is_plan)


def _left_out(cell: dict[str, Any]) -> LeftOut | None:
    """Why a row of a plan is not sent; None if it is to be judged again."""
    action, state = cell["action"], cell["state"] or "new"
    if action not in ACTIONS:
        raise InputError(f"its action is {action!r}.", f"Use one of {', '.join(ACTIONS)}.")
    if action != "skip" or state in _DECIDED_AGAIN:
        return None
    if state in _LEFT_OUT:
        return state, cell["reason"] or "Left out.", cell["remedy"] or "Plan again."
    return "left_out", "Left out of the plan by hand.", 'Set its action to "send" if you want it.'


def _refusing(reason: str, remedy: str) -> Callable[[object], None]:
    def refuse_again(_: object) -> None:
        raise Unusable(reason, remedy)

    return refuse_again
