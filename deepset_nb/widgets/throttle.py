"""State messages at a pace that front ends keep up with."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from .. import bridge

PUBLISH_S = 0.25  # smooth enough for a bar; each state makes the page draw, which costs as much as sending


class Throttle:
    """Calls a function soon after it was asked for, at most four times a second.

    Always on the bridge's thread: states published by two threads could overtake each other.

    Args:
        publish: Publishes the state of the moment.
    """

    def __init__(self, publish: Callable[[], None]) -> None:
        """Nothing is due."""
        self._publish = publish
        self._published_at = 0.0
        self._is_due = False

    def soon(self) -> None:
        """Publish, but not at once."""
        if not self._is_due:
            self._is_due = True
            bridge.submit(self._later)

    async def _later(self) -> None:
        await asyncio.sleep(self._published_at + PUBLISH_S - time.monotonic())
        self._is_due = False  # what changes from here on asks again
        self._published_at = time.monotonic()
        self._publish()
