"""The part of a workspace that sends: plan, upload, and what a widget hands over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from functools import partial
from typing import TYPE_CHECKING

from . import bridge, frames
from .call_as_code import call_as_code
from .client import AsyncClient
from .errors import InputError, NothingToUpload
from .job import UploadJob
from .job_roles import Transfer
from .models import DeepsetCloudFile, WriteMode
from .settings import Settings
from .transfer.direct import DirectUpload, goes_directly
from .transfer.identity import Identity
from .transfer.plan import (
    Given,
    PathLike,
    Patterns,
    plan_rows,
    plan_texts,
    read_given,
    refuse_sidecar_names,
    text_document,
)
from .transfer.progress import Progress, Target
from .transfer.receipt import Row
from .transfer.record import UNUSABLE, open_journal
from .transfer.resume import look_back
from .transfer.upload import Upload

if TYPE_CHECKING:
    import pandas as pd

    from .transfer.from_browser import Courier
    from .transfer.meta import Meta

PATIENT = 2  # safe mode: one connection, and everything is tried twice as often


class Uploading:
    """What `Workspace` inherits; it knows where to send and who sends."""

    settings: Settings
    _who: Identity

    @property
    def target(self) -> Target:
        """Where uploads go: workspace, host, organisation."""
        raise NotImplementedError

    def plan(
        self,
        paths: PathLike | Iterable[PathLike] | pd.DataFrame,
        *,
        recursive: bool = False,
        include: Patterns | None = None,
        exclude: Patterns | None = None,
        hidden: bool = False,
        meta: Meta | None = None,
        tag: str | None = None,
        write_mode: WriteMode | str = WriteMode.KEEP,
        resume: bool = True,
        check_text: int | None = 1_000,
    ) -> pd.DataFrame:
        """What an upload would do, file by file, and every hazard in its way. Nothing is sent.

        Edit the plan and hand it to `upload`: drop rows, change ``name`` or ``meta``, set ``action`` to ``"skip"``.
        It is judged again then, as files may have changed. Of a URL it holds what may be seen: a signed one
        (``https://host/a.pdf?...``) is named to `upload` itself.

        Example:
            >>> plan = ws.plan("reports/", recursive=True, exclude=["drafts/", "*.tmp"])  # doctest: +SKIP
            >>> plan.groupby("state").size()  # doctest: +SKIP
            >>> ws.upload(plan[plan["size"] < 10_000_000])  # doctest: +SKIP

        Args:
            paths: As of `upload`.
            recursive: As of `upload`; also the following ones.
            include: See `upload`.
            exclude: See `upload`.
            hidden: See `upload`.
            meta: See `upload`.
            tag: See `upload`.
            write_mode: See `upload`.
            resume: See `upload`.
            check_text: How many of the text files (``.txt .md .csv .json .html .xml``) to open and check for UTF-8;
                None checks all.

        Returns:
            One row per file. ``path name stored_name`` (string; ``path`` is missing for documents in memory), ``size``
            (Int64, bytes; 0 where a rule left it out unseen), ``action`` (string: ``send``, ``skip``, or ``refuse``,
            which becomes a failed row), ``state`` (string, such as ``new unchanged changed resumed clash renamed empty
            hidden bad_meta``), ``reason remedy`` (string, also warnings about files that are sent), ``meta`` (object, a
            dict or None). ``plan.attrs["notes"]`` names upload sessions that earlier runs have left open.

        Raises:
            PathNotFound: A path does not exist, or a pattern matches nothing.
            NothingToUpload: There is no file below the paths.
            InputError: An argument, or a row of a frame, cannot be used.
        """
        given = read_given(
            paths,
            recursive=recursive,
            include=include,
            exclude=exclude,
            hidden=hidden,
            meta=meta,
            tag=tag,
            check_text=check_text,
        )
        rows, notes = bridge.run(self._planned, given, WriteMode.named(write_mode), resume)
        plan = frames.plan(rows)
        plan.attrs["notes"] = notes
        return plan

    async def _planned(self, given: Given, write_mode: WriteMode, resume: bool) -> tuple[list[Row], list[str]]:
        """The rows of a plan, compared with what earlier runs have sent; and notes on what these left behind."""
        rows = await asyncio.to_thread(plan_rows, given)
        refuse_sidecar_names(rows)
        if not resume:
            return rows, []
        try:
            journal = await asyncio.to_thread(open_journal)
        except UNUSABLE as error:
            return rows, [f"The journal cannot be read ({error}): what was sent before is not known."]
        async with AsyncClient(self.settings) as client:
            findings = await look_back(journal, client, self.settings.workspace_name, self._who, rows, write_mode)
        findings.apply(rows)
        for row, _, session in findings.waiting:
            row.warn(f"Sent by an earlier run: it waits in upload session {session.id} and is not sent again.")
        return rows, findings.notes

    def upload(
        self,
        paths: PathLike | Iterable[PathLike] | pd.DataFrame,
        *,
        recursive: bool = False,
        include: Patterns | None = None,
        exclude: Patterns | None = None,
        hidden: bool = False,
        meta: Meta | None = None,
        tag: str | None = None,
        write_mode: WriteMode | str = WriteMode.KEEP,
        resume: bool = True,
        safe_mode: bool = False,
        executor: Executor | None = None,
        show: bool = True,
    ) -> UploadJob:
        """Upload files and folders through an upload session; returns at once and shows one live panel.

        ``report.pdf.meta.json`` beside ``report.pdf`` becomes its metadata. Hidden files, and folders of version
        control, are left out and listed so. Links to folders are not followed.

        Example:
            >>> job = ws.upload(["reports/**/*.pdf", "notes.txt"], meta={"year": 2024})  # doctest: +SKIP
            >>> job.wait().receipt  # doctest: +SKIP

        Args:
            paths: A file, a folder or a glob such as ``"reports/**/*.pdf"``, or several; also URLs that fsspec opens
                (``s3://``, ``https://``, ``zip://``; extra ``remote``); a DataFrame with ``name``
                and ``text``, or ``path``, and ``meta`` if you like; or a plan of `plan`, edited.
            recursive: Also what lies in subfolders; base names must differ, as the platform knows no folders.
            include: Patterns as in ``.gitignore``, relative to the folder named: only these files.
            exclude: Patterns likewise: not these. A folder that matches is not opened.
            hidden: Also names that start with a dot, and caches; never folders of version control.
            meta: A dict for all files, a function from path to dict or None, or a DataFrame with a column ``name``
                (or names as its index). Wins key by key over what lies beside a file. NaN and infinity fail the file;
                times become ISO text; missing cells of a DataFrame, NaT and NA mean no such key.
            tag: Kept in the metadata of each file as ``upload_tag``: ``ws.clean(tag=...)`` deletes them together.
            write_mode: For names the workspace already has: ``"KEEP"`` both, ``"OVERWRITE"``, or ``"FAIL"``.
            resume: Do not send again what an earlier run has sent.
            safe_mode: One connection and more patience, for a network that breaks.
            executor: Post from other processes or machines: any ``concurrent.futures.Executor``, such as a
                ``ProcessPoolExecutor`` or Dask's ``client.get_executor()``. Workers read the files themselves, so
                these lie on a file system they share, or behind URLs. They are handed the forms of the upload
                sessions, never the API key.
            show: Show the panel.

        Returns:
            The job: ``wait()``, ``cancel()``, ``retry()``, ``receipt``.

        Raises:
            PathNotFound: A path does not exist, or a pattern matches nothing.
            NothingToUpload: There is no file below the paths.
            InputError: An argument, or a row of a frame, cannot be used.
        """
        code = call_as_code("ws", Uploading.upload, locals())
        given = read_given(
            paths, recursive=recursive, include=include, exclude=exclude, hidden=hidden, meta=meta, tag=tag
        )
        return self._start(
            Upload(
                self.settings,
                partial(plan_rows, given),
                Progress(self.target),
                who=self._who,
                write_mode=WriteMode.named(write_mode),
                resume=resume,
                connections=1 if safe_mode else None,
                rounds=PATIENT if safe_mode else 1,
                executor=_checked(executor),
            ),
            show,
            code,
        )

    def upload_texts(
        self,
        texts: Iterable[DeepsetCloudFile] | Mapping[str, str],
        *,
        tag: str | None = None,
        write_mode: WriteMode | str = WriteMode.KEEP,
        resume: bool = True,
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
            tag: Kept in the metadata of each document, see `upload`.
            write_mode: For names the workspace already has: ``"KEEP"`` both, ``"OVERWRITE"``, or ``"FAIL"``.
            resume: Do not send again what an earlier run has sent.
            show: Show the panel.

        Returns:
            The job.

        Raises:
            NothingToUpload: There is no text.
            InputError: Something in the list is not a text.
        """
        code = call_as_code("ws", Uploading.upload_texts, locals())
        files = [DeepsetCloudFile(text, name) for name, text in texts.items()] if isinstance(texts, Mapping) else texts
        documents = [text_document(file, tag) for file in files]
        if not documents:
            raise NothingToUpload("There is nothing to upload: the list of texts is empty.", "Add a text.")
        pipeline = DirectUpload if goes_directly(documents) else Upload
        return self._start(
            pipeline(
                self.settings,
                partial(plan_texts, documents),
                Progress(self.target),
                who=self._who,
                write_mode=WriteMode.named(write_mode),
                resume=resume,
            ),
            show,
            code,
        )

    def _start(self, transfer: Transfer, show: bool, code: str = "") -> UploadJob:
        if not show:
            return UploadJob(transfer, code=code)
        from .widgets.show import show_job

        return UploadJob(transfer, show_job, code)

    def _upload_chosen(self, plan: Callable[[], list[Row]], write_mode: str, courier: Courier | None) -> UploadJob:
        """Send what was chosen in a browser; the uploader shows the job itself."""
        # Each drop is a new copy in a place of its own: there is no earlier run of it to go on from.
        return self._start(
            Upload(
                self.settings,
                plan,
                Progress(self.target),
                who=self._who,
                write_mode=WriteMode.named(write_mode),
                resume=False,
                courier=courier,
            ),
            show=False,
        )


def _checked(executor: Executor | None) -> Executor | None:
    if executor is not None and not isinstance(executor, Executor):
        raise InputError(
            f"executor is a {type(executor).__name__}.",
            "Give a concurrent.futures.Executor; of a Dask client its get_executor().",
        )
    return executor
