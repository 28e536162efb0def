"""What later runs make of what earlier ones left: nothing is forgotten, nothing taken for what it is not."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from pathlib import Path

import pytest

import deepset_nb as dn
from deepset_nb.transfer import record, shard
from deepset_nb.transfer.journal import Journal
from deepset_nb.transfer.journal_records import JobRecord
from tests.clients.front import Answer, Front, Request
from tests.contract.rooms import until
from tests.contract.test_upload_again import cancelled, gateway, slow, states, statuses, there, upload

__all__ = ["gateway", "slow", "there"]  # fixtures


def names(ws: dn.Workspace) -> list[str]:
    return sorted(ws.list_files()["name"])


def in_folder(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".meta.json"))


def test_every_further_run_of_a_finished_upload_skips_what_the_second_skipped(ws: dn.Workspace, folder: Path) -> None:
    first = upload(ws, folder).receipt
    for _ in range(2):
        again = upload(ws, folder)
        assert set(statuses(again).values()) == {"skipped"}
        assert again.receipt["file_id"].tolist() == first["file_id"].tolist()


def test_what_a_run_leaves_out_is_not_forgotten(ws: dn.Workspace, folder: Path) -> None:
    upload(ws, folder)
    upload(ws, folder, exclude=["report-1.txt"])
    plan = ws.plan(folder)
    plan["action"] = "skip"
    ws.upload(plan, show=False).wait(60)

    assert set(statuses(upload(ws, folder)).values()) == {"skipped"}
    assert names(ws) == in_folder(folder)


def test_what_was_sent_into_a_session_that_could_not_be_closed_is_not_sent_again(
    ws: dn.Workspace, there: dn.Workspace, gateway: Front, folder: Path
) -> None:
    gateway.rule = lambda request: Answer(503, "Unavailable") if request.method == "PUT" else None
    assert set(statuses(upload(there, folder)).values()) == {"failed"}
    gateway.rule = lambda request: None
    sent = sum(request.is_to_bucket for request in gateway.requests)

    assert set(statuses(upload(there, folder)).values()) == {"ok"}
    assert sum(request.is_to_bucket for request in gateway.requests) == sent
    assert ws.list_upload_sessions()["status"].tolist() == ["CLOSED"]
    assert names(ws) == in_folder(folder)


def test_what_came_after_somebody_closed_the_session_is_sent_by_the_next_run(
    ws: dn.Workspace, slow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ws.sandbox is not None
    monkeypatch.setattr("deepset_nb.transfer.watch.SETTLED_S", 0.3)
    job = ws.upload(slow, show=False)
    until(lambda: job.state()["phases"][1]["files_done"] > 3)
    ws.close_upload_session(job.state()["session_id"] or "")
    job.wait(60)
    ws.sandbox.clear_faults()
    assert set(statuses(job).values()) == {"ok", "unaccounted"}

    assert set(statuses(upload(ws, slow)).values()) == {"ok", "skipped"}
    assert names(ws) == in_folder(slow)


def lost_answer(gateway: Front, name: str) -> None:
    """Let the bucket store this file, and its answers be lost."""

    def rule(request: Request) -> Answer | None:
        if request.is_to_bucket and f'filename="{name}"'.encode() in request.body:
            gateway.passed_on(request)
            return Answer(503)
        return None

    gateway.rule = rule


def test_a_file_whose_answer_was_lost_is_not_sent_by_the_next_run(
    ws: dn.Workspace, there: dn.Workspace, gateway: Front, folder: Path
) -> None:
    lost_answer(gateway, "report-3.txt")
    assert set(statuses(upload(there, folder)).values()) == {"ok"}
    gateway.rule = lambda request: None

    assert set(statuses(upload(there, folder)).values()) == {"skipped"}
    assert names(ws) == in_folder(folder)


def test_what_arrived_although_broken_off_is_not_sent_by_the_run_after_next(ws: dn.Workspace, slow: Path) -> None:
    job = cancelled(ws, slow)
    ws.close_upload_session(job.state()["session_id"] or "")
    assert set(statuses(upload(ws, slow)).values()) == {"ok"}

    assert set(statuses(upload(ws, slow)).values()) == {"skipped"}
    assert names(ws) == in_folder(slow)


@pytest.mark.parametrize("how", ["retry", "another run"])
def test_an_older_version_that_arrived_is_not_taken_for_the_changed_file(
    ws: dn.Workspace, there: dn.Workspace, gateway: Front, folder: Path, how: str
) -> None:
    lost_answer(gateway, "report-3.txt")
    job = there.upload(folder, show=False)
    until(lambda: job.state()["phases"][1]["files_done"] == 4 and "report-3" in job.state()["detail"])
    job.cancel().wait(30)
    gateway.rule = lambda request: None
    ws.close_upload_session(job.state()["session_id"] or "")
    (folder / "report-3.txt").write_text("A new version.")
    again = job.retry(show=False).wait(60) if how == "retry" else upload(there, folder)

    assert set(statuses(again).values()) <= {"ok", "skipped"}
    assert 14 in ws.list_files(name="report-3.txt")["size"].tolist()


def test_a_file_of_the_same_name_does_not_replace_the_one_that_waits(
    ws: dn.Workspace, slow: Path, tmp_path: Path
) -> None:
    receipt = cancelled(ws, slow).receipt
    first, second = receipt.loc[receipt["reason"].str.startswith("It was sent"), "name"].iloc[:2]
    other = tmp_path / "other" / first
    other.parent.mkdir()
    other.write_text("Of the same name, in another folder.")
    again = ws.upload([slow / second, other], show=False).wait(60).receipt

    assert set(again["status"]) == {"ok"}
    assert again["file_id"].notna().all()
    assert sorted(ws.list_files(name=first)["size"]) == [other.stat().st_size, 30_000]


def test_a_journal_that_fails_once_all_was_found_out_gives_no_row_twice(
    ws: dn.Workspace, slow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = cancelled(ws, slow).receipt
    (slow / receipt.loc[receipt["reason"].str.startswith("It was sent"), "name"].iloc[0]).unlink()

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Journal, "begin", full)
    again = upload(ws, slow)

    assert sorted(again.receipt["name"]) == sorted(receipt["name"])
    assert set(statuses(again).values()) == {"ok"}


def test_a_cancel_in_the_last_instant_holds_back_nothing(
    ws: dn.Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, end = threading.Event(), Journal.end

    def slowly(self: Journal, record: JobRecord) -> None:
        entered.set()
        time.sleep(0.3)
        end(self, record)

    monkeypatch.setattr(Journal, "end", slowly)
    job = ws.upload(folder, show=False)
    assert entered.wait(30)
    job.cancel().wait(30)

    assert set(statuses(upload(ws, folder)).values()) <= {"ok", "skipped"}
    assert names(ws) == in_folder(folder)


def test_a_file_name_that_is_no_text_stops_nobody(ws: dn.Workspace, folder: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(folder) + b"/odd-\xff.txt")).write_text("Its name is no UTF-8.")
    except OSError:
        return  # file systems that take no such name have no such hazard
    assert set(statuses(upload(ws, folder)).values()) == {"ok"}

    assert set(statuses(upload(ws, folder)).values()) == {"skipped"}
    assert len(ws.list_files()) == 6


def test_many_uploads_begun_at_once_are_all_known_afterwards(ws: dn.Workspace, tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(12)]
    for made in folders:
        made.mkdir()
        (made / f"{made.name}.txt").write_text(made.name)
    for job in [ws.upload(made, show=False) for made in folders]:
        job.wait(60)
    plans = [states(ws, made) for made in folders]

    assert plans == [{f"{made.name}.txt": "unchanged"} for made in folders]


def test_a_platform_too_busy_to_close_a_session_does_not_end_the_sending_into_others(
    ws: dn.Workspace, there: dn.Workspace, gateway: Front, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard, "OBJECTS_PER_SESSION", 4)  # report-0 and report-1, and the other three

    def busy(request: Request) -> Answer | None:
        sent = sum(each.is_to_bucket and b"report-4.txt" in each.body for each in gateway.requests)
        return Answer(429, headers=(("Retry-After", "0"),)) if request.method == "PUT" and not sent else None

    gateway.rule = busy
    job = there.upload(folder, show=False, safe_mode=True).wait(60)  # one after the other

    assert set(statuses(job).values()) == {"ok"}
    assert names(ws) == in_folder(folder)


# --- what happened in between -----------------------------------------------------------------------------------------


def test_the_retry_of_a_job_whose_cell_was_run_again_doubles_nothing(ws: dn.Workspace, tmp_path: Path) -> None:
    assert ws.sandbox is not None
    ws.sandbox.fault("bandwidth:30000")
    made = tmp_path / "many"
    made.mkdir()
    for number in range(150):
        (made / f"{number:03}.bin").write_bytes(bytes([number]) * 30_000)
    job = cancelled(ws, made)
    assert set(statuses(upload(ws, made)).values()) == {"ok"}
    retried = job.retry(show=False).wait(60)

    assert set(statuses(retried).values()) == {"skipped"}
    assert len(ws.list_files()) == 150


def test_metadata_that_is_gone_is_taken_back_from_a_session_that_is_gone_on_with(
    ws: dn.Workspace, there: dn.Workspace, gateway: Front, folder: Path
) -> None:
    go_on = threading.Event()

    def hold(request: Request) -> Answer | None:
        if request.is_to_bucket and b'filename="report-0.txt"' in request.body[:3000]:
            go_on.wait(10)
            return Answer(503)
        return None

    gateway.rule = hold
    job = there.upload(folder, show=False)
    until(lambda: job.state()["phases"][1]["files_done"] >= 4)
    job.cancel().wait(30)
    go_on.set()
    gateway.rule = lambda request: None
    (folder / "report-0.txt.meta.json").unlink()

    assert set(statuses(upload(there, folder)).values()) == {"ok"}
    assert dict(ws.list_files()[["name", "meta"]].itertuples(index=False, name=None))["report-0.txt"] == {}


def test_a_file_that_another_of_its_name_and_size_has_replaced_is_sent_again(
    ws: dn.Workspace, folder: Path, tmp_path: Path
) -> None:
    upload(ws, folder, write_mode="OVERWRITE")
    other = tmp_path / "other"
    other.mkdir()
    (other / "report-0.txt").write_text("REPORT 0.\n" * 20)
    upload(ws, other, write_mode="OVERWRITE")
    receipt = upload(ws, folder, write_mode="OVERWRITE").receipt.set_index("name")

    assert receipt["status"].to_dict() == {f"report-{n}.txt": "skipped" if n else "ok" for n in range(5)}
    assert "not the one that was uploaded" in receipt.loc["report-0.txt", "reason"]
    assert len(ws.list_files()) == 5


def test_a_text_left_out_later_is_known_by_one_row(ws: dn.Workspace) -> None:
    assert ws.sandbox is not None
    ws.sandbox.fault("bandwidth:30000")
    texts = {f"{number:02}.txt": "x" * 30_000 + str(number) for number in range(30)}
    job = ws.upload_texts(texts, show=False)
    until(lambda: job.state()["phases"][1]["files_done"] > 3)
    job.cancel().wait(30)
    ws.sandbox.clear_faults()
    gone = job.receipt.loc[job.receipt["reason"].str.startswith("It was sent"), "name"].iloc[0]
    del texts[gone]
    again = ws.upload_texts(texts, show=False).wait(60)

    assert set(statuses(again).values()) == {"ok"}
    assert len(again.receipt) == len(ws.list_files()) == 30
    known = record.open_journal()._db.execute("SELECT place FROM files WHERE stored_name = ?", (gone,)).fetchall()
    assert known == [(f"memory:{gone}",)]
