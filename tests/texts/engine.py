"""English that the engine writes: f-strings become sentences with ``{name}`` placeholders.

A condition between words is written out: ``f"{n} {'file' if n == 1 else 'files'} sent"`` gives ``{n} file sent`` and
``{n} files sent``, each with a translation of its own. What stands in a placeholder may itself be a sentence, or a part
of one, from somewhere else; `deepset_nb.i18n.Translator.said` translates it there.
"""

from __future__ import annotations

import ast
import itertools
import math
import re
from collections.abc import Callable, Iterator

from tests.process import ROOT
from tests.texts import Text

PACKAGE = ROOT / "deepset_nb"
# Rooms whose words a widget can show: in a job's state, as a file's reason, or as the answer to a click.
ROOMS = ("transfer", "client", "widgets", "job.py", "uploading.py", "downloading.py")
# Of these: SQL and bytes; and what only a cell says, to someone who called a function wrongly.
SILENT = {
    "client/multipart.py",
    "client/paging.py",
    "client/sandbox_admin.py",
    "client/async_client.py",
    "client/auth.py",
    "client/concurrency.py",
    "transfer/journal.py",
    "transfer/journal_records.py",
}
# Composed of parts that are sentences themselves; they have hardly a word of their own.
FRAMES = {"{message} ({status}){said}."}
# Words that an error of ours holds: the system's (os.strerror) and those of Python's json; others stay as they are.
OF_PYTHON = (
    "File name too long",
    "Input/output error",
    "Is a directory",
    "No space left on device",
    "No such file or directory",
    "Not a directory",
    "Permission denied",
    "Read-only file system",
    "Expecting ',' delimiter",
    "Expecting ':' delimiter",
    "Expecting property name enclosed in double quotes",
    "Expecting value",
    "Extra data",
    "Illegal trailing comma before end of object",
    "Invalid control character at",
    "Unterminated string starting at",
)
MOST_FORMS = 8  # of one f-string
# Where a widget speaks as the engine does: in errors, and in what stands under these keys of a message or state.
ERRORS = {node.name for node in ast.parse((PACKAGE / "errors.py").read_text()).body if isinstance(node, ast.ClassDef)}
TELLING = {"refuse", "leave_out", "warn"}
TELLING_KEYS = {"message", "remedy", "reason", "headline", "detail", "note"}

_PLACE = re.compile(r"\{\w+\}")
_WORDS = re.compile(r"[A-Za-z]+[,;:]? +\(?[A-Za-z\d]|[A-Za-z]{2,}[,;:.]? +\(?\{|\} +[A-Za-z]{2,}|\) [a-z]+")
_SINGLE = re.compile(r"[A-Z][a-z]+(ing|ed)")  # Cancelling, Planning
# Code, types, names of threads, and what a log says.
_NO_TEXT = re.compile(
    r"[\n\t\\]|^<|^(GET|POST|PRAGMA|SELECT|BEGIN) |^Bearer |%[sd]|^\{\w+\} eq |^\w+\[|^deepset_nb \w+$"
)
_LOGGERS = {"_log", "log", "logger", "logging", "warnings"}
_QUIET_CALLS = {"compile", "match", "search", "sub", "execute", "strftime", "getattr", "namedtuple", "TypeVar", "cast"}
_QUIET_FUNCTIONS = {"__repr__", "_repr_html_", "_repr_mimebundle_"}
_ERRORS_OF_CODE = {"ValueError", "TypeError", "RuntimeError", "NotImplementedError", "AssertionError", "KeyError"}


def texts() -> Iterator[Text]:
    """The sentences of all rooms, in the order of the files."""
    for room in ROOMS:
        paths = [PACKAGE / room] if room.endswith(".py") else sorted((PACKAGE / room).rglob("*.py"))
        for path in paths:
            if path.relative_to(PACKAGE).as_posix() not in SILENT:
                widget = room == "widgets"
                yield from in_source(path.read_text(), path.relative_to(ROOT).as_posix(), only_errors=widget)
    for text in OF_PYTHON:
        yield Text(text, "", "deepset_nb/transfer", by_engine=True, hint="Of the operating system or of Python.")


def in_source(source: str, place: str, *, only_errors: bool = False) -> Iterator[Text]:
    """The sentences of one module.

    Args:
        source: Its text.
        place: Its file, for the catalogue.
        only_errors: Take what is raised or refused only, as of a widget, whose other texts go through ``tr``.
    """
    tree = ast.parse(source)
    used: set[str] = set()  # words that have gone into the forms of an f-string
    forms = [
        form for node, function in _strings(tree, only_errors) for form in _forms(node, _Names(tree, function), used)
    ]
    for text in dict.fromkeys(map(_shortened, forms)):
        if text not in used and (_is_text(text) or text in FRAMES):
            yield Text(text, "", place, by_engine=True, hint="A part of a sentence." if _is_part(text) else "")


def _is_text(text: str) -> bool:
    bare = text.strip()
    if _SINGLE.fullmatch(bare):
        return True
    return bool(_WORDS.search(text)) and not _NO_TEXT.search(text)


def _is_part(text: str) -> bool:
    return not (text[:1].isupper() or text[:1] == "{")


def _shortened(text: str) -> str:
    """Without sentences in placeholders before and behind: they are translated by themselves."""
    text = re.sub(r"^ (?=[A-Z].*\.$)", "", re.sub(r"(?<=[.!?]) \{\w+\}$", "", text))
    return re.sub(r"^\{\w+\} (?=\{\w+\}$)", "", text)


