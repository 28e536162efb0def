"""A listing of files by cursor: page after page, the next one asked for while the last one is worked on.

By cursor, not by page number: only so do filters work (platform API reference: list files), and only so does a file
that comes or goes meanwhile neither hide another one nor show it twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from ..errors import ApiError
from .paging import MOST_ROWS

MANY_ROWS = 1_000  # no page promises that more than 100 are taken: asked for once, where a listing is long
_REFUSALS = (400, 422)

Ask = Callable[[dict[str, Any]], Awaitable[Any]]

_takes_many: dict[str, bool] = {}  # host -> whether it answered a large page, so that it is asked once a kernel


async def by_cursor(
    ask: Ask, params: dict[str, Any], *, host: str, by_name: bool = False, large: bool = False
) -> AsyncGenerator[Any, None]:
    """Pages in their order; each file comes once, even if pages overlap.

    Args:
        ask: Asks for a page with these parameters.
        params: ``limit`` and filters.
        host: Whom we ask, for its words and its habits.
        by_name: The listing is sorted by name, else by time of creation.
        large: All rows are wanted, however many a page: the next page is asked for ahead, and made as large as the
            platform gives it.

    Raises:
        ApiError: The platform promises more files and sends none.
    """
    seen: set[Any] = set()
    page = await ask(params)
    while True:
        rows = [row for row in page.data if row.file_id not in seen]
        seen.update(row.file_id for row in rows)
        page.data = rows
        if not page.has_more:
            if rows:
                yield page
            return
        if not rows:
            raise ApiError(
                f"{host} says there are more files after {len(seen):,}, but sends none.",
                "Try again; narrow the listing by name= or odata_filter= if it stays so.",
            )
        last = rows[-1]
        params = params | {
            "after_value": last.name if by_name else last.created_at.isoformat(),
            "after_file_id": str(last.file_id),
        }
        if not large:
            yield page
            page = await ask(params)
            continue
        wants_many = page.total - len(seen) > MANY_ROWS
        following = asyncio.ensure_future(_many(ask, params, host) if wants_many else ask(params))
        try:
            yield page
            page = await following
        finally:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await following


async def _many(ask: Ask, params: dict[str, Any], host: str) -> Any:
    """A page that is larger than the reference allows, where the platform turns out to give it."""
    if _takes_many.get(host, True):
        try:
            page = await ask(params | {"limit": MANY_ROWS})
        except ApiError as error:
            if error.status not in _REFUSALS:
                raise
            _takes_many[host] = False
        else:
            _takes_many[host] = True
            return page
    return await ask(params | {"limit": MOST_ROWS})
