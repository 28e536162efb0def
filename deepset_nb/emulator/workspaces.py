"""Workspaces and the user behind the key (platform API reference)."""

from __future__ import annotations

import sqlite3
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, field_validator
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from .platform import Here, Platform, Workspace
from .records import remove_where
from .sessions import remove_sessions
from .store import NEVER_US

router = APIRouter(tags=["workspaces"])


class NewWorkspace(BaseModel):
    """Body of the call that makes a workspace."""

    name: str

    @field_validator("name")
    @classmethod
    def _storable(cls, name: str) -> str:
        name.encode()  # JSON can spell half of a character pair, which no reply could carry
        return name


@router.get("/workspaces")
async def list_workspaces(platform: Here) -> Response:
    """All workspaces, as a bare list."""
    return JSONResponse([describe(workspace) for workspace in _all(platform)])


@router.post("/workspaces", status_code=201)
def create_workspace(new: NewWorkspace, platform: Here) -> Response:
    """Make an empty workspace."""
    if len(new.name) <= 3:
        raise HTTPException(400, "The name of a workspace must have more than 3 characters.")
    if len(_all(platform)) >= platform.choices.max_workspaces:
        raise HTTPException(406, f"Your plan allows {platform.choices.max_workspaces} workspaces.")
    try:
        with platform.store.write() as db:
            workspace = platform.new_workspace(db, new.name)
    except sqlite3.IntegrityError:
        raise HTTPException(409, f"There is a workspace called {new.name!r} already.") from None
    return JSONResponse(describe(workspace), 201)


@router.get("/workspaces/{workspace_name}")
async def get_workspace(workspace_name: str, platform: Here) -> Response:
    """One workspace."""
    return JSONResponse(describe(platform.workspace(workspace_name)))


@router.delete("/workspaces/{workspace_name}", status_code=204)
def delete_workspace(workspace_name: str, platform: Here) -> Response:
    """Delete a workspace with everything in it."""
    workspace = platform.workspace(workspace_name)
    with platform.store.write() as db:
        blobs = empty(db, workspace)
        db.execute("DELETE FROM workspaces WHERE id = ?", (workspace.id,))
    platform.store.discard(blobs)
    return Response(status_code=204)


def empty(db: sqlite3.Connection, workspace: Workspace) -> list[str]:
    """Remove everything in a workspace; blobs to discard after the transaction."""
    blobs = remove_where(db, "workspace_id = ?", (workspace.id,))
    blobs += remove_sessions(db, workspace.id)
    db.execute("DELETE FROM meta_kinds WHERE workspace_id = ?", (workspace.id,))
    return blobs


@router.get("/workspaces/{workspace_name}/stats")
async def get_stats(workspace_name: str, platform: Here) -> Response:
    """Counts; the sandbox indexes no documents and answers no searches."""
    workspace = platform.workspace(workspace_name)
    with platform.store.read() as db:
        (files,) = db.execute(
            "SELECT count(*) FROM files WHERE workspace_id = ? AND gone_us = ?", (workspace.id, NEVER_US)
        ).fetchone()
    return JSONResponse(
        {"average_response_time": 0, "document_count": 0, "file_count": files, "search_request_count": 0}
    )


@router.get("/me")
async def get_me(platform: Here) -> Response:
    """The user the key belongs to, and their organisation."""
    return JSONResponse(
        {
            "user_id": platform.user_id,
            "given_name": "Sandy",
            "family_name": "Box",
            "email": "sandy@example.org",
            "oauth_provider": "sandbox",
            "deleted": False,
            "organization": {
                "name": "Sandbox",
                "organization_id": platform.organisation_id,
                "role": "Admin",
                "workspaces": [{"name": workspace.name, "role": "Admin"} for workspace in _all(platform)],
            },
        }
    )


def describe(workspace: Workspace) -> dict[str, Any]:
    """A workspace as the API shows it."""
    return {
        "name": workspace.name,
        "workspace_id": workspace.id,
        "languages": {"en": True},
        "default_idle_timeout_in_seconds": 43_200,
    }


def _all(platform: Platform) -> list[Workspace]:
    with platform.store.read() as db:
        rows = db.execute("SELECT id, name FROM workspaces ORDER BY created_us, name").fetchall()
    return [Workspace(*row) for row in rows]
