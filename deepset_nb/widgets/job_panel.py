"""One upload or download, live: phases, speed, failures, Cancel and Retry."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

import traitlets

from ..transfer.progress import JobState
from . import static_html
from ._base import Handler, Widget


class JobLike(Protocol):
    """What a widget needs of a job; `deepset_nb.job.Job` is one."""

    def state(self) -> JobState:
        """The picture of this moment."""

    def subscribe(self, callback: Callable[[JobState], None], /) -> Callable[[], None]:
        """Call back with every new state; returns what ends that."""

    def cancel(self) -> Any:
        """Ask it to stop; returns at once."""

    def retry(self) -> JobLike:
        """A new job for what did not make it."""


class JobWidget(Widget):
    """A widget that follows a job and has its buttons.

    Attributes:
        job: The job shown now: another one after the Retry button.
    """

    def __init__(self, **kwargs: Any) -> None:
        """Begin without a job."""
        self.job: JobLike | None = None
        self._unsubscribe: Callable[[], None] | None = None
        super().__init__(**kwargs)

    def follow(self, job: JobLike) -> None:
        """Show this job from now on."""
        self.unfollow()
        self.job = job
        self.show_state(job.state())
        self._unsubscribe = job.subscribe(self._on_state)

    def unfollow(self) -> None:
        """Take no more news of the job; it goes on."""
        unsubscribe, self._unsubscribe = getattr(self, "_unsubscribe", None), None
        if unsubscribe:
            unsubscribe()

    def show_state(self, state: JobState) -> None:
        """Put a new state into a trait; called from any thread, at most ten times a second."""
        raise NotImplementedError

    def _on_state(self, state: JobState) -> None:
        if self.comm is not None:
            self.show_state(state)

    def actions(self) -> dict[str, Handler]:
        """Cancel and retry."""
        return {"cancel": self._cancel, "retry": self._retry}

    async def _cancel(self, _: dict[str, Any]) -> None:
        if self.job is not None:
            await asyncio.to_thread(self.job.cancel)

    async def _retry(self, _: dict[str, Any]) -> None:
        if self.job is not None:
            self.follow(await asyncio.to_thread(self.job.retry))

    def close(self) -> None:
        """Close the widget; the job goes on."""
        self.unfollow()
        super().close()


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

    def __init__(self, job: JobLike, **kwargs: Any) -> None:
        """Show ``job`` and follow it."""
        super().__init__(**kwargs)
        self.follow(job)

    def show_state(self, state: JobState) -> None:
        """Draw it."""
        self.state = state

    def static_html(self) -> str:
        """The job as HTML."""
        return static_html.job_html(self.job.state()) if self.job else ""

    def static_text(self) -> str:
        """The job as plain text."""
        return static_html.job_text(self.job.state()) if self.job else ""

    def __repr__(self) -> str:
        return f"<JobPanel: {static_html.job_line(self.job.state())}>" if self.job else "<JobPanel>"
