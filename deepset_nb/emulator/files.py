"""Files of a workspace (platform API reference, section 5): upload directly, list, download, metadata."""

from __future__ import annotations

import json
import mimetypes
import sqlite3
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, JSONResponse, Response

from .filter import FilterError, compile_filter
from .forms import FormError, FormReader, Incoming
from .paging import Limit, PageNumber, body
from .platform import Here, Platform, Workspace
from .records import BadMeta, NameTaken, TooMuchMeta, add_file, checked_meta

router = APIRouter(prefix="/workspaces/{workspace_name}/files", tags=["files"])


@router.post("", status_code=201)
async def upload_file(
    workspace_name: str,
    request: Request,
    platform: Here,
    write_mode: Literal["KEEP", "OVERWRITE", "FAIL"] = "KEEP",
    file_name: str | None = None,
) -> Response:
    """Upload one file, or a text with ``file_name``, in a multipart form with an optional ``meta``."""
    workspace = await run_in_threadpool(platform.workspace, workspace_name)
    limit = platform.choices.direct_limit_bytes
    if int(request.headers.get("Content-Length", 0)) > limit + 1024**2:  # certain already: spare the reading
        raise HTTPException(413, f"The file is larger than {limit:,} bytes.")
    try:
        form = FormReader(
            request.headers.get("Content-Type", ""),
            platform.store,
            on_file=lambda filename, fields: None,
            max_field_bytes=limit + 1024**2,
            file_last=False,
        )
    except FormError:
        raise _missing("file") from None
    try:
        await form.read(request.stream())
        name, received = _content(form, platform, file_name)
        return await run_in_threadpool(_add, platform, workspace, form, name, received, write_mode)
    except FormError as error:
        raise HTTPException(400, str(error)) from None
    except ClientDisconnect:
        return Response(status_code=400)  # goes nowhere: the connection is gone
    finally:
        if form.file is not None:
            form.file.discard()


def _content(form: FormReader, platform: Platform, file_name: str | None) -> tuple[str, Incoming]:
    if form.file is not None:
        assert form.filename is not None
        return form.filename, form.file
    if "text" not in form.fields:
        raise _missing("file")
    if not file_name:
        raise HTTPException(400, "A text needs a name: pass file_name.")
    form.file = Incoming(platform.store)
    form.file.feed(form.fields["text"].encode())
    return file_name, form.file


def _add(
    platform: Platform, workspace: Workspace, form: FormReader, name: str, received: Incoming, write_mode: str
) -> Response:
    choices = platform.choices
    if not name:
        raise HTTPException(400, "The file has no name.")
    if received.size == 0:
        raise HTTPException(400, f"The file {name!r} is empty.")
    if received.size > choices.direct_limit_bytes:
        raise HTTPException(413, f"The file {name!r} is larger than {choices.direct_limit_bytes:,} bytes.")
    try:
        meta = checked_meta(form.fields.get("meta") or "{}", choices)
    except BadMeta as error:
        raise HTTPException(400, str(error)) from None
    except TooMuchMeta as error:
        raise HTTPException(413, str(error)) from None
    blob = received.keep()
    try:
        with platform.store.write() as db:
            file_id, superfluous = add_file(
                db,
                choices,
                workspace_id=workspace.id,
                name=name,
                blob=blob,
                size=received.size,
                meta=meta,
                write_mode=write_mode,
                now_us=platform.now_us(),
            )
    except NameTaken:
        platform.store.discard([blob])
        raise HTTPException(409, f"There is a file called {name!r} already.") from None
    platform.store.discard(superfluous)
    return JSONResponse({"file_id": file_id}, 201)


