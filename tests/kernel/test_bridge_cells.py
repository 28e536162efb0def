"""Cells that use the bridge, in a real kernel."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kernel.kernel_driver import Kernel

IMPORTS = "import asyncio, time; from deepset_nb.bridge import arun, iterate, notify, run, submit"


@pytest.fixture(autouse=True)
def imports(kernel: Kernel) -> None:
    kernel.run_cell(IMPORTS)


def test_run_all_behind_a_blocking_cell_runs_every_cell(kernel: Kernel) -> None:
    cells = kernel.queue_cells("run(asyncio.sleep, 0.5)", *(f"print({n})" for n in range(6)))
    outcomes = kernel.finish(*cells)
    assert outcomes == [("", None), *((str(n), None) for n in range(6))]


def test_run_all_behind_an_awaiting_cell_runs_every_cell(kernel: Kernel) -> None:
    cells = kernel.queue_cells("await arun(asyncio.sleep, 0.5)", *(f"print({n})" for n in range(6)))
    outcomes = kernel.finish(*cells)
    assert outcomes == [("", None), *((str(n), None) for n in range(6))]


def test_a_synchronous_call_inside_a_coroutine_works_in_a_cell(kernel: Kernel) -> None:
    code = """
async def inner(): await asyncio.sleep(0.01); return 20
async def outer(): return run(inner) + run(inner)
print(run(outer), await arun(outer))
"""
    assert kernel.run_cell(code) == ("40 40", None)


def test_a_callback_runs_in_the_main_thread_on_the_kernels_loop(kernel: Kernel) -> None:
    code = """
import threading
kernels_loop = asyncio.get_running_loop()
def callback():
    print(threading.current_thread() is threading.main_thread(), asyncio.get_running_loop() is kernels_loop)
async def work(): notify(callback)
run(work)
"""
    assert kernel.run_cell(code) == ("True True", None)


def test_an_exception_of_the_work_is_the_cells(kernel: Kernel) -> None:
    kernel.run_cell("async def fails(): raise ValueError('no')")
    assert kernel.run_cell("run(fails)").error == "ValueError: no"
    assert kernel.run_cell("await arun(fails)").error == "ValueError: no"
    assert kernel.run_cell("submit(fails)").error is None


def test_a_print_in_a_job_lands_in_the_calling_cell(kernel: Kernel) -> None:
    [calling, later] = kernel.queue_cells(
        """
async def talk():
    await asyncio.sleep(0.3)
    print("from the job")
task = submit(talk)
""",
        "task.result(); print('later')",
    )
    kernel.finish(calling, later)
    kernel.wait_for(lambda: calling.text)
    assert (calling.text, later.text) == ("from the job", "later")


def test_iterate_reads_in_a_cell_and_break_closes_the_generator(kernel: Kernel) -> None:
    code = """
async def pages():
    try:
        for number in range(100): yield number
    finally:
        print("closed")
for page in iterate(pages):
    if page == 2: break
print(page)
"""
    outcome = kernel.run_cell(code)
    assert outcome.error is None
    assert outcome.text.split() == ["closed", "2"]


def test_the_kernels_asyncio_stays_as_it_was(kernel: Kernel) -> None:
    code = """
import _asyncio
kernels_loop = asyncio.get_running_loop()
print(asyncio.Task is _asyncio.Task, hasattr(kernels_loop, "_nest_patched"))
"""
    kernel.run_cell("run(asyncio.sleep, 0)")
    assert kernel.run_cell(code) == ("True False", None)


def test_a_kernel_on_uvloop_works_the_same(new_kernel: Callable[..., Kernel]) -> None:
    kernel = new_kernel(uvloop=True)
    first, *rest = kernel.queue_cells(
        f"{IMPORTS}\nprint(type(asyncio.get_running_loop()).__module__)\nrun(asyncio.sleep, 0.3)",
        "print(1)",
        "await arun(asyncio.sleep, 0.1); print(2)",
    )
    kernel.finish(first, *rest)
    assert [(cell.text, cell.error) for cell in (first, *rest)] == [("uvloop", None), ("1", None), ("2", None)]
