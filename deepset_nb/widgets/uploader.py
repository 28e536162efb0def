"""Files from the reader's own computer: through the browser into the kernel's spool, and on to the platform."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

import traitlets

from .. import bridge
from ..errors import InputError, StillRunning
from ..transfer.plan import BUCKET_LIMIT
from ..transfer.progress import JobState, Target
from . import static_html
from ._base import Handler, parse
from .job_panel import JobLike, JobWidget
from .messages import (
    BeginPayload,
    BeginResult,
    Chunk,
    FilePayload,
    ListResult,
    ReceivedResult,
    UploaderState,
    UploadPayload,
    is_running,
)
from .spool import Spool, SpooledFile

__all__ = ["SpooledFile", "Uploader"]

_PUBLISH_S = 0.1  # Jupyter drops messages above 1,000 a second


class Uploader(JobWidget):
    """A drop zone with a list of files, and the upload they end in.

    Example:
        >>> uploader = ws.uploader()  # doctest: +SKIP
        >>> uploader.job.receipt  # doctest: +SKIP

    Args:
        start: Starts a job for complete files; called with them and a write mode.
        target: Where the job goes, shown before anybody uploads to the wrong place.
        **kwargs: ``layout``, ``tabbable``, ``tooltip`` of ipywidgets.

    Attributes:
        job: The last upload made with this widget, or None.
    """

    _bundle = "uploader"

    state = traitlets.Dict().tag(sync=True)
    """What is shown (`UploaderState`); the list of files is kept in the browser."""

    key = traitlets.Unicode().tag(sync=True)
    """Tells uploaders apart in a page."""

    def __init__(self, start: Callable[[list[SpooledFile], str], JobLike], *, target: Target, **kwargs: Any) -> None:
        """Wait for files."""
        self._start = start
        self._target = target
        self._spool = Spool(BUCKET_LIMIT)
        self._kept = Spool(BUCKET_LIMIT)  # files of the upload before: its job may be tried again from elsewhere
        self._job_state: JobState | None = None
        self._published_at = 0.0
        self._is_publishing_due = False
        self._starting = threading.Lock()
        super().__init__(**kwargs)
        self.key = secrets.token_hex(8)
        self._publish()

    @property
    def files(self) -> list[SpooledFile]:
        """The files that have come from the browser whole and are not uploaded yet."""
        return self._spool.complete()

    # --- from the browser -----------------------------------------------------------------------------------------

    def actions(self) -> dict[str, Handler]:
        """Requests of the drop zone, and those of a job."""
        return {
            **super().actions(),
            "begin": self._begin,
            "received": self._received,
            "remove": self._remove,
            "list": self._list,
            "upload": self._upload,
            "clear": self._clear,
        }

    def on_message(self, message: dict[str, Any], buffers: list[memoryview]) -> None:
        """Take a piece of a file."""
        if message.get("kind") != "chunk" or len(buffers) != 1:
            return
        try:
            piece = parse(message, Chunk)
        except InputError:
            return
        self.send(self._spool.write(piece, buffers[0]))
        self._publish_soon()

    async def _begin(self, payload: dict[str, Any]) -> BeginResult:
        if self._job_state is not None or self._starting.locked():
            raise InputError("Files cannot be added to an upload under way.", "Start another one when it has ended.")
        offered = parse(payload, BeginPayload)["files"]
        problems = await asyncio.to_thread(lambda: [(one["file"], self._spool.offer(one)) for one in offered])
        self._publish_soon()
        return {"refused": [{"file": file, "error": problem} for file, problem in problems if problem]}

    async def _received(self, payload: dict[str, Any]) -> ReceivedResult:
        return self._spool.holding(parse(payload, FilePayload)["file"])

    async def _remove(self, payload: dict[str, Any]) -> None:
        if self._job_state is None:  # a running job still reads it
            self._spool.remove(parse(payload, FilePayload)["file"])
            self._publish_soon()

    async def _list(self, _: dict[str, Any]) -> ListResult:
        return {"files": self._spool.held()}

    async def _upload(self, payload: dict[str, Any]) -> None:
        mode = parse(payload, UploadPayload)["write_mode"]
        files = self._spool.complete()
        if not files:
            raise InputError("No file has arrived yet.", "Choose one, and wait until it is ready.")
        if self._job_state is not None or not self._starting.acquire(blocking=False):
            raise StillRunning("This uploader has started its upload already.", "Wait until it has ended.")
        try:
            self.follow(await asyncio.to_thread(self._start, files, mode))
        finally:
            self._starting.release()

    async def _clear(self, _: dict[str, Any]) -> None:
        """Make room for the next upload."""
        if self._job_state is not None and is_running(self._job_state):
            raise StillRunning("The upload is still running.", "Wait for its end, or cancel it.")
        self.unfollow()
        self._job_state = None
        forgotten, self._kept, self._spool = self._kept, self._spool, Spool(BUCKET_LIMIT)
        self._publish()
        await asyncio.to_thread(forgotten.clear)

    # --- to the browser -------------------------------------------------------------------------------------------

    def show_state(self, state: JobState) -> None:
        """Show the job instead of the drop zone."""
        self._job_state = state
        if not is_running(state) and not state["can_retry"]:
            self._spool.clear()  # nobody reads these files again
        self._publish()

    def _publish_soon(self) -> None:
        # Always on the bridge's thread: states of two threads could overtake each other.
        if not self._is_publishing_due:
            self._is_publishing_due = True
            bridge.submit(self._publish_later)

    async def _publish_later(self) -> None:
        await asyncio.sleep(self._published_at + _PUBLISH_S - time.monotonic())
        self._is_publishing_due = False  # what changes from here on asks again
        self._publish()

    def _publish(self) -> None:
        self._published_at = time.monotonic()
        if self.comm is not None:
            self.state = self._current()

    def _current(self) -> UploaderState:
        held = self._spool.held()
        return {
            "target": self._target,
            "file_limit_bytes": BUCKET_LIMIT,
            "files": len(held),
            "complete": sum(one["received"] == one["size"] for one in held),
            "bytes": sum(one["size"] for one in held),
            "received_bytes": sum(one["received"] for one in held),
            "job": self._job_state,
        }

    def close(self) -> None:
        """Close the widget and remove the spooled files, once no job reads them any more."""
        job = getattr(self, "job", None)
        super().close()
        if (spool := getattr(self, "_spool", None)) is None:
            return
        self._kept.clear()
        if job is not None and is_running(job.state()):
            job.subscribe(lambda state: None if is_running(state) else spool.clear())
        else:
            spool.clear()

    # --- static forms ---------------------------------------------------------------------------------------------

    def static_html(self) -> str:
        """The last upload, or that there is none, as HTML."""
        return static_html.uploader_html(self._current(), self.tr)

    def static_text(self) -> str:
        """The same as plain text."""
        return static_html.uploader_text(self._current(), self.tr)

    def __repr__(self) -> str:
        return f"<Uploader to {self._target['workspace']}>"
