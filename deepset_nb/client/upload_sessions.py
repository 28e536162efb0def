"""Upload sessions: open, list, look at, close."""

from __future__ import annotations

import builtins
import contextlib
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from uuid import UUID

from ..errors import Conflict, DeepsetError
from ..models import (
    IngestionStatus,
    OpenedSession,
    SessionFile,
    UploadSessionDetail,
    UploadSessionStatus,
    WriteMode,
    page_of,
)
from .paging import MOST_ROWS, Page, numbered_pages, rows_per_page
from .paths import session_path, workspace_path
from .responses import Asked, Subject, decoded
from .retries import MAKING, REPEATABLE

if TYPE_CHECKING:
    from .async_client import AsyncClient

# Written here because inside the class `list` is the method.
SessionFilePages: TypeAlias = AsyncGenerator[list[SessionFile], None]
AnyPages: TypeAlias = AsyncGenerator[list[Any], None]

_SessionPage = page_of(UploadSessionDetail)
_FilePage = page_of(SessionFile)


class UploadSessions:
    """The upload sessions of a workspace (platform API reference: upload sessions)."""

    def __init__(self, client: AsyncClient) -> None:
        """Ask through ``client``."""
        self._client = client

    async def create(
        self,
        workspace: str,
        write_mode: WriteMode = WriteMode.KEEP,
        *,
        parallel: bool = False,
        expires_in_seconds: int | None = None,
    ) -> OpenedSession:
        """Open a session.

        It is tried again only where nothing can have been opened: at most 10 may be open, and none can be deleted.

        Args:
            workspace: Name of the workspace.
            write_mode: What happens to files whose names the workspace has.
            parallel: Let the platform ingest the session's files in parallel; safe only while no other session
                holds files of the same names.
            expires_in_seconds: When the platform closes the session by itself, at most 86,400, its default.

        Raises:
            WorkspaceNotFound: There is no such workspace.
            Conflict: Too many sessions are open.
        """
        body: dict[str, Any] = {"write_mode": str(write_mode), "parallel_processing_enabled": parallel}
        if expires_in_seconds is not None:
            body["expires_in_seconds"] = expires_in_seconds
        path = workspace_path(workspace, "upload_sessions")
        asked = Asked(Subject.NEW_SESSION, workspace)
        response = await self._client.request("POST", path, asked, worth=MAKING, json=body)
        return decoded(response, OpenedSession, self._client.settings)

    async def list(
        self, workspace: str, *, is_expired: bool | None = None, batch_size: int = MOST_ROWS
    ) -> AsyncGenerator[list[UploadSessionDetail], None]:
        """Pages of sessions.

        Args:
            workspace: Name of the workspace.
            is_expired: Only those past their time, only those not, or all.
            batch_size: Rows a page, at most 100.
        """
        params: dict[str, Any] = {"limit": rows_per_page(batch_size)}
        if is_expired is not None:
            params["is_expired"] = is_expired
        seen: set[UUID] = set()
        path, asked = workspace_path(workspace, "upload_sessions"), Asked(Subject.WORKSPACE, workspace, workspace)
        async for page in self._pages(path, asked, params, _SessionPage):
            # A session opened while we turn pages moves the others on by one row.
            rows = [row for row in page if row.session_id not in seen]
            seen.update(row.session_id for row in rows)
            if rows:
                yield rows

    async def page(
        self, workspace: str, number: int = 1, *, rows: int = MOST_ROWS, is_expired: bool | None = None
    ) -> Page:
        """One page of sessions, in the platform's own order.

        Args:
            workspace: Name of the workspace.
            number: Of the page, from 1.
            rows: Rows a page, at most 100.
            is_expired: Only those past their time, only those not, or all.
        """
        path, asked = workspace_path(workspace, "upload_sessions"), Asked(Subject.WORKSPACE, workspace, workspace)
        params: dict[str, Any] = {"limit": rows_per_page(rows)}
        if is_expired is not None:
            params["is_expired"] = is_expired
        return cast("Page", await self._page(path, asked, params, number, _SessionPage))

    async def newest(self, workspace: str, rows: int = MOST_ROWS) -> tuple[builtins.list[UploadSessionDetail], int]:
        """The newest sessions, one page of them, and how many there are in all."""
        page = await self.page(workspace, rows=rows)
        return page.data, page.total

    async def files_page(
        self,
        workspace: str,
        session_id: UUID | str,
        number: int = 1,
        *,
        rows: int = MOST_ROWS,
        ingestion_status: IngestionStatus | None = None,
    ) -> Page:
        """One page of the outcome of each file of a session; its ``total`` counts them all.

        Args:
            workspace: Name of the workspace.
            session_id: Id of the session.
            number: Of the page, from 1.
            rows: Rows a page, at most 100.
            ingestion_status: Only files in this state.
        """
        path, asked = session_path(workspace, session_id, "files"), Asked(Subject.SESSION, workspace, str(session_id))
        params: dict[str, Any] = {"limit": rows_per_page(rows)}
        if ingestion_status is not None:
            params["ingestion_status"] = str(ingestion_status)
        return cast("Page", await self._page(path, asked, params, number, _FilePage))

    async def status(self, workspace: str, session_id: UUID | str) -> UploadSessionStatus:
        """What became of a session's files so far, in numbers.

        Raises:
            SessionNotFound: The workspace has no such session.
        """
        path, asked = session_path(workspace, session_id), Asked(Subject.SESSION, workspace, str(session_id))
        response = await self._client.request("GET", path, asked, worth=REPEATABLE)
        return decoded(response, UploadSessionStatus, self._client.settings)

    async def close(self, workspace: str, session_id: UUID | str) -> None:
        """Close a session, which starts its ingestion.

        Raises:
            Conflict: It was closed before.
            SessionNotFound: The workspace has no such session.
        """
        repeated: list[DeepsetError] = []
        path, asked = session_path(workspace, session_id), Asked(Subject.SESSION, workspace, str(session_id))
        try:
            await self._client.request(
                "PUT", path, asked, worth=REPEATABLE, json={"status": "CLOSED"}, on_retry=repeated.append
            )
        except Conflict:
            if not repeated:  # else an attempt before closed it, and only its answer was lost
                raise

    async def files(
        self, workspace: str, session_id: UUID | str, *, ingestion_status: IngestionStatus | None = None
    ) -> SessionFilePages:
        """Pages of the outcome of each file of a session; sidecars have no rows.

        Args:
            workspace: Name of the workspace.
            session_id: Id of the session.
            ingestion_status: Only files in this state.

        Raises:
            SessionNotFound: The workspace has no such session.
        """
        params: dict[str, Any] = {"limit": MOST_ROWS}
        if ingestion_status is not None:
            params["ingestion_status"] = str(ingestion_status)
        path, asked = session_path(workspace, session_id, "files"), Asked(Subject.SESSION, workspace, str(session_id))

        async def fetch(number: int) -> Any:
            return await self._page(path, asked, params, number, _FilePage)

        async with contextlib.aclosing(numbered_pages(fetch)) as pages:
            async for page in pages:
                if page.data:
                    yield page.data

    async def _pages(self, path: str, asked: Asked, params: dict[str, Any], page_type: type[Any]) -> AnyPages:
        number, more = 1, True
        while more:
            page = await self._page(path, asked, params, number, page_type)
            if page.data:
                yield page.data
            number, more = number + 1, page.has_more and bool(page.data)

    async def _page(self, path: str, asked: Asked, params: dict[str, Any], number: int, page_type: type[Any]) -> Any:
        params = {**params, "page_number": number}
        response = await self._client.request("GET", path, asked, worth=REPEATABLE, params=params)
        return decoded(response, page_type, self._client.settings)
