"""`ws.download`: a job with a panel, a receipt and a way on, from a workspace into a folder."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from uuid import uuid4

import msgspec
import pandas as pd
import pytest

import deepset_nb as dn
from deepset_nb import frames
from deepset_nb.errors import DownloadFailed, InputError
from deepset_nb.job import DownloadJob, Job, kernel_jobs
from deepset_nb.transfer.download import Download
from deepset_nb.transfer.download_progress import DownloadProgress
from deepset_nb.transfer.parts import LOCK, STALE_S
from deepset_nb.transfer.progress import JobState
from deepset_nb.widgets import static_html
from deepset_nb.workflows.sync_client.files import DeepsetCloudFile, upload_texts
from tests.clients.account import account, work_on_the_bridge
from tests.clients.front import Answer, front
from tests.contract.rooms import until
from tests.leaks import nothing_left

END_S = 60


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "got"


def fill(ws: dn.Workspace, **texts: str) -> None:
    """A few files one after the other, as the listing will have them; many at once."""
    files = [DeepsetCloudFile(text, f"{name}.txt", {"from": name}) for name, text in texts.items()]
    for group in [[file] for file in files] if len(files) < 5 else [files]:
        upload_texts(group, **account(ws))


def on_disk(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def statuses(job: Job) -> dict[str, str]:
    return dict(zip(job.receipt["name"], job.receipt["status"], strict=True))


def test_a_download_is_a_job_with_a_receipt_like_an_uploads(ws: dn.Workspace, target: Path) -> None:
    fill(ws, a="x", b="yy")
    job = ws.download(target)
    assert isinstance(job, dn.DownloadJob)
    receipt = job.wait(END_S).receipt

    assert receipt.dtypes.astype(str).to_dict() == frames.RECEIPT
    assert receipt["status"].tolist() == ["ok", "ok"]
    assert receipt["session_id"].isna().all()
    assert receipt["path"].tolist() == [str(target / "a.txt"), str(target / "b.txt")]
    assert receipt["stored_name"].tolist() == ["a.txt", "b.txt"]
    assert receipt["file_id"].tolist() == ws.list_files()["file_id"].tolist()[::-1]
    assert on_disk(target) == {
        "a.txt": "x",
        "a.txt.meta.json": '{"from": "a"}',
        "b.txt": "yy",
        "b.txt.meta.json": '{"from": "b"}',
    }
    assert job in kernel_jobs()
    assert len(job.failed) == 0
    assert job.raise_for_failures() is job


def test_its_words_are_those_of_a_download(ws: dn.Workspace, target: Path) -> None:
    fill(ws, a="x", b="yy")
    ws.download(target, name="a").wait(END_S)
    job = ws.download(target).wait(END_S)
    state = job.state()
    shown = f"{static_html.job_html(state)} {static_html.job_text(state)} {job!r}".lower()

    assert msgspec.convert(state, type=JobState, strict=True) == state
    assert (state["kind"], state["headline"]) == ("download", "1 of 2 files fetched, 1 was there already")
    assert [(phase["label"], phase["state"]) for phase in state["phases"]] == [
        ("Listing", "done"),
        ("Fetching", "done"),
    ]
    assert repr(job).startswith("<DownloadJob ")
    assert [word for word in ("upload", "sent", "sending", "ingest", "session") if word in shown] == []


def test_a_filtered_table_of_files_is_exactly_what_is_fetched(ws: dn.Workspace, target: Path) -> None:
    fill(ws, a="x", b="yy", c="zzz")
    found = ws.list_files()
    ws.download(target, files=found[found["size"] > 1]).wait(END_S)
    assert on_disk(target).keys() == {f"{name}.txt{end}" for name in "bc" for end in ("", ".meta.json")}
    job = ws.download(target, files=found[found["size"] < 3].drop(columns=["meta", "url"])).wait(END_S)

    assert statuses(job) == {"a.txt": "ok", "b.txt": "skipped"}
    assert json.loads((target / "a.txt.meta.json").read_text()) == {"from": "a"}


def test_a_table_without_metadata_still_brings_the_sidecar_of_a_file_that_is_there(
    ws: dn.Workspace, target: Path
) -> None:
    fill(ws, a="x")
    ws.download(target, include_meta=False).wait(END_S)
    job = ws.download(target, files=ws.list_files().drop(columns="meta")).wait(END_S)

    assert statuses(job) == {"a.txt": "skipped"}
    assert on_disk(target) == {"a.txt": "x", "a.txt.meta.json": '{"from": "a"}'}


def test_a_list_of_ids_is_exactly_what_is_fetched_and_an_unknown_one_is_a_failed_row(
    ws: dn.Workspace, target: Path
) -> None:
    fill(ws, a="x", b="yy", c="zzz")
    ids = ws.list_files().set_index("name")["file_id"]
    unknown = uuid4()
    job = ws.download(target, files=[ids["c.txt"], unknown, ids["a.txt"], ids["a.txt"]]).wait(END_S)

    assert statuses(job) == {"a.txt": "ok", "c.txt": "ok", str(unknown): "failed"}
    assert job.failed["reason"].tolist() == ["The workspace lists no file of this id."]
    with pytest.raises(DownloadFailed, match=f"1 of 3 files did not make it: {unknown}"):
        job.raise_for_failures()
    assert statuses(job.retry().wait(END_S)) == {str(unknown): "failed"}


def test_nothing_chosen_is_nothing_fetched(ws: dn.Workspace, target: Path) -> None:
    fill(ws, a="x")
    found = ws.list_files()
    for nothing in (found[found["size"] > 5], []):
        assert ws.download(target, files=nothing).wait(END_S).state()["headline"] == "There is nothing to fetch"


def test_what_cannot_be_meant_is_an_error_of_the_cell(ws: dn.Workspace, tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    found = pd.DataFrame({"file_id": ["none"], "name": ["a"], "size": [1], "created_at": [pd.Timestamp(0)]})
    with pytest.raises(InputError, match="a file is there"):
        ws.download(tmp_path / "taken")
    with pytest.raises(InputError, match="no column 'size'"):
        ws.download(tmp_path, files=found.drop(columns="size"))
    with pytest.raises(InputError, match="Row 0"):
        ws.download(tmp_path, files=found)
    with pytest.raises(InputError, match="is not the id of a file"):
        ws.download(tmp_path, files=["report.txt"])
    with pytest.raises(InputError, match="already says which"):
        ws.download(tmp_path, files=[], name="a")


def test_a_cancelled_download_says_so_and_goes_on_with_retry(ws: dn.Workspace, target: Path) -> None:
    with nothing_left(ws, target):
        fill(ws, **{f"n{number}": "x" for number in range(20)})
        assert ws.sandbox is not None
        ws.sandbox.fault("latency:300ms")
        job = ws.download(target, safe_mode=True)
        until(lambda: job.state()["counts"]["ok"] > 0)
        asked = time.monotonic()
        job.cancel().wait(END_S)
        took = time.monotonic() - asked
        ws.sandbox.clear_faults()
        state = job.state()

        assert took < 2
        assert (state["status"], state["can_retry"]) == ("cancelled", True)
        assert set(statuses(job).values()) == {"ok", "cancelled"}
        assert state["headline"] == f"Cancelled: {state['counts']['ok']} of 20 files fetched"
        assert [name for name in on_disk(target) if name.startswith(".dnb")] == []
        again = job.retry().wait(END_S)
        assert len(again.receipt) == state["counts"]["cancelled"]
        assert len(on_disk(target)) == 40
        assert work_on_the_bridge() == 0


def test_a_listing_that_breaks_off_is_begun_anew_by_retry(ws: dn.Workspace, target: Path) -> None:
    fill(ws, a="x", b="yy", c="zzz")
    left = [Answer(400, '{"errors": ["no"]}')]
    with front(
        ws.settings.api_url, lambda request: left.pop() if left and "after_value" in request.path else None
    ) as gate:
        through = dn.Workspace(**account(ws) | {"api_url": gate.api_url})
        transfer = Download(through.settings, target, DownloadProgress(through.target), batch_size=1)
        job = DownloadJob(transfer).wait(END_S)
        assert statuses(job) == {"a.txt": "failed"}

        assert statuses(job.retry().wait(END_S)) == {"a.txt": "ok", "b.txt": "ok", "c.txt": "ok"}


def test_a_file_deleted_after_the_listing_is_a_failed_row_and_the_others_arrive(ws: dn.Workspace, target: Path) -> None:
    fill(ws, a="x", b="yy")
    found = ws.list_files()
    gone = found.assign(file_id=found["file_id"].where(found["name"] != "a.txt", str(uuid4())))
    job = ws.download(target, files=gone).wait(END_S)

    assert statuses(job) == {"a.txt": "failed", "b.txt": "ok"}
    assert job.failed["reason"].tolist() == ["The workspace has it no longer."]
    assert job.failed["remedy"].str.len().min() > 0


@pytest.mark.parametrize("listed", [3, 50])
def test_a_file_of_another_size_than_listed_is_a_failed_row(ws: dn.Workspace, target: Path, listed: int) -> None:
    fill(ws, a="x" * 10, b="yy")
    found = ws.list_files()
    job = ws.download(target, files=found.assign(size=found["size"].where(found["name"] != "a.txt", listed)))

    assert statuses(job.wait(END_S)) == {"a.txt": "failed", "b.txt": "ok"}
    assert job.failed["reason"].tolist() == [f"The platform sends 10 bytes of a file that it lists with {listed}."]
    assert on_disk(target).keys() == {"b.txt", "b.txt.meta.json"}


def test_a_key_that_is_revoked_ends_the_download_at_once(ws: dn.Workspace, target: Path) -> None:
    fill(ws, **{f"n{number}": "x" for number in range(50)})
    refusal = Answer(401, '{"errors": ["no"]}')
    with front(ws.settings.api_url, lambda request: refusal if "/files/" in request.path else None) as gate:
        through = dn.Workspace(**account(ws) | {"api_url": gate.api_url})
        job = through.download(target).wait(END_S)

        assert set(statuses(job).values()) == {"failed"}
        assert job.failed["reason"].str.contains("does not know this API key").all()
        assert sum("/files/" in request.path for request in gate.requests) <= 8


def test_a_platform_that_is_gone_is_not_asked_for_every_file(
    ws: dn.Workspace, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deepset_nb.client.retries.WAIT_FIRST_S", 0.01)
    monkeypatch.setattr("deepset_nb.client.retries.JITTER_S", 0.01)
    fill(ws, **{f"n{number}": "x" for number in range(100)})
    refusal = Answer(503, "down")
    with front(ws.settings.api_url, lambda request: refusal if "/files/" in request.path else None) as gate:
        through = dn.Workspace(**account(ws) | {"api_url": gate.api_url})
        job = through.download(target).wait(END_S)

        assert set(statuses(job).values()) == {"failed"}
        assert len({request.path for request in gate.requests if "/files/" in request.path}) < 40


def test_two_downloads_into_one_folder_at_once_do_each_others_work_no_harm(ws: dn.Workspace, target: Path) -> None:
    texts = {f"n{number}": str(number) * 70_000 for number in range(12)}
    fill(ws, **texts)
    first, second = ws.download(target), ws.download(target)
    found = {**statuses(first.wait(END_S)), **statuses(second.wait(END_S))}

    assert set(found.values()) <= {"ok", "skipped"}
    assert {name: text for name, text in on_disk(target).items() if name.endswith(".txt")} == {
        f"{name}.txt": text for name, text in texts.items()
    }
    assert len(on_disk(target)) == 24


def test_a_name_that_is_taken_while_the_file_is_on_its_way_is_left_alone(ws: dn.Workspace, target: Path) -> None:
    fill(ws, a="x")
    assert ws.sandbox is not None
    ws.sandbox.fault("latency:500ms")
    job = ws.download(target)
    until(lambda: job.state()["phases"][1]["state"] == "active")
    (target / "a.txt").write_text("mine")
    job.wait(END_S)

    assert on_disk(target) == {"a.txt": "mine", "a_1.txt": "x", "a_1.txt.meta.json": '{"from": "a"}'}
    assert job.receipt["stored_name"].tolist() == ["a_1.txt"]
    assert job.receipt["path"].tolist() == [str(target / "a_1.txt")]


def test_old_leftovers_of_our_own_are_removed_and_nothing_else(ws: dn.Workspace, target: Path) -> None:
    target.mkdir()
    old, now = time.time() - STALE_S - 60, time.time()
    kept = {"notes.part": old, ".dnb-notes.part": old, f".dnb-{'0' * 16}.part": now}
    rubbish = {f".dnb-{'1' * 16}.part": old, f".dnb-{'2' * 32}-5f3-70000-.part": old}
    for name, moment in (kept | rubbish).items():
        (target / name).write_text("x")
        os.utime(target / name, (moment, moment))
    fill(ws, a="x")
    ws.download(target, include_meta=False).wait(END_S)

    assert on_disk(target).keys() == {"a.txt", *kept}
    assert LOCK not in on_disk(target)


def test_what_a_saved_notebook_keeps_names_no_folder(ws: dn.Workspace, target: Path) -> None:
    fill(ws, a="x" * 10)
    found = ws.list_files()
    job = ws.download(target, files=found.assign(size=3)).wait(END_S)

    assert job.state()["failures"][0]["path"] == "a.txt"
    assert str(target.parent) not in json.dumps(job.state())
    with pytest.raises(DownloadFailed) as raised:
        job.raise_for_failures()
    assert str(target.parent) not in str(raised.value)
