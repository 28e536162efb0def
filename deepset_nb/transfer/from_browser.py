"""Files that lie in a reader's browser, which posts them to the bucket itself: the kernel never sees their bytes.

To the pipeline they are rows like any other, and `BrowserBucket` a bucket like any other: sessions, journal, retries,
closing and watching are those of every upload. Only the post is made elsewhere, by a page (a `Courier`) that is handed
the session's form for one object and reports what the bucket answered. Where the page cannot reach the bucket, the
bytes come through the kernel after all, file by file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol

import httpx

from ..client.bucket import Bucket, Source
from ..client.bucket_errors import is_transient, refused
from ..client.concurrency import AdaptiveLimit
from ..client.filenames import stored_name, wire_name
from ..client.retries import Again, retry_after, retrying
from ..errors import BucketError, DeepsetError
from ..models import AWSPrefixedRequestConfig
from .receipt import IN_BROWSER

AT_ONCE = 10  # a browser opens six connections to a host; some more wait in the page, so that none is idle
PAGE_GONE = "PageGone"
_NO_ANSWER = "the browser got no answer"


@dataclass(frozen=True)
class Order:
    """One object for the page to post.

    Attributes:
        file: The page's id of the file.
        url: The bucket.
        fields: The form's fields, a credential: sent to the page, shown nowhere, kept nowhere.
        name: As the form carries it.
    """

    file: str
    url: str = field(repr=False)
    fields: dict[str, str] = field(repr=False)
    name: str


@dataclass(frozen=True)
class Answer:
    """What the bucket answered to the page; status 0 if nothing came."""

    status: int
    body: str = ""
    retry_after: str = ""


class Courier(Protocol):
    """A page that holds files. Each method raises a `BucketError` if the page or the file is gone."""

    async def reaches(self, url: str) -> bool:
        """Whether the page gets an answer from this bucket; asked without the form."""

    async def post(self, order: Order, on_loaded: Callable[[int], None]) -> Answer:
        """Have the page post a file; ``on_loaded`` is told how many of its bytes are out."""

    async def fetch(self, file: str) -> str:
        """Have the bytes brought to the kernel's disk; the path of the copy."""

    def release(self, file: str) -> None:
        """The copy is not needed any more."""

    def went(self, file: str, lane: str) -> None:
        """A file has been stored over this lane, ``direct`` or ``kernel``."""


class BrowserBucket(Bucket):
    """The bucket of one upload session, as a page reaches it.

    Args:
        form: Where to post, and the fields that allow it.
        courier: The page.
        limit: How many posts may be on their way; shared by the buckets of one transfer.
        connections: Of what goes through the kernel.
        transport: Takes the place of the kernel's network, for tests.
    """

    def __init__(
        self,
        form: AWSPrefixedRequestConfig,
        courier: Courier,
        limit: AdaptiveLimit,
        *,
        connections: int | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Nothing is sent yet."""
        super().__init__(form, connections=connections, transport=transport)
        self._courier = courier
        self._browsers_limit = limit
        self._address = form.url
        self._fields = form.fields

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the kernel's own connections, and let go of the form."""
        self._fields = {}
        await super().__aexit__(kind, error, trace)

    async def post(
        self,
        name: str,
        source: Source,
        size: int,
        *,
        on_sent: Callable[[int], None] | None = None,
        on_retry: Callable[[DeepsetError], None] | None = None,
    ) -> str | None:
        """Store one object, see `Bucket.post`; what the kernel holds itself, such as metadata, it posts itself."""
        if not isinstance(source, str) or not source.startswith(IN_BROWSER):
            return await super().post(name, source, size, on_sent=on_sent, on_retry=on_retry)
        file = source.removeprefix(IN_BROWSER)
        report = on_sent or (lambda _: None)
        if await self._courier.reaches(self._address):
            try:
                await retrying(lambda: self._attempt(file, name, size, report), timeout_s=None, on_retry=on_retry)
            except BucketError as error:
                if error.status or error.code:
                    raise
            else:
                self._courier.went(file, "direct")
                return None  # nobody here has seen the content
        path = await self._courier.fetch(file)
        try:
            stored = await super().post(name, path, size, on_sent=on_sent, on_retry=on_retry)
        finally:
            self._courier.release(file)
        self._courier.went(file, "kernel")
        return stored

    async def _attempt(self, file: str, name: str, size: int, report: Callable[[int], None]) -> None:
        loaded = 0

        def move(total: int) -> None:
            nonlocal loaded
            report(total - loaded)
            loaded = total

        order = Order(file, self._address, self._fields, wire_name(name))
        turn = await self._browsers_limit.turn(self)
        try:
            answer = await self._courier.post(order, lambda total: move(min(max(total, 0), size)))
        except BaseException:
            turn.ended()
            move(0)
            raise
        if 200 <= answer.status < 300:
            turn.answered(size)
            move(size)
            return
        move(0)
        if not answer.status:
            turn.troubled()
            raise Again(
                BucketError(
                    f"{stored_name(name)} did not reach the bucket: {_NO_ANSWER}.",
                    "Check the network, then send it again.",
                )
            )
        response = httpx.Response(answer.status, headers={"retry-after": answer.retry_after}, text=answer.body)
        refusal = refused(response, stored_name(name), self._secrets)
        if is_transient(refusal):
            wait_s = retry_after(response)
            turn.troubled(wait_s)
            raise Again(refusal, wait_s)
        turn.ended()
        raise refusal


def page_gone() -> BucketError:
    """The page that held a file was reloaded or closed, or has been silent for too long."""
    return BucketError(
        "The page that held this file was reloaded or closed before the file was sent.",
        "Choose it again in the uploader: what was sent is safe, and browsers keep no file over a reload.",
        code=PAGE_GONE,
    )


def browsers_limit() -> AdaptiveLimit:
    """How many posts a page may have on their way: as many as a browser opens connections, fewer when in trouble."""
    return AdaptiveLimit(AT_ONCE)
