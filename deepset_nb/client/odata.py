"""Which files are wanted: what the platform is known to filter, and what is for us to look at.

The reference promises ``key eq 'value'`` joined by ``and`` (platform API reference: list files), and says nothing of
numbers, of quotes within a value or of odd keys. Nothing else is relied on: a filter that a platform understands
otherwise would leave files out without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import InputError

_KEY = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_TEXT = re.compile(r"[^'\"\\\x00-\x1f\x7f]+")  # between single quotes, with nothing that would need an escape
# Words of the language, and names that may mean the file's own rather than its metadata's.
_WORDS = {
    *("and", "or", "not", "eq", "ne", "gt", "ge", "lt", "le", "in", "true", "false", "null", "none"),
    *("created_at", "name", "size", "file_id"),
}
_LONGEST = 1_000  # characters of an expression: it travels in the address


@dataclass(frozen=True)
class Wanted:
    """A filter on metadata, split.

    Attributes:
        expression: What the platform filters, or None.
        meta: What is asked for: key -> value. Looked at here, too: a platform may take the text '5' for the number.
        unsent: Keys that only we look at.
    """

    expression: str | None = None
    meta: dict[str, Any] = field(default_factory=dict)
    unsent: tuple[str, ...] = ()

    def matches(self, meta: Mapping[str, Any]) -> bool:
        """Whether a file with this metadata is wanted; ``odata_filter`` is the platform's to judge."""
        return all(key in meta and fits(value, meta[key]) for key, value in self.meta.items())


def filtered_here(keys: Iterable[str], **arguments: object) -> list[str]:
    """What is said where something is looked at here; nothing where nothing is.

    Args:
        keys: Of the metadata.
        arguments: Of the call, by their names; those that are None ask for nothing.
    """
    looked_at = [*map(repr, keys), *(name for name, value in arguments.items() if value is not None)]
    if not looked_at:
        return []
    keys = ", ".join(looked_at)
    return [f"Filtered here, not by the platform: {keys}."]


def wanted(meta: Mapping[str, Any] | None, odata_filter: str | None) -> Wanted:
    """Split a filter.

    Args:
        meta: Key -> value; a list of values means any of them.
        odata_filter: An expression of the user's own, sent as it is. Nothing is added to it: nobody says how
            ``and`` and ``or`` bind.

    Raises:
        InputError: A key is no text.
    """
    asked = dict(meta or {})
    if odd := [key for key in asked if not isinstance(key, str) or not key]:
        raise InputError(f"meta has the key {odd[0]!r}.", "Keys of metadata are texts that are not empty.")
    if odata_filter:
        return Wanted(odata_filter, asked, tuple(asked))
    sent: dict[str, str] = {}
    for key, value in asked.items():
        part = f"{key} eq '{value}'"
        if _is_promised(key, value) and sum(map(len, sent.values())) + len(part) < _LONGEST:
            sent[key] = part
    return Wanted(" and ".join(sent.values()) or None, asked, tuple(key for key in asked if key not in sent))


def _is_promised(key: str, value: object) -> bool:
    # Spaces at the ends may be trimmed by somebody on the way.
    return (
        isinstance(value, str)
        and value == value.strip()
        and _TEXT.fullmatch(value) is not None
        and _KEY.fullmatch(key) is not None
        and key.lower() not in _WORDS
    )


def fits(asked: object, held: object) -> bool:
    """Whether a value of a file's metadata is the one asked for, or among those asked for, or holds it in its list."""
    if isinstance(asked, list | tuple | set | frozenset):
        return any(fits(one, held) for one in asked)
    if isinstance(held, list) and not isinstance(asked, Mapping):
        return any(_same(asked, one) for one in held)
    return _same(asked, held)


def _same(one: object, other: object) -> bool:
    # True is not 1 in JSON.
    return isinstance(one, bool) == isinstance(other, bool) and one == other