@router.get("")
def list_files(
    workspace_name: str,
    platform: Here,
    limit: Limit,
    page_number: PageNumber = None,
    name: str | None = None,
    odata_filter: Annotated[str | None, Query(alias="filter")] = None,
    after_value: str | None = None,
    after_file_id: UUID | None = None,
    field: Literal["created_at", "name"] = "created_at",
    order: Literal["ASC", "DESC"] | None = None,
) -> Response:
    """Search and list, by page number or after the last file of the page before."""
    workspace = platform.workspace(workspace_name)
    where, values = _search(workspace, platform, name, odata_filter)
    if page_number and (odata_filter or after_value is not None):
        raise HTTPException(400, "Leave page_number out: filter and after_value only go with cursor paging.")
    column, descending = (
        {"created_at": "created_us", "name": "name"}[field],
        (order or platform.choices.file_order) == "DESC",
    )
    bound, bounds = "", list[object]()
    if (after_value is None) != (after_file_id is None):
        raise HTTPException(400, "after_value and after_file_id must be given together.")
    if after_value is not None:
        bound = f" AND ({column}, id) {'<' if descending else '>'} (?, ?)"
        bounds = [_microseconds(after_value) if field == "created_at" else after_value, str(after_file_id)]
    direction = "DESC" if descending else "ASC"
    with platform.store.read() as db:
        (total,) = db.execute(f"SELECT count(*) FROM files WHERE {where}", values).fetchone()  # noqa: S608
        rows = db.execute(
            f"SELECT * FROM files WHERE {where}{bound} ORDER BY {column} {direction}, id {direction} LIMIT ? OFFSET ?",  # noqa: S608
            (*values, *bounds, limit + 1, ((page_number or 1) - 1) * limit),
        ).fetchall()
    listed = [_describe(platform, workspace, row) for row in rows[:limit]]
    return JSONResponse(body(listed, has_more=len(rows) > limit, total=total))


def _search(
    workspace: Workspace, platform: Platform, name: str | None, odata_filter: str | None
) -> tuple[str, list[object]]:
    where, values = "workspace_id = ?", list[object]([workspace.id])
    if name and platform.choices.name_case_sensitive:
        where, values = f"{where} AND instr(name, ?)", [*values, name]
    elif name:
        where, values = f"{where} AND instr(folded, ?)", [*values, name.casefold()]
    if odata_filter:
        try:
            condition, filter_values = compile_filter(odata_filter)
        except FilterError as error:
            raise HTTPException(400, str(error)) from None
        where, values = f"{where} AND {condition}", [*values, *filter_values]
    return where, values


@router.get("/{file_id}")
def download_file(workspace_name: str, file_id: UUID, platform: Here) -> Response:
    """The file's bytes."""
    row = _find(platform, workspace_name, file_id)
    media_type = mimetypes.guess_type(row["name"])[0] or "application/octet-stream"
    return FileResponse(platform.store.blob_path(row["blob"]), media_type=media_type)


@router.get("/{file_id}/meta")
def get_meta(workspace_name: str, file_id: UUID, platform: Here) -> Response:
    """The file's metadata."""
    return Response(_find(platform, workspace_name, file_id)["meta"], media_type="application/json")


def _find(platform: Platform, workspace_name: str, file_id: UUID) -> sqlite3.Row:
    workspace = platform.workspace(workspace_name)
    with platform.store.read() as db:
        row: sqlite3.Row | None = db.execute(
            "SELECT * FROM files WHERE id = ? AND workspace_id = ?", (str(file_id), workspace.id)
        ).fetchone()
    if row is None:
        raise HTTPException(404, f"File {file_id} not found in workspace {workspace.name!r}.")
    return row


def _describe(platform: Platform, workspace: Workspace, row: sqlite3.Row) -> dict[str, Any]:
    return {
        "file_id": row["id"],
        "url": f"/api/v1/workspaces/{quote(workspace.name, safe='')}/files/{row['id']}",
        "name": row["name"],
        "size": row["size"],
        "characters": 0,
        "meta": json.loads(row["meta"]),
        "created_at": platform.time(row["created_us"]),
        "languages": None,
    }


def _microseconds(text: str) -> int:
    """A time as a number, so that ``Z``, ``+00:00`` and any number of digits compare alike."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError
    except ValueError:
        raise HTTPException(400, "after_value is not a time with its zone; a + must be sent as %2B.") from None
    return round(moment.timestamp() * 1_000_000)


def _missing(part: str) -> RequestValidationError:
    return RequestValidationError([{"type": "missing", "loc": ("body", part), "msg": "Field required", "input": None}])
