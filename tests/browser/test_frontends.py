"""The same three widgets in every notebook front end that runs here: upload, watch, browse."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from deepset_nb.emulator import Connection
from tests.browser.cells import END_MS, expect_tone, join
from tests.browser.lab import FAILED, SHOTS, Lab, Theme, notebook_of
from tests.browser.marimo_server import MarimoServer
from tests.browser.server import JupyterServer

CELLS = (
    "job = ws.upload(folder)\njob",
    "uploader = ws.uploader()\nuploader",
    "ws.session_browser()",
    "ws.file_browser()",
)
OPEN_MS = 60_000  # a new page, a new kernel


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of its own; a failed test leaves a picture of its end."""
    context = browser.new_context(viewport={"width": 1280, "height": 1600})
    context.set_default_timeout(30_000)
    page = context.new_page()
    yield page
    if request.node.stash.get(FAILED, False):
        page.screenshot(path=SHOTS / f"failed-{request.node.originalname}.png")
    context.close()


def upload_watch_and_browse(page: Page, tmp_path: Path, name: str, theme: Theme) -> None:
    """What a user does first, the same everywhere."""
    panels = page.locator(".dnb-job")
    expect(panels).to_have_count(1, timeout=OPEN_MS)  # shown by itself and as the cell's value: still one
    expect_tone(panels.first, "ok")
    expect(panels.first).to_contain_text("All 2 files are on the platform")

    (tmp_path / "from-here.txt").write_bytes(b"here" * 200_000)
    page.locator("input[data-dnb=files]").set_input_files([tmp_path / "from-here.txt"])
    expect(page.locator("tbody tr", has_text="Ready")).to_have_count(1, timeout=END_MS)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(panels).to_have_count(2)
    expect_tone(panels.last, "ok")

    expect(panels.last.locator("xpath=..")).to_have_attribute("data-theme", theme)
    sessions = page.get_by_label("Upload sessions", exact=True).first
    sessions.get_by_role("button", name="Refresh").click()
    rows = sessions.get_by_role("row").filter(has_text="Closed")
    expect(rows).to_have_count(3, timeout=END_MS)  # of the corpus, and of both uploads
    files = page.get_by_label("Files", exact=True).first
    files.get_by_label("Name contains").fill("from-here")
    expect(files.get_by_role("row").filter(has_text="from-here.txt")).to_have_count(1, timeout=END_MS)
    page.screenshot(path=SHOTS / f"{name}.png")


def saved_cells(jupyter: JupyterServer, *cells: str) -> str:
    """A notebook on the server; its name."""
    path = jupyter.root / "frontend.ipynb"
    path.write_text(json.dumps(notebook_of(cells)))
    return path.name


def test_notebook_7(page: Page, jupyter: JupyterServer, tmp_path: Path) -> None:
    name = saved_cells(jupyter, join("notebook-7", a=1000, b=2000), *CELLS)
    page.goto(f"{jupyter.url}/notebooks/{name}?token={jupyter.token}", wait_until="domcontentloaded")
    page.wait_for_function("() => !!window.jupyterapp")
    notebook = Lab(page, jupyter)
    notebook.evaluate(
        """async () => {
            await window.jupyterapp.restored;
            const { context, sessionContext } = window.jupyterapp.shell.currentWidget;
            await context.ready;
            await sessionContext.ready;
            await sessionContext.session.kernel.info;
        }"""
    )
    notebook.set_theme("dark")
    notebook.run_all()
    upload_watch_and_browse(page, tmp_path, "notebook-7", "dark")
    notebook.set_theme("light")  # it is kept for the user


def test_voila(page: Page, jupyter: JupyterServer, tmp_path: Path) -> None:
    name = saved_cells(jupyter, join("voila", a=1000, b=2000), *CELLS)
    page.goto(f"{jupyter.url}/voila/render/{name}?theme=dark&token={jupyter.token}", timeout=OPEN_MS)
    upload_watch_and_browse(page, tmp_path, "voila", "dark")


def test_marimo(page: Page, sandbox: Connection, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    joined = {"DEEPSET_NB_SANDBOX": json.dumps(dataclasses.asdict(sandbox))}
    cells = (join("marimo", a=1000, b=2000), *CELLS)
    with MarimoServer(home, cells, joined, theme="light") as marimo:
        page.goto(marimo.url)
        upload_watch_and_browse(page, tmp_path, "marimo", "light")
