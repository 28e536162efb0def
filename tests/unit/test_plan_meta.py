"""Metadata: merged key by key, turned into plain JSON, refused by name where JSON or the platform cannot take it."""

import json
import math
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deepset_nb.errors import InputError
from deepset_nb.transfer.plan import plan_rows, plan_texts, read_given, replan
from deepset_nb.transfer.receipt import Row


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "a.txt.meta.json").write_text('{"year": 2023, "topic": "news"}')
    (tmp_path / "b.txt").write_text("b")
    return tmp_path


def planned(folder: Path, meta: object) -> dict[str, Row]:
    return {row.name: row for row in plan_rows(read_given(folder, meta=meta))}


def sent(row: Row) -> Any:
    assert isinstance(row.meta, bytes)
    return json.loads(row.meta)


def only(value: object) -> Row:
    [row] = plan_texts([("a.txt", b"x", {"key": value})])
    return row


def test_a_dict_wins_over_a_sidecar_key_by_key(files: Path) -> None:
    rows = planned(files, {"year": 2024})

    assert sent(rows["a.txt"]) == {"year": 2024, "topic": "news"}
    assert sent(rows["b.txt"]) == {"year": 2024}


def test_a_function_is_asked_with_each_path_and_none_means_no_more(files: Path) -> None:
    rows = planned(files, lambda path: {"stem": path.stem} if path.name == "b.txt" else None)

    assert rows["a.txt"].meta == str(files / "a.txt.meta.json")
    assert sent(rows["b.txt"]) == {"stem": "b"}


def test_a_function_that_fails_fails_its_file_alone_also_at_another_try(files: Path) -> None:
    rows = planned(files, lambda path: {"n": {"b.txt": 1}[path.name]})

    assert (rows["a.txt"].status, rows["a.txt"].state) == ("failed", "bad_meta")
    assert "KeyError: 'a.txt'" in (rows["a.txt"].reason or "")
    assert rows["b.txt"].status == "pending"
    assert [row.state for row in replan([rows["a.txt"]])] == ["bad_meta"]


def test_a_function_that_returns_no_dict_fails_its_file(files: Path) -> None:
    assert "returned a list" in (planned(files, lambda _: ["x"])["b.txt"].reason or "")


@pytest.mark.parametrize("form", ["column", "index"])
def test_a_frame_gives_each_file_its_row_and_a_missing_cell_is_no_key(files: Path, form: str) -> None:
    table = pd.DataFrame({"name": ["a.txt", "b.txt"], "year": [2020, None], "label": ["x", "y"]})
    rows = planned(files, table if form == "column" else table.set_index("name"))

    assert sent(rows["a.txt"]) == {"year": 2020, "topic": "news", "label": "x"}
    assert sent(rows["b.txt"]) == {"label": "y"}


def test_names_of_a_frame_without_a_file_are_rows_of_their_own(files: Path) -> None:
    rows = planned(files, pd.DataFrame({"name": ["a.txt", "c.txt"], "k": [1, 2]}))

    assert (rows["c.txt"].status, rows["c.txt"].state) == ("skipped", "unmatched_meta")


def test_a_large_table_adds_a_count_instead_of_a_row_for_each_name(files: Path) -> None:
    table = pd.DataFrame({"name": [f"other-{number}.txt" for number in range(1_000)], "k": 1})
    extra = [row for row in plan_rows(read_given(files, meta=table)) if row.state == "unmatched_meta"]

    assert len(extra) == 21
    assert "980" in (extra[-1].reason or "")


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"year": [1, 2]}),
        pd.DataFrame({"name": ["a.txt", "a.txt"], "k": [1, 2]}),
        pd.DataFrame({"name": ["a.txt", None], "k": [1, 2]}),
        pd.DataFrame({"name": ["a.txt"], 5: [1]}),
        "year",
    ],
)
def test_a_table_that_does_not_say_whose_row_is_whose_is_an_error_of_the_call(files: Path, table: object) -> None:
    with pytest.raises(InputError, match="meta="):
        read_given(files, meta=table)


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        (np.int64(5), 5),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.array([1, 2]), [1, 2]),
        (np.datetime64("2024-05-06"), "2024-05-06"),
        (pd.Timestamp("2024-05-06T07:08:09Z"), "2024-05-06T07:08:09+00:00"),
        (datetime(2024, 5, 6, tzinfo=UTC), "2024-05-06T00:00:00+00:00"),
        (date(2024, 5, 6), "2024-05-06"),
        (("a", "b"), ["a", "b"]),
        (None, None),
        ({"deep": np.int8(1)}, {"deep": 1}),
        (Path("x"), "x"),
    ],
)
def test_values_json_has_a_form_for_are_converted(value: object, becomes: object) -> None:
    assert sent(only(value)) == {"key": becomes}


