"""Sentences of Python widgets: the literal arguments of ``tr()`` and ``tr.plural()``, and texts that go round them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.process import ROOT
from tests.texts import Text, Unreadable

FOLDER = ROOT / "deepset_nb" / "widgets"
# Modules whose words are shown as they are: no text of theirs may go round the catalogue.
SHOWN = (*sorted(FOLDER.glob("static*.py")), FOLDER / "dashboard.py")

_TEXT = re.compile(r"[A-Za-z]{2,}[,.:;]? [A-Za-z]|^[A-Z][a-z]+\b")
_MARKUP = re.compile(r"[<>;=/{}_]|^\w+:")


def texts() -> Iterator[Text]:
    """The sentences of all widgets."""
    for path in sorted(FOLDER.rglob("*.py")):
        yield from in_source(path.read_text(), path.relative_to(ROOT).as_posix())


def in_source(source: str, place: str) -> Iterator[Text]:
    """The sentences of one module.

    Raises:
        Unreadable: A call's sentence is no literal.
    """
    for call in _calls(ast.parse(source)):
        first, *others = _arguments(call)
        if _is_plural(call):
            yield Text(_literals(first, place)[0], _literals(others[0], place)[0], place)
        else:
            yield from (Text(sentence, "", place) for sentence in _literals(first, place))


def hard_coded(source: str, place: str) -> list[str]:
    """Texts of a static form that do not go through ``tr``."""
    tree = ast.parse(source)
    fine = {id(node) for call in _calls(tree) for node in ast.walk(call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            fine.add(id(node.value))  # a docstring
        elif isinstance(node, ast.Dict):
            fine |= {id(key) for key in node.keys}
        elif isinstance(node, ast.Subscript):
            fine |= {id(each) for each in ast.walk(node.slice)}
        elif isinstance(node, ast.AnnAssign | ast.arg) and node.annotation:
            fine |= {id(each) for each in ast.walk(node.annotation)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in fine:
            shown = re.sub(r"<[^>]*>", " ", node.value).strip()  # the words between the tags
            if _TEXT.search(shown) and not _MARKUP.search(shown):
                found.append(f"{place}:{node.lineno}: {shown!r}")
    return found


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (_is_tr(node.func) or _is_plural(node)):
            yield node


def _is_tr(function: ast.expr) -> bool:
    return getattr(function, "id", getattr(function, "attr", "")) == "tr"


def _is_plural(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == "plural" and _is_tr(call.func.value)


def _arguments(call: ast.Call) -> list[ast.expr]:
    return call.args[1:] if _is_plural(call) else call.args


def _literals(node: ast.expr, place: str) -> list[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return _literals(node.body, place) + _literals(node.orelse, place)
    raise Unreadable(f"{place}:{node.lineno}: write the sentence as one literal: {ast.unparse(node)}")
