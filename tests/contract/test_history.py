"""dn.jobs() and dn.receipt(): what was transferred, by this kernel and by others, also by those that are no more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import deepset_nb as dn
from deepset_nb import frames
from deepset_nb._places import STATE_VARIABLE, state_folder
from deepset_nb.errors import InputError
from tests.contract.rooms import until


def mine(ws: dn.Workspace) -> dn.jobs:  # type: ignore[valid-type]
    jobs = dn.jobs()
    return jobs[(jobs["workspace"] == ws.name) & (jobs["host"] == ws.settings.host)].reset_index(drop=True)


def test_there_are_columns_also_before_the_first_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepset_nb.history.kernel_jobs", list)

    assert {name: str(dtype) for name, dtype in dn.jobs().dtypes.items()} == frames.JOBS


def test_jobs_are_listed_newest_first_with_their_counts(ws: dn.Workspace, folder: Path, tmp_path: Path) -> None:
    (folder / "empty.txt").touch()
    first = ws.upload(folder, show=False).wait(30)
    second = ws.upload_texts({"note.txt": "x"}, show=False).wait(30)
    third = ws.download(tmp_path / "got", show=False).wait(30)
    jobs = mine(ws)

    assert jobs["job_id"].tolist() == [third.job_id, second.job_id, first.job_id]
    assert jobs["kind"].tolist() == ["download", "upload", "upload"]
    assert jobs["status"].tolist() == ["done", "done", "failed"]
    assert jobs.loc[2, ["files", "ok", "failed"]].tolist() == [6, 5, 1]
    assert (jobs["ended_at"] >= jobs["started_at"]).all()
    assert {name: str(dtype) for name, dtype in jobs.dtypes.items()} == frames.JOBS


def test_the_receipt_of_a_job_of_this_kernel_is_its_own(ws: dn.Workspace, folder: Path) -> None:
    job = ws.upload(folder, show=False).wait(30)

    assert dn.receipt(job.job_id[:10]).equals(job.receipt)


def test_an_id_that_is_not_there_is_an_error() -> None:
    with pytest.raises(InputError, match="no job whose id begins with 'zzz'"):
        dn.receipt("zzz")
    with pytest.raises(InputError, match="There is no job"):
        dn.receipt("")


KILLED = """
import os, sys, time
import deepset_nb as dn
name, key, url, folder = sys.argv[1:]
job = dn.Workspace(name, api_key=key, api_url=url).upload(folder, show=False)
while job.state()["phases"][1]["files_done"] < 5:
    time.sleep(0.01)
time.sleep(0.2)
print(job.job_id, flush=True)
time.sleep(60)
"""


def test_a_job_whose_kernel_was_killed_is_interrupted_and_has_a_whole_receipt(ws: dn.Workspace, tmp_path: Path) -> None:
    assert ws.sandbox is not None
    ws.sandbox.fault("bandwidth:20000")
    made = tmp_path / "made"
    made.mkdir()
    (made / "empty.txt").touch()
    for number in range(40):
        (made / f"{number:02}.bin").write_bytes(bytes(20_000))
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, ws.name, ws.settings.api_key.reveal(), ws.settings.api_url, str(made)],
        env={**os.environ, STATE_VARIABLE: str(state_folder())},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    job_id = process.stdout.readline().strip()
    assert mine(ws)["status"].tolist() == ["running"]
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)
    until(lambda: mine(ws)["status"].tolist() == ["interrupted"])
    receipt = dn.receipt(job_id)

    assert "of 41 files sent" in mine(ws)["headline"][0]
    assert len(receipt) == 41
    assert set(receipt["status"]) == {"failed", "cancelled", "unaccounted"}
    assert receipt["status"].eq("unaccounted").sum() >= 5
    assert receipt["reason"].notna().all()
    assert receipt["remedy"].notna().all()
    ws.sandbox.clear_faults()
    again = ws.upload(made, show=False).wait(60)
    assert again.receipt["status"].value_counts().to_dict() == {"ok": 40, "failed": 1}
    assert sorted(mine(ws)["status"]) == ["failed", "interrupted"]


def test_retry_leaves_alone_what_can_only_be_refused_again(ws: dn.Workspace, folder: Path) -> None:
    assert ws.sandbox is not None
    (folder / "big.bin").write_bytes(bytes(2_000))
    ws.sandbox.fault("too_large:1000")
    ws.sandbox.fault("fail:report-3.txt=UNKNOWN_ERROR")
    job = ws.upload(folder, show=False).wait(30)
    assert sorted(job.failed["name"]) == ["big.bin", "report-3.txt"]
    ws.sandbox.clear_faults()
    again = job.retry().wait(30).receipt.set_index("name")

    assert again["status"].to_dict() == {"report-3.txt": "ok", "big.bin": "failed"}
    assert "EntityTooLarge" in again.loc["big.bin", "reason"]
    assert "not sent again" in again.loc["big.bin", "remedy"]


def test_retry_sends_what_was_refused_once_it_is_another_file(ws: dn.Workspace, folder: Path) -> None:
    assert ws.sandbox is not None
    (folder / "big.bin").write_bytes(bytes(2_000))
    ws.sandbox.fault("too_large:1000")
    job = ws.upload(folder, show=False).wait(30)
    (folder / "big.bin").write_bytes(bytes(900))

    assert job.retry().wait(30).receipt["status"].tolist() == ["ok"]
