"""run, submit, arun and notify, inside this process."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterator

import pytest

from deepset_nb import bridge
from deepset_nb._task import current_task
from deepset_nb.bridge import BridgeTask, arun, notify, run, submit
from deepset_nb.errors import Cancelled, StillRunning


class Recorder:
    """Work that goes on until it is cancelled, and takes a moment to clean up."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.cleaned_up = False

    async def forever(self) -> None:
        self.started.set()
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.05)
            self.cleaned_up = True


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture(autouse=True)
def nothing_is_left_running(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    before = run(_tasks)
    yield
    assert run(_tasks) <= before
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def _tasks() -> set[object]:
    return {*asyncio.all_tasks(), *bridge._running()} - {asyncio.current_task(), current_task.get()}


async def double(number: int, *, pause: float = 0.01) -> int:
    await asyncio.sleep(pause)
    return 2 * number


async def fail() -> None:
    raise ValueError("no")


def in_thread(fn: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=fn)
    thread.start()
    return thread


# -- run


def test_run_returns_what_the_coroutine_returns() -> None:
    assert run(double, 2, pause=0) == 4


def test_run_raises_what_the_coroutine_raises() -> None:
    with pytest.raises(ValueError, match="no"):
        run(fail)


def test_run_raises_on_wrong_arguments_like_any_call() -> None:
    with pytest.raises(TypeError):
        run(double)  # type: ignore[call-arg]


def test_run_works_under_a_running_loop() -> None:
    async def main() -> int:
        return run(double, 2)

    assert asyncio.run(main()) == 4


def test_run_works_in_many_threads_at_once() -> None:
    results: list[int] = []
    threads = [in_thread(lambda n=n: results.append(run(double, n))) for n in range(8)]  # type: ignore[misc]
    for thread in threads:
        thread.join()
    assert sorted(results) == [0, 2, 4, 6, 8, 10, 12, 14]


def test_a_synchronous_call_inside_a_coroutine_on_the_bridge_loop_works() -> None:
    async def outer() -> int:
        return run(double, run(double, 1))

    assert run(outer) == 4
    assert asyncio.run(arun(outer)) == 4


def test_result_of_another_task_inside_a_coroutine_on_the_bridge_loop_works() -> None:
    async def outer() -> int:
        return submit(double, 3).result()

    assert run(outer) == 6


def test_context_variables_go_along() -> None:
    place = contextvars.ContextVar("place", default="nowhere")

    async def look() -> str:
        return place.get()

    place.set("here")
    assert (run(look), submit(look).result(), asyncio.run(arun(look))) == ("here", "here", "here")


def test_work_that_has_ended_lets_go_of_what_its_context_held_at_once() -> None:
    class Message:
        """As a kernel keeps it while it is being handled."""

    parent: contextvars.ContextVar[Message] = contextvars.ContextVar("parent")

    def handle() -> weakref.ref[Message]:
        message = Message()
        parent.set(message)
        kept.append(submit(double, 1))
        return weakref.ref(message)

    kept: list[BridgeTask[int]] = []
    gc.collect()
    gc.disable()
    try:
        message = contextvars.copy_context().run(handle)
        assert kept[0].result(5) == 2
        for _ in range(100):  # the loop itself still has a step to go
            run(asyncio.sleep, 0)
        assert message() is None
    finally:
        gc.enable()


def test_run_raises_cancelled_when_somebody_else_cancels(recorder: Recorder) -> None:
    def cancel() -> None:
        recorder.started.wait(10)
        for task in bridge._running():
            task.cancel()

    thread = in_thread(cancel)
    with pytest.raises(Cancelled):
        run(recorder.forever)
    thread.join()
    assert recorder.cleaned_up


def test_system_exit_in_a_coroutine_reaches_the_caller_and_the_bridge_survives() -> None:
    async def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        run(leave)
    assert run(double, 1) == 2


# -- notify


def test_a_callback_runs_in_the_waiting_main_thread_and_may_call_the_synchronous_api() -> None:
    seen: list[tuple[int, bool]] = []

    def callback(number: int) -> None:
        seen.append((run(double, number), threading.current_thread() is threading.main_thread()))

    async def work() -> None:
        for number in range(3):
            notify(callback, number)

    run(work)
    assert seen == [(0, True), (2, True), (4, True)]


def test_a_callback_of_a_synchronous_call_inside_a_coroutine_runs_in_the_main_thread() -> None:
    threads: list[threading.Thread] = []

    async def inner() -> None:
        notify(lambda: threads.append(threading.current_thread()))

    async def outer() -> None:
        run(inner)

    run(outer)
    assert threads == [threading.main_thread()]


def test_a_callback_runs_where_it_is_made_when_nobody_waits() -> None:
    async def work() -> threading.Thread:
        threads: list[threading.Thread] = []
        notify(lambda: threads.append(threading.current_thread()))
        return threads[0]

    assert submit(work).result().name == "deepset_nb"


def test_a_task_that_outlives_its_run_still_gets_its_callbacks() -> None:
    called = threading.Event()

    async def late() -> None:
        await asyncio.sleep(0.05)
        notify(called.set)

    async def work() -> BridgeTask[None]:
        return submit(late)

    run(work).result()
    assert called.is_set()


def test_an_error_in_a_callback_cancels_the_work_and_is_the_callers(recorder: Recorder) -> None:
    def callback() -> None:
        raise LookupError("broken bar")

    async def work() -> None:
        notify(callback)
        await recorder.forever()

    with pytest.raises(LookupError, match="broken bar"):
        run(work)
    assert recorder.cleaned_up


# -- submit


def test_submit_returns_before_the_work_is_done() -> None:
    task = submit(double, 4, pause=0.1)
    assert not task.done()
    assert task.result() == 8
    assert task.done()


def test_result_with_a_timeout_says_that_the_work_goes_on() -> None:
    task = submit(double, 4, pause=0.3)
    with pytest.raises(StillRunning, match=r"still running after 0\.01 s"):
        task.result(timeout=0.01)
    assert task.result(timeout=10) == 8


def test_an_error_stays_in_the_task_until_somebody_asks() -> None:
    task = submit(fail)
    assert isinstance(task.future.exception(10), ValueError)
    with pytest.raises(ValueError, match="no"):
        task.result()


def test_cancel_resolves_after_the_clean_up(recorder: Recorder) -> None:
    task = submit(recorder.forever)
    recorder.started.wait(10)
    assert task.cancel()
    assert task.cancel()  # a second click does not disturb the clean-up
    with pytest.raises(Cancelled, match="cancelled before its end"):
        task.result(10)
    assert recorder.cleaned_up
    assert not task.cancel()


def test_cancel_before_the_first_step_never_starts_the_work(recorder: Recorder) -> None:
    async def occupied() -> BridgeTask[None]:
        task = submit(recorder.forever)
        task.cancel()
        return task

    with pytest.raises(Cancelled):
        run(occupied).result(10)
    assert not recorder.started.is_set()


def test_cancel_reaches_a_synchronous_call_inside_a_coroutine(recorder: Recorder) -> None:
    cleaned_up = []

    async def outer() -> None:
        try:
            run(recorder.forever)
        finally:
            await asyncio.sleep(0.05)
            cleaned_up.append("outer")

    task = submit(outer)
    recorder.started.wait(10)
    task.cancel()
    with pytest.raises(Cancelled):
        task.result(10)
    assert recorder.cleaned_up
    assert cleaned_up == ["outer"]


def test_done_callbacks_get_the_task_now_or_later() -> None:
    seen: list[int] = []
    task = submit(double, 1, pause=0.05)
    task.add_done_callback(lambda ended: seen.append(ended.result()))
    task.result()
    task.add_done_callback(lambda ended: seen.append(ended.result()))
    _until(lambda: seen == [2, 2])


# -- arun


def test_arun_leaves_the_awaiting_loop_free() -> None:
    async def main() -> list[int]:
        return list(await asyncio.gather(*(arun(double, n, pause=0.1) for n in range(20))))

    assert asyncio.run(main()) == list(range(0, 40, 2))


def test_arun_cancelled_cancels_the_work_and_waits_for_its_clean_up(recorder: Recorder) -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(arun(recorder.forever), 0.2)
        assert recorder.cleaned_up

    asyncio.run(main())


def test_arun_that_is_dropped_cancels_the_work(recorder: Recorder) -> None:
    async def main() -> None:
        coroutine = arun(recorder.forever)
        coroutine.send(None)  # the first step, as a loop would do it
        await asyncio.to_thread(recorder.started.wait, 10)
        coroutine.close()

    asyncio.run(main())
    _until(lambda: recorder.cleaned_up)


def test_a_loop_that_closes_early_does_not_disturb_the_work() -> None:
    tasks: list[BridgeTask[int]] = []

    async def main() -> None:
        tasks.append(submit(double, 5, pause=0.2))
        tasks[0].ended(asyncio.get_running_loop())

    asyncio.run(main())
    assert tasks[0].result() == 10


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
