"""Every widget in each state that people see, from a real kernel and a sandbox that misbehaves as asked.

The accessibility tests look at these scenes, and `screenshots.py` takes pictures of them.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Self

import httpx
from playwright.sync_api import FilePayload, Locator, expect

from deepset_nb.emulator import Connection
from deepset_nb.i18n import Messages, Translator
from tests.browser import many_sessions
from tests.browser.cells import END_MS, expect_tone, join
from tests.browser.lab import Lab
from tests.texts import catalogue

_rooms = itertools.count(1)


class Faults:
    """Makes the sandbox misbehave; well again at the end."""

    def __init__(self, sandbox: Connection) -> None:
        self._url = sandbox.api_url.removesuffix("/api/v1") + "/_sandbox/faults"
        self._admin = httpx.Client(headers={"X-Sandbox-Admin-Key": sandbox.admin_key}, timeout=30)
        self._active: list[str] = []

    def add(self, *specs: str) -> None:
        """Some more of them."""
        self._admin.post(self._url, json={"faults": specs}).raise_for_status()
        self._active += specs

    def only(self, *specs: str) -> None:
        """These and no others; what is active already goes on as it is."""
        if self._active != [*specs]:
            self.clear()
            self.add(*specs)

    def clear(self) -> None:
        """None any more."""
        self._admin.delete(self._url).raise_for_status()
        self._active = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()
        self._admin.close()


@dataclass
class Stage:
    """Where scenes are set: the open notebook of a JupyterLab page, and its sandbox's faults.

    Attributes:
        language: Of the page.
        data: The sandbox's data folder; what needs it is heavy.
        output: The last cell's.
        widget: What it shows.
    """

    lab: Lab
    faults: Faults
    language: str = "en"
    data: Path | None = None
    output: Locator = field(init=False)
    widget: Locator = field(init=False)

    def set(self, name: str) -> Locator:
        """Set a scene in cells of its own; returns its widget."""
        self.faults.only(*SCENES[name].faults)
        SCENES[name].make(self)
        return self.widget

    def say(self, words: str) -> str:
        """What the page shows for English words."""
        return _translator(self.language).said(words)

    def show(self, *cells: str, **files: int) -> Locator:
        """Run these cells, with a ``ws`` of their own and ``folder`` as `join` says; returns the last one's widget."""
        for cell in (join(f"scene-{next(_rooms)}", **files) + cells[0], *cells[1:]):
            self.output = self.lab.add(cell)
        self.widget = self.output.locator(".dnb").first
        return self.widget

    @property
    def job(self) -> Locator:
        """The last cell's panel."""
        return self.widget.locator(".dnb-job")


@cache
def _translator(language: str) -> Translator:
    path = catalogue.FOLDER / f"{language.partition('-')[0]}.po"
    shown: Messages = {}
    for message in catalogue.read(path) if path.exists() else []:
        if isinstance(message.id, str) and catalogue.ENGINE not in message.flags:
            shown[message.id] = str(message.string)
    return Translator(language, {}, {}, shown)


@dataclass(frozen=True)
class Scene:
    """A widget in a state.

    Attributes:
        make: Brings it about.
        faults: What is wrong with the sandbox from the beginning.
        heavy: Many rows: for pictures, not for every run of the tests.
    """

    make: Callable[[Stage], None]
    faults: tuple[str, ...]
    heavy: bool


SCENES: dict[str, Scene] = {}  # in the order in which one notebook shows them all; what stays slow is last


def scene(*faults: str, heavy: bool = False) -> Callable[[Callable[[Stage], None]], None]:
    """Register a scene under its function's name."""

    def register(make: Callable[[Stage], None]) -> None:
        SCENES[make.__name__.replace("_", "-")] = Scene(make, faults, heavy)

    return register


def letters(**names_and_texts: bytes) -> list[FilePayload]:
    return [{"name": name, "mimeType": "", "buffer": text} for name, text in names_and_texts.items()]


LETTERS = {"letter to the reading room.txt": b"x" * 1_200, "annual_report_2024.pdf": b"x" * 2_400_000}
STOPPED = {
    "moon.txt": b"x",
    "moon.txt.meta.json": b'{"topic": "moons",}',
    "lost.txt.meta.json": b"{}",
    "empty.txt": b"",
}


