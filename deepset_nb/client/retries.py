"""Which failures are worth another attempt, and how long to wait for it.

An attempt that may be repeated raises `Again` around the error its caller would otherwise see; everything else
passes straight through. Attempts and total time are bounded, waits grow with jitter, Retry-After is obeyed.
"""

from __future__ import annotations

import email.utils
import functools
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import httpx
import stamina
from stamina import instrumentation

from ..errors import DeepsetError
from .network import is_certificate
from .waits import Request

T = TypeVar("T")

ATTEMPTS = 5
TOTAL_S = 120.0  # no new attempt of an API call begins after this
WAIT_FIRST_S = 0.2
WAIT_MOST_S = 10.0
JITTER_S = 0.5
RETRY_AFTER_MOST_S = 60.0  # a server that asks for more gets its error shown instead

TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})

_log = logging.getLogger("deepset_nb")


@dataclass(frozen=True)
class Worth:
    """Which failures of a request are worth another attempt.

    Attributes:
        errors: Of httpx, when there was no answer.
        statuses: Of an answer.
        only_if_asked: Whether the answer must name the wait itself.
    """

    errors: tuple[type[httpx.TransportError], ...] = ()
    statuses: frozenset[int] = frozenset()
    only_if_asked: bool = False

    def after_error(self, error: httpx.HTTPError) -> bool:
        """Whether to try again without an answer."""
        return isinstance(error, self.errors) and not is_final(error)

    def after_answer(self, response: httpx.Response) -> bool:
        """Whether to try again after this answer."""
        return response.status_code in self.statuses and not (self.only_if_asked and retry_after(response) is None)


def is_final(error: httpx.HTTPError) -> bool:
    """Whether another attempt can only fail in the same way."""
    return isinstance(error, (httpx.UnsupportedProtocol, httpx.LocalProtocolError)) or is_certificate(error)


# What can be repeated without harm.
REPEATABLE = Worth(errors=(httpx.TransportError,), statuses=TRANSIENT)
# What makes something: only where nothing can have been made.
MAKING = Worth((httpx.ConnectError, httpx.ConnectTimeout), frozenset({429, 503}), only_if_asked=True)
NEVER = Worth()


class Again(Exception):
    """An attempt failed in a way that the next one may not; it never leaves `client`.

    Attributes:
        cause: What to raise when there is no next attempt.
        after_s: The wait the server asked for.
    """

    def __init__(self, cause: DeepsetError, after_s: float | None = None) -> None:
        """Wrap ``cause``."""
        self.cause = cause
        self.after_s = after_s
        super().__init__(str(cause))


async def retrying(
    attempt: Callable[[], Awaitable[T]],
    *,
    timeout_s: float | None = TOTAL_S,
    on_retry: Callable[[DeepsetError], None] | None = None,
) -> T:
    """Await ``attempt()`` until it returns, raises something final, or the bounds are reached.

    Args:
        attempt: Makes one attempt.
        timeout_s: No new attempt begins after this.
        on_retry: Told why, each time another attempt is going to be made.

    Returns:
        What the attempt that went through returned.

    Raises:
        DeepsetError: The cause of the last attempt's `Again`.
    """
    began = time.monotonic()
    # The first attempt is made without stamina, whose bookkeeping costs more than sending a small file.
    try:
        return await attempt()
    except Again as again:
        failed = again
    left_s = None if timeout_s is None else timeout_s - (time.monotonic() - began)
    if left_s is not None and left_s <= 0:
        raise failed.cause from None
    _spare_the_cell()
    context = stamina.retry_context(
        on=_wait,
        attempts=ATTEMPTS,
        timeout=left_s,
        wait_initial=WAIT_FIRST_S,
        wait_max=WAIT_MOST_S,
        wait_jitter=JITTER_S,
    )
    try:
        with Request() as request:
            async for each in context:
                request.goes_on()
                if each.num > 1:
                    _log.info("attempt %d, because: %s", each.num, failed)
                    if on_retry is not None:
                        on_retry(failed.cause)
                with each:
                    try:
                        if each.num == 1:
                            raise failed
                        return await attempt()
                    except Again as again:
                        failed = again
                        if each.num < ATTEMPTS:
                            pause_s = each.next_wait if again.after_s is None else again.after_s
                            request.waits(each.num + 1, ATTEMPTS, pause_s, again.cause.message)
                        raise
    except Again as again:
        cause = again.cause
    # Raised out here, so that it does not hold on to the failed attempt, its request and a megabyte of body.
    raise cause from None


def retry_after(response: httpx.Response) -> float | None:
    """Seconds the server asks to wait, from either form of its Retry-After header."""
    value = response.headers.get("retry-after", "").strip()
    if not value:
        return None
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _wait(error: Exception) -> bool | float:
    if not isinstance(error, Again):
        return False
    if error.after_s is None:
        return True
    return error.after_s if error.after_s <= RETRY_AFTER_MOST_S else False


@functools.cache
def _spare_the_cell() -> None:
    # stamina announces each retry through logging or structlog, which in a notebook means a line in the cell's
    # output. Our retries are told by the job's panel and the logger above; everybody else's stay as they are.
    def spared(hook: instrumentation.RetryHook) -> instrumentation.RetryHook:
        return lambda details: None if isinstance(details.caused_by, Again) else hook(details)

    instrumentation.set_on_retry_hooks([spared(hook) for hook in instrumentation.get_on_retry_hooks()])
