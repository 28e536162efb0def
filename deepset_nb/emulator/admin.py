"""Endpoints of the sandbox itself, under ``/_sandbox``, with a key of their own.

They let whoever joins a running sandbox have a room of their own, fill it, begin afresh in it, and break things on
purpose.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from deepset_nb.errors import InputError

from . import made_up
from .faults import KINDS
from .platform import Here
from .seed import make_room, reset_room
from .workspaces import NewWorkspace, describe

router = APIRouter(prefix="/_sandbox", tags=["sandbox"])


class NewFaults(BaseModel):
    """Body of the call that activates faults."""

    faults: list[str]


@router.post("/workspaces", status_code=201)
def add_workspace(new: NewWorkspace, platform: Here) -> Response:
    """A room of one's own; 200 where it is there already."""
    if not new.name:
        raise HTTPException(400, "The workspace needs a name.")
    workspace, is_new = make_room(platform, new.name)
    return JSONResponse(describe(workspace), 201 if is_new else 200)


class MadeUp(BaseModel):
    """Body of the call that makes up files."""

    workspace: str
    count: Annotated[int, Field(ge=0, le=made_up.MOST)]


@router.post("/files")
def add_files(wanted: MadeUp, platform: Here) -> Response:
    """Bring a workspace to at least this many files, in bulk."""
    return JSONResponse({"made": made_up.fill(platform, wanted.workspace, wanted.count)})


@router.post("/workspaces/{workspace_name}/reset", status_code=204)
def reset_workspace(workspace_name: str, platform: Here) -> Response:
    """Put a room back to its first day."""
    reset_room(platform, workspace_name)
    return Response(status_code=204)


@router.get("/faults")
def list_faults(platform: Here) -> Response:
    """The active faults, and the table of all there are."""
    known = [{"usage": kind.usage, "effect": kind.effect, "seen": kind.seen} for kind in KINDS.values()]
    return JSONResponse({"active": platform.faults.specs, "known": known})


@router.post("/faults")
def add_faults(new: NewFaults, platform: Here) -> Response:
    """Activate faults, beside those active already."""
    try:
        for spec in new.faults:
            platform.faults.add(spec)
    except InputError as error:
        raise HTTPException(400, str(error)) from None
    return JSONResponse({"active": platform.faults.specs})


@router.delete("/faults")
def clear_faults(platform: Here) -> Response:
    """Back to a healthy platform."""
    platform.faults.clear()
    return JSONResponse({"active": []})
