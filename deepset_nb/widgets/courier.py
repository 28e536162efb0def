"""A page that posts its files to the bucket itself: orders to it, and what it reports.

A page may vanish at any moment, and nobody tells. So it is asked: a page that is there answers a roll call at once,
whatever it is doing. Silence counts only while this kernel could have heard it; one that runs a cell may be deaf.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ..errors import BucketError
from ..transfer.from_browser import Answer, Order, page_gone
from .upload_messages import Answered, Loaded

_LOOPBACK = re.compile(r"localhost|.+\.localhost|127(\.\d+){3}|::1")
ROLL_CALL_S = 10.0  # of silence, between two calls
MOST_CALLS = 4  # unanswered in a row
RELOAD_CALL_S, RELOAD_CALLS = 1.0, 3  # once another page has taken up the same widget
ANSWER_BYTES = 16 << 10

Send = Callable[[dict[str, Any]], None]
Prepare = Callable[[str], Awaitable["asyncio.Future[str]"]]


@dataclass(eq=False)
class _Pending:
    answer: asyncio.Future[Answered]
    on_loaded: Callable[[int], None]


class PageCourier:
    """The files of one page of one uploader; lives on the bridge's loop.

    Args:
        page: The page's id.
        send: Sends it a message.
        prepare: Makes room for a file on the kernel's disk; the promise of its path once all of it has come.
        release: Forgets that copy.
        learn: Told whether the bucket answers the page.
        listening: The loop that brings the kernel's messages, if there is one.
    """

    def __init__(
        self,
        page: str,
        send: Send,
        prepare: Prepare,
        release: Callable[[str], None],
        learn: Callable[[str, bool], None],
        listening: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Nothing is asked yet."""
        self.page = page
        self.lanes = {"direct": 0, "kernel": 0}
        self._send = send
        self._prepare = prepare
        self.release = release
        self._learn = learn
        self._known: dict[str, bool] = {}
        self._pending: dict[str, _Pending] = {}
        self._probing: asyncio.Lock | None = None
        self._calls = 0  # unanswered
        self._heard = self._called = 0.0
        self._hurried = False
        self._gone = False
        self._listening = listening

    # --- for the transfer -----------------------------------------------------------------------------------------

    async def reaches(self, url: str) -> bool:
        """Whether the page gets an answer from this bucket; asked once."""
        self._probing = self._probing or asyncio.Lock()
        async with self._probing:
            if url not in self._known:
                said = await self._asked({"kind": "probe", "url": url})
                self._known[url] = said["status"] > 0
                self._learn(url, self._known[url])
            return self._known[url]

    async def post(self, order: Order, on_loaded: Callable[[int], None]) -> Answer:
        """Have the page post a file."""
        message = {
            "kind": "order",
            "file": order.file,
            "url": order.url,
            "fields": order.fields,
            "name": order.name,
        }
        said = await self._asked(message, on_loaded)
        return Answer(said["status"], said["body"][:ANSWER_BYTES], said["retry_after"][:100])

    async def fetch(self, file: str) -> str:
        """Have the page send the bytes of a file to the kernel."""
        arrival = await self._prepare(file)
        asking: asyncio.Future[Answered] = asyncio.ensure_future(self._asked({"kind": "fetch", "file": file}))
        try:
            await asyncio.wait([arrival, asking], return_when=asyncio.FIRST_COMPLETED)  # type: ignore[type-var]
            if not arrival.done() and not (await asking)["status"]:
                raise BucketError(
                    "The file did not come through the kernel.",
                    "Check the network, then send it again.",
                    code="NotCome",
                )
            return await arrival
        except BaseException:
            self.release(file)
            raise
        finally:
            asking.cancel()
            await asyncio.wait({asking})

    def went(self, file: str, lane: str) -> None:
        """Count it."""
        self.lanes[lane] += 1

    # --- for the widget -------------------------------------------------------------------------------------------

    def loaded(self, message: Loaded) -> None:
        """The page is there; it may tell how far its posts are."""
        if message["page"] != self.page:
            return
        self._hear()
        for key, count in message["orders"].items():
            if (pending := self._pending.get(key)) and not pending.answer.done():
                pending.on_loaded(count)

    def answered(self, message: Answered) -> None:
        """An order is done."""
        if (pending := self._pending.get(message["order"])) and not pending.answer.done():
            self._hear()
            pending.answer.set_result(message)

    def hurry(self) -> None:
        """Another page has taken up the widget: this one was probably reloaded. Ask it at once."""
        if self._pending:
            self._hurried, self._calls, self._called = True, 0, 0.0

    # --- asking ---------------------------------------------------------------------------------------------------

    async def _asked(self, message: dict[str, Any], on_loaded: Callable[[int], None] = lambda _: None) -> Answered:
        if self._gone:
            raise page_gone()
        key = uuid.uuid4().hex
        pending = self._pending[key] = _Pending(asyncio.get_running_loop().create_future(), on_loaded)
        try:
            self._heard = max(self._heard, time.monotonic() if len(self._pending) == 1 else 0.0)
            self._send({**message, "page": self.page, "order": key})
            while not pending.answer.done():
                await asyncio.wait({pending.answer}, timeout=RELOAD_CALL_S)
                if not pending.answer.done():
                    self._call_the_roll()
            said = pending.answer.result()
        except BaseException:
            self._send({"kind": "withdraw", "page": self.page, "order": key})
            raise
        finally:
            del self._pending[key]
        if said["problem"] == "unknown":
            raise page_gone()
        if said["problem"] == "unreadable":
            raise BucketError(
                "The browser could not read this file.",
                "It was changed, moved or removed since it was chosen: choose it again.",
                code="FileChanged",
            )
        return said

    def _call_the_roll(self) -> None:
        now = time.monotonic()
        every, most = (RELOAD_CALL_S, RELOAD_CALLS) if self._hurried else (ROLL_CALL_S, MOST_CALLS)
        if now - max(self._heard if not self._hurried else 0.0, self._called) < every:
            return
        if self._calls >= most:
            self._gone = True  # until it is heard of again
            raise page_gone()
        self._called = now
        self._send({"kind": "rollcall", "page": self.page})
        if self._listening is None:
            self._calls += 1
        else:  # counts once the kernel has a moment to hear, which it has not while it runs a cell
            loop = asyncio.get_running_loop()
            with contextlib.suppress(RuntimeError):  # it is closed: the kernel is going
                self._listening.call_soon_threadsafe(loop.call_soon_threadsafe, self._count)

    def _count(self) -> None:
        self._calls += 1

    def _hear(self) -> None:
        self._calls, self._heard, self._hurried, self._gone = 0, time.monotonic(), False, False


def may_post(api_url: str, loopback: bool, secure: bool) -> bool:
    """Whether a page can be expected to reach the platform's bucket, whose address is known only once it is asked for.

    Browsers keep pages of the network away from their own machine, and pages over TLS from what is not. With a page
    of this machine and a platform of the network the kernel is here as well: its way is no longer.

    Args:
        api_url: Of the platform.
        loopback: Whether the page came from the browser's own machine.
        secure: Whether it came over TLS.
    """
    address = urlsplit(api_url)
    local = _LOOPBACK.fullmatch(address.hostname or "") is not None
    return bool(address.hostname) and local == loopback and (local or not secure or address.scheme == "https")
