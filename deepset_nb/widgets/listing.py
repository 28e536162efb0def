"""Rows of a remote listing by their position, fetched page by page as the platform allows; the latest pages are kept.

Numbered   any page can be asked for
Walked     only what follows a row can be asked for: the way to a page goes through those before it
Picked     the platform cannot pick the rows itself: they are picked out of the newest so many
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Generic, TypeVar

from ..client.paging import MOST_ROWS, Page

R = TypeVar("R")

KEPT_PAGES = 40
LOOKED_THROUGH = 1_000  # rows


class Listing(Generic[R]):
    """A listing that somebody looks through.

    Attributes:
        total: How many rows the platform says there are; None while unknown.
        extent: How many rows can be reached, as far as known.
        version: Changes when rows that were handed out may have moved.
    """

    def __init__(self) -> None:
        """Nothing is fetched yet."""
        self.total: int | None = None
        self.extent = 0
        self.version = 0
        self._pages: OrderedDict[int, list[R]] = OrderedDict()
        self._lock = asyncio.Lock()

    async def rows(self, first: int, count: int) -> list[R]:
        """Up to ``count`` rows from position ``first`` on."""
        found: list[R] = []
        for number in range(first // MOST_ROWS, (first + count - 1) // MOST_ROWS + 1):
            page = await self._page(number)
            start = number * MOST_ROWS
            found += page[max(0, first - start) : first + count - start]
            if len(page) < MOST_ROWS:
                break
        return found

    async def _page(self, number: int) -> list[R]:
        if (page := self._kept(number)) is not None:
            return page
        return await self._fetch(number)

    async def _fetch(self, number: int) -> list[R]:
        raise NotImplementedError

    def _kept(self, number: int) -> list[R] | None:
        if number in self._pages:
            self._pages.move_to_end(number)
        return self._pages.get(number)

    def _keep(self, number: int, page: Page) -> list[R]:
        reached = number * MOST_ROWS + len(page.data)
        # A platform that does not count says 0.
        total = page.total if page.total >= reached or not page.data else None
        if self._pages and total != self.total:
            self._pages.clear()
            self.version += 1
        self.total = total
        self.extent = max(self.extent, reached + page.has_more) if total is None else total
        self._pages[number] = rows = list(page.data)
        while len(self._pages) > KEPT_PAGES:
            self._pages.popitem(last=False)
        return rows


class Numbered(Listing[R]):
    """Pages by their number.

    Args:
        fetch: Asks for a page, counted from 1.
    """

    def __init__(self, fetch: Callable[[int], Awaitable[Page]]) -> None:
        """Nothing is fetched yet."""
        super().__init__()
        self._ask = fetch
        self._asking: dict[int, asyncio.Lock] = {}

    async def _fetch(self, number: int) -> list[R]:
        # Two views, or both halves of a page, ask once.
        async with self._asking.setdefault(number, asyncio.Lock()):
            if (page := self._kept(number)) is not None:
                return page
            try:
                return self._keep(number, await self._ask(number + 1))
            finally:
                self._asking.pop(number, None)


class Walked(Listing[R]):
    """Pages one after the other; where each begins is remembered, so that the way back is short.

    Args:
        fetch: Asks for the page after a row, or for the first one.
        on_step: Told how many rows lie behind on the way to a page further down.
    """

    def __init__(self, fetch: Callable[[R | None], Awaitable[Page]], on_step: Callable[[int], None]) -> None:
        """Nothing is fetched yet."""
        super().__init__()
        self._ask = fetch
        self._on_step = on_step
        self._starts: list[R | None] = [None]

    async def _fetch(self, number: int) -> list[R]:
        async with self._lock:
            while (page := self._kept(number)) is None:
                step = min(number, len(self._starts) - 1)
                answer = await self._ask(self._starts[step])
                page = self._keep(step, answer)
                if step == len(self._starts) - 1 and answer.has_more and page:
                    self._starts.append(page[-1])
                elif step < number:
                    return []  # it ends before
                if step < number:
                    self._on_step((step + 1) * MOST_ROWS)
            return page


class Picked(Listing[R]):
    """Rows that meet a condition, out of the newest `LOOKED_THROUGH`.

    Args:
        pages: The whole listing, page by page.
        meets: The condition.

    Attributes:
        looked_through: How many were compared.
    """

    def __init__(self, pages: Callable[[], AsyncGenerator[list[R], None]], meets: Callable[[R], bool]) -> None:
        """Nothing is fetched yet."""
        super().__init__()
        self.looked_through = 0
        self._all = pages
        self._meets = meets
        self._found: list[R] | None = None

    async def _fetch(self, number: int) -> list[R]:
        async with self._lock:
            if self._found is None:
                self._found = await self._pick()
                self.total = self.extent = len(self._found)
        return self._found[number * MOST_ROWS : (number + 1) * MOST_ROWS]

    async def _pick(self) -> list[R]:
        found: list[R] = []
        looked = 0
        pages = self._all()
        try:
            async for page in pages:
                found += [row for row in page if self._meets(row)]
                looked += len(page)
                if looked >= LOOKED_THROUGH:
                    break
        finally:
            await pages.aclose()
        self.looked_through = looked
        return found
