"""What the drain remembers: names and sizes, never contents.

A listing is made of rows that are rendered once, when a session is closed, so that a page costs one slice and one join.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from urllib.parse import unquote

SIDECAR = ".meta.json"
MOST_ROWS = 100
FIELDS = {  # as long as those of a form signed under a role
    "key": "{organisation}/{workspace}/{session}/${{filename}}",
    "x-amz-algorithm": "AWS4-HMAC-SHA256",
    "x-amz-credential": "ASIA0000000000000000/20260101/eu-central-1/s3/aws4_request",
    "x-amz-date": "20260101T000000Z",
    "x-amz-security-token": "t" * 800,
    "policy": "p" * 700,
    "x-amz-signature": "0" * 64,
}


def made_id(kind: int, number: int) -> str:
    """A UUID that is the same in every run; its last part is the number."""
    return f"{kind:08x}-0000-4000-8000-{number:012x}"


@dataclass
class Session:
    """An upload session: stored name -> size, and the text of small sidecars."""

    id: str
    opened: datetime
    sizes: dict[str, int] = field(default_factory=dict)
    sidecars: dict[str, bytes] = field(default_factory=dict)
    closed: bool = False

    @property
    def expires(self) -> str:
        return (self.opened + timedelta(days=1)).isoformat()

    def detail(self) -> bytes:
        row = {"session_id": self.id, "created_by": None, "created_at": self.opened.isoformat()}
        row |= {"expires_at": self.expires, "write_mode": "KEEP", "status": "CLOSED" if self.closed else "OPEN"}
        return json.dumps(row).encode()

    @cached_property
    def files(self) -> dict[str, int]:
        """Name -> size without sidecars; final once the session is closed."""
        return {name: size for name, size in self.sizes.items() if not name.endswith(SIDECAR)}

    @cached_property
    def outcomes(self) -> list[bytes]:
        """A row per file, as the session's files are listed; asked for only after closing."""
        rows = []
        for number, (name, size) in enumerate(self.files.items()):
            row = {"file_ingestion_id": made_id(3, number), "name": name}
            row |= {"ingestion_status": "FINISHED" if size else "FAILED"}
            row |= {} if size else {"ingestion_status_reason": "EMPTY_FILE"}
            rows.append(json.dumps(row).encode())
        return rows


class Memory:
    """One workspace: its files, oldest first, and its sessions."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.rows: list[bytes] = []
        self.names: list[str] = []
        self._latest = datetime.fromtimestamp(0, UTC)
        self._by_name: list[int] = []

    def open_session(self) -> Session:
        session = Session(made_id(1, len(self.sessions) + 1), datetime.now(UTC))
        self.sessions[session.id] = session
        return session

    def close(self, session: Session) -> None:
        """Ingest everything at once: it is the client that is measured."""
        session.closed = True
        for name, size in session.files.items():
            if size:
                self.add(name, size, session.sidecars.get(name + SIDECAR, b"{}"))

    def add(self, name: str, size: int, meta: bytes = b"{}") -> str:
        """List a file; its id."""
        # Times differ by at least a microsecond, so that their order is the order of the rows.
        self._latest = max(self._latest + timedelta(microseconds=1), datetime.fromtimestamp(time.time(), UTC))
        file_id = made_id(2, len(self.rows))
        self.rows.append(
            b'{"file_id":"%b","url":"/api/v1/workspaces/bench/files/%b","name":%b,"size":%d,"characters":0,"meta":%b,'
            b'"created_at":"%b","languages":null}'
            % (file_id.encode(), file_id.encode(), json.dumps(name).encode(), size, meta, self.time(self._latest))
        )
        self.names.append(name)
        return file_id

    @staticmethod
    def time(moment: datetime) -> bytes:
        return moment.isoformat(timespec="microseconds").encode()

    def view(self, by: str) -> Sequence[int]:
        """Numbers of rows in ascending order of a field."""
        if by == "created_at":
            return range(len(self.rows))
        if len(self._by_name) != len(self.rows):
            self._by_name = sorted(range(len(self.rows)), key=lambda number: (self.names[number], number))
        return self._by_name


def stored(wire_name: bytes) -> str:
    """The name under which the platform lists what travelled under ``wire_name``."""
    return unquote(wire_name.decode("utf-8", "replace")).rpartition("/")[2]
