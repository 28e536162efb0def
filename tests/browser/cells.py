"""Cells that the tests run, and what the widgets in their outputs look like from outside."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Locator, expect

from tests.browser.lab import Lab

END_MS = 45_000  # for a small upload on a busy machine
STILL_MS = 700


def join(room: str, **files: int) -> str:
    """A cell: ``ws`` is the sandbox's workspace ``room``, and ``folder`` holds text files of these sizes."""
    sizes = {f"{name}.txt": size for name, size in files.items()}
    return f"""import pathlib, tempfile
import deepset_nb as dn
ws = dn.sandbox(workspace={room!r})
folder = pathlib.Path(tempfile.mkdtemp())
for name, size in {sizes!r}.items():
    (folder / name).write_bytes(b"x" * size)
"""


def job_panel(lab: Lab) -> Locator:
    """The last upload panel of the notebook."""
    return lab.page.locator(".jp-OutputArea .dnb-job").last


def card(lab: Lab, label: str) -> Locator:
    """A widget by its accessible name."""
    return lab.page.locator(".jp-OutputArea").get_by_label(label, exact=True).last


def stop(panel: Locator, way: str = "Stop, ingest later") -> None:
    """Cancel an upload under way, and choose what becomes of what was sent."""
    panel.get_by_role("button", name="Cancel").click()
    panel.get_by_role("button", name=way).click()


def expect_tone(panel: Locator, tone: str) -> None:
    """Wait until an upload's panel says how it ended: ``ok``, ``warn`` or ``fail``, and stays in the page.

    At a job's end its outcome is written into the cell's output, and JupyterLab then draws the panel once more.
    """
    deadline = time.monotonic() + END_MS / 1000
    while True:
        expect(panel).to_have_class(re.compile(rf"\bdnb-tone-{tone}\b"), timeout=END_MS)
        drawn = panel.element_handle()
        panel.page.wait_for_timeout(STILL_MS)
        if drawn.evaluate("element => element.isConnected"):
            return
        assert time.monotonic() < deadline, "the panel is drawn again and again"
