"""What a panel shows is never better than the receipt."""

import json
from pathlib import Path

import pytest

from deepset_nb.client.waits import Wait
from deepset_nb.transfer import pace, shown
from deepset_nb.transfer import progress as progress_module
from deepset_nb.transfer.download_progress import DownloadProgress
from deepset_nb.transfer.progress import SHOWN_FAILURES, Progress
from deepset_nb.transfer.receipt import Receipt, Row


class Clock:
    """Time that passes when a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        for module in (pace, progress_module):
            monkeypatch.setattr(module, "time", self)

    def monotonic(self) -> float:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


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


def test_a_job_without_files_does_not_claim_one() -> None:
    made = progress()
    made.end("done")

    assert made.state()["headline"] == "There was nothing to send"


def test_a_state_stays_small_however_long_paths_and_reasons_are() -> None:
    made = progress(*["failed"] * 100)
    for row in made.receipt.rows:
        row.path, row.reason, row.remedy = "p" * 4096, "r" * 4096, "q" * 4096

    assert len(json.dumps(made.state())) < 64_000


# --- what is waited for -----------------------------------------------------------------------------------------------


def test_a_wait_counts_down_with_its_reason_and_is_gone_when_it_is_over(clock: Clock) -> None:
    made, request = progress("pending"), object()
    made.enter("sending", files=1, size=10)
    made.waits(request, Wait(2, 5, 4.0, "The bucket is busy (503)."))
    assert made.state()["detail"] == "Waiting, try 2 of 5 in 4 s: The bucket is busy (503)."
    clock.pass_s(1.5)
    assert made.state()["detail"].startswith("Waiting, try 2 of 5 in 3 s:")

    made.goes_on(request)
    assert made.state()["detail"] == ""


def test_of_many_waits_the_next_try_is_named_and_how_many_there_are(clock: Clock) -> None:
    made = progress("pending")
    made.waits("a", Wait(3, 5, 9.0, "Later."))
    made.waits("b", Wait(2, 5, 2.0, "Sooner."))

    assert made.state()["detail"] == "2 requests are waiting, try 2 of 5 in 2 s: Sooner."


def test_a_stall_is_said_with_what_is_waited_for_and_until_when(clock: Clock) -> None:
    made = progress("pending")
    made.enter("sending", files=1, size=10)
    assert made.state()["stalled"] is False
    clock.pass_s(95)
    state = made.state()

    assert state["stalled"] is True
    assert state["detail"].startswith("No change for 95 s. ")
    assert "after 120 s of silence" in state["detail"]
    made.bytes_sent(1)
    assert made.state()["stalled"] is False
    assert made.state()["detail"] == ""


def test_a_wait_for_another_try_is_no_stall(clock: Clock) -> None:
    made = progress("pending")
    made.enter("sending", files=1, size=10)
    made.state()
    clock.pass_s(95)
    made.waits("a", Wait(2, 5, 30.0, "Busy."))

    assert made.state()["stalled"] is False
    assert made.state()["detail"].startswith("Waiting")


def test_a_stalled_download_is_told_in_its_own_words(clock: Clock) -> None:
    made = DownloadProgress(TARGET)  # type: ignore[arg-type]
    made.enter("sending", files=1, size=10)
    made.state()
    clock.pass_s(91)

    assert "brings no bytes" in made.state()["detail"]


def test_an_ended_job_tells_what_ended_it_and_nothing_that_went_on_before() -> None:
    made = progress("failed")
    made.enter("sending")
    made.detail = "Waiting for room."
    made.end("failed")
    assert made.state()["detail"] == ""
    made.error = "The key was refused."

    assert made.state()["detail"] == "The key was refused."


# --- speed and forecast -----------------------------------------------------------------------------------------------


def send(made: Progress, clock: Clock, *amounts: int) -> None:
    for amount in amounts:
        clock.pass_s(1)
        made.bytes_sent(amount)


def test_the_speed_is_that_of_the_last_ten_seconds_of_sending(clock: Clock) -> None:
    made = progress("pending")
    clock.pass_s(60)  # of planning, which is no slowness of the network
    made.enter("sending", files=1, size=100_000)
    send(made, clock, *[1000] * 4)
    assert made.state()["speed_bps"] == pytest.approx(1000)
    send(made, clock, *[3000] * 11)

    assert made.state()["speed_bps"] == pytest.approx(3000, rel=0.2)


def test_the_rest_is_foretold_only_after_some_seconds_of_steady_sending(clock: Clock) -> None:
    made = progress("pending")
    made.enter("sending", files=1, size=100_000)
    send(made, clock, *[1000] * 4)
    assert made.state()["eta_s"] is None
    send(made, clock, *[1000] * 4)
    assert made.state()["eta_s"] == pytest.approx(92, abs=5)
    send(made, clock, *[20_000] * 4)

    assert made.state()["eta_s"] is None  # twenty times as fast as just now: who knows how it goes on


def test_nothing_is_foretold_while_a_request_waits(clock: Clock) -> None:
    made = progress("pending")
    made.enter("sending", files=1, size=100_000)
    send(made, clock, *[1000] * 8)
    assert made.state()["eta_s"] is not None
    made.waits("a", Wait(2, 5, 4.0, "Busy."))

    assert made.state()["eta_s"] is None


def test_ingestion_is_foretold_only_where_its_counts_move(clock: Clock) -> None:
    made = progress("pending")
    made.enter("ingesting", files=100)
    clock.pass_s(8)
    assert made.state()["eta_s"] is None
    for files in range(1, 21):
        clock.pass_s(2)
        made.ingested(files)

    assert made.state()["eta_s"] == pytest.approx(80 * 2, rel=0.1)


# --- what a retry can do, and what a saved notebook may hold ----------------------------------------------------------


def test_a_retry_is_offered_only_where_it_can_help() -> None:
    made = progress("failed", "failed", "failed", "cancelled")
    made.receipt.rows[0].state = "too_big"
    made.receipt.rows[1].final = True
    made.end("failed")
    assert (made.state()["can_retry"], made.state()["retry_files"]) == (True, 2)

    hopeless = progress("failed")
    hopeless.receipt.rows[0].state = "empty"
    hopeless.end("failed")
    assert (hopeless.state()["can_retry"], hopeless.state()["retry_files"]) == (False, 0)


def test_files_that_wait_in_an_open_session_are_counted() -> None:
    made = progress("pending", "pending", "ok")
    made.enter("sending", files=3)
    made.receipt.rows[0].phase = "sent"
    assert made.state()["counts"]["waiting"] == 1
    made.end("cancelled")

    assert made.state()["counts"]["waiting"] == 0


def test_no_state_names_the_users_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/homes/anna"))
    shown._home.cache_clear()
    made = progress("failed")
    row = made.receipt.rows[0]
    row.path, row.reason, row.remedy = "/homes/anna/a.txt", "/homes/anna/a.txt is broken", "See /homes/anna/x"
    made.note, made.error = "In /homes/anna/y", "The folder '/homes/anna/z' cannot be made."
    made.code = 'ws.upload("/homes/anna/reports")'
    row.remedy = "See /homes/anna/x, not /data/homes/anna/x"
    made.end("failed")
    state = made.state()
    shown._home.cache_clear()

    assert state["failures"][0]["remedy"] == "See ~/x, not /data/homes/anna/x"
    state["failures"][0]["remedy"] = ""
    assert "anna" not in json.dumps(state)
    assert state["failures"][0]["path"] == "~/a.txt"
