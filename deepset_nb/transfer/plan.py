"""The plan: which files to send, and which hazards stand in the way. Nothing is sent here.

Every file found becomes a row of the receipt. What cannot be sent ends here, with reason and remedy: a hidden file,
an empty one, one over the bucket's limit, a sidecar without its file or that is not a JSON object, and the second of
two files that would take the same name in the session.
"""

from __future__ import annotations

import json
import os
import reprlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..client.filenames import stored_name
from ..errors import InputError, NothingToUpload, PathNotFound
from ..models import DeepsetCloudFile, utf8
from .receipt import Row, encode_meta

SIDECAR = ".meta.json"  # `report.pdf.meta.json` holds the metadata of `report.pdf`
BUCKET_LIMIT = 5 * 1024**3  # bytes of one object in a presigned form post (Amazon S3 documentation)
LONGEST_SHOWN = 100  # characters of a path that is none
PathLike = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Source:
    """A file found, before any judgement.

    Attributes:
        path: Where its bytes are.
        name: The base name it is to have.
        shown: The path as the user gave it.
    """

    path: Path
    name: str
    shown: str


def check_paths(paths: PathLike | Iterable[PathLike], *, recursive: bool = False) -> list[Path]:
    """The paths as a list, each of them there, and with at least one file below them.

    Cheap: it stops at the first file. So a typing error shows in the cell that made it, not in a job later.

    Raises:
        PathNotFound: A path does not exist.
        NothingToUpload: No path was given, or the folders hold no file.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    # Not Path.expanduser(), to which ~$report.docx is the home of an unknown user.
    checked = [Path(os.path.expanduser(path)) for path in given]  # noqa: PTH111
    if not checked:
        raise NothingToUpload("There is nothing to upload: the list of paths is empty.", "Name a file or a folder.")
    for path in checked:
        try:
            exists = path.exists()
        except OSError as error:  # no path at all, such as a text, or behind a folder one may not enter
            shown = str(path) if len(str(path)) <= LONGEST_SHOWN else f"{str(path)[:LONGEST_SHOWN]}..."
            raise InputError(
                f"{shown!r} cannot be looked at: {error.strerror}.", "Name a file or a folder that you may read."
            ) from None
        if not exists:
            raise PathNotFound(f"There is no file or folder {str(path)!r}.", _near(path))
        if not path.is_file() and not path.is_dir():
            raise InputError(f"{str(path)!r} is neither a file nor a folder.", "Name a file or a folder.")
    if next(find_sources(checked, recursive=recursive), None) is None:
        raise NothingToUpload(
            f"The folder {str(checked[0])!r} holds no files.",
            "Name another folder." if recursive else "If its files lie in subfolders, pass recursive=True.",
        )
    return checked


def _near(path: Path) -> str:
    """Where the path stops being true: the most useful thing to say about a typing error."""
    parent = next((parent for parent in path.parents if parent.exists()), None)
    if parent is None or str(parent) in (".", path.anchor):
        return f"Relative paths start at the notebook's folder, {Path.cwd().name!r} here."
    return f"{str(parent)!r} exists; check the name after it."


def find_sources(paths: Sequence[Path], *, recursive: bool = False) -> Iterator[Source]:
    """Every file of the paths, folders in name order; links to folders are not followed."""
    for path in paths:
        if path.is_dir():
            yield from _walk(path, recursive)
        else:
            yield Source(path, path.name, str(path))


def _walk(folder: Path, recursive: bool) -> Iterator[Source]:
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        yield Source(folder, folder.name, str(folder))  # one row, which says so
        return
    for entry in found:
        source = Source(Path(entry.path), entry.name, entry.path)
        if not entry.is_dir(follow_symlinks=False):
            yield source
        elif entry.name.startswith("."):
            yield source  # one row for the folder: it is named, not opened
        elif recursive:
            yield from _walk(source.path, recursive)


def plan_sources(sources: Iterable[Source], *, file_types: Iterable[str] | None = None) -> list[Row]:
    """Judge what was found: rows ready to send are ``pending``, the others have their outcome.

    Args:
        sources: Files to send; sidecars among them are paired with their files.
        file_types: Ends of names, such as ``.pdf``; other files are left out. A missing dot and case do not matter.

    Returns:
        One row per file, in the order given. A paired sidecar is part of its file's row.
    """
    # A file may be named twice, as in ["reports/", "reports/a.txt"].
    found = list({(source.path, source.shown): source for source in sources}.values())
    sidecars = {source.shown[: -len(SIDECAR)]: source for source in found if source.shown.endswith(SIDECAR)}
    files = {source.shown for source in found}
    ends = None if file_types is None else tuple(f".{end.strip().lstrip('.').lower()}" for end in file_types)
    rows: list[Row] = []
    taken: dict[str, Row] = {}
    for source in found:
        if source.shown.endswith(SIDECAR) and source.shown[: -len(SIDECAR)] in files:
            continue
        row = _row(source, ends)
        rows.append(row)
        if row.status == "pending" and (sidecar := sidecars.get(source.shown)):
            _pair(row, sidecar)
        if row.status == "pending":
            _claim(row, taken)
    return rows


def _row(source: Source, ends: tuple[str, ...] | None = None) -> Row:
    row = Row(source.shown, source.name, stored_name(source.name), 0, str(source.path))
    try:
        stat = source.path.stat()
        row.size, row.mtime_ns = stat.st_size, stat.st_mtime_ns
    except OSError as error:
        row.end("failed", f"It cannot be read: {error.strerror}.", "Check that it exists and that you may read it.")
        return row
    if source.name.startswith("."):
        row.end("skipped", "Hidden, left out.", "Name the file itself under another name if you want it uploaded.")
    elif source.name.endswith(SIDECAR):
        missing = source.name[: -len(SIDECAR)]
        row.end("skipped", f"Metadata without its file: there is no {missing!r} beside it.", "Add the file.")
    elif ends is not None and not source.name.lower().endswith(ends):
        row.end("skipped", f"Not of the desired types ({', '.join(ends)}).", "Add its type to desired_file_types.")
    elif source.path.is_dir() and not source.path.is_symlink():
        row.end("failed", "The folder cannot be opened.", "Check that you may read it.")
    elif not source.path.is_file():
        row.end("skipped", "Not a regular file, left out.", "Copy what it points to and upload the copy.")
    elif row.size == 0:
        row.end("failed", "The file is empty; the platform refuses empty files.", "Fill it or leave it out.")
    elif row.size > BUCKET_LIMIT:
        row.end("failed", "Larger than 5 GiB, the most the bucket takes for one file.", "Split it.")
    elif not os.access(source.path, os.R_OK):
        row.end("failed", "You may not read this file.", "Change its permissions.")
    return row


def _pair(row: Row, sidecar: Source) -> None:
    row.meta = str(sidecar.path)  # also of one that cannot be read: another try looks at it again
    remedy = 'Write a JSON object, such as {"topic": "news"}, or remove the sidecar.'
    try:
        meta = json.loads(sidecar.path.read_bytes())
    except json.JSONDecodeError as error:
        row.end("failed", f"Its metadata {sidecar.name!r} is not JSON: {error.msg} (line {error.lineno}).", remedy)
    except (OSError, UnicodeDecodeError) as error:
        row.end("failed", f"Its metadata {sidecar.name!r} cannot be read: {error}.", remedy)
    else:
        if not isinstance(meta, dict):
            kind = type(meta).__name__
            row.end("failed", f"Its metadata {sidecar.name!r} is a {kind}, not a JSON object.", remedy)


def _claim(row: Row, taken: dict[str, Row]) -> None:
    """A name is a file's identity within a session: the second of that name would silently replace the first."""
    other = taken.setdefault(row.stored_name, row)
    if other is not row:
        row.end(
            "failed",
            f"{other.path!r} already goes up as {row.stored_name!r}; one would replace the other.",
            "Rename one of the two, or upload their folders one after the other.",
        )


