"""The filter expression of the sandbox's file listing, over metadata in SQLite."""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
from typing import Any

import pytest

from deepset_nb.emulator.filter import FilterError, compile_filter

HERE_US = 1_767_225_600_000_000  # 2026-01-01


def found(expression: str, *metas: dict[str, Any], lenient: bool = False) -> list[int]:
    """The indices of the metadata an expression finds; each file is a day younger than the one before."""
    condition, values = compile_filter(expression, lenient=lenient)
    with sqlite3.connect(":memory:") as db:
        db.execute("CREATE TABLE files (id INTEGER, meta TEXT, created_us INTEGER)")
        rows = [(n, json.dumps(meta), HERE_US + n * 86_400_000_000) for n, meta in enumerate(metas)]
        db.executemany("INSERT INTO files VALUES (?, ?, ?)", rows)
        answer = [row[0] for row in db.execute(f"SELECT id FROM files WHERE 1 AND ({condition}) ORDER BY id", values)]
    db.close()
    return answer


TYPED: list[dict[str, Any]] = [
    {"a": "x"},
    {"a": 5},
    {"a": 5.5},
    {"a": True},
    {"a": None},
    {},
    {"a": ["x", 5]},
    {"a": "5"},
]


@pytest.mark.parametrize(
    ("expression", "indices"),
    [
        ("a eq 'x'", [0, 6]),
        ("a EQ 'x'", [0, 6]),
        ('a eq "x"', [0, 6]),
        ("a ne 'x'", [1, 2, 3, 4, 5, 7]),
        ("a eq 5", [1, 6]),
        ("a eq '5'", [1, 6, 7]),
        ("a ne 5", [0, 2, 3, 4, 5, 7]),
        ("a gt 5", [2]),
        ("a ge 5", [1, 2, 6]),
        ("a lt 5.5", [1, 6]),
        ("a le +55e-1", [1, 2, 6]),
        ("a gt '4'", [0, 1, 2, 6, 7]),
        ("a ge 'w'", [0, 6]),
        ("a eq true", [3]),
        ("a eq 'true'", [3]),
        ("a ne TRUE", [0, 1, 2, 4, 5, 6, 7]),
        ("a eq false", []),
        ("a eq null", [4, 5]),
        ("a ne null", [0, 1, 2, 3, 6, 7]),
        ("a eq 'x' and a eq 5", [6]),
        ("  a   eq 'x'\tAND\na  ne  7 ", [0, 6]),
        ("a ge -1e999", [1, 2, 6]),
        ("a eq 99999999999999999999999", []),
    ],
)
def test_each_operator_compares_each_type_by_its_rule(expression: str, indices: list[int]) -> None:
    assert found(expression, *TYPED) == indices


@pytest.mark.parametrize("key", ["a.b", "a/b"])
def test_a_nested_key_and_a_key_of_that_very_name_are_both_found(key: str) -> None:
    nested, flat, other = {"a": {"b": "x"}}, {key: "x"}, {"a": {"c": "x"}}
    assert found(f"{key} eq 'x'", nested, flat, other) == [0, 1]
    assert found("a.b/c-d_1 eq 1", {"a": {"b": {"c-d_1": 1}}}) == [0]


def test_an_object_is_no_value_and_its_entries_are_not_those_of_its_key() -> None:
    metas: list[dict[str, Any]] = [{"a": {"b": "x"}}, {"a": [{"b": "x"}]}, {"a": {}}]
    assert found("a eq 'x'", *metas) == found("a eq null", *metas) == []
    assert found("a ne null", *metas) == [0, 1, 2]


@pytest.mark.parametrize("key", ["android", "order", "not_x", "null", "true", "eq", "notes", "_x", "or-1", "and.b"])
def test_a_key_may_begin_with_or_be_a_word_of_the_grammar(key: str) -> None:
    for lenient in (False, True):
        assert found(f"{key} eq 1 and {key} lt 2", {key: 1}, lenient=lenient) == [0]


@pytest.mark.parametrize(
    ("expression", "indices"),
    [
        ("created_at ge '2026-01-02T00:00:00Z'", [1, 2]),
        ("created_at lt '2026-01-02T01:00:00+01:00'", [0]),
        ("created_at gt '2026-01-02'", [2]),
        ("created_at eq '2026-01-01T00:00:00.000000+00:00'", [0]),
        ("created_at ne '2026-01-01' and a eq 1", [1]),
    ],
)
def test_created_at_is_compared_as_a_time(expression: str, indices: list[int]) -> None:
    assert found(expression, {"a": 1}, {"a": 1}, {"a": 2, "created_at": "2026-01-01"}) == indices


@pytest.mark.parametrize(
    ("literal", "text"),
    [("'it''s'", "it's"), ('"say ""hi"""', 'say "hi"'), ("'a and b eq ''c'''", "a and b eq 'c'"), ("'ä 🦊'", "ä 🦊")],
)
def test_a_quote_within_a_text_is_doubled(literal: str, text: str) -> None:
    assert found(f"key eq {literal}", {"key": text}, {"key": text + "."}) == [0]


