"""Watching a closed session: every wait bounded, a stall is a state with words.

The platform tells two counters per session and neither a total nor a state (platform API reference: get session
status). So what counts is how many files the bucket accepted, not how many were asked for.
"""

from __future__ import annotations

import asyncio
import time

from ..client import AsyncClient
from ..errors import ConnectionFailed, ServerError, TooManyRequests
from ..models import IngestionStatus, UploadSessionIngestionStatus
from .progress import Progress
from .session import Session

FIRST_POLL_S, LONGEST_POLL_S = 0.1, 2.0  # quick for the small upload in a cell, gentle for the long one
STALL_S = 90.0  # without any change: said, and waited on
SETTLED_S = 5.0  # the same for a session others closed: what was sent after that never changes
PASSING = (ConnectionFailed, ServerError, TooManyRequests)  # worth asking again later
GIVE_UP_S = 600.0  # without any change: the rows end as unaccounted


async def watch(client: AsyncClient, workspace: str, session: Session, progress: Progress, already: int = 0) -> bool:
    """Poll until every accepted file has an outcome.

    Args:
        client: An open client.
        workspace: The workspace's name.
        session: A closed session.
        progress: Shows how many files are through.
        already: Files of earlier sessions of the same transfer that are through.

    Returns:
        Whether the platform has nothing more to do; False after ten minutes without any change.
    """
    patience = SETTLED_S if session.closed_by_others else STALL_S
    expected, seen, delay, changed = len(session.sent), -1, FIRST_POLL_S, time.monotonic()
    while True:
        try:
            counts = (await client.upload_sessions.status(workspace, session.opened.session_id)).ingestion_status
        except PASSING as error:
            counts = UploadSessionIngestionStatus(0, max(seen, 0))  # nothing learnt; the stall clock goes on
            progress.detail = f"The platform does not answer at the moment: {error.message}"
        through = counts.finished_files + counts.failed_files
        quiet = time.monotonic() - changed
        if through > seen:
            seen, changed, delay, progress.detail = through, time.monotonic(), FIRST_POLL_S, ""
            progress.ingested(already + min(through, expected))
        elif quiet > GIVE_UP_S:
            return False
        elif quiet > STALL_S:
            progress.detail = (
                f"No change for {quiet:.0f} s. The files are on the platform, which ingests them in its own time; "
                f"leaving this page loses nothing. If nothing changes for another {GIVE_UP_S - quiet:.0f} s, we stop "
                "watching, and job.retry() looks again."
            )
        # The counters may hold more than we count: a file whose answer was lost, or those of an earlier try.
        if (through >= expected or quiet > patience) and await _nothing_pending(client, workspace, session):
            return True
        await asyncio.sleep(delay)
        delay = min(delay * 1.5, LONGEST_POLL_S)


async def _nothing_pending(client: AsyncClient, workspace: str, session: Session) -> bool:
    """Whether every file the platform knows of this session has its outcome."""
    pending = client.upload_sessions.files(
        workspace, session.opened.session_id, ingestion_status=IngestionStatus.PENDING
    )
    try:
        async for page in pending:
            if page:
                return False
    except PASSING:
        return False
    return True
