"""The workspace's upload sessions: how they stand, until when, and a button that closes one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import traitlets

from .. import bridge
from ..errors import DeepsetError
from ..transfer.progress import Target
from . import static_tables
from ._base import Handler, Widget, parse, unexpected
from .messages import ClosePayload, Problem, SessionPage, SessionRow, SessionsState

__all__ = ["SessionBrowser", "SessionPage", "SessionRow"]

SHOWN_ROWS = 50  # a state is saved in the notebook; ws.list_upload_sessions() has them all


class SessionBrowser(Widget):
    """A table of upload sessions, to refresh and to close.

    Example:
        >>> ws.session_browser()  # doctest: +SKIP

    Args:
        fetch: Fetches the newest sessions.
        close: Closes one by its id, which starts ingestion.
        target: Whose sessions these are.
        **kwargs: ``layout``, ``tabbable``, ``tooltip`` of ipywidgets.
    """

    _bundle = "session_browser"

    state = traitlets.Dict().tag(sync=True)
    """What is shown (`SessionsState`)."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[SessionPage]],
        close: Callable[[str], Awaitable[None]],
        *,
        target: Target,
        **kwargs: Any,
    ) -> None:
        """Show an empty table and begin to fill it."""
        self._fetch = fetch
        self._close_session = close
        self._content: SessionsState = {
            "target": target,
            "rows": [],
            "total": 0,
            "loading": True,
            "updated_at": None,
            "error": None,
        }
        super().__init__(**kwargs)
        self._show()
        self._first = bridge.submit(self._refresh, {})

    def actions(self) -> dict[str, Handler]:
        """Refresh the table, close a session."""
        return {"refresh": self._refresh, "close": self._close_one}

    async def _refresh(self, _: dict[str, Any]) -> None:
        """Fetch again; what went wrong is shown in the table, beside what was known before."""
        self._show(loading=True)
        try:
            page = await self._fetch()
        except DeepsetError as error:
            self._show(loading=False, error={"message": error.message, "remedy": error.remedy})
        except Exception as error:
            self._show(loading=False, error=unexpected(error))
        except BaseException:
            self._show(loading=False)
            raise
        else:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            self._content |= {"rows": page["rows"][:SHOWN_ROWS], "total": page["total"], "updated_at": now}
            self._show(loading=False)

    async def _close_one(self, payload: dict[str, Any]) -> None:
        await self._close_session(parse(payload, ClosePayload)["session_id"])
        await self._refresh({})

    def _show(self, *, loading: bool = True, error: Problem | None = None) -> None:
        self._content |= {"loading": loading, "error": error}
        if self.comm is not None:
            self.state = dict(self._content)

    def close(self) -> None:
        """Close the widget."""
        if first := getattr(self, "_first", None):
            first.cancel()
        super().close()

    def static_html(self) -> str:
        """The table as HTML."""
        return static_tables.sessions_html(self._content)

    def static_text(self) -> str:
        """The table as plain text."""
        return static_tables.sessions_text(self._content)

    def __repr__(self) -> str:
        return f"<SessionBrowser of {self._content['target']['workspace']}>"
