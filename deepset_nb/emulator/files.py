"""Files of a workspace (platform API reference): list, search and download."""

from __future__ import annotations

import json
import mimetypes
import sqlite3
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from .filter import FilterError, compile_filter
from .paging import Limit, PageNumber
from .platform import Counted, Here, Platform, Workspace
from .store import NEVER_US

COUNTS_KEPT = 100
_FOUND = "listed_us <= ? AND gone_us > ?"  # files come and go by time, too

router = APIRouter(prefix="/workspaces/{workspace_name}/files", tags=["files"])


@router.get("")
async def list_files(
    workspace_name: str,
    platform: Here,
    limit: Limit,
    page_number: PageNumber = None,
    name: str | None = None,
    odata_filter: Annotated[str | None, Query(alias="filter")] = None,
    meta_key: str | None = None,
    meta_value: str | None = None,
    after_value: str | None = None,
    after_file_id: UUID | None = None,
    field: Literal["created_at", "name"] = "created_at",
    order: Literal["ASC", "DESC"] | None = None,
) -> Response:
    """Search and list, by page number or after the last file of the page before."""
    workspace = platform.workspace(workspace_name)
    if page_number and (odata_filter or after_value is not None):
        raise HTTPException(400, "Leave page_number out: filter and after_value only go with cursor paging.")
    if (after_value is None) != (after_file_id is None):
        raise HTTPException(400, "after_value and after_file_id must be given together.")
    searched, values = _search(workspace, platform, name, odata_filter, (meta_key, meta_value))
    now_us = platform.now_us()
    column, descending = (
        {"created_at": "created_us", "name": "name"}[field],
        (order or platform.choices.file_order) == "DESC",
    )
    bound, bounds = "", list[object]()
    if after_value is not None:
        bound = f" AND ({column}, id) {'<' if descending else '>'} (?, ?)"
        bounds = [_microseconds(after_value) if field == "created_at" else after_value, str(after_file_id)]
    direction = "DESC" if descending else "ASC"
    # Which rows is told by an index alone; only those on the page are read.
    order_by = f"ORDER BY {column} {direction}, id {direction}"
    chosen = f"SELECT id FROM files WHERE {searched} AND {_FOUND}{bound} {order_by} LIMIT ? OFFSET ?"  # noqa: S608
    page = f"SELECT * FROM files WHERE id IN ({chosen}) {order_by}"  # noqa: S608
    on_page = (*values, now_us, now_us, *bounds, limit + 1, ((page_number or 1) - 1) * limit)

    def read() -> bytes:
        with platform.store.read() as db:
            total = _total(platform, db, searched, values, now_us)
            rows = db.execute(page, on_page).fetchall()
        here = f"/api/v1/workspaces/{quote(workspace.name, safe='')}/files"
        data = ",".join(_describe(platform, here, row) for row in rows[:limit])
        has_more = "true" if len(rows) > limit else "false"
        return f'{{"data":[{data}],"has_more":{has_more},"total":{total}}}'.encode()

    # Rows found by index cost less than a hop to a thread; what looks at every file must not hold up the others.
    searching = name or odata_filter or meta_key
    return Response(await run_in_threadpool(read) if searching else read(), media_type="application/json")


def _total(platform: Platform, db: sqlite3.Connection, searched: str, values: list[object], now_us: int) -> int:
    """How many files there are; counting looks at each, so a count is kept until a file comes or goes."""
    key = (searched, *values)
    writes, known = platform.store.writes, platform.counted.get(key)
    if known and known.writes == writes and known.from_us <= now_us < known.until_us:
        return known.total
    counted = f"""
        SELECT count(*) FILTER (WHERE {_FOUND}),
            min(coalesce(min(listed_us) FILTER (WHERE listed_us > ?), {NEVER_US}),
                coalesce(min(gone_us) FILTER (WHERE gone_us > ?), {NEVER_US}))
        FROM files WHERE {searched}"""  # noqa: S608
    total, until_us = db.execute(counted, (now_us, now_us, now_us, now_us, *values)).fetchone()
    if len(platform.counted) >= COUNTS_KEPT:
        platform.counted.clear()
    platform.counted[key] = Counted(total, writes, now_us, until_us)
    return int(total)


