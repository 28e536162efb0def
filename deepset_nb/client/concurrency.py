"""How many posts may be on their way at a time: one limit per event loop and host, shared by all jobs.

The limit starts modest and doubles each round while that pays, where a round is as many answers as the limit allows
at a time. What pays is measured: answered posts or bytes per second. Where growth brought nothing it goes one step
back and looks again later, in smaller steps. Trouble (a busy bucket, a broken connection, silence) halves it, once for
all posts that were on their way then. A server that names a wait is left alone by everybody for that long.

Only answers count, never what was merely written: a large file on a slow uplink is no reason to act.
"""

from __future__ import annotations

import asyncio
import time
import weakref
from collections import deque
from collections.abc import Callable

START = 10  # what the platform's own SDK settled on
CEILING = 128
PROXY_CEILING = 6  # corporate proxies cut off who opens more

ROUND_S = 0.02  # a shorter round says nothing
LONG_ROUND_S = 0.5  # small steps need a better measure
REST_S = 1.0  # before growing again after trouble
PAUSE_MOST_S = 60.0
WORTH = 0.25  # doubling the limit must bring a quarter more, and smaller steps in proportion
FIRST_STEP, STEP = 2.0, 1.25  # until growth once brought nothing or met trouble, and from then on


class Turn:
    """Permission for one post; ends with exactly one call of its methods."""

    __slots__ = ("_limit", "_owner", "era")

    def __init__(self, limit: AdaptiveLimit, owner: object, era: int) -> None:
        """Made by `AdaptiveLimit.turn`."""
        self._limit, self._owner, self.era = limit, owner, era

    def answered(self, size: int) -> None:
        """The post was answered; ``size`` bytes were stored."""
        self._limit._answered(size)
        self._limit._leave(self._owner)

    def troubled(self, pause_s: float | None = None) -> None:
        """The host is busy or out of reach; it may have asked to be left alone for ``pause_s``."""
        self._limit._troubled(self.era, pause_s)
        self._limit._leave(self._owner)

    def ended(self) -> None:
        """The post ended in a way that says nothing about the host."""
        self._limit._leave(self._owner)


