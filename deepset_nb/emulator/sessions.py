"""Upload sessions (platform API reference)."""

from __future__ import annotations

import sqlite3
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel, Field, field_validator
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from .config import BUCKET, Choices
from .ingest import end_session, key_range
from .paging import PageQuery, body, select_page
from .platform import Here, Platform, Workspace

DOCUMENTATION_URL = "https://docs.cloud.deepset.ai/docs/upload-files"

router = APIRouter(prefix="/workspaces/{workspace_name}/upload_sessions", tags=["upload sessions"])


class NewSession(BaseModel):
    """Body of the call that opens a session."""

    write_mode: Literal["KEEP", "OVERWRITE", "FAIL", "TEMPORARY"] = "KEEP"
    parallel_processing_enabled: bool = False
    expires_in_seconds: Annotated[int, Field(ge=1, le=86_400)] | None = 86_400


class Close(BaseModel):
    """Body of the call that closes one."""

    status: Literal["CLOSED"] = "CLOSED"

    @field_validator("status", mode="before")
    @classmethod
    def _any_case(cls, status: object) -> object:
        return status.upper() if isinstance(status, str) else status  # `closed` in the platform's older schema


def open_session(
    db: sqlite3.Connection, platform: Platform, workspace: Workspace, options: NewSession, creator: str = "user"
) -> sqlite3.Row:
    """Add an open session. How many there may be is checked by the endpoint."""
    session_id, created_us = platform.marks.next_id(db, "session", workspace.id), platform.marks.stamp(db, workspace.id)
    life_us = (options.expires_in_seconds or 86_400) * 1_000_000
    db.execute(
        "INSERT INTO sessions (id, workspace_id, write_mode, prefix, status, created_us, expires_us, ends_us, creator) "
        "VALUES (?, ?, ?, ?, 'OPEN', ?, ?, ?, ?)",
        (
            session_id,
            workspace.id,
            options.write_mode,
            platform.prefix(workspace.id, session_id),
            created_us,
            created_us + life_us,
            platform.now_us() + life_us,
            creator,
        ),
    )
    row: sqlite3.Row = db.execute("SELECT * FROM sessions WHERE id = ?", (session_id,)).fetchone()
    return row


@router.post("", status_code=201)
def create_session(
    workspace_name: str, request: Request, platform: Here, options: Annotated[NewSession | None, Body()] = None
) -> Response:
    """Open a session and hand out the form its objects are posted with."""
    workspace, limit = platform.workspace(workspace_name), platform.choices.max_open_sessions
    with platform.store.write() as db:
        (already_open,) = db.execute(
            "SELECT count(*) FROM sessions WHERE workspace_id = ? AND status = 'OPEN' AND ends_us > ?",
            (workspace.id, platform.now_us()),
        ).fetchone()
        if already_open >= limit:
            raise HTTPException(
                platform.choices.open_sessions_status,
                f"The workspace has {already_open} open upload sessions; at most {limit} may be open at a time.",
            )
        session = open_session(db, platform, workspace, options or NewSession())
    return JSONResponse(
        {
            "session_id": session["id"],
            "documentation_url": DOCUMENTATION_URL,
            "expires_at": platform.time(session["expires_us"]),
            "aws_prefixed_request_config": {
                "url": str(request.url.replace(path=f"/bucket/{BUCKET}/", query="")),
                "fields": platform.form(workspace.id, session["id"], session["ends_us"]),
            },
        },
        201,
    )


@router.get("")
async def list_sessions(
    workspace_name: str, platform: Here, page: PageQuery, is_expired: bool | None = None
) -> Response:
    """All sessions of the workspace, or those past (not past) their time."""
    workspace, now_us = platform.workspace(workspace_name), platform.now_us()
    where, values = "workspace_id = ?", list[object]([workspace.id])
    if is_expired is not None:
        expired = "ends_us <= ?"
        if platform.choices.is_expired_means == "never_closed":
            expired += " AND status != 'CLOSED'"
        where, values = f"{where} AND {'' if is_expired else 'NOT '}({expired})", [*values, now_us]
    with platform.store.read() as db:
        rows, has_more, total = select_page(
            db,
            "sessions",
            where,
            values,
            page,
            id_column="id",
            newest_first=platform.choices.newest_session_first,
        )
    listed = [
        {
            "session_id": row["id"],
            "created_by": _creator(platform, row["creator"]),
            "created_at": platform.time(row["created_us"]),
            "expires_at": platform.time(row["expires_us"]),
            "write_mode": row["write_mode"],
            "status": state(row, platform.choices, now_us),
        }
        for row in rows
    ]
    return JSONResponse(body(listed, has_more=has_more, total=total))


