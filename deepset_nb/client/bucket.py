"""Posting objects to the bucket of an upload session.

One POST an object, the form's fields are its only credential: no key ever goes here. A post is repeatable (same name,
same object), so breaks and a busy bucket are tried again; what the bucket refuses for good is raised at once. How many
posts are on their way at a time is decided by `concurrency`, for all sessions together.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from io import FileIO
from types import TracebackType
from typing import Self

import httpx

from .._version import __version__
from ..errors import BucketError, DeepsetError
from ..models import AWSPrefixedRequestConfig
from .addresses import is_remote
from .bucket_errors import is_transient, refused
from .concurrency import AdaptiveLimit, limit_for
from .file_content import INLINE_BYTES, open_regular, small_content
from .filenames import stored_name, wire_name
from .http1 import Http1Transport
from .http1_connection import KEEPALIVE_S, StaleConnection
from .multipart import Body, Form
from .network import CONNECT_S, proxy_for, reason_of, ssl_context, usable_proxy
from .remote_content import RemoteContent
from .retries import Again, is_final, retry_after, retrying

Source = bytes | str | os.PathLike[str]

# Each bounds silence, not the whole post: a 5 GB file may take hours.
_TIMEOUTS = {"connect": CONNECT_S, "read": 60.0, "write": 120.0, "pool": None}
_ANSWER_S = 60.0  # for an error's body, which may come drop by drop
_ANSWER_BYTES = 64 << 10
_REDIRECTS = 3


class Bucket:
    """The bucket of one upload session; use it as ``async with client.bucket(form) as bucket``.

    Args:
        form: Where to post, and the fields that allow it.
        connections: How many objects may be on their way at a time; further posts wait for their turn. None: as many
            as turns out to be good, together with the other buckets of this host.
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
        self._proxy = None if transport else proxy_for(self._url)
        self._transport = transport
        self._own: httpx.AsyncBaseTransport | None = None
        self._shared_limit: AdaptiveLimit | None = None
        self._connections = connections
        self._turns: contextlib.AbstractAsyncContextManager[None]
        self._turns = contextlib.nullcontext() if connections is None else asyncio.Semaphore(connections)

    def __repr__(self) -> str:
        return "<Bucket>"

    async def __aenter__(self) -> Self:
        """Ready to post."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections."""
        if self._own is not None:
            self._transport, own, self._own = None, self._own, None
            await own.aclose()

    @property
    def workers(self) -> int:
        """How many tasks that post are worth starting; more would only wait."""
        ceiling = self._limit.ceiling
        return ceiling if self._connections is None else min(self._connections, ceiling)

    async def post(
        self,
        name: str,
        source: Source,
        size: int,
        *,
        on_sent: Callable[[int], None] | None = None,
        on_retry: Callable[[DeepsetError], None] | None = None,
    ) -> str | None:
        """Store one object.

        Args:
            name: File name, without folders; it is stored as `filenames.stored_name` says.
            source: Its content, or the path of the file on disk or a URL for fsspec, which is read as it is sent.
            size: Its length in bytes, as it was planned.
            on_sent: Told the number of file bytes handed to the network; negative when an attempt failed and its
                bytes do not count. The numbers add up to ``size`` if the post succeeds, else to 0.
            on_retry: Told why, each time another attempt is made.

        Returns:
            The `fingerprint` of the content that was stored.

        Raises:
            BucketError: The object was not stored. ``code`` is the bucket's own, or ``FileChanged``, or empty
                when the connection broke.
            OSError: The file cannot be opened or read.
        """
        report = on_sent or _ignore

        async def attempt() -> str:
            async with self._turns:
                turn = await self._limit.turn(self)
                try:
                    self._nearest, stored = await self._post_to(self._nearest, name, source, size, report)
                except Again as again:
                    # The address found by redirects may be stale; the one the platform gave is not.
                    self._nearest = self._url
                    turn.troubled(again.after_s)
                    raise
                except BaseException:
                    turn.ended()
                    raise
                turn.answered(size)
                return stored

        # No bound on total time: it would forbid a second attempt to exactly the files that take long.
        return await retrying(attempt, timeout_s=None, on_retry=on_retry)

    async def _post_to(
        self, url: httpx.URL, name: str, source: Source, size: int, report: Callable[[int], None]
    ) -> tuple[httpx.URL, str]:
        """One attempt, through redirects. Returns the address that took the object, and its fingerprint."""
        redirects, stale = 0, False
        while redirects <= _REDIRECTS:
            body, stored = self._form.body(wire_name(name), _content(source, size), size, report), False
            try:
                response = await self._exchange(url, body, name)
                stored = response.is_success
                if stored:
                    return url, body.fingerprint
            except StaleConnection as error:
                if stale:
                    raise self._broken(error, name) from None
                stale = True  # nobody's fault: once more, over a new connection
                continue
            finally:
                body.close()
                if body.sent and not stored:
                    report(-body.sent)
            if response.status_code not in (307, 308):
                refusal = refused(response, stored_name(name), self._secrets)
                raise Again(refusal, retry_after(response)) if is_transient(refusal) else refusal
            url = self._redirected(url, response, name)
            redirects += 1
        raise BucketError(
            f"The bucket redirected {stored_name(name)} {redirects} times.", "Try again in a minute.", status=307
        )

    async def _exchange(self, url: httpx.URL, body: Body, name: str) -> httpx.Response:
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
            response = await self._network().handle_async_request(request)
            answer = await _read(response)
        except StaleConnection:
            raise
        except (httpx.HTTPError, TimeoutError) as error:
            raise self._broken(error, name) from None
        if not response.is_success:
            return httpx.Response(response.status_code, headers=_relevant(response.headers), content=answer)
        if not body.complete:
            raise self._broken(httpx.RemoteProtocolError("an answer came before the end of the file"), name)
        return response

    def _network(self) -> httpx.AsyncBaseTransport:
        if self._transport is None:
            self._transport = self._own = self._proxied() if self._proxy else Http1Transport()
        return self._transport

    def _proxied(self) -> httpx.AsyncBaseTransport:
        with usable_proxy():
            return httpx.AsyncHTTPTransport(
                verify=ssl_context(),
                proxy=self._proxy,
                limits=httpx.Limits(max_connections=self.workers, keepalive_expiry=KEEPALIVE_S),
            )

    @property
    def _limit(self) -> AdaptiveLimit:
        if self._shared_limit is None:
            self._shared_limit = limit_for(self._proxy or self._url.host, proxied=self._proxy is not None)
        return self._shared_limit

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

    def _broken(self, error: httpx.HTTPError | TimeoutError, name: str) -> Again | BucketError:
        why = reason_of(error) if isinstance(error, httpx.HTTPError) else "its answer did not end"
        failed = BucketError(
            f"{stored_name(name)} did not reach the bucket: {why}.", "Check the network, then send it again."
        )
        final = isinstance(error, httpx.HTTPError) and is_final(error)
        return failed if final else Again(failed)


def _content(source: Source, size: int) -> bytes | FileIO | RemoteContent:
    if is_remote(source):
        return RemoteContent(str(source), size)
    if not isinstance(source, bytes):
        return small_content(source, size) if size <= INLINE_BYTES else FileIO(source, opener=open_regular)
    if len(source) != size:
        raise ValueError(f"size is {size:,}, the content has {len(source):,} bytes")
    return source


async def _read(response: httpx.Response) -> bytes:
    if isinstance(response.stream, httpx.ByteStream):
        return b"".join(response.stream)  # it came at once
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