# --- which strings --------------------------------------------------------------------------------------------------


def _strings(tree: ast.Module, only_errors: bool) -> Iterator[tuple[ast.expr, ast.AST | None]]:
    """String expressions that can be read by a person, with the function they stand in."""

    def walk(node: ast.AST, function: ast.AST | None, counts: bool) -> Iterator[tuple[ast.expr, ast.AST | None]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                continue  # a docstring
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                if child.name not in _QUIET_FUNCTIONS:
                    for statement in child.body:
                        yield from walk(ast.Module([statement], []), child, counts)
                continue
            if isinstance(child, ast.Call) and _is_quiet(child):
                continue
            if isinstance(child, ast.Compare | ast.Subscript | ast.arguments):
                continue
            if isinstance(child, ast.AnnAssign):
                if child.value is not None:
                    yield from walk(ast.Module([ast.Expr(child.value)], []), function, counts)
                    if isinstance(child.value, ast.JoinedStr | ast.Constant):
                        yield from _one(child.value, function, counts)
                continue
            if isinstance(child, ast.JoinedStr | ast.Constant):
                yield from _one(child, function, counts)
                if isinstance(child, ast.JoinedStr):
                    for part in child.values:
                        if isinstance(part, ast.FormattedValue):
                            yield from walk(ast.Module([ast.Expr(part.value)], []), function, counts)
                continue
            if isinstance(child, ast.Dict):
                for key, value in zip(child.keys, child.values, strict=True):
                    tells = isinstance(key, ast.Constant) and key.value in TELLING_KEYS
                    yield from walk(ast.Tuple([value]), function, counts or tells)
                continue
            tells = isinstance(child, ast.Call) and _name(child) in TELLING | ERRORS
            yield from walk(child, function, counts or tells)

    yield from walk(tree, None, not only_errors)


def _one(node: ast.expr, function: ast.AST | None, counts: bool) -> Iterator[tuple[ast.expr, ast.AST | None]]:
    if counts and (isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))):
        yield node, function


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _is_quiet(call: ast.Call) -> bool:
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    if isinstance(owner, ast.Name) and owner.id in _LOGGERS:
        return True
    return _name(call) in _QUIET_CALLS | _ERRORS_OF_CODE


# --- f-strings ------------------------------------------------------------------------------------------------------


class _Names:
    """What a name stands for: words given to it in this function or module."""

    def __init__(self, tree: ast.Module, function: ast.AST | None) -> None:
        self._scopes = [scope for scope in (function, tree) if scope is not None]

    def words(self, name: str) -> list[str] | None:
        for scope in self._scopes:
            given = [
                node.value
                for node in (ast.walk(scope) if scope is not self._scopes[-1] else ast.iter_child_nodes(scope))
                if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [name]
            ]
            if given:
                words = [_words(value) for value in given]
                return [word for each in words for word in each or []] if all(words) else None
        return None


def _words(value: ast.expr) -> list[str] | None:
    """One text or several without placeholders; None for anything else."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return [value.value]
    if isinstance(value, ast.IfExp):
        first, second = _words(value.body), _words(value.orelse)
        return first + second if first is not None and second is not None else None
    return None


def _forms(node: ast.expr, names: _Names, used: set[str]) -> list[str]:
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    assert isinstance(node, ast.JoinedStr)
    taken: dict[str, str] = {}  # placeholder: expression
    pieces: list[list[str]] = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            pieces.append([str(part.value)])
            continue
        assert isinstance(part, ast.FormattedValue)
        value = part.value
        words = _words(value) or (names.words(value.id) if isinstance(value, ast.Name) else None)
        # A whole sentence that has a name is translated by itself.
        if words and not (len(words) == 1 and words[0].endswith((".", "!", "?"))):
            pieces.append(words)
            used.update(words)
        else:
            pieces.append(["{" + _placeholder(value, taken) + "}"])
    count = math.prod(map(len, pieces))
    assert count <= MOST_FORMS, f"{count} forms of {ast.unparse(node)}: make parts of it sentences"
    return list(dict.fromkeys("".join(form) for form in itertools.product(*pieces)))


def _placeholder(value: ast.expr, taken: dict[str, str]) -> str:
    """A name for an expression, the same for the same expression, different for another."""
    written = ast.unparse(value)
    base = _word_for(value) or "value"
    name = next(n for n in map(_numbered(base), itertools.count(1)) if taken.get(n, written) == written)
    taken[name] = written
    return name


def _numbered(base: str) -> Callable[[int], str]:
    return lambda number: base if number == 1 else f"{base}{number}"


def _word_for(value: ast.expr) -> str:
    match value:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.strip("_")
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case ast.Subscript(value=inner) | ast.FormattedValue(value=inner) | ast.Await(value=inner):
            return _word_for(inner)
        case ast.BoolOp(values=[first, *_]) | ast.BinOp(left=first):
            return _word_for(first)
        case ast.IfExp(body=first):
            return _word_for(first)
        case ast.Call(func=ast.Name(id="type" | "len" | "str" | "repr" | "int" | "sorted"), args=[first, *_]):
            return _word_for(first)
        case ast.Call(func=ast.Name(id=name)):
            return name.strip("_")
        case ast.Call(func=ast.Attribute(attr="repr" | "join" | "quoted"), args=[first, *_]):
            return _word_for(first)
        case ast.Call(func=ast.Attribute(value=inner)):
            return _word_for(inner)
    return ""
