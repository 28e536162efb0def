"""Every widget in each state that people see, from a real kernel and a sandbox that misbehaves as asked.

The accessibility tests look at these scenes, and `screenshots.py` takes pictures of them.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

import httpx
from playwright.sync_api import FilePayload, Locator, expect

from deepset_nb.emulator import Connection
from tests.browser.cells import END_MS, expect_tone, join
from tests.browser.lab import Lab

_rooms = itertools.count(1)


class Faults:
    """Makes the sandbox misbehave; well again at the end."""

    def __init__(self, sandbox: Connection) -> None:
        self._url = sandbox.api_url.removesuffix("/api/v1") + "/_sandbox/faults"
        self._admin = httpx.Client(headers={"X-Sandbox-Admin-Key": sandbox.admin_key}, timeout=30)

    def add(self, spec: str) -> None:
        self._admin.post(self._url, json={"faults": [spec]}).raise_for_status()

    def clear(self) -> None:
        self._admin.delete(self._url).raise_for_status()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()
        self._admin.close()


@dataclass
class Stage:
    """Where scenes are set: the open notebook of a JupyterLab page, and its sandbox's faults.

    Attributes:
        widget: What the last cell shows.
    """

    lab: Lab
    faults: Faults
    widget: Locator = field(init=False)

    def set(self, name: str) -> Locator:
        """Set a scene in cells of its own; returns its widget."""
        self.faults.clear()
        SCENES[name](self)
        return self.widget

    def show(self, *cells: str, **files: int) -> Locator:
        """Run these cells, with a ``ws`` of their own and ``folder`` as `join` says; returns the last one's widget."""
        for cell in (join(f"scene-{next(_rooms)}", **files) + cells[0], *cells[1:]):
            self.widget = self.lab.add(cell).locator(".dnb").first
        return self.widget

    @property
    def job(self) -> Locator:
        """The last cell's panel."""
        return self.widget.locator(".dnb-job")


Scene = Callable[[Stage], None]
SCENES: dict[str, Scene] = {}  # in the order in which one notebook can show all
HEAVY: set[str] = set()


def scene(make: Scene) -> Scene:
    """Register a scene under its name."""
    SCENES[make.__name__.replace("_", "-")] = make
    return make


def heavy(make: Scene) -> Scene:
    """A scene of many rows: for pictures, not for every run of the tests."""
    HEAVY.add(make.__name__.replace("_", "-"))
    return make


LETTERS: list[FilePayload] = [
    {"name": name, "mimeType": "text/plain", "buffer": b"x" * size}
    for name, size in (
        ("letter to the reading room.txt", 1_200),
        ("annual_report_2024.pdf", 2_400_000),
        ("empty.txt", 0),
    )
]

OPEN_SESSIONS = """
from deepset_nb import bridge
async def open_some():
    async with dn.AsyncClient(ws.settings) as client:
        for mode in ("KEEP", "OVERWRITE"):
            await client.upload_sessions.create(ws.name, write_mode=mode)
bridge.run(open_some)
ws.upload(folder, show=False).wait(60)
"""


@scene
def uploader_empty(stage: Stage) -> None:
    shown = stage.show("ws.uploader()")
    expect(shown.get_by_role("button", name="Choose files")).to_be_visible()


@scene
def uploader_chosen(stage: Stage) -> None:
    shown = stage.show("ws.uploader()")
    shown.locator("input[data-dnb=files]").set_input_files(LETTERS)
    expect(shown.locator("tbody tr", has_text="Ready")).to_have_count(len(LETTERS), timeout=END_MS)


@scene
def job_done(stage: Stage) -> None:
    stage.show("job = ws.upload(folder)", a=1_000, b=250_000)
    expect_tone(stage.job, "ok")


@scene
def job_failed(stage: Stage) -> None:
    stage.faults.add("fail:moon.txt=FAILED_TO_PARSE_META")
    stage.show("job = ws.upload(folder)", comet=1_000, moon=2_000)
    expect_tone(stage.job, "fail")


@scene
def job_cancelled(stage: Stage) -> None:
    stage.faults.add("bandwidth:400000")
    stage.show("job = ws.upload(folder)", atlas=20_000_000)
    expect(stage.job).to_contain_text(re.compile(r"[\d.]+ [kM]B of 20 MB"), timeout=END_MS)
    stage.lab.run("job.cancel().wait(20)")
    expect_tone(stage.job, "warn")


@scene
def sessions_empty(stage: Stage) -> None:
    shown = stage.show("ws.session_browser()")
    expect(shown).to_contain_text("Updated", timeout=END_MS)


@scene
def sessions_some(stage: Stage) -> None:
    stage.faults.add("fail:moon.txt=FAILED_TO_PARSE_META")
    shown = stage.show(OPEN_SESSIONS, "ws.session_browser()", comet=1_000, moon=2_000)
    expect(shown).to_contain_text("Closed", timeout=END_MS)


@scene
def sessions_failed(stage: Stage) -> None:
    shown = stage.show("ws.session_browser()")
    expect(shown).to_contain_text("Updated", timeout=END_MS)
    stage.faults.add("api_502_html:100")
    shown.get_by_role("button", name="Refresh").click()
    expect(shown.locator(".dnb-notice")).to_be_visible(timeout=END_MS)


@scene
def job_busy(stage: Stage) -> None:
    """The last one: its bucket stays slow."""
    stage.faults.add("bandwidth:30000")
    stage.show("job = ws.upload(folder)", atlas=20_000_000, notes=1_000)
    expect(stage.job).to_contain_text(re.compile(r"\b(?!0 B|20 MB)[\d.]+ [kM]B of 20 MB"), timeout=END_MS)
