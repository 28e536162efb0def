"""Faults of the bucket, and of the way to it and to the API."""

from __future__ import annotations

import asyncio
import socket
import struct

from starlette.responses import Response

from ..replies import BucketRefusal
from .registry import ConnectionReset, Fault, Lane, countdown, kind, seconds, whole_number


@kind(
    "latency:300ms",
    effect="every request to the API and the bucket waits this long (ms or s) before it is answered",
    seen="everything is slower; nothing fails",
)
def _latency(spec: str, argument: str) -> Fault:
    delay = seconds(argument)

    async def wait(lane: Lane) -> Response | None:
        await asyncio.sleep(delay)
        return None

    return Fault(spec, on_request=wait)


@kind(
    "bandwidth:N",
    effect="the bucket reads at most N bytes a second from each connection",
    seen="progress moves slowly and evenly; cancelling works in the middle of a file",
)
def _bandwidth(spec: str, argument: str) -> Fault:
    rate = whole_number(argument)

    async def throttle(connection: asyncio.Transport | None, size: int) -> None:
        if connection is not None:  # otherwise the system takes megabytes into its own buffers ahead of us
            connection.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        await asyncio.sleep(size / rate)

    return Fault(spec, on_bytes=throttle)


@kind(
    "reset:N",
    effect="the bucket breaks the connection in the middle of its next N objects",
    seen="the upload retries and succeeds",
)
def _reset(spec: str, argument: str) -> Fault:
    take = countdown(argument)

    async def reset(connection: asyncio.Transport | None, size: int) -> None:
        if not take():
            return
        if connection is not None:
            sock = connection.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # RST instead of FIN
            connection.abort()
        raise ConnectionReset

    return Fault(spec, on_bytes=reset)


@kind(
    "redirect:N",
    effect="the bucket answers its next N objects with 307 and a second address, which takes the same form",
    seen="nothing: the upload follows and succeeds",
)
def _redirect(spec: str, argument: str) -> Fault:
    return Fault(spec, redirects=countdown(argument))


@kind(
    "slow_down:N",
    effect="the bucket answers 503 SlowDown to its next N requests",
    seen="the upload slows down and succeeds",
)
def _slow_down(spec: str, argument: str) -> Fault:
    return _refusing(spec, argument, "SlowDown", "Please reduce your request rate.")


@kind(
    "request_timeout:N",
    effect="the bucket answers 400 RequestTimeout to its next N requests",
    seen="the upload retries and succeeds, although other answers of 400 are final",
)
def _request_timeout(spec: str, argument: str) -> Fault:
    return _refusing(spec, argument, *REQUEST_TIMEOUT)


@kind(
    "policy_expired:N",
    effect="the bucket answers 403 AccessDenied, policy expired, to its next N requests",
    seen="the upload goes on in a fresh session; if the bucket refuses five of them, rows say failed",
)
def _policy_expired(spec: str, argument: str) -> Fault:
    return _refusing(spec, argument, *POLICY_EXPIRED)


@kind(
    "too_large:N",
    effect="the bucket answers 400 EntityTooLarge to objects over N bytes",
    seen="the receipt's row of each such file says failed, after one attempt; the other files arrive",
)
def _too_large(spec: str, argument: str) -> Fault:
    return Fault(spec, object_limit=whole_number(argument))


REQUEST_TIMEOUT = (
    "RequestTimeout",
    "Your socket connection to the server was not read from or written to within the timeout period. "
    "Idle connections will be closed.",
)
POLICY_EXPIRED = ("AccessDenied", "Invalid according to Policy: Policy expired.")


def _refusing(spec: str, argument: str, code: str, message: str) -> Fault:
    take = countdown(argument)

    async def refuse(lane: Lane) -> Response | None:
        if lane == "bucket" and take():
            raise BucketRefusal(code, message)
        return None

    return Fault(spec, on_request=refuse)
