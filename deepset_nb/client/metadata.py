"""Changing the metadata of many files, with the outcome of each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ..errors import ApiError, DeepsetError, Unprocessable
from .paths import file_path, workspace_path
from .responses import Asked, Subject, decoded
from .retries import REPEATABLE

if TYPE_CHECKING:
    from .async_client import AsyncClient

AT_A_TIME = 8
MANY = 500  # files from which on a listing is quicker than a request for each
MOST_FILES, MOST_BYTES = 100, 1_000_000  # a request; no page says what the platform takes
REMOVED = "None"  # how the call for many files spells a key that goes (platform API reference: update file metadata)
_ONE_BY_ONE = (400, 404, 405, 413, 415, 422, 501)  # the call is not there, or one file spoils it for the others

Changes = Mapping[str, Any]
Outcome = tuple[UUID, DeepsetError | None]


async def change_each(
    client: AsyncClient, workspace: str, changes: Mapping[UUID, Changes]
) -> AsyncGenerator[Outcome, None]:
    """Change single keys of each file; None as a value takes the key away.

    Many files go in one request; where that call refuses, each file has a request of its own.

    Args:
        client: An open client.
        workspace: Name of the workspace.
        changes: File -> key -> value.

    Yields:
        Id and error, None where the platform took the change.
    """
    # A value that is the text "None" would take the key away in the call for many.
    single = {file_id for file_id, keys in changes.items() if REMOVED in keys.values()}
    for batch in _batches({file_id: keys for file_id, keys in changes.items() if file_id not in single}):
        try:
            failed = await _change_many(client, workspace, batch)
        except ApiError as error:
            if error.status not in _ONE_BY_ONE:
                for file_id in batch:
                    yield file_id, error
                continue
            single.update(batch)
        except DeepsetError as error:
            for file_id in batch:
                yield file_id, error
        else:
            for file_id in batch:
                yield file_id, failed.get(file_id)
    gate = asyncio.Semaphore(AT_A_TIME)

    async def one(file_id: UUID) -> Outcome:
        async with gate:
            try:
                await _change_one(client, workspace, file_id, changes[file_id])
            except DeepsetError as error:
                return file_id, error
            return file_id, None

    for ended in asyncio.as_completed([one(file_id) for file_id in changes if file_id in single]):
        yield await ended


async def metas_of(
    client: AsyncClient, workspace: str, file_ids: list[UUID]
) -> dict[UUID, dict[str, Any] | DeepsetError]:
    """The metadata of each file as it is now, or why it cannot be told."""
    found: dict[UUID, dict[str, Any] | DeepsetError] = {}
    if len(file_ids) > MANY:
        wanted = set(map(str, file_ids))
        async for rows, _ in client.files.rows(workspace):
            found |= {UUID(row.file_id): row.meta_dict() for row in rows if row.file_id in wanted}
    missing = [file_id for file_id in file_ids if file_id not in found]
    gate = asyncio.Semaphore(AT_A_TIME)

    async def one(file_id: UUID) -> dict[str, Any] | DeepsetError:
        async with gate:
            try:
                return await client.files.meta(workspace, file_id)
            except DeepsetError as error:
                return error

    return found | dict(zip(missing, await asyncio.gather(*map(one, missing)), strict=True))


async def _change_many(client: AsyncClient, workspace: str, batch: Mapping[UUID, Changes]) -> dict[UUID, DeepsetError]:
    body = {
        str(file_id): {key: REMOVED if value is None else value for key, value in keys.items()}
        for file_id, keys in batch.items()
    }
    asked = Asked(Subject.WORKSPACE, workspace, workspace)
    path = workspace_path(workspace, "files", "update-meta")
    response = await client.request("POST", path, asked, worth=REPEATABLE, json=body)
    reply = decoded(response, dict[str, Any], client.settings)
    failed: dict[UUID, DeepsetError] = {}
    for entry in reply.get("failed_files") or []:
        # The reference does not spell the name of the field that holds the id.
        ids = [file_id for file_id in batch if str(file_id) in map(str, entry.values())]
        message = str(entry.get("error_message") or entry.get("error_type") or "the platform refused it")
        for file_id in ids:
            failed[file_id] = Unprocessable(
                message.rstrip(".") + ".", "Repair the value; nothing of this file changed."
            )
    return failed


async def _change_one(client: AsyncClient, workspace: str, file_id: UUID, keys: Changes) -> None:
    asked = Asked(Subject.FILE, workspace, str(file_id))
    path = file_path(workspace, file_id, "meta")
    await client.request("PATCH", path, asked, worth=REPEATABLE, json=dict(keys))


def _batches(changes: Mapping[UUID, Changes]) -> Iterator[dict[UUID, Changes]]:
    batch: dict[UUID, Changes] = {}
    size = 0
    for file_id, keys in changes.items():
        length = len(json.dumps(dict(keys)))
        if batch and (len(batch) == MOST_FILES or size + length > MOST_BYTES):
            yield batch
            batch, size = {}, 0
        batch[file_id] = keys
        size += length
    if batch:
        yield batch
