"""The workspace's files: look through 100,000 of them, filter, pick some, download or delete them."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from .. import file_frames
from ..client.deletion import delete_each
from ..client.kept import KeptClient
from ..client.paging import Page
from ..errors import DeepsetError, InputError, Unprocessable
from ..models import File
from ..transfer.progress import Target
from . import static_tables
from ._base import Handler, parse
from ._browser import Browser
from .job_panel import JobLike
from .listing import Listing, Numbered, Walked
from .messages_browsers import (
    DeletePayload,
    DeleteResult,
    Deleting,
    DownloadPayload,
    FileDetails,
    FileQuery,
    FileRow,
    IdPayload,
    KeptFile,
)
from .messages_browsers import Walked as WalkedEvent

if TYPE_CHECKING:
    import pandas as pd

KEYS_TOLD = 40  # metadata keys, the most frequent ones
LONGEST_NAME = 200  # characters of a name in the table; more is never seen
LONGEST_VALUE = 200
LONGEST_KEY = 60
DETAILS = 100  # metadata entries of one file
LONGEST_DETAIL = 2_000
EVERY = 10  # deleted files from one word about them to the next


class FileBrowser(Browser[File]):
    """A table of the workspace's files, whatever their number.

    Example:
        >>> browser = ws.file_browser()  # doctest: +SKIP
        >>> browser  # doctest: +SKIP
        >>> browser.selection["name"]  # doctest: +SKIP

    Args:
        connection: To the workspace's platform; others may use it, too.
        target: Whose files these are.
        view: Fetches all that a query finds as a DataFrame: ``ws.list_files``.
        download: Starts a download of files, given as a DataFrame, into a folder.
        **kwargs: ``layout``, ``tabbable``, ``tooltip`` of ipywidgets.

    Attributes:
        selection: The selected files as a DataFrame with the columns and dtypes of ``ws.list_files()``, also when
            nothing is selected.
        view: All files that the filters find, fetched now: the same as ``code`` gives.
        code: The line of Python for it, such as ``ws.list_files(name='report')``.
        job: The download started last, or None.
    """

    _bundle = "file_browser"
    _parts = ("file_actions", "file_tools", "job_view")
    _query_type = FileQuery
    _everything: ClassVar[dict[str, Any]] = {"name": "", "filter": "", "sort": "created_at", "order": "DESC"}
    _function = "list_files"

    def __init__(
        self,
        connection: KeptClient,
        *,
        target: Target,
        view: Callable[..., pd.DataFrame],
        download: Callable[[pd.DataFrame, str], JobLike],
        **kwargs: Any,
    ) -> None:
        """Show an empty table and begin to fill it."""
        self._download_into = download
        self._busy = asyncio.Lock()
        self._keys: Counter[str] = Counter()
        super().__init__(connection, target=target, view=view, **kwargs)

    def _more_content(self) -> dict[str, Any]:
        return {"keys": [], "folder": "downloads", "job": None}

    # --- rows -----------------------------------------------------------------------------------------------------

    def _list(self, query: dict[str, Any]) -> Listing[File]:
        asked = {
            "name": query["name"] or None,
            "odata_filter": query["filter"] or None,
            "field": query["sort"],
            "order": query["order"],
        }
        workspace = self._workspace

        async def numbered(number: int) -> Page:
            async with self._connection.use() as client:
                return self._noted(await client.files.page(workspace, number=number, **asked))

        async def following(after: File | None) -> Page:
            async with self._connection.use() as client:
                return self._noted(await client.files.page(workspace, after=after, **asked))

        return Walked(following, self._on_step) if query["filter"] else Numbered(numbered)

    def _on_step(self, rows: int) -> None:
        event: WalkedEvent = {"kind": "walked", "rows": rows}
        if self.comm is not None:
            self.send(event)

    def _noted(self, page: Page) -> Page:
        for file in page.data:
            self._keys.update(key for key in file.meta or {} if len(key) <= LONGEST_KEY)
        told = self._content["keys"]
        if len(told) < KEYS_TOLD and any(key not in told for key in self._keys):
            self._content["keys"] = [key for key, _ in self._keys.most_common(KEYS_TOLD)]
            self._publishing.soon()
        return page

    def _shown(self, row: File, keys: list[str]) -> FileRow:
        meta = row.meta or {}
        return {
            "file_id": str(row.file_id),
            "name": _cut(row.name, LONGEST_NAME),
            "size": row.size,
            "created_at": row.created_at.isoformat(),
            "meta": [_text(meta[key], LONGEST_VALUE) if key in meta else None for key in keys],
        }

    def _key(self, row: File) -> str:
        return str(row.file_id)

    def _frame(self, rows: Iterable[File]) -> pd.DataFrame:
        return file_frames.files(rows)

    def _arguments(self, query: dict[str, Any]) -> dict[str, Any]:
        names = {"name": "name", "filter": "odata_filter", "sort": "sort", "order": "order"}
        return {names[key]: value for key, value in query.items() if value != self._everything[key]}

    # --- requests -------------------------------------------------------------------------------------------------

    def actions(self) -> dict[str, Handler]:
        """Look at one file, download, delete."""
        return {
            **super().actions(),
            "details": self._details,
            "download": self._download,
            "delete": self._delete,
        }

    async def _ask_for(self, payload: dict[str, Any]) -> None:
        try:
            await super()._ask_for(payload)
        except Unprocessable as error:
            if not payload.get("filter"):
                raise
            raise InputError(error.message, "Write the filter as in the examples.") from None

    async def _details(self, payload: dict[str, Any]) -> FileDetails:
        wanted = parse(payload, IdPayload)["id"]
        file = self._chosen.get(wanted) or self._told.get(wanted)
        if file is None:
            raise InputError("This file is not in the table any more.", "Refresh it.")
        meta = list((file.meta or {}).items())
        return {
            "file_id": wanted,
            "name": _cut(file.name, LONGEST_DETAIL),
            "size": file.size,
            "created_at": file.created_at.isoformat(),
            "meta": [[_cut(key, LONGEST_KEY), _text(value, LONGEST_DETAIL)] for key, value in meta[:DETAILS]],
            "more": max(0, len(meta) - DETAILS),
        }

    async def _download(self, payload: dict[str, Any]) -> None:
        folder = parse(payload, DownloadPayload)["folder"].strip()
        if not self._chosen:
            raise InputError("No file is selected.", "Select the files to download.")
        chosen = list(self._chosen.values())
        self._content["folder"] = folder
        self.follow(await asyncio.to_thread(lambda: self._download_into(file_frames.files(chosen), folder)))

    async def _delete(self, payload: dict[str, Any]) -> DeleteResult:
        asked = parse(payload, DeletePayload)
        ids = list(dict.fromkeys(asked["ids"]))
        if not ids or asked["typed"].strip() != str(len(ids)):
            raise InputError(
                f"{len(ids)} files were to be deleted, but {asked['typed']!r} was typed.",
                "Nothing was deleted; type the number of files.",
            )
        if strangers := [one for one in ids if one not in self._chosen]:
            raise InputError(
                f"{len(strangers)} of these files are not selected any more.", "Nothing was deleted; select them again."
            )
        if self._busy.locked():
            raise InputError("Files are being deleted already.", "Wait until that has ended.")
        async with self._busy:
            return await self._delete_chosen({UUID(one): self._chosen[one] for one in ids})

    async def _delete_chosen(self, files: dict[UUID, File]) -> DeleteResult:
        kept: list[KeptFile] = []
        done = 0

        def ended(file_id: UUID, error: DeepsetError | None) -> None:
            nonlocal done
            done += 1
            if error is None:
                self._chosen.pop(str(file_id), None)
            else:
                kept.append(self._kept(files[file_id], error))
            if done % EVERY == 0:
                self._tell(done, len(files))

        try:
            async with self._connection.use() as client:
                await delete_each(client, self._workspace, files, ended)
        finally:
            self._choose(self._chosen)
            await self._refresh({})
        return {"deleted": done - len(kept), "kept": kept}

    def _kept(self, file: File, error: DeepsetError) -> KeptFile:
        return {"file_id": str(file.file_id), "name": _cut(file.name, LONGEST_NAME), "error": self.problem(error)}

    def _tell(self, done: int, total: int) -> None:
        event: Deleting = {"kind": "deleting", "done": done, "total": total}
        if self.comm is not None:
            self.send(event)

    # --- static forms ---------------------------------------------------------------------------------------------

    def static_html(self) -> str:
        """The first rows as HTML."""
        return static_tables.files_html(self._content, self.tr)  # type: ignore[arg-type]

    def static_text(self) -> str:
        """The first rows as plain text."""
        return static_tables.files_text(self._content, self.tr)  # type: ignore[arg-type]


def _text(value: object, longest: int) -> str:
    return _cut(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), longest)


def _cut(text: str, longest: int) -> str:
    """The middle of what is too long left out."""
    if len(text) <= longest:
        return text
    half = (longest - 1) // 2
    return f"{text[:half]}…{text[-half:]}"