@pytest.mark.parametrize(
    ("expression", "indices"),
    [
        ("a eq 1 or b eq 2", [0, 1, 2]),
        ("a eq 1 and b eq 2 or b eq 3", [1, 3]),
        ("b eq 3 or a eq 1 and b eq 2", [1, 3]),
        ("a eq 1 and (b eq 2 or b eq null)", [0, 1]),
        ("not a eq 1", [2, 3]),
        ("not (a eq 1 or b eq 2)", [3]),
        ("not not a eq 1 AND NOT b eq 2", [0]),
    ],
)
def test_or_not_and_parentheses_are_there_for_the_lenient_and_refused_otherwise(
    expression: str, indices: list[int]
) -> None:
    assert found(expression, {"a": 1}, {"a": 1, "b": 2}, {"b": 2}, {"b": 3}, lenient=True) == indices
    with pytest.raises(FilterError):
        compile_filter(expression)


OPERATORS = "one of eq, ne, gt, ge, lt, le"
LITERALS = "a text in quotes or a number or true or false or null"


@pytest.mark.parametrize(
    ("expression", "position", "expected"),
    [
        ("", 0, "a metadata key"),
        ("   ", 0, "a metadata key"),
        ("'a' eq 'b'", 0, "a metadata key"),
        ("a", 1, OPERATORS),
        ("a = 'b'", 2, OPERATORS),
        ("a like 'b'", 2, OPERATORS),
        ("a eq", 4, LITERALS),
        ("a eq 'b", 5, LITERALS),
        ("a eq b", 5, LITERALS),
        ("a eq 1.2.3", 5, LITERALS),
        ("a eq 'b' or c eq 'd'", 9, "'and' or the end"),
        ("a eq 'b' and", 12, "a metadata key"),
        ("a eq 'b' and ", 12, "a metadata key"),
        ("a eq 'b' c", 9, "'and' or the end"),
        ("(a eq 'b')", 0, "a metadata key"),
        ("é eq 'b'", 0, "a metadata key"),
        ("a gt true", 5, "a text in quotes or a number"),
        ("a lt null", 5, "a text in quotes or a number"),
        ("created_at ge 'yesterday'", 14, "a time in quotes"),
        ("created_at ge 2026", 14, "a time in quotes"),
        ("created_at ge '0001-01-01T00:00+14:00' and created_at eq null", 57, "a time in quotes"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_position_and_what_would_fit(
    expression: str, position: int, expected: str
) -> None:
    with pytest.raises(FilterError, match=f"position {position}: expected {expected}") as caught:
        compile_filter(expression)
    assert caught.value.position == position


@pytest.mark.parametrize(
    "expression",
    [
        " and ".join(["a eq 1"] * 101),
        "not " * 5000 + "a eq 1",
        "(" * 5000 + "a eq 1" + ")" * 5000,
        "(" * 21 + "a eq 1" + ")" * 21,
    ],
)
def test_an_expression_too_large_for_the_database_is_refused(expression: str) -> None:
    with pytest.raises(FilterError, match="at most"):
        compile_filter(expression, lenient=True)


def test_the_largest_expression_is_one_the_database_takes() -> None:
    assert found(" and ".join(["a eq 1"] * 100), {"a": 1}) == [0]
    assert found("not (" * 10 + " or ".join(["a eq 1"] * 100) + ")" * 10, {"a": 1}, lenient=True) == [0]


HOSTILE = [
    "' OR 1=1 --", "'; DROP TABLE files; --", '"]\') OR 1=1 --', "x' UNION SELECT sql FROM sqlite_master --", "%", "\\",
    "$", '$."a"', "?", "a\nb", "\ud83e\udd8a".encode("utf-16", "surrogatepass").decode("utf-16"), "''", '""',
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_hostile_text_is_only_a_text(text: str, quote: str) -> None:
    literal = quote + text.replace(quote, quote * 2) + quote
    assert found(f"a eq {literal}", {"a": text}, {"a": "innocent"}, {}) == [0]
    assert found(f"a ne {literal}", {"a": text}, {"a": "innocent"}, {}) == [1, 2]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_key_is_no_key(text: str) -> None:
    with pytest.raises(FilterError):
        compile_filter(f"{text} eq 'b'")


def test_whatever_is_thrown_at_it_is_either_refused_or_understood_by_the_database() -> None:
    chance = random.Random(1)
    words = ["a", "a/b", "a.", "eq", "ne", "ge", "and", "or", "not", "(", ")", "null", "true", "created_at"]
    literals = ["'x'", '"y"', "5", "-.5e3", "'2026-01-01'", "'", '"', "--", ";", "$", "\\", "é", "\0", "]", ",", "%"]
    understood = 0
    for _ in range(3000):
        pieces = ["a", "eq", chance.choice(literals)] * chance.randint(1, 3)
        pieces[3::3] = ["and a"] * len(pieces[3::3])
        for _ in range(chance.randint(0, 3)):  # wherever it hurts
            pieces[chance.randrange(len(pieces))] = chance.choice(words + literals)
        with contextlib.suppress(FilterError):
            found(" ".join(pieces), {"a": {"b": 1}}, lenient=chance.random() < 0.5)
            understood += 1

    assert 100 < understood < 2900


def test_keywords_and_literals_in_any_order_make_valid_sql() -> None:
    chance = random.Random(2)
    literals = ["'x'", '"5"', "5", "-1.5e3", "null", "true", "FALSE", "''"]
    for _ in range(500):
        parts = []
        for _ in range(chance.randint(1, 6)):
            operator = chance.choice(["eq", "ne", "gt", "ge", "lt", "le"])
            literal = chance.choice(literals[:4] if operator not in ("eq", "ne") else literals)
            parts.append(f"{chance.choice(['a', 'a/b', 'a..b', 'a-', 'b/'])} {operator} {literal}")
        found(" and ".join(parts), {"a": {"b": 1}})
