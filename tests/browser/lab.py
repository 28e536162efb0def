"""JupyterLab in one page of a real browser: open a notebook, run it, change the theme, drop files, take pictures."""

from __future__ import annotations

import json
import re
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Locator, Page

from tests.browser.server import JupyterServer
from tests.process import ROOT, SCRATCH

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
SHOTS = SCRATCH / "shots"
AXE = ROOT / "js" / "node_modules" / "axe-core" / "axe.min.js"
CELL_LIMIT_S = 90
# Beside the cells.
ASK = """async (code) => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const future = kernel.requestExecute({ code });
    let text = "";
    future.onIOPub = ({ header, content }) => {
        if (header.msg_type === "stream") text += content.text;
        if (header.msg_type === "error") text += content.traceback.join("\\n");
    };
    const reply = await future.done;
    if (reply.content.status !== "ok") throw new Error(text);
    return text;
}"""
FAILED = pytest.StashKey[bool]()  # whether a test has failed


class Lab:
    """One JupyterLab page. A new notebook in it costs a second, a new page five: tests share it."""

    def __init__(self, page: Page, server: JupyterServer) -> None:
        self.page = page
        self.server = server

    def start(self) -> None:
        """Load the application."""
        workspace = uuid.uuid4().hex[:8]
        self.page.goto(
            f"{self.server.url}/lab/workspaces/{workspace}?reset&token={self.server.token}",
            wait_until="domcontentloaded",
        )
        self.page.wait_for_function("() => !!window.jupyterapp")
        self.evaluate("async () => { await window.jupyterapp.restored }")
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")
        self.evaluate("() => window.jupyterapp.shell.collapseLeft()")  # room for what is tested

    def evaluate(self, function: str, argument: object = None, limit_s: float = 60) -> Any:
        """Call a JavaScript function of one argument; page.evaluate alone would wait for ever."""
        race = """async ([source, argument, limit]) => {
            let timer;
            const late = new Promise((_, reject) => { timer = setTimeout(() => {
                const dialog = document.querySelector(".jp-Dialog")?.innerText ?? "none";
                reject(new Error(`no answer in ${limit} ms; open dialog: ${dialog}`));
            }, limit) });
            try { return await Promise.race([(0, eval)(`(${source})`)(argument), late]) }
            finally { clearTimeout(timer) }
        }"""
        return self.page.evaluate(race, [function, argument, limit_s * 1000])

    def command(self, name: str, args: dict[str, object] | None = None, limit_s: float = 60) -> None:
        """Run a command of the application and await what it promises."""
        self.evaluate(
            "async ([name, args]) => { await window.jupyterapp.commands.execute(name, args) }",
            [name, args or {}],
            limit_s,
        )

    def open(self, notebook: Path | Sequence[str]) -> Path:
        """Open a notebook file, or the cells of a new one; returns once its kernel answers."""
        folder = self.server.root / uuid.uuid4().hex[:8]
        if isinstance(notebook, Path):
            shutil.copytree(notebook.parent, folder)  # with the files it reads
            path = folder / notebook.name
        else:
            folder.mkdir()
            path = folder / "test.ipynb"
            path.write_text(json.dumps(notebook_of(notebook)))
        self._open(path)
        return path

    def _open(self, path: Path) -> None:
        # The execution indicator is no sign of readiness: it says "idle" before there is a session, and a
        # "Run All" at that moment asks for a kernel in a dialog.
        self.evaluate(
            """async (path) => {
                const app = window.jupyterapp;
                const opened = await app.commands.execute("docmanager:open", { path, factory: "Notebook" });
                await opened.context.ready;
                await opened.sessionContext.ready;
                await opened.sessionContext.session.kernel.info;
                app.shell.activateById(opened.id);
            }""",
            str(path.relative_to(self.server.root)),
        )

    def open_again(self, path: Path) -> None:
        """Open a notebook that was open before; it finds its kernel."""
        self._open(path)

    def run_all(self, limit_s: float = CELL_LIMIT_S) -> None:
        """Run every cell of the current notebook and wait for the last."""
        self.command("notebook:run-all-cells", limit_s=limit_s)

    def show(self, *cells: str) -> None:
        """Open a notebook of these cells and run it."""
        self.open(cells)
        self.run_all()
        assert self.errors() == []

    def add(self, cell: str, limit_s: float = CELL_LIMIT_S) -> Locator:
        """Run one more cell, at the end of the current notebook; returns its output."""
        number: int = self.evaluate(
            """async (source) => {
                const { content } = window.jupyterapp.shell.currentWidget;
                content.model.sharedModel.addCell({ cell_type: "code", source, metadata: { trusted: true } });
                const number = content.widgets.length - 1;
                content.activeCellIndex = number; // a widget that takes the focus meanwhile makes its own cell active
                await window.jupyterapp.commands.execute("notebook:run-cell");
                return number;
            }""",
            cell,
            limit_s,
        )
        assert self.errors() == []
        return self.page.locator(".jp-Notebook .jp-Cell").nth(number).locator(".jp-OutputArea")

    def run(self, cell: str, limit_s: float = CELL_LIMIT_S) -> str:
        """Run code in the current notebook's kernel, beside its cells; returns what it printed."""
        printed: str = self.evaluate(ASK, cell, limit_s)
        return printed

    def errors(self) -> list[str]:
        """The tracebacks shown in the current notebook."""
        found: list[str] = self.evaluate(
            """() => window.jupyterapp.shell.currentWidget.content.widgets.flatMap((cell) =>
                (cell.model.toJSON().outputs ?? []).filter((output) => output.output_type === "error")
                    .map((output) => `${output.ename}: ${output.evalue}`))"""
        )
        return found

    def save(self) -> None:
        """Save the current notebook."""
        self.command("docmanager:save")

    def set_theme(self, theme: Theme) -> None:
        """Change the application's theme and wait until it shows."""
        self.command("apputils:change-theme", {"theme": f"JupyterLab {theme.capitalize()}"})
        light = json.dumps(theme == "light")
        self.page.wait_for_function("(light) => document.body.dataset.jpThemeLight === light", arg=light)
        self.page.locator("#jupyterlab-splash").wait_for(state="detached")

    def drop(self, target: Locator, paths: Sequence[Path]) -> None:
        """Drop files and folders of the disk on an element.

        Through the browser's own input, so that the event is trusted: a made-up DataTransfer has no folder entries.
        """
        target.scroll_into_view_if_needed()
        box = target.bounding_box()
        assert box is not None, "the element to drop on is not visible"
        where = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        devtools = self.page.context.new_cdp_session(self.page)
        try:
            for kind in ("dragEnter", "dragOver", "drop"):
                devtools.send("Input.dispatchDragEvent", {"type": kind, **where, "data": data})
        finally:
            devtools.detach()

    def picture(self, name: str, element: Locator | None = None) -> Path:
        """A screenshot in .tests/shots/, of the page or of one element."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        path = SHOTS / (re.sub(r"[^\w.-]+", "-", name) + ".png")
        (element or self.page).screenshot(path=path)
        return path

    def close_notebooks(self) -> None:
        """Close every notebook without saving, and end its kernel."""
        self.evaluate(
            """async () => {
                for (const open of [...window.jupyterapp.shell.widgets("main")]) {
                    if (!open.context) continue;
                    open.context.model.dirty = false;  // else it asks whether to save
                    await open.sessionContext?.shutdown();
                    open.dispose();
                }
            }"""
        )
        self.server.end_kernels()


def notebook_of(cells: Sequence[str]) -> dict[str, object]:
    """A notebook as JSON, with a kernel named, so that nobody is asked to choose one."""
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "source": cell,
                "metadata": {},
                "outputs": [],
                "execution_count": None,
            }
            for number, cell in enumerate(cells)
        ],
    }
