"""Going on from where an earlier run of the same files stopped, in this process or another.

Read from the journal, checked against the platform, then decided file by file:

- on its way when the run stopped: goes on into the same session, which is still open, or is looked for in it;
- sent, session open: waits there, nothing is sent; sent, session closed: its outcome is asked;
- on the platform, unchanged here: not sent again, if the platform, asked now, still lists it;
- on the platform, changed here: sent, and said so;
- under way in another kernel: left to that one, and said so.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TypeAlias

from ..client import AsyncClient
from ..client.fingerprint import fingerprint, fingerprint_of
from ..client.places import opened
from ..models import WriteMode
from .identity import Identity
from .journal import Journal
from .journal_records import UNKNOWN, JobRecord, Past, PastSession, Place
from .leftovers import find_sessions
from .meta import LARGEST_SIDECAR, sidecar_of
from .receipt import Row, encode_meta
from .record import Record, beginning, is_alive, place_of
from .session import Session

Noted: TypeAlias = tuple[list[Row], list[tuple[Row, Past, bool]], list[str]]

TRIES = 5  # another kernel may begin a transfer to the same workspace meanwhile
LISTED_WITHIN_S = 300.0  # listings lag behind ingestion, by up to three minutes (platform guides)
FEW = 10  # so many files are looked for by name, more in the whole listing

WAITS = ("sent", "ingesting", "ingested")  # the last while its file id is not known


@dataclass
class Findings:
    """What is known of the files at hand, before anything is changed.

    Attributes:
        sessions: To go on with, oldest first.
        there: Files the platform has, unchanged.
        unlisted: Ids of the rows among them that its listing cannot show yet.
        changed: Files the platform has in an older state.
        replaced: Files in whose place the platform has others of the same name and size.
        bare: Files whose metadata, sent by an earlier run, must be taken back, as they have none any more.
        busy: Files another transfer is sending.
        waiting: Files that wait in a session for their outcome.
        unsure: Files that were on the direct route when a run stopped: they may have arrived.
        extra: Files of those sessions that were not named this time.
        notes: What the user should know about sessions left behind.
        taken_over: Ids of sessions that go over to this transfer, besides those found.
    """

    version: int | None = None
    sessions: list[Session] = field(default_factory=list)
    there: list[tuple[Row, Past, bool]] = field(default_factory=list)
    unlisted: set[int] = field(default_factory=set)
    changed: list[tuple[Row, Past]] = field(default_factory=list)
    replaced: list[tuple[Row, Past]] = field(default_factory=list)
    bare: list[Row] = field(default_factory=list)
    busy: list[tuple[Row, Past]] = field(default_factory=list)
    waiting: list[tuple[Row, Past, Session]] = field(default_factory=list)
    unsure: list[tuple[Row, Past]] = field(default_factory=list)
    extra: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    taken_over: list[str] = field(default_factory=list)

    def apply(self, rows: list[Row]) -> Noted:
        """Write the findings into the rows; returns what the journal has to note, see `Record.begin`."""
        for row, past in self.busy:
            row.end(
                "unaccounted",
                f"Another upload, begun earlier and still running, is sending it (job {past.job[:8]}).",
                "Run this again when that one has ended: what arrived is left out, the rest is sent.",
            )
        for row, past, interrupted in self.there:
            row.state, row.phase, row.file_id, row.session_id = "unchanged", "ingested", past.file_id, past.session
            row.content, row.meta_content = past.content, past.meta
            if interrupted:  # that run never ended: this one ends it, with the receipt it would have had
                row.key = past.key  # else it has none: the journal goes on to say that it was sent, not "skipped"
                row.state, row.attempts, row.seconds = "resumed", past.attempts, past.seconds
                row.status, row.reason, row.remedy = "ok", past.reason, past.remedy
            else:
                when = datetime.fromtimestamp(past.changed_at, UTC)
                known = "its listing does not show it yet" if id(row) in self.unlisted else "the platform still has it"
                row.end(
                    "skipped",
                    f"Unchanged since it was uploaded ({when:%Y-%m-%d %H:%M} UTC); {known}.",
                    "Pass resume=False to send it again.",
                )
        for row, past in self.changed:
            when = datetime.fromtimestamp(past.changed_at, UTC)
            row.state = "changed"
            row.warn(
                f"Changed since it was uploaded ({when:%Y-%m-%d %H:%M} UTC): "
                'write_mode="OVERWRITE" replaces the older one, "KEEP" keeps both.'
            )
        for row, _ in self.replaced:
            row.state = "changed"
            row.warn("The platform's file of this name and size is not the one that was uploaded from here.")
        for row in self.bare:
            row.meta = b"{}"
        for row, past, session in self.waiting:
            _wait_in(row, past, session)
        rows.extend(self.extra)
        stays = {id(row) for row, _, _ in self.there} | {id(row) for row, _ in self.busy}
        return (
            [row for row in rows if id(row) not in stays],
            self.there,
            self.taken_over + [session.id for session in self.sessions],
        )


def _wait_in(row: Row, past: Past, session: Session) -> None:
    row.state, row.phase, row.session_id = "resumed", "ingesting" if session.closed else "sent", session.id
    row.attempts, row.content, row.meta_content = past.attempts, past.content, past.meta
    session.rows.append(row)


async def begin(record: Record, who: Identity, rows: list[Row], find: Callable[[], Awaitable[Findings]]) -> Findings:
    """Note a transfer in the journal, with what is known of its files.

    Args:
        record: Of the transfer.
        who: Whose platform this is.
        rows: The plan; the findings are written into it.
        find: Looks back; asked again where another kernel has begun a transfer meanwhile.
    """
    async with beginning(who.target):
        for left in reversed(range(TRIES)):
            findings = await find()
            # The last time it begins whatever others did: files that are not noted would be sent again and again.
            version = findings.version if left else None
            if await record.begin(who.target, version, partial(findings.apply, rows)):
                break
    return findings


async def look_back(
    journal: Journal, client: AsyncClient, workspace: str, who: Identity, rows: list[Row], write_mode: WriteMode
) -> Findings:
    """Find out what is known of ``rows``; changes nothing.

    Args:
        journal: What is known.
        client: An open client.
        workspace: The workspace's name.
        who: Whose platform this is.
        rows: The plan.
        write_mode: What is asked for now; sessions of another mode are named, not used.
    """
    version, past, all_sessions = await asyncio.to_thread(_read, journal, who.target, rows)
    findings = Findings(version)
    if not past and not all_sessions:
        return findings
    alive = {job: is_alive(journal, job) for job in {p.job for p in past.values()} | {s.job for s in all_sessions}}
    work = await asyncio.to_thread(_sort, journal, rows, past, alive, findings)
    left = [session for session in all_sessions if not alive[session.job]]
    in_use = {session.session for session in all_sessions if alive[session.job] and session.session}
    wanted = {p.session for _, p, _ in work if p.session} - in_use
    sessions = await find_sessions(client, workspace, left, wanted, write_mode, findings, in_use, who.user_id)
    for row, p, same in work:
        session = sessions.get(p.session or "")
        if session is None:
            continue  # the platform does not know it any more: sent anew
        if p.phase in WAITS and same:
            findings.waiting.append((row, p, session))
        elif p.phase not in WAITS or not session.closed:
            # It may have arrived. Into an open session it is sent again, which replaces it.
            session.uncertain[row.stored_name] = p.size, p.mtime_ns
            if row.meta is None and p.meta is not None:
                findings.bare.append(row)
    named = {place_of(row) for row in rows}
    for session in findings.sessions:
        past_rows = await asyncio.to_thread(journal.of_session, who.target, session.id)
        session.others = frozenset(p.stored_name for p in past_rows if (p.place, p.stored_name) not in named)
        for p in past_rows:
            if p.phase in WAITS and p.status != "ok" and not _is_over(p) and (p.place, p.stored_name) not in named:
                row = Row(p.path, p.name, p.stored_name, p.size, p.place)
                findings.extra.append(row)
                findings.waiting.append((row, p, session))
    await _keep_only_what_is_listed(client, workspace, findings)
    return findings


def _read(journal: Journal, target: str, rows: list[Row]) -> tuple[int, dict[Place, Past], list[PastSession]]:
    with journal.exclusively():
        if not (version := journal.version(target)):
            return 0, {}, journal.sessions(target)  # nothing went there yet
        places = [place_of(row) for row in rows if row.status == "pending"]
        return version, journal.remembered(target, places), journal.sessions(target)


def _sort(
    journal: Journal, rows: list[Row], past: dict[Place, Past], alive: dict[str, bool], findings: Findings
) -> list[tuple[Row, Past, bool]]:
    """Tell what is done from what was under way; returns the latter. In a thread: files may have to be read."""
    work: list[tuple[Row, Past, bool]] = []
    interrupted = {job: _was_interrupted(journal.job(job)) for job in alive}
    for row in rows:
        p = past.get(place_of(row)) if row.status == "pending" else None
        if p is None:
            continue
        if alive[p.job]:
            findings.busy.append((row, p))
        elif p.status == "ok" and not (interrupted[p.job] and p.file_id is None and p.session):
            if _same(row, p):
                findings.there.append((row, p, interrupted[p.job]))
            else:
                findings.changed.append((row, p))
        elif p.session and not _is_over(p):
            work.append((row, p, _same(row, p)))
        elif not p.session and interrupted[p.job] and p.status in ("pending", "unaccounted"):
            findings.unsure.append((row, p))
    return work


def _is_over(past: Past) -> bool:
    """Whether the platform refused it, or says that it does not know it: then nothing of it waits anywhere."""
    if past.status == "failed":  # else the transfer failed, and what was sent before waits in an open session
        return past.phase == "ingested"
    return past.status == "unaccounted" and past.phase == "sent"


def _same(row: Row, past: Past) -> bool:
    """Whether file and metadata are what was sent: by size and time, then by content."""
    if row.size != past.size:
        return False
    if past.content is None:  # it arrived, but its answer did not: only the time tells what was sent
        if not row.mtime_ns or row.mtime_ns != past.mtime_ns:
            return False
        if past.meta in (None, UNKNOWN):
            return True
    elif isinstance(row.source, bytes):
        if fingerprint(row.source) != past.content:
            return False
    elif not row.mtime_ns or row.mtime_ns != past.mtime_ns:  # who tells no time has not said that it is the same
        try:
            if fingerprint_of(row.source) != past.content:
                return False
        except OSError:
            return False
    return _same_meta(row, past.meta)


def _same_meta(row: Row, past: str | None) -> bool:
    """Whether the metadata is what was sent, whether as a sidecar spells it or as a plan's frame hands it back."""
    if row.meta is None or past is None:
        return row.meta is None and past is None
    try:
        sent = row.meta if isinstance(row.meta, bytes) else _content_of(row.meta)
        if fingerprint(sent) == past:
            return True
        meta = json.loads(sent)
        if fingerprint(encode_meta(meta)) == past:
            return True
        beside = sidecar_of(row.source) if isinstance(row.source, str) and isinstance(row.meta, bytes) else None
        if beside is None:
            return False
        raw = _content_of(beside)
        return fingerprint(raw) == past and json.loads(raw) == meta
    except (OSError, ValueError, RecursionError):
        return False


