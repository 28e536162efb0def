"""A page that is asked, and what its silence means."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from deepset_nb.errors import BucketError
from deepset_nb.transfer.from_browser import PAGE_GONE, Order
from deepset_nb.widgets import courier
from deepset_nb.widgets.courier import PageCourier, may_post

ORDER = Order("a" * 32, "http://bucket/", {"policy": "SECRET"}, "a.txt")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier, "ROLL_CALL_S", 0.02)
    monkeypatch.setattr(courier, "RELOAD_CALL_S", 0.01)


def in_a_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    @functools.wraps(test)
    def run() -> None:
        asyncio.run(asyncio.wait_for(test(), 20))

    return run


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")


class Line:
    """What was sent to the page; ``reply`` may answer."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.page: PageCourier | None = None
        self.there = True

    def __call__(self, message: dict[str, Any]) -> None:
        self.sent.append(message)
        if message["kind"] == "rollcall" and self.there:
            assert self.page is not None
            self.page.loaded({"kind": "loaded", "page": "p", "orders": {}})

    def told(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.sent if one["kind"] == kind]


def courier_on(line: Line, listening: asyncio.AbstractEventLoop | None = None) -> PageCourier:
    async def prepare(file: str) -> asyncio.Future[str]:
        return asyncio.get_running_loop().create_future()

    line.page = PageCourier("p", line, prepare, lambda file: None, lambda url, answers: None, listening)
    return line.page


def answer(line: Line, status: int = 204, problem: Any = "") -> None:
    assert line.page is not None
    key = line.told("order")[-1]["order"]
    line.page.answered(
        {"kind": "answered", "order": key, "status": status, "body": "", "retry_after": "", "problem": problem}
    )


@in_a_loop
async def test_a_page_that_answers_roll_calls_is_waited_for() -> None:
    line = Line()
    asking = asyncio.create_task(courier_on(line).post(ORDER, lambda _: None))
    await until(lambda: len(line.told("rollcall")) > courier.MOST_CALLS + 1)
    answer(line)

    assert (await asking).status == 204


@in_a_loop
async def test_a_page_that_is_silent_is_gone_and_the_next_file_learns_so_at_once() -> None:
    line = Line()
    line.there = False
    page = courier_on(line)
    with pytest.raises(BucketError) as gone:
        await page.post(ORDER, lambda _: None)
    before = len(line.sent)
    with pytest.raises(BucketError):
        await page.post(ORDER, lambda _: None)

    assert gone.value.code == PAGE_GONE
    assert len(line.told("rollcall")) == courier.MOST_CALLS
    assert len(line.sent) == before
    assert line.told("withdraw")


@in_a_loop
async def test_a_kernel_that_could_not_hear_counts_no_silence() -> None:
    deaf = asyncio.new_event_loop()  # it does not run: a cell does
    line = Line()
    line.there = False
    asking = asyncio.create_task(courier_on(line, deaf).post(ORDER, lambda _: None))
    await until(lambda: len(line.told("rollcall")) > courier.MOST_CALLS + 2)
    assert not asking.done()
    answer(line)

    assert (await asking).status == 204
    deaf.close()


@in_a_loop
async def test_progress_comes_from_this_page_alone() -> None:
    line, loaded = Line(), []
    page = courier_on(line)
    asking = asyncio.create_task(page.post(ORDER, loaded.append))
    await asyncio.sleep(0)
    key = line.told("order")[0]["order"]
    page.loaded({"kind": "loaded", "page": "other", "orders": {key: 3}})
    page.loaded({"kind": "loaded", "page": "p", "orders": {key: 5, "unknown": 9}})
    answer(line)
    await asking

    assert loaded == [5]


@in_a_loop
async def test_a_file_that_cannot_be_read_is_said_to_have_changed() -> None:
    line = Line()
    asking = asyncio.create_task(courier_on(line).post(ORDER, lambda _: None))
    await asyncio.sleep(0)
    answer(line, 0, "unreadable")

    with pytest.raises(BucketError, match="could not read") as changed:
        await asking
    assert changed.value.code == "FileChanged"


@in_a_loop
async def test_a_bucket_is_probed_once_and_without_the_form() -> None:
    line = Line()
    page = courier_on(line)
    asking = [asyncio.create_task(page.reaches("http://bucket/")) for _ in range(3)]
    await asyncio.sleep(0)
    [probe] = line.told("probe")
    page.answered(
        {"kind": "answered", "order": probe["order"], "status": 403, "body": "", "retry_after": "", "problem": ""}
    )

    assert await asyncio.gather(*asking) == [True, True, True]
    assert set(probe) == {"kind", "url", "page", "order"}
    assert len(line.sent) == 1


@pytest.mark.parametrize(
    ("api_url", "loopback", "secure", "may"),
    [
        ("http://127.0.0.1:8000/api/v1", True, False, True),
        ("http://localhost:8000/api/v1", True, True, True),  # browsers trust their own machine
        ("http://[::1]:8000/api/v1", True, False, True),
        ("http://127.0.0.1:8000/api/v1", False, True, False),
        ("https://api.cloud.deepset.ai/api/v1", False, True, True),
        ("https://api.cloud.deepset.ai/api/v1", True, False, False),
        ("http://platform.example/api/v1", False, True, False),
        ("http://platform.example/api/v1", False, False, True),
        ("http://127.0.0.1.example/api/v1", True, False, False),
        ("", True, False, False),
    ],
)
def test_the_direct_way_is_tried_where_page_and_bucket_are_on_the_same_side(
    api_url: str, loopback: bool, secure: bool, may: bool
) -> None:
    assert may_post(api_url, loopback, secure) is may
