"""Before a notebook is handed on: which of its cells hold a key, a presigned form, a home folder or a name."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from . import connect, frames, settings
from .errors import InputError, PathNotFound
from .traces import MASK, Kind, Known, find, masked

if TYPE_CHECKING:
    import pandas as pd

MOST_BYTES = 256 * 2**20
BEFORE, AFTER = 32, 16  # characters of an excerpt around what is hidden

_THEN: dict[Kind, str] = {
    "API key": "If the notebook has been shared, make a new key on the platform and revoke this one.",
    "presigned field": "Close its upload session, which ends its use: ws.close_upload_session(session_id).",
    "home folder": "Give paths relative to the notebook.",
    "e-mail address": "Ask its owner before you share it.",
    "user name": "It is the name of your account on this machine.",
}
_WHERE = {
    "source": "Take it out of the cell; dn.login() asks for a key without writing it down.",
    "output": "Clear this cell's output.",
    "attachment": "Remove the attachment from the cell.",
    "widget state": "Switch off Settings > Save Widget State Automatically, run the notebook again, and save it.",
    "metadata": "Remove the entry from the notebook's metadata.",
    "file": "Open the file in a text editor and search for the key.",
}
_BINARY = ("image/", "audio/", "video/", "application/pdf")
_TELLING = re.compile(r"(?i)key|token|amz|policy|signature|authori")  # names that say what their value is


class Place(NamedTuple):
    """Where in a notebook a text is; cells count from 1, 0 is the notebook itself."""

    cell: int
    where: str


def check_notebook(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Look for what should not be handed on with a notebook; an empty frame means nothing was found.

    It searches sources, outputs, metadata and saved widget state for the keys that this machine knows (from
    ``dn.login()``, the environment, ``.env`` files, sandboxes), for what looks like a key of the platform, for fields
    of presigned forms, all of them also as base64, and for home folders, e-mail addresses and your user name. It reads
    text: what only a picture shows it cannot see.

    Example:
        >>> import deepset_nb as dn
        >>> dn.check_notebook("lesson.ipynb")  # doctest: +SKIP

    Args:
        path: An ``.ipynb`` file.

    Returns:
        One row per finding: ``cell`` (Int64, counted from 1, missing for the notebook itself), ``where`` (source,
        output, attachment, widget state, metadata or file), ``kind`` (API key, presigned field, home folder, e-mail
        address or user name), ``excerpt`` (what is around it, itself hidden as ``***``) and ``remedy`` (string).

    Raises:
        PathNotFound: There is no such file.
        InputError: It cannot be read, is no notebook, or is larger than 256 MiB.
    """
    file = Path(path).expanduser()
    text = _read(file)
    notebook = _parse(text, file)
    known = Known([*_keys(file.parent)])
    findings = list(dict.fromkeys(_findings(notebook, known)))
    # What a parsed notebook does not show, such as a name given twice, is still in the file.
    if not any(kind == "API key" for _, kind, _ in findings) and known.has_key(text):
        findings.append((Place(0, "file"), "API key", "outside of the cells"))
    return frames.findings(
        {
            "cell": place.cell or None,
            "where": place.where,
            "kind": kind,
            "excerpt": excerpt,
            "remedy": f"{_WHERE[place.where]} {_THEN[kind]}",
        }
        for place, kind, excerpt in findings
    )


def _keys(folder: Path) -> Iterator[str]:
    for secret in settings.known_keys(folder / ".env"):
        yield secret.reveal()
    yield from connect.sandbox_keys()


def _read(file: Path) -> str:
    try:
        if file.is_dir():
            raise InputError(f"{file.name} is a folder.", "Give the path of one notebook, such as lesson.ipynb.")
        if (size := file.stat().st_size) > MOST_BYTES:
            raise InputError(
                f"{file.name} has {size / 2**20:,.0f} MiB, more than the {MOST_BYTES // 2**20} MiB that are checked.",
                "Clear its outputs, save it, and check it again.",
            )
        return file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise PathNotFound(f"There is no file {file.name}.", "Check the path.") from None
    except UnicodeDecodeError:
        raise InputError(f"{file.name} is not UTF-8 text.", "Give the path of an .ipynb file.") from None
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or "its path is not one"
        raise InputError(f"{file.name} cannot be read: {reason}.", "Check its permissions.") from None


def _parse(text: str, file: Path) -> dict[str, Any]:
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError):  # cut off, nested without end, or something else altogether
        notebook = None
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells", notebook.get("worksheets")), list):
        raise InputError(f"{file.name} is no Jupyter notebook.", "Give the path of an .ipynb file.")
    return notebook


def _findings(notebook: dict[str, Any], known: Known) -> Iterator[tuple[Place, Kind, str]]:
    for place, text in _texts(notebook):
        traces = find(text, known)
        hidden = masked(text, traces)
        shift = 0
        for trace in traces:
            yield place, trace.kind, _excerpt(hidden, trace.start + shift)
            shift += len(MASK) - (trace.end - trace.start)


def _excerpt(hidden: str, at: int) -> str:
    """A little of what is around the hidden part, of its own line, without characters that do things."""
    before = hidden[max(0, at - BEFORE) : at].rpartition("\n")[2]
    after = hidden[at : at + len(MASK) + AFTER].partition("\n")[0]
    return "".join(character if character.isprintable() else "·" for character in before + after)


# --- all texts of a notebook ------------------------------------------------------------------------------------------


def _texts(notebook: dict[str, Any]) -> Iterator[tuple[Place, str]]:
    sheets = notebook.get("worksheets")  # nbformat 3
    older = [cell for sheet in sheets or () if isinstance(sheet, dict) for cell in sheet.get("cells", ())]
    cells = notebook.get("cells", older)
    for number, cell in enumerate(cells, 1):
        for name, value in (cell if isinstance(cell, dict) else {"source": cell}).items():
            yield from _under(Place(number, _where(name)), value)
    for name, value in notebook.items():
        if name in ("cells", "worksheets"):
            continue
        metadata = dict(value) if isinstance(value, dict) else {"": value}
        yield from _under(Place(0, "widget state"), metadata.pop("widgets", None))
        yield from _under(Place(0, "metadata"), {name: metadata})


def _where(name: str) -> str:
    named = {"source": "source", "input": "source", "outputs": "output", "attachments": "attachment"}
    return named.get(name, "metadata")


def _under(place: Place, value: Any) -> Iterator[tuple[Place, str]]:
    """Every string below a value, and the names beside them; lines that were split are joined."""
    waiting = [("", value)]
    names: set[str] = set()
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += reversed(value.items())
            names.update(value)
        elif isinstance(value, list):
            if value and all(isinstance(line, str) for line in value):
                waiting.append((name, "".join(value)))
            else:
                waiting += [(name, one) for one in reversed(value)]
        elif isinstance(value, str):
            if name.startswith(_BINARY):
                value = "".join(value.split())  # base64 in lines
            yield place, f'"{name}": "{value}"' if _TELLING.search(name) else value
    for name in sorted(names):
        yield place, name