class AdaptiveLimit:
    """The limit of one host.

    Every owner may have one post on its way whatever the limit, so that no job waits for the end of another's large
    files. Beyond that, a free turn goes to the owner with the fewest on their way, in the order of asking.

    Args:
        ceiling: The limit never grows beyond it.
        clock: Seconds, for tests.

    Attributes:
        ceiling: As given.
        limit: Posts that may be on their way now.
        busy: Posts that are on their way now.
    """

    def __init__(self, ceiling: int = CEILING, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Start modest."""
        self.ceiling = ceiling
        self.limit = min(START, ceiling)
        self.busy = 0
        self._clock = clock
        self._busy_of: dict[object, int] = {}
        self._waiting: dict[object, deque[asyncio.Future[None]]] = {}
        self._era = 0  # counts the halvings
        self._step = FIRST_STEP
        self._doubted = False  # whether the last growth has brought nothing so far
        self._rest_until = self._paused_until = 0.0
        self._wake_up: asyncio.TimerHandle | None = None
        self._before: tuple[int, float, float] | None = None  # limit, posts a second, bytes a second
        self._begin_round()

    async def turn(self, owner: object) -> Turn:
        """Wait for a turn.

        Args:
            owner: Whose post it is: turns are shared fairly between owners.
        """
        if not self.busy:
            self._begin_round()  # what nobody sent is no measure
        if self._free_for(owner) and owner not in self._waiting:
            self._enter(owner)
        else:
            self._reached = True
            await self._wait(owner)
        return Turn(self, owner, self._era)

    async def _wait(self, owner: object) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(owner, deque()).append(waiter)
        self._wake_after_pause()
        try:
            await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():
                self._leave(owner)  # it was given a turn in the same moment
            elif owner in self._waiting and waiter in self._waiting[owner]:
                self._waiting[owner].remove(waiter)
                self._forget_if_empty(owner)
            raise

    # -- who is next ---------------------------------------------------------------------------------------------------

    def _free_for(self, owner: object) -> bool:
        return (self.busy < self.limit or owner not in self._busy_of) and self._clock() >= self._paused_until

    def _enter(self, owner: object) -> None:
        self.busy += 1
        self._busy_of[owner] = self._busy_of.get(owner, 0) + 1
        if self.busy >= self.limit:
            self._reached = True

    def _leave(self, owner: object) -> None:
        self.busy -= 1
        self._busy_of[owner] -= 1
        if not self._busy_of[owner]:
            del self._busy_of[owner]
        self._admit()

    def _admit(self) -> None:
        while self._waiting:
            owner = min(self._waiting, key=lambda one: self._busy_of.get(one, 0))
            if not self._free_for(owner):
                self._wake_after_pause()
                break
            waiter = self._waiting[owner].popleft()
            self._forget_if_empty(owner)
            if not waiter.done():
                self._enter(owner)
                waiter.set_result(None)

    def _forget_if_empty(self, owner: object) -> None:
        if not self._waiting[owner]:
            del self._waiting[owner]

    def _wake_after_pause(self) -> None:
        wait_s = self._paused_until - self._clock()
        if wait_s > 0 and self._wake_up is None:
            self._wake_up = asyncio.get_running_loop().call_later(wait_s, self._end_of_pause)

    def _end_of_pause(self) -> None:
        self._wake_up = None
        self._admit()

    # -- how many ------------------------------------------------------------------------------------------------------

    def _begin_round(self) -> None:
        self._began = self._clock()
        self._posts = self._bytes = 0
        self._reached = False  # whether the limit was what held us up

    def _answered(self, size: int) -> None:
        self._posts += 1
        self._bytes += size
        took_s = self._clock() - self._began
        if self._posts >= self.limit and took_s >= (ROUND_S if self._step == FIRST_STEP else LONG_ROUND_S):
            if self._reached:
                self._judge(self._posts / took_s, self._bytes / took_s)
            self._begin_round()

    def _judge(self, posts: float, size: float) -> None:
        before, self._before = self._before, (self.limit, posts, size)
        if before is not None and before[0] < self.limit:
            gain = max(posts / before[1], size / before[2] if before[2] else 0.0)
            if gain < 1 + (self.limit / before[0] - 1) * WORTH:
                if self._step == FIRST_STEP and not self._doubted:
                    self._doubted, self._before = True, before  # short rounds may mislead: once more
                else:
                    self.limit, self._before, self._step = before[0], None, STEP
                return
        self._doubted = False
        if self.limit < self.ceiling and self._clock() >= self._rest_until:
            self.limit = min(max(self.limit + 1, int(self.limit * self._step)), self.ceiling)

    def _troubled(self, era: int, pause_s: float | None) -> None:
        if pause_s is not None:
            self._paused_until = max(self._paused_until, self._clock() + min(pause_s, PAUSE_MOST_S))
        if era != self._era:
            return  # it was on its way when the limit was halved: that is the same trouble
        self._era += 1
        self.limit = max(self.limit // 2, 1)
        self._before, self._step = None, STEP
        self._rest_until = self._clock() + REST_S
        self._begin_round()


_limits: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, AdaptiveLimit]] = weakref.WeakKeyDictionary()


def limit_for(host: str, *, proxied: bool = False) -> AdaptiveLimit:
    """The limit of ``host`` on the running loop; a new loop, hence a forked child, begins anew.

    Args:
        host: Whom the connections go to: the bucket, or the proxy before it.
        proxied: Whether it is a proxy.
    """
    of_loop = _limits.setdefault(asyncio.get_running_loop(), {})
    key = f"proxy {host}" if proxied else host
    if key not in of_loop:
        of_loop[key] = AdaptiveLimit(PROXY_CEILING if proxied else CEILING)
    return of_loop[key]
