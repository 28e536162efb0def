"""Taking back what a transfer has sent: exactly the files whose ids are known to be its own."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from ..client import AsyncClient
from .deletion import Deletion, delete
from .progress import Progress
from .receipt import Row

_UNPROVED = "It is on the platform, but not known to be the file that was sent, so it was not removed."


def own_files(rows: Iterable[Row]) -> list[Deletion]:
    """What a transfer brought to the platform itself and can prove: its ids."""
    return [
        Deletion(UUID(row.file_id), row.stored_name, row.size)
        for row in rows
        if row.status == "ok" and row.file_id is not None and row.state not in ("unchanged", "resumed")
    ]


async def remove_own(client: AsyncClient, workspace: str, progress: Progress) -> None:
    """Delete what the transfer has ingested, and say in each row that it is gone."""
    rows = {UUID(row.file_id): row for row in progress.receipt.rows if row.status == "ok" and row.file_id}
    deletions = own_files(progress.receipt.rows)
    await delete(client, workspace, deletions)
    removed = 0
    for deletion in deletions:
        assert deletion.file_id is not None
        row = rows[deletion.file_id]
        if deletion.status == "failed":
            row.warn(f"It could not be removed: {deletion.reason}")
            row.remedy = "job.undo(dry_run=False) tries again."
        else:
            removed += 1
            row.file_id = None
            row.end("cancelled", "It was ingested and then removed, as asked for.", "job.retry() sends it again.")
    left = [row for row in progress.receipt.with_status("ok") if row.state not in ("unchanged", "resumed")]
    for row in left:
        if row.file_id is None:
            row.warn(_UNPROVED)
    files = "1 file was" if removed == 1 else f"{removed:,} files were"
    words = f"Cancelled: {files} removed from the platform again."
    progress.add_note(f"{words} {len(left):,} could not be removed: see job.receipt." if left else words)
