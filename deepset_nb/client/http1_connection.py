"""One HTTP/1.1 connection on asyncio's event loop, one request at a time."""

from __future__ import annotations

import asyncio
import os
from typing import cast

import httpx

from .http1_answer import Answer, Headers

KEEPALIVE_S = 15.0  # S3 closes an idle connection after about 20 s
_UNREAD_BYTES = 256 << 10  # of an answer nobody reads: then the other side has to wait

_WITHOUT_NUMBER = {OSError: "none of its addresses answers", ConnectionResetError: "Connection reset by peer"}


class StaleConnection(httpx.RemoteProtocolError):
    """A kept connection was closed before a byte of the answer: the server had given it up, and sending again helps."""


class Connection(asyncio.Protocol):
    """One connection.

    Args:
        loop: The event loop, which calls the methods of `asyncio.Protocol`.
        open_ones: Where it is found while it is open.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, open_ones: set[Connection]) -> None:
        """Not connected yet."""
        self._loop, self._open_ones = loop, open_ones
        self._network: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._ended: httpx.TransportError | None = None  # the connection is no more, and why
        self._given_up = False  # closed by the other side, in order
        self._used = False  # has answered before
        self._full = False  # what was written has not gone yet
        self._sending = self._sent_all = False
        self._rested_at = 0.0
        self._answer: Answer | None = None

    async def send(self, head: bytes, stream: httpx.AsyncByteStream, write_s: float | None) -> None:
        """Send a request, or as much of it as it takes until an answer comes or the connection ends."""
        answer = self._answer = Answer()
        self._sending, self._sent_all = True, False
        async for piece in stream:
            if head:
                piece, head = head + piece, b""
            else:
                # The loop looks whether an answer came: a server that has refused closes, and a write into that
                # would lose its words.
                await asyncio.sleep(0)
            if answer.head or self._network is None or self._ended:
                break
            self._network.write(piece)
            piece = b""  # it has the form's fields; do not hold it for as long as the rest takes
            if self._full:
                await self._until_gone(self._network, answer, write_s)
            if answer.head or self._ended:
                break
        else:
            self._sent_all = True
        self._sending = False

    async def answer(self, read_s: float | None) -> tuple[int, Headers]:
        """Status and headers of the answer.

        Raises:
            StaleConnection: The request was not looked at.
            httpx.TransportError: There is none.
        """
        assert self._answer is not None
        while self._answer.head is None:
            if self._ended is not None:
                if self._used and self._given_up and not self._answer.begun:
                    raise StaleConnection(str(self._ended))
                raise self._ended
            await self._wait(read_s, httpx.ReadTimeout)
        return self._answer.head

    async def next_piece(self, read_s: float | None) -> bytes:
        """The next piece of the answer's body, empty at its end."""
        assert self._answer is not None
        while not self._answer.unread and not self._answer.complete:
            if self._ended is not None:
                raise self._ended
            await self._wait(read_s, httpx.ReadTimeout)
        if self._network is not None:
            self._network.resume_reading()
        return self._answer.take()

    @property
    def answered(self) -> bool:
        """Whether the answer is complete."""
        return self._answer is not None and self._answer.complete

    def content(self) -> bytes:
        """What has come of the answer's body."""
        return self._answer.take() if self._answer is not None else b""

    def rest(self) -> bool:
        """Wait for another request; False, and closed, if none can follow."""
        answer, self._answer = self._answer, None
        reusable = answer is not None and answer.complete and answer.keep_alive and not answer.unread
        if not reusable or not self._sent_all or self._ended is not None:
            self.close()
            return False
        self._used = True
        self._rested_at = self._loop.time()
        return True

    @property
    def is_fresh(self) -> bool:
        """Whether it can be expected that another request is taken."""
        return self._ended is None and self._loop.time() - self._rested_at < KEEPALIVE_S

    def close(self) -> None:
        """Close at once: what was not sent yet is not sent any more."""
        if self._ended is None:
            self._ended = httpx.ReadError("it was closed here")
        if self._network is not None:
            self._network.abort()
        self._wake()

    # -- what the event loop tells -------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is connected."""
        self._network = cast(asyncio.Transport, transport)
        self._open_ones.add(self)

    def data_received(self, data: bytes) -> None:
        """Something came."""
        if self._answer is None:
            self.close()  # it answers nothing; some servers tell of a time-out before they close
            return
        self._receive(self._answer, data)
        if self._answer.unread > _UNREAD_BYTES and self._network is not None:
            self._network.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Nothing more will come."""
        if self._answer is not None and self._answer.begun and not self._answer.complete:
            self._receive(self._answer, b"")  # it may be an answer without a length
        self._end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        self._end(exc)
        self._network = None
        self._open_ones.discard(self)

    def pause_writing(self) -> None:
        """Enough was written for now."""
        self._full = True

    def resume_writing(self) -> None:
        """What was written has gone."""
        self._full = False
        self._wake()

    # -- and what follows ----------------------------------------------------------------------------------------------

    def _receive(self, answer: Answer, data: bytes) -> None:
        try:
            answer.receive(data)
        except httpx.RemoteProtocolError as error:
            if self._ended is None:
                self._ended = error
            self.close()

    def _end(self, why: Exception | None) -> None:
        if self._ended is None:
            self._given_up = why is None or isinstance(why, BrokenPipeError)
            if why is None:
                self._ended = httpx.RemoteProtocolError("it was closed before the answer")
            else:
                self._ended = (httpx.WriteError if self._sending else httpx.ReadError)(words_of(why))
        self._wake()

    async def _until_gone(self, network: asyncio.Transport, answer: Answer, write_s: float | None) -> None:
        while self._full and not answer.head and self._ended is None:
            before = network.get_write_buffer_size()
            try:
                await self._wait(write_s, httpx.WriteTimeout)
            except httpx.WriteTimeout:
                if network.get_write_buffer_size() >= before:
                    raise  # not slow, but silent

    async def _wait(self, silence_s: float | None, too_long: type[httpx.TimeoutException]) -> None:
        waiter = self._waiter = self._loop.create_future()
        timer = None if silence_s is None else self._loop.call_later(silence_s, _give_up, waiter, too_long)
        try:
            await waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def words_of(error: Exception) -> str:
    """Why, without the address that asyncio puts into its errors."""
    if isinstance(error, OSError) and type(error).__module__ == "builtins":
        return os.strerror(error.errno) if error.errno else _WITHOUT_NUMBER.get(type(error), type(error).__name__)
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _give_up(waiter: asyncio.Future[None], too_long: type[httpx.TimeoutException]) -> None:
    if not waiter.done():
        waiter.set_exception(too_long("silent for too long"))
