"""The words of a transfer that was broken off: what the platform has of it, and until when."""

from __future__ import annotations

from collections.abc import Sequence

from .progress import Progress
from .session import Session


def end_unsent(progress: Progress) -> None:
    """Give what was not sent its outcome."""
    for row in progress.receipt.with_status("pending"):
        if row.phase == "planned":
            row.end(
                "cancelled", "Cancelled before it was sent.", "job.retry() sends it, and so does running this again."
            )
        elif row.phase == "sending":
            row.end("cancelled", "Cancelled on its way.", "job.retry() sends it, unless it has arrived.")


def say_what_is_kept(progress: Progress) -> None:
    """The note of a transfer that was cancelled with what it has sent to be ingested."""
    progress.add_note(
        "Stopped, and the upload session is closed: the platform ingests what was sent. job.retry(), or running the "
        "cell again, sends the rest."
    )


def say_what_is_where(progress: Progress, sessions: Sequence[Session]) -> None:
    """Give every row of a cancelled transfer its outcome, and the whole a note."""
    end_unsent(progress)
    for session in sessions:
        for row in session.undecided:
            if session.closed:
                row.end(
                    "cancelled",
                    "It was sent and its session is closed: the platform ingests it although nobody watches.",
                    "job.retry() goes on watching; ws.get_upload_session(session_id).files tells how it went.",
                )
            else:
                row.end(
                    "cancelled",
                    f"It was sent, but not ingested: its session is open{until(session)}.",
                    "job.retry() goes on into it; ws.close_upload_session(session_id) ingests what it has.",
                )
    if not note_open_sessions(progress, sessions):
        progress.add_note(
            "The session is closed; the platform ingests what was sent." if sessions else "Nothing was sent."
        )


def note_open_sessions(progress: Progress, sessions: Sequence[Session]) -> bool:
    """Name what stays open, and both ways on from it; tells whether there is any."""
    still_open = [session for session in sessions if session.usable]
    if not still_open:
        return False
    sent, total = sum(len(session.sent) for session in still_open), len(progress.receipt.rows)
    which = " and ".join(session.id for session in still_open)
    which = f"upload session {which}, which stays" if len(still_open) == 1 else f"upload sessions {which}, which stay"
    files = "1 file waits" if total == 1 == sent else f"{sent:,} of {total:,} files wait" if sent else "No file waits"
    progress.add_note(
        f"{files} in {which} open{until(still_open[0])}; the platform then closes what is "
        "open by itself. job.retry(), or running the cell again, sends the rest; "
        "ws.close_upload_session(session_id) ingests what it has."
    )
    return True


def until(session: Session) -> str:
    """Until when a session is open, where the platform tells."""
    expires_at = session.opened.expires_at
    return f" until {expires_at:%Y-%m-%d %H:%M} UTC" if expires_at else ""
