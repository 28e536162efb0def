"""Files to delete: which they are, and what became of each. Only ids are ever sent."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ..client import AsyncClient
from ..client.deletion import delete_each
from ..errors import DeepsetError, FileNotFound
from ..models import File

FEW_NAMES = 10  # up to here each name is asked for; beyond, one listing of all is quicker


@dataclass
class Deletion:
    """One file.

    Attributes:
        file_id: Id; None where nothing bears the name.
        name: Name.
        size: Bytes.
        created_at: When it was made.
        status: ``pending``, ``ok``, ``skipped`` for what is not there, or ``failed``.
        reason: What happened, where it is neither pending nor ok.
        remedy: What to do.
    """

    file_id: UUID | None
    name: str
    size: int | None = None
    created_at: datetime | None = None
    status: str = "pending"
    reason: str | None = None
    remedy: str | None = None

    @classmethod
    def of(cls, file: File) -> Deletion:
        """A file of a listing."""
        return cls(file.file_id, file.name, file.size, file.created_at)

    def skip(self, reason: str, remedy: str = "") -> None:
        """There is nothing to delete."""
        self.status, self.reason, self.remedy = "skipped", reason, remedy or None


async def find_files(client: AsyncClient, workspace: str, names: Iterable[str], ids: Iterable[UUID]) -> list[Deletion]:
    """The files that bear these names, all that do, and those of these ids; what is not there has a row, too."""
    wanted_names, wanted_ids = list(dict.fromkeys(names)), list(dict.fromkeys(ids))
    by_name: dict[str, dict[UUID, Deletion]] = {name: {} for name in wanted_names}
    by_id: dict[UUID, Deletion] = {}
    missing = set(wanted_ids)
    listings: list[str | None] = [*wanted_names] if len(wanted_names) <= FEW_NAMES and not wanted_ids else [None]
    for part in listings:
        async with contextlib.aclosing(client.files.list(workspace, name=part)) as pages:
            async for page in pages:
                for file in page:
                    if file.file_id in missing:
                        missing.remove(file.file_id)
                        by_id[file.file_id] = Deletion.of(file)
                    if file.name in by_name and file.file_id not in by_id:
                        by_name[file.name].setdefault(file.file_id, Deletion.of(file))
                if not missing and not wanted_names:
                    break  # a name can come again, an id cannot
    rows = [by_id.get(file_id) or _absent(file_id, str(file_id)) for file_id in wanted_ids]
    for name, found in by_name.items():
        rows += found.values() or [_absent(None, name)]
    return rows


def _absent(file_id: UUID | None, name: str) -> Deletion:
    row = Deletion(file_id, name)
    row.skip("The workspace has no such file.", "ws.list_files() lists what it has; names are compared as they are.")
    return row


async def delete(client: AsyncClient, workspace: str, rows: Iterable[Deletion]) -> None:
    """Delete what is pending; each row ends as ok, skipped or failed, and stays pending only if that is cancelled."""
    pending = {row.file_id: row for row in rows if row.status == "pending" and row.file_id}
    if not pending:
        return

    def ended(file_id: UUID, error: DeepsetError | None) -> None:
        row = pending[file_id]
        if error is None:
            row.status = "ok"
        elif isinstance(error, FileNotFound):
            row.skip("It was gone already.")
        else:
            row.status, row.reason, row.remedy = "failed", error.message, error.remedy

    await delete_each(client, workspace, pending, ended)
