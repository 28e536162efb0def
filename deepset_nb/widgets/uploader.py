"""Files from the reader's own computer: to the platform through the kernel's spool, or straight from the browser."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

import traitlets

from .. import bridge, frames
from ..errors import InputError, StillRunning
from ..transfer.hazards import lies_in_browser
from ..transfer.plan import BUCKET_LIMIT, SIDECAR
from ..transfer.progress import JobState, Target
from ..transfer.receipt import Row
from . import static_html
from ._base import Handler, parse
from .chosen import Chosen
from .courier import PageCourier, may_post
from .job_panel import JobLike, JobWidget
from .messages import is_running
from .spool import SpooledFile
from .throttle import Throttle
from .upload_messages import (
    Answered,
    BeginPayload,
    BeginResult,
    Chunk,
    CodeResult,
    FilePayload,
    Lanes,
    ListResult,
    Loaded,
    MetaPayload,
    MetaResult,
    PagePayload,
    PlanResult,
    ReceivedResult,
    UploaderState,
    UploadPayload,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Lane", "SpooledFile", "Uploader"]

Lane = Literal["auto", "kernel", "direct"]
Start = Callable[[Callable[[], list[Row]], str, PageCourier | None], JobLike]

_LANES: tuple[Lane, ...] = ("auto", "kernel", "direct")


class Uploader(JobWidget):
    """A drop zone with a list of files, and the upload they end in.

    Where page and bucket can reach each other, the browser posts the files itself (``lane="direct"``); else their
    bytes come through the kernel. The widget says which.

    Example:
        >>> uploader = ws.uploader()  # doctest: +SKIP
        >>> uploader.receipt  # doctest: +SKIP

    Args:
        start: Starts a job; called with what makes its rows, a write mode, and the page that holds files of it.
        target: Where the job goes, shown before anybody uploads to the wrong place.
        lane: ``"auto"``, ``"kernel"`` or ``"direct"``.
        api_url: Of the platform; tells whether it is on this machine.
        **kwargs: ``layout``, ``tabbable``, ``tooltip`` of ipywidgets.

    Attributes:
        job: The last upload made with this widget, or None.
    """

    _bundle = "uploader"
    _parts: ClassVar[tuple[str, ...]] = ("files",)

    _answers: ClassVar[dict[str, bool]] = {}  # whether a bucket, or a platform's buckets, answer pages

    state = traitlets.Dict().tag(sync=True)
    """What is shown (`UploaderState`); the list of files is kept in the browser."""

    key = traitlets.Unicode().tag(sync=True)
    """Tells uploaders apart in a page."""

    def __init__(self, start: Start, *, target: Target, lane: Lane = "auto", api_url: str = "", **kwargs: Any) -> None:
        """Wait for files."""
        if lane not in _LANES:
            raise InputError(f"There is no lane {lane!r}.", "Use 'auto', 'kernel' or 'direct'.")
        self._start = start
        self._target = target
        self._lane = lane
        self._api_url = api_url
        self._chosen = Chosen()
        self._kept = Chosen()  # files of the upload before: its job may be tried again from elsewhere
        self._courier: PageCourier | None = None
        self._arrivals: dict[str, asyncio.Future[str]] = {}
        self._through_kernel = self._in_page = 0
        self._code = ""
        self._page = ""
        self._job_state: JobState | None = None
        self._publishing = Throttle(self._publish)
        self._starting = threading.Lock()
        self._kernel_loop: asyncio.AbstractEventLoop | None = None
        with contextlib.suppress(RuntimeError):  # a cell runs in the loop that brings the kernel's messages
            self._kernel_loop = asyncio.get_running_loop()
        super().__init__(**kwargs)
        self.key = secrets.token_hex(8)
        self._publish()

    @property
    def files(self) -> list[SpooledFile]:
        """The files that have come from the browser whole and are not uploaded yet."""
        return self._chosen.spool.complete()

    @property
    def receipt(self) -> pd.DataFrame:
        """One row per file of the last upload, as `UploadJob.receipt`; without rows before there is one."""
        return frames.receipt([]) if self.job is None else cast(Any, self.job).receipt

    @property
    def code(self) -> str:
        """The Python that does the same with files on the kernel's disk: of what is chosen, else of the last upload."""
        return self._chosen.code(self._page, "KEEP") or self._code

    # --- from the browser -----------------------------------------------------------------------------------------

    def actions(self) -> dict[str, Handler]:
        """Requests of the drop zone, and those of a job."""
        return {
            **super().actions(),
            "begin": self._begin,
            "received": self._received,
            "remove": self._remove,
            "list": self._list,
            "meta": self._meta,
            "plan": self._plan,
            "code": self._code_of,
            "upload": self._upload,
            "clear": self._clear,
        }

    def on_message(self, message: dict[str, Any], buffers: list[memoryview]) -> None:
        """Take a piece of a file, or what a page reports of the files it posts itself."""
        with contextlib.suppress(InputError):
            match message.get("kind"):
                case "chunk" if len(buffers) == 1:
                    self._take(parse(message, Chunk), buffers[0])
                case "loaded" if self._courier is not None:
                    bridge.submit(_call, self._courier.loaded, parse(message, Loaded))
                case "answered" if self._courier is not None:
                    bridge.submit(_call, self._courier.answered, parse(message, Answered))

    def _take(self, piece: Chunk, data: memoryview) -> None:
        answer = self._chosen.spool.write(piece, data)
        self.send(answer)
        if piece["file"] in self._arrivals and (path := self._chosen.spool.path_of(piece["file"])):
            bridge.submit(_call, self._arrived, piece["file"], str(path))
        self._publishing.soon()

    async def _begin(self, payload: dict[str, Any]) -> BeginResult:
        if self._job_state is not None or self._starting.locked():
            raise InputError("Files cannot be added to an upload under way.", "Start another one when it has ended.")
        asked = parse(payload, BeginPayload)
        offered, self._page = asked["files"], asked["page"]
        direct = self._goes_directly(asked["loopback"], asked["secure"])
        offer = partial(self._chosen.offer, page=asked["page"], direct=direct)
        problems = await asyncio.to_thread(lambda: {one["file"]: offer(one) for one in offered})
        self._publishing.soon()
        return {
            "refused": [{"file": one, "error": self.problem(problem)} for one, problem in problems.items() if problem],
            "send": [
                one["file"] for one in offered if not problems[one["file"]] and not self._chosen.waits(one["file"])
            ],
        }

    def _goes_directly(self, loopback: bool, secure: bool) -> bool:
        if self._lane != "auto":
            return self._lane == "direct"
        return self._answers.get(self._api_url, True) and may_post(self._api_url, loopback, secure)

    async def _received(self, payload: dict[str, Any]) -> ReceivedResult:
        return self._chosen.spool.holding(parse(payload, FilePayload)["file"])

    async def _remove(self, payload: dict[str, Any]) -> None:
        if self._job_state is None:  # a running job still reads it
            self._chosen.remove(parse(payload, FilePayload)["file"])
            self._publishing.soon()

    async def _list(self, payload: dict[str, Any]) -> ListResult:
        page = parse(payload, PagePayload)["page"]
        if self._courier is not None and self._courier.page != page:
            self._courier.hurry()  # probably reloaded
        return {"files": self._chosen.held(page), "meta": self._chosen.meta_of_all}

    async def _meta(self, payload: dict[str, Any]) -> MetaResult:
        typed = parse(payload, MetaPayload)
        problem = self._chosen.set_meta(typed["file"], typed["text"])
        return {"problem": {**problem, **self.problem(problem)} if problem else None}

    async def _plan(self, payload: dict[str, Any]) -> PlanResult:
        page = parse(payload, UploadPayload)["page"]
        plan = await asyncio.to_thread(self._chosen.plan, page)
        for hazard in plan["hazards"]:
            hazard["reason"], hazard["remedy"] = self.tr.said(hazard["reason"]), self.tr.said(hazard["remedy"])
        return plan

    async def _code_of(self, payload: dict[str, Any]) -> CodeResult:
        asked = parse(payload, UploadPayload)
        return {"code": self._chosen.code(asked["page"], asked["write_mode"]) or self._code}

    async def _upload(self, payload: dict[str, Any]) -> None:
        asked = parse(payload, UploadPayload)
        rows = self._chosen.rows(asked["page"])
        if not rows:
            raise InputError("No file has arrived yet.", "Choose one, and wait until it is ready.")
        if self._job_state is not None or not self._starting.acquire(blocking=False):
            raise StillRunning("This uploader has started its upload already.", "Wait until it has ended.")
        try:
            self._in_page = sum(lies_in_browser(row) for row in rows)
            self._courier = self._make_courier(asked["page"]) if self._in_page else None
            self._through_kernel = sum(not lies_in_browser(row) and not row.name.endswith(SIDECAR) for row in rows)
            self._code = self._chosen.code(asked["page"], asked["write_mode"])
            plan = partial(self._chosen.judge, rows)
            self.follow(await asyncio.to_thread(self._start, plan, asked["write_mode"], self._courier))
        finally:
            self._starting.release()

    async def _clear(self, _: dict[str, Any]) -> None:
        """Make room for the next upload."""
        if self._job_state is not None and is_running(self._job_state):
            raise StillRunning("The upload is still running.", "Wait for its end, or cancel it.")
        self.unfollow()
        is_broken_off = self._job_state is not None and self._job_state["status"] != "done"
        arrived = self.receipt.query("status == 'ok'")["path"] if is_broken_off else ()
        self._job_state = None
        forgotten, self._kept = self._kept, self._chosen
        self._chosen = Chosen(self._kept.identities(arrived))
        self._publish()
        await asyncio.to_thread(forgotten.clear)

    # --- files that stay in a page --------------------------------------------------------------------------------

    def _make_courier(self, page: str) -> PageCourier:
        chosen = self._chosen

        async def prepare(file: str) -> asyncio.Future[str]:
            if problem := await asyncio.to_thread(chosen.fetch, file):
                raise InputError(problem["message"], problem["remedy"])
            self._arrivals[file] = arrival = asyncio.get_running_loop().create_future()
            return arrival

        def release(file: str) -> None:
            self._arrivals.pop(file, None)
            chosen.spool.remove(file)

        return PageCourier(page, self._say, prepare, release, self._learn, self._kernel_loop)

    def _arrived(self, file: str, path: str) -> None:
        if (arrival := self._arrivals.pop(file, None)) and not arrival.done():
            arrival.set_result(path)

    def _learn(self, url: str, answers: bool) -> None:
        self._answers[self._api_url] = answers

    def _say(self, message: dict[str, Any]) -> None:
        if self.comm is not None:
            self.send(message)

    # --- to the browser -------------------------------------------------------------------------------------------

    def show_state(self, state: JobState) -> None:
        """Show the job instead of the drop zone."""
        self._job_state = state
        if not is_running(state) and not state["can_retry"]:
            self._chosen.spool.clear()  # nobody reads these files again
        if is_running(state) and self.state.get("job"):
            self._publishing.soon()
        else:
            self._publish()

    def _publish(self) -> bool:
        if self.comm is None or self.state == (state := self._current()):
            return False
        self.state = state
        return True

    def _current(self) -> UploaderState:
        gone = self._courier.lanes if self._courier is not None else {"direct": 0, "kernel": 0}
        lanes: Lanes = {
            "direct": gone["direct"],
            "kernel": self._through_kernel + gone["kernel"],
            "page": max(0, self._in_page - gone["direct"] - gone["kernel"]),
        }
        return {
            "target": self._target,
            "file_limit_bytes": BUCKET_LIMIT,
            **self._chosen.tally(),
            "lanes": lanes,
            "job": self._job_state,
        }

    def close(self) -> None:
        """Close the widget and remove the spooled files, once no job reads them any more."""
        job = getattr(self, "job", None)
        super().close()
        courier: PageCourier | None = getattr(self, "_courier", None)
        if courier is not None:
            bridge.submit(_call, courier.hurry)  # whoever posts files cannot hear us any more
        if (chosen := getattr(self, "_chosen", None)) is None:
            return
        self._kept.clear()
        if job is not None and is_running(job.state()):
            job.subscribe(lambda state: None if is_running(state) else chosen.clear())
        else:
            chosen.clear()

    # --- static forms ---------------------------------------------------------------------------------------------

    def static_html(self) -> str:
        """The last upload, or that there is none, as HTML."""
        return static_html.uploader_html(self._current(), self.tr)

    def static_text(self) -> str:
        """The same as plain text."""
        return static_html.uploader_text(self._current(), self.tr)

    def __repr__(self) -> str:
        return f"<Uploader to {self._target['workspace']}>"


async def _call(function: Callable[..., None], *arguments: Any) -> None:
    """Call on the bridge's loop, where transfers live."""
    function(*arguments)