def _content_of(sidecar: str) -> bytes:
    with opened(sidecar) as file:
        return file.read(LARGEST_SIDECAR)


def _was_interrupted(job: JobRecord | None) -> bool:
    return job is not None and (job.ended_at is None or job.status == "cancelled")


async def _keep_only_what_is_listed(client: AsyncClient, workspace: str, findings: Findings) -> None:
    """What the platform lists no more, somebody has deleted: it is sent anew.

    Not what it has never listed yet: sent again within that time, it would be there twice.
    """
    unlisted_since = time.time() - LISTED_WITHIN_S
    listed: dict[tuple[str, int], set[tuple[str, float | None]]] = {}
    missing = {id(row): (row, past) for row, past, _ in findings.there}
    names = {row.stored_name for row, _ in missing.values()}
    for name in names if len(names) <= FEW else [None]:
        async with contextlib.aclosing(client.files.list(workspace, name=name, order="DESC")) as pages:
            async for page in pages:
                for file in page:
                    known = listed.setdefault((file.name, file.size), set())
                    known |= {(str(file.file_id), file.created_at.timestamp()), (str(file.file_id), None)}
                missing = {key: one for key, one in missing.items() if not _is_among(one[1], listed)}
                if not missing:
                    break
    gone: set[int] = set()
    for key, (row, past) in missing.items():
        if (row.stored_name, row.size) in listed:
            findings.replaced.append((row, past))
            gone.add(key)
        elif past.file_id is None and past.changed_at > unlisted_since:
            findings.unlisted.add(key)
        else:
            gone.add(key)
    findings.there = [item for item in findings.there if id(item[0]) not in gone]


def _is_among(past: Past, listed: dict[tuple[str, int], set[tuple[str, float | None]]]) -> bool:
    """Whether the very file is listed; one whose id was never known counts as listed by name and size."""
    found = listed.get((past.stored_name, past.size), set())
    return (past.file_id, past.created_at) in found if past.file_id else bool(found)
