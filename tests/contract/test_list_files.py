"""Listing files by what they are, when they came and what their metadata says, against a real sandbox."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

import deepset_nb as dn
from deepset_nb import bridge, file_frames, looking
from deepset_nb.errors import InputError
from tests.clients.front import front

METAS: list[dict[str, Any]] = [
    {"topic": "news", "year": 2024, "draft": False, "score": 1},
    {"topic": "sport", "year": 2025, "score": 0.5},
    {"topic": "news", "year": 2025, "tags": ["a", "b"]},
    {"topic": "O'Brien's"},
]


@pytest.fixture
def files(ws: dn.Workspace) -> dn.Workspace:
    """Four files, made one after the other."""
    for number, meta in enumerate(METAS):
        ws.upload_texts([dn.DeepsetCloudFile("some text", f"{number}.txt", meta)], show=False).wait(30)
    return ws


def names(frame: pd.DataFrame) -> list[str]:
    return sorted(frame["name"])


@pytest.mark.parametrize(
    ("meta", "found"),
    [
        ({"topic": "news"}, ["0.txt", "2.txt"]),
        ({"topic": "news", "year": 2025}, ["2.txt"]),
        ({"topic": ["news", "sport"]}, ["0.txt", "1.txt", "2.txt"]),
        ({"topic": "O'Brien's"}, ["3.txt"]),
        ({"draft": False}, ["0.txt"]),
        ({"tags": "b"}, ["2.txt"]),
        ({"topic": "nothing"}, []),
    ],
)
def test_files_are_found_by_their_metadata(files: dn.Workspace, meta: dict[str, Any], found: list[str]) -> None:
    assert names(files.list_files(meta=meta)) == found


def test_what_the_platform_cannot_be_trusted_to_filter_is_said(files: dn.Workspace) -> None:
    assert "'year'" in files.list_files(meta={"topic": "news", "year": 2025}).attrs["notes"][0]
    assert files.list_files(meta={"year": 2025}, created_after="2020-01-01", created_before="2100-01-01").attrs[
        "notes"
    ] == ["Filtered here, not by the platform: 'year', created_after, created_before."]
    assert "notes" not in files.list_files(meta={"topic": "news"}).attrs


def test_files_are_found_by_when_they_were_made(files: dn.Workspace) -> None:
    times = files.list_files().set_index("name")["created_at"]

    assert names(files.list_files(created_after=times["1.txt"])) == ["2.txt", "3.txt"]
    assert names(files.list_files(created_before=times["1.txt"])) == ["0.txt"]
    assert names(files.list_files(created_after="2020-01-01", created_before=times["3.txt"].isoformat())) == [
        "0.txt",
        "1.txt",
        "2.txt",
    ]
    assert names(files.list_files(created_after=datetime.now(UTC) + timedelta(days=1))) == []


def test_a_limit_counts_what_fits(files: dn.Workspace) -> None:
    assert files.list_files(limit=2)["name"].tolist() == ["3.txt", "2.txt"]
    assert names(files.list_files(meta={"year": 2025}, limit=1)) == ["2.txt"]
    assert len(files.list_files(limit=0)) == 0


def test_a_limit_asks_for_no_smaller_pages_where_files_are_picked_here(ws: dn.Workspace) -> None:
    assert ws.sandbox is not None
    bridge.run(ws.sandbox._admin.add_files, ws.name, 300)
    with front(ws.settings.api_url) as gateway:
        there = dn.Workspace(ws.name, api_key=ws.settings.api_key.reveal(), api_url=gateway.api_url)
        assert there.list_files(created_after="2100-01-01", order="ASC", limit=2).empty
        assert there.list_files(created_after="2100-01-01", sort="name", limit=2).empty

    assert len(gateway.requests) <= 10


def test_large_whole_numbers_beside_others_are_not_rounded(ws: dn.Workspace) -> None:
    metas: list[dict[str, Any]] = [{"k": 2**53 + 1}, {"k": 0.5}]
    texts = [dn.DeepsetCloudFile("text", f"{number}.txt", meta) for number, meta in enumerate(metas)]
    ws.upload_texts(texts, show=False).wait(30)
    frame = ws.list_files(expand_meta=True)

    assert sorted(frame["meta.k"]) == [0.5, 2**53 + 1]
    assert ws.apply_meta(frame, dry_run=True).empty


def test_metadata_becomes_columns_with_a_type_each(files: dn.Workspace) -> None:
    frame = files.list_files(expand_meta=True).set_index("name")

    assert {name: str(dtype) for name, dtype in frame.dtypes.items() if str(name).startswith("meta.")} == {
        "meta.topic": "string",
        "meta.year": "Int64",
        "meta.tags": "object",
        "meta.score": "Float64",
        "meta.draft": "boolean",
    }
    assert frame.loc["0.txt", "meta.year"] == 2024
    assert pd.isna(frame.loc["3.txt", "meta.year"])
    assert frame.loc["2.txt", "meta.tags"] == ["a", "b"]


def test_raw_metadata_is_json_text(files: dn.Workspace) -> None:
    frame = files.list_files("1.txt", meta="raw")

    assert str(frame.dtypes["meta"]) == "string"
    assert json.loads(frame["meta"][0])["year"] == 2025


def test_very_many_files_have_their_metadata_as_text(files: dn.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    few = files.list_files(expand_meta=True)
    monkeypatch.setattr(looking, "MOST_DICTS", 3)

    assert str(files.list_files().dtypes["meta"]) == "string"
    pd.testing.assert_frame_equal(files.list_files(expand_meta=True), few)
    assert few["meta.topic"].tolist() == ["O'Brien's", "news", "sport", "news"]


@pytest.mark.parametrize("arguments", [{}, {"meta": {"no": "file"}}, {"limit": 0}])
def test_an_empty_listing_has_all_columns(ws: dn.Workspace, arguments: dict[str, Any]) -> None:
    frame = ws.list_files(**arguments)

    assert {str(name): str(dtype) for name, dtype in frame.dtypes.items()} == file_frames.FILES


@pytest.mark.parametrize(("arguments", "meta"), [({"meta": "raw"}, {"meta": "string"}), ({"expand_meta": True}, {})])
def test_an_empty_listing_has_its_columns_in_each_form_of_the_metadata(
    ws: dn.Workspace, arguments: dict[str, Any], meta: dict[str, str]
) -> None:
    rest = {name: dtype for name, dtype in file_frames.FILES.items() if name != "meta"}
    frame = ws.list_files(**arguments)

    assert {str(name): str(dtype) for name, dtype in frame.dtypes.items()} == rest | meta
    assert list(frame.columns) == [name for name in file_frames.FILES if name in rest | meta]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"created_after": "yesterday"}, "created_after"),
        ({"created_before": 5}, "created_before"),
        ({"limit": -1}, "limit"),
        ({"meta": "news"}, "meta"),
        ({"meta": "raw", "expand_meta": True}, "expand_meta"),
        ({"name": "half \ud800"}, "name"),
        ({"name": 5}, "name"),
        ({"odata_filter": "a eq '\ud800'"}, "odata_filter"),
        ({"sort": "size"}, "size"),
    ],
)
def test_what_cannot_be_listed_is_refused_by_name(ws: dn.Workspace, arguments: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        ws.list_files(**arguments)
