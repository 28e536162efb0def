"""How rows are shared out over upload sessions, each with a limit of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator

from ..client import AsyncClient
from ..client.bucket import Bucket
from ..errors import DeepsetError
from ..models import AWSPrefixedRequestConfig
from .receipt import Row
from .session import Session
from .session_keeper import SessionKeeper

OBJECTS_PER_SESSION = 10_000  # sidecars count, to be safe (platform API reference: create upload session)
RENEWALS = 5  # fresh sessions in place of one whose form the bucket takes no more; beyond, something else is wrong


class Shard:
    """The rows of one session, sent by many workers: opened by the first, closed by the last.

    Args:
        keeper: Opens and closes sessions.
        client: An open client.
        rows: What to send.
        session: An open session to go on with; None opens one when it is needed.
        bucket: Makes the bucket of a session's form.
    """

    def __init__(
        self,
        keeper: SessionKeeper,
        client: AsyncClient,
        rows: list[Row],
        session: Session | None,
        bucket: Callable[[AWSPrefixedRequestConfig], Bucket],
    ) -> None:
        self.rows = rows
        self._keeper = keeper
        self._client = client
        self._session = session
        self._fresh = session is None
        self._make_bucket = bucket
        self._bucket: Bucket | None = None
        self._buckets: list[Bucket] = []  # also of sessions that were replaced: posts may still be on their way there
        self._left = len(rows)
        self._error: DeepsetError | None = None
        self._renewals = 0
        self._turn = asyncio.Lock()

    async def place(self) -> tuple[Session, Bucket]:
        """Where the next row goes."""
        if self._session is None or self._bucket is None:
            async with self._turn:
                if self._error is not None:  # the next worker would only leave another session behind
                    raise self._error
                if self._session is None:
                    await self._keeper.filling.acquire()
                    self._session = await self._open(self.rows)
                if self._bucket is None:
                    self._bucket = self._make_bucket(self._session.opened.aws_prefixed_request_config)
                    self._buckets.append(self._bucket)
        return self._session, self._bucket

    async def renew(self, spent: Session) -> bool:
        """Replace a session whose form the bucket takes no more; False if that was done too often already."""
        async with self._turn:
            if self._session is spent:
                if self._renewals >= RENEWALS:
                    return False
                self._renewals += 1
                rest = [row for row in self.rows if row.status == "pending" and row.phase in ("planned", "sending")]
                self._session = await self._open(rest)
                self._bucket = None
            return True

    async def row_ended(self) -> None:
        """One row less; the last one closes the session, which starts its ingestion while other shards are sent."""
        self._left -= 1
        if not self._left and self._session is not None:
            await self.disconnect()
            await self._keeper.close_filled(self._client, self._session)
            if self._fresh:
                self._keeper.filling.release()

    async def _open(self, rows: list[Row]) -> Session:
        try:
            return await self._keeper.open(self._client, rows)
        except DeepsetError as error:
            self._error = error
            raise

    async def disconnect(self) -> None:
        """Close the connections to the bucket."""
        while self._buckets:
            await self._buckets.pop().__aexit__(None, None, None)


def portions(rows: Iterable[Row], taken: int = 0) -> Iterator[list[Row]]:
    """Rows in portions one session takes; a file and its sidecar stay together.

    Args:
        rows: What to send, in order.
        taken: Objects the first session already holds.
    """
    portion: list[Row] = []
    for row in rows:
        if taken + row.objects > OBJECTS_PER_SESSION:
            yield portion
            portion, taken = [], 0
        portion.append(row)
        taken += row.objects
    yield portion
