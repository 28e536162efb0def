"""What a platform's file is called on disk."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from deepset_nb.models import File
from deepset_nb.transfer.local_names import LocalNames, safe_name, time_of


def file(name: str, size: int = 5) -> File:
    return File(uuid4(), "", name, size, datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), {})


HOSTILE = [
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    ".",
    "",
    "   ",
    "CON",
    "nul.txt",
    "C:\\Windows\\x.txt",
    "\\\\host\\share",
    "a\x00b.txt",
    "a\nb.txt",
    "x" * 400 + ".txt",
    "日" * 300 + ".txt",
    "a." + "y" * 300,
    "trailing. ",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_leaves_its_folder_or_is_too_long(tmp_path: Path, name: str) -> None:
    path, there = LocalNames(tmp_path).place(file(name))
    path.write_text("x")
    path.with_name(f"{path.name}.meta.json").write_text("{}")

    assert not there
    assert path.parent == tmp_path
    assert path.resolve().parent == tmp_path.resolve()
    assert path.name not in ("", ".", "..")


@pytest.mark.parametrize("name", ["naïve file.txt", "日本語🦊.txt", "100 % sure.md", ".bashrc", "archive.tar.gz"])
def test_a_harmless_name_stays(name: str) -> None:
    assert safe_name(name) == name


def test_a_long_name_keeps_its_ending() -> None:
    assert safe_name("日" * 300 + ".txt").endswith("日.txt")


def test_names_that_become_the_same_are_numbered(tmp_path: Path) -> None:
    names = LocalNames(tmp_path)
    given = [names.place(file(name))[0].name for name in ("a.txt", "a.txt", "A.TXT", "b/c.txt", "b_c.txt", "b:c.txt")]

    assert given == ["a.txt", "a_1.txt", "A_2.TXT", "b_c.txt", "b_c_1.txt", "b_c_2.txt"]


def test_a_content_named_like_a_sidecar_never_meets_one(tmp_path: Path) -> None:
    names = LocalNames(tmp_path)

    assert names.place(file("a.txt"))[0].name == "a.txt"
    assert names.place(file("a.txt.meta.json"))[0].name == "a.txt.meta_1.json"
    assert names.place(file("b.txt.meta.json"))[0].name == "b.txt.meta.json"
    assert names.place(file("b.txt"))[0].name == "b_1.txt"


def test_a_file_that_is_there_is_recognised_by_size_and_time_or_left_alone(tmp_path: Path) -> None:
    ours, other = file("a.txt"), file("a.txt", size=6)
    (tmp_path / "a.txt").write_text("12345")
    assert LocalNames(tmp_path).place(ours) == (tmp_path / "a_1.txt", False)
    os.utime(tmp_path / "a.txt", ns=(time_of(ours), time_of(ours)))

    assert LocalNames(tmp_path).place(ours) == (tmp_path / "a.txt", True)
    assert LocalNames(tmp_path).place(other) == (tmp_path / "a_1.txt", False)


def test_a_link_is_never_written_through(tmp_path: Path) -> None:
    (tmp_path / "a.txt").symlink_to(tmp_path / "elsewhere")

    assert LocalNames(tmp_path).place(file("a.txt")) == (tmp_path / "a_1.txt", False)


def test_ten_thousand_files_of_one_name_are_placed_in_no_time(tmp_path: Path) -> None:
    names = LocalNames(tmp_path)
    placed = {names.place(file("a.txt"))[0].name for _ in range(10_000)}

    assert len(placed) == 10_000


def test_the_two_ways_to_write_a_letter_are_one_name(tmp_path: Path) -> None:
    names = LocalNames(tmp_path)

    assert names.place(file("caf\u00e9.txt"))[0].name == "caf\u00e9.txt"
    assert names.place(file("cafe\u0301.txt"))[0].name == "cafe\u0301_1.txt"
    assert names.place(file("CAF\u00c9.txt"))[0].name == "CAF\u00c9_2.txt"


def test_a_file_that_was_fetched_alone_is_recognised_among_its_namesakes(tmp_path: Path) -> None:
    first, second = file("a.txt", size=5), file("a.txt", size=6)
    (tmp_path / "a.txt").write_text("123456")
    os.utime(tmp_path / "a.txt", ns=(time_of(second), time_of(second)))
    names = LocalNames(tmp_path)

    assert names.place(first) == (tmp_path / "a_1.txt", False)
    assert names.place(second) == (tmp_path / "a.txt", True)
    assert names.place(second) == (tmp_path / "a_2.txt", False)


def test_no_document_takes_the_name_of_a_leftover() -> None:
    assert safe_name(".dnb-download.lock") == "_.dnb-download.lock"
    assert safe_name(f".dnb-{'0' * 16}.part") == f"_.dnb-{'0' * 16}.part"
