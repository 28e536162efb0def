"""A private JupyterLab with one notebook, its cells run one by one, and who is behind it: server, kernel, browser."""

from __future__ import annotations

import contextlib
import json
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks.page.cdp import Browser, Page
from tests.browser.lab import ASK, notebook_of
from tests.browser.server import JupyterServer

CELL_LIMIT_S = 300.0
# A server takes messages of 10 MiB; ipywidgets.FileUpload sends a whole file in one.
LIMITS = {"ServerApp": {"tornado_settings": {"websocket_max_message_size": 4 << 30}, "max_buffer_size": 4 << 30}}

OPEN = """async (path) => {
    const app = window.jupyterapp;
    const opened = await app.commands.execute("docmanager:open", { path, factory: "Notebook" });
    await opened.context.ready;
    await opened.sessionContext.ready;
    await opened.sessionContext.session.kernel.info;
    app.shell.activateById(opened.id);
}"""
RUN = """async (number) => {
    const app = window.jupyterapp, notebook = app.shell.currentWidget.content;
    notebook.activeCellIndex = number;
    await app.commands.execute("notebook:run-cell");
    const outputs = notebook.widgets[number].model.toJSON().outputs ?? [];
    const error = outputs.find((output) => output.output_type === "error");
    if (error) throw new Error(`${error.ename}: ${error.evalue}`);
}"""
CLOSE = """async () => {
    for (const open of [...window.jupyterapp.shell.widgets("main")]) {
        if (!open.context) continue;
        open.context.model.dirty = false;  // else it asks whether to save
        await open.sessionContext?.shutdown();
        open.dispose();
    }
}"""


class Lab:
    """JupyterLab in a page, one notebook at a time."""

    def __init__(self, server: JupyterServer, browser: Browser) -> None:
        self.server = server
        self.browser = browser
        self.page: Page = browser.page
        self.page.goto(f"{server.url}/lab/workspaces/{uuid.uuid4().hex[:8]}?reset&token={server.token}")
        self.page.until("window.jupyterapp")
        self.page.evaluate("window.jupyterapp.restored.then(() => true)")
        self.page.until("!document.querySelector('#jupyterlab-splash')")
        self.page.evaluate("window.jupyterapp.shell.collapseLeft()")

    @contextlib.contextmanager
    def notebook(self, cells: Sequence[str]) -> Iterator[None]:
        """A new notebook with a kernel of its own, current while the block runs."""
        path = self.server.root / f"{uuid.uuid4().hex[:8]}.ipynb"
        path.write_text(json.dumps(notebook_of(cells)))
        self.page.call(OPEN, path.name)
        try:
            yield
        finally:
            self.page.call(CLOSE)
            self.server.end_kernels()

    def run(self, number: int, limit_s: float = CELL_LIMIT_S) -> None:
        """Run one cell to its end."""
        self.page.call(RUN, number, limit_s=limit_s)

    def ask(self, code: str, limit_s: float = CELL_LIMIT_S) -> Any:
        """Run code beside the cells; what it printed, as JSON."""
        printed = self.page.call(ASK, code, limit_s=limit_s)
        return json.loads(printed) if printed else None


@contextlib.contextmanager
def jupyter(env: dict[str, str] | None = None) -> Iterator[JupyterServer]:
    """A server with raised limits, private folders and a private state of ours."""
    with tempfile.TemporaryDirectory(prefix="benchmark-jupyter-") as home:
        settings = Path(home) / "config" / "jupyter_server_config.json"
        settings.parent.mkdir()
        settings.write_text(json.dumps(LIMITS))
        with JupyterServer(Path(home), {"DEEPSET_NB_STATE": f"{home}/state", **(env or {})}) as server:
            yield server


@contextlib.contextmanager
def lab(server: JupyterServer) -> Iterator[Lab]:
    """A fresh browser with JupyterLab loaded."""
    with Browser() as browser:
        yield Lab(server, browser)