def refuse_sidecar_names(rows: Iterable[Row]) -> None:
    """End documents whose names a session reserves: it would take them as metadata of other files."""
    for row in rows:
        if row.status == "pending" and row.name.endswith(SIDECAR):
            row.end(
                "failed",
                f"In an upload session the name {row.name!r} means the metadata of {row.name[: -len(SIDECAR)]!r}.",
                "Rename it, or upload it in a call with few documents: up to 20 go without a session.",
            )


def replan(rows: Iterable[Row]) -> list[Row]:
    """Judge rows afresh for another try: files on disk may have been repaired, texts in memory have not changed."""
    sources: list[Source] = []
    fresh: list[Row] = []
    for row in rows:
        if isinstance(row.source, bytes):
            fresh.append(Row(row.path, row.name, row.stored_name, row.size, row.source, row.meta))
            continue
        sources.append(Source(Path(row.source), row.name, row.path))
        sidecar = row.source + SIDECAR if row.meta is None else row.meta
        if isinstance(sidecar, str) and Path(sidecar).exists():
            sources.append(Source(Path(sidecar), row.name + SIDECAR, row.path + SIDECAR))
    return [*fresh, *plan_sources(sources)]


def text_document(file: DeepsetCloudFile) -> tuple[str, bytes, dict[str, Any] | None]:
    """A text as `plan_texts` takes it.

    Raises:
        InputError: It is something else, or cannot be written as UTF-8.
    """
    if not isinstance(file, DeepsetCloudFile) or not isinstance(file.text, str) or not isinstance(file.name, str):
        raise InputError(
            f"{reprlib.repr(file)} is not a text with a name.",
            "Give a dict of names and texts, or a list of DeepsetCloudFile(text, name, meta).",
        )
    return file.name, utf8(file.name, file.text), file.meta


def plan_texts(texts: Iterable[tuple[str, bytes, dict[str, Any] | None]]) -> list[Row]:
    """Rows of documents made in memory: (name, content, metadata)."""
    rows: list[Row] = []
    taken: dict[str, str] = {}
    for number, (name, content, meta) in enumerate(texts, 1):
        row = Row(name, name, stored_name(name), len(content), content)
        rows.append(row)
        if not content:
            row.end("failed", "The text is empty; the platform refuses empty files.", "Fill it or leave it out.")
        elif meta:
            try:
                row.meta = encode_meta(meta)
            except (TypeError, ValueError) as error:
                row.end("failed", f"Its metadata is not JSON: {error}.", "Use text, numbers, booleans, lists.")
        if row.status == "pending":
            other = taken.setdefault(row.stored_name, f"text {number}")
            if other != f"text {number}":
                reason = f"{other} of the list is already called {row.stored_name!r}; one would replace the other."
                row.end("failed", reason, "Give each text a name of its own.")
    return rows
