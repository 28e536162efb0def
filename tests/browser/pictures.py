"""`python -m tests.browser.pictures`: make the README's screenshots, light and dark, from real JupyterLab.

Look at them before committing them.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from deepset_nb._places import notebooks_folder
from deepset_nb.emulator import SandboxConfig, SandboxServer
from tests.browser.lab import THEMES, Lab
from tests.browser.server import JupyterServer
from tests.tools import find_chromium

IMAGES = notebooks_folder() / "images"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
CELLS = (
    "import deepset_nb as dn\nws = dn.sandbox()",
    'job = ws.upload("faulty/").wait()',
    'job = ws.upload("documents/")',
    "ws.session_browser()",
)
FAULTY = {
    "comet.txt": "Halley's comet returns in 2061.",
    "comet.txt.meta.json": '{"topic": "comets",}',
    "moon.txt": "The Moon is 384,400 kilometres away.",
}


def main() -> None:
    """Run the cells in both themes and take a picture each."""
    chromium = find_chromium()
    assert chromium, "there is no chromium"
    for theme in THEMES:
        # Slow enough that the first upload is still being ingested when the picture is taken.
        server = SandboxServer(SandboxConfig(corpus=False, ingest_rate=0.8))
        joined = json.dumps(dataclasses.asdict(server.start()))
        with (
            tempfile.TemporaryDirectory() as home,
            JupyterServer(Path(home), {"DEEPSET_NB_SANDBOX": joined}) as jupyter,
            sync_playwright() as playwright,
        ):
            browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            page = browser.new_page(viewport={"width": 1060, "height": 1030}, device_scale_factor=1.5)
            lab = Lab(page, jupyter)
            lab.start()
            lab.set_theme(theme)
            notebook = lab.open(CELLS)
            (notebook.parent / "documents").symlink_to(notebooks_folder() / "documents")
            (notebook.parent / "faulty").mkdir()
            for name, text in FAULTY.items():
                (notebook.parent / "faulty" / name).write_text(text)
            lab.run_all()
            page.get_by_role("button", name="Refresh").click()
            expect(page.locator(".dnb-browser .dnb-row")).to_have_count(2)
            expect(page.locator(".dnb-job").last).to_contain_text("5 of 12 files", timeout=30_000)
            IMAGES.mkdir(exist_ok=True)
            page.locator(".jp-Notebook").first.screenshot(path=IMAGES / f"upload-{theme}.png")
            browser.close()
        server.stop()


if __name__ == "__main__":
    main()
