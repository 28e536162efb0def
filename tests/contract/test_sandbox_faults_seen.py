"""The table of faults, walked with the real client: the user sees what the table says."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import stamina

import deepset_nb as dn
from deepset_nb.connect import _enter as enter
from deepset_nb.emulator.faults import KINDS
from deepset_nb.emulator.faults.api import ODD_NAMES
from deepset_nb.emulator.marks import share_of
from deepset_nb.transfer import watch
from deepset_nb.workflows.sync_client.files import download
from tests.clients.account import account
from tests.contract.rooms import until


class User:
    """Someone with a folder of four files and a workspace of a sandbox."""

    def __init__(self, workspace: dn.Workspace, folder: Path) -> None:
        self.ws, self.folder = workspace, folder
        for number in range(4):
            (folder / f"{number}.txt").write_text("text " * (number + 1))
        (folder / "0.txt.meta.json").write_text('{"topic": "rivers"}')

    def breaks(self, fault: str) -> None:
        assert self.ws.sandbox is not None
        self.ws.sandbox.fault(fault)

    def upload(self, resume: bool = True) -> Any:
        return self.ws.upload(self.folder, resume=resume, show=False).wait(60).receipt.set_index("name")

    def uploads_fine(self, retries: int = 0) -> None:
        receipt = self.upload()
        assert receipt["status"].tolist() == ["ok"] * 4
        assert receipt["attempts"].sum() == 4 + retries
        assert receipt["file_id"].notna().all()


@pytest.fixture
def user(start: Callable[..., Any], tmp_path: Path) -> User:
    (tmp_path / "reports").mkdir()
    connection = start(seed=1).connection
    return User(enter(asdict(connection), None), tmp_path / "reports")


def see_latency(user: User) -> None:
    user.breaks("latency:200ms")
    began = time.monotonic()
    user.uploads_fine()
    assert time.monotonic() - began > 0.6


def sent(state: Any) -> int:
    (bytes_done,) = (phase["bytes_done"] for phase in state["phases"] if phase["name"] == "sending")
    return bytes_done


def see_bandwidth(user: User) -> None:
    (user.folder / "big.bin").write_bytes(bytes(12_000_000))  # the system's buffers take the first megabytes at once
    user.breaks("bandwidth:4000000")
    job, seen = user.ws.upload(user.folder, show=False), set()
    job.subscribe(lambda state: seen.add(sent(state)))
    assert set(job.wait(60).receipt["status"]) == {"ok"}
    assert len(seen) > 3
    user.breaks("bandwidth:100000")
    job = user.ws.upload(user.folder, resume=False, show=False)
    until(lambda: sent(job.state()) > 100_000)
    began = time.monotonic()
    job.cancel().wait(30)
    assert time.monotonic() - began < 20
    assert "cancelled" in set(job.receipt["status"])


def see_reset(user: User) -> None:
    user.breaks("reset:2")
    user.uploads_fine(retries=2)


def see_redirect(user: User) -> None:
    user.breaks("redirect:2")
    user.uploads_fine()


def see_slow_down(user: User) -> None:
    user.breaks("slow_down:2")
    user.uploads_fine(retries=2)


def see_request_timeout(user: User) -> None:
    user.breaks("request_timeout:2")
    user.uploads_fine(retries=2)


def see_policy_expired(user: User) -> None:
    (user.folder / "0.txt.meta.json").unlink()
    user.breaks("policy_expired:4")
    assert set(user.upload()["status"]) == {"ok"}
    user.breaks("policy_expired:1000")
    receipt = user.upload(resume=False)
    assert receipt["status"].tolist() == ["failed"] * 4
    assert receipt["attempts"].max() <= 4 * 6
    assert receipt["reason"].str.contains("Policy expired").all()
    assert receipt["remedy"].str.contains("opens a new session").all()


def see_too_large(user: User) -> None:
    (user.folder / "big.bin").write_bytes(bytes(1001))
    user.breaks("too_large:1000")
    receipt = user.upload()
    assert receipt["status"].to_dict() == {f"{n}.txt": "ok" for n in range(4)} | {"big.bin": "failed"}
    assert "EntityTooLarge" in receipt.loc["big.bin", "reason"]
    assert receipt.loc["big.bin", "attempts"] == 1


def see_api_502_html(user: User) -> None:
    user.breaks("api_502_html:2")
    assert user.ws.list_files().empty
    user.breaks("api_502_html:1")
    receipt = user.upload()
    assert set(receipt["status"]) == {"failed"}
    assert receipt["reason"].str.contains("Bad Gateway").all()
    assert not receipt["reason"].str.contains("<").any()


def see_api_429(user: User) -> None:
    user.breaks("api_429:2")
    user.uploads_fine()


def see_close_conflict(user: User) -> None:
    user.breaks("close_conflict:1")
    user.uploads_fine()


def see_stuck_status(user: User) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watch, "STALL_S", 0.3)  # instead of 90 s
        user.breaks("stuck_status")
        user.uploads_fine()


def see_null_expires_at(user: User) -> None:
    user.breaks("null_expires_at")
    session_id = user.upload()["session_id"].iloc[0]
    listed = user.ws.list_upload_sessions().set_index("session_id").loc[session_id, "expires_at"]
    assert user.ws.get_upload_session(session_id).expires_at == listed


def see_z_times(user: User) -> None:
    user.uploads_fine()
    before = (user.ws.list_files(), user.ws.list_upload_sessions())
    user.breaks("z_times")
    for table, other in zip(before, (user.ws.list_files(), user.ws.list_upload_sessions()), strict=True):
        assert table.equals(other)


def see_list_lag(user: User) -> None:
    user.breaks("list_lag:1s")
    user.uploads_fine()
    user.breaks("list_lag:60s")
    for number in range(4):
        (user.folder / f"{number}.txt").write_text("another text " * (number + 1))
    receipt = user.upload()
    assert receipt["status"].tolist() == ["ok"] * 4
    assert receipt["file_id"].isna().all()
    assert receipt["reason"].str.contains("listing").all()


def see_odd_names(user: User) -> None:
    user.ws.upload_texts({f"odd {n}.txt": f"text {n}" for n in range(40)}, show=False).wait(60)
    user.breaks("odd_names")
    names = set(user.ws.list_files()["name"])
    for odd in ODD_NAMES:
        assert any(odd.format(f"odd {n}.txt") in names for n in range(40))
    outside, folder = set(user.folder.parent.iterdir()), user.folder.parent / "got" / "deep"
    download(file_dir=str(folder), **account(user.ws))
    assert set(user.folder.parent.iterdir()) - outside == {folder.parent}
    assert set(folder.parent.iterdir()) == {folder}
    assert len([path for path in folder.rglob("*.txt") if path.is_file()]) == 40


def see_fail(user: User) -> None:
    user.breaks("fail:2.txt=FAILED_TO_PARSE_META")
    receipt = user.upload()
    assert receipt["status"].tolist() == ["ok", "ok", "failed", "ok"]
    assert "metadata" in receipt.loc["2.txt", "reason"]
    assert receipt.loc["2.txt", "remedy"]


def see_fail_some(user: User) -> None:
    user.breaks("fail_some:50%")
    receipt = user.upload()
    expected = {f"{n}.txt": "failed" if share_of(1, f"{n}.txt") < 0.5 else "ok" for n in range(4)}
    assert receipt["status"].to_dict() == expected
    assert receipt.loc[receipt["status"] == "failed", "remedy"].notna().all()


def see_duplicate_names(user: User) -> None:
    user.breaks("duplicate_names")
    receipt = user.upload()
    assert receipt["status"].tolist() == ["ok"] * 4
    assert receipt["reason"].str.contains("Ambiguous").all()
    assert len(user.ws.list_files()) == 8


@pytest.mark.parametrize("name", KINDS)
def test_the_user_sees_what_the_table_says(user: User, name: str) -> None:
    with stamina.set_testing(True, attempts=5, cap=True):  # no waits between attempts
        globals()[f"see_{name}"](user)
