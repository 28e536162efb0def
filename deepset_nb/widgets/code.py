"""What was clicked, as the line of Python that does the same; it holds names and metadata, never a key."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

_WIDTH = 100


def call_of(
    paths: Sequence[str], write_mode: str, meta: Mapping[str, Any] | None, own: Mapping[str, Mapping[str, Any]]
) -> str:
    """A call of `upload`; empty if there are no files.

    Args:
        paths: Of the files, relative to the folder the code is run in.
        write_mode: For names the workspace already has.
        meta: Metadata of all files.
        own: Metadata of single files, by path; wins key by key.
    """
    if not paths:
        return ""
    before, rest = "", []
    if write_mode != "KEEP":
        rest.append(f"write_mode={literal(write_mode)}")
    if own:
        before = f"own = {literal(own)}\n"
        every = f"{{**{literal(meta)}, **own.get(path.as_posix(), {{}})}}" if meta else "own.get(path.as_posix())"
        rest.append(f"meta=lambda path: {every}")
    elif meta:
        rest.append(f"meta={literal(meta)}")
    call = f"ws.upload({', '.join([literal(list(paths)), *rest])})"
    if len(call) > _WIDTH:
        names = "".join(f"        {literal(path)},\n" for path in paths)
        call = f"ws.upload(\n    [\n{names}    ],\n{''.join(f'    {one},{chr(10)}' for one in rest)})"
    return before + call


def literal(value: object) -> str:
    """A JSON value as Python writes it, with double quotes."""
    if isinstance(value, str):
        return json.dumps(value) if value.isprintable() and value.isascii() else repr(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    return repr(value)
