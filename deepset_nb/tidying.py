"""The part of a workspace that changes what is there: metadata edited in pandas, files deleted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast
from uuid import UUID

from . import bridge, file_frames, frames
from .client import AsyncClient
from .client.odata import wanted
from .errors import InputError
from .settings import Settings
from .transfer.deletion import Deletion, delete, find_files
from .transfer.meta import TAG, tagged
from .transfer.meta_edits import MetaEdits, Wish

if TYPE_CHECKING:
    import pandas as pd


class Tidying:
    """What `Workspace` inherits; it knows whose files they are."""

    settings: Settings

    @property
    def name(self) -> str:
        """The workspace's name."""
        raise NotImplementedError

    def apply_meta(self, edited: pd.DataFrame, *, dry_run: bool = False) -> pd.DataFrame:
        """Send edits of metadata made in pandas: what differs from what the platform has now, and nothing else.

        Example:
            >>> edited = ws.list_files(expand_meta=True)  # doctest: +SKIP
            >>> edited.loc[edited["meta.year"] < 2020, "meta.archive"] = True  # doctest: +SKIP
            >>> ws.apply_meta(edited, dry_run=True)  # doctest: +SKIP
            >>> ws.apply_meta(edited)  # doctest: +SKIP

        Args:
            edited: Rows of ``list_files()`` with ``file_id`` and ``meta`` (a dict or JSON each; a key that is missing
                goes), or with columns ``meta.<key>`` (an empty cell takes the key away, other keys stay).
            dry_run: Only tell what would change.

        Returns:
            One row for each key that differs, none where nothing does. Columns ``file_id name key status reason
            remedy`` (string), ``before after`` (object, None for no such key). ``status`` is pending, ok (looked at
            afterwards) or failed. Reserved keys, values that are none for JSON and sizes over the platform's limits
            fail before anything of that file is sent. A key must be of one type in all files (platform guide: add
            metadata): it is compared with the edited files and the 100 newest, not with others, and a row that
            differs says so, in a dry run, too. It is sent all the same, for the platform to decide.

        Raises:
            InputError: A column is missing, or a row is not that of a file.
        """
        wishes = file_frames.wishes_in(edited)
        return frames.meta_edits(bridge.run(self._apply_meta, wishes, dry_run).edits)

    async def _apply_meta(self, wishes: list[Wish], dry_run: bool) -> MetaEdits:
        edits = MetaEdits()
        async with AsyncClient(self.settings) as client:
            await edits.find(client, self.name, wishes)
            if not dry_run:
                await edits.apply(client, self.name)
        return edits

    def delete_files(
        self, files: pd.DataFrame | str | UUID | Iterable[str | UUID], *, dry_run: bool = True
    ) -> pd.DataFrame:
        """Delete files: tells which they are, and with ``dry_run=False`` does it.

        Files go one by one by their ids; the platform's call that can delete a whole workspace is never used.

        Example:
            >>> ws.delete_files("old.txt")  # doctest: +SKIP
            >>> ws.delete_files(["old.txt", "older.txt"], dry_run=False)  # doctest: +SKIP
            >>> found = ws.list_files(created_before="2020-01-01")  # doctest: +SKIP
            >>> ws.delete_files(found, dry_run=False)["status"].value_counts()  # doctest: +SKIP

        Args:
            files: Rows with a column ``file_id``, names, or ids. A name means every file that bears it.
            dry_run: Only tell what would be deleted.

        Returns:
            Columns ``file_id name status reason remedy`` (string), ``size`` (Int64, bytes), ``created_at``
            (datetime64[us, UTC]). ``status`` is pending in a dry run, then ok, failed, or skipped for what was not
            there.

        Raises:
            InputError: It holds something else than files, or nothing.
        """
        names, ids = _names_and_ids(files)
        return frames.deletions(bridge.run(self._delete, names, ids, dry_run))

    def clean(self, *, tag: str, dry_run: bool = True) -> pd.DataFrame:
        """Delete what was uploaded with a tag: tells which files, and with ``dry_run=False`` does it.

        Example:
            >>> ws.upload("documents/", tag="class-2026-11")  # doctest: +SKIP
            >>> ws.clean(tag="class-2026-11")  # doctest: +SKIP
            >>> ws.clean(tag="class-2026-11", dry_run=False)  # doctest: +SKIP

        Args:
            tag: As ``ws.upload(..., tag=...)`` had it.
            dry_run: Only tell what would be deleted.

        Returns:
            As `delete_files`; no rows where nothing has the tag.

        Raises:
            InputError: It is no tag.
        """
        told = tagged(None, tag)
        if told is None:
            raise InputError("There is no tag.", "Say which: ws.clean(tag=...).")
        return frames.deletions(bridge.run(self._clean, tag, dry_run))

    async def _clean(self, tag: str, dry_run: bool) -> list[Deletion]:
        asked = wanted({TAG: tag}, None)
        rows = []
        async with AsyncClient(self.settings) as client:
            async for page in client.files.list(self.name, odata_filter=asked.expression):
                # A platform that understands a filter otherwise must not delete anything.
                rows += [Deletion.of(file) for file in page if asked.matches(file.meta or {})]
            if not dry_run:
                await delete(client, self.name, rows)
        return rows

    async def _delete(self, names: list[str], ids: list[UUID], dry_run: bool) -> list[Deletion]:
        async with AsyncClient(self.settings) as client:
            rows = await find_files(client, self.name, names, ids)
            if not dry_run:
                await delete(client, self.name, rows)
        return rows


def _names_and_ids(files: pd.DataFrame | str | UUID | Iterable[str | UUID]) -> tuple[list[str], list[UUID]]:
    if hasattr(files, "columns"):
        frame = cast("pd.DataFrame", files)
        if "file_id" not in frame.columns:
            raise InputError("The DataFrame has no column 'file_id'.", "Give rows of ws.list_files() or of a receipt.")
        given: list[object] = list(frame["file_id"].dropna())
        if len(given) < len(frame):
            raise InputError(
                f"{len(frame) - len(given)} of {len(frame)} rows have no file_id; nothing was deleted.",
                "Drop them: only what has an id can be deleted.",
            )
    else:
        given = [files] if isinstance(files, str | UUID) else list(cast("Iterable[object]", files))
    names, ids = [], []
    for one in given:
        if isinstance(one, UUID):
            ids.append(one)
        elif isinstance(one, str) and one:
            try:
                ids.append(UUID(one))
            except ValueError:
                names.append(one)
        else:
            raise InputError(f"{one!r} is neither a name nor an id of a file; nothing was deleted.")
    if not names and not ids:
        raise InputError("There is no file to delete.", "Give rows of ws.list_files(), names, or ids.")
    return names, ids
