"""A DataFrame as what is uploaded: documents one by one, or a plan that somebody edited."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from deepset_nb import frames
from deepset_nb.errors import InputError, NothingToUpload
from deepset_nb.transfer.plan import plan_rows, read_given, replan
from deepset_nb.transfer.receipt import Row


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name in ("a.txt", "b.txt", "c.txt", ".env"):
        (tmp_path / name).write_text(name)
    (tmp_path / "a.txt.meta.json").write_text('{"topic": "news"}')
    return tmp_path


def plan(what: object, **options: Any) -> pd.DataFrame:
    return frames.plan(plan_rows(read_given(what, **options)))


def run(frame: pd.DataFrame, **options: Any) -> dict[str, Row]:
    return {row.name: row for row in plan_rows(read_given(frame, **options))}


def test_the_frame_has_its_dtypes_also_when_empty(files: Path) -> None:
    for frame in (plan(files), frames.plan([])):
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == frames.PLAN
        assert list(frame.columns) == list(frames.PLAN)


def test_it_shows_action_state_and_metadata(files: Path) -> None:
    (files / "empty.txt").touch()
    frame = plan(files).set_index("name")

    assert frame["action"].to_dict() == {
        "a.txt": "send",
        "b.txt": "send",
        "c.txt": "send",
        ".env": "skip",
        "empty.txt": "refuse",
    }
    assert frame.loc["a.txt", "meta"] == {"topic": "news"}
    assert frame.loc["b.txt", "meta"] is None
    assert frame["reason"].notna().tolist() == [True, False, False, False, True]


def test_a_plan_runs_as_edited_and_what_is_left_out_has_a_row(files: Path) -> None:
    frame = plan(files).set_index("name", drop=False)
    frame.loc["b.txt", "action"] = "skip"
    frame.loc["c.txt", "name"] = "d.txt"
    frame.at["a.txt", "meta"] = {"topic": "weather"}
    rows = run(frame)

    assert {name: (row.status, row.state) for name, row in rows.items()} == {
        ".env": ("skipped", "hidden"),
        "a.txt": ("pending", "new"),
        "b.txt": ("skipped", "left_out"),
        "d.txt": ("pending", "new"),
    }
    assert rows["a.txt"].meta == b'{"topic": "weather"}'
    assert rows["d.txt"].source == str(files / "c.txt")


def test_metadata_taken_out_of_a_plan_stays_out_also_at_another_try(files: Path) -> None:
    frame = plan(files)
    frame["meta"] = None
    rows = run(frame)

    assert rows["a.txt"].meta is None
    assert [row.meta for row in replan([rows["a.txt"]])] == [None]


def test_a_plan_is_judged_again_when_it_runs(files: Path) -> None:
    frame = plan(files)
    (files / "a.txt").write_text("")
    (files / "b.txt").unlink()

    assert {name: row.state for name, row in run(frame).items()} == {
        ".env": "hidden",
        "a.txt": "empty",
        "b.txt": "unreadable",
        "c.txt": "new",
    }


def test_a_file_whose_metadata_was_refused_does_not_go_up_without_it(files: Path) -> None:
    rows = run(plan(files, meta=lambda path: 1 / 0 if path.name == "b.txt" else None))

    assert (rows["b.txt"].status, rows["b.txt"].state) == ("failed", "bad_meta")
    assert "ZeroDivisionError" in (rows["b.txt"].reason or "")
    assert [row.status for row in replan([rows["b.txt"]])] == ["failed"]


def test_a_hidden_file_goes_when_the_plan_says_so(files: Path) -> None:
    frame = plan(files)
    frame.loc[frame["state"] == "hidden", "action"] = "send"

    assert run(frame)[".env"].status == "pending"


def test_a_clash_is_mended_by_another_name(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.txt").write_text(folder)
    frame = plan(tmp_path, recursive=True)

    assert frame["state"].tolist() == ["new", "clash"]
    assert all(f"{folder}/a.txt" in frame["reason"][1] for folder in ("one", "two"))
    frame.loc[1, "name"] = "a2.txt"
    assert {name: row.status for name, row in run(frame).items()} == {"a.txt": "pending", "a2.txt": "pending"}


def test_texts_of_a_frame_are_documents_with_metadata(files: Path) -> None:
    rows = run(pd.DataFrame({"name": ["x.txt", "y.txt"], "text": ["one", "two"], "meta": [{"n": 1}, None]}))

    assert {name: (row.source, row.meta) for name, row in rows.items()} == {
        "x.txt": (b"one", b'{"n": 1}'),
        "y.txt": (b"two", None),
    }


def test_a_frame_mixes_texts_and_paths_and_meta_goes_over_sidecars(files: Path) -> None:
    frame = pd.DataFrame(
        {
            "name": ["x.txt", None, "z.txt"],
            "text": ["one", None, None],
            "path": [None, files / "a.txt", str(files / "b.txt")],
            "meta": [None, {"year": 2024}, None],
        }
    )
    rows = run(frame, meta={"lot": 7})

    assert list(rows) == ["x.txt", "a.txt", "z.txt"]
    assert isinstance(rows["a.txt"].meta, bytes)
    assert json.loads(rows["a.txt"].meta) == {"topic": "news", "year": 2024, "lot": 7}
    assert rows["z.txt"].meta == b'{"lot": 7}'


def test_a_plan_of_texts_asks_for_the_texts_it_cannot_hold() -> None:
    documents = pd.DataFrame({"name": ["x.txt"], "text": ["one"]})
    frame = plan(documents)

    assert frame["path"].isna().all()
    with pytest.raises(InputError, match="neither a text nor a path"):
        read_given(frame)
    assert run(frame.assign(text=documents["text"]))["x.txt"].source == b"one"


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pd.DataFrame({"title": ["a"]}), "title"),
        (pd.DataFrame({"name": ["a.txt"]}), "name"),
        (pd.DataFrame({"name": ["a.txt"], "text": [5]}), "its text is a int"),
        (pd.DataFrame({"name": [None], "text": ["x"]}), "no name"),
        (pd.DataFrame({"name": ["a.txt"], "text": ["x"], "meta": ["y"]}), "its meta is a str"),
        (pd.DataFrame({"name": ["a.txt"], "text": ["\ud83d"]}, dtype=object), "half a character"),
        (frames.plan([Row("a", "a", "a", 1, "a")]).assign(action="sned"), "'sned'"),
    ],
)
def test_a_frame_that_cannot_be_understood_says_which_row(frame: pd.DataFrame, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_given(frame)


def test_a_frame_of_no_rows_is_nothing_to_upload() -> None:
    with pytest.raises(NothingToUpload):
        read_given(pd.DataFrame({"name": [], "text": []}))


def test_a_frame_and_rules_for_folders_do_not_go_together(files: Path) -> None:
    with pytest.raises(InputError, match="exclude"):
        read_given(plan(files), exclude="*.tmp")


def test_a_text_named_like_a_sidecar_is_refused() -> None:
    assert run(pd.DataFrame({"name": ["a.txt.meta.json"], "text": ["{}"]}))["a.txt.meta.json"].status == "failed"
