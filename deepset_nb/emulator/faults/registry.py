"""What a fault is, and the faults active in one sandbox.

A fault is a line of text, ``name`` or ``name:argument``. Each is one function of `bucket`, `api` or `ingestion`,
which turns the argument into hooks; `KINDS` is the table of them, with what each does and what a user should see.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from starlette.responses import Response

from deepset_nb.errors import InputError

from ..config import Choices

Lane = Literal["api", "bucket"]


class ConnectionReset(Exception):
    """The fault asks for the connection to break, with no answer."""


@dataclass(frozen=True)
class Fault:
    """One active fault: the text it came from, and what it hooks into.

    Attributes:
        spec: As the user wrote it.
        on_request: Before a request is handled; a response ends it, as a BucketRefusal does.
        on_bytes: After each piece of a body the bucket received, with its connection and the piece's size.
        redirects: Whether the bucket's first address sends this object to the second.
        object_limit: Size in bytes above which the bucket refuses an object.
        close_conflicts: Whether this closing of a session, though done, is answered with 409.
        finished_hidden: How many finished files a session's status leaves out.
        shown_name: The name a listing shows for a file's real one.
        on_ingest: The reason a file of this name fails with, or None; told the sandbox's seed.
        copies: How many files one object becomes.
        choices: Choices that are different while the fault is active.
    """

    spec: str
    on_request: Callable[[Lane], Awaitable[Response | None]] | None = None
    on_bytes: Callable[[asyncio.Transport | None, int], Awaitable[None]] | None = None
    redirects: Callable[[], bool] | None = None
    object_limit: int | None = None
    close_conflicts: Callable[[], bool] | None = None
    finished_hidden: int = 0
    shown_name: Callable[[str], str] | None = None
    on_ingest: Callable[[str, int | None], str | None] | None = None
    copies: int = 1
    choices: Mapping[str, Any] = field(default_factory=dict)


class Kind(NamedTuple):
    """A row of the table of faults."""

    usage: str
    effect: str
    seen: str
    make: Callable[[str, str], Fault]


KINDS: dict[str, Kind] = {}


def kind(usage: str, *, effect: str, seen: str) -> Callable[[Callable[[str, str], Fault]], Callable[[str, str], Fault]]:
    """Give a function that makes a fault its row in the table."""

    def register(make: Callable[[str, str], Fault]) -> Callable[[str, str], Fault]:
        KINDS[usage.partition(":")[0]] = Kind(usage, effect, seen, make)
        return make

    return register


class Faults:
    """The faults active in one sandbox; from any thread.

    Args:
        specs: The faults to begin with.
        base: The choices of the healthy sandbox.
        seed: Decides which files a fault meets that fails some of them.

    Raises:
        InputError: There is no such fault, or its argument does not fit.
    """

    def __init__(self, specs: tuple[str, ...] = (), base: Choices | None = None, seed: int | None = None) -> None:
        """Begin with these faults."""
        self._base, self._seed = base or Choices(), seed
        self._active: tuple[Fault, ...] = ()
        self.choices = self._base
        for spec in specs:
            self.add(spec)

    def add(self, spec: str) -> None:
        """Activate one more fault.

        Raises:
            InputError: There is no such fault, or its argument does not fit.
        """
        name, _, argument = spec.partition(":")
        known = KINDS.get(name)
        if known is None:
            raise InputError(
                f"There is no fault {name!r}.", f"Known faults: {', '.join(k.usage for k in KINDS.values())}."
            )
        try:
            fault = known.make(spec, argument)
        except ValueError as error:
            raise InputError(f"The fault {spec!r} cannot be used: {error}.", f"Write it as {known.usage}.") from None
        self._activate((*self._active, fault))

    def clear(self) -> None:
        """Back to a healthy platform."""
        self._activate(())

    def _activate(self, faults: tuple[Fault, ...]) -> None:
        changed = {name: value for fault in faults for name, value in fault.choices.items()}
        self._active, self.choices = faults, dataclasses.replace(self._base, **changed)

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

    def redirects(self) -> bool:
        """Whether the bucket's first address sends this object to the second."""
        return any(fault.redirects() for fault in self._active if fault.redirects)

    @property
    def object_limit(self) -> float:
        """Size in bytes above which the bucket refuses an object."""
        return min((fault.object_limit for fault in self._active if fault.object_limit), default=float("inf"))

    def close_conflicts(self) -> bool:
        """Whether this closing of a session, though done, is answered with 409."""
        return any(fault.close_conflicts() for fault in self._active if fault.close_conflicts)

    @property
    def finished_hidden(self) -> int:
        """How many finished files a session's status leaves out."""
        return max((fault.finished_hidden for fault in self._active), default=0)

    def shown_name(self, name: str) -> str:
        """The name a listing shows for a file's real one."""
        for fault in self._active:
            name = fault.shown_name(name) if fault.shown_name else name
        return name

    def reason_for(self, name: str) -> str | None:
        """Why the ingestion of a file of this name fails, if a fault says so."""
        for fault in self._active:
            if fault.on_ingest is not None and (reason := fault.on_ingest(name, self._seed)):
                return reason
        return None

    @property
    def copies(self) -> int:
        """How many files one object becomes."""
        return max((fault.copies for fault in self._active), default=1)


# --- reading arguments ----------------------------------------------------------------------------------------


def countdown(argument: str) -> Callable[[], bool]:
    """True for the first N calls; from any thread."""
    left, lock = whole_number(argument), threading.Lock()

    def take() -> bool:
        nonlocal left
        with lock:
            left -= 1
            return left >= 0

    return take


def whole_number(argument: str) -> int:
    """A count or size."""
    if not argument.isdecimal() or int(argument) < 1:
        raise ValueError("the argument must be a whole number above 0")
    return int(argument)


def seconds(argument: str) -> float:
    """A time such as ``300ms`` or ``2s``."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s)", argument)
    if match is None:
        raise ValueError("the argument must be a time such as 300ms or 2s")
    return float(match[1]) / (1000 if match[2] == "ms" else 1)


def nothing(argument: str) -> None:
    """No argument at all."""
    if argument:
        raise ValueError("it takes no argument")
