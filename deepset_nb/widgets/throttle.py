"""State messages at a pace that front ends keep up with."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from .. import bridge

PUBLISH_S = 0.25  # smooth enough for a bar; each state makes the page draw, which costs as much as sending
LEAST_S = 0.1  # from one state to the next, whatever is asked


class Throttle:
    """Publishes a state soon, at most four times a second, or at once where somebody waits for it, at most ten times.

    Always on the bridge's thread: states published by two threads could overtake each other.

    Args:
        publish: Publishes the state of the moment; says whether there was anything new, and a page to send it to.
    """

    def __init__(self, publish: Callable[[], bool]) -> None:
        """Nothing is due."""
        self._publish = publish
        self._published_at = 0.0
        self._is_due = False

    def soon(self, after_s: float = 0.0) -> None:
        """Publish, but not at once; ``after_s`` is what may be over before it is worth a word."""
        if not self._is_due:
            self._is_due = True
            bridge.submit(self._later, after_s)

    async def turn(self) -> None:
        """Wait until a state may be sent: one that somebody asked for then goes out with `now`, before the answer."""
        if (wait_s := self._published_at + LEAST_S - time.monotonic()) > 0:
            await asyncio.sleep(wait_s)
            await self.turn()  # another one may have been first

    def now(self) -> None:
        """Publish at once."""
        self._is_due = False  # what changes from here on asks again
        if self._publish():
            self._published_at = time.monotonic()

    async def _later(self, after_s: float) -> None:
        await asyncio.sleep(max(after_s, self._published_at + PUBLISH_S - time.monotonic()))
        await self.turn()
        if self._is_due:
            self.now()
