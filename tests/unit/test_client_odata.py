"""Filters on metadata: what is sent is what the reference promises, the rest is looked at here."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deepset_nb.client.odata import filtered_here, fits, wanted
from deepset_nb.errors import InputError
from tests.unit.test_emulator_filter import found

VALUES = st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none()


def test_plain_texts_are_sent_and_joined_by_and() -> None:
    asked = wanted({"category": "news", "lang": "de"}, None)

    assert asked.expression == "category eq 'news' and lang eq 'de'"
    assert filtered_here(asked.unsent, created_after=None) == []


@pytest.mark.parametrize(
    "meta",
    [
        {"year": 2024},
        {"draft": True},
        {"author": "O'Brien"},
        {"author": 'say "hello"'},
        {"path": "a\\b"},
        {"note": "two\nlines"},
        {"topic": ""},
        {"topic": " news"},
        {"odd key": "x"},
        {"a/b": "x"},
        {"and": "x"},
        {"created_at": "2024"},
        {"topic": ["news", "sport"]},
        {"author": {"name": "Ada"}},
        {"topic": "x" * 2_000},
    ],
)
def test_what_the_reference_does_not_promise_is_not_sent(meta: dict[str, Any]) -> None:
    asked = wanted(meta, None)

    assert asked.expression is None
    assert repr(next(iter(meta))) in filtered_here(asked.unsent)[0]
    assert asked.matches(meta)
    assert not asked.matches({})


def test_an_expression_of_the_users_own_is_sent_as_it_is_and_nothing_is_added() -> None:
    asked = wanted({"topic": "news"}, "a eq 'x' or b eq 'y'")

    assert asked.expression == "a eq 'x' or b eq 'y'"
    assert asked.unsent == ("topic",)


@pytest.mark.parametrize("key", ["", 1, None])
def test_a_key_that_is_no_text_is_refused(key: Any) -> None:
    with pytest.raises(InputError, match="key"):
        wanted({key: "x"}, None)


@pytest.mark.parametrize(
    ("asked", "held", "answer"),
    [
        ("news", "news", True),
        ("news", ["sport", "news"], True),
        (["news", "sport"], "sport", True),
        (["news"], ["sport"], False),
        (1, True, False),
        (True, 1, False),
        (1, 1.0, True),
        ("1", 1, False),
        (None, None, True),
        ({"a": 1}, {"a": 1}, True),
    ],
)
def test_values_are_compared_as_json_has_them(asked: object, held: object, answer: bool) -> None:
    assert fits(asked, held) is answer


@given(st.dictionaries(st.text(min_size=1), VALUES, max_size=4))
@example({"a": "' or '1' eq '1"})
@example({"a": "x' and b eq 'y"})
def test_no_value_gets_out_of_its_quotes(meta: dict[str, Any]) -> None:
    """What is sent is understood by the grammar, and finds the very files that it should."""
    asked = wanted(meta, None)
    if asked.expression is not None:
        others = [meta | {key: f"{meta[key]}?"} for key in set(meta) - set(asked.unsent)]
        assert found(asked.expression, meta, *others) == [0]
