"""The part of a workspace that fetches: files of the platform into a folder."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast
from uuid import UUID

from . import file_frames
from .call_as_code import call_as_code
from .errors import InputError
from .job import DownloadJob
from .settings import Settings
from .transfer.download import Download, check_folder, parse_file_ids
from .transfer.download_progress import DownloadProgress
from .transfer.plan import PathLike
from .transfer.progress import Target

if TYPE_CHECKING:
    import pandas as pd


class Downloading:
    """What `Workspace` inherits."""

    settings: Settings

    @property
    def target(self) -> Target:
        """Where files come from: workspace, host, organisation."""
        raise NotImplementedError

    def download(
        self,
        file_dir: PathLike | None = None,
        *,
        name: str | None = None,
        odata_filter: str | None = None,
        files: pd.DataFrame | Iterable[str | UUID] | None = None,
        include_meta: bool = True,
        safe_mode: bool = False,
        show: bool = True,
    ) -> DownloadJob:
        """Fetch files of the workspace into a folder; returns at once and shows one live panel.

        A file has its name only when it is whole, and nothing that is there is overwritten: a name that is taken gets
        a number. What an earlier download has put there is not fetched again, what one left half done goes on.

        Example:
            >>> job = ws.download("reports/", name="2024")  # doctest: +SKIP
            >>> job.wait().receipt[["name", "path", "status"]]  # doctest: +SKIP
            >>> found = ws.list_files()  # doctest: +SKIP
            >>> ws.download("large/", files=found[found["size"] > 1_000_000])  # doctest: +SKIP

        Args:
            file_dir: The folder, made if it is not there; by default the current one.
            name: Only files whose names contain this.
            odata_filter: Only files whose metadata matches, such as ``"topic eq 'news'"``.
            files: Exactly these: rows of ``list_files()``, or file ids.
            include_meta: Also write each file's metadata beside it, as ``<name>.meta.json``.
            safe_mode: One connection and more patience, for networks in trouble.
            show: Show the panel.

        Returns:
            The job: ``wait()``, ``cancel()``, ``retry()``, ``receipt``.

        Raises:
            InputError: The folder is a file, or ``files`` holds something else than files.
        """
        code = call_as_code("ws", Downloading.download, locals())
        if files is not None and (name or odata_filter):
            raise InputError("files= already says which files.", "Leave name= and odata_filter= out, or files=.")
        is_frame = hasattr(files, "columns")
        transfer = Download(
            self.settings,
            check_folder(file_dir),
            DownloadProgress(self.target),
            name=name,
            odata_filter=odata_filter,
            include_meta=include_meta,
            safe_mode=safe_mode,
            only=file_frames.files_in(cast("pd.DataFrame", files)) if is_frame else None,
            ids=None if is_frame or files is None else parse_file_ids(cast("Iterable[str | UUID]", files)),
        )
        if not show:
            return DownloadJob(transfer, code=code)
        from .widgets.show import show_job

        return DownloadJob(transfer, show_job, code)
