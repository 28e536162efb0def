"""Objects that arrive at the bucket are stored in groups: one thread hop and one transaction for all that wait.

With ten clients posting at once, handing each object to a thread and taking the database's lock for it costs several
times what storing it does. So whoever comes while a group is being written joins the next one; nobody waits longer
than the group before takes.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool

from .forms import Incoming
from .store import Store


class _Arrival(NamedTuple):
    key: str
    received: Incoming
    stored: asyncio.Future[str]


class ObjectWriter:
    """Makes received bodies the objects of their keys; on the server's loop only.

    Args:
        store: Where they go.
    """

    def __init__(self, store: Store) -> None:
        """Nothing waits yet."""
        self._store = store
        self._waiting: list[_Arrival] = []
        self._writing: asyncio.Task[None] | None = None

    async def put(self, key: str, received: Incoming) -> str:
        """Store a body, which is the writer's from here on; the last write of a key wins.

        Returns:
            The object's blob.

        Raises:
            OSError: The disk did not take it.
        """
        stored: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Arrival(key, received, stored))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        return await stored

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting, []
                try:
                    outcomes = await run_in_threadpool(self._write, group)
                except Exception as error:  # the transaction: nobody's object is there
                    outcomes = [error] * len(group)
                for arrival, outcome in zip(group, outcomes, strict=True):
                    if arrival.stored.done():
                        continue  # the client has gone; its object is stored all the same
                    if isinstance(outcome, str):
                        arrival.stored.set_result(outcome)
                    else:
                        arrival.stored.set_exception(outcome)
        finally:
            self._writing = None
            for arrival in self._waiting:  # only where the server ends
                arrival.received.discard()

    def _write(self, group: list[_Arrival]) -> list[str | Exception]:
        outcomes: list[str | Exception] = []
        for arrival in group:
            try:
                outcomes.append(arrival.received.keep())
            except OSError as error:
                arrival.received.discard()
                outcomes.append(error)
        replaced: list[str] = []
        with self._store.write() as db:
            for arrival, blob in zip(group, outcomes, strict=True):
                if not isinstance(blob, str):
                    continue
                for row in db.execute("SELECT blob FROM objects WHERE key = ?", (arrival.key,)):
                    replaced.append(row["blob"])
                db.execute(
                    "INSERT OR REPLACE INTO objects (key, blob, size) VALUES (?, ?, ?)",
                    (arrival.key, blob, arrival.received.size),
                )
        self._store.discard(replaced)
        return outcomes
