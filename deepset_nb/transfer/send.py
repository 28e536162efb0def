"""Sending rows: a number of workers, one row at a time each, through all shards of a transfer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator

from ..client.addresses import is_remote
from ..client.bucket import Bucket
from ..client.bucket_errors import form_expired, is_transient
from ..client.places import stat_of
from ..client.waits import waiting
from ..errors import BucketError, DeepsetError
from .plan import SIDECAR
from .progress import Progress
from .receipt import Row
from .record import Record
from .session import Session
from .shard import Shard

PAUSE_S = 2.0  # before another round


async def send_shards(
    shards: Iterable[Shard], progress: Progress, record: Record, *, workers: int, rounds: int = 1
) -> None:
    """Send every row; a failure is the row's outcome and stops nobody else.

    Args:
        shards: What to send.
        progress: Told of every file and of every further attempt.
        record: The journal's side of the transfer.
        workers: How many rows may be on their way at a time.
        rounds: How often to begin anew with a row after the bucket's own attempts ran out.
    """
    shards = list(shards)
    queue = ((shard, row) for shard in shards for row in shard.rows)
    sender = _Sender(progress, record, rounds)
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(workers, sum(len(shard.rows) for shard in shards))):
                group.create_task(sender.work(queue))
    except* DeepsetError as errors:  # a session could not be opened or closed: that concerns all the rest
        raise errors.exceptions[0] from None
    finally:
        for shard in shards:
            await shard.disconnect()


class _Sender:
    def __init__(self, progress: Progress, record: Record, rounds: int) -> None:
        self._progress = progress
        self._record = record
        self._rounds = rounds
        self._sending = progress.phases["sending"]

    async def work(self, queue: Iterator[tuple[Shard, Row]]) -> None:
        for shard, row in queue:
            await self._send(shard, row)
            await shard.row_ended()

    async def _send(self, shard: Shard, row: Row) -> None:
        row.started = time.monotonic()
        while True:
            session, bucket = await shard.place()
            row.phase, row.session_id = "sending", session.id
            row.attempts += 1
            session.rows.append(row)
            try:
                await self._post(bucket, row)
            except DeepsetError as error:
                if (
                    isinstance(error, BucketError)
                    and form_expired(error)
                    and await self._begin_anew(shard, session, row)
                ):
                    continue
                row.end("failed", error.message, error.remedy)
                row.final = isinstance(error, BucketError) and is_final(error)
            except OSError as error:
                why = f"It could not be read while sending: {error.strerror or error}."
                row.end("failed", why, "job.retry() reads it again.")
            else:
                row.phase = "sent"
                self._sending["files_done"] += 1
            self._record.touch(row)
            return

    async def _begin_anew(self, shard: Shard, session: Session, row: Row) -> bool:
        session.rows.remove(row)
        if await shard.renew(session):
            self._progress.detail = "The bucket takes no more for this upload session: going on with a fresh one."
            return True
        session.rows.append(row)
        return False

    async def _post(self, bucket: Bucket, row: Row) -> None:
        for left in range(self._rounds - 1, 0, -1):
            try:
                return await self._post_once(bucket, row)
            except BucketError as error:
                if not (is_transient(error) or _is_broken_off(error)):
                    raise
                self._again(row, error)
                with waiting(self._rounds - left + 1, self._rounds, PAUSE_S, error.message):
                    await asyncio.sleep(PAUSE_S)
        return await self._post_once(bucket, row)

    async def _post_once(self, bucket: Bucket, row: Row) -> None:
        def again(error: DeepsetError) -> None:
            self._again(row, error)

        if row.meta is not None:  # the sidecar goes first: no file may be ingested without its metadata
            size = len(row.meta) if isinstance(row.meta, bytes) else await self._size_of(row.meta)
            row.meta_content = await bucket.post(row.name + SIDECAR, row.meta, size, on_retry=again)
        row.content = await bucket.post(
            row.name, row.source, row.size, on_sent=self._progress.bytes_sent, on_retry=again
        )

    @staticmethod
    async def _size_of(sidecar: str) -> int:
        return (await asyncio.to_thread(stat_of, sidecar) if is_remote(sidecar) else stat_of(sidecar)).st_size

    def _again(self, row: Row, _: DeepsetError) -> None:
        row.attempts += 1


def is_final(error: BucketError) -> bool:
    """Whether the same file can only be refused again."""
    return bool(error.status) and not is_transient(error) and not form_expired(error)


def _is_broken_off(error: BucketError) -> bool:
    return not error.status and not error.code
