"""From what a user names to files: patterns, hidden things, links, and one row for whatever is left out."""

from pathlib import Path

import pytest

from deepset_nb.errors import InputError, PathNotFound
from deepset_nb.transfer.plan import plan_rows, read_given


def write(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def states(folder: Path, what: object = None, **options: object) -> dict[str, str]:
    rows = plan_rows(read_given(folder if what is None else what, **options))  # type: ignore[arg-type]
    return {Path(row.path).relative_to(folder).as_posix(): row.state for row in rows}


def test_a_glob_finds_files_at_its_depth_only(tmp_path: Path) -> None:
    write(tmp_path, "a.pdf", "a.txt", "sub/b.pdf")

    assert states(tmp_path, f"{tmp_path}/*.pdf") == {"a.pdf": "new"}
    assert states(tmp_path, f"{tmp_path}/*/*.pdf") == {"sub/b.pdf": "new"}


def test_two_stars_find_files_at_any_depth(tmp_path: Path) -> None:
    write(tmp_path, "a.pdf", "sub/b.pdf", "sub/deep/c.pdf", "sub/d.txt")

    assert list(states(tmp_path, f"{tmp_path}/**/*.pdf")) == ["a.pdf", "sub/b.pdf", "sub/deep/c.pdf"]


def test_a_glob_takes_the_metadata_of_what_it_finds(tmp_path: Path) -> None:
    write(tmp_path, "a.pdf")
    (tmp_path / "a.pdf.meta.json").write_text('{"n": 1}')
    [row] = plan_rows(read_given(tmp_path / "*.pdf"))

    assert row.meta == str(tmp_path / "a.pdf.meta.json")


def test_a_path_that_exists_is_not_read_as_a_pattern(tmp_path: Path) -> None:
    write(tmp_path, "a[1].txt", "a1.txt")

    assert states(tmp_path, tmp_path / "a[1].txt") == {"a[1].txt": "renamed"}


def test_a_glob_without_a_match_says_so(tmp_path: Path) -> None:
    with pytest.raises(PathNotFound, match="No file matches"):
        read_given(write(tmp_path, "a.txt") / "*.pdf")


def test_exclude_leaves_out_files_and_whole_folders_each_as_a_row(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "b.tmp", "drafts/c.txt", "drafts/deep/d.txt", "sub/e.tmp")

    assert states(tmp_path, recursive=True, exclude=["*.tmp", "drafts/"]) == {
        "a.txt": "new",
        "b.tmp": "excluded",
        "drafts": "excluded",
        "sub/e.tmp": "excluded",
    }


def test_include_is_relative_to_the_folder_named(tmp_path: Path) -> None:
    write(tmp_path, "in/a.txt", "out/a2.txt")

    assert states(tmp_path, recursive=True, include="/in/*.txt") == {"in/a.txt": "new", "out/a2.txt": "excluded"}


def test_metadata_follows_its_file_through_include(tmp_path: Path) -> None:
    write(tmp_path, "a.pdf", "b.txt")
    (tmp_path / "a.pdf.meta.json").write_text('{"n": 1}')
    (tmp_path / "b.txt.meta.json").write_text('{"n": 2}')
    rows = plan_rows(read_given(tmp_path, include="*.pdf"))

    assert [(row.name, row.state, row.meta is not None) for row in rows] == [
        ("a.pdf", "new", True),
        ("b.txt", "excluded", True),
    ]


def test_an_excluded_sidecar_is_not_used(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "a.txt.meta.json")
    rows = plan_rows(read_given(tmp_path, exclude="*.meta.json"))

    assert [(row.name, row.state, row.meta) for row in rows] == [
        ("a.txt", "new", None),
        ("a.txt.meta.json", "excluded", None),
    ]


def test_hidden_things_come_in_when_asked_for_but_version_control_never(tmp_path: Path) -> None:
    write(tmp_path, ".env", ".git/config", "__pycache__/a.pyc", ".ipynb_checkpoints/b.ipynb", "c.txt")

    assert states(tmp_path, recursive=True) == {
        ".env": "hidden",
        ".git": "hidden",
        ".ipynb_checkpoints": "hidden",
        "__pycache__": "hidden",
        "c.txt": "new",
    }
    assert states(tmp_path, recursive=True, hidden=True) == {
        ".env": "new",
        ".git": "hidden",
        ".ipynb_checkpoints/b.ipynb": "new",
        "__pycache__/a.pyc": "new",
        "c.txt": "new",
    }


def test_a_file_named_in_several_ways_is_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "sub/a.txt", "sub/b.txt")
    monkeypatch.chdir(tmp_path)
    rows = plan_rows(read_given(["sub", "sub/a.txt", tmp_path / "sub" / "a.txt", "sub/*.txt"]))

    assert [row.name for row in rows] == ["a.txt", "b.txt"]


def test_links_to_folders_end_nowhere(tmp_path: Path) -> None:
    write(tmp_path, "sub/a.txt")
    (tmp_path / "sub" / "loop").symlink_to(tmp_path)

    assert states(tmp_path, f"{tmp_path}/**/*") == {"sub/a.txt": "new", "sub/loop": "not_a_file"}


def test_a_file_one_may_not_read_is_found_by_its_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "a.txt", "b.txt")
    (tmp_path / "b.txt").chmod(0)
    monkeypatch.setattr("os.access", lambda *_: False)  # whoever runs the tests may be root, who reads everything

    assert states(tmp_path) == {"a.txt": "new", "b.txt": "unreadable"}


@pytest.mark.parametrize("what", [b"a.txt", 5, None, {"a.txt": "text"}, [""], ["a\0b"], [None]])
def test_what_names_no_file_is_an_error_of_the_call(what: object) -> None:
    with pytest.raises(InputError) as caught:
        read_given(what)
    assert caught.value.remedy


@pytest.mark.parametrize("patterns", [5, [5], b"*.txt"])
def test_a_pattern_that_is_none_is_an_error_of_the_call(tmp_path: Path, patterns: object) -> None:
    with pytest.raises(InputError, match="exclude="):
        read_given(write(tmp_path, "a.txt"), exclude=patterns)  # type: ignore[arg-type]
