"""What a cell calls. Each method: build a coroutine, run it on the bridge, turn the answer into a frame or a job."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from . import bridge
from .client import AsyncClient
from .client.kept import KeptClient
from .downloading import Downloading
from .job import kernel_jobs
from .looking import Looking
from .settings import Settings, resolve
from .tidying import Tidying
from .transfer.identity import Identity, identify
from .transfer.progress import Target
from .upload_session import UploadSession, fetch_session, parse_session_id
from .uploading import Uploading
from .widgets.ahead import import_widgets

if TYPE_CHECKING:
    import ipywidgets
    import pandas as pd

    from .connect import Sandbox
    from .job import DownloadJob
    from .widgets.file_browser import FileBrowser
    from .widgets.session_browser import SessionBrowser
    from .widgets.uploader import Lane, Uploader

_latest: Workspace | None = None


class Workspace(Looking, Uploading, Downloading, Tidying):
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
        self._connection = KeptClient(self.settings)
        self._who: Identity = bridge.run(self._identify)
        import_widgets()
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
        async with self._connection.use() as client:
            return await identify(client, self.name)

    # --- looking at one session -------------------------------------------------------------------------------

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
        """A table of the workspace's upload sessions: how each stands, what became of its files, closing one.

        Example:
            >>> ws.session_browser()  # doctest: +SKIP

        Returns:
            An ipywidget; ``selection``, ``view`` and ``code`` bring what it shows back to Python.
        """
        from .widgets.session_browser import SessionBrowser

        return SessionBrowser(self._connection, target=self.target, view=self.list_upload_sessions)

    def file_browser(self) -> FileBrowser:
        """A table of the workspace's files, smooth at any number of them: filter, pick, download, delete.

        Example:
            >>> browser = ws.file_browser()
            >>> browser  # doctest: +SKIP
            >>> browser.selection  # doctest: +SKIP
            >>> browser.code
            'ws.list_files()'

        Returns:
            An ipywidget; ``selection``, ``view`` and ``code`` bring what it shows back to Python, ``job`` is the
            download started last.
        """
        from .widgets.file_browser import FileBrowser

        return FileBrowser(self._connection, target=self.target, view=self.list_files, download=self._download_chosen)

    def _download_chosen(self, files: pd.DataFrame, folder: str) -> DownloadJob:
        return self.download(folder or None, files=files, show=False)

    def dashboard(self) -> ipywidgets.Tab:
        """Uploader, running jobs, upload sessions and files as tabs of one widget.

        Example:
            >>> ws.dashboard()  # doctest: +SKIP

        Returns:
            An ``ipywidgets.Tab``.
        """
        from .widgets.dashboard import dashboard

        return dashboard(self.uploader(), kernel_jobs, self.session_browser(), self.file_browser())


def latest() -> Workspace | None:
    """The workspace made last in this kernel; what the magics use."""
    return _latest
