"""The same cell run once more: nothing is sent twice, nothing that is new is left out, and every row says why."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import deepset_nb as dn
from deepset_nb._places import STATE_VARIABLE, state_folder
from deepset_nb.job import UploadJob
from deepset_nb.transfer import reconcile, record, resume, session_keeper
from deepset_nb.transfer.record import open_journal
from tests.clients.front import Answer, Front, Request, front
from tests.contract.rooms import until


def upload(ws: dn.Workspace, folder: Path, **options: Any) -> UploadJob:
    return ws.upload(folder, show=False, **options).wait(60)


def statuses(job: UploadJob) -> dict[str, str]:
    return dict(zip(job.receipt["name"], job.receipt["status"], strict=True))


def states(ws: dn.Workspace, folder: Path, **options: Any) -> dict[str, str]:
    plan = ws.plan(folder, **options)
    return dict(zip(plan["name"], plan["state"], strict=True))


@pytest.fixture
def gateway(ws: dn.Workspace) -> Iterator[Front]:
    with front(ws.settings.api_url) as gateway:
        yield gateway


@pytest.fixture
def there(ws: dn.Workspace, gateway: Front) -> dn.Workspace:
    return dn.Workspace(ws.name, api_key=ws.settings.api_key.reveal(), api_url=gateway.api_url)


def posts(gateway: Front) -> int:
    return sum(request.is_to_bucket for request in gateway.requests)


def test_a_finished_upload_run_again_sends_nothing_and_opens_nothing(
    ws: dn.Workspace, there: dn.Workspace, gateway: Front, folder: Path
) -> None:
    first = upload(there, folder).receipt
    sent = posts(gateway)
    again = upload(there, folder)

    assert set(statuses(again).values()) == {"skipped"}
    assert again.receipt["reason"].str.contains("platform still has it").all()
    assert again.receipt["remedy"].str.contains("resume=False").all()
    assert again.receipt["file_id"].tolist() == first["file_id"].tolist()
    assert again.state()["status"] == "done"
    assert posts(gateway) == sent == 7
    assert len(ws.list_upload_sessions()) == 1
    assert len(ws.list_files()) == 5


def test_a_third_run_skips_as_the_second_did_and_the_first_keeps_its_receipt(ws: dn.Workspace, folder: Path) -> None:
    first, second, third = (upload(ws, folder) for _ in range(3))

    assert set(statuses(third).values()) == {"skipped"}
    assert third.receipt["reason"].tolist() == second.receipt["reason"].tolist()
    noted = open_journal().files_of(first.job_id)
    assert [file.status for file in noted] == ["ok"] * 5
    assert [file.attempts for file in noted] == first.receipt["attempts"].tolist()


def test_the_platforms_address_does_not_matter_its_identity_does(
    ws: dn.Workspace, there: dn.Workspace, folder: Path
) -> None:
    upload(ws, folder)

    assert set(statuses(upload(there, folder)).values()) == {"skipped"}


def test_resume_false_sends_everything_again(ws: dn.Workspace, folder: Path) -> None:
    upload(ws, folder)

    assert set(statuses(upload(ws, folder, resume=False)).values()) == {"ok"}
    assert len(ws.list_files()) == 10


def test_only_what_changed_is_sent_and_the_row_says_so(ws: dn.Workspace, folder: Path) -> None:
    upload(ws, folder)
    (folder / "report-2.txt").write_text("Other words.")
    (folder / "report-1.txt.meta.json").write_text('{"number": 11}')
    (folder / "report-9.txt").write_text("New.")
    assert states(ws, folder) == {
        "report-0.txt": "unchanged",
        "report-1.txt": "changed",
        "report-2.txt": "changed",
        "report-3.txt": "unchanged",
        "report-4.txt": "unchanged",
        "report-9.txt": "new",
    }
    receipt = upload(ws, folder, write_mode="OVERWRITE").receipt.set_index("name")

    assert receipt["status"].to_dict() == {
        "report-0.txt": "skipped",
        "report-1.txt": "ok",
        "report-2.txt": "ok",
        "report-3.txt": "skipped",
        "report-4.txt": "skipped",
        "report-9.txt": "ok",
    }
    assert "OVERWRITE" in receipt.loc["report-2.txt", "reason"]
    assert len(ws.list_files()) == 6


def test_a_file_written_anew_with_the_same_content_is_unchanged(ws: dn.Workspace, folder: Path) -> None:
    upload(ws, folder)
    for path in folder.iterdir():
        os.utime(path, (1, 1))
    (folder / "report-3.txt").write_text("Report 3!\n" * 20)  # as long as before
    os.utime(folder / "report-3.txt", (2, 2))

    assert [name for name, state in states(ws, folder).items() if state == "changed"] == ["report-3.txt"]


def test_what_somebody_deleted_on_the_platform_is_sent_again(ws: dn.Workspace, folder: Path) -> None:
    upload(ws, folder)
    assert ws.sandbox is not None
    import httpx

    gone = ws.list_files(name="report-4")["file_id"][0]
    key = {"Authorization": f"Bearer {ws.settings.api_key.reveal()}"}
    httpx.delete(f"{ws.settings.api_url}/workspaces/{ws.name}/files/{gone}", headers=key).raise_for_status()
    again = statuses(upload(ws, folder))

    assert [name for name, status in again.items() if status == "ok"] == ["report-4.txt"]
    assert len(ws.list_files()) == 5


def test_what_the_listing_does_not_show_yet_is_not_sent_again(
    ws: dn.Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "LISTING_PAUSE_S", 0.01)
    assert ws.sandbox is not None
    ws.sandbox.fault("list_lag:60s")
    assert upload(ws, folder).receipt["file_id"].isna().all()
    again = upload(ws, folder)

    assert set(statuses(again).values()) == {"skipped"}
    assert again.receipt["reason"].str.contains("listing does not show it yet").all()
    assert len(ws.list_upload_sessions()) == 1
    monkeypatch.setattr(resume, "LISTED_WITHIN_S", 0.0)  # after that time it must have been deleted
    assert set(statuses(upload(ws, folder)).values()) == {"ok"}


def test_a_file_that_failed_is_tried_again(ws: dn.Workspace, folder: Path) -> None:
    assert ws.sandbox is not None
    ws.sandbox.fault("fail:report-3.txt=UNKNOWN_ERROR")
    upload(ws, folder)
    ws.sandbox.clear_faults()
    again = statuses(upload(ws, folder))

    assert [name for name, status in again.items() if status == "ok"] == ["report-3.txt"]


def test_an_edited_plan_of_a_second_run_sends_what_it_says(ws: dn.Workspace, folder: Path) -> None:
    upload(ws, folder)
    (folder / "report-7.txt").write_text("New.")
    (folder / "report-8.txt").write_text("New.")
    plan = ws.plan(folder)
    plan.loc[plan["name"] == "report-8.txt", "action"] = "skip"
    receipt = ws.upload(plan, show=False).wait(60).receipt.set_index("name")

    assert receipt.loc["report-7.txt", "status"] == "ok"
    assert set(receipt.drop("report-7.txt")["status"]) == {"skipped"}


# --- after a cancel ---------------------------------------------------------------------------------------------------


@pytest.fixture
def slow(ws: dn.Workspace, tmp_path: Path) -> Path:
    """30 files of 30 kB for a bucket that reads 30 kB/s from each connection."""
    assert ws.sandbox is not None
    ws.sandbox.fault("bandwidth:30000")
    made = tmp_path / "slow"
    made.mkdir()
    for number in range(30):
        (made / f"{number:02}.bin").write_bytes(bytes([number]) * 30_000)
    return made


def cancelled(ws: dn.Workspace, folder: Path, **options: Any) -> UploadJob:
    job = ws.upload(folder, show=False, **options)
    until(lambda: job.state()["phases"][1]["files_done"] > 3)
    job.cancel().wait(30)
    assert ws.sandbox is not None
    ws.sandbox.clear_faults()
    return job


def test_the_cell_of_a_cancelled_upload_goes_on_into_its_session(ws: dn.Workspace, slow: Path) -> None:
    job = cancelled(ws, slow)
    waiting = job.receipt["reason"].str.startswith("It was sent").sum()
    planned = states(ws, slow)
    again = upload(ws, slow)

    assert list(planned.values()).count("resumed") == waiting > 3
    assert set(statuses(again).values()) == {"ok"}
    assert again.receipt["session_id"].unique().tolist() == [job.state()["session_id"]]
    assert sorted(ws.list_files()["name"]) == sorted(path.name for path in slow.iterdir())
    assert ws.list_upload_sessions()["status"].tolist() == ["CLOSED"]


def test_a_session_closed_meanwhile_is_asked_what_arrived(ws: dn.Workspace, slow: Path) -> None:
    job = cancelled(ws, slow)
    ws.close_upload_session(job.state()["session_id"] or "")

    assert set(statuses(upload(ws, slow)).values()) == {"ok"}
    assert sorted(ws.list_files()["name"]) == sorted(path.name for path in slow.iterdir())


def test_a_file_deleted_meanwhile_keeps_its_row(ws: dn.Workspace, slow: Path) -> None:
    job = cancelled(ws, slow)
    gone = job.receipt.loc[job.receipt["reason"].str.startswith("It was sent"), "name"].iloc[0]
    (slow / gone).unlink()
    again = upload(ws, slow)

    assert statuses(again)[gone] == "ok"
    assert len(again.receipt) == len(ws.list_files()) == 30


def test_a_session_of_another_write_mode_is_named_and_left_open(ws: dn.Workspace, slow: Path) -> None:
    left = cancelled(ws, slow).state()["session_id"] or ""
    plan = ws.plan(slow, write_mode="OVERWRITE")
    again = upload(ws, slow, write_mode="OVERWRITE")

    assert left in (again.state()["note"] or "")
    assert "write mode KEEP" in (again.state()["note"] or "")
    assert left in plan.attrs["notes"][0]
    assert ws.get_upload_session(left).status == "OPEN"
    assert set(statuses(again).values()) == {"ok"}
    assert len(ws.list_files()) == 30


def test_a_session_left_by_other_files_is_named(ws: dn.Workspace, slow: Path, folder: Path) -> None:
    left = cancelled(ws, slow).state()["session_id"] or ""

    assert left in (upload(ws, folder).state()["note"] or "")
    assert ws.get_upload_session(left).status == "OPEN"


# --- two at once ------------------------------------------------------------------------------------------------------

OTHER_KERNEL = """
import sys
import deepset_nb as dn
name, key, url, folder = sys.argv[1:]
ws = dn.Workspace(name, api_key=key, api_url=url)
job = ws.upload(folder, show=False)
while not job.done and not job.state()["session_id"]:
    pass
