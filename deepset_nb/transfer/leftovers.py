"""Upload sessions that earlier runs left behind: which of them can be gone on with, and which to tell about.

Nothing is closed here unasked: closing ingests, and what a session holds may not be wanted any more.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from ..client import AsyncClient
from ..errors import NotFound
from ..models import UploadSessionDetail, UploadSessionState, WriteMode
from .journal_records import PastSession
from .session import Session

if TYPE_CHECKING:
    from .resume import Findings

CLOCK_SLACK = timedelta(minutes=2)  # between our clock and the platform's
OPENED_WITHIN = timedelta(minutes=5)  # after it was asked for; a request does not live longer
SEARCHED = 1_000  # newest sessions of the workspace


async def find_sessions(
    client: AsyncClient,
    workspace: str,
    left: list[PastSession],
    wanted: set[str],
    write_mode: WriteMode,
    findings: Findings,
    in_use: set[str],
    user_id: str | None,
) -> dict[str, Session]:
    """The sessions that files at hand wait in or were on their way to, as far as the platform knows them.

    Args:
        client: An open client.
        workspace: The workspace's name.
        left: What the journal knows of sessions of transfers that run no more.
        wanted: Ids of the sessions the files at hand belong to. One that is known to be empty is gone on with, too.
        write_mode: What is asked for now.
        findings: Gets the sessions, and notes about the others.
        in_use: Ids of sessions that other transfers, running now, use.
        user_id: Who we are, as far as the platform tells.

    Returns:
        Sessions by id.
    """
    listed = await _listed(client, workspace, left) if left else {}
    known = {session.session: session for session in left if session.session}
    found: dict[str, Session] = {}
    empty = {session.session for session in left if session.session and session.state == "open"}
    for session_id in sorted(wanted | empty, key=lambda each: known[each].asked_at if each in known else 0.0):
        past = known.get(session_id) or PastSession("", session_id, "", str(write_mode), "closed", 0.0)
        detail = listed.get(session_id)
        is_open = past.is_open and detail is not None and detail.status == UploadSessionState.OPEN
        if is_open and past.write_mode != write_mode:
            continue
        if not is_open and (session_id in empty or not await _is_known(client, workspace, session_id)):
            continue
        session = Session(past.answer(), past.asked, closed=not is_open)
        session.closed_by_others = not is_open and past.is_open
        found[session_id] = session
        findings.sessions.append(session)
    findings.notes += _words_about(left, found, listed, write_mode)
    findings.notes += _words_about_orphans(left, listed, in_use, user_id)
    return found


async def _listed(client: AsyncClient, workspace: str, left: Iterable[PastSession]) -> dict[str, UploadSessionDetail]:
    """The platform's sessions, from the newest back to the oldest that concerns us."""
    oldest = min(session.asked for session in left) - CLOCK_SLACK
    listed: dict[str, UploadSessionDetail] = {}
    async with contextlib.aclosing(client.upload_sessions.list(workspace)) as pages:
        async for page in pages:
            listed.update((str(detail.session_id), detail) for detail in page)
            if page[-1].created_at < oldest or len(listed) >= SEARCHED:
                break
    return listed


async def _is_known(client: AsyncClient, workspace: str, session_id: str) -> bool:
    try:
        await client.upload_sessions.status(workspace, session_id)
    except NotFound:
        return False
    return True


def _words_about(
    left: list[PastSession],
    found: dict[str, Session],
    listed: dict[str, UploadSessionDetail],
    write_mode: WriteMode,
) -> list[str]:
    """What stays open without us: named, because only ten may be open, with the way to end it."""
    notes = []
    for past in left:
        detail = listed.get(past.session or "")
        if past.session in found or not past.is_open or detail is None or detail.status != UploadSessionState.OPEN:
            continue
        mode = f" with write mode {past.write_mode}" if past.write_mode != write_mode else ""
        until = f" until {detail.expires_at:%Y-%m-%d %H:%M} UTC" if detail.expires_at else ""
        notes.append(
            f"Upload session {past.session} of an earlier upload{mode} is still open{until}; the platform then ingests "
            f"what it has, beside or over what is sent now. ws.close_upload_session('{past.session}') does it now."
        )
    return notes


def _words_about_orphans(
    left: list[PastSession], listed: dict[str, UploadSessionDetail], in_use: set[str], user_id: str | None
) -> list[str]:
    """Sessions whose opening a broken-off run asked for and never heard of."""
    known = in_use | {session.session for session in left}
    asked = [session for session in left if session.state == "asked"]
    return [
        f"Upload session {session_id} is open and seems to be left from an upload that was broken off in the instant "
        f"of opening it; then nothing is in it. ws.close_upload_session('{session_id}') ends it."
        for session_id, detail in listed.items()
        if session_id not in known and any(_answers(detail, past, user_id) for past in asked)
    ]


def _answers(detail: UploadSessionDetail, asked: PastSession, user_id: str | None) -> bool:
    made_by = detail.created_by and str(detail.created_by.user_id)
    return (
        detail.status == UploadSessionState.OPEN
        and detail.write_mode == asked.write_mode
        and (user_id is None or made_by is None or made_by == user_id)
        and -CLOCK_SLACK < detail.created_at - asked.asked < OPENED_WITHIN
    )
