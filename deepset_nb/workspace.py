"""What a cell calls. Each method: build a coroutine, run it on the bridge, turn the answer into a frame or a job."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from . import bridge, frames
from .client import AsyncClient
from .downloads import Downloads
from .errors import ApiError, ConnectionFailed, NothingToUpload, Unauthorized
from .job import Transfer, UploadJob, jobs
from .models import DeepsetCloudFile, Me, WriteMode
from .settings import Settings, resolve
from .transfer.direct import MOST_DIRECT, DirectUpload
from .transfer.plan import PathLike, Source, check_paths, find_sources, plan_sources, plan_texts, text_document
from .transfer.progress import Progress, Target
from .transfer.upload import Upload
from .upload_session import UploadSession, fetch_session, parse_session_id

if TYPE_CHECKING:
    import ipywidgets
    import pandas as pd

    from .connect import Sandbox
    from .widgets.messages import SessionPage, SessionRow
    from .widgets.session_browser import SessionBrowser
    from .widgets.uploader import SpooledFile, Uploader

_latest: Workspace | None = None


class Workspace(Downloads):
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
        self.organisation: str | None = bridge.run(self._identify)
        global _latest
        _latest = self

    @property
    def name(self) -> str:
        """The workspace's name."""
        return self.settings.workspace_name

    @property
    def target(self) -> Target:
        """Where uploads go: workspace, host, organisation."""
        return {"workspace": self.name, "host": self.settings.host, "organisation": self.organisation}

    def __repr__(self) -> str:
        of = f" of {self.organisation}" if self.organisation else ""
        return f"<Workspace {self.name!r}{of} at {self.settings.host}>"

    async def _identify(self) -> str | None:
        async with AsyncClient(self.settings) as client:
            me, _ = await asyncio.gather(_me(client), client.workspaces.get(self.name))
        return me.organization.name if me and me.organization else None

    # --- uploading --------------------------------------------------------------------------------------------

    def upload(
        self,
        paths: PathLike | Iterable[PathLike],
        *,
        recursive: bool = False,
        write_mode: WriteMode | str = WriteMode.KEEP,
        show: bool = True,
    ) -> UploadJob:
        """Upload files and folders through an upload session; returns at once and shows one live panel.

        ``report.pdf.meta.json`` beside ``report.pdf`` becomes its metadata. Hidden files are left out and listed so.

        Example:
            >>> job = ws.upload(["reports/", "notes.txt"], recursive=True)  # doctest: +SKIP
            >>> job.wait().receipt  # doctest: +SKIP

        Args:
            paths: A file or folder, or several.
            recursive: Also what lies in subfolders; base names must differ, as the platform knows no folders.
            write_mode: For names the workspace already has: ``"KEEP"`` both, ``"OVERWRITE"``, or ``"FAIL"``.
            show: Show the panel.

        Returns:
            The job: ``wait()``, ``cancel()``, ``retry()``, ``receipt``.

        Raises:
            PathNotFound: A path does not exist.
            NothingToUpload: There is no file below the paths.
        """
        checked = check_paths(paths, recursive=recursive)
        plan = lambda: plan_sources(find_sources(checked, recursive=recursive))  # noqa: E731
        return self._start(
            Upload(self.settings, plan, Progress(self.target), write_mode=WriteMode.named(write_mode)), show
        )

    def upload_texts(
        self,
        texts: Iterable[DeepsetCloudFile] | Mapping[str, str],
        *,
        write_mode: WriteMode | str = WriteMode.KEEP,
        show: bool = True,
    ) -> UploadJob:
        """Upload documents made in memory.

        Up to 20 go directly, one request each; more go through an upload session.

        Example:
            >>> job = ws.upload_texts({"note.txt": "The text of the note."})
            >>> job.wait().receipt["status"].tolist()
            ['ok']

        Args:
            texts: ``DeepsetCloudFile(text, name, meta)`` objects, or a mapping of file names to texts.
            write_mode: For names the workspace already has: ``"KEEP"`` both, ``"OVERWRITE"``, or ``"FAIL"``.
            show: Show the panel.

        Returns:
            The job.

        Raises:
            NothingToUpload: There is no text.
            InputError: Something in the list is not a text.
        """
        files = [DeepsetCloudFile(text, name) for name, text in texts.items()] if isinstance(texts, Mapping) else texts
        documents = [text_document(file) for file in files]
        if not documents:
            raise NothingToUpload("There is nothing to upload: the list of texts is empty.", "Add a text.")
        pipeline = DirectUpload if len(documents) <= MOST_DIRECT else Upload
        plan = partial(plan_texts, documents)
        return self._start(
            pipeline(self.settings, plan, Progress(self.target), write_mode=WriteMode.named(write_mode)), show
        )

    def _start(self, transfer: Transfer, show: bool) -> UploadJob:
        if not show:
            return UploadJob(transfer)
        from .widgets.show import show_job

        return UploadJob(transfer, show_job)

    def _upload_spooled(self, files: list[SpooledFile], write_mode: str) -> UploadJob:
        """Send what a browser handed over; the uploader shows the job itself."""
        sources = [Source(file.path, file.name, file.relative_path) for file in files]
        plan = partial(plan_sources, sources)
        return self._start(
            Upload(self.settings, plan, Progress(self.target), write_mode=WriteMode.named(write_mode)), show=False
        )

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

    def uploader(self) -> Uploader:
        """A drop zone: files from your own computer, through the notebook, to the platform.

        Example:
            >>> uploader = ws.uploader()
            >>> uploader  # doctest: +SKIP
            >>> uploader.job.receipt  # doctest: +SKIP

        Returns:
            An ipywidget; ``job`` is the last upload made with it.
        """
        from .widgets.uploader import Uploader

        return Uploader(self._upload_spooled, target=self.target)

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

        return dashboard(self.uploader(), jobs, self.session_browser())


def latest() -> Workspace | None:
    """The workspace made last in this kernel; what the magics use."""
    return _latest


async def _me(client: AsyncClient) -> Me | None:
    try:
        return await client.workspaces.me()
    except (Unauthorized, ConnectionFailed):
        raise
    except ApiError:
        return None  # the reference marks /me as private: without it the organisation is simply not shown