print("begun", flush=True)
job.wait()
print(" ".join(sorted(set(job.receipt["status"]))), flush=True)
"""


def other_kernel(ws: dn.Workspace, folder: Path) -> subprocess.Popen[str]:
    arguments = [ws.name, ws.settings.api_key.reveal(), ws.settings.api_url, str(folder)]
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", OTHER_KERNEL, *arguments],
        env={**os.environ, STATE_VARIABLE: str(state_folder())},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_what_another_kernel_is_sending_is_left_to_it_and_nothing_is_doubled(ws: dn.Workspace, slow: Path) -> None:
    other = other_kernel(ws, slow)
    assert other.stdout is not None
    assert other.stdout.readline().strip() == "begun"
    (slow / "new.txt").write_text("Only here.")
    receipt = upload(ws, slow).receipt.set_index("name")

    assert receipt.loc["new.txt", "status"] == "ok"
    assert set(receipt.drop("new.txt")["status"]) == {"unaccounted"}
    assert receipt.drop("new.txt")["reason"].str.contains("Another upload").all()
    assert other.stdout.readline().strip() == "ok"
    other.communicate(timeout=30)
    assert other.returncode == 0
    assert len(ws.list_files()) == 31
    assert set(statuses(upload(ws, slow)).values()) == {"skipped"}


def test_two_kernels_that_begin_in_the_same_instant_send_each_file_once(ws: dn.Workspace, tmp_path: Path) -> None:
    made = tmp_path / "many"
    made.mkdir()
    for number in range(200):
        (made / f"{number}.txt").write_text(str(number))
    others = [other_kernel(ws, made) for _ in range(3)]
    said = [other.communicate(timeout=60)[0].split("\n")[1] for other in others]

    assert "ok" in said
    assert sorted(ws.list_files()["name"]) == sorted(path.name for path in made.iterdir())


# --- without room, without a journal ----------------------------------------------------------------------------------


def test_a_full_workspace_is_waited_for_and_the_sessions_in_the_way_are_named(
    ws: dn.Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.contract.rooms import Room, api_client

    monkeypatch.setattr(session_keeper, "ROOM_POLL_S", (0.1, 0.1))
    from deepset_nb.emulator.server import Connection

    connection = Connection(ws.settings.api_url, ws.settings.api_key.reveal(), ws.name, "")
    with api_client(connection) as api:
        room = Room(api, ws.name)
        sessions = [room.open() for _ in range(10)]
        job = ws.upload(folder, show=False)
        until(lambda: "Waiting for room" in job.state()["detail"])
        assert any(session["session_id"] in job.state()["detail"] for session in sessions)
        room.close(sessions[0])

        assert set(statuses(job.wait(30)).values()) == {"ok"}


def test_a_workspace_that_stays_full_ends_the_job_and_names_what_is_in_the_way(
    ws: dn.Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deepset_nb.emulator.server import Connection
    from tests.contract.rooms import Room, api_client

    monkeypatch.setattr(session_keeper, "ROOM_WITHIN_S", 0.5)
    monkeypatch.setattr(session_keeper, "ROOM_POLL_S", (0.1, 0.1))
    with api_client(Connection(ws.settings.api_url, ws.settings.api_key.reveal(), ws.name, "")) as api:
        room = Room(api, ws.name)
        sessions = [room.open() for _ in range(10)]
        receipt = upload(ws, folder).receipt
        for session in sessions:
            room.close(session)

    assert set(receipt["status"]) == {"failed"}
    assert receipt["reason"].str.contains("10 open upload sessions").all()
    assert any(session["session_id"] in receipt["reason"][0] for session in sessions)
    assert receipt["remedy"].str.contains("close_upload_session").all()


@pytest.fixture
def _forget_journals() -> Iterator[None]:
    yield
    record._open.clear()


@pytest.mark.usefixtures("_forget_journals")
@pytest.mark.parametrize("how", ["no folder", "no database", "newer"])
def test_an_upload_goes_on_without_a_journal_and_says_what_that_means(
    ws: dn.Workspace, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    state = tmp_path / "state"
    if how == "no folder":
        state.write_text("a file")
    else:
        state.mkdir()
        (state / "journal.db").write_text("this is no database " * 100)
    if how == "newer":
        import sqlite3

        (state / "journal.db").unlink()
        with sqlite3.connect(state / "journal.db") as database:
            database.execute("PRAGMA user_version = 99")
        database.close()
    monkeypatch.setenv(STATE_VARIABLE, str(state))
    job = upload(ws, folder)

    assert set(statuses(job).values()) == {"ok"}
    assert "journal" in (job.state()["note"] or "")
    assert job.state()["status"] == "done"
    assert set(states(ws, folder).values()) == {"new"}


def test_a_disk_that_is_full_half_way_does_not_stop_the_upload(ws: dn.Workspace, tmp_path: Path) -> None:
    made = tmp_path / "many"
    made.mkdir()
    for number in range(300):
        (made / f"{number:03}-{'x' * 100}.txt").write_text(str(number))
    journal = record.open_journal()
    (pages,) = journal._db.execute("PRAGMA page_count").fetchone()
    journal._db.execute(f"PRAGMA max_page_count = {pages + 10}")  # SQLite then says what it says on a full disk
    try:
        job = upload(ws, made)
    finally:
        journal._db.execute("PRAGMA max_page_count = 1000000")

    assert set(statuses(job).values()) == {"ok"}
    assert "full" in (job.state()["note"] or "")
    assert len(ws.list_files()) == 300


# --- orphans ----------------------------------------------------------------------------------------------------------


def test_a_session_whose_opening_was_never_answered_is_named_and_not_closed(
    ws: dn.Workspace, there: dn.Workspace, gateway: Front, folder: Path
) -> None:
    def lost(request: Request) -> Answer | None:
        if request.method == "POST" and request.path.endswith("/upload_sessions"):
            gateway.passed_on(request)
            return Answer(502, "<html>Bad Gateway</html>")
        return None

    gateway.rule = lost
    assert set(statuses(upload(there, folder)).values()) == {"failed"}
    gateway.rule = lambda request: None
    (orphan,) = ws.list_upload_sessions()["session_id"]
    again = upload(there, folder)

    assert set(statuses(again).values()) == {"ok"}
    assert orphan in (again.state()["note"] or "")
    assert ws.get_upload_session(orphan).status == "OPEN"


# --- texts ------------------------------------------------------------------------------------------------------------


def texts(ws: dn.Workspace, number: int, word: str = "text", **options: Any) -> UploadJob:
    documents = [dn.DeepsetCloudFile(f"{word} {n}", f"{n}.txt", {"n": n}) for n in range(number)]
    return ws.upload_texts(documents, show=False, **options).wait(60)


@pytest.mark.parametrize("number", [3, 30], ids=["directly", "through a session"])
def test_texts_of_a_cell_run_again_are_not_doubled(ws: dn.Workspace, number: int) -> None:
    first = texts(ws, number)
    again = texts(ws, number)
    changed = texts(ws, number, "another text")

    assert set(statuses(again).values()) == {"skipped"}
    assert again.receipt["file_id"].tolist() == first.receipt["file_id"].tolist()
    assert set(statuses(changed).values()) == {"ok"}
    assert set(statuses(texts(ws, number, "another text", resume=False)).values()) == {"ok"}
    assert len(ws.list_files()) == 3 * number


def test_a_text_that_was_on_its_way_when_the_kernel_was_killed_is_looked_up(
    ws: dn.Workspace, there: dn.Workspace, gateway: Front
) -> None:
    code = (
        "import sys; import deepset_nb as dn\n"
        "name, key, url = sys.argv[1:]\n"
        "ws = dn.Workspace(name, api_key=key, api_url=url)\n"
        "ws.upload_texts({f'{n}.txt': f'text {n}' for n in range(4)}, show=False).wait()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, ws.name, ws.settings.api_key.reveal(), gateway.api_url],
        env={**os.environ, STATE_VARIABLE: str(state_folder())},
    )
    seen = 0

    def rule(request: Request) -> Answer | None:
        nonlocal seen
        if request.method == "POST":
            seen += 1
            if seen > 2:
                process.kill()
                process.wait(10)
                return Answer(503)
            return gateway.passed_on(request)
        return None

    gateway.rule = rule
    process.wait(30)
    gateway.rule = lambda request: None
    again = there.upload_texts({f"{n}.txt": f"text {n}" for n in range(4)}, show=False).wait(30)

    assert process.returncode == -9
    assert set(statuses(again).values()) == {"ok"}
    assert again.receipt["file_id"].notna().all()
    assert sorted(ws.list_files()["name"]) == ["0.txt", "1.txt", "2.txt", "3.txt"]


def test_a_plan_that_was_uploaded_is_there_when_its_folder_is_planned_and_the_other_way_round(
    ws: dn.Workspace, folder: Path
) -> None:
    """A frame hands metadata back in its own spelling; what it says is the same."""
    (folder / "report-1.txt.meta.json").write_text('{ "topic" :  "rivers", "name": "Donau \\u00fc" }\n')
    ws.upload(ws.plan(folder), show=False).wait(30)
    assert set(ws.plan(folder)["state"]) == {"unchanged"}

    (folder / "report-2.txt").write_text("changed since")
    (folder / "report-2.txt.meta.json").write_text('{"a":1}')
    ws.upload(folder, show=False).wait(30)
    assert set(ws.upload(ws.plan(folder), show=False).wait(30).receipt["status"]) == {"skipped"}


def test_a_headline_says_what_was_there_already(ws: dn.Workspace, folder: Path) -> None:
    ws.upload(folder, show=False).wait(30)
    assert ws.upload(folder, show=False).wait(30).state()["headline"] == "All 5 files were on the platform already"

    (folder / "new.txt").write_text("new")
    (folder / ".hidden").write_text("x")
    state = ws.upload(folder, show=False).wait(30).state()
    assert state["headline"] == "6 of 7 files are on the platform, 5 since before, 1 left out"
    assert (state["counts"]["skipped"], state["counts"]["there"]) == (6, 5)


def test_a_file_that_is_named_itself_has_the_metadata_beside_it(ws: dn.Workspace, folder: Path) -> None:
    (folder / "report-1.txt.meta.json").write_text('{"topic": "rivers"}')
    receipt = ws.upload([folder / "report-1.txt", folder / "report-2.txt"], show=False).wait(30).receipt

    assert receipt["name"].tolist() == ["report-1.txt", "report-2.txt"]
    assert ws.list_files("report-1")["meta"].tolist() == [{"topic": "rivers"}]
