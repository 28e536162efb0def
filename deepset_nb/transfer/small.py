"""A job's state as a notebook keeps it: at most 64 kB, however long names, reasons and notes are."""

from __future__ import annotations

import json
from typing import Any

from .progress import JobState

MOST_BYTES = 60_000  # of JSON as notebooks write it; a widget has a little more to keep than this
_LENGTHS = (240, 120, 50)  # fifty failures of three texts fit at the last, whatever they are made of
_TEXTS = ("headline", "detail", "note", "target", "failures")


def small(state: JobState) -> JobState:
    """The state, with its texts shortened as far as need be; the receipt has them whole."""
    for longest in _LENGTHS:
        if len(json.dumps(state, ensure_ascii=False).encode("utf-8", "replace")) <= MOST_BYTES:
            break
        state = {**state, **{name: _shortened(state.get(name), longest) for name in _TEXTS}}  # type: ignore[typeddict-item]
    return state


def _shortened(value: Any, longest: int) -> Any:
    if isinstance(value, dict):
        return {name: _shortened(one, longest) for name, one in value.items()}
    if isinstance(value, list):
        return [_shortened(one, longest) for one in value]
    if isinstance(value, str) and len(value) > longest:
        return f"{value[: longest // 2]}…{value[-longest // 2 :]}"
    return value
