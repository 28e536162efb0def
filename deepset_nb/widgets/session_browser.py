"""The workspace's upload sessions: how each stands, what became of its files, and a button that closes it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from .. import frames
from ..client.kept import KeptClient
from ..client.paging import MOST_ROWS, Page
from ..errors import DeepsetError, InvalidSessionId
from ..models import IngestionStatus, UploadSessionDetail, UploadSessionState
from ..transfer.progress import Target
from ..transfer.reconcile import REASONS
from . import static_tables
from ._base import Handler, parse
from ._browser import Browser
from .listing import Listing, Numbered, Picked
from .messages_browsers import (
    CHUNK,
    CountsOf,
    CountsResult,
    IdPayload,
    IdsPayload,
    Outcome,
    OutcomesPayload,
    OutcomesResult,
    SessionCounts,
    SessionQuery,
    SessionRow,
)

if TYPE_CHECKING:
    import pandas as pd

AT_A_TIME = 4  # sessions asked about
FIRST_ASKED = 8  # those that are in sight at once
MOST_ASKED = 50  # sessions in one request
SAVED_TEXT = 100  # characters of a text in the table: six bytes each at worst, of fifty rows


class SessionBrowser(Browser[UploadSessionDetail]):
    """A table of upload sessions: how each stands, what became of its files; to refresh, and to close them.

    Example:
        >>> browser = ws.session_browser()  # doctest: +SKIP
        >>> browser.selection["session_id"]  # doctest: +SKIP

    Args:
        connection: To the workspace's platform; others may use it, too.
        target: Whose sessions these are.
        view: Fetches all that a query finds as a DataFrame: ``ws.list_upload_sessions``.
        **kwargs: ``layout``, ``tabbable``, ``tooltip`` of ipywidgets.

    Attributes:
        selection: The selected sessions as a DataFrame with the columns and dtypes of ``ws.list_upload_sessions()``,
            also when nothing is selected.
        view: All sessions that the filters find, fetched now: the same as ``code`` gives.
        code: The line of Python for it, such as ``ws.list_upload_sessions(status='OPEN')``.
    """

    _bundle = "session_browser"
    _parts: ClassVar[tuple[str, ...]] = ("session_details",)
    _query_type = SessionQuery
    _everything: ClassVar[dict[str, Any]] = {"status": "", "created_by": ""}
    _function = "list_upload_sessions"

    def __init__(
        self, connection: KeptClient, *, target: Target, view: Callable[..., pd.DataFrame], **kwargs: Any
    ) -> None:
        """Show an empty table and begin to fill it."""
        self._counts: dict[str, SessionCounts] = {}
        self._asking = asyncio.Semaphore(AT_A_TIME)
        super().__init__(connection, target=target, view=view, **kwargs)

    def _more_content(self) -> dict[str, Any]:
        return {"looked_through": None, "sessions": None}

    # --- rows -----------------------------------------------------------------------------------------------------

    def _list(self, query: dict[str, Any]) -> Listing[UploadSessionDetail]:
        workspace = self._workspace
        # An open session is not past its time, so the platform can narrow the search for some.
        is_expired = {"OPEN": False, "EXPIRED": True}.get(query["status"])

        async def numbered(number: int) -> Page:
            async with self._connection.use() as client:
                page = await client.upload_sessions.page(workspace, number, is_expired=is_expired)
            self._content["sessions"] = page.total
            return page

        async def pages() -> AsyncGenerator[list[UploadSessionDetail], None]:
            number, more = 1, True
            while more:
                page = await numbered(number)
                yield page.data
                number, more = number + 1, page.has_more

        if query == self._everything:
            return Numbered(numbered)
        return Picked(pages, lambda session: frames.is_asked_for(session, **self._arguments(query)))

    async def _begin(self) -> None:
        await super()._begin()
        with contextlib.suppress(DeepsetError):  # the page asks again
            await self._count({"ids": [row["session_id"] for row in self._content["rows"][:FIRST_ASKED]]})

    async def _look(self, query: dict[str, Any], *, again: bool = False) -> None:
        await super()._look(query, again=again)
        picked = self._listing.looked_through if isinstance(self._listing, Picked) else None
        if picked != self._content["looked_through"]:
            self._content["looked_through"] = picked
            self._publishing.soon()

    def _shown(self, row: UploadSessionDetail, keys: list[str]) -> SessionRow:
        record = frames.session_record(row)
        created_by = record["created_by"]
        return {
            "session_id": record["session_id"],
            "status": record["status"][:SAVED_TEXT],
            "created_at": row.created_at.isoformat(),
            "expires_at": row.expires_at.isoformat() if row.expires_at else None,
            "created_by": created_by and created_by[:SAVED_TEXT],
            "write_mode": record["write_mode"][:SAVED_TEXT],
            "counts": self._counts.get(record["session_id"]),
        }

    def _key(self, row: UploadSessionDetail) -> str:
        return str(row.session_id)

    def _frame(self, rows: Iterable[UploadSessionDetail]) -> pd.DataFrame:
        return frames.sessions(rows)

    def _arguments(self, query: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in query.items() if value}

    # --- requests -------------------------------------------------------------------------------------------------

    def actions(self) -> dict[str, Handler]:
        """How sessions stand, what became of their files, and closing one."""
        return {
            **super().actions(),
            "counts": self._count,
            "watch": self._watch,
            "outcomes": self._outcomes,
            "close": self._close_one,
        }

    async def _count(self, payload: dict[str, Any]) -> CountsResult:
        """Of sessions in sight; what cannot change any more is asked for once."""
        ids = parse(payload, IdsPayload)["ids"][:MOST_ASKED]
        rows = [self._told[one] for one in ids if one in self._told]
        return {"sessions": list(await asyncio.gather(*(self._counts_of(row) for row in rows)))}

    async def _counts_of(self, row: UploadSessionDetail) -> CountsOf:
        key, is_open = self._key(row), row.status == UploadSessionState.OPEN
        counts = self._counts.get(key)
        if counts is None or is_open or counts["pending"] != 0:
            counts = await self._ask_for_counts(row.session_id, is_open=is_open)
            if counts != self._counts.get(key):
                self._counts[key] = counts
                self._note(key, counts)
        return {"session_id": key, "status": str(row.status)[:SAVED_TEXT], "counts": counts}

    async def _ask_for_counts(self, session_id: UUID, *, is_open: bool) -> SessionCounts:
        workspace, pending = self._workspace, None
        async with self._asking, self._connection.use() as client:
            if not is_open:  # before the counts: a file that is ingested in between is counted twice, never lost
                page = await client.upload_sessions.files_page(
                    workspace, session_id, rows=1, ingestion_status=IngestionStatus.PENDING
                )
                pending = page.total or len(page.data)
            found = (await client.upload_sessions.status(workspace, session_id)).ingestion_status
        return {"finished": found.finished_files, "failed": found.failed_files, "pending": pending}

    def _note(self, key: str, counts: SessionCounts) -> None:
        """Also in the state, for readers without a kernel."""
        rows = self._content["rows"]
        if any(row["session_id"] == key for row in rows):
            self._content["rows"] = [row | {"counts": counts} if row["session_id"] == key else row for row in rows]
            self._publishing.soon()

    async def _watch(self, payload: dict[str, Any]) -> CountsResult:
        """The listing again, and then the counts: while something moves."""
        await self._look(self._query, again=True)
        return await self._count(payload)

    async def _outcomes(self, payload: dict[str, Any]) -> OutcomesResult:
        asked = parse(payload, OutcomesPayload)
        status = IngestionStatus(asked["status"]) if asked["status"] else None
        async with self._connection.use() as client:
            page = await client.upload_sessions.files_page(
                self._workspace,
                _uuid(asked["id"]),
                asked["chunk"] // (MOST_ROWS // CHUNK) + 1,
                ingestion_status=status,
            )
        start = asked["chunk"] % (MOST_ROWS // CHUNK) * CHUNK
        rows = page.data[start : start + CHUNK]
        more = page.has_more or len(page.data) > start + CHUNK
        counted = page.total >= len(page.data) and (page.total > 0 or not page.data)
        return {
            "rows": [self._outcome(row.name, str(row.ingestion_status), row.ingestion_status_reason) for row in rows],
            "total": page.total if counted else None,
            "has_more": more,
        }

    def _outcome(self, name: str, status: str, code: str | None) -> Outcome:
        reason, remedy = ("", "")
        if status == IngestionStatus.FAILED or code:
            known = (f"The platform refused it: {code[:SAVED_TEXT] if code else 'without a reason'}.", "Send it again.")
            reason, remedy = REASONS.get(code or "UNKNOWN_ERROR", known)
        return {"name": name[:400], "status": status, "reason": self.tr.said(reason), "remedy": self.tr.said(remedy)}

    async def _close_one(self, payload: dict[str, Any]) -> None:
        session_id = _uuid(parse(payload, IdPayload)["id"])
        async with self._connection.use() as client:
            await client.upload_sessions.close(self._workspace, session_id)
        self._counts.pop(str(session_id), None)
        await self._refresh({})

    # --- static forms ---------------------------------------------------------------------------------------------

    def static_html(self) -> str:
        """The first rows as HTML."""
        return static_tables.sessions_html(self._content, self.tr)  # type: ignore[arg-type]

    def static_text(self) -> str:
        """The first rows as plain text."""
        return static_tables.sessions_text(self._content, self.tr)  # type: ignore[arg-type]


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidSessionId(f"{text[:80]!r} is not the id of an upload session.", "Reload the page.") from None
