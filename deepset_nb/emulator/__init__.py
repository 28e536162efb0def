"""The local platform behind ``dn.sandbox()`` and ``deepset-nb sandbox``: REST endpoints, bucket and ingestion.

    request ─► auth.Gate ─► sessions, workspaces                  JSON, under /api/v1
                        ├─► uploads, files, metadata, deletion
                        └─► admin                                 /_sandbox: rooms and faults
    form post ─► bucket ─► sigv4 (may it?) ─► forms (to disk) ─► objects ─► store
    session closed or expired ─► worker ─► ingest ─► records (files of the workspace)

Everything is kept in `store` (SQLite and files), so a sandbox goes on after a restart. What the platform does where
nobody knows is a switch in `config.Choices`; what it does when it is ill is a named fault in `faults`. Ids and times
come from `marks`, the same for the same seed; `meta_rules` says what metadata may be, `filter` what ``filter=`` may.
"""

from __future__ import annotations

from .app import create_app
from .config import Choices, SandboxConfig
from .server import Connection, SandboxServer, serve

__all__ = ["Choices", "Connection", "SandboxConfig", "SandboxServer", "create_app", "serve"]
