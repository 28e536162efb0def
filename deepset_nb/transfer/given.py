"""What a call was given, checked where it was typed: a wrong path shows in that cell, not later in a job.

Cheap whatever lies below the paths: looking ends at the first file.
"""

from __future__ import annotations

import contextlib
import os
import re
import reprlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore import GitIgnorePatternError

from ..client.addresses import is_from_path, is_remote, parts_of, shown
from ..client.places import ask_afresh, file_system, is_there, stat_of
from ..errors import InputError, NothingToUpload, PathNotFound
from ..models import DeepsetCloudFile
from .documents import Document, read_frame
from .hazards import NOT_READABLE_THERE, remedy_for
from .meta import Told, is_frame, read_told, tagged
from .remote_sources import AS_TEXT
from .sources import Root, Rules, find

PathLike = str | os.PathLike[str]
Patterns = str | Iterable[str]

LONGEST_SHOWN = 100  # characters of a path that is none
_MAGIC = re.compile(r"[*?\[]")
_NAME_PATHS = "Name a file or a folder, or several in a list."


@dataclass(frozen=True, slots=True)
class Given:
    """What to plan: roots to look below, or documents named one by one.

    Attributes:
        roots: Files, folders and globs.
        rules: What of the files below them is wanted.
        documents: Rows of a frame, instead of roots.
        told: What was said about metadata.
        check_text: How many text files to look into, whether they are UTF-8; None means all.
    """

    roots: tuple[Root, ...] = ()
    rules: Rules = field(default_factory=Rules)
    documents: tuple[Document, ...] | None = None
    told: Told | None = None
    check_text: int | None = 0


def read_given(
    what: object,
    *,
    recursive: bool = False,
    include: Patterns | None = None,
    exclude: Patterns | None = None,
    hidden: bool = False,
    endings: Iterable[str] | None = None,
    meta: object = None,
    check_text: int | None = 0,
    tag: str | None = None,
) -> Given:
    """The arguments of a call, understood.

    Raises:
        PathNotFound: A path does not exist, or a pattern matches nothing.
        NothingToUpload: No path was given, or the folders hold no file.
        InputError: Something is none of what a call takes.
    """
    told = tagged(read_told(meta), tag)
    rules = Rules(
        recursive, hidden, _patterns("include", include), _patterns("exclude", exclude), _lower_endings(endings)
    )
    if is_frame(what):
        if rules != Rules():
            raise InputError(
                "recursive=, hidden=, include= and exclude= choose among the files of folders.",
                "A frame names its files itself: drop rows of it, or set their action to 'skip'.",
            )
        documents = read_frame(what)
        if not documents:
            raise NothingToUpload("There is nothing to upload: the frame has no rows.", "Name a file in it.")
        return Given(documents=documents, told=told, check_text=check_text)
    roots = tuple(_root(path, recursive) for path in _paths(what))
    if not roots:
        raise NothingToUpload("There is nothing to upload: the list of paths is empty.", "Name a file or a folder.")
    for root in roots:
        if root.pattern is not None and next(find([root], rules), None) is None:
            raise PathNotFound(
                f"No file matches the pattern below {root.path!r}.",
                "* stands for any part of one name, ** for folders of any depth.",
            )
    # A store is listed once, by the job: that may take long.
    if not any(is_remote(root.path) for root in roots) and next(find(roots, rules), None) is None:
        raise NothingToUpload(
            f"The folder {roots[0].path!r} holds no files.",
            "Name another folder." if recursive else "If its files lie in subfolders, pass recursive=True.",
        )
    return Given(roots, rules, told=told, check_text=check_text)


def _paths(what: object) -> Iterator[str]:
    if isinstance(what, str | os.PathLike):
        what = [what]
    if isinstance(what, Mapping):
        raise InputError("A mapping names no files.", "ws.upload_texts() takes a dict of names and texts.")
    if isinstance(what, bytes) or not isinstance(what, Iterable):
        raise InputError(f"{_named(what)} names no file.", _NAME_PATHS)
    for path in what:
        if isinstance(path, DeepsetCloudFile):
            raise InputError(f"{path.name!r} is a text, not a path.", "ws.upload_texts() takes such documents.")
        text = os.fspath(path) if isinstance(path, os.PathLike) else path
        if not isinstance(text, str) or not text:
            raise InputError(f"{_named(path)} is no path.", _NAME_PATHS)
        if is_remote(text.strip()):
            yield text.strip()
            continue
        # Not Path.expanduser(), to which ~$report.docx is the home of an unknown user.
        yield str(Path(os.path.expanduser(text)))  # noqa: PTH111


