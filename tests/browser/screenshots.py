"""`python -m tests.browser.screenshots [names] [--out DIR] [--language de]`: pictures of every widget in every state.

Light, dark, in forced colours and in a narrow cell, from real kernels and a sandbox that misbehaves as asked;
`sheet-*.png` show all at once. `--readme` makes the README's pictures instead. Look at them before committing any.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import dataclasses
import itertools
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize, expect, sync_playwright

from deepset_nb._places import notebooks_folder
from deepset_nb.emulator import Connection, SandboxConfig, SandboxServer
from tests.browser.checks import NARROW, WIDE
from tests.browser.lab import SHOTS, THEMES, Lab, Theme
from tests.browser.scenes import SCENES, Faults, Stage
from tests.browser.server import JupyterServer
from tests.tools import find_chromium

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
LOOKS: tuple[tuple[str, Theme, ViewportSize], ...] = (
    ("dark", "dark", WIDE),
    ("light", "light", WIDE),
    ("forced", "light", WIDE),
    ("narrow", "light", NARROW),
)


@contextlib.contextmanager
def jupyterlab(
    config: SandboxConfig,
    *,
    width: int = WIDE["width"],
    height: int = WIDE["height"],
    scale: float = 1,
    language: str = "en-GB",
) -> Iterator[tuple[Lab, Connection]]:
    """JupyterLab in a page of its own, and the sandbox its kernels join."""
    chromium = find_chromium()
    assert chromium, "there is no chromium"
    server = SandboxServer(config)
    connection = server.start()
    try:
        with (
            tempfile.TemporaryDirectory() as home,
            JupyterServer(Path(home), {"DEEPSET_NB_SANDBOX": json.dumps(dataclasses.asdict(connection))}) as jupyter,
            sync_playwright() as playwright,
            playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS) as browser,
        ):
            page = browser.new_page(
                viewport={"width": width, "height": height}, device_scale_factor=scale, locale=language
            )
            lab = Lab(page, jupyter)
            lab.start()
            yield lab, connection
    finally:
        server.stop()


def take(names: Sequence[str], folder: Path, language: str) -> None:
    """Set the scenes in one notebook, those of the same faults together, and go through all looks."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        jupyterlab(SandboxConfig(corpus=False, data=Path(data)), language=language) as (lab, sandbox),
        Faults(sandbox) as faults,
    ):
        lab.open(["import deepset_nb as dn"])
        lab.run_all()
        stage = Stage(lab, faults, language, Path(data))
        for _, group in itertools.groupby(names, key=lambda name: SCENES[name].faults):  # while they last
            shown = {name: stage.set(name) for name in group}
            for look, theme, size in LOOKS:
                lab.set_theme(theme)
                lab.page.set_viewport_size({**size, "height": 1600})  # a widget as high as the page would be cut off
                lab.page.emulate_media(forced_colors="active" if look == "forced" else "none")
                lab.page.wait_for_timeout(300)
                for name, widget in shown.items():
                    widget.screenshot(path=folder / f"{name}-{look}.png")
            lab.page.set_viewport_size(WIDE)
        for look, *_ in LOOKS:
            sheet(
                lab.page.context.browser,
                [folder / f"{name}-{look}.png" for name in names],
                folder / f"sheet-{look}.png",
            )


def sheet(browser: Browser | None, pictures: Sequence[Path], path: Path) -> None:
    """All pictures in one."""
    assert browser
    page = browser.new_page(viewport={"width": 1800, "height": 1000})
    columns = 1 + (len(pictures) > 4) + 2 * pictures[0].stem.endswith("narrow")
    figures = "".join(
        f"<figure><figcaption>{picture.stem}</figcaption>"
        f"<img src='data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode()}'></figure>"
        for picture in pictures
    )
    page.set_content(
        f"<!doctype html><style>body {{ columns: {columns}; font: 13px sans-serif; background: #888 }}"
        f" img {{ max-width: 100% }} figure {{ break-inside: avoid; margin: 0 0 14px }}</style>{figures}"
    )
    page.screenshot(path=path, full_page=True)
    page.close()


# --- the README's pictures ------------------------------------------------------------------------------------------

IMAGES = notebooks_folder() / "images"
BROWSER = "files-chosen"  # the scene beside it
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


def readme(theme: Theme) -> None:
    """A notebook with one upload that failed in part, one under way, and the sessions."""
    # Slow enough that the second upload is still being ingested when the picture is taken.
    config = SandboxConfig(corpus=False, ingest_rate=0.8)
    with jupyterlab(config, width=1060, height=1200, scale=1.5) as (lab, _):
        lab.set_theme(theme)
        notebook = lab.open(CELLS)
        (notebook.parent / "documents").symlink_to(notebooks_folder() / "documents")
        (notebook.parent / "faulty").mkdir()
        for name, text in FAULTY.items():
            (notebook.parent / "faulty" / name).write_text(text)
        lab.run_all()
        lab.page.get_by_role("button", name="Refresh").click()
        expect(lab.page.locator(".dnb-browser .dnb-row")).to_have_count(2)
        expect(lab.page.locator(".dnb-job").last).to_contain_text("5 of 12 files", timeout=30_000)
        lab.page.mouse.move(0, 0)
        IMAGES.mkdir(exist_ok=True)
        lab.page.locator(".jp-Notebook").first.screenshot(path=IMAGES / f"upload-{theme}.png")


def main() -> None:
    """Take the pictures that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.screenshots", description=__doc__)
    heavy = [name for name, one in SCENES.items() if one.heavy]
    parser.add_argument(
        "names",
        nargs="*",
        help=f"of {', '.join(SCENES)}; without: all but {', '.join(heavy) or 'none'}",
    )
    parser.add_argument("--out", type=Path, default=SHOTS / "widgets")
    parser.add_argument("--language", default="en-GB")
    parser.add_argument("--readme", action="store_true", help="the README's pictures, light and dark")
    asked = parser.parse_args()
    if asked.readme:
        for theme in THEMES:
            readme(theme)
        with tempfile.TemporaryDirectory() as folder:
            take([BROWSER], Path(folder), asked.language)
            for theme in THEMES:
                shutil.copy(Path(folder) / f"{BROWSER}-{theme}.png", IMAGES / f"files-{theme}.png")
        return
    if unknown := set(asked.names) - set(SCENES):
        parser.error(f"there is no scene {', '.join(sorted(unknown))}; there are {', '.join(SCENES)}")
    names = [name for name in SCENES if (name in asked.names if asked.names else not SCENES[name].heavy)]
    take(names, asked.out, asked.language)
    print(asked.out)


if __name__ == "__main__":
    main()
