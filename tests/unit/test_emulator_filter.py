"""The filter expression of the sandbox's file listing."""

from __future__ import annotations

import pytest

from deepset_nb.emulator.filter import FilterError, compile_filter


def test_comparisons_joined_by_and_become_conditions_in_their_order():
    condition, values = compile_filter("topic eq 'rivers' and year EQ \"2024\" AND a.b/c-d eq ''")
    assert condition.count("EXISTS") == 3
    assert condition.count(" AND ") == 2
    assert values == ['$."topic"', "rivers", '$."year"', "2024", '$."a.b/c-d"', ""]


@pytest.mark.parametrize(
    ("literal", "text"),
    [("'it''s'", "it's"), ('"say ""hi"""', 'say "hi"'), ("'a and b eq ''c'''", "a and b eq 'c'"), ("'ä 🦊'", "ä 🦊")],
)
def test_a_quote_within_a_text_is_doubled(literal, text):
    assert compile_filter(f"key eq {literal}")[1][1] == text


@pytest.mark.parametrize(
    ("expression", "position", "expected"),
    [
        ("", 0, "a metadata key"),
        ("'a' eq 'b'", 0, "a metadata key"),
        ("a", 1, "'eq'"),
        ("a = 'b'", 2, "'eq'"),
        ("a ne 'b'", 2, "'eq'"),
        ("a eq", 4, "a text in quotes"),
        ("a eq 5", 5, "a text in quotes"),
        ("a eq 'b", 5, "a text in quotes"),
        ("a eq b", 5, "a text in quotes"),
        ("a eq 'b' or c eq 'd'", 9, "'and' or the end"),
        ("a eq 'b' and", 12, "a metadata key"),
        ("a eq 'b' c", 9, "'and' or the end"),
        ("(a eq 'b')", 0, "a metadata key"),
        ("é eq 'b'", 0, "a metadata key"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_position(expression, position, expected):
    with pytest.raises(FilterError, match=f"position {position}: expected {expected}") as caught:
        compile_filter(expression)
    assert caught.value.position == position


def test_a_key_cannot_leave_its_place_in_the_query():
    with pytest.raises(FilterError):
        compile_filter("a\"]') OR 1=1 -- eq 'b'")
