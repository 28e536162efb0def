"""Sentences of js/src: the literal arguments of ``t()``, ``rich()`` and ``plural()``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from tests.process import ROOT
from tests.texts import Text, Unreadable

SOURCES = ROOT / "js" / "src"
_SELF = "i18n.ts"  # where the three functions are defined
_CALL = re.compile(r"(?<![\w.$])(t|rich|plural)(?:<[\w<>\[\] |]+>)?\(\s*")
_STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"|\'((?:[^\'\\\n]|\\.)*)\'|`((?:[^`\\$]|\\.)*)`')
_OPEN, _CLOSE = "([{", ")]}"


def texts() -> Iterator[Text]:
    """The sentences of all sources."""
    for path in sorted(SOURCES.rglob("*.ts*")):
        if path.name != _SELF:
            yield from in_source(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix())


def in_source(source: str, place: str) -> Iterator[Text]:
    """The sentences of one source.

    Raises:
        Unreadable: A call's sentence is no literal, nor one of two by a condition.
    """
    for call in _CALL.finditer(source):
        position = call.end()
        if call[1] == "plural":
            one, position = _literal(source, _behind(",", source, position), place)
            many, _ = _literal(source, _behind(",", source, position), place)
            yield Text(one, many, place)
            continue
        while not _STRING.match(source, position):  # t(here ? "One" : "Other")
            if (branch := _behind("?", source, position)) == position:
                break
            sentence, position = _literal(source, branch, place)
            position = _behind(":", source, position)
            yield Text(sentence, "", place)
        yield Text(_literal(source, position, place)[0], "", place)


def _literal(source: str, position: int, place: str) -> tuple[str, int]:
    found = _STRING.match(source, position)
    # Only a whole argument counts: `t("a" + b)` has no sentence of its own.
    if not found or not re.match(r"\s*[,):]", source[found.end() :]):
        line = source.count("\n", 0, position) + 1
        raise Unreadable(f"{place}:{line}: write the sentence as one literal: {source[position : position + 60]!r}")
    inner = next(group for group in found.groups() if group is not None)
    plain = re.sub(r"\\(['`$])", r"\1", inner) if source[found.start()] != '"' else inner
    return json.loads('"' + (plain.replace('"', '\\"') if plain is not inner else plain) + '"'), found.end()


def _behind(wanted: str, source: str, start: int) -> int:
    """Where the code goes on behind this sign, which is in no bracket and no string; ``start`` if it does not come."""
    depth, position = 0, start
    while position < len(source) and depth >= 0:
        if found := _STRING.match(source, position):
            position = found.end()
            continue
        sign = source[position]
        if sign == wanted and depth == 0:
            rest = source[position + 1 :]
            return len(source) - len(rest.lstrip())
        depth += (sign in _OPEN) - (sign in _CLOSE)
        position += 1
    return start
