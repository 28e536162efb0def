"""The content of a file, under way: which bytes an answer holds."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx


@dataclass(frozen=True)
class Content:
    """The content of a file, under way.

    Attributes:
        pieces: The bytes from ``start`` on.
        start: Where they begin: where it was asked for, or 0.
        total: Bytes of the whole file, if the platform says so.
        etag: What the platform calls this version of the content, or nothing.
    """

    pieces: AsyncIterator[bytes]
    start: int
    total: int | None
    etag: str


def range_of(response: httpx.Response) -> tuple[int, int | None]:
    """The first byte an answer holds, -1 for a part that does not say, and the size of the whole if it is known."""
    if response.status_code != 206:
        return 0, length_of(response)
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("content-range", ""))
    return (int(found[1]), int(found[2]) if found[2] != "*" else None) if found else (-1, None)


def length_of(response: httpx.Response) -> int | None:
    length = response.headers.get("content-length", "")
    return int(length) if length.isdecimal() else None
