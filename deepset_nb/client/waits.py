"""Tells whoever wants to know that a request waits for another attempt: while it waits, not afterwards.

A job listens for all requests of its transfer, however deep below it they are made: the listener travels in the
context, as the requests' own callers know nothing of panels.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Wait:
    """A pause before another attempt.

    Attributes:
        attempt: Number of the attempt that follows; the first one was 1.
        attempts: How many there are at most.
        seconds: How long the pause is.
        reason: What became of the attempt before.
    """

    attempt: int
    attempts: int
    seconds: float
    reason: str


class Listener(Protocol):
    """Who is told; called on the event loop, so it must not block."""

    def waits(self, key: object, wait: Wait) -> None:
        """A request begins to wait; ``key`` is its own."""

    def goes_on(self, key: object) -> None:
        """It waits no longer: the next attempt begins, or there is none."""


_listener: ContextVar[Listener | None] = ContextVar("deepset_nb_waits", default=None)


@contextlib.contextmanager
def told_to(listener: Listener) -> Iterator[None]:
    """Have ``listener`` told of the waits of everything that is begun in here."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


class Request:
    """One request and its pauses; use it as a context, so that no pause outlives it."""

    __slots__ = ("_listener",)

    def __enter__(self) -> Request:
        self._listener = _listener.get()
        return self

    def __exit__(self, *_: object) -> None:
        self.goes_on()

    def waits(self, attempt: int, attempts: int, seconds: float, reason: str) -> None:
        """Say that it waits."""
        if self._listener is not None:
            self._listener.waits(self, Wait(attempt, attempts, seconds, reason))

    def goes_on(self) -> None:
        """Say that it does not wait any longer."""
        if self._listener is not None:
            self._listener.goes_on(self)


@contextlib.contextmanager
def waiting(attempt: int, attempts: int, seconds: float, reason: str) -> Iterator[None]:
    """Around a pause that a caller makes itself."""
    with Request() as request:
        request.waits(attempt, attempts, seconds, reason)
        yield
