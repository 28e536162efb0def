"""From what the user named to the files that are there: one pass over the folders, and no file opened.

Links to folders are not followed, so there are no loops. What a rule leaves out is still a row; a folder that is left
out is one row, and is not opened.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from pathspec import GitIgnoreSpec

from ..client.addresses import is_remote, name_of
from .hazards import SIDECAR, file_row, leave_out, unreadable_row
from .meta import sidecar_of
from .receipt import Row
from .remote_sources import refused, remote_files

VERSION_CONTROL = frozenset({".git", ".hg", ".svn", ".bzr", ".jj", "_darcs"})
CACHES = frozenset({"__pycache__", ".ipynb_checkpoints"})

_by_name: Callable[[os.DirEntry[str]], str] = attrgetter("name")
_is_junction: Callable[[os.DirEntry[str]], bool] = getattr(os.DirEntry, "is_junction", lambda _: False)  # Python 3.12


@dataclass(frozen=True, slots=True)
class Root:
    """One path as it was named.

    Attributes:
        path: A file or a folder, or a URL.
        pattern: Of a glob: what a file must match, relative to the folder.
        depth: Of a glob without ``**``: how many folders deep its files lie; None means any depth.
        is_glob: Of a URL: whether it has wildcards.
    """

    path: str = field(repr=False)  # a URL may be signed
    pattern: GitIgnoreSpec | None = None
    depth: int | None = None
    is_glob: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """What of the files found is wanted.

    Attributes:
        recursive: Also what lies in subfolders.
        hidden: Also names that start with a dot, and caches; never the folders of version control.
        include: What a file must match, as in ``.gitignore``, relative to the folder named.
        exclude: What neither a file nor a folder may match.
        endings: One of these must end a file's name; lower case.
    """

    recursive: bool = False
    hidden: bool = False
    include: GitIgnoreSpec | None = None
    exclude: GitIgnoreSpec | None = None
    endings: tuple[str, ...] | None = None

    @property
    def are_plain(self) -> bool:
        """Whether only dots and caches are looked for."""
        return self.include is None and self.exclude is None and self.endings is None


def find(roots: Sequence[Root], rules: Rules) -> Iterator[Row]:
    """A row for every file of the roots, folders in name order; a file named twice is one row."""
    roots = [*roots, *_sidecars(roots)]
    if not _overlap(roots):
        for root in roots:
            yield from _below(root, rules)
        return
    seen: set[str] = set()
    for root in roots:
        for row in _below(root, rules):
            place = os.path.abspath(str(row.source))  # noqa: PTH100 (a Path for each of 100,000 files takes seconds)
            if place not in seen:
                seen.add(place)
                yield row


def _sidecars(roots: Sequence[Root]) -> Iterator[Root]:
    """The metadata beside files that were named themselves, as in a folder it would be found with them."""
    named = {root.path for root in roots}
    for root in roots:
        path = root.path
        is_file = not root.is_glob if is_remote(path) else os.path.isfile(path)  # noqa: PTH113
        if is_file and not path.endswith(SIDECAR) and (beside := sidecar_of(path)) not in named and beside is not None:
            yield Root(beside)


def _overlap(roots: Sequence[Root]) -> bool:
    """Whether a file could be found through two of the roots."""
    places = sorted(os.path.join(os.path.abspath(root.path), "") for root in roots)  # noqa: PTH100, PTH118
    return any(later.startswith(earlier) for earlier, later in itertools.pairwise(places))


def _below(root: Root, rules: Rules) -> Iterator[Row]:
    if is_remote(root.path):
        yield from _behind(root, rules)
        return
    path, name = root.path, os.path.basename(os.path.abspath(root.path))  # noqa: PTH100, PTH119
    is_folder = os.path.isdir(path)  # noqa: PTH112 (following links: this one was named)
    if is_folder and name not in VERSION_CONTROL:
        yield from _walk(root, rules)
    elif row := _left_out(path, name, name, rules, is_folder=is_folder):
        yield row
    else:
        try:
            yield file_row(path, name, path, os.stat(path))  # noqa: PTH116
        except OSError as error:
            yield unreadable_row(path, name, path, error)


def _behind(root: Root, rules: Rules) -> Iterator[Row]:
    """What a URL names. Folders there are but parts of names, so a rule that leaves one out does so file by file."""
    try:
        for row, below in remote_files(root.path, recursive=rules.recursive, has_pattern=root.is_glob):
            folders = below.split("/")[:-1]
            left_out = (
                _left_out(row.path, part, "/".join(folders[: place + 1]), rules, is_folder=True)
                for place, part in enumerate(folders)
            )
            reason = next(filter(None, left_out), None) or _left_out(row.path, row.name, below, rules, is_folder=False)
            if reason is not None and row.status == "pending":
                row.state = reason.state
                row.end("skipped", reason.reason, reason.remedy)
            yield row
    except OSError as error:
        yield refused(root.path, name_of(root.path), error)


def _walk(root: Root, rules: Rules) -> Iterator[Row]:
    start = len(os.path.join(root.path, ""))  # noqa: PTH118 (where the path relative to the root begins)
    pattern, is_plain = root.pattern, rules.are_plain and root.pattern is None
    opened = [_open(root.path)]  # a stack instead of recursion: folders may lie deeper than Python recurses
    while opened:
        for entry in opened[-1]:
            if isinstance(entry, Row):
                yield entry
                continue
            name, path = entry.name, entry.path
            if entry.is_dir(follow_symlinks=False) and not _is_junction(entry):
                if not rules.recursive and (pattern is None or len(opened) == root.depth):
                    continue
                row = _left_out(path, name, path[start:], rules, is_folder=True)
                if row is None:
                    opened.append(_open(path))
                    break
                yield row
                continue
            if not is_plain or name[0] == ".":
                below = path[start:]
                if pattern is not None and not _matches(pattern, below):
                    continue
                if row := _left_out(path, name, below, rules, is_folder=False):
                    yield row
                    continue
            try:
                stat = entry.stat()
            except OSError as error:
                yield unreadable_row(path, name, path, error)
            else:
                yield file_row(path, name, path, stat)
        else:
            opened.pop()


def _open(folder: str) -> Iterator[os.DirEntry[str] | Row]:
    try:
        with os.scandir(folder) as entries:
            return iter(sorted(entries, key=_by_name))
    except OSError as error:
        return iter((unreadable_row(folder, os.path.basename(folder), folder, error),))  # noqa: PTH119


def _left_out(path: str, name: str, below: str, rules: Rules, *, is_folder: bool) -> Row | None:
    """The row of what a rule leaves out; None if none does."""
    kind = "folder" if is_folder else "file"
    row = Row(path, name, name, 0, path)
    if name in VERSION_CONTROL:
        leave_out(row, "hidden", f"A {kind} of version control, left out.", "Upload copies of what you want from it.")
    elif not rules.hidden and (name[0] == "." or (is_folder and name in CACHES)):
        leave_out(row, "hidden", "Hidden, left out.", "ws.upload(..., hidden=True) takes it in.")
    elif rules.exclude is not None and rules.exclude.match_file(below + "/" * is_folder):
        leave_out(row, "excluded", f"The {kind} matches a pattern of exclude=.", "Change exclude= if you want it.")
    elif is_folder or name.endswith(SIDECAR):  # metadata comes with its file
        return None
    elif rules.include is not None and not rules.include.match_file(below):
        leave_out(row, "excluded", "The file matches no pattern of include=.", "Change include= if you want it.")
    elif rules.endings is not None and not name.lower().endswith(rules.endings):
        wanted = ", ".join(rules.endings)
        leave_out(row, "excluded", f"Not of the desired types ({wanted}).", "Add its type to desired_file_types.")
    return row if row.status == "skipped" else None


def _matches(pattern: GitIgnoreSpec, below: str) -> bool:
    """Whether a file is meant; metadata is where its file is."""
    return pattern.match_file(below) or pattern.match_file(below.removesuffix(SIDECAR))
