"""Faults of the API's answers."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from starlette.responses import HTMLResponse, JSONResponse, Response

from .registry import Fault, Lane, countdown, kind, nothing, seconds


@kind(
    "api_502_html:N",
    effect="the API answers its next N requests with 502 and an HTML page, as a proxy does",
    seen="reading is retried and succeeds; what cannot be repeated fails with a plain sentence, not a parsing error",
)
def _api_502_html(spec: str, argument: str) -> Fault:
    page = "<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>"
    return _answering(spec, argument, lambda: HTMLResponse(page, 502))


@kind(
    "api_429:N",
    effect="the API answers its next N requests with 429 and Retry-After: 1",
    seen="the call waits as long as asked and succeeds",
)
def _api_429(spec: str, argument: str) -> Fault:
    errors = {"errors": ["Too many requests."]}
    return _answering(spec, argument, lambda: JSONResponse(errors, 429, {"Retry-After": "1"}))


@kind(
    "close_conflict:N",
    effect="the next N closings of a session are done, but answered with 409, as to a request that a proxy repeated",
    seen="the upload goes on to the end and succeeds",
)
def _close_conflict(spec: str, argument: str) -> Fault:
    return Fault(spec, close_conflicts=countdown(argument))


@kind(
    "stuck_status",
    effect="a session's status leaves out one finished file for ever, so that its counts never reach the total",
    seen="after 90 s without a change the upload asks for each file's own outcome, and ends with all of them ok",
)
def _stuck_status(spec: str, argument: str) -> Fault:
    nothing(argument)
    return Fault(spec, finished_hidden=1)


@kind(
    "null_expires_at",
    effect="a session's status has null as its expires_at",
    seen="nothing: the session's expiry is taken from the listing",
)
def _null_expires_at(spec: str, argument: str) -> Fault:
    nothing(argument)
    return Fault(spec, choices={"null_expires_at": True})


@kind(
    "z_times",
    effect="times end in Z instead of +00:00",
    seen="nothing: the same times in every table",
)
def _z_times(spec: str, argument: str) -> Fault:
    nothing(argument)
    return Fault(spec, choices={"time_suffix": "Z"})


@kind(
    "list_lag:2s",
    effect="a listing shows a file only this long (ms or s) after it was made",
    seen="the receipt says ok as soon as the platform does; file ids come when the listing has them, or it says so",
)
def _list_lag(spec: str, argument: str) -> Fault:
    return Fault(spec, choices={"list_lag_s": seconds(argument)})


@kind(
    "odd_names",
    effect="listings show files under names with ../, an absolute path, a /, an emoji, or of more than 255 bytes",
    seen="tables show the names as they are; a download stays within its folder",
)
def _odd_names(spec: str, argument: str) -> Fault:
    nothing(argument)
    return Fault(spec, shown_name=lambda name: ODD_NAMES[zlib.crc32(name.encode()) % len(ODD_NAMES)].format(name))


ODD_NAMES = ("../../{0}", "/etc/{0}", "folder/{0}", "C:\\{0}", "🦊 {0}", "n" * 300 + " {0}")


def _answering(spec: str, argument: str, response: Callable[[], Response]) -> Fault:
    take = countdown(argument)

    async def answer(lane: Lane) -> Response | None:
        return response() if lane == "api" and take() else None

    return Fault(spec, on_request=answer)
