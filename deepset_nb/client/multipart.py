"""A form with one file in it, sent as a stream of known length.

The part before the file's name is the same for every file of a session, so it is made once (`Form`); a body then is
prelude + name + data + epilogue. Memory stays at two reads per body, whatever the size of the file.
"""

from __future__ import annotations

import functools
import mimetypes
import posixpath
import re
import secrets
from collections.abc import Callable, Mapping
from io import FileIO

import httpx

from .file_content import FileContent
from .fingerprint import fingerprint
from .remote_content import RemoteContent

WRITE_BYTES = 256 << 10  # of content in memory; what is larger is cut, so that progress moves

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

    def body(
        self, name: str, source: bytes | FileIO | RemoteContent, size: int, on_sent: Callable[[int], None]
    ) -> Body:
        """One request body: the form with this file in it.

        Args:
            name: File name, already escaped.
            source: Content, or the open file, or what lies behind a URL.
            size: Its length in bytes.
            on_sent: Told the number of file bytes of each write that went through.

        Raises:
            BucketError: Code ``FileChanged``: the file does not have this size.
        """
        head = self._before_name + f'{name}"\r\nContent-Type: {content_type(name)}\r\n\r\n'.encode()
        content = FileContent(source, size) if isinstance(source, FileIO) else source
        return Body(head, content, size, self._after_data, on_sent)


class Body(httpx.AsyncByteStream):
    """A request body that counts what was written and notices a file that changes under it.

    Attributes:
        length: Bytes in all, for Content-Length.
        sent: File bytes written so far.
        complete: Whether all of it was written.
    """

    def __init__(
        self,
        head: bytes,
        content: bytes | FileContent | RemoteContent,
        size: int,
        tail: bytes,
        on_sent: Callable[[int], None],
    ) -> None:
        """Take the parts; nothing is read yet."""
        self.length = len(head) + size + len(tail)
        self.sent = 0
        self.complete = False
        self._head, self._tail, self._size = head, tail, size
        self._content, self._on_sent = content, on_sent
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
        content = self._content
        if not isinstance(content, bytes):
            piece = await content.next_piece() if self._size else b""
        elif self._size <= WRITE_BYTES:
            piece = content
        else:
            piece = content[self.sent : self.sent + WRITE_BYTES]
        self._writing = len(piece)
        head, self._head = self._head, b""
        if self.sent + len(piece) < self._size:
            return head + piece if head else piece
        # The last bytes go out together with the end of the form, so an object is complete or not there at all.
        if not isinstance(content, bytes):
            content.check_unchanged()
        self._ended = True
        return b"".join((head, piece, self._tail))

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the file, once the body is complete."""
        return fingerprint(self._content) if isinstance(self._content, bytes) else self._content.fingerprint

    def close(self) -> None:
        """Close the file, but not under a read that is still under way."""
        if not isinstance(self._content, bytes):
            self._content.close()


def content_type(name: str) -> str:
    """The type a file's name stands for. The platform judges by name as well (platform API reference: form)."""
    # Only the suffixes decide, and a folder has few of them.
    stem, suffix = posixpath.splitext(name)
    if suffix.lower() in (".gz", ".bz2", ".xz", ".z", ".br"):
        suffix = posixpath.splitext(stem)[1] + suffix
    return _type_of(suffix)


@functools.lru_cache(maxsize=512)
def _type_of(suffix: str) -> str:
    return mimetypes.guess_type(f"file{suffix}")[0] or "application/octet-stream"


def escaped(name: str) -> str:
    """``name`` as it stands between the quotes of a form part's header."""
    return _UNSAFE.sub(lambda match: _ESCAPES.get(match[0], f"%{ord(match[0]):02X}"), name)
