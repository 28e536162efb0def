"""Clicks and progress of widgets while a cell is busy, in a real kernel."""

from __future__ import annotations

import pytest

from tests.kernel.kernel_driver import Kernel

WIDGET = """
import asyncio, time, anywidget
from deepset_nb.bridge import arun, run, submit, unpin

cell_is_busy = False

class Clicks(anywidget.AnyWidget):
    _esm = "export default {}"

    def __init__(self):
        super().__init__()
        self.on_msg(lambda widget, content, buffers: self.send({**content, "during_cell": cell_is_busy}))

async def progress(widget, steps):
    for step in range(steps):
        widget.send({"step": step})
        await asyncio.sleep(0.05)

class busy:
    def __enter__(self):
        global cell_is_busy
        cell_is_busy = True
        print("busy")
    def __exit__(self, *_):
        global cell_is_busy
        cell_is_busy = False
"""


@pytest.fixture(autouse=True, scope="module")
def widget_class(kernel: Kernel) -> None:
    assert kernel.run_cell(WIDGET) == ("", None)


@pytest.fixture
def comm_id(kernel: Kernel) -> str:
    """Of a new widget, called ``widget`` in the kernel."""
    return kernel.run_cell("widget = Clicks(); print(widget.comm.comm_id)").text


def clicked_during(kernel: Kernel, comm_id: str, cell: str, subshells: list[str | None]) -> list[bool]:
    """Run a cell, click once in each shell while it is busy; whether the answers came while it was."""
    [blocking] = kernel.queue_cells(cell)
    kernel.wait_for(lambda: "busy" in blocking.text)
    for number, subshell_id in enumerate(subshells):
        kernel.send_comm(comm_id, {"click": number}, subshell_id=subshell_id)
    kernel.wait_for(lambda: len(kernel.comm_messages(comm_id)) == len(subshells))
    kernel.finish(blocking)
    assert blocking.error is None
    answers = sorted(kernel.comm_messages(comm_id), key=lambda answer: int(answer["click"]))
    assert [answer["click"] for answer in answers] == list(range(len(subshells)))
    return [answer["during_cell"] for answer in answers]


@pytest.mark.parametrize("blocking", ["run(asyncio.sleep, 0.6)", "await arun(asyncio.sleep, 0.6)", "time.sleep(0.6)"])
def test_no_click_is_lost_while_a_cell_blocks(kernel: Kernel, comm_id: str, blocking: str) -> None:
    subshells = [None, kernel.create_subshell()] if kernel.supports_subshells else [None]
    clicked_during(kernel, comm_id, f"with busy(): {blocking}", subshells * 10)


def test_an_unpinned_click_arrives_while_a_cell_blocks_where_the_kernel_has_subshells(
    kernel: Kernel, comm_id: str
) -> None:
    kernel.run_cell("unpin(widget)")
    subshell = kernel.create_subshell() if kernel.supports_subshells else None
    during = clicked_during(kernel, comm_id, "with busy(): run(asyncio.sleep, 0.8)", [subshell])
    assert during == [kernel.version >= (7,)]


def test_an_unpinned_click_arrives_after_the_busy_cell_itself_has_published(kernel: Kernel, comm_id: str) -> None:
    kernel.run_cell("unpin(widget)")
    subshell = kernel.create_subshell() if kernel.supports_subshells else None
    cell = "with busy(): widget.send_state('_view_name'); run(asyncio.sleep, 0.8)"
    assert clicked_during(kernel, comm_id, cell, [subshell]) == [kernel.version >= (7,)]


def test_a_click_to_the_busy_shell_itself_is_answered_after_the_cell(kernel: Kernel, comm_id: str) -> None:
    kernel.run_cell("unpin(widget)")
    assert clicked_during(kernel, comm_id, "with busy(): run(asyncio.sleep, 0.5)", [None]) == [False]


def test_unpin_is_harmless_on_closed_widgets_and_on_what_is_none(kernel: Kernel, comm_id: str) -> None:
    outcome = kernel.run_cell("unpin(widget); unpin(widget); widget.close(); unpin(widget); unpin(None)")
    assert outcome.error is None


@pytest.mark.parametrize("busy", ["while time.monotonic() < end: pass", "time.sleep(1)", "run(asyncio.sleep, 1)"])
def test_progress_arrives_while_a_later_cell_is_busy(kernel: Kernel, comm_id: str, busy: str) -> None:
    starting, later = kernel.queue_cells("task = submit(progress, widget, 400)", f"end = time.monotonic() + 1\n{busy}")
    kernel.finish(starting, later)
    began, ended = (kernel.messages.index(message) for message in later.messages("status"))
    during = [m for m in kernel.messages[began:ended] if m["msg_type"] == "comm_msg"]
    kernel.run_cell("task.cancel()")
    assert len(during) >= 5  # 20 where nothing else runs