def _named(thing: object) -> str:
    """What is no path, in short; of an address that is no text only what it is, as it may be signed."""
    return f"<{type(thing).__name__}>" if "://" in repr(thing) else reprlib.repr(thing)


def _root(text: str, recursive: bool) -> Root:
    if is_remote(text):
        return _remote_root(text)
    path = Path(text)
    try:
        exists = path.exists()
    except (OSError, ValueError) as error:  # no path at all, such as a text, or behind a folder one may not enter
        seen = shown(text)
        seen = seen if len(seen) <= LONGEST_SHOWN else f"{seen[:LONGEST_SHOWN]}..."
        words = error.strerror if isinstance(error, OSError) else error
        raise InputError(
            f"{seen!r} cannot be looked at: {words}.", "Name a file or a folder that you may read."
        ) from None
    if not exists and is_from_path(text):
        raise PathNotFound(f"There is no file or folder {shown(text)!r}.", AS_TEXT)
    if not exists and _MAGIC.search(text):
        return _glob(path, recursive)
    if not exists:
        raise PathNotFound(f"There is no file or folder {text!r}.", _near(path))
    if not path.is_file() and not path.is_dir():
        raise InputError(f"{text!r} is neither a file nor a folder.", "Name a file or a folder.")
    return Root(text)


def _remote_root(url: str) -> Root:
    is_glob = _MAGIC.search(parts_of(url)[1].partition("?")[0]) is not None
    ask_afresh([url])
    try:
        if is_glob:
            file_system(url)
            with contextlib.suppress(OSError):  # whoever lists it is told
                is_glob = not is_there(url)  # names of files may have brackets
        elif not is_there(url):
            stat_of(url)  # says why, where that is not that nothing is there
    except FileNotFoundError:
        raise PathNotFound(f"There is no file or folder {shown(url)!r}.", NOT_READABLE_THERE) from None
    except OSError as error:
        raise InputError(f"{shown(url)!r} cannot be looked at: {error.strerror or error}.", remedy_for(url)) from None
    return Root(url, is_glob=is_glob)


def _glob(path: Path, recursive: bool) -> Root:
    """A pattern: the folder before its first wildcard, and what must match below it."""
    first = next(place for place, part in enumerate(path.parts) if _MAGIC.search(part))
    folder, below = Path(*path.parts[:first]), path.parts[first:]
    if not folder.is_dir():
        raise PathNotFound(f"There is no folder {str(folder)!r}.", _near(folder))
    depth = None if recursive or "**" in below else len(below)
    return Root(str(folder), _spec("pattern", ["/" + "/".join(below)]), depth)


def _near(path: Path) -> str:
    """Where the path stops being true: the most useful thing to say about a typing error."""
    parent = next((parent for parent in path.parents if parent.exists()), None)
    if parent is None or str(parent) in (".", path.anchor):
        return f"Relative paths start at the notebook's folder, {Path.cwd().name!r} here."
    return f"{str(parent)!r} exists; check the name after it."


def _patterns(argument: str, patterns: object) -> GitIgnoreSpec | None:
    if patterns is None:
        return None
    lines = [patterns] if isinstance(patterns, str) else patterns
    if not isinstance(lines, list | tuple | set | frozenset) or not all(isinstance(line, str) for line in lines):
        remedy = 'Give a pattern such as "*.pdf" or "drafts/", or several in a list.'
        raise InputError(f"{argument}= is {reprlib.repr(patterns)}.", remedy)
    return _spec(argument, list(lines))


def _spec(argument: str, lines: list[str]) -> GitIgnoreSpec:
    try:
        return GitIgnoreSpec.from_lines(lines)
    except GitIgnorePatternError as error:
        raise InputError(f"{argument}= has a pattern that is none: {error}", "They are those of .gitignore.") from None


def _lower_endings(endings: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if endings is None else tuple(f".{end.strip().lstrip('.').lower()}" for end in endings)
