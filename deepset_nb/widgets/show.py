"""Shows a job where it was started: a live panel, else plain HTML that is updated, else a line of text.

Which one is not guessed from what is installed. In a kernel the output holds all forms; if no browser has said hello
within two seconds, the plain form is kept up to date instead. When the job ends, its outcome is written into the same
output, so that the saved notebook shows it to readers without a kernel.
"""

from __future__ import annotations

import contextvars
import shutil
import sys
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any, Protocol

from ..transfer.progress import JobState
from . import static_html
from .messages import is_running

if TYPE_CHECKING:
    from .job_panel import JobLike, JobPanel

HELLO_WITHIN_S = 2.0
PLAIN_EVERY_S = 2.0  # each update makes a front end draw the whole output again
NO_HELLO = (
    "This is the plain form: no browser answered within 2 s. If this notebook should show live panels, "
    "restart Jupyter after installing deepset_nb."
)

TERMINAL = "Plain text: a terminal shows no panels. job shows where it stands, job.wait() follows it to its end."


class View(Protocol):
    """What shows a job; a job keeps it for its rich reprs."""

    def mimebundle(self) -> dict[str, Any]:
        """The job as an output of a cell."""

    def refresh(self) -> None:
        """Write the outcome into that output once more."""


def show_job(job: JobLike, display: bool = True) -> View:
    """Show a job in the cell that runs now, and keep that output up to date until the job has ended.

    Example:
        >>> job.view = show_job(job)  # doctest: +SKIP

    Args:
        job: The job.
        display: False only makes the view: it shows when it is displayed.

    Returns:
        The view.
    """
    shell = _shell()
    if shell is not None and getattr(shell, "kernel", None) is not None:
        view = LiveView(job)
        if display:
            view.display(shell)
        return view
    if (marimo := sys.modules.get("marimo")) is not None and marimo.running_in_notebook():
        view = LiveView(job)
        if display:
            marimo.output.append(view.panel)
        return view
    # In a plain script nothing is shown; in IPython's terminal lines of text.
    return TextView(job, announce=display and shell is not None)


def _shell() -> Any:
    """IPython's shell if we run inside one. Never imports IPython: where it is not loaded, there is none."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    return get_ipython()


class LiveView:
    """A panel, and the output of a cell that it was shown in.

    Attributes:
        panel: The widget.
    """

    def __init__(self, job: JobLike) -> None:
        """Make the panel."""
        from .job_panel import JobPanel

        self.panel: JobPanel = JobPanel(job)
        self._display_id = uuid.uuid4().hex
        self._shown_at = 0.0
        self._updated_at = 0.0
        self._shell: Any = None
        self._cell: int | None = None
        self._lock = threading.RLock()
        # Updates come from other threads; the cell's context tells the kernel whose output they belong to.
        self._context = contextvars.copy_context()

    @property
    def _job(self) -> JobLike:
        assert self.panel.job is not None
        return self.panel.job

    def display(self, shell: Any) -> None:
        """Put the panel into the running cell."""
        from IPython.display import display

        self._shell, self._cell = shell, shell.execution_count
        self._shown_at = self._updated_at = time.monotonic()
        data, metadata = self.panel._repr_mimebundle_()
        display(data, metadata=metadata, raw=True, display_id=self._display_id)
        self.panel.observe(self._follow, "state")
        if not is_running(self._job.state()):
            self._update()

    def refresh(self) -> None:
        """Write the outcome into the output again, on behalf of the cell that runs now.

        Front ends without a browser (nbclient, papermill) only listen to the running cell, so what was written on
        behalf of the first one, after it had ended, is lost on them. A browser has it already, and would draw the
        panel once more.
        """
        if self._cell is not None and not self.panel.greeted.is_set():
            with self._lock:
                self._write("")

    def mimebundle(self) -> dict[str, Any]:
        """The panel again; in the very cell that shows it already, a word instead of a second copy."""
        if self._cell is not None and self._shell.execution_count == self._cell:
            return {"text/plain": self.panel.tr("The panel above follows this job.")}
        return self.panel.mimebundle()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return self.mimebundle()

    def _follow(self, change: dict[str, Any]) -> None:
        now = time.monotonic()
        silent = not self.panel.greeted.is_set() and now - self._shown_at > HELLO_WITHIN_S
        if not is_running(change["new"]):
            self._update()
        elif silent and now - self._updated_at > PLAIN_EVERY_S:
            self._update(NO_HELLO)

    def _update(self, mode: str = "") -> None:
        with self._lock:  # two threads cannot enter one context
            self._updated_at = time.monotonic()
            self._context.copy().run(self._write, mode)

    def _write(self, mode: str) -> None:
        from IPython.display import update_display

        data, metadata = self.panel._repr_mimebundle_()
        if mode:
            data["text/html"] = self.panel.html_with(mode)
        update_display(data, metadata=metadata, raw=True, display_id=self._display_id)


class TextView:
    """A job in plain text, for scripts and terminals."""

    def __init__(self, job: JobLike, *, announce: bool) -> None:
        """Keep the job; with ``announce``, print its progress while a cell waits for it, and how it ended."""
        self._job = job
        self._is_over = not announce
        self._drawn = ""
        if announce:
            print(f"{static_html.job_line(job.state())}\n{TERMINAL}")  # noqa: T201  the terminal is where it is shown
            job.subscribe(self._follow)

    def _follow(self, state: JobState) -> None:
        if self._is_over:
            return
        if not is_running(state):
            self._is_over = True
            form = static_html.job_text if state["failures_total"] else static_html.job_line
            self._print(form(state), "\n")
        elif threading.current_thread() is threading.main_thread():  # else somebody may be typing
            self._draw(state)

    def _draw(self, state: JobState) -> None:
        if sys.stdout.isatty():
            line = static_html.job_progress(state)
            self._print(line[: shutil.get_terminal_size().columns - 1], "")
        elif (line := state["headline"].partition(" ")[0]) != self._drawn:  # a log gets a line for each phase
            self._drawn = line
            print(static_html.job_progress(state), flush=True)  # noqa: T201

    @staticmethod
    def _print(line: str, end: str) -> None:
        over = "\r\x1b[K" if sys.stdout.isatty() else ""
        print(f"{over}{line}", end=end, flush=True)  # noqa: T201

    def refresh(self) -> None:
        """Nothing to do: what is printed stays."""

    def mimebundle(self) -> dict[str, Any]:
        """The job in plain text."""
        return {"text/plain": static_html.job_text(self._job.state())}

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return self.mimebundle()

    def __repr__(self) -> str:
        return static_html.job_text(self._job.state())
