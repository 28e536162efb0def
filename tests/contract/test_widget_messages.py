"""messages.json: one example of every message and state, held against messages.py here and messages.ts there."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

import msgspec
import pytest

from deepset_nb.widgets import messages, messages_browsers, upload_messages

EXAMPLES: dict[str, Any] = json.loads((Path(__file__).parent / "messages.json").read_text())
SHAPES = {
    name: thing
    for module in (messages, messages_browsers, upload_messages)
    for name, thing in inspect.getmembers(module)
    if is_typeddict(thing)
}
# Made in Python, or only a part of another message.
NOT_SENT = {"Lanes", "Target", "RefusedFile", "ReceiptCounts"}


def unlike(shape: Any, value: Any, where: str = "") -> list[str]:
    """Fields that one side has and the other does not; types are checked by msgspec."""
    if is_typeddict(shape):
        hints = get_type_hints(shape)
        found = [f"{where}.{name}" for name in hints.keys() ^ value.keys()]
        return found + [line for name in hints.keys() & value.keys() for line in unlike(hints[name], value[name], name)]
    if get_origin(shape) is list:
        return [line for item in value for line in unlike(get_args(shape)[0], item, where)]
    if value is not None:
        return [line for part in get_args(shape) if is_typeddict(part) for line in unlike(part, value, where)]
    return []


def test_every_message_has_an_example() -> None:
    assert SHAPES.keys() - NOT_SENT == EXAMPLES.keys()


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_is_what_python_declares(name: str) -> None:
    shape = SHAPES[name]

    assert msgspec.convert(EXAMPLES[name], type=shape, strict=True) == EXAMPLES[name]
    assert unlike(shape, EXAMPLES[name]) == []


def test_a_difference_would_be_seen() -> None:
    assert unlike(upload_messages.Refused, {"kind": "refused", "file": "", "error": {"message": ""}}) == [
        "error.remedy"
    ]
    assert unlike(upload_messages.ListResult, {"files": [{"file": "", "extra": 1}], "meta": ""})