@router.get("/{session_id}")
async def get_session(workspace_name: str, session_id: UUID, platform: Here) -> Response:
    """How many files of the session were ingested or refused."""
    workspace = platform.workspace(workspace_name)
    with platform.store.read() as db:
        session = _find(db, workspace, session_id)
        counts = dict(
            db.execute(
                "SELECT status, count(*) FROM ingestions WHERE session_id = ? AND NOT is_sidecar GROUP BY status",
                (session["id"],),
            ).fetchall()
        )
    hidden = min(platform.faults.finished_hidden, counts.get("FINISHED", 0))
    return JSONResponse(
        {
            "session_id": session["id"],
            "expires_at": None if platform.choices.null_expires_at else platform.time(session["expires_us"]),
            "documentation_url": DOCUMENTATION_URL,
            "ingestion_status": {
                "failed_files": counts.get("FAILED", 0),
                "finished_files": counts.get("FINISHED", 0) - hidden,
            },
        }
    )


@router.put("/{session_id}", status_code=204)
def close_session(
    workspace_name: str, session_id: UUID, platform: Here, change: Annotated[Close | None, Body()] = None
) -> Response:
    """End the session; its files are ingested from now on."""
    workspace = platform.workspace(workspace_name)
    now_us, delay_us = platform.now_us(), round(platform.config.ingest_delay_s * 1_000_000)
    with platform.store.write() as db:
        session = _find(db, workspace, session_id)
        status = state(session, platform.choices, now_us)
        if status != "OPEN":
            raise HTTPException(409, f"The upload session {session_id} is not open any more: it is {status}.")
        superfluous = end_session(
            db,
            platform.choices,
            platform.marks,
            session_id=session["id"],
            status="CLOSED",
            prefix=session["prefix"],
            due_us=now_us + delay_us,
        )
    platform.store.discard(superfluous)
    platform.worker.wake()
    if platform.faults.close_conflicts():
        raise HTTPException(409, f"The upload session {session_id} is not open any more: it is CLOSED.")
    return Response(status_code=204)


@router.get("/{session_id}/files")
async def list_session_files(
    workspace_name: str,
    session_id: UUID,
    platform: Here,
    page: PageQuery,
    ingestion_status: Literal["PENDING", "FAILED", "FINISHED"] | None = None,
) -> Response:
    """What became of each file; nothing before the session is closed."""
    workspace = platform.workspace(workspace_name)
    where, values = "session_id = ?", [str(session_id)]
    if ingestion_status is not None:
        where, values = f"{where} AND status = ?", [*values, ingestion_status]
    with platform.store.read() as db:
        _find(db, workspace, session_id)
        rows, has_more, total = select_page(db, "ingestions", where, values, page, id_column="id", newest_first=False)
    listed = [
        {
            "file_ingestion_id": row["id"],
            "name": row["name"],
            "ingestion_status": row["status"],
            "ingestion_status_reason": row["reason"],
        }
        for row in rows
    ]
    return JSONResponse(body(listed, has_more=has_more, total=total))


def remove_sessions(db: sqlite3.Connection, workspace_id: str) -> list[str]:
    """Forget all sessions of a workspace and what they hold; blobs to discard after the transaction."""
    blobs: list[str] = []
    for session in db.execute("SELECT id, prefix FROM sessions WHERE workspace_id = ?", (workspace_id,)).fetchall():
        objects = ("key >= ? AND key < ?", key_range(session["prefix"]))
        blobs += [blob for (blob,) in db.execute(f"SELECT blob FROM objects WHERE {objects[0]}", objects[1])]  # noqa: S608
        db.execute(f"DELETE FROM objects WHERE {objects[0]}", objects[1])  # noqa: S608
        # What is ingested belongs to files by now; what failed is gone.
        pending = db.execute(
            "SELECT blob, sidecar FROM ingestions WHERE session_id = ? AND status = 'PENDING'", (session["id"],)
        )
        blobs += [blob for row in pending for blob in row if blob]
        db.execute("DELETE FROM ingestions WHERE session_id = ?", (session["id"],))
    db.execute("DELETE FROM sessions WHERE workspace_id = ?", (workspace_id,))
    return blobs


def state(session: sqlite3.Row, choices: Choices, now_us: int) -> str:
    """A session's state as listings show it at this moment."""
    past = session["ends_us"] <= now_us
    if past and (session["status"] == "OPEN" or choices.expired_hides_closed):
        return "EXPIRED"
    status: str = session["status"]
    return status


def _find(db: sqlite3.Connection, workspace: Workspace, session_id: UUID) -> sqlite3.Row:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM sessions WHERE workspace_id = ? AND id = ?", (workspace.id, str(session_id))
    ).fetchone()
    if row is None:
        raise HTTPException(404, f"Upload session {session_id} not found in workspace {workspace.name!r}.")
    return row


def _creator(platform: Platform, creator: str) -> dict[str, Any]:
    given_name, family_name = ("The", "Sandbox") if creator == "sandbox" else ("Sandy", "Box")
    return {"user_id": platform.user_id, "given_name": given_name, "family_name": family_name}
