"""The words of ``%deepset`` and ``%%deepset_text``: parsed, described for ``?``, completed on Tab."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from IPython.core.error import UsageError
from IPython.core.magic_arguments import MagicArgumentParser

F = TypeVar("F", bound=Callable[..., Any])
MODES = ("KEEP", "OVERWRITE", "FAIL")
STATUSES = ("OPEN", "CLOSED", "EXPIRED")


class _Parser(MagicArgumentParser):  # type: ignore[misc]
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}\n{self.format_usage()}")


def parse(magic: str, words: list[str]) -> argparse.Namespace:
    """The arguments of a line.

    Raises:
        UsageError: They are none; IPython shows its text without a traceback.
    """
    found: argparse.Namespace = _parser(magic).parse_args(words)
    if magic == "deepset" and found.verb is None:
        verbs = ", ".join(f"`{verb}`" for verb in _verbs())
        raise UsageError(f"%deepset needs a word: {verbs}; %deepset? tells their options.")
    return found


def described(magic: str) -> Callable[[F], F]:
    """Adds what ``?`` shows: usage and options, of each word."""

    def add(method: F) -> F:
        parsers = [_parser(magic), *(_verbs().values() if magic == "deepset" else ())]
        method.__doc__ = "\n\n".join([str(method.__doc__), *(parser.format_help() for parser in parsers)])
        return method

    return add


def completions(shell: Any, event: Any) -> list[str]:
    """What Tab offers after ``%deepset``; IPython calls it."""
    magic = "deepset_text" if "deepset_text" in event.command else "deepset"
    words = event.line.split("%deepset", 1)[1].removeprefix("_text").split()
    begun = "" if event.line.endswith(" ") else event.symbol
    done = words if not begun else words[:-1]
    return [word for word in _candidates(magic, done, begun) if word.startswith(begun)]


def _candidates(magic: str, done: list[str], begun: str) -> Iterator[str]:
    parser: argparse.ArgumentParser = _parser(magic)
    if magic == "deepset":
        if not done or done[0] not in _verbs():
            yield from _verbs()
            return
        parser = _verbs()[done[0]]
    options = {option: action for action in parser._actions for option in action.option_strings}
    if done and (action := options.get(done[-1])) is not None and action.nargs != 0:
        yield from map(str, action.choices or ())
        return
    if begun.startswith("-"):
        yield from (option for option in options if option.startswith("--"))
        return
    if magic == "deepset" and done[0] in ("upload", "download"):
        folder, _, part = begun.rpartition("/")
        above = f"{folder}/" if "/" in begun else ""
        with contextlib.suppress(OSError):
            for path in sorted(Path(above or ".").iterdir()):
                if path.name.startswith(part):
                    yield f"{above}{path.name}{'/' if path.is_dir() else ''}"
    if not begun:
        yield from (option for option in options if option.startswith("--"))


@cache
def _parser(magic: str) -> _Parser:
    if magic == "deepset_text":
        parser = _Parser(prog="%%deepset_text", description="Upload the text of this cell as a document.")
        parser.add_argument("name", help="the document's name on the platform, such as note.md")
        _sending(parser)
        return parser
    parser = _Parser(prog="%deepset", description="A deepset workspace in one line.")
    verbs = parser.add_subparsers(dest="verb", metavar=" | ".join(["files", "sessions", "upload", "download", "jobs"]))
    files = verbs.add_parser("files", prog="%deepset files", help="the files of the workspace, newest first")
    files.add_argument("--name", help="part of the file name")
    _meta(files, "only with this value in the metadata; may be repeated")
    files.add_argument("--after", metavar="TIME", help="made after this time, ISO 8601")
    files.add_argument("--before", metavar="TIME", help="made before this time")
    files.add_argument("--filter", metavar="ODATA", help="""filter on metadata, such as "topic eq 'news'" """)
    files.add_argument("--limit", type=int, help="at most so many")
    files.add_argument("--expand-meta", action="store_true", help="a column for each key of the metadata")
    sessions = verbs.add_parser("sessions", prog="%deepset sessions", help="its upload sessions, newest first")
    sessions.add_argument("--status", choices=STATUSES, type=str.upper, help="only those")
    sessions.add_argument("--diagnose", action="store_true", help="also how each stands and what to do")
    upload = verbs.add_parser("upload", prog="%deepset upload", help="files and folders, through an upload session")
    upload.add_argument("paths", nargs="+", metavar="PATH", help="file, folder or glob")
    upload.add_argument("--recursive", "-r", action="store_true", help="also what lies in subfolders")
    upload.add_argument("--include", metavar="PATTERN", action="append", default=[], help="only these files")
    upload.add_argument("--exclude", metavar="PATTERN", action="append", default=[], help="not these")
    upload.add_argument("--hidden", action="store_true", help="also names that start with a dot")
    upload.add_argument("--safe-mode", action="store_true", help="one connection and more patience")
    _sending(upload)
    download = verbs.add_parser("download", prog="%deepset download", help="files into a folder")
    download.add_argument("folder", nargs="?", help="the folder, by default the current one")
    download.add_argument("--name", help="part of the file name")
    download.add_argument("--filter", metavar="ODATA", help="filter on metadata")
    download.add_argument("--no-meta", dest="include_meta", action="store_false", help="without .meta.json files")
    download.add_argument("--safe-mode", action="store_true", help="one connection and more patience")
    jobs = verbs.add_parser("jobs", prog="%deepset jobs", help="uploads and downloads, past and running")
    for verb in (files, sessions, download, jobs):
        _workspace(verb)
    return parser


def _sending(parser: argparse.ArgumentParser) -> None:
    _meta(parser, """metadata; may be repeated, or JSON such as '{"topic": "news"}'""")
    parser.add_argument(
        "--write-mode", choices=MODES, type=str.upper, default="KEEP", help="where a name is taken: keep both, …"
    )
    parser.add_argument("--no-resume", dest="resume", action="store_false", help="send again what was sent before")
    _workspace(parser)


def _workspace(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workspace", help="another workspace than the one made last")


def _verbs() -> dict[str, argparse.ArgumentParser]:
    [subparsers] = [one for one in _parser("deepset")._actions if isinstance(one, argparse._SubParsersAction)]
    return dict(subparsers.choices)


def _meta(parser: argparse.ArgumentParser, help_: str) -> None:
    parser.add_argument("--meta", metavar="KEY=VALUE", type=_given, action="append", help=help_)


def merged(given: list[dict[str, Any]] | None) -> dict[str, Any] | None:
    """Metadata from all ``--meta`` of a line; None without any."""
    return {key: value for one in given for key, value in one.items()} if given else None


def _given(text: str) -> dict[str, Any]:
    if text.lstrip().startswith("{"):
        return _object(text)
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise argparse.ArgumentTypeError(f"{text!r} is neither KEY=VALUE nor a JSON object")
    try:
        return {key: json.loads(value)}  # 2024 and true are no texts
    except ValueError:
        return {key: value}


def _object(text: str) -> dict[str, Any]:
    try:
        return dict(json.loads(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"it is no JSON: {error}") from None
