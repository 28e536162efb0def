"""Multipart forms, read as they arrive: small fields into memory, the file part to disk.

`FormReader` parses, `Incoming` is the body on its way to disk. At most about a mebibyte of a file is ever held; the
temporary file becomes a blob only when the form is complete, and disappears where it never is.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from .store import Store

BUFFER_BYTES = 1024**2  # a thread hop per mebibyte costs nothing; small objects need only the one that commits them


_silent = logging.getLogger(f"{__name__}.parser")  # the parser logs what it raises; the client is told, nobody else
_silent.setLevel(logging.CRITICAL + 1)


class FormError(ValueError):
    """The body is no multipart form, or one of its parts is not acceptable."""


class TooMuchFormData(FormError):
    """The fields beside the file are larger than allowed."""


class Incoming:
    """A body being received.

    Attributes:
        size: Bytes received so far.
    """

    def __init__(self, store: Store) -> None:
        """Nothing is created on disk before there is something to write."""
        self.size = 0
        self._store = store
        self._buffer = bytearray()
        self._path: Path | None = None
        self._file: BinaryIO | None = None

    def feed(self, data: bytes | memoryview) -> None:
        """Take the next bytes; only memory is touched."""
        self.size += len(data)
        self._buffer += data

    @property
    def is_full(self) -> bool:
        """Whether enough is buffered to be worth a write."""
        return len(self._buffer) >= BUFFER_BYTES

    def flush(self) -> None:
        """Write what is buffered. Blocks on the disk: call it in a thread."""
        if self._file is None:
            self._path = self._store.incoming_path()
            self._file = self._path.open("wb", buffering=0)
        self._file.write(self._buffer)
        self._buffer = bytearray()

    def keep(self) -> str:
        """Complete the body and return its blob id. Blocks on the disk: call it in a thread."""
        if self._file is None:
            content, self._buffer = self._buffer, bytearray()
            return self._store.new_blob(content)
        self.flush()
        assert self._path is not None
        self._file.close()
        blob = self._store.adopt(self._path)
        self._path = None
        return blob

    def discard(self) -> None:
        """Forget the body; after `keep` this does nothing."""
        if self._file is not None:
            self._file.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            self._path = None


async def arriving(request: Request, idle_timeout_s: float) -> AsyncIterator[bytes]:
    """The pieces of a body; TimeoutError where none comes for too long."""
    stream = request.stream()
    while True:
        async with asyncio.timeout(idle_timeout_s):
            piece = await anext(stream, None)
        if piece is None:
            return
        if piece:
            yield piece


class FormReader:
    """Parses one form.

    Args:
        content_type: The request's header, it holds the boundary.
        store: Where the file part goes.
        on_file: Called with the file part's name and the fields before it, ahead of its first byte; may raise.
        max_field_bytes: Limit of everything but the file.
        file_last: Whether a part after the file is an error.

    Raises:
        FormError: The header names no boundary.
    """

    def __init__(
        self,
        content_type: str,
        store: Store,
        *,
        on_file: Callable[[str, dict[str, str]], None],
        max_field_bytes: int,
        file_last: bool,
    ) -> None:
        """Set up the parser; nothing is read yet."""
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise FormError("The body must be multipart/form-data with a boundary.")
        self.fields: dict[str, str] = {}
        self.filename: str | None = None
        self.file: Incoming | None = None
        self._store, self._on_file = store, on_file
        self._room, self._file_last = max_field_bytes, file_last
        self._header_name = self._header_value = b""
        self._headers: dict[bytes, bytes] = {}
        self._field: tuple[str, bytearray] | None = None
        self._complete = False
        try:
            self._parser = MultipartParser(
                options[b"boundary"],
                {
                    "on_part_begin": self._part_begin,
                    "on_header_field": self._header_field,
                    "on_header_value": self._header_text,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._headers_finished,
                    "on_part_data": self._part_data,
                    "on_part_end": self._part_end,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise FormError(str(error)) from None
        self._parser.logger = _silent

    async def read(self, chunks: AsyncIterator[bytes]) -> None:
        """Read the whole form; the file part is on disk or in the buffer afterwards.

        Raises:
            FormError: The form is malformed, ends too early or has too large fields.
        """
        async for chunk in chunks:
            try:
                self._parser.write(chunk)
            except FormParserError as error:
                raise FormError(str(error)) from None
            if self.file is not None and self.file.is_full:
                await run_in_threadpool(self.file.flush)
        if not self._complete:
            raise FormError("The form ends before its last boundary.")

    def _part_begin(self) -> None:
        if self._file_last and self.file is not None:
            raise FormError("The file must be the last part of the form.")
        self._headers = {}

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _header_text(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._header_name.lower()] = self._header_value
        self._header_name = self._header_value = b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        try:
            name = options.get(b"name", b"").decode()
            filename = options[b"filename"].decode() if b"filename" in options else None
        except UnicodeDecodeError:
            raise FormError("The name of a part is not UTF-8.") from None
        if not name:
            raise FormError("A part of the form has no name.")
        if name == "file" and filename is not None:
            if self.file is not None:
                raise FormError("The form must have exactly one file.")
            self._on_file(filename, self.fields)
            self.filename, self.file, self._field = filename, Incoming(self._store), None
        else:
            self._field = (name, bytearray())

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._field is None:
            assert self.file is not None
            self.file.feed(memoryview(data)[start:end])
            return
        self._room -= end - start
        if self._room < 0:
            raise TooMuchFormData("The form's fields are too large.")
        self._field[1].extend(data[start:end])

    def _part_end(self) -> None:
        if self._field is not None:
            name, value = self._field
            try:
                self.fields[name] = value.decode()
            except UnicodeDecodeError:
                raise FormError(f"The form field {name!r} is not UTF-8.") from None
            self._field = None

    def _end(self) -> None:
        self._complete = True
