"""From a URL to the files below it: what `sources` does for folders, with fsspec."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from ..client.places import file_system, remote_stat, shown
from .hazards import file_row, unreadable_row
from .receipt import Row

NOT_READABLE = "Check the address, and that your credentials let you read it."


def remote_files(url: str, *, recursive: bool, has_pattern: bool) -> Iterator[tuple[Row, str]]:
    """Each file below a URL, in name order, with its path relative to the folder named.

    Args:
        url: A file, a folder, or a glob.
        recursive: Also what lies in subfolders.
        has_pattern: It is a glob.
    """
    system, path = file_system(url)
    if not has_pattern and system.isfile(path):
        name = _name(path)
        yield _row(url, name, system.info(path)), name
        return
    root = _root(path) if has_pattern else path
    for found, info in sorted(_listing(system, path, recursive=recursive, has_pattern=has_pattern).items()):
        if info.get("type") != "directory":
            below = found[len(root) :].lstrip("/") if found.startswith(root) else posixpath.basename(found)
            yield _row(_address(url, found), _name(found), info), below


def _listing(system: Any, path: str, *, recursive: bool, has_pattern: bool) -> dict[str, dict[str, Any]]:
    if has_pattern:
        return dict(system.glob(path, detail=True))
    return dict(system.find(path, maxdepth=None if recursive else 1, detail=True))


def _row(url: str, name: str, info: dict[str, Any]) -> Row:
    try:
        row = file_row(shown(url), name, url, remote_stat(info))
    except OSError as error:
        row = unreadable_row(shown(url), name, url, error)
        row.remedy = NOT_READABLE
    return row


def _root(pattern: str) -> str:
    """The folder before the first wildcard."""
    parts = pattern.split("/")
    first = next(place for place, part in enumerate(parts) if any(sign in part for sign in "*?["))
    return "/".join(parts[:first])


def _name(path: str) -> str:
    if path.startswith(("http://", "https://")):
        path = unquote(urlsplit(path).path)
    return posixpath.basename(path.rstrip("/"))


def _address(url: str, found: str) -> str:
    """The URL of a file that was found below another one, with what that one is chained to."""
    first, chain, rest = url.partition("::")
    scheme, sign, _ = first.partition("://")
    bare = found.split("://", 1)[-1]
    return f"{scheme}{sign}{bare}{chain}{rest}"
