"""The part of a workspace that lists: files and upload sessions as DataFrames."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Literal

from . import bridge, file_frames, frames
from .client.files import Field, Order
from .client.kept import KeptClient
from .client.odata import Wanted, filtered_here, wanted
from .errors import InputError
from .listing_line import ListingLine
from .transfer import doctor
from .transfer.doctor import Diagnosis

if TYPE_CHECKING:
    import pandas as pd

    from .models import FileRow, UploadSessionDetail

MOST_DICTS = 200_000  # files whose metadata becomes dicts: a million of them would take gigabytes

Moment = datetime | date | str


class Looking:
    """What `Workspace` inherits; it knows whom to ask."""

    _connection: KeptClient

    @property
    def name(self) -> str:
        """The workspace's name."""
        raise NotImplementedError

    def list_files(
        self,
        name: str | None = None,
        *,
        meta: Mapping[str, Any] | Literal["raw"] | None = None,
        created_after: Moment | None = None,
        created_before: Moment | None = None,
        odata_filter: str | None = None,
        limit: int | None = None,
        expand_meta: bool = False,
        sort: Field = "created_at",
        order: Order = "DESC",
    ) -> pd.DataFrame:
        """The workspace's files, newest first.

        Files that come or go meanwhile are no trouble: each is listed once. The stop button ends a long listing.

        Example:
            >>> ws.list_files(name="report").columns.tolist()
            ['file_id', 'name', 'size', 'created_at', 'meta', 'url']
            >>> ws.list_files(meta={"category": "news"}, created_after="2026-01-01", limit=20)  # doctest: +SKIP
            >>> ws.list_files(expand_meta=True).groupby("meta.category")["size"].sum()  # doctest: +SKIP

        Args:
            name: Part of the file name.
            meta: Only files with these values: ``{"category": "news"}``, a list of values for any of them. The
                platform filters plain texts; numbers, truth values and texts with quotes are looked at here.
                ``"raw"`` filters nothing, but leaves the metadata as JSON text.
            created_after: Only files made later: a datetime, a date or ISO 8601; UTC where no time zone is given.
                This and the next are looked at here, too.
            created_before: Only files made earlier.
            odata_filter: An OData expression on metadata, such as ``"topic eq 'news' and lang eq 'de'"``, sent as it
                is (platform API reference: list files).
            limit: At most so many files.
            sort: What the platform sorts by: ``"created_at"`` or ``"name"``.
            order: ``"DESC"`` is newest or last first, ``"ASC"`` the other way round.
            expand_meta: A column ``meta.<key>`` for each key instead of ``meta``, with a dtype each, however many
                files there are. Not with ``meta="raw"``.

        Returns:
            Columns ``file_id name url`` (string), ``size`` (Int64, bytes), ``created_at`` (datetime64[us, UTC]),
            ``meta`` (object, a dict each; of more than 200,000 files, or with ``meta="raw"``, string, JSON). With
            ``expand_meta`` string, Int64, Float64, boolean or object columns ``meta.<key>``. ``attrs["notes"]`` is
            there where something was filtered here and not by the platform, and says what.

        Raises:
            InputError: A time that is none, a limit below 0, or ``expand_meta`` with ``meta="raw"``.
            Unprocessable: The platform does not understand ``odata_filter``.
        """
        raw = meta == "raw"
        if isinstance(meta, str) and not raw:
            raise InputError(f"meta is {meta!r}.", 'Give a dict such as {"category": "news"}, or "raw".')
        if raw and expand_meta:
            raise InputError(
                'meta="raw" and expand_meta=True ask for two forms of the metadata.',
                'Leave one out: meta="raw" keeps it as JSON text, expand_meta=True makes a column of each key.',
            )
        for argument, text in (("name", name), ("odata_filter", odata_filter)):
            _check_text(argument, text)
        if limit is not None and limit < 0:
            raise InputError(f"limit is {limit}.", "Give 0 or more, or None for all files.")
        asked = wanted(None if isinstance(meta, str) else meta, odata_filter)
        after, before = _microseconds("created_after", created_after), _microseconds("created_before", created_before)
        if sort not in ("created_at", "name") or order not in ("ASC", "DESC"):
            raise InputError(
                f"Files cannot be sorted by {sort!r}, {order!r}.", 'Use "created_at" or "name", and "ASC" or "DESC".'
            )
        listing = {"name": name, "odata_filter": asked.expression, "field": sort, "order": order}
        notes = filtered_here(asked.unsent, created_after=after, created_before=before)
        table = bridge.run(self._list_files, listing, asked, after, before, limit, ListingLine("files", notes))
        # As text until it is a column: a dict for each file would be the largest part of a long listing.
        frame = table.frame(raw=raw or expand_meta or table.count > MOST_DICTS)
        return _noted(file_frames.with_meta_columns(frame) if expand_meta else frame, notes)

    async def _list_files(
        self,
        listing: dict[str, Any],
        asked: Wanted,
        after: int | None,
        before: int | None,
        limit: int | None,
        line: ListingLine,
    ) -> file_frames.FileTable:
        table = file_frames.FileTable()
        if limit == 0:
            return table
        newest_first = listing["field"] == "created_at" and listing["order"] == "DESC"
        looked_at = 0
        # What is looked at here may need many rows for a few.
        is_picked = asked.unsent or before is not None or (after is not None and not newest_first)
        most = None if is_picked else limit
        async with self._connection.use() as client:
            async for rows, total in client.files.rows(self.name, **listing, most=most):
                looked_at += len(rows)
                kept = [row for row in rows if _is_between(row, after, before) and _matches(row, asked)]
                table.add(kept[: None if limit is None else limit - table.count])
                if table.count == limit or (newest_first and not _is_between(rows[-1], after, None)):
                    break  # what comes after the first one that is too old is too old as well
                line.at(looked_at, total)
        line.end()
        return table

    def list_upload_sessions(
        self,
        *,
        is_expired: bool | None = None,
        status: str | None = None,
        created_by: str | None = None,
        diagnose: bool = False,
    ) -> pd.DataFrame:
        """The workspace's upload sessions, newest first.

        Example:
            >>> ws.list_upload_sessions(status="OPEN")  # doctest: +SKIP

        Args:
            is_expired: True for expired ones only, False for the others only, None for all.
            status: Only those that are ``"OPEN"``, ``"CLOSED"`` or ``"EXPIRED"``. This and the next are picked here,
                out of all sessions: the platform cannot.
            created_by: Only those of people whose names contain this.
            diagnose: Also ask how each stands: two requests a session.

        Returns:
            Columns ``session_id status write_mode created_by`` (string), ``created_at expires_at``
            (datetime64[us, UTC]). With ``diagnose`` also ``finished failed pending`` (Int64, files; the platform does
            not tell what waits in an open session), ``verdict next_action code`` (string): how it stands, what to do,
            and the line of Python for it. ``attrs["notes"]`` is there where something was filtered here and not by
            the platform, and says what.
        """
        wanted = {"status": status or None, "created_by": created_by or None}
        notes = filtered_here((), **wanted)
        found, diagnoses = bridge.run(
            self._list_sessions, is_expired, wanted, diagnose, ListingLine("upload sessions", notes)
        )
        listed = frames.sessions(found)
        return _noted(frames.with_diagnoses(listed, diagnoses) if diagnose else listed, notes)

    async def _list_sessions(
        self, is_expired: bool | None, wanted: dict[str, str | None], look_closer: bool, line: ListingLine
    ) -> tuple[list[UploadSessionDetail], list[Diagnosis]]:
        found: list[UploadSessionDetail] = []
        looked_at = 0
        async with self._connection.use() as client:
            async for page in client.upload_sessions.list(self.name, is_expired=is_expired):
                found += [one for one in page if frames.is_asked_for(one, **wanted)]
                looked_at += len(page)
                line.at(looked_at)
            diagnoses = await doctor.diagnose(client, self.name, found) if look_closer else []
        line.end()
        return found, diagnoses


