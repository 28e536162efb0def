"""A client for somebody who looks through a listing: it stays connected while requests follow each other."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from ..settings import Settings
from .async_client import AsyncClient

IDLE_S = 10.0


class KeptClient:
    """Opens a client at the first use and closes it after some seconds without one; all on one event loop.

    Args:
        settings: Whose key, which platform.
        idle_s: Seconds.
    """

    def __init__(self, settings: Settings, idle_s: float = IDLE_S) -> None:
        """Nothing is opened yet."""
        self._settings = settings
        self._idle_s = idle_s
        self._client: AsyncClient | None = None
        self._users = 0
        self._idle: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def use(self) -> AsyncIterator[AsyncClient]:
        """The open client."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if self._client is None:
            self._client = AsyncClient(self._settings)
        self._users += 1
        try:
            yield self._client
        finally:
            self._users -= 1
            if not self._users:
                self._idle = asyncio.create_task(self._close_later())

    async def _close_later(self) -> None:
        await asyncio.sleep(self._idle_s)
        self._idle = None
        await self.close()

    async def close(self) -> None:
        """Close the connections; the next use opens new ones."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        client, self._client = self._client, None
        if client is not None:
            await client.__aexit__(None, None, None)
