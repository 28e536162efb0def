"""The plan finds every hazard before a byte is sent, and drops nothing silently."""

import json
import os
from pathlib import Path

import pytest

from deepset_nb.errors import NothingToUpload, PathNotFound
from deepset_nb.transfer.plan import plan_files, plan_rows, plan_texts, read_given, replan
from deepset_nb.transfer.receipt import Row


def plan(*paths: Path, recursive: bool = False) -> dict[str, Row]:
    rows = plan_rows(read_given(list(paths), recursive=recursive))
    return {Path(row.path).name: row for row in rows}


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_a_file_is_ready_to_send(tmp_path: Path) -> None:
    row = plan(write(tmp_path, a_txt="hello"))["a.txt"]

    assert (row.status, row.size, row.name, row.stored_name) == ("pending", 5, "a.txt", "a.txt")


def test_a_sidecar_belongs_to_its_file_and_is_no_row(tmp_path: Path) -> None:
    rows = plan(write(tmp_path, a_txt="hello", a_txt_meta_json='{"topic": "news"}'))

    assert list(rows) == ["a.txt"]
    assert rows["a.txt"].meta == str(tmp_path / "a.txt.meta.json")
    assert rows["a.txt"].objects == 2


def test_a_sidecar_is_paired_case_sensitively(tmp_path: Path) -> None:
    (tmp_path / "A.txt").write_text("hello")
    rows = plan(write(tmp_path, a_txt_meta_json="{}"))

    assert rows["A.txt"].meta is None
    assert rows["a.txt.meta.json"].status == "skipped"


@pytest.mark.parametrize(
    ("content", "words"), [("{not json", "not JSON"), ("[1, 2]", "a list, not a JSON object"), ("\xff", "not JSON")]
)
def test_a_sidecar_that_is_no_json_object_fails_its_file_and_names_both(
    tmp_path: Path, content: str, words: str
) -> None:
    row = plan(write(tmp_path, a_txt="hello", a_txt_meta_json=content))["a.txt"]

    assert row.status == "failed"
    assert "a.txt.meta.json" in (row.reason or "")
    assert words in (row.reason or "")
    assert "JSON object" in (row.remedy or "")


def test_a_sidecar_that_is_not_utf8_fails_its_file(tmp_path: Path) -> None:
    write(tmp_path, a_txt="hello")
    (tmp_path / "a.txt.meta.json").write_bytes(b'{"a": "\xff"}')

    assert "cannot be read" in (plan(tmp_path)["a.txt"].reason or "")


def test_a_sidecar_without_its_file_is_listed_as_left_out(tmp_path: Path) -> None:
    row = plan(write(tmp_path, a_txt="hello", b_txt_meta_json="{}"))["b.txt.meta.json"]

    assert row.status == "skipped"
    assert "'b.txt'" in (row.reason or "")


def test_an_empty_file_fails_before_it_is_sent(tmp_path: Path) -> None:
    row = plan(write(tmp_path, a_txt=""))["a.txt"]

    assert (row.status, row.phase) == ("failed", "planned")
    assert "empty" in (row.reason or "")


def test_a_file_over_the_buckets_limit_fails_before_it_is_sent(tmp_path: Path) -> None:
    with (tmp_path / "big.bin").open("wb") as file:
        file.truncate(5 * 1024**3 + 1)  # sparse: no disk is used

    row = plan(tmp_path)["big.bin"]
    assert "5 GiB" in (row.reason or "")
    assert "split -C 1G" in (row.remedy or "")


def test_hidden_files_and_folders_are_left_out_and_listed(tmp_path: Path) -> None:
    rows = plan(write(tmp_path, a_txt="hello", _env="KEY=1", _git__config="x"), recursive=True)

    assert {name: row.status for name, row in rows.items()} == {
        "a.txt": "pending",
        ".env": "skipped",
        ".git": "skipped",
    }


def test_two_files_of_one_name_do_not_silently_become_one(tmp_path: Path) -> None:
    write(tmp_path, one__a_txt="first", two__a_txt="second")
    rows = plan_rows(read_given(tmp_path, recursive=True))

    assert [row.status for row in rows] == ["pending", "failed"]
    assert str(tmp_path / "one" / "a.txt") in (rows[1].reason or "")


def test_names_that_the_bucket_would_make_equal_clash(tmp_path: Path) -> None:
    for name in ("a#b.txt", "a%b.txt"):
        (tmp_path / name).write_text("x")
    rows = plan_rows(read_given(tmp_path))

    assert [row.stored_name for row in rows] == ["a_b.txt", "a_b.txt"]
    assert [row.status for row in rows] == ["pending", "failed"]


def test_names_that_differ_only_in_case_both_go(tmp_path: Path) -> None:
    for name in ("a.txt", "A.txt"):
        (tmp_path / name).write_text("x")

    assert [row.status for row in plan_rows(read_given(tmp_path))] == ["pending", "pending"]


