"""Deleting files by their ids, a few at a time, with the outcome of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING
from uuid import UUID

from ..errors import DeepsetError, InputError

if TYPE_CHECKING:
    from .async_client import AsyncClient

AT_A_TIME = 8


async def delete_each(
    client: AsyncClient,
    workspace: str,
    file_ids: Collection[UUID],
    ended: Callable[[UUID, DeepsetError | None], None],
) -> None:
    """Delete exactly these files.

    The platform's call that takes a list deletes **everything** when the list is missing; it is never used here.
    When it is cancelled, no more files go; what is under way is awaited, so that its outcome is known.

    Args:
        client: An open client.
        workspace: Name of the workspace.
        file_ids: The files; at least one.
        ended: Called with id and error, None for a file that is gone, in the order of their ends.

    Raises:
        InputError: There is no id, or one is no UUID; nothing was deleted.
    """
    waiting = list(dict.fromkeys(file_ids))
    if not waiting:
        raise InputError("There is no file to delete.", "Name at least one; nothing was deleted.")
    if strangers := [file_id for file_id in waiting if not isinstance(file_id, UUID)]:
        raise InputError(f"{strangers[0]!r} is not the id of a file.", "Nothing was deleted.")

    async def delete(file_id: UUID) -> None:
        error: DeepsetError | None = None
        try:
            await client.files.delete(workspace, file_id)
        except DeepsetError as problem:
            error = problem
        ended(file_id, error)

    waiting.reverse()
    under_way: set[asyncio.Task[None]] = set()
    try:
        while waiting or under_way:
            while waiting and len(under_way) < AT_A_TIME:
                under_way.add(asyncio.create_task(delete(waiting.pop())))
            done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    finally:
        await asyncio.gather(*under_way, return_exceptions=True)
