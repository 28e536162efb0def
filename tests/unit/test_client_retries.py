"""Attempts and waits; the first attempt is made without stamina, which must not show."""

from __future__ import annotations

import asyncio
import itertools

import pytest
import stamina

from deepset_nb.client import retries
from deepset_nb.client.retries import ATTEMPTS, Again, retrying
from deepset_nb.client.waits import Wait, told_to
from deepset_nb.errors import DeepsetError


class Failing:
    """Fails so often, then answers."""

    def __init__(self, times: int, after_s: float | None = None) -> None:
        self.times, self.after_s = times, after_s
        self.made: list[float] = []

    async def __call__(self) -> str:
        self.made.append(asyncio.get_running_loop().time())
        if len(self.made) <= self.times:
            raise Again(DeepsetError(f"failure {len(self.made)}", ""), self.after_s)
        return "answer"


def test_an_attempt_that_succeeds_at_once_does_not_enter_stamina(monkeypatch):
    monkeypatch.setattr(stamina, "retry_context", None)
    attempt = Failing(0)

    assert asyncio.run(retrying(attempt)) == "answer"


def test_there_are_so_many_attempts_and_each_further_one_is_told_with_its_reason():
    attempt, told = Failing(ATTEMPTS), []

    with stamina.set_testing(True, attempts=ATTEMPTS), pytest.raises(DeepsetError, match=f"failure {ATTEMPTS}"):
        asyncio.run(retrying(attempt, on_retry=lambda error: told.append(error.message)))

    assert len(attempt.made) == ATTEMPTS
    assert told == [f"failure {number}" for number in range(1, ATTEMPTS)]


def test_waits_are_those_of_the_attempt_that_failed(monkeypatch):
    monkeypatch.setattr(retries, "WAIT_FIRST_S", 0.05)
    monkeypatch.setattr(retries, "JITTER_S", 0.0)
    attempt = Failing(3)

    asyncio.run(retrying(attempt))

    waits = [after - before for before, after in itertools.pairwise(attempt.made)]
    assert [round(wait / 0.05) for wait in waits] == [1, 2, 4]


def test_a_wait_the_server_named_is_obeyed():
    attempt = Failing(1, after_s=0.2)

    asyncio.run(retrying(attempt))

    assert 0.2 <= attempt.made[1] - attempt.made[0] < 0.4


@pytest.mark.parametrize(("timeout_s", "attempts"), [(0.05, 1), (0.35, 2)])
def test_the_time_of_the_first_attempt_counts(monkeypatch, timeout_s, attempts):
    monkeypatch.setattr(retries, "WAIT_FIRST_S", 0.2)
    monkeypatch.setattr(retries, "JITTER_S", 0.0)
    attempt = Failing(ATTEMPTS)

    async def slow() -> str:
        await asyncio.sleep(0.1)
        return await attempt()

    with pytest.raises(DeepsetError, match=f"failure {attempts}"):
        asyncio.run(retrying(slow, timeout_s=timeout_s))

    assert len(attempt.made) == attempts


class Told:
    """Keeps what it is told, with how many attempts had been made then."""

    def __init__(self, attempt: Failing) -> None:
        self.attempt = attempt
        self.waiting: dict[object, Wait] = {}
        self.log: list[tuple[int, Wait | None]] = []

    def waits(self, key: object, wait: Wait) -> None:
        self.waiting[key] = wait
        self.log.append((len(self.attempt.made), wait))

    def goes_on(self, key: object) -> None:
        if self.waiting.pop(key, None):
            self.log.append((len(self.attempt.made), None))


def test_a_wait_is_told_while_it_lasts_with_its_length_and_reason():
    attempt = Failing(1, after_s=0.1)
    told = Told(attempt)

    with told_to(told):
        asyncio.run(retrying(attempt))

    assert told.log == [(1, Wait(2, ATTEMPTS, 0.1, "failure 1")), (1, None)]


def test_the_last_failure_is_followed_by_no_wait():
    attempt = Failing(ATTEMPTS)
    told = Told(attempt)

    with told_to(told), stamina.set_testing(True, attempts=ATTEMPTS), pytest.raises(DeepsetError):
        asyncio.run(retrying(attempt))

    assert [wait.attempt for _, wait in told.log if wait] == list(range(2, ATTEMPTS + 1))
    assert told.waiting == {}


def test_a_cancelled_wait_is_over():
    attempt = Failing(1, after_s=30.0)
    told = Told(attempt)

    async def cancel() -> None:
        task = asyncio.create_task(retrying(attempt))
        await asyncio.sleep(0.05)
        assert told.waiting
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with told_to(told):
        asyncio.run(cancel())

    assert told.waiting == {}
