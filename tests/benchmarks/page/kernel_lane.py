"""A file from the page to the kernel: our uploader, and ipywidgets.FileUpload."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from pathlib import Path

import deepset_nb as dn
from tests.benchmarks.page.lab import Lab
from tests.benchmarks.page.watching import Watched, renderer
from tests.benchmarks.processes import Failed, Measured

LIMIT_S = 600.0
ROOM = "import deepset_nb as dn\nws = dn.sandbox()"
LANE = {"lane": "kernel"} if "lane" in inspect.signature(dn.Workspace.uploader).parameters else {}
SHOW = f"uploader = ws.uploader(**{LANE})\nuploader"
FILE_INPUT = "document.querySelector('.jp-OutputArea input[data-dnb=files]')"
# Its input is never in the document; the click that opens it tells which it is.
CATCH_INPUT = """() => {
    HTMLInputElement.prototype.click = function () { window.benchInput = this; };
    document.querySelector('.jp-OutputArea button.widget-upload').click();
    return !!window.benchInput;
}"""
WATCH = """
import gc, threading, time
bench_ended = 0.0
def bench_watch():
    global bench_ended
    while ({held}) != {size}:
        time.sleep(0.005)
    bench_ended = time.time()
threading.Thread(target=bench_watch, daemon=True).start()
gc.collect()
"""


def uploader(lab: Lab, file: Path) -> Measured:
    """Our uploader, until its spool in the kernel holds the file whole."""
    with lab.notebook([ROOM, SHOW]):
        lab.run(0)
        lab.run(1)
        lab.page.until(FILE_INPUT)
        held = "sum(one.size for one in uploader.files)"
        return _measured(lab, lambda: lab.page.choose(FILE_INPUT, [file]), held, file)


def file_upload(lab: Lab, file: Path) -> Measured:
    """ipywidgets.FileUpload, until its value in the kernel is the file."""
    with lab.notebook(["import ipywidgets\nupload = ipywidgets.FileUpload()", "upload"]):
        lab.run(0)
        lab.run(1)
        lab.page.until("document.querySelector('.jp-OutputArea button.widget-upload')")
        if not lab.page.call(CATCH_INPUT):
            raise Failed("FileUpload's button opens no input any more")
        held = "sum(one.size for one in upload.value)"
        return _measured(lab, lambda: lab.page.choose("window.benchInput", [file]), held, file)


def _measured(lab: Lab, choose: Callable[[], None], held: str, file: Path) -> Measured:
    """Seconds from choosing the file until ``held``, an expression in the kernel, says its size."""
    kernel = int(lab.ask("import os; print(os.getpid())"))
    size = file.stat().st_size
    # Watched by a thread of the kernel, so that no clock of the page or of this process has a part in the end.
    lab.ask(WATCH.format(held=held, size=size))
    with Watched(kernel=kernel, server=lab.server.pid, page=renderer(lab.browser.process.pid)) as watched:
        began = time.time()
        choose()
        while (ended := lab.ask("print(bench_ended or 'null')")) is None:
            if time.time() > began + LIMIT_S:
                raise Failed(f"{size:,} bytes did not arrive within {LIMIT_S:.0f} s")
            time.sleep(0.2)
        figures = watched.figures()
    return {"wall": ended - began, "mb_per_s": size / 1e6 / (ended - began)} | figures
