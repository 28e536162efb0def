"""Kernels as VS Code and Colab start them, and pages that never answer: an upload is followed all the same."""

from __future__ import annotations

import json

import pytest

from tests.kernel.kernel_driver import Kernel, Message

SMALL_BYTES = 1_000_000  # what Colab passes on in one message
SETUP = """
import os, pathlib, sys, tempfile, types
import deepset_nb as dn
from deepset_nb.widgets import show
show.HELLO_WITHIN_S = show.PLAIN_EVERY_S = 0.3
ws = dn.sandbox(faults=["bandwidth:100000"])
folder = pathlib.Path(tempfile.mkdtemp())
for number in range(8):
    (folder / f"{number}.txt").write_text("x" * 400_000)
"""
MARKS = {
    "VS Code": "os.environ.update(VSCODE_PID='1', VSCODE_CWD='/'); __vsc_ipynb_file__ = 'x.ipynb'",
    "Colab": """
os.environ.update(COLAB_RELEASE_TAG="release-colab_1", COLAB_JUPYTER_IP="127.0.0.1")
colab = types.ModuleType("google.colab")
sys.modules["google"], sys.modules["google.colab"] = types.ModuleType("google"), colab
""",
}


@pytest.fixture(autouse=True, scope="module")
def _set_up(kernel: Kernel) -> None:
    assert kernel.run_cell(SETUP).error is None


def size_of(message: Message) -> int:
    return len(json.dumps(message["content"])) + sum(len(bytes(part)) for part in message["buffers"])


@pytest.mark.parametrize("frontend", MARKS)
def test_an_upload_that_no_page_answers_is_shown_as_html_that_is_updated(kernel: Kernel, frontend: str) -> None:
    assert kernel.run_cell(MARKS[frontend]).error is None
    since = len(kernel.messages)
    outcome = kernel.run_cell(
        f"job = ws.upload(folder, resume=False)\njob.wait()\nprint(len(job.failed), {frontend!r})"
    )
    assert (outcome.error, outcome.text.endswith(f"0 {frontend}")) == (None, True)
    messages = kernel.messages[since:]
    [display] = [m["content"] for m in messages if m["msg_type"] == "display_data"]
    key = display["transient"]["display_id"]
    updates = [m["content"] for m in messages if m["msg_type"] == "update_display_data"]
    *between, last = [content["data"]["text/html"] for content in updates if content["transient"]["display_id"] == key]

    assert any("plain form" in html and "Sending" in html for html in between)
    assert len(set(between)) >= 2
    assert "All 8 files are on the platform" in last
    assert "plain form" not in last


@pytest.mark.parametrize("widget", ["ws.uploader()", "ws.session_browser()", "ws.dashboard()"])
def test_no_message_of_a_widget_is_too_large_for_colab(kernel: Kernel, widget: str) -> None:
    since = len(kernel.messages)
    assert kernel.run_cell(f"shown = {widget}\nshown").error is None
    sizes = [size_of(message) for message in kernel.messages[since:] if message["channel"] == "iopub"]

    assert max(sizes) > 20_000  # a bundle was among them
    assert max(sizes) < SMALL_BYTES / 4
