"""How many posts may be on their way: the control law, in simulated time."""

from __future__ import annotations

import asyncio
import gc
import heapq
import itertools
import weakref
from collections.abc import Awaitable, Callable

import pytest

from deepset_nb.client.concurrency import CEILING, PROXY_CEILING, START, AdaptiveLimit, limit_for


class World:
    """Simulated time: `sleep` ends when nothing else can happen before."""

    def __init__(self) -> None:
        self.now = 0.0
        self._events: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = 0
        self._uplink_free = 0.0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        self._number += 1
        heapq.heappush(self._events, (self.now + seconds, self._number, future))
        await future

    async def one_at_a_time(self, seconds: float) -> None:
        """Something that all posts share and that each needs for so long."""
        self._uplink_free = max(self._uplink_free, self.now) + seconds
        await self.sleep(self._uplink_free - self.now)

    async def until(self, end: float, *tasks: asyncio.Task[None]) -> None:
        while True:
            for _ in range(10):  # whoever can go on does
                await asyncio.sleep(0)
            if not self._events or self._events[0][0] > end:
                break
            self.now, _, future = heapq.heappop(self._events)
            if not future.done():
                future.set_result(None)
        self.now = end
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


Post = Callable[[World, AdaptiveLimit], Awaitable[int | None]]


def simulate(post: Post, seconds: float, *, limit: AdaptiveLimit | None = None, workers: int = CEILING) -> list[int]:
    """Post for so long. Returns the limit after each answer; None from ``post`` is trouble."""
    history: list[int] = []

    async def run() -> None:
        world = World()
        shared = limit or AdaptiveLimit()
        shared._clock = world.clock

        async def work() -> None:
            while True:
                turn = await shared.turn("job")
                try:
                    stored = await post(world, shared)
                except asyncio.CancelledError:
                    turn.ended()
                    raise
                if stored is None:
                    turn.troubled()
                else:
                    turn.answered(stored)
                history.append(shared.limit)

        await world.until(seconds, *[asyncio.create_task(work()) for _ in range(workers)])
        assert shared.busy == 0

    asyncio.run(run())
    return history


async def far_away(world: World, limit: AdaptiveLimit) -> int:
    await world.sleep(0.1)
    return 1024


async def at_its_limit(world: World, limit: AdaptiveLimit) -> int:
    await world.one_at_a_time(0.0002)
    return 1024


async def ten_megabytes_on_a_slow_uplink(world: World, limit: AdaptiveLimit) -> int:
    await world.one_at_a_time(10.0)
    return 10 << 20


def test_it_starts_modest():
    assert AdaptiveLimit().limit == START == 10


def test_where_the_answers_take_long_it_is_at_its_ceiling_after_a_few_of_them():
    history = simulate(far_away, 0.6)

    assert history[:10] == [10] * 9 + [20]
    assert history[-1] == CEILING


def test_new_connections_that_take_long_do_not_hold_it_back():
    fresh: set[int] = set()

    async def behind_tls(world: World, limit: AdaptiveLimit) -> int:
        connecting = limit.busy > len(fresh)
        if connecting:
            fresh.add(len(fresh))
        await world.sleep(0.4 if connecting else 0.1)
        return 1024

    assert simulate(behind_tls, 2.0)[-1] == CEILING


def test_one_slow_moment_does_not_end_its_growth():
    async def with_a_hiccup(world: World, limit: AdaptiveLimit) -> int:
        await world.sleep(0.1 + (0.3 if 0.15 < world.now < 0.25 else 0.0))
        return 1024

    assert simulate(with_a_hiccup, 1.5)[-1] == CEILING


def test_where_growth_brings_nothing_it_stays_small():
    history = simulate(at_its_limit, 10.0)

    assert max(history) <= 2 * START


def test_large_files_on_a_slow_uplink_are_neither_a_failure_nor_a_reason_to_grow():
    history = simulate(ten_megabytes_on_a_slow_uplink, 3600.0)

    assert min(history) == START
    assert max(history) <= 2 * START
    assert history[-1] <= int(START * 1.25)


