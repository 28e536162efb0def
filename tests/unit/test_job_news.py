"""Who is told of a job's states: in order, one after the other, and in the main thread while that waits."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

from deepset_nb.job import UploadJob
from deepset_nb.job_news import News
from deepset_nb.transfer.progress import Progress
from deepset_nb.transfer.receipt import Row

TARGET: Any = {"workspace": "w", "host": "h", "organisation": None}


class Steps:
    """A transfer of so many steps, each long enough to be told."""

    def __init__(self, steps: int = 4) -> None:
        self.progress = Progress(TARGET)
        self.job_id = "0" * 32
        self.steps = steps

    async def run(self) -> None:
        row = Row("a", "a", "a", self.steps, b"")
        self.progress.planned([row])
        self.progress.enter("sending", files=1, size=self.steps)
        try:
            for _ in range(self.steps):
                await asyncio.sleep(0.15)
                self.progress.bytes_sent(1)
        except asyncio.CancelledError:
            row.end("cancelled")
            raise
        row.end("ok")
        self.progress.end("done")

    def stop_sending(self) -> None:
        raise NotImplementedError

    def again(self) -> Steps:
        return Steps(self.steps)


def bytes_of(state: Any) -> int:
    return int(state["phases"][1]["bytes_done"])


def test_while_wait_blocks_the_main_thread_states_are_told_there_and_in_order() -> None:
    job, told = UploadJob(Steps()), []
    job.subscribe(lambda state: told.append((threading.current_thread(), bytes_of(state), state["status"])))
    job.wait()

    assert {thread for thread, _, _ in told[1:]} == {threading.main_thread()}  # the first may come before the wait
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert len(told) > 3
    assert told[-1][2] == "done"


def test_without_a_wait_states_are_told_elsewhere() -> None:
    job, threads, over = UploadJob(Steps()), set(), threading.Event()

    def note(state: Any) -> None:
        threads.add(threading.current_thread())
        if state["status"] == "done":
            over.set()

    job.subscribe(note)

    assert over.wait(30)
    assert threading.main_thread() not in threads


def test_after_a_wait_that_ran_out_of_time_states_are_told_elsewhere_again() -> None:
    job, threads, over = UploadJob(Steps(8)), [], threading.Event()

    def note(state: Any) -> None:
        threads.append(threading.current_thread() is threading.main_thread())
        if state["status"] == "done":
            over.set()

    job.subscribe(note)
    try:
        job.wait(timeout_s=0.4)
    except TimeoutError:
        assert True in threads

    assert over.wait(30)
    assert threads[-1] is False


def test_a_callback_may_wait_for_its_own_job_and_is_not_entered_twice() -> None:
    job, depth, deepest, statuses = UploadJob(Steps()), 0, 0, []

    def nosy(state: Any) -> None:
        nonlocal depth, deepest
        depth += 1
        deepest = max(deepest, depth)
        statuses.append(state["status"])
        job.wait()
        depth -= 1

    job.subscribe(nosy)
    job.wait()

    assert deepest == 1
    assert statuses[-1] == "done"


def test_a_state_that_comes_late_is_not_told_after_a_newer_one() -> None:
    told: list[Any] = []
    news = News(1, dict, lambda: False)  # type: ignore[arg-type]
    news.subscribe(told.append)
    [reader] = news._readers
    news._tell(reader, 2, {"status": "done"})  # type: ignore[typeddict-item]
    news._tell(reader, 1, {"status": "running"})  # type: ignore[typeddict-item]

    assert told == [{"status": "done"}]


def test_a_faulty_callback_is_not_called_again_and_stops_nobody(caplog: Any) -> None:
    job, calls, told = UploadJob(Steps()), [], []

    def faulty(state: Any) -> None:
        calls.append(state)
        raise ValueError("oops")

    job.subscribe(faulty)
    job.subscribe(told.append)
    job.wait()

    assert len(calls) == 1
    assert told[-1]["status"] == "done"
    assert "is not called again" in caplog.text


def test_a_job_tried_again_names_the_next_one_and_offers_no_retry() -> None:
    job = UploadJob(Steps())
    while not job.state()["counts"]["total"]:
        time.sleep(0.01)
    job.cancel()
    job.wait()
    told: list[Any] = []
    job.subscribe(told.append)
    assert job.state()["can_retry"] is True
    again = job.retry()
    again.wait()

    assert job.next is again
    assert told[-1]["can_retry"] is False