def chosen(stage: Stage, files: dict[str, bytes]) -> Locator:
    """An uploader to which these files were given."""
    shown = stage.show("uploader = ws.uploader()\nuploader")
    shown.locator("input[data-dnb=files]").set_input_files(letters(**files))
    expect(shown.get_by_role("button", name=stage.say("Upload"), exact=True)).to_be_enabled(timeout=END_MS)
    return shown


OPEN_SOME = """
from deepset_nb import bridge
async def open_some():
    async with dn.AsyncClient(ws.settings) as client:
        for mode in ("KEEP", "OVERWRITE"):
            await client.upload_sessions.create(ws.name, write_mode=mode)
bridge.run(open_some)
"""
OPEN_SESSIONS = f"{OPEN_SOME}ws.upload(folder, show=False).wait(60)"


@scene()
def uploader_empty(stage: Stage) -> None:
    shown = stage.show("ws.uploader()")
    expect(shown.get_by_role("button", name=stage.say("Choose files"))).to_be_visible()


@scene()
def uploader_chosen(stage: Stage) -> None:
    chosen(stage, LETTERS)


@scene()
def uploader_stopped(stage: Stage) -> None:
    shown = chosen(stage, LETTERS | STOPPED)
    expect(shown.locator(".dnb-hazards button")).to_be_visible(timeout=END_MS)


@scene()
def uploader_metadata(stage: Stage) -> None:
    shown = chosen(stage, LETTERS)
    shown.get_by_role("button", name=stage.say("Metadata of all files")).click()
    shown.get_by_role("textbox").fill('{"topic": "letters",\n "year": 1987,}')
    expect(shown.get_by_role("textbox")).to_have_attribute("aria-invalid", "true", timeout=END_MS)


@scene("fail:letter to the reading room.txt=FAILED_TO_PARSE_META")
def uploader_failed(stage: Stage) -> None:
    chosen(stage, LETTERS).get_by_role("button", name=stage.say("Upload"), exact=True).click()
    expect_tone(stage.job, "fail")


@scene()
def job_done(stage: Stage) -> None:
    stage.show("job = ws.upload(folder)", a=1_000, b=250_000)
    expect_tone(stage.job, "ok")


@scene("fail:moon.txt=FAILED_TO_PARSE_META")
def job_failed(stage: Stage) -> None:
    stage.show("job = ws.upload(folder)", comet=1_000, moon=2_000)
    expect_tone(stage.job, "fail")


@scene("bandwidth:400000")
def job_cancelled(stage: Stage) -> None:
    stage.show("job = ws.upload(folder)", atlas=20_000_000)
    expect(stage.job).to_contain_text(re.compile(r"[\d.,]+ [kM]B (of|von) 20 MB"), timeout=END_MS)
    stage.lab.run("job.cancel().wait(20)")
    expect_tone(stage.job, "warn")


@scene("fail:moon.txt=FAILED_TO_PARSE_META")
def job_receipt(stage: Stage) -> None:
    stage.show("job = ws.upload(folder)", **{f"page{number}": 1_000 * number for number in range(1, 30)}, moon=2_000)
    expect_tone(stage.job, "fail")
    stage.job.get_by_role("button", name=stage.say("Receipt")).click()
    expect(stage.job.get_by_role("button", name=stage.say("Next"))).to_be_visible(timeout=END_MS)


@scene("slow_down:1000")
def job_waiting(stage: Stage) -> None:
    stage.show("job = ws.upload(folder)", a=1_000, b=250_000)
    expect(stage.job).to_contain_text(re.compile(r"(try|Versuch) 2"), timeout=END_MS)


def sessions(stage: Stage) -> Locator:
    """The sessions of a workspace: two open, one closed in which one of two files failed."""
    shown = stage.show(OPEN_SESSIONS, "ws.session_browser()", comet=1_000, moon=2_000)
    expect(shown.get_by_role("row", name=stage.say("1 of 2 failed"))).to_be_visible(timeout=END_MS)
    return shown


@scene()
def sessions_empty(stage: Stage) -> None:
    shown = stage.show("ws.session_browser()")
    expect(shown.locator(".dnb-age")).to_be_visible(timeout=END_MS)


