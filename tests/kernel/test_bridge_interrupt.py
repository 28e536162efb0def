"""The stop button and the end of the kernel, with real uploads to a slow server."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.kernel.kernel_driver import Cell, Kernel
from tests.kernel.slow_server import SlowServer

UPLOAD = """
import asyncio, httpx, os, pathlib, threading, time
from deepset_nb import bridge
from deepset_nb.bridge import arun, iterate, run, submit

async def body():
    for _ in range(5000):
        yield bytes(1000)
        await asyncio.sleep(0.005)

async def upload(url, parallel=3):
    try:
        async with httpx.AsyncClient(trust_env=False) as client, asyncio.TaskGroup() as group:
            for _ in range(parallel):
                group.create_task(client.post(url, content=body()))
    finally:
        await asyncio.sleep(0.05)  # clean-up that takes a moment
        print("cleaned up")

async def outer(url):
    run(upload, url)

async def calling_back(url):
    bridge.notify(run, upload, url)
    await asyncio.sleep(60)

async def pages(url):
    yield 1
    await upload(url)
"""


@pytest.fixture(autouse=True, scope="module")
def definitions(kernel: Kernel) -> None:
    assert kernel.run_cell(UPLOAD) == ("", None)


def stopped(kernel: Kernel, server: SlowServer, code: str) -> Cell:
    """Run a cell that uploads for ever, press stop once the server is busy; the cell when it has ended."""
    [cell] = kernel.queue_cells(code.replace("URL", repr(server.url)))
    kernel.wait_for(lambda: server.active == 3)
    kernel.interrupt()
    kernel.wait_for(lambda: cell.finished, timeout=2 + 3)  # within 2 s, and what a busy machine adds
    kernel.wait_for(lambda: server.active == 0, timeout=2)
    assert (server.aborted, server.finished) == (3, 0)
    assert kernel.run_cell("print(len(asyncio.all_tasks(bridge._bridge().loop)), len(bridge._running()))").text == "0 0"
    return cell


@pytest.mark.parametrize(
    "code",
    [
        "run(upload, URL)",
        "run(outer, URL)",
        "for page in iterate(pages, URL): pass",
        "run(calling_back, URL)",
        "await asyncio.sleep(0); run(upload, URL)",
    ],
    ids=["run", "run in a coroutine", "iterate", "run in a callback", "run in an awaiting cell"],
)
def test_the_stop_button_cancels_cleans_up_and_leaves_nothing_behind(
    kernel: Kernel, slow_server: SlowServer, code: str
) -> None:
    cell = stopped(kernel, slow_server, code)
    assert cell.error == "KeyboardInterrupt: "
    assert cell.text == "cleaned up"


def test_an_awaiting_cell_can_be_stopped(kernel: Kernel, slow_server: SlowServer) -> None:
    cell = stopped(kernel, slow_server, "await arun(upload, URL)")
    assert str(cell.error).startswith("CancelledError")
    assert cell.text == "cleaned up"


def test_a_submitted_upload_outlives_the_stop_button(kernel: Kernel, slow_server: SlowServer) -> None:
    kernel.run_cell(f"task = submit(upload, {slow_server.url!r})")
    [waiting] = kernel.queue_cells("print('waiting'); task.result()")
    kernel.wait_for(lambda: slow_server.active == 3 and waiting.text)
    kernel.interrupt()
    kernel.finish(waiting)
    assert waiting.error == "KeyboardInterrupt: "
    assert slow_server.active == 3
    assert kernel.run_cell("task.cancel(); task.result()").error == (
        "Cancelled: The work was cancelled before its end. Run it again to go on."
    )
    kernel.wait_for(lambda: slow_server.active == 0, timeout=2)


def test_many_stops_at_any_moment_leave_a_usable_bridge(kernel: Kernel) -> None:
    kernel.run_cell("async def busy():\n    while True: sum(range(2000)); await asyncio.sleep(0)")
    for attempt in range(8):
        [cell] = kernel.queue_cells("print('go')\nrun(busy)")
        kernel.wait_for(lambda cell=cell: cell.text)
        time.sleep(attempt * 0.007)
        kernel.interrupt()
        kernel.finish(cell)
        assert cell.error == "KeyboardInterrupt: "
    assert kernel.run_cell("run(asyncio.sleep, 0, 'fine')").text == "'fine'"


@pytest.mark.parametrize("on_exit", ["cancel", "wait"])
def test_a_kernel_that_is_shut_down_lets_running_work_clean_up(
    new_kernel: Callable[..., Kernel], slow_server: SlowServer, on_exit: str
) -> None:
    kernel = new_kernel()
    code = f"""
{UPLOAD}
async def work():
    try:
        await upload({slow_server.url!r})
    finally:
        looked_up = await asyncio.to_thread(lambda: "in a thread, too")
        pathlib.Path("last-words").write_text(looked_up)
        print("not finished")
task = submit(work, on_exit={on_exit!r})
"""
    [cell] = kernel.queue_cells(code)
    kernel.finish(cell)
    kernel.wait_for(lambda: slow_server.active == 3)
    kernel.shutdown()
    assert (kernel.folder / "last-words").read_text() == "in a thread, too"
    assert cell.text.splitlines() == ["cleaned up", "not finished"]
    assert "waiting for" not in kernel.complaints
