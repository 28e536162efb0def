"""Taking back what a transfer has sent: exactly the files whose ids are known to be its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from ..client import AsyncClient
from ..errors import DeepsetError
from ..settings import Settings
from .deletion import Deletion, delete
from .progress import Progress
from .receipt import Row
from .reconcile import CLOCK_UNKNOWN

Between = tuple[datetime, datetime] | None

_UNPROVED = "It is on the platform, but not known to be the file that was sent, so it was not removed."
_UNCERTAIN = "It may have been removed: the removal was broken off."
_UNTOUCHED = "It was not removed: the removal was broken off before it began."


def own_files(rows: Iterable[Row]) -> list[Deletion]:
    """What a transfer brought to the platform itself and can prove: its ids."""
    return [
        Deletion(UUID(row.file_id), row.stored_name, row.size, _moment(row.created_at))
        for row in rows
        if row.status == "ok" and row.file_id is not None and row.state not in ("unchanged", "resumed")
    ]


def _moment(created_at: float | None) -> datetime | None:
    return None if created_at is None else datetime.fromtimestamp(created_at, UTC)


async def leave_unproved(client: AsyncClient, workspace: str, deletions: list[Deletion], made: Between) -> None:
    """Skip what is not alone of its name and size among the files that were made during the transfer.

    An id that the platform did not answer itself was found in a listing. Listings lag: ours may not have been in it
    yet, and somebody else's of the same name and size was taken for it. Later both are listed.

    Args:
        client: An open client.
        workspace: Name of the workspace.
        deletions: All that the transfer has ids of.
        made: From when to when its files were made, by the platform's clock, if that is known.
    """
    found = {(one.name, one.size): one for one in deletions if one.status == "pending" and one.created_at}
    if not found:
        return
    times = [one.created_at for one in found.values() if one.created_at]
    since, until = made or (min(times) - CLOCK_UNKNOWN, max(times) + CLOCK_UNKNOWN)
    own = {one.file_id for one in deletions}
    try:
        async with contextlib.aclosing(client.files.newest(workspace)) as pages:
            async for page in pages:
                for file in page:
                    ours = found.get((file.name, file.size))
                    if ours and file.file_id not in own and since <= file.created_at <= until:
                        ours.skip(
                            _UNPROVED, "ws.list_files(name=...) shows all of its name; delete the right one by id."
                        )
                if page and page[-1].created_at < since:
                    break
    except DeepsetError as error:  # what cannot be proved is not deleted
        for one in found.values():
            one.status, one.reason, one.remedy = "failed", error.message, error.remedy


async def take_back(settings: Settings, rows: Iterable[Row], made: Between, dry_run: bool) -> list[Deletion]:
    """Delete what an ended transfer brought to the platform, or only tell which files these are."""
    deletions = own_files(rows)
    async with AsyncClient(settings) as client:
        await leave_unproved(client, settings.workspace_name, deletions, made)
        if not dry_run:
            await delete(client, settings.workspace_name, deletions)
    return deletions


async def remove_own(client: AsyncClient, workspace: str, progress: Progress, made: Between) -> None:
    """Delete what the transfer has ingested, and say in each row that it is gone."""
    deletions = own_files(progress.receipt.rows)
    began = False
    try:
        await leave_unproved(client, workspace, deletions, made)
        began = True
        await delete(client, workspace, deletions)
    finally:  # also when it is cancelled: some files are gone
        removed = _mark(progress.receipt.rows, deletions, _UNCERTAIN if began else _UNTOUCHED)
        left = [row for row in progress.receipt.with_status("ok") if row.state not in ("unchanged", "resumed")]
        for row in left:
            if row.file_id is None:
                row.warn(_UNPROVED)
        files = "1 file was" if removed == 1 else f"{removed:,} files were"
        words = f"Cancelled: {files} removed from the platform again."
        progress.add_note(f"{words} {len(left):,} could not be removed: see job.receipt." if left else words)


def _mark(receipt: Iterable[Row], deletions: Iterable[Deletion], undecided: str) -> int:
    """What became of each, in its row; returns how many are gone."""
    rows = {UUID(row.file_id): row for row in receipt if row.file_id}
    gone = 0
    for one in deletions:
        assert one.file_id is not None
        row = rows[one.file_id]
        if one.status == "pending":
            row.warn(undecided)
            row.remedy = "job.undo() tells; job.undo(dry_run=False) tries again."
        elif one.status == "failed":
            row.warn(f"It could not be removed: {one.reason}")
            row.remedy = "job.undo(dry_run=False) tries again."
        elif one.reason == _UNPROVED:
            row.file_id = row.created_at = None
        else:
            gone += 1
            row.file_id = None
            row.end("cancelled", "It was ingested and then removed, as asked for.", "job.retry() sends it again.")
    return gone
