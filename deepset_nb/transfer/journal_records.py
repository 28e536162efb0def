"""What the journal tells: files, sessions and transfers as it remembers them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from uuid import UUID

import msgspec

from ..models import AWSPrefixedRequestConfig, OpenedSession

UNKNOWN = "?"
Place = tuple[str, str]  # where a file lies, and the name it is stored under


def writable(text: str) -> str:
    """The text as a database takes it: bytes of a Linux file name that are no UTF-8 are written out."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


@dataclass(slots=True)
class Past:
    """A file, from an earlier transfer."""

    key: int
    place: str
    stored_name: str
    path: str
    name: str
    size: int
    mtime_ns: int
    content: str | None  # fingerprint of what was sent
    meta: str | None  # the same of its metadata; UNKNOWN where some was to be sent
    job: str
    session: str | None
    phase: str
    status: str
    attempts: int
    reason: str | None
    remedy: str | None
    file_id: str | None
    created_at: float | None  # of the platform's file
    seconds: float | None
    changed_at: float


@dataclass(slots=True)
class PastSession:
    """An upload session that is not known to be over.

    Attributes:
        key: Our own name for it, from before the platform gave one.
        state: ``asked``, ``open`` and empty, ``filling``, or ``closed`` while the outcome of its files is not known.
        opened: The platform's answer, form included, as JSON; None once it is closed.
    """

    key: str
    session: str | None
    job: str
    write_mode: str
    state: str
    asked_at: float
    opened: str | None = None

    def __repr__(self) -> str:
        return f"<PastSession {self.session} {self.state}>"  # `opened` holds a credential

    @property
    def is_open(self) -> bool:
        """Whether it was open when it was last heard of."""
        return self.state in ("open", "filling")

    @property
    def asked(self) -> datetime:
        """When it was asked for, by our clock."""
        return datetime.fromtimestamp(self.asked_at, UTC)

    def answer(self) -> OpenedSession:
        """The platform's answer; of a closed session without its form."""
        if self.opened is not None:
            return msgspec.json.decode(self.opened, type=OpenedSession)
        return OpenedSession(UUID(self.session), "", None, AWSPrefixedRequestConfig("", {}))


@dataclass(slots=True)
class JobRecord:
    """One transfer, running or past; times in seconds since 1970."""

    job: str
    kind: str
    target: str
    workspace: str
    host: str
    organisation: str | None
    write_mode: str
    started_at: float
    ended_at: float | None = None
    status: str = "running"
    headline: str = ""
    files: int = 0
    ok: int = 0
    failed: int = 0
    skipped: int = 0
    unaccounted: int = 0
    cancelled: int = 0


def columns(kind: type[Past] | type[PastSession] | type[JobRecord]) -> str:
    """The columns a record is read from, in order."""
    return ", ".join(field.name for field in fields(kind))