@pytest.mark.parametrize("value", [pd.NaT, pd.NA, np.datetime64("NaT")])
def test_what_pandas_calls_missing_is_no_key(value: object) -> None:
    row = only(value)

    assert (row.status, row.meta) == ("pending", None)


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, np.float64("nan"), {1, 2}, object(), b"x", pd.Timedelta("1s"), "\ud83d", [math.nan]]
)
def test_values_json_cannot_hold_fail_the_file_and_name_the_key(value: object) -> None:
    row = only(value)

    assert (row.status, row.state) == ("failed", "bad_meta")
    assert "'key'" in (row.reason or "")
    assert row.remedy


def test_metadata_in_a_circle_is_refused_instead_of_overflowing() -> None:
    circle: dict[str, Any] = {}
    circle["again"] = circle

    assert "too deeply" in (only(circle).reason or "")


@pytest.mark.parametrize(
    ("meta", "words"),
    [
        ({"id": 1}, "reserved"),
        ({"_id": 1}, "reserved"),
        ({"key": "x" * 32_765}, "'key' has 32,767 bytes"),
        ({f"key-{number}": "x" * 30_000 for number in range(9)}, "250,000"),
        ({5: "x"}, "5 is a int"),
    ],
)
def test_metadata_over_the_platforms_limits_is_refused(tmp_path: Path, meta: dict[str, Any], words: str) -> None:
    [row] = plan_texts([("a.txt", b"x", meta)])
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "a.txt.meta.json").write_text(json.dumps(meta))

    assert row.state == "bad_meta"
    assert words in (row.reason or "")
    if 5 not in meta:
        assert [row.state for row in plan_rows(read_given(tmp_path))] == ["bad_meta"]


def test_the_largest_value_the_platform_takes_goes(tmp_path: Path) -> None:
    [row] = plan_texts([("a.txt", b"x", {"key": "x" * 32_764})])

    assert row.status == "pending"


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": Infinity}', '{"a": "\\ud83d"}'])
def test_a_sidecar_that_only_python_reads_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "a.txt.meta.json").write_text(text)

    assert [row.state for row in plan_rows(read_given(tmp_path))] == ["bad_meta"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_sidecar_in_another_unicode_form_goes_as_plain_utf8(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "a.txt.meta.json").write_text('{"topic": "oil"}', encoding=encoding)
    [row] = plan_rows(read_given(tmp_path))

    assert row.meta == b'{"topic": "oil"}'


def test_a_key_of_two_types_is_a_warning_that_names_the_other_file() -> None:
    rows = plan_texts(
        [("a.txt", b"x", {"year": 2024}), ("b.txt", b"x", {"year": "2024"}), ("c.txt", b"x", {"year": None})]
    )

    assert [row.status for row in rows] == ["pending"] * 3
    assert [row.warning is None for row in rows] == [True, False, True]
    assert "'a.txt'" in (rows[1].warning or "")


def test_a_pipe_in_the_place_of_a_sidecar_fails_its_file_instead_of_waiting(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    os.mkfifo(tmp_path / "a.txt.meta.json")

    assert ["not a regular file" in (row.reason or "") for row in plan_rows(read_given(tmp_path))] == [True]


def test_a_sidecar_far_over_the_limit_is_not_even_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    with (tmp_path / "a.txt.meta.json").open("wb") as file:
        file.truncate(2**40)  # sparse: no disk is used, and no memory has room for it

    assert ["larger than" in (row.reason or "") for row in plan_rows(read_given(tmp_path))] == [True]
