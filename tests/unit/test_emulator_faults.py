"""The table of faults, and how they are written."""

from __future__ import annotations

import pytest

from deepset_nb.emulator.faults import KINDS, Faults
from deepset_nb.errors import InputError

EXAMPLES = {
    "latency": "latency:1.5s",
    "slow_down": "slow_down:3",
    "api_502_html": "api_502_html:1",
    "fail": "fail:a.txt=EMPTY_FILE",
    "reset": "reset:2",
    "bandwidth": "bandwidth:100000",
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
     "fail:a.txt=TIRED", "fail:=EMPTY_FILE", "reset:-1", "bandwidth:1.5"],
)  # fmt: skip
def test_an_argument_that_does_not_fit_is_refused_with_how_to_write_it(spec):
    usage = KINDS[spec.partition(":")[0]].usage
    with pytest.raises(InputError, match=f"Write it as {usage}"):
        Faults((spec,))


def test_an_unknown_fault_is_refused_with_those_there_are():
    with pytest.raises(InputError, match=r"no fault 'gremlins'.*slow_down:N"):
        Faults(("gremlins",))


def test_a_failing_file_is_found_by_its_exact_name():
    faults = Faults(("fail:a.txt=EMPTY_FILE", "fail:b.txt=UNKNOWN_ERROR"))
    assert [faults.reason_for(name) for name in ("a.txt", "b.txt", "A.txt")] == ["EMPTY_FILE", "UNKNOWN_ERROR", None]
