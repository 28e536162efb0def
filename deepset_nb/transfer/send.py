"""Sending rows into an open session: a few workers, one row at a time each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

from ..client.bucket import Bucket
from ..client.bucket_errors import is_transient
from ..errors import BucketError, DeepsetError
from .plan import SIDECAR
from .progress import Progress
from .receipt import Row
from .session import Session

PAUSE_S = 2.0  # before another round


async def send_rows(
    bucket: Bucket, session: Session, rows: list[Row], progress: Progress, *, workers: int, rounds: int = 1
) -> None:
    """Send every row; a failure is the row's outcome and stops nobody else.

    Args:
        bucket: Of the session, ready to post.
        session: Where the rows go.
        rows: What to send.
        progress: Told of every file and of every further attempt.
        workers: How many rows may be on their way at a time.
        rounds: How often to begin anew with a row after the bucket's own attempts ran out.
    """
    queue = iter(rows)
    async with asyncio.TaskGroup() as group:
        for _ in range(min(workers, len(rows))):
            group.create_task(_worker(bucket, session, queue, progress, rounds))


async def _worker(bucket: Bucket, session: Session, queue: Iterator[Row], progress: Progress, rounds: int) -> None:
    for row in queue:
        await _send_row(bucket, session, row, progress, rounds)


async def _send_row(bucket: Bucket, session: Session, row: Row, progress: Progress, rounds: int) -> None:
    row.started, row.phase, row.session_id = time.monotonic(), "sending", session.id
    row.attempts += 1

    def again(error: DeepsetError) -> None:
        row.attempts += 1
        progress.detail = f"Trying {row.name} again: {error.message}"

    async def post() -> None:
        if row.meta is not None:  # the sidecar goes first: no file may be ingested without its metadata
            meta = row.meta if isinstance(row.meta, bytes) else Path(row.meta)
            size = len(meta) if isinstance(meta, bytes) else meta.stat().st_size
            await bucket.post(row.name + SIDECAR, meta, size, on_retry=again)
        source = row.source if isinstance(row.source, bytes) else Path(row.source)
        await bucket.post(row.name, source, row.size, on_sent=progress.bytes_sent, on_retry=again)

    try:
        for _ in range(rounds - 1):
            try:
                await post()
                break
            except BucketError as error:
                if not (is_transient(error) or _is_broken_off(error)):
                    raise
                again(error)
                await asyncio.sleep(PAUSE_S)
        else:
            await post()
    except DeepsetError as error:
        row.end("failed", error.message, error.remedy)
    except OSError as error:
        why = f"It could not be read while sending: {error.strerror or error}."
        row.end("failed", why, "job.retry() reads it again.")
    else:
        row.phase = "sent"
        progress.phases["sending"]["files_done"] += 1


def _is_broken_off(error: BucketError) -> bool:
    return not error.status and not error.code
