"""Posting objects to the bucket of an upload session.

One POST an object, the form's fields are its only credential: no key ever goes here. The bucket is asked without
httpx's pool, whose work grows with connections times waiting requests: a free list of transports with one connection
each does the same at constant cost. A post is repeatable (same name, same object), so breaks and a busy bucket are
tried again; what the bucket refuses for good is raised at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from io import FileIO
from pathlib import Path
from types import TracebackType

import httpx

from .._version import __version__
from ..errors import BucketError, DeepsetError
from ..models import AWSPrefixedRequestConfig
from .bucket_errors import is_transient, refused
from .filenames import stored_name, wire_name
from .multipart import Body, Form, file_changed
from .network import CONNECT_S, proxy_for, reason_of, ssl_context
from .retries import Again, is_final, retry_after, retrying

# Each bounds silence, not the whole post: 256 KiB may take two minutes, a 5 GB file may take hours.
_TIMEOUTS = {"connect": CONNECT_S, "read": 60.0, "write": 120.0, "pool": None}
_ANSWER_S = 60.0  # for an error's body, which may come drop by drop
_ANSWER_BYTES = 64 << 10
_REDIRECTS = 3
_KEEPALIVE_S = 15.0  # S3 closes an idle connection after about 20 s


class Bucket:
    """The bucket of one upload session; use it as ``async with client.bucket(form) as bucket``.

    Args:
        form: Where to post, and the fields that allow it.
        connections: How many objects may be on their way at a time; further posts wait for their turn.
        transport: Takes the place of the network, for tests.
    """

    def __init__(
        self,
        form: AWSPrefixedRequestConfig,
        *,
        connections: int | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Render the form's fixed part; nothing is sent yet."""
        self._url = self._nearest = httpx.URL(form.url)
        self._secrets = [value for name, value in form.fields.items() if name != "key" and len(value) > 7]
        self._form = Form(form.fields)
        self._shared = transport
        self._turns = asyncio.Semaphore(connections or 10)
        self._idle: list[httpx.AsyncBaseTransport] = []
        self._own: list[httpx.AsyncHTTPTransport] = []

    def __repr__(self) -> str:
        return "<Bucket>"

    async def __aenter__(self) -> Bucket:
        """Ready to post."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections."""
        self._idle.clear()
        while self._own:
            await self._own.pop().aclose()

    async def post(
        self,
        name: str,
        source: bytes | Path | str,
        size: int,
        *,
        on_sent: Callable[[int], None] | None = None,
        on_retry: Callable[[DeepsetError], None] | None = None,
    ) -> str:
        """Store one object.

        Args:
            name: File name, without folders; it is stored as `filenames.stored_name` says.
            source: Its content, or the file on disk, which is read as it is sent.
            size: Its length in bytes, as it was planned.
            on_sent: Told the number of file bytes handed to the network; negative when an attempt failed and its
                bytes do not count. The numbers add up to ``size`` if the post succeeds, else to 0.
            on_retry: Told why, each time another attempt is made.

        Raises:
            BucketError: The object was not stored. ``code`` is the bucket's own, or ``FileChanged``, or empty
                when the connection broke.
            OSError: The file cannot be opened or read.
        """
        report = on_sent or _ignore

        async def attempt() -> None:
            async with self._connection() as transport:
                try:
                    self._nearest = await self._post_to(transport, self._nearest, name, source, size, report)
                except Again:
                    # The address found by redirects may be stale; the one the platform gave is not.
                    self._nearest = self._url
                    raise

        # No bound on total time: it would forbid a second attempt to exactly the files that take long.
        if isinstance(source, str):
            source = Path(source)
        await retrying(attempt, timeout_s=None, on_retry=on_retry)
        from .fingerprint import fingerprint, fingerprint_of

        return fingerprint(source) if isinstance(source, bytes) else fingerprint_of(source)

    async def _post_to(
        self,
        transport: httpx.AsyncBaseTransport,
        url: httpx.URL,
        name: str,
        source: bytes | Path,
        size: int,
        report: Callable[[int], None],
    ) -> httpx.URL:
        """One attempt, through redirects. Returns the address that took the object."""
        for _ in range(_REDIRECTS + 1):
            with _opened(source, size) as data:
                body = self._form.body(wire_name(name), data, size, report)
                stored = False
                try:
                    response = await self._exchange(transport, url, body, name)
                    stored = response.is_success
                finally:
                    if not stored:
                        report(-body.sent)
            if stored:
                return url
            if response.status_code not in (307, 308):
                error = refused(response, stored_name(name), self._secrets)
                raise Again(error, retry_after(response)) if is_transient(error) else error
            url = self._redirected(url, response, name)
        raise BucketError(
            f"The bucket redirected {stored_name(name)} {_REDIRECTS + 1} times.", "Try again in a minute.", status=307
        )

    async def _exchange(
        self, transport: httpx.AsyncBaseTransport, url: httpx.URL, body: Body, name: str
    ) -> httpx.Response:
        # Built by hand and given to the transport itself: httpx's client costs more than the network here, and it
        # would write the address to its log.
        request = httpx.Request(
            "POST",
            url,
            headers=[
                ("Host", url.netloc.decode("ascii")),
                ("User-Agent", f"deepset-nb/{__version__}"),
                ("Accept", "*/*"),
                ("Content-Type", self._form.content_type),
                ("Content-Length", str(body.length)),
            ],
            stream=body,
            extensions={"timeout": _TIMEOUTS},
        )
        try:
            response = await transport.handle_async_request(request)
            answer = await _read(response)
        except (httpx.HTTPError, TimeoutError) as error:
            raise self._broken(error, name) from None
        if response.is_success and not body.complete:
            raise self._broken(httpx.RemoteProtocolError("an answer came before the end of the file"), name)
        return httpx.Response(response.status_code, headers=_relevant(response.headers), content=answer)

    def _redirected(self, url: httpx.URL, response: httpx.Response, name: str) -> httpx.URL:
        try:
            target = url.join(response.headers["location"])
        except (KeyError, httpx.InvalidURL):
            target = httpx.URL()
        allowed = ("https",) if url.scheme == "https" else ("http", "https")
        if target.scheme not in allowed or not target.host:
            raise BucketError(
                f"The bucket redirected {stored_name(name)} to an address that is not safe to follow.",
                "The form would have travelled there in clear text. Ask the platform's support.",
                status=response.status_code,
            )
        return target

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[httpx.AsyncBaseTransport]:
        async with self._turns:
            transport = self._idle.pop() if self._idle else self._new_transport()
            try:
                yield transport
            finally:
                self._idle.append(transport)

    def _new_transport(self) -> httpx.AsyncBaseTransport:
        if self._shared is not None:
            return self._shared
        transport = httpx.AsyncHTTPTransport(
            verify=ssl_context(),
            proxy=proxy_for(self._url),
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=_KEEPALIVE_S),
        )
        self._own.append(transport)
        return transport

    def _broken(self, error: httpx.HTTPError | TimeoutError, name: str) -> Again | BucketError:
        why = reason_of(error) if isinstance(error, httpx.HTTPError) else "its answer did not end"
        failed = BucketError(
            f"{stored_name(name)} did not reach the bucket: {why}.", "Check the network, then send it again."
        )
        final = isinstance(error, httpx.HTTPError) and is_final(error)
        return failed if final else Again(failed)


@contextlib.contextmanager
def _opened(source: bytes | Path, size: int) -> Iterator[bytes | FileIO]:
    if isinstance(source, bytes):
        if len(source) != size:
            raise ValueError(f"size is {size:,}, the content has {len(source):,} bytes")
        yield source
        return
    with FileIO(source) as file:
        if (now := os.fstat(file.fileno()).st_size) != size:
            raise file_changed(f"it had {size:,} bytes and has {now:,} now")
        yield file


async def _read(response: httpx.Response) -> bytes:
    assert isinstance(response.stream, httpx.AsyncByteStream)
    answer = b""
    try:
        async with asyncio.timeout(_ANSWER_S):
            async for piece in response.stream:
                answer += piece
                if len(answer) > _ANSWER_BYTES:
                    break
    finally:
        await response.aclose()
    return answer


def _relevant(headers: httpx.Headers) -> dict[str, str]:
    return {name: headers[name] for name in ("content-type", "location", "retry-after") if name in headers}


def _ignore(delta: int) -> None:
    pass
