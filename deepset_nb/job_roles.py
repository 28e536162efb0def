"""What a job works with: the transfer that it runs, and the view that shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Protocol

from .settings import Settings
from .transfer.progress import Progress

Ending = Literal["later", "keep", "remove"]


class View(Protocol):
    """What a job's creator may hand it: the panel, or its text form."""

    def mimebundle(self) -> dict[str, Any]:
        """The job as a notebook output."""

    def refresh(self) -> None:
        """Write the outcome into that output once more."""


class Transfer(Protocol):
    """What a job runs: a pipeline that reports into ``progress``."""

    progress: Progress
    job_id: str
    settings: Settings

    async def run(self) -> None:
        """Transfer everything; raise only when cancelled."""

    def stop_sending(self, ending: Ending = "keep") -> None:
        """End sending, but let what was sent arrive; with ``"remove"`` delete it then."""

    def made_between(self) -> tuple[datetime, datetime] | None:
        """From when to when its files were made on the platform, by the platform's clock."""

    def again(self) -> Transfer:
        """The same transfer for what did not make it."""
