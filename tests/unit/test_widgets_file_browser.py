"""The file browser over the real sandbox: rows by position, filters, selection, download, deletion, and Python."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import comm
import pandas as pd
import pytest

import deepset_nb as dn
from deepset_nb import bridge
from deepset_nb.widgets.file_browser import FileBrowser
from tests.unit.browser_page import ask, make_files, page, ready, refused
from tests.unit.widget_page import Page, eventually

QUERY = {"name": "", "filter": "", "sort": "created_at", "order": "DESC"}


@pytest.fixture
def browse(monkeypatch: pytest.MonkeyPatch, ws: dn.Workspace) -> Iterator[Callable[[], FileBrowser]]:
    monkeypatch.setattr(comm, "create_comm", Page)
    opened: list[FileBrowser] = []

    def make() -> FileBrowser:
        opened.append(ready(ws.file_browser()))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["file_id"] for row in rows]


def same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    pd.testing.assert_frame_equal(one, other)
    return True


def test_the_state_holds_the_first_screenful_and_how_many_there_are(ws: dn.Workspace, browse) -> None:
    make_files(ws, 260)
    browser = browse()

    assert len(browser.state["rows"]) == 50
    assert (browser.state["total"], browser.state["extent"]) == (260, 260)
    assert ids(browser.state["rows"]) == ws.list_files()["file_id"].tolist()[:50]


def test_any_row_can_be_reached_at_once(ws: dn.Workspace, browse) -> None:
    make_files(ws, 260)
    browser, listed = browse(), ws.list_files()["file_id"].tolist()

    assert ids(ask(browser, "rows", chunk=5, keys=[])["rows"]) == listed[250:]
    assert ids(ask(browser, "rows", chunk=2, keys=[])["rows"]) == listed[100:150]
    assert ask(browser, "rows", chunk=9, keys=[])["rows"] == []


def test_the_platform_filters_by_name_and_sorts(ws: dn.Workspace, browse) -> None:
    make_files(ws, 60)
    browser = browse()
    ask(browser, "query", **QUERY | {"name": "MAP-", "sort": "name", "order": "ASC"})

    names = [row["name"] for row in browser.state["rows"]]
    assert len(names) == browser.state["total"] == 12
    assert names == sorted(names)
    assert browser.state["revision"] == 2


def test_with_a_metadata_filter_far_rows_are_walked_to_and_the_way_is_told(ws: dn.Workspace, browse) -> None:
    make_files(ws, 900)
    browser = browse()
    ask(browser, "query", **QUERY | {"filter": "language eq 'en'"})
    listed = ws.list_files(odata_filter="language eq 'en'")["file_id"].tolist()

    assert browser.state["total"] == 900
    assert ids(ask(browser, "rows", chunk=15, keys=[])["rows"]) == listed[750:800]
    steps = [one["rows"] for one in page(browser).messages() if one["kind"] == "walked"]
    assert steps == [200, 300, 400, 500, 600, 700]
    assert ids(ask(browser, "rows", chunk=7, keys=[])["rows"]) == listed[350:400]
    assert len([one for one in page(browser).messages() if one["kind"] == "walked"]) == 6


def test_a_filter_the_platform_refuses_changes_nothing_and_says_why(ws: dn.Workspace, browse) -> None:
    make_files(ws, 5)
    browser = browse()
    before = browser.state
    error = refused(browser, "query", **QUERY | {"filter": "topic is news"})

    assert "did not accept" in error["message"]
    assert "position 6" in error["message"]
    assert error["remedy"] == "Write the filter as in the examples."
    assert browser.state == before
    assert browser.code == "ws.list_files()"


def test_the_last_of_two_questions_wins_whichever_is_answered_first(ws: dn.Workspace, browse) -> None:
    make_files(ws, 60)
    browser = browse()
    page(browser).request("query", QUERY | {"name": "map"})
    ask(browser, "query", **QUERY | {"name": "letter"})

    eventually(lambda: not browser._tasks)
    assert browser.state["query"]["name"] == "letter"
    assert all("letter" in row["name"] for row in browser.state["rows"])


def test_metadata_comes_only_for_the_columns_asked_for(ws: dn.Workspace, browse) -> None:
    make_files(ws, 60)
    browser = browse()
    answer = ask(browser, "rows", chunk=0, keys=["year", "nothing"])

    assert {"topic", "year", "author"} <= set(eventually(lambda: browser.state["keys"]))
    assert all(row["meta"][0].isdigit() and row["meta"][1] is None for row in answer["rows"])
    assert all(row["meta"] == [] for row in browser.state["rows"])


def test_files_that_come_meanwhile_are_noticed(ws: dn.Workspace, browse) -> None:
    make_files(ws, 120)
    browser = browse()
    version = browser.state["version"]
    make_files(ws, 130)
    answer = ask(browser, "rows", chunk=2, keys=[])

    assert (answer["total"], answer["version"]) == (130, version + 1)
    assert ids(ask(browser, "rows", chunk=0, keys=[])["rows"]) == ws.list_files()["file_id"].tolist()[:50]
    eventually(lambda: browser.state["total"] == 130)


def test_the_selection_is_a_frame_like_the_listing(ws: dn.Workspace, browse) -> None:
    make_files(ws, 60)
    browser, listed = browse(), ws.list_files()
    assert same(browser.selection, listed.iloc[:0])

    ask(browser, "select", ids=listed["file_id"].tolist()[3:4], on=True, only=False)
    ask(browser, "select_range", first=10, last=12)
    assert same(browser.selection, listed.iloc[[3, 10, 11, 12]].reset_index(drop=True))
    ask(browser, "select", ids=listed["file_id"].tolist()[10:11], on=False, only=False)
    assert browser.selection["file_id"].tolist() == listed["file_id"].iloc[[3, 11, 12]].tolist()
    assert page(browser).messages()[-1]["kind"] == "response"
    eventually(lambda: browser.state["selected"] == 3)


def test_a_range_reaches_over_rows_the_page_never_had(ws: dn.Workspace, browse) -> None:
    make_files(ws, 300)
    browser = browse()

    assert ask(browser, "select_range", first=280, last=20)["ids"] == ws.list_files()["file_id"].tolist()[20:281]


def test_more_rows_than_can_be_selected_are_refused_in_words(ws: dn.Workspace, browse) -> None:
    make_files(ws, 1100)
    browser = browse()
    error = refused(browser, "select_range", first=0, last=1000)

    assert "1,000 rows" in error["message"]
    assert "browser.view" in error["remedy"]
    assert len(browser.selection) == 0


def test_another_query_forgets_the_selection(ws: dn.Workspace, browse) -> None:
    make_files(ws, 60)
    browser = browse()
    ask(browser, "select_range", first=0, last=4)
    ask(browser, "refresh")
    assert len(browser.selection) == 5
    ask(browser, "query", **QUERY | {"name": "map"})

    assert len(browser.selection) == 0
    assert [one for one in page(browser).messages() if one["kind"] == "selected"][-1]["ids"] == []


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"name": 'it\'s "map"'},
        {"name": "map", "sort": "name", "order": "ASC"},
        {"filter": "topic eq 'rivers' and year ge 2020"},
        {"filter": 'author eq "Ingrid Moe"', "name": "report", "order": "ASC"},
    ],
)
def test_the_code_gives_the_same_frame_as_the_view(ws: dn.Workspace, browse, changes: dict[str, str]) -> None:
    make_files(ws, 150)
    browser = browse()
    ask(browser, "query", **QUERY | changes)
    space: dict[str, Any] = {"ws": ws}
    exec(f"frame = {browser.code}", space)

    assert browser.state["code"] == browser.code
    assert same(space["frame"], browser.view)
    assert len(browser.view) == browser.state["total"]
    assert ids(browser.state["rows"]) == browser.view["file_id"].tolist()[:50]


def test_a_download_of_the_selection_is_a_job(ws: dn.Workspace, browse, tmp_path: Path) -> None:
    make_files(ws, 20)
    browser = browse()
    ask(browser, "select_range", first=0, last=2)
    ask(browser, "download", folder=str(tmp_path / "got"))
    browser.job.wait(30)

    assert browser.job.receipt["status"].tolist() == ["ok"] * 3
    assert sorted(browser.job.receipt["name"]) == sorted(browser.selection["name"])
    eventually(lambda: browser.state["job"] and browser.state["job"]["status"] == "done")
    assert str(tmp_path) not in json.dumps(browser.state["job"])


def test_a_download_without_a_selection_is_refused(browse) -> None:
    assert refused(browse(), "download", folder="x")["remedy"] == "Select the files to download."


def test_exactly_the_named_files_are_deleted(ws: dn.Workspace, browse) -> None:
    make_files(ws, 30)
    browser, listed = browse(), ws.list_files()["file_id"].tolist()
    ask(browser, "select_range", first=0, last=2)
    answer = ask(browser, "delete", ids=listed[:3], typed="3")

    assert answer == {"deleted": 3, "kept": []}
    assert ws.list_files()["file_id"].tolist() == listed[3:]
    assert browser.state["total"] == 27
    assert len(browser.selection) == 0


def test_files_that_are_not_deleted_yet_stay_when_the_page_stops_it(ws: dn.Workspace, browse) -> None:
    make_files(ws, 40)
    browser = browse()
    listed = ask(browser, "select_range", first=0, last=39)["ids"]
    ws.sandbox.fault("latency:200ms")
    key = page(browser).request("delete", {"ids": listed, "typed": "40"})
    eventually(lambda: any(one.get("done") for one in page(browser).messages() if one["kind"] == "deleting"))
    page(browser).browser_sends({"kind": "abort", "id": key})
    eventually(lambda: any(one.get("id") == key for one in page(browser).messages()))
    ws.sandbox.clear_faults()

    assert 0 < len(browser.selection) < len(listed)
    assert set(browser.selection["file_id"]) == set(ws.list_files()["file_id"])


@pytest.mark.parametrize("typed", ["", "2", "three", "03"])
def test_nothing_is_deleted_unless_the_number_was_typed(ws: dn.Workspace, browse, typed: str) -> None:
    make_files(ws, 5)
    browser = browse()
    chosen = ask(browser, "select_range", first=0, last=2)["ids"]

    assert "Nothing was deleted" in refused(browser, "delete", ids=chosen, typed=typed)["remedy"]
    assert len(ws.list_files()) == 5


def test_no_id_never_means_every_file(ws: dn.Workspace, browse) -> None:
    make_files(ws, 5)
    browser = browse()
    ask(browser, "select_range", first=0, last=2)

    assert refused(browser, "delete", ids=[], typed="0")
    assert refused(browser, "delete", ids=[""], typed="1")
    assert len(ws.list_files()) == 5


def test_a_file_that_stays_is_named_with_the_reason(ws: dn.Workspace, browse) -> None:
    make_files(ws, 5)
    browser = browse()
    chosen = ask(browser, "select_range", first=0, last=2)["ids"]
    other = ready(ws.file_browser())
    ask(other, "select_range", first=1, last=1)
    ask(other, "delete", ids=chosen[1:2], typed="1")
    other.close()
    answer = ask(browser, "delete", ids=chosen, typed="3")

    assert answer["deleted"] == 2
    (kept,) = answer["kept"]
    assert kept["file_id"] == chosen[1]
    assert "has no file" in kept["error"]["message"]


def test_details_hold_all_of_a_files_metadata(ws: dn.Workspace, browse) -> None:
    make_files(ws, 5)
    browser = browse()
    first = browser.state["rows"][0]
    details = ask(browser, "details", id=first["file_id"])

    assert details["name"] == first["name"]
    assert [key for key, _ in details["meta"]] == ["topic", "year", "language", "author"]
    assert refused(browser, "details", id="other")["remedy"] == "Refresh it."


def test_an_error_is_shown_beside_what_was_known(ws: dn.Workspace, browse) -> None:
    make_files(ws, 5)
    browser = browse()
    ws.sandbox.fault("api_502_html:99")
    ask(browser, "refresh")

    assert "failed" in browser.state["error"]["message"]
    assert len(browser.state["rows"]) == 5
    ws.sandbox.clear_faults()
    ask(browser, "refresh")
    assert browser.state["error"] is None


def test_hostile_names_and_metadata_are_bounded_in_every_message(ws: dn.Workspace, browse) -> None:
    name, value = "<img src=x onerror=alert(1)>" + "n" * 200 + "\u202e.txt", "<b>" + "v" * 10_000

    async def send() -> None:
        async with dn.AsyncClient(ws.settings) as client:
            for number in range(60):
                await client.files.upload(ws.name, f"{number}{name}", b"x", meta={"key": value, "list": [1, value]})

    bridge.run(send)
    browser = browse()
    answer = ask(browser, "rows", chunk=0, keys=["key", "list"])

    assert len(json.dumps(browser.state, ensure_ascii=False).encode()) < 64_000
    assert max(len(text) for row in answer["rows"] for text in row["meta"]) <= 200
    html = browser.mimebundle()["text/html"]
    assert "<img" not in html
    assert "\u202e" not in html


def test_the_saved_forms_say_how_many_there_are(ws: dn.Workspace, browse) -> None:
    make_files(ws, 260)
    bundle = browse().mimebundle()

    for form in ("text/plain", "text/html"):
        assert "The first 20 of 260 files" in bundle[form]
        assert "ws.list_files() has all of them" in bundle[form]


def test_it_opens_with_its_first_rows_where_the_platform_is_quick(
    monkeypatch: pytest.MonkeyPatch, ws: dn.Workspace, browse
) -> None:
    monkeypatch.setattr("deepset_nb.widgets._browser.OPEN_WITHIN_S", 10)  # quick enough on any machine
    make_files(ws, 5)
    published = browse().comm.published

    opened = next(one for one in published if one["type"] == "comm_open")["data"]["state"]
    assert [len(opened["state"]["rows"]), opened["state"]["total"], opened["state"]["loading"]] == [5, 5, False]


def test_what_is_shown_at_once_has_its_rows_already(monkeypatch: pytest.MonkeyPatch, ws: dn.Workspace) -> None:
    monkeypatch.setattr(comm, "create_comm", Page)
    make_files(ws, 5)
    browser = ws.file_browser()

    assert "Files: 5" in browser.mimebundle()["text/plain"]
    browser.close()


def test_its_repr_names_the_workspace(ws: dn.Workspace, browse) -> None:
    assert repr(browse()) == f"<FileBrowser of {ws.name}>"
