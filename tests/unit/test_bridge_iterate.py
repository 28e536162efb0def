"""Async generators as plain generators: at most one item ahead, closed in whatever way the loop ends."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator

import pytest

from deepset_nb import bridge
from deepset_nb._task import current_task
from deepset_nb.bridge import aiterate, iterate, run


class Numbers:
    """An endless source that says what was asked of it."""

    def __init__(self, stop: int | None = None) -> None:
        self.stop = stop
        self.made = 0
        self.closed = False

    async def __call__(self, pause: float = 0) -> AsyncGenerator[int, None]:
        try:
            while self.made != self.stop:
                self.made += 1
                yield self.made
                await asyncio.sleep(pause)
        finally:
            await asyncio.sleep(0.02)
            self.closed = True


@pytest.fixture(params=["iterate", "aiterate"])
def collect(request: pytest.FixtureRequest) -> Callable[..., list[int]]:
    """``collect(numbers, at=3, then=...)`` reads in a loop and calls ``then`` at an item; both kinds of loop."""

    def read(source: Numbers, at: int = 0, then: Callable[[], object] | None = None) -> list[int]:
        seen = []
        for number in iterate(source):
            seen.append(number)
            if number == at:
                if then is None:
                    break
                then()
        return seen

    async def aread(source: Numbers, at: int = 0, then: Callable[[], object] | None = None) -> list[int]:
        seen = []
        async for number in aiterate(source):
            seen.append(number)
            if number == at:
                if then is None:
                    break
                then()
        return seen

    if request.param == "iterate":
        return read
    return lambda *args, **kwargs: asyncio.run(aread(*args, **kwargs))


@pytest.fixture(autouse=True)
def nothing_is_left_running() -> Iterator[None]:
    before = run(_tasks)
    yield
    gc.collect()
    _until(lambda: run(_tasks) <= before)


async def _tasks() -> set[object]:
    return {*asyncio.all_tasks(), *bridge._running()} - {asyncio.current_task(), current_task.get()}


def test_all_items_arrive_in_their_order(collect: Callable[..., list[int]]) -> None:
    numbers = Numbers(stop=5)
    assert collect(numbers) == [1, 2, 3, 4, 5]
    assert numbers.closed


def test_an_empty_generator_is_an_empty_loop(collect: Callable[..., list[int]]) -> None:
    assert collect(Numbers(stop=0)) == []


def test_break_closes_the_generator(collect: Callable[..., list[int]]) -> None:
    numbers = Numbers()
    assert collect(numbers, at=3) == [1, 2, 3]
    _until(lambda: numbers.closed)


def test_at_most_one_item_is_made_ahead(collect: Callable[..., list[int]]) -> None:
    numbers = Numbers()
    ahead: list[int] = []

    def look() -> None:
        time.sleep(0.1)  # time enough to run away
        ahead.append(numbers.made)
        raise LookupError

    with pytest.raises(LookupError):
        collect(numbers, at=3, then=look)
    assert ahead == [4]


def test_an_error_of_the_generator_comes_after_its_items(collect: Callable[..., list[int]]) -> None:
    class Failing(Numbers):
        async def __call__(self, pause: float = 0) -> AsyncGenerator[int, None]:
            yield 1
            raise ValueError("page 2 is gone")

    seen: list[int] = []
    with pytest.raises(ValueError, match="page 2 is gone"):
        collect(Failing(), at=1, then=lambda: seen.append(1))
    assert seen == [1]


def test_a_generator_that_is_dropped_is_closed() -> None:
    numbers = Numbers()
    reading = iterate(numbers)
    next(reading)
    del reading
    assert numbers.closed


def test_an_async_reader_that_is_closed_closes_the_generator() -> None:
    numbers = Numbers()

    async def main() -> None:
        reading = aiterate(numbers)
        await anext(reading)
        await reading.aclose()
        assert numbers.closed

    asyncio.run(main())


def test_nothing_is_made_before_the_first_item_is_asked_for() -> None:
    numbers = Numbers()
    reading = iterate(numbers)
    time.sleep(0.05)
    assert numbers.made == 0
    reading.close()


def test_it_works_in_threads() -> None:
    results: list[list[int]] = []
    threads = [threading.Thread(target=lambda: results.append(list(iterate(Numbers(stop=3))))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [[1, 2, 3]] * 4


def test_it_works_inside_a_coroutine_on_the_bridge_loop() -> None:
    async def outer() -> list[int]:
        return [*iterate(Numbers(stop=2)), *[number async for number in aiterate(Numbers(stop=3))]]

    assert run(outer) == [1, 2, 1, 2, 3]


def test_time_outs_and_context_variables_may_span_items(collect: Callable[..., list[int]]) -> None:
    # Each step in a task of its own would break both.
    place = contextvars.ContextVar("place", default=0)

    class Spanning(Numbers):
        async def __call__(self, pause: float = 0) -> AsyncGenerator[int, None]:
            async with asyncio.timeout(10):
                place.set(1)
                yield place.get()
                yield place.get() + 1

    assert collect(Spanning()) == [1, 2]


def test_a_connection_that_spans_items_is_closed_by_break() -> None:
    open_connections: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_connections.add(writer)
        with contextlib.suppress(ConnectionError):  # the answer to the item ahead is never read
            while await reader.readline():
                writer.write(b"line\n")
        open_connections.discard(writer)
        writer.close()

    async def lines(port: int) -> AsyncGenerator[bytes, None]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            while True:
                writer.write(b"more\n")
                yield await reader.readline()
        finally:
            writer.close()
            await writer.wait_closed()

    async def open_server() -> asyncio.Server:
        return await asyncio.start_server(serve, "127.0.0.1")

    async def close_server() -> None:
        server.close()
        await server.wait_closed()

    server = run(open_server)
    try:
        for line in iterate(lines, server.sockets[0].getsockname()[1]):
            assert line == b"line\n"
            assert len(open_connections) == 1
            break
        _until(lambda: not open_connections)
    finally:
        run(close_server)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
