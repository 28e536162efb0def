"""One upload session, as ``ws.get_upload_session`` returns it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from . import bridge, frames
from .client import AsyncClient
from .errors import InvalidSessionId
from .models import SessionFile, UploadSessionDetail
from .settings import Settings

if TYPE_CHECKING:
    import pandas as pd

SESSIONS_SEARCHED = 1_000  # newest sessions looked through for the state that a session's own record does not tell


@dataclass(frozen=True)
class UploadSession:
    """An upload session: how it stands, and what became of its files.

    Example:
        >>> session = ws.get_upload_session(job.receipt["session_id"][0])  # doctest: +SKIP
        >>> session.finished_files, session.failed_files  # doctest: +SKIP
        >>> session.files  # doctest: +SKIP

    Attributes:
        session_id: UUID of the session.
        status: OPEN, CLOSED or EXPIRED; None when the listing does not name the session.
        created_at: UTC.
        expires_at: UTC; an open session is closed by the platform then. None when the platform does not say.
        write_mode: KEEP, OVERWRITE or FAIL.
        created_by: Name of the person.
        finished_files: Files that were ingested; sidecars do not count (platform API reference: get session status).
        failed_files: Files that were refused.
    """

    session_id: str
    status: str | None
    created_at: datetime | None
    expires_at: datetime | None
    write_mode: str | None
    created_by: str | None
    finished_files: int
    failed_files: int
    _fetch_files: Callable[[], pd.DataFrame] = field(repr=False, compare=False)

    def __repr__(self) -> str:
        words = [f"{self.finished_files:,} files ingested", f"{self.failed_files:,} failed"]
        words += [f"created {self.created_at:%Y-%m-%d %H:%M} UTC"] if self.created_at else []
        words += [f"by {self.created_by}"] if self.created_by else []
        words += (
            [f"open until {self.expires_at:%Y-%m-%d %H:%M} UTC"] if self.status == "OPEN" and self.expires_at else []
        )
        return f"<UploadSession {self.session_id} {self.status or 'of unknown state'}: {', '.join(words)}>"

    @property
    def files(self) -> pd.DataFrame:
        """Per-file outcome, asked from the platform each time.

        Returns:
            Columns ``name status reason`` (string): status is PENDING, FINISHED or FAILED, reason is set for failed
            files, such as EMPTY_FILE or FAILED_TO_PARSE_META (platform API reference: get session files). Empty while
            the session is open.
        """
        return self._fetch_files()


async def fetch_session(settings: Settings, session_id: UUID) -> UploadSession:
    """The session's own record has the counts, the listing has its state: both together."""
    async with AsyncClient(settings) as client:
        record = await client.upload_sessions.status(settings.workspace_name, session_id)
        detail = await _find(client, settings.workspace_name, session_id)
    known = frames.session_record(detail) if detail else {}
    return UploadSession(
        session_id=str(session_id),
        status=known.get("status"),
        created_at=known.get("created_at"),
        expires_at=record.expires_at or known.get("expires_at"),
        write_mode=known.get("write_mode"),
        created_by=known.get("created_by"),
        finished_files=record.ingestion_status.finished_files,
        failed_files=record.ingestion_status.failed_files,
        _fetch_files=lambda: frames.session_files(bridge.run(_outcomes, settings, session_id)),
    )


async def _outcomes(settings: Settings, session_id: UUID) -> list[SessionFile]:
    async with AsyncClient(settings) as client:
        pages = client.upload_sessions.files(settings.workspace_name, session_id)
        return [file async for page in pages for file in page]


async def _find(client: AsyncClient, workspace: str, session_id: UUID) -> UploadSessionDetail | None:
    seen = 0
    async for page in client.upload_sessions.list(workspace):
        for detail in page:
            if detail.session_id == session_id:
                return detail
        seen += len(page)
        if seen >= SESSIONS_SEARCHED:
            break
    return None


def parse_session_id(value: str | UUID) -> UUID:
    """The id as a UUID, or an error that says where to copy one from."""
    try:
        return value if isinstance(value, UUID) else UUID(str(value))
    except ValueError:
        raise InvalidSessionId(
            f"{value!r} is not the id of an upload session.",
            "Ids are UUIDs: copy one from ws.list_upload_sessions() or from a receipt.",
        ) from None
