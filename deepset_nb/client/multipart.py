"""A form with one file in it, sent as a stream of known length.

The part before the file's name is the same for every file of a session, so it is made once (`Form`); a body then is
prelude + name + data + epilogue. Memory stays at one read per body, whatever the size of the file.
"""

from __future__ import annotations

import asyncio
import mimetypes
import os
import re
import secrets
from collections.abc import Callable, Mapping
from io import FileIO

import httpx

from ..errors import BucketError

READ_BYTES = 1 << 20  # reads in a thread: large enough to make the hop cheap
WRITE_BYTES = 256 << 10  # writes: small enough to finish within the write time-out on a slow, shared uplink
INLINE_BYTES = 64 << 10  # a file up to here is read without the hop, which would cost more than the read

_UNSAFE = re.compile('["\\\\\x00-\x1f\x7f]')
_ESCAPES = {"\\": "\\\\"}


class Form:
    """The fixed part of a multipart form: all fields, then the beginning of the file part.

    Args:
        fields: Form fields, sent before the file.
    """

    def __init__(self, fields: Mapping[str, str]) -> None:
        """Render the fields once."""
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{escaped(name)}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="')
        self._before_name = "".join(parts).encode()
        self._after_data = f"\r\n--{boundary}--\r\n".encode()

    def body(self, name: str, source: bytes | FileIO, size: int, on_sent: Callable[[int], None]) -> Body:
        """One request body: the form with this file in it.

        Args:
            name: File name, already escaped.
            source: Content, or the open file.
            size: Its length in bytes.
            on_sent: Told the number of file bytes of each write that went through.
        """
        head = self._before_name + f'{name}"\r\nContent-Type: {content_type(name)}\r\n\r\n'.encode()
        return Body(head, source, size, self._after_data, on_sent)


class Body(httpx.AsyncByteStream):
    """A request body that counts what was written and notices a file that changes under it.

    Attributes:
        length: Bytes in all, for Content-Length.
        sent: File bytes written so far.
        complete: Whether all of it was written.
    """

    def __init__(
        self, head: bytes, source: bytes | FileIO, size: int, tail: bytes, on_sent: Callable[[int], None]
    ) -> None:
        """Take the parts; nothing is read yet."""
        self.length = len(head) + size + len(tail)
        self.sent = 0
        self.complete = False
        self._head, self._tail, self._size = head, tail, size
        self._source, self._on_sent = source, on_sent
        self._stat = None if isinstance(source, bytes) else os.fstat(source.fileno())
        self._read = 0  # file bytes taken from the source
        self._buffer: memoryview = memoryview(b"")
        self._writing = 0  # file bytes of the write under way
        self._ended = False

    def __repr__(self) -> str:
        return f"<Body of {self.length} bytes>"  # the head holds the form's fields

    def __aiter__(self) -> Body:
        return self

    async def __anext__(self) -> bytes:
        # Being asked for more means that the write before went through.
        if self._writing:
            self.sent += self._writing
            self._on_sent(self._writing)
            self._writing = 0
        if self._ended:
            self.complete = True
            raise StopAsyncIteration
        piece = await self._next_piece()
        self._writing = len(piece)
        last = self.sent + len(piece) == self._size
        if last:
            # The last bytes go out together with the end of the form, so an object is complete or not there at all.
            self._check_unchanged()
            self._ended = True
            piece += self._tail
        head, self._head = self._head, b""
        return head + piece

    async def _next_piece(self) -> bytes:
        if not self._buffer and self._read < self._size:
            self._buffer = memoryview(await self._read_some())
            self._read += len(self._buffer)
        piece, self._buffer = self._buffer[:WRITE_BYTES], self._buffer[WRITE_BYTES:]
        return bytes(piece)

    async def _read_some(self) -> bytes:
        if isinstance(self._source, bytes):
            return self._source
        wanted = min(READ_BYTES, self._size - self._read)
        if wanted <= INLINE_BYTES:
            data = self._source.read(wanted)
        else:
            data = await asyncio.to_thread(self._source.read, wanted)
        if not data:
            raise file_changed(f"it had {self._size:,} bytes and ended after {self._read:,}")
        return data

    def _check_unchanged(self) -> None:
        if self._stat is None or isinstance(self._source, bytes):
            return
        now = os.fstat(self._source.fileno())
        if now.st_size != self._size:
            raise file_changed(f"it had {self._size:,} bytes and has {now.st_size:,} now")
        if now.st_mtime_ns != self._stat.st_mtime_ns:
            raise file_changed("its content was written to")


def file_changed(how: str) -> BucketError:
    """The error for a file that is not what it was when the upload was planned."""
    return BucketError(
        f"The file changed while it was being sent: {how}.",
        "Nothing of it was stored. Wait until nothing writes to it, then send it again.",
        code="FileChanged",
    )


def content_type(name: str) -> str:
    """The type a file's name stands for. The platform judges by name as well (platform API reference: form)."""
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def escaped(name: str) -> str:
    """``name`` as it stands between the quotes of a form part's header."""
    return _UNSAFE.sub(lambda match: _ESCAPES.get(match[0], f"%{ord(match[0]):02X}"), name)
