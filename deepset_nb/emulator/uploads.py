"""Uploading a file directly, in one request (platform API reference)."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from .forms import FormError, FormReader, Incoming, arriving
from .meta_rules import BadMeta, TooMuchMeta, parse_meta
from .platform import Here, Platform, Workspace
from .records import NameTaken, add_file

router = APIRouter(prefix="/workspaces/{workspace_name}", tags=["files"])

_FORM: dict[str, Any] = {  # read as it comes, so FastAPI does not know it
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "text": {"type": "string"},
                        "meta": {"type": "string", "default": "{}"},
                    },
                }
            }
        },
    }
}


@router.post("/files", status_code=201, openapi_extra=_FORM)
async def upload_file(
    workspace_name: str,
    request: Request,
    platform: Here,
    write_mode: Literal["KEEP", "OVERWRITE", "FAIL"] = "KEEP",
    file_name: str | None = None,
) -> Response:
    """Upload one file, or a text with ``file_name``, in a multipart form with an optional ``meta``."""
    return await _upload(workspace_name, request, platform, file_name, write_mode)


@router.post("/temporary_files", status_code=201, openapi_extra=_FORM)
async def upload_temporary_file(
    workspace_name: str, request: Request, platform: Here, file_name: str | None = None
) -> Response:
    """Upload a file that goes by itself after a while."""
    return await _upload(workspace_name, request, platform, file_name, "TEMPORARY")


async def _upload(
    workspace_name: str, request: Request, platform: Platform, file_name: str | None, write_mode: str
) -> Response:
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
        await form.read(arriving(request, platform.config.idle_timeout_s))
        name, received = _content(form, platform, file_name)
        return await run_in_threadpool(_add, platform, workspace, form, name, received, write_mode)
    except FormError as error:
        raise HTTPException(400, str(error)) from None
    except TimeoutError:
        raise HTTPException(408, "The body stopped coming.", {"Connection": "close"}) from None
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
        meta = parse_meta(form.fields.get("meta") or "{}", choices)
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
                platform.marks,
                workspace_id=workspace.id,
                name=name,
                blob=blob,
                size=received.size,
                meta=meta,
                write_mode=write_mode,
            )
    except NameTaken:
        platform.store.discard([blob])
        raise HTTPException(409, f"There is a file called {name!r} already.") from None
    except BadMeta as error:
        platform.store.discard([blob])
        raise HTTPException(400, str(error)) from None
    platform.store.discard(superfluous)
    return JSONResponse({"file_id": file_id}, 201)


def _missing(part: str) -> RequestValidationError:
    return RequestValidationError([{"type": "missing", "loc": ("body", part), "msg": "Field required", "input": None}])
