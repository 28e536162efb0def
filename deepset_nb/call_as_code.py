"""The line of Python that does what was just done: for "Copy as Python", and for teachers."""

from __future__ import annotations

import enum
import inspect
import os
from collections.abc import Callable, Mapping
from typing import Any

from .client.addresses import shown

LONGEST = 2_000  # characters of a value; longer ones are named instead
HIDDEN = ("self", "show")


class _NotLiteral(Exception):
    """A value that no literal says, such as a frame or a function."""


def call_as_code(owner: str, method: Callable[..., Any], given: Mapping[str, Any]) -> str:
    """A call as it would be typed: what was given, without what is the default anyway.

    A value that cannot be typed, such as a DataFrame, becomes a variable of the argument's name, and a comment says so.

    Example:
        >>> def upload(self, paths, *, recursive=False, show=True): ...
        >>> call_as_code("ws", upload, {"self": None, "paths": "reports/", "recursive": True, "show": True})
        'ws.upload("reports/", recursive=True)'

    Args:
        owner: Name of the object whose method it is.
        method: The method.
        given: Its arguments by name, such as ``locals()`` at its beginning.
    """
    arguments, variables = [], []
    for name, parameter in inspect.signature(method).parameters.items():
        value = given[name]
        if name in HIDDEN or _is_default(value, parameter.default):
            continue
        try:
            said = _literal(value)
            if len(said) > LONGEST:
                raise _NotLiteral
        except _NotLiteral:
            said = name
            variables.append(f"# {name}: the {type(value).__name__} that was given\n")
        arguments.append(f"{name}={said}" if parameter.kind is parameter.KEYWORD_ONLY else said)
    return f"{''.join(variables)}{owner}.{method.__name__}({', '.join(arguments)})"


def _is_default(value: object, default: object) -> bool:
    try:
        return _literal(value) == _literal(default)
    except _NotLiteral:
        return False


def _literal(value: object) -> str:
    if isinstance(value, enum.Enum):
        return _literal(value.value)
    if isinstance(value, os.PathLike):
        return _literal(os.fspath(value))
    if value is None or isinstance(value, (bool, int)):
        return repr(value)
    if type(value) is str:
        quoted = repr(shown(value))  # of an address nothing that signs it
        plain = quoted[0] == "'" and '"' not in value
        return f'"{quoted[1:-1]}"' if plain else quoted
    if type(value) is float and value - value == 0:  # neither NaN nor infinity
        return repr(value)
    if type(value) is dict:
        return "{" + ", ".join(f"{_literal(key)}: {_literal(one)}" for key, one in value.items()) + "}"
    if type(value) is list:
        return "[" + ", ".join(map(_literal, value)) + "]"
    if type(value) is tuple:
        return "(" + "".join(f"{_literal(one)}, " for one in value).rstrip(" " if len(value) == 1 else ", ") + ")"
    raise _NotLiteral
