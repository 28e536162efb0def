"""Files of a workspace: list, send directly, fetch."""

from __future__ import annotations

import builtins
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast
from uuid import UUID

import httpx

from ..errors import ApiError, DeepsetError, FileNotFound, InputError, InvalidMeta
from ..models import File, FileId, FileKey, FileRow, WriteMode, page_of, utf8
from .content import Content, length_of, range_of
from .cursor import by_cursor
from .multipart import Form, escaped
from .network import CONNECT_S, WRITE_S
from .paging import MOST_ROWS, Page, numbered_pages, rows_per_page
from .paths import file_path, workspace_path
from .responses import Asked, Subject, decoded
from .retries import MAKING, REPEATABLE

if TYPE_CHECKING:
    from .async_client import AsyncClient

Field = Literal["created_at", "name"]
Order = Literal["ASC", "DESC"]

_Page = page_of(File)
_RowPage = page_of(FileRow)
_KeyPage = page_of(FileKey)

# The answer comes after the platform has stored up to 200 MB; its own limit for a request is about 3 minutes.
_UPLOAD_TIMEOUT = httpx.Timeout(connect=CONNECT_S, read=200.0, write=WRITE_S, pool=None)


class Files:
    """The files of a workspace (platform API reference: files)."""

    def __init__(self, client: AsyncClient) -> None:
        """Ask through ``client``."""
        self._client = client

    async def list(
        self,
        workspace: str,
        *,
        name: str | None = None,
        odata_filter: str | None = None,
        batch_size: int = MOST_ROWS,
        field: Field | None = None,
        order: Order | None = None,
    ) -> AsyncGenerator[list[File], None]:
        """Pages of files; each file comes once, even if pages overlap.

        Args:
            workspace: Name of the workspace.
            name: Only files whose names contain this.
            odata_filter: Only files whose metadata matches, as in ``"category eq 'news'"``.
            batch_size: Rows a page, at most 100.
            field: Sort by this; the platform's default is the time of creation.
            order: Sort in this direction.

        Raises:
            Unprocessable: The platform does not understand the filter.
            WorkspaceNotFound: There is no such workspace.
        """
        asked = {"name": name, "filter": odata_filter, "field": field, "order": order}
        params = {key: value for key, value in asked.items() if value} | {"limit": rows_per_page(batch_size)}
        async with contextlib.aclosing(self._by_cursor(workspace, params, _Page, by_name=field == "name")) as pages:
            async for page in pages:
                yield page.data

    async def rows(
        self,
        workspace: str,
        *,
        name: str | None = None,
        odata_filter: str | None = None,
        field: Field = "created_at",
        order: Order = "DESC",
        most: int | None = None,
    ) -> AsyncGenerator[tuple[builtins.list[FileRow], int], None]:
        """The same for tables: pages as large as the platform gives them, metadata as it came, and the total.

        Args:
            workspace: Name of the workspace.
            name: Only files whose names contain this.
            odata_filter: Only files whose metadata matches.
            field: Sort by this.
            order: In this direction.
            most: So many rows are wanted, so that no more are asked for than are likely to do.

        Raises:
            Unprocessable: The platform does not understand the filter.
            WorkspaceNotFound: There is no such workspace.
        """
        asked = {"name": name, "filter": odata_filter, "field": field, "order": order}
        params = {key: value for key, value in asked.items() if value} | {
            "limit": MOST_ROWS if most is None else rows_per_page(most)
        }
        all_of_it = most is None or most > MOST_ROWS
        listing = self._by_cursor(workspace, params, _RowPage, by_name=field == "name", large=all_of_it)
        async with contextlib.aclosing(listing) as pages:
            async for page in pages:
                yield page.data, page.total

    def _by_cursor(
        self, workspace: str, params: dict[str, Any], kind: type[Any], **options: bool
    ) -> AsyncGenerator[Any, None]:
        async def ask(params: dict[str, Any]) -> Any:
            return await self._page(workspace, params, kind)

        return by_cursor(ask, params, host=self._client.settings.host, **options)

    async def newest(self, workspace: str) -> AsyncGenerator[builtins.list[FileKey], None]:
        """Pages of files, newest first, a few asked for ahead: quicker than `list`, and without metadata.

        A file that is made meanwhile shows another one twice, one that is deleted can hide another one.

        Args:
            workspace: Name of the workspace.
        """

        async def fetch(number: int) -> Any:
            params = {"order": "DESC", "limit": MOST_ROWS, "page_number": number}
            return await self._page(workspace, params, _KeyPage)

        async with contextlib.aclosing(numbered_pages(fetch)) as pages:
            async for page in pages:
                yield page.data

    async def page(
        self,
        workspace: str,
        *,
        number: int | None = None,
        after: File | None = None,
        rows: int = MOST_ROWS,
        name: str | None = None,
        odata_filter: str | None = None,
        field: Field = "created_at",
        order: Order = "DESC",
    ) -> Page:
        """One page of files: that of a number, or what follows a file; the first one without both.

        A number does not go with ``odata_filter`` (platform API reference: list files).

        Args:
            workspace: Name of the workspace.
            number: Of the page, from 1.
            after: The last file of the page before.
            rows: Rows a page, at most 100.
            name: Only files whose names contain this.
            odata_filter: Only files whose metadata matches.
            field: Sort by this.
            order: Sort in this direction.
        """
        asked = {"page_number": number, "name": name, "filter": odata_filter}
        params: dict[str, Any] = {key: value for key, value in asked.items() if value}
        params |= {"limit": rows_per_page(rows), "field": field, "order": order}
        if after is not None:
            value = after.name if field == "name" else after.created_at.isoformat()
            params |= {"after_value": value, "after_file_id": str(after.file_id)}
        return cast("Page", await self._page(workspace, params))

    async def delete(self, workspace: str, file_id: UUID) -> None:
        """Delete one file.

        Raises:
            FileNotFound: The workspace has no such file.
            InputError: ``file_id`` is no UUID. Nothing else may get into the path: without an id, the same request
                deletes every file of the workspace (platform API reference: delete).
        """
        if not isinstance(file_id, UUID):
            raise InputError(f"{file_id!r} is not the id of a file.", "Nothing was deleted.")
        repeated: list[DeepsetError] = []
        path, asked = file_path(workspace, file_id), Asked(Subject.FILE, workspace, str(file_id))
        try:
            await self._client.request("DELETE", path, asked, worth=REPEATABLE, on_retry=repeated.append)
        except FileNotFound:
            if not repeated:  # else an attempt before deleted it, and only its answer was lost
                raise

    async def upload(
        self,
        workspace: str,
        name: str,
        content: bytes | Path,
        *,
        meta: Mapping[str, Any] | None = None,
        write_mode: WriteMode = WriteMode.KEEP,
    ) -> UUID:
        """Send one file directly, without a session; it is listed at once.

        It is tried again only where nothing can have been stored: names are not unique, a repetition would double it.

        Args:
            workspace: Name of the workspace.
            name: Name of the file.
            content: Its bytes, or the file on disk, which is read as it is sent. At most 200 MB.
            meta: Metadata, a flat JSON object.
            write_mode: What happens if the workspace has the name.

        Returns:
            The id of the file.

        Raises:
            InvalidMeta: ``meta`` is no JSON object.
            BucketError: Code ``FileChanged``: the file was written to while it was being sent.
            Conflict: The name exists and ``write_mode`` is FAIL.
            TooLarge: The file is over 200 MB or its metadata over 32,766 bytes.
            Unprocessable: The platform does not take such a file, for example an empty one.
        """
        form = Form({} if meta is None else {"meta": _as_json(meta)})
        filename = escaped(name.encode("utf-8", "replace").decode())

        @contextlib.contextmanager
        def body() -> Iterator[dict[str, Any]]:
            with contextlib.ExitStack() as stack:
                source = content if isinstance(content, bytes) else stack.enter_context(FileIO(content))
                size = len(content) if isinstance(content, bytes) else content.stat().st_size
                stream = form.body(filename, source, size, lambda delta: None)
                headers = {"Content-Type": form.content_type, "Content-Length": str(stream.length)}
                yield {"content": stream, "headers": headers}

        response = await self._client.request(
            "POST",
            workspace_path(workspace, "files"),
            Asked(Subject.NEW_FILE, workspace, repr(name)),
            worth=MAKING,
            prepare=body,
            params={"write_mode": str(write_mode)},
            timeout=_UPLOAD_TIMEOUT,
        )
        return decoded(response, FileId, self._client.settings).file_id

    async def upload_text(
        self,
        workspace: str,
        name: str,
        text: str,
        meta: Mapping[str, Any] | None = None,
        write_mode: WriteMode = WriteMode.KEEP,
    ) -> UUID:
        """Send one text directly, as a UTF-8 file. Arguments, result and errors are those of `upload`."""
        return await self.upload(workspace, name, utf8(name, text), meta=meta, write_mode=write_mode)

    async def download(self, workspace: str, file_id: UUID | str) -> AsyncGenerator[bytes, None]:
        """The content of a file, piece by piece.

        Raises:
            ConnectionFailed: The connection broke on the way; what came before is incomplete.
            FileNotFound: The workspace has no such file.
        """
        async with self.content(workspace, file_id) as content:
            async for piece in content.pieces:
                yield piece

    @contextlib.asynccontextmanager
    async def content(
        self, workspace: str, file_id: UUID | str, *, start: int = 0, etag: str = ""
    ) -> AsyncIterator[Content]:
        """The content of a file, from ``start`` on if the platform can do that, else from its beginning.

        Args:
            workspace: Name of the workspace.
            file_id: Id of the file.
            start: The first byte wanted. No page of the platform promises that it heeds this.
            etag: What came before was of this version; of another one, all comes.

        Raises:
            ConnectionFailed: The connection broke on the way; what came before is incomplete.
            FileNotFound: The workspace has no such file.
        """
        path, asked = file_path(workspace, file_id), Asked(Subject.FILE, workspace, str(file_id))
        headers = {"Range": f"bytes={start}-"} | ({"If-Range": etag} if etag else {}) if start else {}
        async with contextlib.AsyncExitStack() as stack:
            try:
                response = await stack.enter_async_context(self._client.stream(path, asked, headers))
            except ApiError as error:
                if error.status != 416 or not start:
                    raise
                start = -1  # it has no such byte
            else:
                encoded = "content-encoding" in response.headers
                first, total = range_of(response) if start else (0, length_of(response))
                if first in (0, start) and not (encoded and first):
                    etag = response.headers.get("etag", "")
                    yield Content(response.aiter_bytes(), first, None if encoded else total, etag)
                    return
        # Anything but what was asked for cannot be glued to what is there.
        async with self.content(workspace, file_id) as content:
            yield content

    async def meta(self, workspace: str, file_id: UUID | str) -> dict[str, Any]:
        """The metadata of a file.

        Raises:
            FileNotFound: The workspace has no such file.
        """
        path, asked = file_path(workspace, file_id, "meta"), Asked(Subject.FILE, workspace, str(file_id))
        response = await self._client.request("GET", path, asked, worth=REPEATABLE)
        return decoded(response, dict[str, Any], self._client.settings)

    async def _page(self, workspace: str, params: dict[str, Any], kind: type[Any] = _Page) -> Any:
        asked = Asked(Subject.WORKSPACE, workspace, workspace)
        path = workspace_path(workspace, "files")
        response = await self._client.request("GET", path, asked, worth=REPEATABLE, params=params)
        return decoded(response, kind, self._client.settings)


def _as_json(meta: Mapping[str, Any]) -> str:
    if not isinstance(meta, Mapping):
        raise InvalidMeta(f"meta is a {type(meta).__name__}, not a dict.", "Give a dict such as {'topic': 'news'}.")
    try:
        return json.dumps(dict(meta), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidMeta(
            f"meta cannot be written as JSON: {error}.", "Use texts, numbers, booleans and lists of these."
        ) from None
