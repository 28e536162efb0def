"""Names: what the bucket alters, what collides then, what is too long, and what differs only in case."""

import os
from pathlib import Path

import pandas as pd
import pytest

from deepset_nb import frames
from deepset_nb.transfer.plan import plan_rows, plan_texts, read_given, replan


def test_a_name_the_bucket_alters_is_sent_and_says_under_which_name(tmp_path: Path) -> None:
    (tmp_path / "50%.txt").write_text("x")
    [row] = plan_rows(read_given(tmp_path))

    assert (row.status, row.state, row.stored_name) == ("pending", "renamed", "50_.txt")
    assert "'50_.txt'" in (row.warning or "")
    assert frames.plan([row])["reason"].tolist() == [row.warning]
    assert row.reason is None, "a reason is of an outcome, and it has none yet"


def test_names_that_differ_in_case_name_each_other() -> None:
    rows = plan_texts([("a.txt", b"x", None), ("A.TXT", b"y", None), ("b.txt", b"z", None)])

    assert [(row.status, row.state) for row in rows] == [("pending", "case_twin")] * 2 + [("pending", "new")]
    assert "'A.TXT'" in (rows[0].warning or "")
    assert "'a.txt'" in (rows[1].warning or "")


@pytest.mark.parametrize(("letters", "meta", "state"), [(456, None, "new"), (457, None, "name_too_long")])
def test_a_name_is_measured_in_the_bytes_of_its_key(letters: int, meta: None, state: str) -> None:
    assert [row.state for row in plan_texts([("ä" * letters, b"x", meta)])] == [state]


def test_a_name_must_leave_room_for_its_metadata() -> None:
    rows = plan_texts([("a" * 905, b"x", None), ("b" * 905, b"x", {"n": 1})])

    assert [row.state for row in rows] == ["new", "name_too_long"]


def test_a_clash_stays_one_at_another_try() -> None:
    """The other may be up by then; sent into a session of its own, it would replace it after all."""
    rows = plan_texts([("a.txt", b"x", None), ("a.txt", b"y", None)])

    assert [row.state for row in replan([rows[1]])] == ["clash"]


def test_a_name_that_is_no_utf8_has_a_row_and_a_frame(tmp_path: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt")).write_text("x")
    except OSError:
        return  # file systems that take no such name have no such hazard
    rows = plan_rows(read_given(tmp_path))

    assert [row.stored_name for row in rows] == ["_.txt"]
    assert [row.status for row in plan_rows(read_given(frames.plan(rows)))] == ["pending"]


def test_text_that_is_not_utf8_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("Öl".encode("latin-1"))
    (tmp_path / "latin.bin").write_bytes(b"\xff")
    (tmp_path / "cut.txt").write_bytes(b"x" * (64 * 1024 - 1) + "ä".encode())
    rows = {row.name: row for row in plan_rows(read_given(tmp_path, check_text=None))}

    assert {name: row.state for name, row in rows.items()} == {
        "latin.txt": "not_utf8",
        "latin.bin": "new",
        "cut.txt": "new",
    }
    assert rows["latin.txt"].status == "pending"
    assert [row.state for row in plan_rows(read_given(tmp_path / "latin.txt"))] == ["new"], "an upload opens no file"


def test_a_plan_of_texts_and_the_frame_of_it_agree() -> None:
    frame = frames.plan(plan_texts([("a.txt", b"x", {"when": pd.Timestamp("2024-01-02")}), ("b.txt", b"", None)]))

    assert frame["action"].tolist() == ["send", "refuse"]
    assert frame["meta"].tolist() == [{"when": "2024-01-02T00:00:00"}, None]