def _search(
    workspace: Workspace,
    platform: Platform,
    name: str | None,
    odata_filter: str | None,
    meta: tuple[str | None, str | None],
) -> tuple[str, list[object]]:
    choices = platform.choices
    where = "workspace_id = ?"
    values: list[object] = [workspace.id]
    if name and choices.name_case_sensitive:
        where, values = f"{where} AND instr(name, ?)", [*values, name]
    elif name:
        where, values = f"{where} AND instr(folded, ?)", [*values, name.casefold()]
    if meta[0] is not None:
        entry = "SELECT 1 FROM json_each(files.meta) AS entry WHERE entry.key = ? AND CAST(entry.value AS TEXT) = ?"
        where, values = f"{where} AND EXISTS ({entry})", [*values, meta[0], meta[1] or ""]
    if odata_filter:
        try:
            condition, filter_values = compile_filter(odata_filter, lenient=choices.lenient_filter)
        except FilterError as error:
            raise HTTPException(choices.filter_error_status, str(error)) from None
        where, values = f"{where} AND ({condition})", [*values, *filter_values]
    return where, values


@router.get("/{file_id}")
def download_file(workspace_name: str, file_id: UUID, platform: Here) -> Response:
    """The file's bytes."""
    workspace = platform.workspace(workspace_name)
    with platform.store.read() as db:
        file = find_file(db, platform, workspace, file_id)
    path = platform.store.blob_path(file["blob"])
    if not path.exists():
        raise _not_found(workspace, file_id)  # deleted or replaced a moment ago
    kind = mimetypes.guess_type(file["name"])[0] or "application/octet-stream"
    return (FileResponse if platform.choices.range_requests else _WholeFile)(path, media_type=kind)


class _WholeFile(FileResponse):
    """Everything, whatever range was asked for."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del self.headers["accept-ranges"]
        headers = [(name, value) for name, value in scope["headers"] if name != b"range"]
        await super().__call__({**scope, "headers": headers}, receive, send)


@router.get("/{file_id}/documents")
async def list_documents(workspace_name: str, file_id: UUID, platform: Here) -> Response:
    """The documents an index made of the file; the sandbox has no index."""
    workspace = platform.workspace(workspace_name)
    with platform.store.read() as db:
        find_file(db, platform, workspace, file_id)
    return JSONResponse({"data": [], "total": 0})


def find_file(db: sqlite3.Connection, platform: Platform, workspace: Workspace, file_id: UUID) -> sqlite3.Row:
    """A file's record, or the 404 that ends the request."""
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM files WHERE id = ? AND workspace_id = ? AND gone_us > ?",
        (str(file_id), workspace.id, platform.now_us()),
    ).fetchone()
    if row is None:
        raise _not_found(workspace, file_id)
    return row


def _not_found(workspace: Workspace, file_id: UUID) -> HTTPException:
    return HTTPException(404, f"File {file_id} not found in workspace {workspace.name!r}.")


def _describe(platform: Platform, here: str, row: sqlite3.Row) -> str:
    # As text, because the metadata is stored as the JSON it is answered as: no parsing, no writing.
    return (
        f'{{"file_id":"{row["id"]}","url":"{here}/{row["id"]}",'
        f'"name":{json.dumps(platform.faults.shown_name(row["name"]))},"size":{row["size"]},"characters":0,'
        f'"meta":{row["meta"]},"created_at":"{platform.time(row["created_us"])}","languages":null}}'
    )


def _microseconds(text: str) -> int:
    """A time as a number, so that ``Z``, ``+00:00`` and any number of digits compare alike."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError
        return round(moment.timestamp() * 1_000_000)
    except (ValueError, OverflowError):
        raise HTTPException(400, "after_value is not a time with its zone; a + must be sent as %2B.") from None
