"""The ``filter=`` expression of the file listing, in the grammar of the platform API reference.

    topic eq 'rivers' and year ge 2020 and author/name ne "Ada" and created_at lt '2026-01-01'

An expression becomes a condition in SQL over the JSON text in ``files.meta``. Nothing a client wrote is ever part of
the SQL: keys and values are bound. Where OData and the platform leave it open:

- a list matches where any of its items does; ``ne`` is the opposite of ``eq``, so it also finds files without the key;
- a text in quotes also equals the number, true or false spelled like it, and is ordered with numbers if it is one;
- ``null`` is what is missing or null;
- ``a/b`` and ``a.b`` are both a key of that very name and key ``b`` within ``a``;
- ``created_at`` is the file's own time, whatever its metadata has.
"""

from __future__ import annotations

import operator
import re
from datetime import UTC, datetime
from functools import cache, reduce
from typing import NamedTuple

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

MAX_COMPARISONS = 100  # SQLite's expressions are at most 1,000 deep
MAX_NESTING = 20

_GRAMMAR = r"""
    strict: comparison (_AND comparison)*                 -> all
    lenient: conjunction (_OR conjunction)*               -> any
    conjunction: negation (_AND negation)*                -> all
    ?negation: _NOT negation                              -> negated
             | "(" lenient ")"                            -> group
             | comparison
    comparison: KEY OPERATOR literal
    ?literal: TEXT | NUMBER | TRUE | FALSE | NULL

    KEY: /[A-Za-z_][A-Za-z0-9_.\-\/]*/
    OPERATOR.2: /(eq|ne|gt|ge|lt|le)(?![A-Za-z0-9_.\-\/])/i
    _AND.2: /and(?![A-Za-z0-9_.\-\/])/i
    _OR.2: /or(?![A-Za-z0-9_.\-\/])/i
    _NOT.2: /not(?![A-Za-z0-9_.\-\/])/i
    TRUE.2: /true(?![A-Za-z0-9_.\-\/])/i
    FALSE.2: /false(?![A-Za-z0-9_.\-\/])/i
    NULL.2: /null(?![A-Za-z0-9_.\-\/])/i
    TEXT: /'([^']|'')*'/ | /"([^"]|"")*"/
    NUMBER: /[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?(?![A-Za-z0-9_.\-\/])/
    %ignore /\s+/
"""
_NAMES = {
    "KEY": "a metadata key",
    "OPERATOR": "one of eq, ne, gt, ge, lt, le",
    "TEXT": "a text in quotes",
    "NUMBER": "a number",
    "TRUE": "true",
    "FALSE": "false",
    "NULL": "null",
    "_AND": "'and'",
    "_OR": "'or'",
    "_NOT": "'not'",
    "LPAR": "'('",
    "RPAR": "')'",
    "$END": "the end",
}
_SQL = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
# The values of a key: json_each walks a list and takes a single value as a list of one; an object's entries are no
# values. One path, given twice, is the key as it is spelled; where it has a separator, a second goes into objects.
_OF_PATH = "SELECT type, atom FROM json_each(files.meta, ?) WHERE json_type(files.meta, ?) != 'object'"
_SOMETHING = " OR ".join(["coalesce(json_type(files.meta, ?), 'null') != 'null'"] * 2)
_AS_TEXT = "CASE type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(atom AS TEXT) END"


class FilterError(ValueError):
    """The expression is not of a form the sandbox knows.

    Attributes:
        position: Index of the first character that does not fit.
    """

    def __init__(self, expected: str, position: int) -> None:
        """Say what was expected, and where."""
        self.position = position
        super().__init__(f"The filter cannot be read at position {position}: expected {expected}.")


class Condition(NamedTuple):
    """A condition in SQL, its values, and how deep and large it is."""

    sql: str
    values: list[object]
    comparisons: int = 1
    nesting: int = 0


def compile_filter(expression: str, *, lenient: bool = False) -> tuple[str, list[object]]:
    """Translate an expression.

    Args:
        expression: As the client sent it.
        lenient: Also take ``or``, ``not`` and parentheses, which the platform does not promise.

    Returns:
        A condition in SQL and its values.

    Raises:
        FilterError: With the position of what does not fit, and what would.
    """
    try:
        condition = _parser(lenient).parse(expression)
    except UnexpectedCharacters as error:
        raise FilterError(_expected(error.allowed or set()), error.pos_in_stream or 0) from None
    except UnexpectedToken as error:
        at_end = error.token.type == "$END"
        position = len(expression.rstrip()) if at_end else error.pos_in_stream
        raise FilterError(_expected(error.accepts or error.expected), position or 0) from None
    except UnexpectedInput as error:  # pragma: no cover - there is no other kind
        raise FilterError("something else", error.pos_in_stream or 0) from None
    except VisitError as error:
        raise error.orig_exc from None
    assert isinstance(condition, Condition)
    return condition.sql, condition.values


