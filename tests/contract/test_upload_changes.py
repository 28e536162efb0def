"""Files that change between plan and end: what was sent is whole or not there at all, and each row says so."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import psutil  # type: ignore[import-untyped, unused-ignore]
import pytest

import deepset_nb as dn
from deepset_nb.job import UploadJob
from deepset_nb.transfer.plan import plan_rows, read_given
from deepset_nb.transfer.progress import Progress
from deepset_nb.transfer.receipt import Row
from deepset_nb.transfer.upload import Upload
from tests.contract.platform_holds import assert_true, contents_of, held_by
from tests.contract.rooms import until
from tests.leaks import nothing_left

SMALL = 3_000  # sent in one piece
LARGE = 24_000_000  # more than the system's buffers take at once

Change = Callable[[Path], object]


def other_words(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"other")


def longer(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def shorter(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_link_to_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def a_link_to_another(path: Path) -> None:
    other = path.with_name(f".{path.name}")
    other.write_bytes(b"another document")
    path.unlink()
    path.symlink_to(other)


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def without_its_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


def saved_anew(path: Path) -> None:
    """As editors do: another file takes the name."""
    fresh = path.with_name(f".{path.name}")
    fresh.write_bytes(b"x" * path.stat().st_size)
    fresh.replace(path)


def repaired(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)
    path.write_text(f"The new state of {path.name}.")


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """A file for each change, in a folder of its own, and one that stays as it is."""
    made = tmp_path / "documents"
    made.mkdir()
    for name in CHANGES:
        (made / name).mkdir()
        (made / name / f"{name}.txt").write_bytes(name.encode().ljust(SMALL))
    (made / "kept.txt").write_text("This one stays as it is.")
    return made


CHANGES: dict[str, tuple[Change, str]] = {
    "longer": (longer, "changed while it was being sent: it had 3,000 bytes and has 3,004 now"),
    "shorter": (shorter, "changed while it was being sent: it had 3,000 bytes and has 1,500 now"),
    "deleted": (Path.unlink, "could not be read while sending: No such file"),
    "without_its_folder": (without_its_folder, "could not be read while sending: No such file"),
    "a_link_to_nowhere": (a_link_to_nowhere, "could not be read while sending: No such file"),
    "a_link_to_another": (a_link_to_another, "changed while it was being sent: it had 3,000 bytes and has 16 now"),
    "a_folder": (a_folder, "not a regular file any more"),
    "a_pipe": (a_pipe, "not a regular file any more"),
}


def job_of(ws: dn.Workspace, folder: Path, between: Callable[[], object] = lambda: None) -> UploadJob:
    """An upload; something may happen between its plan and its first byte."""

    def plan() -> list[Row]:
        rows = plan_rows(read_given(folder, recursive=True))
        between()
        return rows

    return UploadJob(Upload(ws.settings, plan, Progress(ws.target), who=ws._who))


def test_a_file_that_changed_since_it_was_planned_is_a_failed_row_that_says_how(
    ws: dn.Workspace, documents: Path
) -> None:
    def change() -> None:
        for name, (how, _) in CHANGES.items():
            how(documents / name / f"{name}.txt")

    with nothing_left(ws, documents):
        job = job_of(ws, documents, change).wait(30)
        rows = job.receipt.set_index(job.receipt["name"].str.removesuffix(".txt"))

        assert rows.loc["kept", "status"] == "ok"
        for name, (_, words) in CHANGES.items():
            assert rows.loc[name, "status"] == "failed", name
            assert words in rows.loc[name, "reason"]
            assert rows.loc[name, "remedy"]
        assert list(held_by(ws)) == ["kept.txt"]

        for name in CHANGES:
            repaired(documents / name / f"{name}.txt")
        again = job.retry(show=False).wait(30)
        assert set(again.receipt["status"]) == {"ok"}, again.failed.to_string()
        assert {name: held[0].content for name, held in held_by(ws).items()} == {
            "kept.txt": b"This one stays as it is.",
            **{f"{name}.txt": f"The new state of {name}.txt.".encode() for name in CHANGES},
        }


def test_a_file_of_the_same_size_goes_up_as_it_is_when_it_is_opened(ws: dn.Workspace, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("text of before")
    with nothing_left(ws, tmp_path):
        job = job_of(ws, tmp_path, lambda: other_words(tmp_path / "one.txt")).wait(30)

        assert job.receipt["status"].tolist() == ["ok"]
        assert_true(job, ws, contents_of(tmp_path))
        assert held_by(ws)["one.txt"][0].content == b"otherof before"
        assert ws.plan(tmp_path)["state"].tolist() == ["unchanged"]


def test_a_sidecar_that_turns_into_a_pipe_fails_its_file_and_holds_up_nobody(ws: dn.Workspace, tmp_path: Path) -> None:
    for name in ("one.txt", "two.txt"):
        (tmp_path / name).write_text("text")
        (tmp_path / f"{name}.meta.json").write_text('{"a": 1}')
    with nothing_left(ws, tmp_path):
        job = job_of(ws, tmp_path, lambda: a_pipe(tmp_path / "one.txt.meta.json")).wait(30)

        assert dict(zip(job.receipt["name"], job.receipt["status"], strict=True)) == {
            "one.txt": "failed",
            "two.txt": "ok",
        }
        assert "not a regular file any more" in job.failed["reason"][0]
        assert list(held_by(ws)) == ["two.txt"]


# --- under way --------------------------------------------------------------------------------------------------------

FAILING: dict[str, tuple[Change, str]] = {
    "other_words": (other_words, "its content was written to"),
    "longer": (longer, "it had 24,000,000 bytes and has 24,000,004 now"),
    "shorter": (shorter, "it had 24,000,000 bytes and "),
}
UNMOVED: dict[str, Change] = {  # an open file is still the same, whatever becomes of its name
    "deleted": Path.unlink,
    "saved_anew": saved_anew,
    "a_folder": a_folder,
    "a_pipe": a_pipe,
    "without_its_folder": without_its_folder,
}


def test_a_file_that_changes_under_way_is_a_failed_row_and_one_that_is_gone_arrives_whole(
    ws: dn.Workspace, tmp_path: Path
) -> None:
    documents, paths = tmp_path / "documents", {}
    for number, name in enumerate([*FAILING, *UNMOVED]):
        paths[name] = documents / name / f"{name}.bin"
        paths[name].parent.mkdir(parents=True)
        with paths[name].open("wb") as file:
            file.write(bytes([number + 1]) * 1000)
            file.truncate(LARGE)
    before = {name: path.read_bytes() for name, path in paths.items()}
    assert ws.sandbox is not None
    ws.sandbox.fault("bandwidth:3000000")
    with nothing_left(ws, documents):
        job = ws.upload(documents, recursive=True, show=False)
        until(lambda: {one.path for one in psutil.Process().open_files()} >= {str(path) for path in paths.values()})
        for name, path in paths.items():
            (UNMOVED[name] if name in UNMOVED else FAILING[name][0])(path)
        job.wait(60)
        ws.sandbox.clear_faults()
        rows = job.receipt.set_index(job.receipt["name"].str.removesuffix(".bin"))

        assert rows["status"].to_dict() == dict.fromkeys(FAILING, "failed") | dict.fromkeys(UNMOVED, "ok")
        for name, (_, words) in FAILING.items():
            assert words in rows.loc[name, "reason"]
            assert "send it again" in rows.loc[name, "remedy"]
        held = held_by(ws)
        assert {name: one.content == before[name[:-4]] for name, (one,) in held.items()} == {
            f"{name}.bin": True for name in UNMOVED
        }
        again = job.retry(show=False).wait(60)
        assert set(again.receipt["status"]) == {"ok"}
        held = held_by(ws)
        assert all(held[f"{name}.bin"][0].content == paths[name].read_bytes() for name in FAILING)