def _noted(frame: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    if notes:
        frame.attrs["notes"] = notes
    return frame


def _check_text(argument: str, text: str | None) -> None:
    if text is not None and not isinstance(text, str):
        raise InputError(f"{argument} is a {type(text).__name__}.", "Give a text.")
    try:
        (text or "").encode()
    except UnicodeEncodeError:
        raise InputError(f"{argument} holds half a character.", "Decode the text as what it is.") from None


def _microseconds(argument: str, moment: Moment | None) -> int | None:
    if moment is None:
        return None
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            raise InputError(
                f"{argument} is {moment!r}, which is no date or time.",
                'Write it like "2026-01-31" or "2026-01-31T12:00".',
            ) from None
    if not isinstance(moment, datetime):
        if not isinstance(moment, date):
            raise InputError(f"{argument} is a {type(moment).__name__}.", "Give a datetime, a date or ISO 8601 text.")
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return file_frames.microseconds(moment)


def _is_between(row: FileRow, after: int | None, before: int | None) -> bool:
    if after is None and before is None:
        return True
    made = file_frames.microseconds(row.created_at)
    return (after is None or made > after) and (before is None or made < before)


def _matches(row: FileRow, asked: Wanted) -> bool:
    return not asked.meta or asked.matches(row.meta_dict())
