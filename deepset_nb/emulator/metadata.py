"""A file's metadata after its upload (platform API reference)."""

from __future__ import annotations

import sqlite3
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from .files import find_file
from .meta_rules import BadMeta, TooMuchMeta, check_meta, merge_meta
from .platform import Here, Platform, Workspace
from .records import change_meta, meta_of

router = APIRouter(prefix="/workspaces/{workspace_name}/files", tags=["metadata"])

Meta = Annotated[dict[str, Any], Body()]


@router.get("/{file_id}/meta")
async def get_meta(workspace_name: str, file_id: UUID, platform: Here) -> Response:
    """The metadata object itself."""
    workspace = platform.workspace(workspace_name)
    with platform.store.read() as db:
        file = find_file(db, platform, workspace, file_id)
    return Response(file["meta"], media_type="application/json")


@router.put("/{file_id}/meta")
def put_meta(workspace_name: str, file_id: UUID, platform: Here, meta: Meta) -> Response:
    """Give the file this metadata."""
    return _change(platform, workspace_name, file_id, meta, merge=platform.choices.put_meta == "merge")


@router.patch("/{file_id}/meta")
def patch_meta(workspace_name: str, file_id: UUID, platform: Here, meta: Meta) -> Response:
    """Change some keys; null removes one."""
    return _change(platform, workspace_name, file_id, meta, merge=True)


@router.post("/update-meta")
def update_meta(
    workspace_name: str, platform: Here, changes: Annotated[dict[UUID, dict[str, Any]], Body()]
) -> Response:
    """Change keys of many files; null, or the text "None", removes one. What fails is told for each file."""
    workspace = platform.workspace(workspace_name)
    failed: list[dict[str, str]] = []
    with platform.store.write() as db:
        for file_id, meta in changes.items():
            try:
                file = find_file(db, platform, workspace, file_id)
                _store(db, platform, workspace, file, meta, removing=("None",))
            except HTTPException as error:
                kind = {404: "FileNotFound", 413: "MetadataTooLarge"}.get(error.status_code, "InvalidMetadata")
                failed.append({"file_id": str(file_id), "error_type": kind, "error_message": error.detail})
    reply: dict[str, Any] = {"failed_count": len(failed), "failed_files": failed}
    if platform.choices.bulk_meta_extra_fields:
        reply |= {"updated_count": len(changes) - len(failed), "total_count": len(changes)}
    return JSONResponse(reply)


def _change(platform: Platform, workspace_name: str, file_id: UUID, meta: dict[str, Any], *, merge: bool) -> Response:
    workspace = platform.workspace(workspace_name)
    with platform.store.write() as db:
        file = find_file(db, platform, workspace, file_id)
        _store(db, platform, workspace, file, meta, removing=() if merge else None)
        stored = find_file(db, platform, workspace, file_id)["meta"]
    return Response(stored, media_type="application/json")


def _store(
    db: sqlite3.Connection,
    platform: Platform,
    workspace: Workspace,
    file: sqlite3.Row,
    changes: dict[str, Any],
    *,
    removing: tuple[str, ...] | None,
) -> None:
    meta = changes if removing is None else merge_meta(meta_of(file), changes, removing=removing)
    try:
        checked = check_meta(meta, platform.choices)
        change_meta(db, platform.choices, workspace.id, file["id"], checked)
    except TooMuchMeta as error:
        raise HTTPException(413, str(error)) from None
    except BadMeta as error:
        raise HTTPException(400, str(error)) from None
