"""Metadata as somebody types it: JSON that the platform takes, or what is wrong with it and where."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from .meta import decode_strictly
from .meta_values import Unusable, limits, plain

_OBJECT = 'Write a JSON object, such as {"topic": "news"}.'
_KEY = re.compile(r"key '(.+?)'")


@dataclass(frozen=True)
class Misread:
    """Why a text is no metadata; line and column count from 1 and are 0 where it has no place."""

    reason: str
    remedy: str
    line: int = 0
    column: int = 0


def parse_meta(text: str) -> tuple[dict[str, Any] | None, Misread | None]:
    """The metadata that a text says, or what is wrong with it.

    Args:
        text: JSON.

    Returns:
        The object and None, or None and the reason.
    """
    try:
        meta = decode_strictly(text)
        if not isinstance(meta, dict):
            kinds = {list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a number"}
            what = kinds.get(type(meta), "null")
            return None, Misread(f"This is {what}, not a JSON object.", _OBJECT, 1, 1)
        meta = plain(meta)
        limits(meta, len(text.encode()))
    except json.JSONDecodeError as error:
        return None, Misread(f"This is not JSON: {error.msg}.", _OBJECT, error.lineno, error.colno)
    except RecursionError:
        return None, Misread("It is nested too deeply.", "Make it flat.")
    except Unusable as error:
        return None, Misread(error.reason, error.remedy, *_place(text, error.reason))
    except UnicodeEncodeError:
        return None, Misread("It holds half a character.", "Type it once more.")
    return meta, None


def _place(text: str, reason: str) -> tuple[int, int]:
    """Line and column of the key that the reason names."""
    if (named := _KEY.search(reason)) and (at := text.find(json.dumps(named[1], ensure_ascii=False))) >= 0:
        return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    return 0, 0
