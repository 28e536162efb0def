"""Metadata edited in pandas, and files deleted, against a real sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pandas as pd
import pytest

import deepset_nb as dn
from deepset_nb import bridge, frames
from deepset_nb.client import metadata
from deepset_nb.errors import InputError
from tests.clients.front import front

METAS: list[dict[str, Any]] = [{"topic": "rivers", "year": 2019}, {"topic": "lakes", "tags": ["a"]}, {}]


@pytest.fixture
def files(ws: dn.Workspace) -> pd.DataFrame:
    """Three files as they are listed, oldest first."""
    texts = [dn.DeepsetCloudFile("some text", f"{number}.txt", meta) for number, meta in enumerate(METAS)]
    ws.upload_texts(texts, show=False).wait(30)
    return ws.list_files(sort="name", order="ASC")


def metas(ws: dn.Workspace) -> list[dict[str, Any]]:
    return ws.list_files(sort="name", order="ASC")["meta"].tolist()


def test_only_what_differs_is_sent_and_each_key_has_a_row(ws: dn.Workspace, files: pd.DataFrame) -> None:
    files.at[0, "meta"] = {"topic": "rivers", "year": 2020}
    files.at[1, "meta"] = {"tags": ["a"]}
    report = ws.apply_meta(files)

    assert report[["name", "key", "before", "after", "status"]].values.tolist() == [
        ["0.txt", "year", 2019, 2020, "ok"],
        ["1.txt", "topic", "lakes", None, "ok"],
    ]
    assert metas(ws) == [{"topic": "rivers", "year": 2020}, {"tags": ["a"]}, {}]


def test_a_dry_run_tells_the_differences_and_changes_nothing(ws: dn.Workspace, files: pd.DataFrame) -> None:
    files.at[2, "meta"] = {"topic": "seas"}
    report = ws.apply_meta(files, dry_run=True)

    assert report[["name", "after", "status"]].values.tolist() == [["2.txt", "seas", "pending"]]
    assert metas(ws) == METAS


def test_columns_of_keys_make_the_round_trip(ws: dn.Workspace) -> None:
    texts = [dn.DeepsetCloudFile("x", f"{number}.txt", meta) for number, meta in enumerate(METAS)]
    ws.upload_texts(texts, show=False).wait(30)
    frame = ws.list_files(sort="name", order="ASC", expand_meta=True)
    assert ws.apply_meta(frame).empty

    frame.loc[frame["meta.year"] < 2020, "meta.archive"] = True
    frame.loc[frame["name"] == "1.txt", "meta.topic"] = pd.NA
    assert ws.apply_meta(frame.drop(columns="meta.tags"))["status"].tolist() == ["ok", "ok"]

    assert metas(ws) == [{"topic": "rivers", "year": 2019, "archive": True}, {"tags": ["a"]}, {}]


def test_json_text_makes_the_round_trip(ws: dn.Workspace, files: pd.DataFrame) -> None:
    raw = ws.list_files(sort="name", order="ASC", meta="raw")
    assert ws.apply_meta(raw).empty
    raw.loc[0, "meta"] = '{"topic": "brooks"}'

    assert set(ws.apply_meta(raw)["key"]) == {"topic", "year"}
    assert metas(ws)[0] == {"topic": "brooks"}


def test_the_text_none_is_a_value_and_no_order_to_take_the_key_away(ws: dn.Workspace, files: pd.DataFrame) -> None:
    files.at[0, "meta"] = {"topic": "None"}

    assert set(ws.apply_meta(files)["status"]) == {"ok"}
    assert metas(ws)[0] == {"topic": "None"}


@pytest.mark.parametrize(
    ("meta", "word"),
    [({"id": "x"}, "reserved"), ({"x": float("inf")}, "JSON"), ({"x": "y" * 40_000}, "32,766"), ({"x": b"y"}, "bytes")],
)
def test_what_cannot_be_sent_fails_before_anything_of_that_file_is(
    ws: dn.Workspace, files: pd.DataFrame, meta: dict[str, Any], word: str
) -> None:
    files.at[0, "meta"] = {"topic": "new"} | meta
    files.at[1, "meta"] = {"topic": "new"}
    report = ws.apply_meta(files)

    assert report["status"].tolist() == ["failed", "ok", "ok"]
    assert word in report["reason"][0]
    assert report["remedy"][0]
    assert metas(ws)[0] == METAS[0]


def test_what_the_platform_refuses_of_one_file_is_told_and_the_others_change(
    ws: dn.Workspace, files: pd.DataFrame
) -> None:
    files.at[1, "meta"] = {"year": "this one"}  # a text, where another file has a number
    files.at[2, "meta"] = {"topic": "seas", "year": 7}
    report = ws.apply_meta(files).set_index("name")

    assert set(report.loc["1.txt", "status"]) == {"failed"}
    assert "type" in report.loc["1.txt", "reason"].iloc[0]
    assert set(report.loc["2.txt", "status"]) == {"ok"}


def test_a_key_of_two_types_is_told_before_anything_is_sent(ws: dn.Workspace, files: pd.DataFrame) -> None:
    edited = files[files["name"] == "2.txt"].assign(meta=[{"year": "next"}])  # the file with a number is not among them
    [row] = ws.apply_meta(edited, dry_run=True).to_dict("records")

    assert (row["status"], row["after"]) == ("pending", "next")
    assert "'year' is a text here and a number in '0.txt'" in row["reason"]
    assert "same type" in row["remedy"]
    assert ws.apply_meta(edited)["status"].tolist() == ["failed"]


def test_the_edits_themselves_may_make_a_key_of_two_types(ws: dn.Workspace, files: pd.DataFrame) -> None:
    files["meta"] = [{"n": 1}, {"n": "one"}, {"n": [2]}]
    report = ws.apply_meta(files, dry_run=True).query("key == 'n'")

    assert report["reason"].notna().tolist() == [False, True, False]
    assert "a number in '0.txt'" in report["reason"].dropna().iloc[0]


def test_the_only_file_with_a_key_may_change_its_type(ws: dn.Workspace, files: pd.DataFrame) -> None:
    files.at[0, "meta"] = {"topic": "rivers", "year": "2019"}
    files.at[1, "meta"] = {"topic": "lakes", "tags": ["a"], "year": "2020"}  # by then nobody has the number any more

    assert ws.apply_meta(files, dry_run=True)["reason"].isna().all()
    assert ws.apply_meta(files)["status"].tolist() == ["ok", "ok"]


def test_a_file_that_is_gone_is_told(ws: dn.Workspace, files: pd.DataFrame) -> None:
    ws.delete_files("0.txt", dry_run=False)
    files.at[0, "meta"] = {"topic": "new"}
    report = ws.apply_meta(files)

    assert report[["name", "status"]].values.tolist() == [["0.txt", "failed"]]


def test_without_the_call_for_many_each_file_has_its_own(
    ws: dn.Workspace, files: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def missing(*_: Any) -> Any:
        raise metadata.ApiError("There is no such call.", "", status=404)

    monkeypatch.setattr(metadata, "_change_many", missing)
    files["meta"] = [{"topic": "all"}] * 3

    assert set(ws.apply_meta(files)["status"]) == {"ok"}
    assert metas(ws) == [{"topic": "all"}] * 3


def test_many_files_go_in_batches_and_are_looked_at_in_one_listing(
    ws: dn.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "MANY", 20)
    monkeypatch.setattr(metadata, "MOST_FILES", 30)
    ws.upload_texts({f"{number:03}.txt": "x" for number in range(100)}, show=False).wait(60)
    frame = ws.list_files(sort="name", order="ASC")
    frame["meta"] = [{"number": number} for number in range(100)]

    assert ws.apply_meta(frame)["status"].tolist() == ["ok"] * 100
    assert metas(ws) == [{"number": number} for number in range(100)]


@pytest.mark.parametrize(
    "edit",
    [
        lambda frame: frame.drop(columns="file_id"),
        lambda frame: frame.drop(columns="meta"),
        lambda frame: frame.assign(**{"meta.x": 1}),
        lambda frame: frame.assign(file_id="no id"),
        lambda frame: frame.assign(meta="no json"),
        lambda frame: frame.assign(meta=5),
        lambda frame: pd.concat([frame, frame]),
    ],
)
def test_a_frame_that_tells_no_edits_is_refused(
    ws: dn.Workspace, files: pd.DataFrame, edit: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    with pytest.raises(InputError):
        ws.apply_meta(edit(files))
    assert metas(ws) == METAS


# --- deleting -------------------------------------------------------------------------------------------------------


def names(ws: dn.Workspace) -> list[str]:
    return sorted(ws.list_files()["name"])


def test_deleting_tells_first_and_deletes_only_when_told(ws: dn.Workspace, files: pd.DataFrame) -> None:
    told = ws.delete_files(["0.txt", "none.txt"])

    assert told[["name", "status"]].values.tolist() == [["0.txt", "pending"], ["none.txt", "skipped"]]
    assert names(ws) == ["0.txt", "1.txt", "2.txt"]
    assert ws.delete_files("0.txt", dry_run=False)["status"].tolist() == ["ok"]
    assert names(ws) == ["1.txt", "2.txt"]


def test_files_are_deleted_by_rows_and_by_ids(ws: dn.Workspace, files: pd.DataFrame) -> None:
    stranger = uuid4()
    report = ws.delete_files([files["file_id"][0], stranger], dry_run=False)
    assert report["status"].tolist() == ["ok", "skipped"]

    assert ws.delete_files(files, dry_run=False)["status"].tolist() == ["skipped", "ok", "ok"]
    assert names(ws) == []


def test_a_few_ids_are_looked_for_only_until_they_are_found(ws: dn.Workspace) -> None:
    assert ws.sandbox is not None
    bridge.run(ws.sandbox._admin.add_files, ws.name, 1000)
    newest = ws.list_files(limit=1)
    with front(ws.settings.api_url) as gateway:
        there = dn.Workspace(ws.name, api_key=ws.settings.api_key.reveal(), api_url=gateway.api_url)
        assert there.delete_files(newest)["status"].tolist() == ["pending"]

    assert len(gateway.requests) < 5


def test_a_name_means_every_file_that_bears_it_and_no_other(ws: dn.Workspace, files: pd.DataFrame) -> None:
    ws.upload_texts({"0.txt": "again", "10.txt": "x"}, show=False).wait(30)

    assert ws.delete_files("0.txt", dry_run=False)["name"].tolist() == ["0.txt", "0.txt"]
    assert names(ws) == ["1.txt", "10.txt", "2.txt"]


@pytest.mark.parametrize("nothing", [[], "", [None], pd.DataFrame({"file_id": []}), pd.DataFrame({"name": ["0.txt"]})])
def test_nothing_is_no_order_to_delete_everything(ws: dn.Workspace, files: pd.DataFrame, nothing: Any) -> None:
    with pytest.raises(InputError):
        ws.delete_files(nothing, dry_run=False)
    assert len(names(ws)) == 3


def test_reports_have_their_columns_also_when_empty(ws: dn.Workspace, files: pd.DataFrame) -> None:
    edits, gone = ws.apply_meta(files), ws.delete_files("none")

    assert {str(name): str(dtype) for name, dtype in edits.dtypes.items()} == frames.META_EDITS
    assert {str(name): str(dtype) for name, dtype in gone.dtypes.items()} == frames.DELETIONS
