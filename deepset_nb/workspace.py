"""What a cell calls. Each method: build a coroutine, run it on the bridge, turn the answer into a frame or a job."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from . import bridge, frames
from .client import AsyncClient
from .downloading import Downloading
from .job import kernel_jobs
from .settings import Settings, resolve
from .transfer.identity import Identity, identify
from .transfer.progress import Target
from .upload_session import UploadSession, fetch_session, parse_session_id
from .uploading import Uploading

if TYPE_CHECKING:
    import ipywidgets
    import pandas as pd

    from .connect import Sandbox
    from .widgets.messages import SessionPage, SessionRow
    from .widgets.session_browser import SessionBrowser
    from .widgets.uploader import Lane, Uploader

_latest: Workspace | None = None


class Workspace(Uploading, Downloading):
    """A workspace of the deepset AI Platform.

    Making one asks the platform who you are and whether the workspace is there, so that a wrong key or name shows at
    once, in that cell.

    Example:
        >>> import deepset_nb as dn
        >>> ws = dn.Workspace("my-workspace")  # doctest: +SKIP
        >>> ws.upload("reports/")  # doctest: +SKIP

    Args:
        workspace_name: Name; by default ``DEFAULT_WORKSPACE_NAME`` of the environment or a ``.env`` file.
        api_key: API key; by default what ``dn.login()`` was given, then ``API_KEY`` of the environment, ``./.env``,
            ``~/.deepset-cloud/.env``.
        api_url: Base URL, with or without ``/api/v1``; by default the EU region.
        region: ``"eu"`` or ``"us"``, instead of a URL.

    Raises:
        SettingsError: No key, no workspace name, or a URL that is none.
        Unauthorized: The key is wrong; names the host that was asked.
        WorkspaceNotFound: No such workspace; suggests near names.
        ConnectionFailed: Nobody answered.
    """

    def __init__(
        self,
        workspace_name: str | None = None,
        *,
        api_key: str | None = None,
        api_url: str | None = None,
        region: str | None = None,
    ) -> None:
        """Resolve the settings and check them against the platform."""
        self.settings: Settings = resolve(workspace_name, api_key=api_key, api_url=api_url, region=region)
        self.sandbox: Sandbox | None = None  # set where the workspace is one of the local platform
        self._who: Identity = bridge.run(self._identify)
        global _latest
        _latest = self

    @property
    def name(self) -> str:
        """The workspace's name."""
        return self.settings.workspace_name

    @property
    def organisation(self) -> str | None:
        """The organisation's name, where the platform tells."""
        return self._who.organisation

    @property
    def target(self) -> Target:
        """Where uploads go: workspace, host, organisation."""
        return {"workspace": self.name, "host": self.settings.host, "organisation": self.organisation}

    def __repr__(self) -> str:
        of = f" of {self.organisation}" if self.organisation else ""
        return f"<Workspace {self.name!r}{of} at {self.settings.host}>"

    async def _identify(self) -> Identity:
        async with AsyncClient(self.settings) as client:
            return await identify(client, self.name)

    # --- looking ----------------------------------------------------------------------------------------------

    def list_files(self, name: str | None = None, *, odata_filter: str | None = None) -> pd.DataFrame:
        """The workspace's files, newest first.

        Example:
            >>> ws.list_files(name="report").columns.tolist()
            ['file_id', 'name', 'size', 'created_at', 'meta', 'url']

        Args:
            name: Part of the file name.
            odata_filter: Filter on metadata, such as ``"topic eq 'news'"`` (platform API reference: list files).

        Returns:
            Columns ``file_id name url`` (string), ``size`` (Int64, bytes), ``created_at`` (datetime64[us, UTC]),
            ``meta`` (object, a dict each).
        """
        return frames.files(bridge.run(self._collect, "files", name=name, odata_filter=odata_filter, order="DESC"))

    def list_upload_sessions(self, *, is_expired: bool | None = None) -> pd.DataFrame:
        """The workspace's upload sessions, newest first.

        Example:
            >>> ws.list_upload_sessions().query("status == 'OPEN'")  # doctest: +SKIP

        Args:
            is_expired: True for expired ones only, False for the others only, None for all.

        Returns:
            Columns ``session_id status write_mode created_by`` (string), ``created_at expires_at``
            (datetime64[us, UTC]).
        """
        return frames.sessions(bridge.run(self._collect, "upload_sessions", is_expired=is_expired))

    async def _collect(self, listing: str, **filters: Any) -> list[Any]:
        found: list[Any] = []
        async with AsyncClient(self.settings) as client:
            pages: AsyncGenerator[list[Any], None] = getattr(client, listing).list(self.name, **filters)
            async for page in pages:
                found += page
        return found

    def get_upload_session(self, session_id: str | UUID) -> UploadSession:
        """One upload session: its state, its counts, and the outcome of each file.

        Example:
            >>> ws.get_upload_session(session_id).files  # doctest: +SKIP

        Args:
            session_id: UUID, as ``list_upload_sessions`` or a receipt names it.

        Returns:
            The session; ``files`` is a DataFrame.

        Raises:
            InvalidSessionId: It is not a UUID.
            SessionNotFound: The workspace has no such session.
        """
        return bridge.run(fetch_session, self.settings, parse_session_id(session_id))

    def close_upload_session(self, session_id: str | UUID) -> UploadSession:
        """Close an open session: the platform ingests what was sent into it, and it takes nothing more.

        Only 10 sessions of a workspace may be open (platform guide: get upload session details).

        Example:
            >>> ws.close_upload_session(session_id).status  # doctest: +SKIP
            'CLOSED'

        Args:
            session_id: UUID of an open session.

        Returns:
            The session as it is now.

        Raises:
            Conflict: It is closed already.
            SessionNotFound: The workspace has no such session.
        """
        bridge.run(self._close_session, parse_session_id(session_id))
        return self.get_upload_session(session_id)

    async def _close_session(self, session_id: UUID) -> None:
        async with AsyncClient(self.settings) as client:
            await client.upload_sessions.close(self.name, session_id)

    # --- widgets ----------------------------------------------------------------------------------------------

    def uploader(self, lane: Lane = "auto") -> Uploader:
        """A drop zone: files from your own computer, through the notebook, to the platform.

        Example:
            >>> uploader = ws.uploader()
            >>> uploader  # doctest: +SKIP
            >>> uploader.receipt  # doctest: +SKIP

        Args:
            lane: ``"direct"``: the browser posts the files to the platform's bucket itself; ``"kernel"``: they come
                through this kernel. ``"auto"`` takes the direct way where page and bucket can reach each other.

        Returns:
            An ipywidget; ``job`` is the last upload made with it, ``receipt`` its rows, ``code`` the Python that does
            the same.

        Raises:
            InputError: There is no such lane.
        """
        from .widgets.uploader import Uploader

        return Uploader(self._upload_chosen, target=self.target, lane=lane, api_url=self.settings.api_url)

    def session_browser(self) -> SessionBrowser:
        """A table of the workspace's upload sessions, to refresh and to close them.

        Example:
            >>> ws.session_browser()  # doctest: +SKIP

        Returns:
            An ipywidget.
        """
        from .widgets.session_browser import SessionBrowser

        return SessionBrowser(self._session_page, self._close_by_id, target=self.target)

    async def _session_page(self) -> SessionPage:
        async with AsyncClient(self.settings) as client:
            found, total = await client.upload_sessions.newest(self.name)
        rows = [frames.session_record(session) for session in found]
        for row in rows:
            row.update({name: row[name] and row[name].isoformat() for name in ("created_at", "expires_at")})
        return {"rows": cast("list[SessionRow]", rows), "total": total}

    async def _close_by_id(self, session_id: str) -> None:
        await self._close_session(parse_session_id(session_id))

    def dashboard(self) -> ipywidgets.Tab:
        """Uploader, running jobs and upload sessions as tabs of one widget.

        Example:
            >>> ws.dashboard()  # doctest: +SKIP

        Returns:
            An ``ipywidgets.Tab``.
        """
        from .widgets.dashboard import dashboard

        return dashboard(self.uploader(), kernel_jobs, self.session_browser())


def latest() -> Workspace | None:
    """The workspace made last in this kernel; what the magics use."""
    return _latest
