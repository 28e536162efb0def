"""The table of faults, and how they are written."""

from __future__ import annotations

import re

import pytest

from deepset_nb.emulator.config import Choices
from deepset_nb.emulator.faults import KINDS, Faults
from deepset_nb.errors import InputError

EXAMPLES = {
    "latency": "latency:1.5s",
    "bandwidth": "bandwidth:100000",
    "reset": "reset:2",
    "redirect": "redirect:1",
    "slow_down": "slow_down:3",
    "request_timeout": "request_timeout:1",
    "policy_expired": "policy_expired:1",
    "too_large": "too_large:1000",
    "api_502_html": "api_502_html:1",
    "api_429": "api_429:1",
    "close_conflict": "close_conflict:1",
    "stuck_status": "stuck_status",
    "null_expires_at": "null_expires_at",
    "z_times": "z_times",
    "list_lag": "list_lag:2s",
    "odd_names": "odd_names",
    "fail": "fail:a.txt=EMPTY_FILE",
    "fail_some": "fail_some:20%",
    "duplicate_names": "duplicate_names",
}


def test_every_fault_of_the_table_says_what_it_does_and_what_is_seen():
    assert KINDS.keys() == EXAMPLES.keys()
    for kind in KINDS.values():
        assert kind.usage
        assert kind.effect
        assert kind.seen


@pytest.mark.parametrize("spec", EXAMPLES.values())
def test_every_fault_can_be_switched_on_and_off(spec):
    faults = Faults((spec,))
    assert faults.specs == [spec]
    faults.clear()
    assert faults.specs == []


@pytest.mark.parametrize(
    "spec",
    ["latency", "latency:fast", "latency:-1s", "slow_down:", "slow_down:0", "slow_down:x", "fail:a.txt",
     "fail:a.txt=TIRED", "fail:=EMPTY_FILE", "reset:-1", "bandwidth:1.5", "fail_some:20", "fail_some:0%", "list_lag:2",
     "z_times:1", "odd_names:a", "too_large:0"],
)  # fmt: skip
def test_an_argument_that_does_not_fit_is_refused_with_how_to_write_it(spec):
    usage = re.escape(KINDS[spec.partition(":")[0]].usage)
    with pytest.raises(InputError, match=f"Write it as {usage}"):
        Faults((spec,))


def test_an_unknown_fault_is_refused_with_those_there_are():
    with pytest.raises(InputError, match=r"no fault 'gremlins'.*slow_down:N"):
        Faults(("gremlins",))


def test_a_failing_file_is_found_by_its_exact_name():
    faults = Faults(("fail:a.txt=EMPTY_FILE", "fail:b.txt=UNKNOWN_ERROR"))
    assert [faults.reason_for(name) for name in ("a.txt", "b.txt", "A.txt")] == ["EMPTY_FILE", "UNKNOWN_ERROR", None]


def test_a_share_of_files_fails_the_same_ones_for_the_same_seed():
    names = [f"{number}.txt" for number in range(1000)]
    failing = {seed: {n for n in names if Faults(("fail_some:20%",), seed=seed).reason_for(n)} for seed in (1, 2)}
    assert all(150 < len(found) < 250 for found in failing.values())
    assert failing[1] != failing[2]
    assert failing[1] == {name for name in names if Faults(("fail_some:20%",), seed=1).reason_for(name)}


def test_choices_are_changed_while_a_fault_is_active_and_as_configured_after():
    faults = Faults((), Choices(list_lag_s=1, name_case_sensitive=True))
    faults.add("list_lag:300ms")
    assert (faults.choices.list_lag_s, faults.choices.name_case_sensitive) == (0.3, True)
    faults.clear()
    assert faults.choices.list_lag_s == 1
