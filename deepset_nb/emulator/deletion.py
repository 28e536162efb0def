"""Deleting files (platform API reference)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from .files import find_file
from .platform import Here, Platform
from .records import remove_where

router = APIRouter(prefix="/workspaces/{workspace_name}/files", tags=["files"])


class Names(BaseModel):
    """Body of the call that deletes files by their names."""

    names: list[str]


@router.delete("/{file_id}")
def delete_file(workspace_name: str, file_id: UUID, platform: Here) -> Response:
    """Delete one file."""
    workspace = platform.workspace(workspace_name)
    with platform.store.write() as db:
        find_file(db, platform, workspace, file_id)
        blobs = remove_where(db, "id = ?", (str(file_id),))
    platform.store.discard(blobs)
    return _done(platform)


@router.delete("")
def delete_files(workspace_name: str, platform: Here, chosen: Annotated[Names | None, Body()] = None) -> Response:
    """Delete all files of these names. **Without a body: every file of the workspace.**"""
    workspace = platform.workspace(workspace_name)
    everything = chosen is None or (not chosen.names and platform.choices.empty_names_delete == "everything")
    blobs: list[str] = []
    with platform.store.write() as db:
        if chosen is None or everything:
            blobs = remove_where(db, "workspace_id = ?", (workspace.id,))
        else:
            for name in chosen.names:
                known = name.encode(errors="replace").decode()  # half a character is in no name, and no text to SQLite
                blobs += remove_where(db, "workspace_id = ? AND name = ?", (workspace.id, known))
    platform.store.discard(blobs)
    return _done(platform)


def _done(platform: Platform) -> Response:
    return Response(status_code=204) if platform.choices.delete_status == 204 else JSONResponse({})
