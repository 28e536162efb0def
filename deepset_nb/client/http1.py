"""HTTP/1.1 to a bucket: an httpx transport made for many small requests at a time.

httpx's own transport looks through its whole pool at each request's start and end and crosses five layers with each
write; for a small file that costs more than the network. Here a request is one write, one future and one read.

Each time-out bounds silence: for that long nothing came, or nothing of what was written has gone.
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
from collections.abc import AsyncIterator
from typing import Any

import httpx

from .http1_answer import UNFIT_NAME, UNFIT_VALUE
from .http1_connection import Connection, words_of
from .network import ssl_context

_NEXT_ADDRESS_S = 0.25  # of several addresses, the next is tried when one has not answered for this long
_Origin = tuple[str, str, int]


class Http1Transport(httpx.AsyncBaseTransport):
    """Connections to a few origins, each kept open for the next request; whoever asks bounds how many there are.

    Example:
        >>> async with Http1Transport() as transport:
        ...     response = await transport.handle_async_request(request)
    """

    def __init__(self) -> None:
        """Prepare; nothing is connected yet."""
        self._idle: dict[_Origin, list[Connection]] = {}
        self._open: set[Connection] = set()

    def __repr__(self) -> str:
        return "<Http1Transport>"

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request whose body has the Content-Length that its headers say.

        Raises:
            StaleConnection: A kept connection was given up by the server; the next request gets a new one.
            httpx.TransportError: The connection could not be made, or broke, or was silent for too long.
        """
        url, timeouts = request.url, request.extensions.get("timeout", {})
        origin = (url.scheme, url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80))
        head = _head(request)
        assert isinstance(request.stream, httpx.AsyncByteStream)
        connection = self._kept(origin) or await self._connect(origin, timeouts.get("connect"))
        try:
            await connection.send(head, request.stream, timeouts.get("write"))
            status, headers = await connection.answer(timeouts.get("read"))
        except BaseException as error:
            connection.close()
            if isinstance(error, httpx.RemoteProtocolError):
                self._drop(origin)
            raise
        stream: httpx.AsyncByteStream
        if connection.answered:
            stream = httpx.ByteStream(connection.content())
            self._release(origin, connection)
        else:
            stream = _Rest(self, origin, connection, timeouts.get("read"))
        return httpx.Response(status, headers=headers, stream=stream)

    async def aclose(self) -> None:
        """Close all connections, those in use as well."""
        self._idle.clear()
        for connection in list(self._open):
            connection.close()
        await asyncio.sleep(0)  # the event loop closes their sockets

    def _kept(self, origin: _Origin) -> Connection | None:
        kept = self._idle.get(origin)
        while kept:
            connection = kept.pop()
            if connection.is_fresh:
                return connection
            connection.close()
        return None

    def _drop(self, origin: _Origin) -> None:
        for connection in self._idle.pop(origin, ()):
            connection.close()  # it is as old as the one that was given up

    async def _connect(self, origin: _Origin, timeout_s: float | None) -> Connection:
        scheme, host, port = origin
        if scheme not in ("http", "https"):
            raise httpx.UnsupportedProtocol(f"{scheme!r} is neither http nor https")
        loop = asyncio.get_running_loop()
        context = ssl_context() if scheme == "https" else None
        # uvloop tries one address after the other. Where there is but one, a race could only lose it to a cancel.
        several: dict[str, Any] = {}
        if isinstance(loop, asyncio.BaseEventLoop) and not _is_address(host):
            several["happy_eyeballs_delay"] = _NEXT_ADDRESS_S
        try:
            async with asyncio.timeout(timeout_s):
                _, connection = await loop.create_connection(
                    lambda: Connection(loop, self._open), host, port, ssl=context, **several
                )
        except TimeoutError:
            raise httpx.ConnectTimeout("no connection in time") from None
        except OSError as error:
            raise httpx.ConnectError(words_of(error)) from None
        return connection

    def _release(self, origin: _Origin, connection: Connection) -> None:
        if connection.rest():
            self._idle.setdefault(origin, []).append(connection)


class _Rest(httpx.AsyncByteStream):
    """The rest of an answer that did not come all at once."""

    def __init__(
        self, transport: Http1Transport, origin: _Origin, connection: Connection, read_s: float | None
    ) -> None:
        self._transport, self._origin, self._read_s = transport, origin, read_s
        self._connection: Connection | None = connection

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while self._connection is not None and (piece := await self._connection.next_piece(self._read_s)):
                yield piece
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._transport._release(self._origin, connection)


@functools.lru_cache(maxsize=64)
def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _head(request: httpx.Request) -> bytes:
    """The request line and the headers as they go onto the wire; nothing in them can begin a line of its own."""
    method, target, headers = request.method.encode(), request.url.raw_path, request.headers.raw
    names, values = b"".join([method, *[name for name, _ in headers]]), b"".join([value for _, value in headers])
    if UNFIT_NAME.search(names) or UNFIT_VALUE.search(values) or UNFIT_VALUE.search(target) or b" " in target:
        raise httpx.LocalProtocolError("the request has a header that no request may have")
    lines = [b"%s %s HTTP/1.1" % (method, target), *[b"%s: %s" % header for header in headers], b"\r\n"]
    return b"\r\n".join(lines)