def test_a_broken_link_is_a_failed_row(tmp_path: Path) -> None:
    write(tmp_path, a_txt="hello")
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere")

    assert plan(tmp_path)["gone.txt"].status == "failed"


def test_a_link_to_a_folder_is_listed_but_not_followed(tmp_path: Path) -> None:
    write(tmp_path, a_txt="hello")
    (tmp_path / "loop").symlink_to(tmp_path)

    assert plan(tmp_path, recursive=True)["loop"].status == "skipped"


def test_a_named_pipe_is_left_out_instead_of_blocking(tmp_path: Path) -> None:
    write(tmp_path, a_txt="hello")
    os.mkfifo(tmp_path / "pipe")

    assert plan(tmp_path)["pipe"].status == "skipped"


def test_subfolders_are_left_alone_unless_asked_for(tmp_path: Path) -> None:
    write(tmp_path, a_txt="hello", sub__b_txt="deep")

    assert list(plan(tmp_path)) == ["a.txt"]
    assert list(plan(tmp_path, recursive=True)) == ["a.txt", "b.txt"]


def test_paths_are_shown_as_the_user_gave_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, reports__a_txt="hello")
    monkeypatch.chdir(tmp_path)

    assert plan_rows(read_given("reports/"))[0].path == "reports/a.txt"


def test_a_missing_path_says_how_far_it_is_true(tmp_path: Path) -> None:
    with pytest.raises(PathNotFound, match=f"'{tmp_path}' exists; check the name after it"):
        read_given(tmp_path / "reprots" / "a.txt")


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(NothingToUpload, match="holds no files"):
        read_given(tmp_path, recursive=True)


def test_a_folder_with_only_subfolders_points_to_recursive(tmp_path: Path) -> None:
    with pytest.raises(NothingToUpload, match="recursive=True"):
        read_given(write(tmp_path, sub__b_txt="deep"))


def test_no_paths_at_all_are_an_error() -> None:
    with pytest.raises(NothingToUpload):
        read_given([])


def test_a_repaired_sidecar_is_ready_at_the_second_look(tmp_path: Path) -> None:
    row = plan(write(tmp_path, a_txt="hello", a_txt_meta_json="{broken"))["a.txt"]
    (tmp_path / "a.txt.meta.json").write_text(json.dumps({"topic": "news"}))

    assert [again.status for again in replan([row])] == ["pending"]


def test_an_empty_text_and_metadata_that_is_not_json_fail_before_they_are_sent() -> None:
    rows = plan_texts(
        [("a.txt", b"", None), ("b.txt", b"x", {"score": float("nan")}), ("c.txt", b"x", {"k": object()})]
    )

    assert [row.status for row in rows] == ["failed", "failed", "failed"]


def test_two_texts_of_one_name_clash() -> None:
    rows = plan_texts([("a.txt", b"x", None), ("a.txt", b"y", None)])

    assert [row.status for row in rows] == ["pending", "failed"]


def dropped(name: str, where: Path) -> Row:
    return Row(name, name, name, 0, str(where))


def test_a_sidecar_that_lies_elsewhere_is_looked_at_again(tmp_path: Path) -> None:
    """Files that came from a browser lie under ids, side by side with nothing."""
    (tmp_path / "1").write_text("hello")
    (tmp_path / "2").write_text("{broken")
    files = [dropped("a.txt", tmp_path / "1"), dropped("a.txt.meta.json", tmp_path / "2")]
    [row] = plan_files(files)
    [again] = replan([row])

    assert (row.status, again.status) == ("failed", "failed")
    assert "'a.txt.meta.json' is not JSON" in (again.reason or "")


def test_two_files_of_one_shown_path_do_not_replace_each_other(tmp_path: Path) -> None:
    """As when a file is dropped into the uploader, changed, and dropped once more."""
    for name in ("first", "second"):
        (tmp_path / name).write_text(name)
    files = [dropped("a.txt", tmp_path / name) for name in ("first", "second")]

    assert [row.status for row in plan_files(files)] == ["pending", "failed"]


def test_a_lock_file_named_by_a_pattern_is_not_taken_for_a_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("~$report.docx").write_text("x")

    assert [row.path for row in plan_rows(read_given(Path().glob("*.docx")))] == ["~$report.docx"]


def test_a_folder_that_cannot_be_opened_is_a_row_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    deep = os.open(tmp_path, os.O_RDONLY)
    for _ in range(20):  # a path longer than the system opens, for whoever runs the tests
        os.mkdir("d" * 250, dir_fd=deep)
        deeper = os.open("d" * 250, os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = deeper
    os.close(deep)
    rows = plan_rows(read_given(tmp_path, recursive=True))

    assert [row.status for row in rows] == ["pending", "failed"]
    assert (rows[1].reason or "").startswith("It cannot be read")
