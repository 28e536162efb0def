"""One upload or download, live: phases, speed, failures, Cancel and Retry."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Protocol

import traitlets

from ..errors import InputError
from ..i18n import ENGLISH, Translator
from ..transfer.progress import Failure, JobState
from ..transfer.receipt_page import ReceiptPage
from . import static_html
from ._base import Handler, Widget, parse
from .messages import CancelPayload, JobCodeResult, ReceiptPayload, ReceiptResult, is_running

SHORT_ID = 12  # characters of a job's id that tell it from all others; `dn.receipt` takes its beginning


class JobLike(Protocol):
    """What a widget needs of a job; `deepset_nb.job.Job` is one."""

    view: Any
    """What shows it where it was started, if anything does."""

    code: str
    """The line of Python that does the same, if there is one."""

    @property
    def job_id(self) -> str:
        """Its id in ``dn.jobs()``."""

    def state(self) -> JobState:
        """The picture of this moment."""

    def subscribe(self, callback: Callable[[JobState], None], /) -> Callable[[], None]:
        """Call back with every new state; returns what ends that."""

    def cancel(self, *ingest: Any) -> Any:
        """Ask it to stop; returns at once. An upload is told what becomes of what was sent."""

    def retry(self, *, show: bool = True) -> JobLike:
        """A new job for what did not make it."""

    def receipt_page(self, status: str = "", offset: int = 0, limit: int = 50) -> ReceiptPage:
        """Some rows of its receipt."""


class JobWidget(Widget):
    """A widget that follows a job and has its buttons.

    Attributes:
        job: The job shown now: another one after the Retry button.
    """

    _parts: ClassVar[tuple[str, ...]] = ("cancel_choice", "receipt_table")

    def __init__(self, **kwargs: Any) -> None:
        """Begin without a job."""
        self.job: JobLike | None = None
        self._unsubscribe: Callable[[], None] | None = None
        super().__init__(**kwargs)

    def follow(self, job: JobLike) -> None:
        """Show this job from now on."""
        self.unfollow()
        self.job = job
        self.show_state(said(job.state(), self.tr))
        self._unsubscribe = job.subscribe(self._on_state)

    def unfollow(self) -> None:
        """Take no more news of the job; it goes on."""
        unsubscribe, self._unsubscribe = getattr(self, "_unsubscribe", None), None
        if unsubscribe:
            unsubscribe()

    def show_state(self, state: JobState) -> None:
        """Put a new state, in the reader's language, into a trait; from any thread, at most ten times a second."""
        raise NotImplementedError

    def _on_state(self, state: JobState) -> None:
        if self.comm is not None:
            self.show_state(said(state, self.tr))

    def on_language(self) -> None:
        """Say the present state again in the reader's language."""
        if self.job is not None:
            self._on_state(self.job.state())

    # --- buttons --------------------------------------------------------------------------------------------------

    def actions(self) -> dict[str, Handler]:
        """Cancel and retry, and a look at every file."""
        return {"cancel": self._cancel, "retry": self._retry, "receipt": self._receipt, "job_code": self._job_code}

    async def _cancel(self, payload: dict[str, Any]) -> None:
        ingest = parse({"ingest": "later", **payload}, CancelPayload)["ingest"]
        if self.job is not None:
            await asyncio.to_thread(self.job.cancel, *(["keep"] if ingest == "keep" else []))

    async def _retry(self, _: dict[str, Any]) -> None:
        if self.job is not None:
            before = self.job
            again = await asyncio.to_thread(partial(before.retry, show=False))
            again.view = before.view  # what showed the one shows the other: `wait` writes its outcome there
            self.follow(again)

    async def _receipt(self, payload: dict[str, Any]) -> ReceiptResult:
        asked = parse(payload, ReceiptPayload)
        if self.job is None:
            raise InputError("There is no job yet.", "Start one.")
        page = await asyncio.to_thread(self.job.receipt_page, asked["status"], asked["offset"], asked["limit"])
        for row in page["rows"]:
            row["reason"], row["remedy"] = self.tr.said(row["reason"]), self.tr.said(row["remedy"])
        return {**page, "code": f'dn.receipt("{self.job.job_id[:SHORT_ID]}")'}

    async def _job_code(self, _: dict[str, Any]) -> JobCodeResult:
        """Only when it is asked for: it may name folders, which a saved notebook need not tell."""
        return {"code": self.job.code if self.job is not None else ""}

    def close(self) -> None:
        """Close the widget; the job goes on."""
        self.unfollow()
        super().close()


def said(state: JobState, tr: Translator) -> JobState:
    """The state with the engine's sentences in the reader's language."""
    if tr is ENGLISH:
        return state
    failures: list[Failure] = [
        {**failure, "reason": tr.said(failure["reason"]), "remedy": tr.said(failure["remedy"])}
        for failure in state["failures"]
    ]
    note = tr.said(state["note"]) if state["note"] else None
    return {
        **state,
        "headline": tr.said(state["headline"]),
        "detail": tr.said(state["detail"]),
        "note": note,
        "failures": failures,
    }


class JobPanel(JobWidget):
    """A live panel of one job. Any number of panels may show the same job.

    Example:
        >>> from deepset_nb.widgets.job_panel import JobPanel
        >>> JobPanel(job)  # doctest: +SKIP

    Args:
        job: The job to show.
        **kwargs: ``layout``, ``tabbable``, ``tooltip`` of ipywidgets.
    """

    _bundle = "job_panel"

    state = traitlets.Dict().tag(sync=True)
    """What is shown (`JobState`)."""

    key = traitlets.Unicode().tag(sync=True)
    """Tells panels apart in a page: the keyboard's place outlives a view that is drawn afresh."""

    def __init__(self, job: JobLike, **kwargs: Any) -> None:
        """Show ``job`` and follow it."""
        super().__init__(**kwargs)
        self.key = secrets.token_hex(8)
        self.follow(job)

    def show_state(self, state: JobState) -> None:
        """Draw it."""
        self.state = state

    def static_html(self) -> str:
        """The job as HTML."""
        return self.html_with("")

    def html_with(self, mode: str) -> str:
        """The job as HTML, with a line that says why this is not the live panel."""
        if self.job is None:
            return ""
        state = self.job.state()
        rows = [] if is_running(state) else self.job.receipt_page(limit=static_html.SHOWN_ROWS)["rows"]
        return static_html.job_html(said(state, self.tr), self.tr.said(mode), rows, self.tr)

    def static_text(self) -> str:
        """The job as plain text."""
        return static_html.job_text(said(self.job.state(), self.tr), self.tr) if self.job else ""

    def __repr__(self) -> str:
        return f"<JobPanel: {static_html.job_line(self.job.state())}>" if self.job else "<JobPanel>"
