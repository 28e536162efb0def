"""Values of metadata: into plain JSON, within the platform's limits, of one type per key."""

from __future__ import annotations

import datetime as dt
import enum
import json
import math
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any
from uuid import UUID

LARGEST_VALUE, LARGEST_META = 32_766, 250_000  # bytes (platform API reference: metadata)
RESERVED = ("id", "_id")  # the platform overwrites or refuses them (platform API reference: metadata)
DEEPEST = 100  # objects and lists within each other; nobody means more

_MISSING = object()
_LEAVE_OUT = "Leave the key out, or give it a text, a number, true or false, or a list of these."


class Unusable(ValueError):
    """Metadata that cannot be sent.

    Args:
        reason: Which, and why.
        remedy: What to do about it.
    """

    def __init__(self, reason: str, remedy: str = _LEAVE_OUT) -> None:
        """Keep both for the row."""
        super().__init__(reason)
        self.reason, self.remedy = reason, remedy


def plain(meta: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata with values that JSON has; pandas' own missing values (NaT, NA) mean no such key.

    Raises:
        Unusable: A value has no such form; names the key.
    """
    return {key: value for key, value in _object(meta, "", 0).items() if value is not _MISSING}


def _object(meta: Mapping[Any, Any], path: str, depth: int) -> dict[str, Any]:
    found = {}
    for key, value in meta.items():
        if not isinstance(key, str):
            raise Unusable(f"The metadata key {key!r} is a {type(key).__name__}, not a text.", "Make it a text.")
        found[str(key)] = _value(value, f"{path}.{key}" if path else key, depth)
    return found


def _value(value: object, path: str, depth: int) -> Any:
    kind = type(value)
    if kind is str:
        _check_text(str(value), path)
        return value
    if value is None or kind is bool or kind is int:
        return value
    if isinstance(value, enum.Enum):
        return _value(value.value, path, depth)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Unusable(f"The metadata key {path!r} is {float(value)}, which JSON cannot hold.")
        return float(value)
    if depth > DEEPEST:
        raise Unusable(f"The metadata key {path[:60]!r} is nested too deeply.", "Make it flat.")
    if isinstance(value, Mapping):
        return {key: item for key, item in _object(value, path, depth + 1).items() if item is not _MISSING}
    if isinstance(value, list | tuple):
        items = [_value(item, path, depth + 1) for item in value]
        return [None if item is _MISSING else item for item in items]
    return _unusual(value, path, depth)


def _unusual(value: object, path: str, depth: int) -> Any:
    import numpy as np

    # Pandas need not be loaded for this: its NaT is a datetime, and like every such value not equal to itself.
    is_time = isinstance(value, dt.datetime | np.datetime64 | np.timedelta64)
    if type(value).__name__ == "NAType" or (is_time and value != value):
        return _MISSING
    if isinstance(value, np.datetime64):
        return str(value)  # ISO, as exact as the value is
    if isinstance(value, dt.date | dt.time):  # also datetime, and pandas' Timestamp
        return value.isoformat()
    if isinstance(value, np.bool_ | np.number) and not isinstance(value, np.timedelta64 | np.complexfloating):
        return _value(value.item(), path, depth)
    if isinstance(value, np.ndarray):
        return _value(value.tolist(), path, depth + 1)
    if isinstance(value, str | UUID | PurePath):
        return _value(str(value), path, depth)
    if isinstance(value, int):
        return int(value)
    raise Unusable(f"The metadata key {path!r} is a {type(value).__name__}, which JSON cannot hold.")


def _check_text(text: str, path: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Unusable(f"The metadata key {path!r} holds half a character.", "Decode the text as what it is.") from None


def limits(meta: Mapping[str, Any], size: int) -> None:
    """Compare with what the platform takes.

    Args:
        meta: Plain metadata.
        size: Bytes of its JSON, at least: values are only measured where one could be too large.

    Raises:
        Unusable: A key is reserved, a value or the whole too large.
    """
    for key in RESERVED:
        if key in meta:
            raise Unusable(f"The metadata key {key!r} is reserved by the platform.", "Give it another name.")
    if size <= LARGEST_VALUE:
        return
    for key, value in meta.items():
        if (bytes_ := _measure(value)) > LARGEST_VALUE:
            raise Unusable(
                f"The metadata key {key!r} has {bytes_:,} bytes; the platform takes {LARGEST_VALUE:,}.",
                "Shorten it, or put it into the text.",
            )
    if (total := _measure(meta)) > LARGEST_META:
        raise Unusable(
            f"The metadata has {total:,} bytes; the platform takes {LARGEST_META:,} a file.", "Leave out some keys."
        )


def _measure(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def kind_of(value: object) -> str | None:
    """The type as the platform compares it: a list has that of its items, nothing has none."""
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case dict():
            return "an object"
        case list():
            return next((kind for item in value if (kind := kind_of(item))), None)
        case _:
            return None


def two_types(key: str, kind: str, known: str, where: str) -> str:
    """What is said of a key that is of another type in another file."""
    return (
        f"The metadata key {key!r} is {kind} here and {known} in {where!r}; the platform may refuse a key of two types."
    )


class Kinds:
    """The type of each key over the files of one plan: the platform refuses a key that has two."""

    def __init__(self) -> None:
        """Nothing seen."""
        self._seen: dict[str, tuple[str, str]] = {}

    def differing(self, meta: Mapping[str, Any], path: str) -> str | None:
        """What to say if a key is of another type than in a file before."""
        for key, value in meta.items():
            if (kind := kind_of(value)) is None:
                continue
            known, where = self._seen.setdefault(key, (kind, path))
            if known != kind:
                return two_types(key, kind, known, where)
        return None
