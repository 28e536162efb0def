"""What a panel shows is never better than the receipt."""

import json
import sys
import threading
import time

import pytest

from deepset_nb.transfer.progress import SHOWN_FAILURES, Progress
from deepset_nb.transfer.receipt import Receipt, Row

TARGET = {"workspace": "w", "host": "h", "organisation": "o"}


def progress(*statuses: str) -> Progress:
    made = Progress(TARGET)  # type: ignore[arg-type]
    made.receipt = Receipt(
        [Row(f"f{i}.txt", f"f{i}.txt", f"f{i}.txt", 10, b"0123456789") for i in range(len(statuses))]
    )
    for row, status in zip(made.receipt.rows, statuses, strict=True):
        row.status = status  # type: ignore[assignment]
    return made


def test_a_headline_with_a_failed_row_is_not_green() -> None:
    made = progress("ok", "failed")
    made.end("failed")

    assert made.state()["headline"] == "1 of 2 files did not make it"
    assert made.state()["status"] == "failed"


def test_files_left_out_are_not_counted_as_there() -> None:
    made = progress("ok", "skipped")
    made.end("done")

    assert made.state()["headline"] == "1 of 2 files are on the platform, 1 left out"


def test_a_state_is_plain_json() -> None:
    made = progress("ok", "failed")

    assert json.loads(json.dumps(made.state())) == made.state()


def test_a_state_holds_few_failures_and_says_how_many_there_are() -> None:
    made = progress(*["failed"] * 200)

    assert len(made.state()["failures"]) == SHOWN_FAILURES
    assert made.state()["failures_total"] == 200


def test_a_retry_takes_its_bytes_back() -> None:
    made = progress("pending")
    made.enter("sending", files=1, size=10)
    made.bytes_sent(6)
    made.bytes_sent(-6)
    made.bytes_sent(10)

    assert made.state()["phases"][1]["bytes_done"] == 10


def test_there_is_no_speed_before_there_is_evidence() -> None:
    made = progress("pending")
    made.enter("sending", files=1, size=10)

    assert made.state()["speed_bps"] is None


def test_phases_follow_one_another() -> None:
    made = progress("pending")
    made.enter("planning")
    made.enter("sending")

    assert [phase["state"] for phase in made.state()["phases"]] == ["done", "active", "waiting"]


def test_a_cancelled_phase_did_not_end_well() -> None:
    made = progress("pending")
    made.enter("sending", files=1)
    made.end("cancelled")

    assert made.state()["phases"][1]["state"] == "failed"


@pytest.mark.parametrize(("status", "can_retry"), [("done", False), ("failed", True), ("cancelled", True)])
def test_only_what_did_not_make_it_can_be_tried_again(status: str, can_retry: bool) -> None:
    made = progress("ok" if status == "done" else "failed")
    made.end(status)  # type: ignore[arg-type]

    assert made.state()["can_retry"] is can_retry


def test_the_first_failure_of_a_row_stays() -> None:
    row = Row("a", "a", "a", 1, b"a")
    row.end("failed", "first")
    row.end("ok")

    assert (row.status, row.reason) == ("failed", "first")


def test_a_cancel_that_comes_too_late_does_not_hide_the_outcome() -> None:
    made = progress("ok")
    made.end("done")
    made.cancelling = True

    assert made.state()["status"] == "done"


def test_the_speed_can_be_asked_from_several_threads_while_it_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepset_nb.transfer.progress.SPEED_WINDOW_S", 0.0005)
    made, stop, errors = progress("pending"), threading.Event(), []

    def ask() -> None:
        try:
            while not stop.is_set():
                made.state()
        except Exception as error:
            errors.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        made.bytes_sent(1)
    stop.set()
    for thread in threads:
        thread.join()
    sys.setswitchinterval(interval)

    assert not errors


def test_a_job_without_files_does_not_claim_one() -> None:
    made = progress()
    made.end("done")

    assert made.state()["headline"] == "There was nothing to send"


def test_a_state_stays_small_however_long_paths_and_reasons_are() -> None:
    made = progress(*["failed"] * 100)
    for row in made.receipt.rows:
        row.path, row.reason, row.remedy = "p" * 4096, "r" * 4096, "q" * 4096

    assert len(json.dumps(made.state())) < 64_000
