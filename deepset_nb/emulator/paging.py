"""Pages of a listing: numbered, or before and after an id (platform API reference)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from .platform import Here

MAX_LIMIT = 100


async def _limit(platform: Here, limit: Annotated[int, Query(ge=1)] = 10) -> int:
    if limit > MAX_LIMIT and platform.choices.limit_over_100 == "refuse":
        raise RequestValidationError(  # what FastAPI itself says to a value over its maximum
            [
                {
                    "type": "less_than_equal",
                    "loc": ("query", "limit"),
                    "msg": f"Input should be less than or equal to {MAX_LIMIT}",
                    "input": str(limit),
                    "ctx": {"le": MAX_LIMIT},
                }
            ]
        )
    return min(limit, MAX_LIMIT)


Limit = Annotated[int, Depends(_limit)]
PageNumber = Annotated[int | None, Query(ge=1, le=10**9)]  # beyond, the offset would be no integer to SQLite


@dataclass(frozen=True)
class Page:
    """Which part of a listing is asked for."""

    limit: int
    page_number: int | None = None
    before: UUID | None = None
    after: UUID | None = None


async def _page(
    limit: Limit, page_number: PageNumber = None, before: UUID | None = None, after: UUID | None = None
) -> Page:
    if sum(given is not None for given in (page_number, before, after)) > 1:
        raise HTTPException(400, "Use only one of page_number, before and after.")
    return Page(limit, page_number, before, after)


PageQuery = Annotated[Page, Depends(_page)]


def body(rows: list[dict[str, Any]], *, has_more: bool, total: int) -> dict[str, Any]:
    """The JSON of one page."""
    return {"data": rows, "has_more": has_more, "total": total}


def select_page(
    db: sqlite3.Connection,
    table: str,
    where: str,
    values: Sequence[object],
    page: Page,
    *,
    id_column: str,
    newest_first: bool,
) -> tuple[list[sqlite3.Row], bool, int]:
    """Rows of one page in the order they were made, whether more follow, and how many there are in all.

    ``table``, ``where`` and ``id_column`` are SQL of ours, never of a client.
    """
    total = db.execute(f"SELECT count(*) FROM {table} WHERE {where}", values).fetchone()[0]  # noqa: S608
    descending, offset, bound, bounds = newest_first, 0, "", []
    if anchor := page.before or page.after:
        found = db.execute(f"SELECT seq FROM {table} WHERE {id_column} = ?", (str(anchor),)).fetchone()  # noqa: S608
        if found is None:
            raise HTTPException(404, f"There is nothing of id {anchor} to page from.")
        if page.before:
            descending = not descending  # read backwards from the anchor, turned round below
        bound, bounds = f" AND seq {'<' if descending else '>'} ?", [found["seq"]]
    elif page.page_number:
        offset = (page.page_number - 1) * page.limit
    rows = db.execute(
        f"SELECT * FROM {table} WHERE {where}{bound} ORDER BY seq {'DESC' if descending else 'ASC'} LIMIT ? OFFSET ?",  # noqa: S608
        (*values, *bounds, page.limit + 1, offset),
    ).fetchall()
    has_more = len(rows) > page.limit
    rows = rows[: page.limit]
    if page.before:
        rows.reverse()
    return rows, has_more, total