@cache
def _parser(lenient: bool) -> Lark:
    start = "lenient" if lenient else "strict"
    return Lark(_GRAMMAR, start=start, parser="lalr", transformer=_Compiler())


def _expected(terminals: set[str]) -> str:
    return " or ".join(words for terminal, words in _NAMES.items() if terminal in terminals)


@v_args(inline=True)
class _Compiler(Transformer[Token, Condition]):
    """Each rule of the grammar as SQL, called while it is read."""

    def all(self, *conditions: Condition) -> Condition:
        return _joined(" AND ", conditions)

    def any(self, *conditions: Condition) -> Condition:
        return _joined(" OR ", conditions)

    def negated(self, condition: Condition) -> Condition:
        return _nested(Condition(f"NOT ({condition.sql})", *condition[1:]))

    def group(self, condition: Condition) -> Condition:
        return _nested(Condition(f"({condition.sql})", *condition[1:]))

    def comparison(self, key: Token, operator_: Token, literal: Token) -> Condition:
        relation = operator_.lower()
        if key == "created_at":
            sql = {"eq": "=", "ne": "!="} | _SQL
            return Condition(f"files.created_us {sql[relation]} ?", [_microseconds(literal)])
        spelled, nested = f'$."{key}"', "$" + "".join(f'."{part}"' for part in re.split("[./]", key))
        if relation in _SQL:
            predicate, values = _order(_SQL[relation], literal)
        elif literal.type == "NULL":
            return Condition(f"NOT ({_SOMETHING})" if relation == "eq" else f"({_SOMETHING})", [spelled, nested])
        else:
            predicate, values = _equality(literal)
        paths = list(dict.fromkeys((spelled, nested)))  # mostly one: each costs as much as reading the file's metadata
        found = " UNION ALL ".join([_OF_PATH] * len(paths))
        matches = f"EXISTS (SELECT 1 FROM ({found}) WHERE {predicate})"  # noqa: S608 - ours, not the client's
        bound = [path for path in paths for _ in range(2)]
        return Condition(f"NOT {matches}" if relation == "ne" else matches, [*bound, *values])


def _equality(literal: Token) -> tuple[str, list[object]]:
    match literal.type:
        case "TEXT":
            return f"{_AS_TEXT} = ?", [_text(literal)]
        case "NUMBER":
            return "type IN ('integer', 'real') AND atom = ?", [float(literal)]
        case _:
            return "type = ?", [literal.lower()]


def _order(sql: str, literal: Token) -> tuple[str, list[object]]:
    numbers = f"type IN ('integer', 'real') AND atom {sql} ?"
    if literal.type == "NUMBER":
        return numbers, [float(literal)]
    if literal.type != "TEXT":
        raise FilterError("a text in quotes or a number", literal.start_pos or 0)
    text = _text(literal)
    texts = f"type = 'text' AND atom {sql} ?"
    try:
        return f"({texts}) OR ({numbers})", [text, float(text)]
    except ValueError:
        return texts, [text]


def _joined(word: str, conditions: tuple[Condition, ...]) -> Condition:
    values: list[object] = reduce(operator.iadd, (condition.values for condition in conditions), [])
    comparisons = sum(condition.comparisons for condition in conditions)
    if comparisons > MAX_COMPARISONS:
        raise FilterError(f"at most {MAX_COMPARISONS} comparisons", 0)
    return Condition(
        word.join(condition.sql for condition in conditions),
        values,
        comparisons,
        max(condition.nesting for condition in conditions),
    )


def _nested(condition: Condition) -> Condition:
    if condition.nesting >= MAX_NESTING:
        raise FilterError(f"at most {MAX_NESTING} levels of not and parentheses", 0)
    return condition._replace(nesting=condition.nesting + 1)


def _text(literal: Token) -> str:
    quote = literal[0]
    return literal[1:-1].replace(quote * 2, quote)


def _microseconds(literal: Token) -> int:
    try:
        moment = datetime.fromisoformat(_text(literal) if literal.type == "TEXT" else "")
        return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000_000)
    except (ValueError, OverflowError):
        raise FilterError("a time in quotes, such as '2026-01-31T12:00:00Z'", literal.start_pos or 0) from None
