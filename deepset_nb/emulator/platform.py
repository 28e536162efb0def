"""The sandbox as one object: what the endpoints, the bucket and the ingestion share."""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, NamedTuple

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from .config import BUCKET, Choices, SandboxConfig
from .faults import Faults
from .marks import Marks
from .objects import ObjectWriter
from .replies import timestamp
from .sigv4 import Credentials, presign
from .store import Store
from .worker import Worker


class Workspace(NamedTuple):
    """A workspace's identity."""

    id: str
    name: str


class Counted(NamedTuple):
    """How many files a search finds: true while nobody writes and the clock is within these times."""

    total: int
    writes: int
    from_us: int
    until_us: int


class Platform:
    """Data, keys, faults and the ingestion of one running sandbox.

    Raises:
        SandboxError: The data folder is in use, or of another version.
        InputError: A fault in the configuration is unknown.
    """

    def __init__(self, config: SandboxConfig) -> None:
        """Open the data folder; `start` begins to ingest."""
        self.config = config
        self.faults = Faults(config.faults, config.choices, config.seed)
        self.marks = Marks(config.clock, config.seed)
        self.api_key = config.api_key or f"api_{secrets.token_urlsafe(32)}"
        self.admin_key = config.admin_key or secrets.token_urlsafe(32)
        self._temporary: TemporaryDirectory[str] | None = None
        folder = config.data
        if folder is None:
            self._temporary = TemporaryDirectory(prefix="deepset-nb-sandbox-")
            folder = Path(self._temporary.name)
        self.store = Store(folder)
        # Kept with the data: a form given out before a restart is good after it.
        self.credentials = Credentials(
            access_key_id=self.store.setting("access_key_id", "SANDBOX" + secrets.token_hex(7).upper()),
            secret=self.store.setting("secret", secrets.token_urlsafe(30)),
            token=self.store.setting("token", secrets.token_urlsafe(120)),
        )
        self.organisation_id = self.store.setting("organisation_id", self.marks.id("organisation"))
        self.user_id = self.store.setting("user_id", self.marks.id("user"))
        self.objects = ObjectWriter(self.store)
        self.closing = False
        self.counted: dict[tuple[object, ...], Counted] = {}  # see files.py
        self.worker = Worker(self.store, self.faults, self.marks, config)

    def start(self) -> None:
        """Go on with whatever a server before us left half-way."""
        self.worker.start()

    def close(self) -> None:
        """Stop ingesting, close the data folder, remove a temporary one. Calling it again does nothing."""
        self.worker.stop()
        self.store.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    @property
    def choices(self) -> Choices:
        """The configured choices, changed by active faults."""
        return self.faults.choices

    def now_us(self) -> int:
        """The clock's time, microseconds since 1970."""
        return self.marks.now_us()

    def time(self, microseconds: int) -> str:
        """A stored time as the API writes it."""
        return timestamp(microseconds, self.choices.time_suffix)

    def workspace(self, name: str) -> Workspace:
        """The workspace called ``name``, or the 404 that ends the request."""
        with self.store.read() as db:
            row = db.execute("SELECT id, name FROM workspaces WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise HTTPException(404, f"Workspace {name!r} not found.")
        return Workspace(*row)

    def new_workspace(self, db: sqlite3.Connection, name: str) -> Workspace:
        """Add a workspace; sqlite3.IntegrityError where the name is taken."""
        workspace = Workspace(self.marks.next_id(db, "workspace", name), name)
        db.execute("INSERT INTO workspaces VALUES (?, ?, ?)", (*workspace, self.now_us()))
        return workspace

    def prefix(self, workspace_id: str, session_id: str) -> str:
        """Where a session's objects are in the bucket."""
        return f"{self.organisation_id}/{workspace_id}/{session_id}/"

    def form(self, workspace_id: str, session_id: str, ends_us: int) -> dict[str, str]:
        """The presigned form's fields for a session."""
        return presign(
            self.credentials,
            bucket=BUCKET,
            prefix=self.prefix(workspace_id, session_id),
            now=self.config.clock(),
            expires=ends_us / 1_000_000,
            max_bytes=self.choices.max_object_bytes if self.choices.length_range_in_policy else None,
        )


async def _platform_of(request: Request) -> Platform:
    platform: Platform = request.app.state.platform
    return platform


Here = Annotated[Platform, Depends(_platform_of)]
