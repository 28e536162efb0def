"""Metadata as it is typed: what is wrong with it, and where, by the rules of the plan."""

from __future__ import annotations

import json

import pytest

from deepset_nb.transfer.meta_text import parse_meta
from deepset_nb.transfer.meta_values import LARGEST_VALUE


def test_an_object_is_metadata() -> None:
    assert parse_meta(' {"topic": "news", "year": 2024, "tags": ["a"]} ') == (
        {"topic": "news", "year": 2024, "tags": ["a"]},
        None,
    )


@pytest.mark.parametrize(
    ("text", "reason", "place"),
    [
        ('{"a": 1,\n "b": }', "This is not JSON: Expecting value.", (2, 7)),
        ("{'a': 1}", "This is not JSON: Expecting property name enclosed in double quotes.", (1, 2)),
        ('{"a": NaN}', "Its metadata has the value NaN, which JSON does not know.", (0, 0)),
        ("[1]", "This is a list, not a JSON object.", (1, 1)),
        ("null", "This is null, not a JSON object.", (1, 1)),
        ('{"a": 1,\n   "id": 5}', "The metadata key 'id' is reserved by the platform.", (2, 4)),
        ('{"a": "\\ud800"}', "The metadata key 'a' holds half a character.", (1, 2)),
        (json.dumps({"long": "x" * LARGEST_VALUE}), "The metadata key 'long' has 32,768 bytes", (1, 2)),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text: str, reason: str, place: tuple[int, int]) -> None:
    meta, problem = parse_meta(text)

    assert meta is None
    assert problem is not None
    assert problem.reason.startswith(reason)
    assert (problem.line, problem.column) == place
    assert problem.remedy


def test_what_is_nested_without_end_is_refused_and_nothing_breaks() -> None:
    assert parse_meta('{"a":' * 100_000)[0] is None
