"""Uploader, jobs, sessions and files as tabs of one widget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets

from .file_browser import FileBrowser
from .job_panel import JobLike, JobPanel
from .session_browser import SessionBrowser
from .uploader import Uploader

JOBS_TAB = 1
SHOWN_JOBS = 10  # newest; each panel carries its own copy of the bundle


def dashboard(
    uploader: Uploader, jobs: Callable[[], Sequence[JobLike]], sessions: SessionBrowser, files: FileBrowser
) -> ipywidgets.Tab:
    """Make the tabs.

    Args:
        uploader: The first tab.
        jobs: The kernel's jobs, oldest first; asked again whenever the second tab is opened.
        sessions: The third tab.
        files: The fourth one.

    Returns:
        The tabs, in the language of the page that shows them; their children are ordinary widgets.
    """
    panels = _Panels(jobs)
    tab = ipywidgets.Tab([uploader, panels.box, sessions, files])

    def say() -> None:
        """The words that are ipywidgets' own to show; the page says its language to the widgets inside."""
        tr = uploader.tr
        tab.titles = (tr("Upload"), tr("Jobs"), tr("Sessions"), tr("Files"))
        panels.none.value = tr("No uploads or downloads in this kernel yet.")

    say()
    uploader.language_readers.append(say)
    tab.observe(panels.on_tab, "selected_index")
    return tab


class _Panels:
    """A column of job panels, the newest on top."""

    def __init__(self, jobs: Callable[[], Sequence[JobLike]]) -> None:
        self._jobs = jobs
        self._panels: list[JobPanel] = []
        self.box = ipywidgets.VBox(layout={"grid_gap": "10px"})
        self.none = ipywidgets.Label()
        self.refresh()

    def on_tab(self, change: dict[str, Any]) -> None:
        if change["new"] == JOBS_TAB:
            self.refresh()

    def refresh(self) -> None:
        newest = list(self._jobs())[: -SHOWN_JOBS - 1 : -1]
        made = {id(panel.job): panel for panel in self._panels}  # a panel whose Retry was clicked shows the new job
        self._panels = [made.pop(id(job)) if id(job) in made else JobPanel(job) for job in newest]
        for panel in made.values():
            panel.close()
        self.box.children = self._panels or [self.none]
