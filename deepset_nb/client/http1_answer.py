"""One HTTP/1.1 answer, out of the bytes that come: no I/O here.

An answer that came whole and plain, as a bucket's does, is read at a glance; everything else (chunks, parts, 1xx, no
length, nonsense) is read by h11.
"""

from __future__ import annotations

import re
from collections import deque

import h11
import httpx

Headers = list[tuple[bytes, bytes]]

UNFIT_NAME = re.compile(rb"[^!#$%&'*+\-.^_`|~0-9A-Za-z]")
UNFIT_VALUE = re.compile(rb"[\x00\r\n]")
_PLAIN_STATUS = re.compile(rb"HTTP/1\.1 ([2-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$")
_BODILESS = (204, 304)


class Answer:
    """What has come of an answer.

    Attributes:
        begun: Whether anything has.
        head: Status and headers, once they are complete.
        unread: Bytes of its body that nobody has taken yet.
        complete: Whether the end of the body has come.
        keep_alive: Whether another request may follow on this connection.
    """

    def __init__(self) -> None:
        """Expect it."""
        self.begun = False
        self.head: tuple[int, Headers] | None = None
        self.unread = 0
        self.complete = False
        self.keep_alive = False
        self._pieces: deque[bytes] = deque()
        self._reader: h11.Connection | None = None

    def receive(self, data: bytes) -> None:
        """Take what has come; empty at the end of the connection.

        Raises:
            httpx.RemoteProtocolError: It is not HTTP, or the connection ended too early.
        """
        if self.complete:
            self.keep_alive = False  # more than the answer
            return
        if not self.begun and self._read_plain(data):
            self.begun = True
            return
        self.begun = True
        if self._reader is None:
            self._reader = _reader()
        try:
            self._reader.receive_data(data)
            self._read(self._reader)
        except h11.RemoteProtocolError as error:
            raise httpx.RemoteProtocolError(str(error)) from None

    def take(self) -> bytes:
        """What has come of the body and was not taken yet."""
        content = self._pieces.popleft() if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self.unread = 0
        return content

    def _add(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self.unread += len(piece)

    def _read_plain(self, data: bytes) -> bool:
        head, end, content = data.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        found = _PLAIN_STATUS.match(first)
        if not end or not found:
            return False
        status, length, keep_alive = int(found[1]), -1, True
        headers: Headers = []
        for line in lines:
            name, colon, value = line.partition(b":")
            name, value = name.lower(), value.strip(b" \t")
            if not colon or not name or UNFIT_NAME.search(name) or UNFIT_VALUE.search(value):
                return False
            if name == b"content-length":
                if length >= 0 or not value.isdigit() or len(value) > 9:
                    return False
                length = int(value)
            elif name == b"connection":
                keep_alive = value.lower() == b"keep-alive"
            elif name == b"transfer-encoding":
                return False
            headers.append((name, value))
        if len(content) != (0 if status in _BODILESS else length):
            return False
        self._add(content)
        self.head, self.complete, self.keep_alive = (status, headers), True, keep_alive
        return True

    def _read(self, reader: h11.Connection) -> None:
        while True:
            event = reader.next_event()
            if isinstance(event, h11.Response):
                self.head = event.status_code, list(event.headers)
            elif isinstance(event, h11.Data):
                self._add(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self.complete = True
                self.keep_alive = reader.their_state is h11.DONE and not reader.trailing_data[0]
                return
            elif not isinstance(event, h11.InformationalResponse):
                return  # more has to come


def _reader() -> h11.Connection:
    reader = h11.Connection(h11.CLIENT)
    # It only reads; as far as it knows, a request was sent.
    reader.send(h11.Request(method="POST", target="/", headers=[("Host", "-"), ("Content-Length", "0")]))
    reader.send(h11.EndOfMessage())
    return reader
