"""Every fault of the sandbox during an upload over several sessions: true rows, the rest at the next try, no trace."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import stamina

import deepset_nb as dn
from deepset_nb.emulator.faults import KINDS
from deepset_nb.job import UploadJob
from deepset_nb.transfer import reconcile, shard, watch
from tests.contract.platform_holds import assert_true, contents_of
from tests.contract.rooms import until
from tests.leaks import nothing_left

FILES = 30
SENSIBLE = {  # where the general arguments below are too mild or too slow
    "latency": "latency:40ms",
    "bandwidth": "bandwidth:4000",
    "too_large": "too_large:700",
    "list_lag": "list_lag:1s",
    "fail": "fail:17.txt=UNKNOWN_ERROR",
}


LISTED_LATE_S = {"list_lag": 1.0}  # until a file that was made under the fault shows


def spec_of(name: str) -> str:
    """The fault as one would write it, also of a kind that is new."""
    usage = SENSIBLE.get(name, KINDS[name].usage)
    return re.sub(r":N$", ":7", usage.replace(":P%", ":30%"))


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """30 files, half of them with metadata: 45 objects, five sessions."""
    made = tmp_path / "documents"
    made.mkdir()
    for number in range(FILES):
        (made / f"{number:02}.txt").write_text(f"Document {number}.\n" * (3 * number + 1))
        if number % 2:
            (made / f"{number:02}.txt.meta.json").write_text(f'{{"number": {number}}}')
    return made


@pytest.fixture(autouse=True)
def _small_sessions_and_short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard, "OBJECTS_PER_SESSION", 10)
    monkeypatch.setattr(watch, "STALL_S", 0.3)
    monkeypatch.setattr(reconcile, "LISTING_PAUSE_S", 0.05)


def sent(job: UploadJob) -> int:
    return job.state()["phases"][1]["files_done"]


def retried(job: UploadJob, ws: dn.Workspace, documents: Path) -> UploadJob:
    """The second try of a user who presses the button."""
    return job.retry(show=False).wait(60) if job.state()["can_retry"] else job


def run_again(job: UploadJob, ws: dn.Workspace, documents: Path) -> UploadJob:
    """The second try of a user who runs the cell once more."""
    return ws.upload(documents, show=False).wait(60)


Go = Callable[[UploadJob, dn.Workspace, Path], UploadJob]


@pytest.mark.parametrize(
    ("under_way", "go_on"), [(False, retried), (True, run_again)], ids=["from_the_start", "under_way"]
)
@pytest.mark.parametrize("name", KINDS)
def test_a_fault_costs_time_or_leaves_true_rows_and_the_next_try_brings_the_rest(
    ws: dn.Workspace, documents: Path, name: str, under_way: bool, go_on: Go
) -> None:
    sandbox, wanted = ws.sandbox, contents_of(documents)
    assert sandbox is not None
    with nothing_left(ws, documents), stamina.set_testing(True, attempts=3, cap=True):
        if under_way:
            sandbox.fault("latency:10ms")
            job = ws.upload(documents, show=False)
            until(lambda: sent(job) > 5)
            sandbox.fault(spec_of(name))
        else:
            sandbox.fault(spec_of(name))
            job = ws.upload(documents, show=False)
        job.wait(60)
        sandbox.clear_faults()
        time.sleep(LISTED_LATE_S.get(name, 0))
        assert_true(job, ws, wanted, doubled=name == "duplicate_names")
        again = go_on(job, ws, documents)
        if (again.receipt["status"] == "failed").any():  # the button leaves alone what was refused for good
            assert again.failed["remedy"].str.contains("not sent again").all(), again.failed.to_string()
            again = run_again(job, ws, documents)
        assert set(again.receipt["status"]) <= {"ok", "skipped"}, again.failed.to_string()
        last = run_again(job, ws, documents)
        assert set(last.receipt["status"]) == {"skipped"}, last.receipt.to_string()
        assert_true(last, ws, wanted, doubled=name == "duplicate_names")
