"""From a URL to the files below it: what `sources` does for folders, with fsspec."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any

from ..client.addresses import name_of, parts_of, shown
from ..client.places import as_os_error, ask_afresh, file_system, remote_stat
from .hazards import SIDECAR, file_row, refuse, unreadable_row
from .receipt import Row

AS_TEXT = "A Path cannot hold an address: name it as a text, in quotes."
NAME_IT = "Give it one: ws.upload(pd.DataFrame({'path': [address], 'name': ['page.html']}))."
_WORD = re.compile(r"[A-Za-z0-9+.\-]+")


def remote_files(url: str, *, recursive: bool, has_pattern: bool) -> Iterator[tuple[Row, str]]:
    """Each file below a URL, in name order, with its path relative to the folder named.

    Args:
        url: A file, a folder, or a glob.
        recursive: Also what lies in subfolders.
        has_pattern: It is a glob.

    Raises:
        OSError: It cannot be looked at.
    """
    ask_afresh([url])
    system, path = file_system(url)
    with as_os_error():
        file = system.info(path) if not has_pattern and system.isfile(path) else None
        files = [] if file else _listing(system, path, recursive=recursive, has_pattern=has_pattern)
        if not file and not files and not has_pattern:
            system.info(path)  # says why, where that is not that it is empty
    if file:
        yield _file(system, url, name_of(url), path, file), name_of(url)
    elif not files:
        yield _nothing(url, recursive=recursive, has_pattern=has_pattern), ""
    root = _root(path) if has_pattern else f"{path.rstrip('/')}/" if path else ""
    for found, info in files:
        below = found[len(root) :] if found.startswith(root) else posixpath.basename(found)
        address = _address(url, found, below, has_pattern=has_pattern)
        # A store lists the names of its files, a page on the web their addresses.
        name = name_of(address) if "://" in found else posixpath.basename(below)
        yield _file(system, address, name, found, info), below


def refused(source: str, name: str, error: OSError) -> Row:
    """The row of a URL, or of a path named beside URLs, that cannot be looked at."""
    return unreadable_row(shown(source), name or shown(source), source, error)


def _listing(system: Any, path: str, *, recursive: bool, has_pattern: bool) -> list[tuple[str, dict[str, Any]]]:
    if has_pattern:
        found = system.glob(path, detail=True)
        if not path.endswith("*"):  # else the metadata of what it finds is among it
            found = {**found, **system.glob(path + SIDECAR, detail=True)}
    else:
        found = system.find(path, maxdepth=None if recursive else 1, detail=True)
    return [(name, info) for name, info in sorted(found.items()) if info.get("type") != "directory"]


def _file(system: Any, url: str, name: str, path: str, info: dict[str, Any]) -> Row:
    if not name:
        row = Row(shown(url), shown(url), shown(url), 0, url)
        refuse(row, "unreadable", "Its address ends without a name.", NAME_IT)
        return row
    try:
        if info.get("size") is None:  # a page on the web lists none
            with as_os_error():
                info = system.info(path)
        return file_row(shown(url), name, url, remote_stat(info))
    except OSError as error:
        return refused(url, name, error)


def _nothing(url: str, *, recursive: bool, has_pattern: bool) -> Row:
    name = name_of(url) or shown(url)
    row = Row(shown(url), name, name, 0, url)
    if has_pattern:
        remedy = "* stands for any part of one name, ** for folders of any depth."
        refuse(row, "unreadable", "No file matches the pattern.", remedy)
    else:
        remedy = "Name another folder." if recursive else "If its files lie in subfolders, pass recursive=True."
        refuse(row, "unreadable", "The folder holds no files.", remedy)
    return row


def _root(pattern: str) -> str:
    """What comes before the name with the first wildcard."""
    first = min(place for sign in "*[" if (place := pattern.find(sign)) >= 0)
    return pattern[: pattern.rfind("/", 0, first) + 1]


def _address(url: str, found: str, below: str, *, has_pattern: bool) -> str:
    """The URL of a file that was found below another one: with its host and account, and with what it is chained to."""
    caches, link, chain = parts_of(url)
    if "://" in found:
        return f"{caches}{found}{chain}"
    if "://" in link:
        kind, sign, folder = link.partition("://")
    else:  # a word stands for the root of its kind, all else for a path
        kind, sign, folder = (link, "://", "") if _WORD.fullmatch(link) else ("", "", link)
    if has_pattern:
        folder = _root(folder)
    elif folder and not folder.endswith("/"):
        folder += "/"
    return f"{caches}{kind}{sign}{folder}{below}{chain}"
