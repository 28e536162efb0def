"""Multipart forms: made by hand for the raw client, looked at just as far as needed by the drain."""

from __future__ import annotations

from collections.abc import Mapping

from tests.benchmarks.drain_api import Refused
from tests.benchmarks.platform_memory import stored

BOUNDARY = "benchmark0000000000000000"
_FILENAME = b'filename="'


class Incomplete(Exception):
    """The file's name has not arrived yet."""


def object_of(body: bytes, length: int) -> tuple[str, int, int]:
    """Name, place and size of the object in a form whose file comes last.

    Args:
        body: The form, or its beginning.
        length: Bytes of the whole form.

    Raises:
        Incomplete: More of the form is needed.
        Refused: It is no such form.
    """
    at = body.find(_FILENAME)
    start = body.find(b"\r\n\r\n", at) + 4 if at >= 0 else 3
    if start < 4:
        if len(body) < length and len(body) < 64 << 10:
            raise Incomplete
        raise Refused(400, "MalformedPOSTRequest: the form holds no file.")
    name = body[at + len(_FILENAME) : body.index(b'"', at + len(_FILENAME))]
    boundary = body[: body.index(b"\r\n")]
    closing = b"\r\n" + boundary + b"--\r\n"
    if len(body) == length and not body.endswith(closing):
        raise Refused(400, "MalformedPOSTRequest: the file is not the last part.")
    return stored(name), start, length - start - len(closing)


def document_of(body: bytes) -> tuple[str, int, bytes]:
    """Name, size and metadata of a document that is sent without a session; its parts come in any order."""
    boundary = body[: max(0, body.find(b"\r\n"))]
    name, size, meta = "", -1, b"{}"
    for part in body.split(boundary)[1:-1] if boundary else ():
        head, _, content = part.partition(b"\r\n\r\n")
        content = content.removesuffix(b"\r\n")
        if b'name="file"' in head:
            name, size = stored(head.partition(_FILENAME)[2].partition(b'"')[0]), len(content)
        elif b'name="meta"' in head:
            meta = content or b"{}"
    if size < 1 or not name:
        raise Refused(422, "The form holds no file, or an empty one.")
    return name, size, meta


def form_around(fields: Mapping[str, str], name: str) -> tuple[bytes, bytes]:
    """What stands before and after the bytes of a file."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
        for field, value in fields.items()
    ]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
    before = "".join(parts) + head + "Content-Type: text/plain\r\n\r\n"
    return before.encode(), f"\r\n--{BOUNDARY}--\r\n".encode()


def request_head(host: str, path: str, length: int) -> bytes:
    """Request line and headers of one post."""
    kind = f"Content-Type: multipart/form-data; boundary={BOUNDARY}"
    return f"POST {path} HTTP/1.1\r\nHost: {host}\r\n{kind}\r\nContent-Length: {length}\r\n\r\n".encode()
