"""Named faults: what a client must survive, on demand.

A fault is a line of text, ``name`` or ``name:argument``. Each is one function below, which turns the argument into
hooks; `KINDS` is the table of them, with what each does and what a user should see.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from starlette.responses import HTMLResponse, Response

from deepset_nb.errors import InputError

from .replies import BucketRefusal

Lane = Literal["api", "bucket"]
REASONS = ("EMPTY_FILE", "FILE_NOT_FOUND", "FAILED_TO_PARSE_META", "FILE_ALREADY_EXISTS", "UNKNOWN_ERROR")


class ConnectionReset(Exception):
    """The fault asks for the connection to break, with no answer."""


@dataclass(frozen=True)
class Fault:
    """One active fault: the text it came from, and what it hooks into.

    Attributes:
        spec: As the user wrote it.
        on_request: Before a request is handled; a response ends it, as a BucketRefusal does.
        on_bytes: After each piece of a body the bucket received, with its connection and the piece's size.
        on_ingest: The reason a file of this name fails with, or None.
    """

    spec: str
    on_request: Callable[[Lane], Awaitable[Response | None]] | None = None
    on_bytes: Callable[[asyncio.Transport | None, int], Awaitable[None]] | None = None
    on_ingest: Callable[[str], str | None] | None = None


class Kind(NamedTuple):
    """A row of the table of faults."""

    usage: str
    effect: str
    seen: str
    make: Callable[[str, str], Fault]


KINDS: dict[str, Kind] = {}


def _kind(
    usage: str, *, effect: str, seen: str
) -> Callable[[Callable[[str, str], Fault]], Callable[[str, str], Fault]]:
    def register(make: Callable[[str, str], Fault]) -> Callable[[str, str], Fault]:
        KINDS[usage.partition(":")[0]] = Kind(usage, effect, seen, make)
        return make

    return register


class Faults:
    """The faults active in one sandbox; from any thread."""

    def __init__(self, specs: tuple[str, ...] = ()) -> None:
        """Begin with these faults."""
        self._active: tuple[Fault, ...] = ()
        for spec in specs:
            self.add(spec)

    def add(self, spec: str) -> None:
        """Activate one more fault.

        Raises:
            InputError: There is no such fault, or its argument does not fit.
        """
        name, _, argument = spec.partition(":")
        kind = KINDS.get(name)
        if kind is None:
            raise InputError(
                f"There is no fault {name!r}.", f"Known faults: {', '.join(k.usage for k in KINDS.values())}."
            )
        try:
            fault = kind.make(spec, argument)
        except ValueError as error:
            raise InputError(f"The fault {spec!r} cannot be used: {error}.", f"Write it as {kind.usage}.") from None
        self._active = (*self._active, fault)

    def clear(self) -> None:
        """Back to a healthy platform."""
        self._active = ()

    @property
    def specs(self) -> list[str]:
        """The active faults as they were written."""
        return [fault.spec for fault in self._active]

    async def on_request(self, lane: Lane) -> Response | None:
        """Run before each request of the API and the bucket."""
        for fault in self._active:
            if fault.on_request is not None:
                response = await fault.on_request(lane)
                if response is not None:
                    return response
        return None

    async def on_bytes(self, connection: asyncio.Transport | None, size: int) -> None:
        """Run after each piece of a body the bucket received."""
        for fault in self._active:
            if fault.on_bytes is not None:
                await fault.on_bytes(connection, size)

    def reason_for(self, name: str) -> str | None:
        """Why the ingestion of a file of this name fails, if a fault says so."""
        for fault in self._active:
            if fault.on_ingest is not None and (reason := fault.on_ingest(name)):
                return reason
        return None


def _countdown(argument: str) -> Callable[[], bool]:
    """True for the first N calls; from any thread."""
    left, lock = _positive(argument), threading.Lock()

    def take() -> bool:
        nonlocal left
        with lock:
            left -= 1
            return left >= 0

    return take


def _positive(argument: str) -> int:
    if not argument.isdecimal() or int(argument) < 1:
        raise ValueError("the argument must be a whole number above 0")
    return int(argument)


@_kind(
    "latency:300ms",
    effect="every request to the API and the bucket waits this long (ms or s) before it is answered",
    seen="everything is slower; nothing fails",
)
def _latency(spec: str, argument: str) -> Fault:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s)", argument)
    if match is None:
        raise ValueError("the argument must be a time such as 300ms or 2s")
    seconds = float(match[1]) / (1000 if match[2] == "ms" else 1)

    async def wait(lane: Lane) -> Response | None:
        await asyncio.sleep(seconds)
        return None

    return Fault(spec, on_request=wait)


@_kind(
    "slow_down:N",
    effect="the bucket answers 503 SlowDown to its next N requests",
    seen="the upload slows down and succeeds",
)
def _slow_down(spec: str, argument: str) -> Fault:
    take = _countdown(argument)

    async def refuse(lane: Lane) -> Response | None:
        if lane == "bucket" and take():
            raise BucketRefusal("SlowDown", "Please reduce your request rate.")
        return None

    return Fault(spec, on_request=refuse)


@_kind(
    "api_502_html:N",
    effect="the API answers its next N requests with 502 and an HTML page, as a proxy does",
    seen="reading is retried and succeeds; what cannot be repeated fails with a plain sentence, not a parsing error",
)
def _api_502_html(spec: str, argument: str) -> Fault:
    take = _countdown(argument)

    async def refuse(lane: Lane) -> Response | None:
        if lane == "api" and take():
            return HTMLResponse("<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>", 502)
        return None

    return Fault(spec, on_request=refuse)


@_kind(
    "fail:NAME=REASON",
    effect=f"ingesting the file NAME fails; REASON is one of {', '.join(REASONS)}",
    seen="the receipt's row of this file says failed, with the reason and what to do",
)
def _fail(spec: str, argument: str) -> Fault:
    name, _, reason = argument.rpartition("=")
    if not name or reason not in REASONS:
        raise ValueError(f"the reason must be one of {', '.join(REASONS)}")
    return Fault(spec, on_ingest=lambda ingested: reason if ingested == name else None)


@_kind(
    "reset:N",
    effect="the bucket breaks the connection in the middle of its next N objects",
    seen="the upload retries and succeeds",
)
def _reset(spec: str, argument: str) -> Fault:
    take = _countdown(argument)

    async def reset(connection: asyncio.Transport | None, size: int) -> None:
        if not take():
            return
        if connection is not None:
            sock = connection.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # RST instead of FIN
            connection.abort()
        raise ConnectionReset

    return Fault(spec, on_bytes=reset)


@_kind(
    "bandwidth:N",
    effect="the bucket reads at most N bytes a second from each connection",
    seen="progress moves slowly and evenly; cancelling works in the middle of a file",
)
def _bandwidth(spec: str, argument: str) -> Fault:
    rate = _positive(argument)

    async def throttle(connection: asyncio.Transport | None, size: int) -> None:
        if connection is not None:  # otherwise the system takes megabytes into its own buffers ahead of us
            connection.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        await asyncio.sleep(size / rate)

    return Fault(spec, on_bytes=throttle)
