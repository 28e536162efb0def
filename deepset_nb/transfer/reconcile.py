"""Joining what was sent with what the platform made of it.

``GET upload_sessions/{id}/files`` gives the outcome and reason of every file, but no file id; listings give ids, but
names are not unique. So an id is stated only where exactly one new file of that name and size exists.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from ..client import AsyncClient
from ..errors import DeepsetError
from ..models import FileKey, IngestionStatus, SessionFile
from .receipt import Row
from .session import Session

# Between the platform's own clocks; more would take an earlier upload's file for ours.
CLOCK_SLACK = timedelta(seconds=1)
CLOCK_UNKNOWN = timedelta(minutes=5)  # where the platform does not tell when a session expires
LISTING_TRIES, LISTING_PAUSE_S = 4, 0.5  # listings may lag behind ingestion (platform guides)

DECIDED = (IngestionStatus.FINISHED, IngestionStatus.FAILED)

FINAL = ("EMPTY_FILE", "FAILED_TO_PARSE_META")  # the same file and metadata can only fail again
REASONS: dict[str, tuple[str, str]] = {
    "EMPTY_FILE": ("The platform found the file empty.", "Fill it or leave it out."),
    "FILE_NOT_FOUND": ("The platform lost the file between bucket and ingestion.", "job.retry() sends it again."),
    "FAILED_TO_PARSE_META": ("The platform could not read its metadata.", "Check its .meta.json: a flat JSON object."),
    "FILE_ALREADY_EXISTS": (
        "The workspace already has a file of this name and the write mode is FAIL.",
        'Rename it, or pass write_mode="OVERWRITE" or "KEEP".',
    ),
    "UNKNOWN_ERROR": (
        "The platform could not ingest it and gives no reason.",
        "Check that each metadata key has the same type as in the workspace's other files, then job.retry().",
    ),
}


async def reconcile(client: AsyncClient, workspace: str, session: Session, *, complete: bool) -> None:
    """Give every sent row of a session its outcome and reason."""
    outcomes: dict[str, SessionFile] = {}
    async for page in client.upload_sessions.files(workspace, session.opened.session_id):
        outcomes.update({outcome.name: outcome for outcome in page})
    for row in session.rows:
        if outcome := outcomes.get(row.stored_name):
            row.status = "pending"  # also of a row whose sending seemed to fail: the platform knows better
            _settle(row, outcome, complete)
        elif row.phase == "ingesting":
            _settle(row, None, complete)


async def find_all_ids(client: AsyncClient, workspace: str, sessions: Iterable[Session]) -> None:
    """Fill in the file ids of what was ingested, in one pass over the listing."""
    sessions = [session for session in sessions if session.sent]
    arrived = [row for session in sessions for row in session.sent if row.status == "ok"]
    if not arrived:
        return
    try:
        since, _ = made_between(sessions, datetime.now(UTC))
        await find_ids(client, workspace, arrived, since)
    except DeepsetError as error:  # what is ingested stays so
        for row in arrived:
            if row.file_id is None and row.reason is None:
                row.reason = f"Ingested; its id could not be asked: {error.message}"
                row.remedy = "ws.list_files(name=...) shows it."


def _settle(row: Row, outcome: SessionFile | None, complete: bool) -> None:
    row.phase = "ingested" if outcome and outcome.ingestion_status in DECIDED else "ingesting"
    if outcome and outcome.ingestion_status == IngestionStatus.FAILED:
        code = outcome.ingestion_status_reason or "UNKNOWN_ERROR"
        reason, remedy = REASONS.get(code, (f"The platform refused it: {code}.", "job.retry() sends it again."))
        row.end("failed", reason, remedy)
        row.final = code in FINAL
    elif outcome and outcome.ingestion_status == IngestionStatus.FINISHED:
        row.end("ok")
    elif complete and outcome is None:
        row.phase = "sent"  # and no further: not part of the session's ingestion
        row.end(
            "unaccounted",
            "It was sent, but the platform's list of this session does not name it, as happens to what is sent after "
            "somebody closed the session.",
            "Look for it with ws.list_files(name=...); if it is not there, job.retry() sends it again.",
        )
    else:
        row.end(
            "unaccounted",
            "It was sent; the platform had not ingested it when we stopped watching.",
            "It may still arrive: job.retry() looks again, ws.get_upload_session(session_id).files tells.",
        )


def made_between(sessions: Iterable[Session], ended_at: datetime) -> tuple[datetime, datetime]:
    """From when to when the files of sessions were made, by the platform's clock.

    Args:
        sessions: One or more.
        ended_at: When their ingestion was over, by our clock.
    """
    since, until = [], []
    for session in sessions:
        slack = CLOCK_SLACK if session.opened.expires_at else CLOCK_UNKNOWN
        since.append(session.opened_at + session.clock_ahead - slack)
        until.append(ended_at + session.clock_ahead + slack)
    return min(since), max(until)


async def find_ids(client: AsyncClient, workspace: str, rows: Iterable[Row], since: datetime) -> None:
    """Fill in the file ids of rows from the newest files of the workspace; say so where two would fit."""
    wanted = [row for row in rows if row.file_id is None]
    for attempt in range(LISTING_TRIES):
        if wanted:
            await _look_for(client, workspace, since, wanted)
        wanted = [row for row in wanted if row.file_id is None and row.reason is None]
        if not wanted:
            return
        if attempt < LISTING_TRIES - 1:
            await asyncio.sleep(LISTING_PAUSE_S)
    for row in wanted:
        row.reason = "Ingested; the platform's listing does not show it yet, so its id is not known."
        row.remedy = "ws.list_files(name=...) shows it in a few minutes."


async def _look_for(client: AsyncClient, workspace: str, since: datetime, rows: Iterable[Row]) -> None:
    # Written into the rows page by page: a table of what a hundred thousand files could be takes 50 MB.
    by_name: dict[str, list[Row] | Row] = {}
    for row in rows:
        other = by_name.setdefault(row.stored_name, row)
        if other is not row:
            by_name[row.stored_name] = [*(other if isinstance(other, list) else [other]), row]
    many: dict[tuple[str, int], set[str]] = {}
    async with contextlib.aclosing(client.files.newest(workspace)) as pages:
        async for page in pages:
            for file in page:
                named = by_name.get(file.name)
                if named is None or file.created_at < since:
                    continue
                for row in named if isinstance(named, list) else (named,):
                    if row.size == file.size:
                        _identify(row, file, many)
            if page and page[-1].created_at < since:
                break


def _identify(row: Row, file: FileKey, many: dict[tuple[str, int], set[str]]) -> None:
    """Take the file for the row's, unless another one fits as well. One file may come twice, on two pages."""
    file_id, key = str(file.file_id), (row.stored_name, row.size)
    if row.file_id is None and key not in many:
        row.file_id, row.created_at = file_id, file.created_at.timestamp()
    elif row.file_id != file_id:
        ids = many.setdefault(key, {row.file_id} if row.file_id else set())
        ids.add(file_id)
        row.file_id = row.created_at = None
        row.reason = f"Ambiguous: {len(ids)} files of this name and size arrived since the upload began."
        row.remedy = "ws.list_files(name=...) shows them all."
