"""How upload sessions stand, in words, and what to do next: as text and as code."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ..client import AsyncClient
from ..errors import DeepsetError
from ..models import IngestionStatus, UploadSessionDetail, UploadSessionState

AT_A_TIME = 8
SLOW = timedelta(hours=1)  # ingestion that takes longer is worth a question to the platform's people


@dataclass(frozen=True)
class Diagnosis:
    """One session.

    Attributes:
        finished: Files ingested; None where it could not be asked.
        failed: Files refused.
        pending: Files waiting; None for an open session, of which the platform does not tell.
        verdict: How it stands.
        next_action: What to do; None where nothing is to be done.
        code: The same as a line of Python.
    """

    finished: int | None = None
    failed: int | None = None
    pending: int | None = None
    verdict: str = ""
    next_action: str | None = None
    code: str | None = None


async def diagnose(client: AsyncClient, workspace: str, sessions: Sequence[UploadSessionDetail]) -> list[Diagnosis]:
    """A diagnosis each; what cannot be asked is said in its verdict."""
    gate, now = asyncio.Semaphore(AT_A_TIME), datetime.now(UTC)

    async def one(session: UploadSessionDetail) -> Diagnosis:
        async with gate:
            try:
                return await _diagnosed(client, workspace, session, now)
            except DeepsetError as error:
                return Diagnosis(verdict=f"It could not be asked: {error.message}", next_action=error.remedy or None)

    return list(await asyncio.gather(*map(one, sessions)))


async def _diagnosed(client: AsyncClient, workspace: str, session: UploadSessionDetail, now: datetime) -> Diagnosis:
    is_open, pending = session.status == UploadSessionState.OPEN, None
    if not is_open:  # before the counts: a file that is ingested in between is counted twice, never lost
        page = await client.upload_sessions.files_page(
            workspace, session.session_id, rows=1, ingestion_status=IngestionStatus.PENDING
        )
        pending = page.total or len(page.data)
    counts = (await client.upload_sessions.status(workspace, session.session_id)).ingestion_status
    judge = _open if is_open else _closed
    verdict, action, code = judge(session, counts.finished_files, counts.failed_files, pending or 0, now)
    return Diagnosis(counts.finished_files, counts.failed_files, pending, verdict, action, code)


Words = tuple[str, str | None, str | None]


def _open(session: UploadSessionDetail, finished: int, failed: int, pending: int, now: datetime) -> Words:
    verdict = f"Open for {lasting(now - session.created_at)}"
    verdict += f", {finished + failed:,} ingested" if finished + failed else ", nothing ingested yet"
    if session.expires_at is not None:
        left = session.expires_at - now
        verdict += f"; closes by itself in {lasting(left)}" if left > timedelta(0) else "; past its time"
    action = "Run its upload again to go on into it, or close it: then what was sent is ingested."
    return f"{verdict}.", action, f"ws.close_upload_session({str(session.session_id)!r})"


def _closed(session: UploadSessionDetail, finished: int, failed: int, pending: int, now: datetime) -> Words:
    total = finished + failed + pending
    look = f"ws.get_upload_session({str(session.session_id)!r}).files"
    if not total:
        return "No files in it.", None, None
    if pending:
        verdict = f"Ingesting: {finished + failed:,} of {total:,} done" + (f", {failed:,} failed." if failed else ".")
        if now - session.created_at > SLOW:
            return verdict, "It takes long: ask again later, then the platform's support with the session's id.", look
        return verdict, "Wait: it goes on by itself.", look
    if failed:
        action = "Read the reasons, repair these files and send them again."
        return f"{failed:,} of {total:,} failed.", action, f"""{look}.query("status == 'FAILED'")"""
    return ("All files are ingested." if total > 1 else "The file is ingested."), None, None


def lasting(span: timedelta) -> str:
    """``5 min``, ``20 h``, ``3 days``."""
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"
