"""A client that stays connected for a while: whoever looks again soon is spared the connection's handshakes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from ..settings import Settings
from .async_client import AsyncClient

IDLE_S = 30.0  # load balancers mostly keep an idle connection for 60

_left_behind: list[AsyncClient] = []


class KeptClient:
    """Opens a client at the first use and closes it after some time without one; all on one event loop.

    For what may be repeated: a connection that was idle may end just as a request is sent.

    Args:
        settings: Whose key, which platform.
        idle_s: Seconds.
    """

    def __init__(self, settings: Settings, idle_s: float = IDLE_S) -> None:
        """Nothing is opened yet."""
        self.settings = settings
        self._idle_s = idle_s
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: AsyncClient | None = None
        self._users = 0
        self._idle: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def use(self) -> AsyncIterator[AsyncClient]:
        """The open client."""
        if self._loop is not (loop := asyncio.get_running_loop()):
            if self._client is not None:  # in a forked child it is the parent's; held, so that nobody closes it
                _left_behind.append(self._client)
            self._loop, self._client, self._users, self._idle = loop, None, 0, None
        self._stay()
        if self._client is None:
            self._client = AsyncClient(self.settings, keep_alive_s=self._idle_s)
        self._users += 1
        try:
            yield self._client
        finally:
            self._users -= 1
            if not self._users:
                self._idle = loop.call_later(self._idle_s, self._close_soon)

    def _stay(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _close_soon(self) -> None:
        if client := self._given_up():
            self._closing = asyncio.create_task(client.__aexit__(None, None, None))

    async def close(self) -> None:
        """Close the connections; the next use opens new ones."""
        if client := self._given_up():
            await client.__aexit__(None, None, None)

    def _given_up(self) -> AsyncClient | None:
        self._stay()
        client, self._client = self._client, None
        return client