@scene("fail:moon.txt=FAILED_TO_PARSE_META")
def sessions_details(stage: Stage) -> None:
    shown = sessions(stage)
    shown.get_by_role("row", name=stage.say("1 of 2 failed")).click()
    expect(shown.get_by_role("cell", name="moon.txt")).to_be_visible(timeout=END_MS)


@scene("fail:moon.txt=FAILED_TO_PARSE_META")
def sessions_question(stage: Stage) -> None:
    shown = sessions(stage)
    shown.get_by_role("button", name=stage.say("Close…")).first.click()
    expect(shown.get_by_role("button", name=stage.say("Close and ingest"))).to_be_visible(timeout=END_MS)


@scene()
def sessions_busy(stage: Stage) -> None:
    # In a sandbox of its own, which ingests a file every three seconds.
    closed = "len(ws.list_upload_sessions(status='CLOSED')) == 2"  # the sandbox's own corpus came by one, too
    upload = f"job = ws.upload(folder, show=False)\nwhile not {closed}: pass"
    cells = (f"ws = dn.sandbox(ingest_rate=1 / 3)\n{OPEN_SOME}{upload}", "ws.session_browser()")
    shown = stage.show(*cells, **{f"page{number}": 1_000 for number in range(100)})
    expect(shown.get_by_role("row", name=re.compile(r"(of|von) 100\b"))).to_be_visible(timeout=END_MS)


@scene()
def sessions_failed(stage: Stage) -> None:
    refused(stage, stage.show("ws.session_browser()"))