def test_it_looks_again_whether_growth_pays():
    async def slow_for_a_while(world: World, limit: AdaptiveLimit) -> int:
        await (at_its_limit if world.now < 3 else far_away)(world, limit)
        return 1024

    history = simulate(slow_for_a_while, 15.0)

    assert history[-1] == CEILING


def test_one_trouble_halves_it_once_however_many_posts_it_meets():
    async def one_bad_moment(world: World, limit: AdaptiveLimit) -> int | None:
        began = world.now
        await world.sleep(0.1)
        return None if began <= 1.05 < world.now else 1024

    history = simulate(one_bad_moment, 1.2)

    assert CEILING in history
    assert min(history[history.index(CEILING) :]) == CEILING // 2


def test_after_trouble_it_rests_and_then_recovers_in_small_steps():
    limit = AdaptiveLimit()

    async def one_bad_moment(world: World, limit: AdaptiveLimit) -> int | None:
        began = world.now
        await world.sleep(0.1)
        return None if began <= 1.05 < world.now else 1024

    rested = simulate(one_bad_moment, 2.0)
    recovered = simulate(one_bad_moment, 4.0, limit=limit)

    assert rested[-1] == CEILING // 2
    assert recovered[-1] == CEILING
    steps = sorted({size for size in recovered[recovered.index(CEILING) :] if size >= CEILING // 2})
    assert all(after <= before * 1.25 for before, after in itertools.pairwise(steps))


def test_a_bucket_that_takes_only_so_many_is_not_asked_for_much_more():
    seen: list[int] = []

    async def twenty_at_most(world: World, limit: AdaptiveLimit) -> int | None:
        crowded = limit.busy > 20
        seen.append(limit.busy)
        await world.sleep(0.05)
        return None if crowded else 1024

    history = simulate(twenty_at_most, 30.0)

    late = history[len(history) // 2 :]
    assert max(late) <= 30
    assert sum(late) / len(late) > 10


def test_it_never_falls_below_one():
    async def ill(world: World, limit: AdaptiveLimit) -> None:
        await world.sleep(0.1)

    assert set(simulate(ill, 10.0)[-10:]) == {1}


@pytest.mark.parametrize("workers", [1, START - 1])
def test_it_does_not_grow_while_it_holds_nobody_up(workers):
    assert set(simulate(far_away, 5.0, workers=workers)) == {START}


def test_the_time_when_nobody_sent_is_no_measure():
    limit = AdaptiveLimit()

    async def run() -> list[int]:
        world, sizes = World(), []
        limit._clock = world.clock
        for _ in range(3):
            turns = [await limit.turn("job") for _ in range(limit.limit)]
            world.now += 0.1
            for turn in turns:
                turn.answered(1024)
            sizes.append(limit.limit)
            world.now += 3600
        return sizes

    assert asyncio.run(run()) == [20, 40, 80]


# -- pauses, turns and owners ------------------------------------------------------------------------------------------


def test_a_wait_the_server_names_holds_for_everybody():
    async def run() -> list[float]:
        limit, loop = AdaptiveLimit(), asyncio.get_running_loop()
        began, entered = loop.time(), []

        async def enter(owner: str) -> None:
            turn = await limit.turn(owner)
            entered.append(loop.time() - began)
            turn.ended()

        (await limit.turn("a")).troubled(0.1)
        await asyncio.gather(*[enter(owner) for owner in ("a", "b", "b")])
        return entered

    entered = asyncio.run(run())

    assert len(entered) == 3
    assert min(entered) >= 0.09


def test_who_waited_before_the_pause_goes_on_after_it():
    async def run() -> None:
        limit = AdaptiveLimit(ceiling=1)
        turn = await limit.turn("a")
        waiting = [asyncio.create_task(limit.turn("a")) for _ in range(3)]
        await asyncio.sleep(0)
        turn.troubled(0.05)
        for task in waiting:
            (await asyncio.wait_for(task, 1)).ended()

    asyncio.run(run())


def test_a_pause_is_bounded_whatever_the_server_asks_for():
    async def run() -> float:
        world, limit = World(), AdaptiveLimit()
        limit._clock = world.clock
        (await limit.turn("a")).troubled(86_400.0)
        world.now = 60.0
        (await asyncio.wait_for(limit.turn("a"), 1)).ended()
        return world.now

    assert asyncio.run(run()) == 60.0


def test_every_job_has_one_on_its_way_even_if_another_holds_all_turns():
    async def run() -> int:
        limit = AdaptiveLimit()
        for _ in range(START):
            await limit.turn("large files")
        await asyncio.wait_for(limit.turn("small ones"), 1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(limit.turn("small ones"), 0.01)
        return limit.busy

    assert asyncio.run(run()) == START + 1


def test_a_free_turn_goes_to_the_job_with_the_fewest_and_in_the_order_of_asking():
    async def run() -> list[str]:
        limit, order = AdaptiveLimit(ceiling=3), []
        turns = [await limit.turn("a") for _ in range(3)]

        async def enter(owner: str, name: str) -> None:
            turn = await limit.turn(owner)
            order.append(name)
            await asyncio.sleep(0.01)
            turn.ended()

        waiting = [asyncio.create_task(enter("a", f"a{number}")) for number in (1, 2)]
        waiting += [asyncio.create_task(enter("b", f"b{number}")) for number in (1, 2)]
        await asyncio.sleep(0)
        for turn in turns:
            turn.ended()
        await asyncio.gather(*waiting)
        assert limit.busy == 0
        return order

    assert asyncio.run(run()) == ["b1", "a1", "a2", "b2"]


def test_two_jobs_get_as_much_each():
    done = {"a": 0, "b": 0}

    async def run() -> None:
        limit = AdaptiveLimit(ceiling=4)

        async def work(owner: str) -> None:
            while sum(done.values()) < 400:
                turn = await limit.turn(owner)
                await asyncio.sleep(0)
                turn.answered(1)
                done[owner] += 1

        await asyncio.gather(*[work(owner) for owner in "a" * 30 + "b" * 5])

    asyncio.run(run())

    assert abs(done["a"] - done["b"]) < 80


def test_who_is_cancelled_while_waiting_leaves_no_trace():
    async def run() -> None:
        limit = AdaptiveLimit(ceiling=1)
        first = await limit.turn("a")
        waiting = [asyncio.create_task(limit.turn("a")) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        first.ended()  # gives the turn to the second...
        waiting[1].cancel()  # ...which is cancelled in the same moment
        turn = await asyncio.wait_for(waiting[2], 1)
        turn.ended()
        assert limit.busy == 0
        (await asyncio.wait_for(limit.turn("a"), 1)).ended()

    asyncio.run(run())


def test_jobs_of_one_loop_share_a_hosts_limit_and_other_hosts_have_their_own():
    async def run() -> list[AdaptiveLimit]:
        return [limit_for("one.example"), limit_for("one.example"), limit_for("two.example")]

    one, again, two = asyncio.run(run())
    (other_loop,) = asyncio.run(_only("one.example"))

    assert one is again
    assert len({id(limit) for limit in (one, two, other_loop)}) == 3


async def _only(host: str) -> list[AdaptiveLimit]:
    return [limit_for(host)]


def test_behind_a_proxy_few_connections_are_opened():
    async def run() -> AdaptiveLimit:
        return limit_for("http://proxy.example:3128", proxied=True)

    limit = asyncio.run(run())
    simulate(far_away, 5.0, limit=limit)

    assert (limit.ceiling, limit.limit) == (PROXY_CEILING, PROXY_CEILING) == (6, 6)


def test_limits_do_not_outlive_their_loop():
    async def run() -> weakref.ref[AdaptiveLimit]:
        return weakref.ref(limit_for("one.example"))

    limit = asyncio.run(run())
    gc.collect()

    assert limit() is None
