"""Pages: how large one may be, and how several are asked for at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Protocol, TypeVar

from ..errors import InputError

MOST_ROWS = 100  # platform API reference: pagination
AHEAD = 4  # pages on their way at a time: a listing of 10,000 rows is 100 round trips, one after the other


class Page(Protocol):
    """What the platform answers."""

    data: list[Any]
    has_more: bool
    total: int


P = TypeVar("P", bound=Page)


def rows_per_page(batch_size: int) -> int:
    """What to ask for when the user wants ``batch_size``.

    Raises:
        InputError: ``batch_size`` is below 1.
    """
    if batch_size < 1:
        raise InputError(f"batch_size is {batch_size}.", "Give at least 1; pages hold at most 100 rows.")
    return min(batch_size, MOST_ROWS)


async def numbered_pages(fetch: Callable[[int], Awaitable[P]], rows: int = MOST_ROWS) -> AsyncGenerator[P, None]:
    """All pages in order, some of them asked for ahead; leaving early cancels these.

    Args:
        fetch: Asks for a page by its number, counted from 1.
        rows: Rows a page.
    """
    page = await fetch(1)
    yield page
    last = -(-page.total // rows)
    number, ahead = 2, deque[asyncio.Future[P]]()
    try:
        while page.has_more and page.data:
            # What the total promises is asked for ahead; should there be more, one page after the other.
            while len(ahead) < AHEAD and (number <= last or not ahead):
                ahead.append(asyncio.ensure_future(fetch(number)))
                number += 1
            page = await ahead.popleft()
            yield page
    finally:
        for task in ahead:
            task.cancel()
        await asyncio.gather(*ahead, return_exceptions=True)