@scene(heavy=True)
def sessions_100000(stage: Stage) -> None:
    assert stage.data
    stage.show("None")
    room = stage.lab.run("print(ws.name)").strip()
    many_sessions.write(stage.data, room, 100_000, time.time_ns() // 1_000)
    stage.output = stage.lab.add("ws.session_browser()")
    stage.widget = stage.output.locator(".dnb").first
    expect(stage.widget.locator(".dnb-row").first).to_be_visible(timeout=END_MS)
    stage.widget.locator(".dnb-grid").evaluate("(grid) => { grid.scrollTop = grid.scrollHeight / 3 }")
    expect(stage.widget.locator(".dnb-row[aria-busy=true]")).to_have_count(0, timeout=END_MS)
    expect(stage.widget.locator("[class^=dnb-said]").nth(7)).to_be_attached(timeout=END_MS)  # those in sight


def files(stage: Stage, count: int = 300) -> Locator:
    """The files of a workspace with so many of them."""
    shown = stage.show(f"ws = dn.sandbox(workspace=ws.name, files={count})\nws.file_browser()")
    expect(shown.get_by_role("row", name="report-").first).to_be_visible(timeout=END_MS)
    return shown


def refused(stage: Stage, shown: Locator) -> None:
    """A browser whose Refresh failed."""
    expect(shown.locator(".dnb-age")).to_be_visible(timeout=END_MS)
    stage.faults.add("api_502_html:100")
    shown.get_by_role("button", name=stage.say("Refresh")).click()
    expect(shown.locator(".dnb-notice").first).to_be_visible(timeout=END_MS)


EMPTY = "found = ws.list_files()\nif len(found):\n    ws.delete_files(found, dry_run=False)"


@scene()
def files_empty(stage: Stage) -> None:
    shown = stage.show(EMPTY, "ws.file_browser()")
    expect(shown).to_contain_text("ws.upload(path)", timeout=END_MS)


@scene()
def files_no_hit(stage: Stage) -> None:
    shown = files(stage)
    shown.get_by_label(stage.say("Name contains")).fill("nothing of this name")
    expect(shown.get_by_text(stage.say("No file matches."))).to_be_visible(timeout=END_MS)


@scene()
def files_chosen(stage: Stage) -> None:
    shown = files(stage)
    shown.get_by_role("button", name=stage.say("Columns")).click()
    for key in ("topic", "year"):
        shown.get_by_label(key).check()
    for row in (1, 2, 4):
        shown.get_by_role("row").nth(row).click(modifiers=["Control"])
    expect(shown.get_by_role("button", name=stage.say("Download…"))).to_be_visible()


@scene()
def files_columns(stage: Stage) -> None:
    meta = "{f'key {number}': f'value {number} of the metadata' for number in range(8)}"
    texts = f"[dn.DeepsetCloudFile(name, name, {meta}) for name in ('letter.txt', 'moon.txt')]"
    shown = stage.show(f"ws.upload_texts({texts}, show=False).wait(60)", "ws.file_browser()")
    shown.get_by_role("button", name=stage.say("Columns")).click()
    for key in range(8):
        shown.get_by_label(f"key {key}").check()
    expect(shown.get_by_text("value 7 of")).to_have_count(2, timeout=END_MS)


@scene()
def files_details(stage: Stage) -> None:
    shown = files(stage)
    shown.get_by_role("row").nth(3).click()
    expect(shown.locator(".dnb-facts-list")).to_contain_text("topic", timeout=END_MS)


@scene()
def files_delete(stage: Stage) -> None:
    shown = files(stage)
    for row in (1, 2, 4):
        shown.get_by_role("row").nth(row).click(modifiers=["Control"])
    shown.get_by_role("button", name=stage.say("Delete…")).click()
    expect(shown.get_by_role("button", name=stage.say("Keep them"))).to_be_visible(timeout=END_MS)


@scene()
def files_refused(stage: Stage) -> None:
    shown = files(stage)
    shown.get_by_role("button", name=stage.say("Filter")).click()
    shown.get_by_label(stage.say("Metadata filter")).fill("topic = 'rivers'")
    shown.get_by_label(stage.say("Metadata filter")).press("Enter")
    expect(shown.locator(".dnb-notice").first).to_be_visible(timeout=END_MS)


@scene()
def files_failed(stage: Stage) -> None:
    refused(stage, files(stage))


def all_chosen(stage: Stage) -> Locator:
    """300 files, all selected."""
    shown = files(stage)
    shown.get_by_role("row").nth(1).click(modifiers=["Control"])
    stage.lab.page.keyboard.press("Shift+End")
    expect(shown.locator(".dnb-count")).to_contain_text("300", timeout=END_MS)
    return shown


@scene(heavy=True)
def files_100000(stage: Stage) -> None:
    shown = files(stage, 100_000)
    shown.locator(".dnb-grid").evaluate("(grid) => { grid.scrollTop = grid.scrollHeight / 3 }")
    expect(shown.locator(".dnb-ghost")).to_have_count(0, timeout=END_MS)


def dashboard(stage: Stage, tab: str) -> None:
    """A dashboard, opened at one of its tabs."""
    stage.show("ws.upload(folder, show=False).wait(60)", "ws.dashboard()", comet=1_000, moon=2_000)
    stage.widget = stage.output.locator(".jupyter-widget-tab").first
    stage.widget.get_by_role("tab", name=stage.say(tab)).click()
    expect(stage.widget.locator(".dnb:visible").first).to_be_visible(timeout=END_MS)
    stage.lab.page.mouse.move(0, 0)


@scene(heavy=True)
def dashboard_upload(stage: Stage) -> None:
    dashboard(stage, "Upload")


@scene()
def dashboard_jobs(stage: Stage) -> None:
    dashboard(stage, "Jobs")


@scene(heavy=True)
def dashboard_sessions(stage: Stage) -> None:
    dashboard(stage, "Sessions")


@scene(heavy=True)
def dashboard_files(stage: Stage) -> None:
    dashboard(stage, "Files")


def static(stage: Stage, *cells: str, **files: int) -> None:
    """What readers without a kernel see of the last value of these cells."""
    *before, last = cells
    shown = f"from IPython.display import HTML\nHTML(({last})._repr_mimebundle_()[0]['text/html'])"
    stage.show("None", *before, shown, **files)
    stage.widget = stage.output.locator(".jp-RenderedHTML").first


@scene("fail:moon.txt=FAILED_TO_PARSE_META")
def static_job(stage: Stage) -> None:
    static(stage, "job = ws.upload(folder).wait(60)", "job.view.panel", comet=1_000, moon=2_000)


@scene()
def static_uploader(stage: Stage) -> None:
    static(stage, "ws.uploader()")


@scene()
def static_sessions(stage: Stage) -> None:
    static(stage, OPEN_SESSIONS, "browser = ws.session_browser(); import time; time.sleep(2)", "browser", moon=1_000)


MORE_THAN_SHOWN = "ws.upload_texts({f'note-{number:02}.txt': 'Neat.' for number in range(30)}, show=False).wait(60)"


@scene()
def static_files(stage: Stage) -> None:
    static(stage, MORE_THAN_SHOWN, "browser = ws.file_browser(); import time; time.sleep(2)", "browser")


@scene("bandwidth:30000")
def job_busy(stage: Stage) -> None:
    stage.show("job = ws.upload(folder)", atlas=20_000_000, notes=1_000)
    expect(stage.job).to_contain_text(re.compile(r"\b(?!0 B|20 MB)[\d.,]+ [kM]B (of|von) 20 MB"), timeout=END_MS)


@scene("bandwidth:30000")
def uploader_busy(stage: Stage) -> None:
    shown = chosen(stage, LETTERS | {"atlas.pdf": b"x" * 9_000_000})
    shown.get_by_role("button", name=stage.say("Upload"), exact=True).click()
    expect(stage.job).to_contain_text(re.compile(r"(of|von) 11[.,]4 MB"), timeout=END_MS)


@scene("bandwidth:30000")
def job_choice(stage: Stage) -> None:
    stage.show("job = ws.upload(folder)", atlas=20_000_000, notes=1_000)
    expect(stage.job).to_contain_text(re.compile(r"(of|von) 20 MB"), timeout=END_MS)
    stage.job.get_by_role("button", name=stage.say("Cancel")).click()
    expect(stage.job.get_by_role("button", name=stage.say("Go on sending"))).to_be_visible(timeout=END_MS)


# Not by a DataTransfer: to add to one takes longer with every file.
MANY_FILES = """input => {
    const note = (_, number) => new File(["x".repeat(number % 90 + 1)], `note-${String(number).padStart(6, "0")}.txt`);
    Object.defineProperty(input, "files", { value: Array.from({ length: 100000 }, note) });
    input.dispatchEvent(new Event("change", { bubbles: true }));
}"""


@scene("bandwidth:30000", heavy=True)
def uploader_100000(stage: Stage) -> None:
    shown = stage.show("uploader = ws.uploader()\nuploader")
    shown.locator("input[data-dnb=files]").evaluate(MANY_FILES)
    upload = shown.get_by_role("button", name=stage.say("Upload"), exact=True)
    expect(upload).to_be_enabled(timeout=10 * END_MS)
    expect(shown).to_contain_text(re.compile(r"100[.,]000"))


@scene("bandwidth:30000")
def files_busy(stage: Stage) -> None:
    shown = all_chosen(stage)
    shown.get_by_role("button", name=stage.say("Download…")).click()
    stage.faults.add("latency:2s")  # in the last scene: it would hold others up, too
    shown.get_by_label(stage.say("Into the folder")).press("Enter")
    expect(shown.locator(".dnb-job")).to_contain_text(re.compile(r"\b(?!300)[1-9]\d* (of|von) 300"), timeout=END_MS)


@scene("bandwidth:30000", heavy=True)
def files_deleting(stage: Stage) -> None:
    shown = all_chosen(stage)
    shown.get_by_role("button", name=stage.say("Delete…")).click()
    typed = shown.locator(".dnb-danger input")
    typed.fill("300")
    stage.faults.add("latency:2s")
    typed.press("Enter")
    expect(shown.get_by_role("button", name=re.compile(r"[1-9]\d* (of|von) 300"))).to_be_visible(timeout=END_MS)


@scene("bandwidth:30000", heavy=True)
def job_100000(stage: Stage) -> None:
    stage.show("job = ws.upload_texts({f'note-{number:06}.txt': 'x' * (number % 90 + 1) for number in range(100_000)})")
    expect(stage.job).to_contain_text(re.compile(r"100[.,]000"), timeout=END_MS)
    stage.job.get_by_role("button", name=stage.say("Receipt")).click()
    expect(stage.job.get_by_role("button", name=stage.say("Next"))).to_be_visible(timeout=END_MS)
