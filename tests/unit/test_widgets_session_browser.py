"""The session browser over the real sandbox: how sessions stand, what became of their files, closing, and Python."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import comm
import ipywidgets
import pandas as pd
import pytest

import deepset_nb as dn
from deepset_nb import bridge
from deepset_nb.emulator.server import SandboxServer
from deepset_nb.i18n import ENGLISH
from deepset_nb.widgets.dashboard import JOBS_TAB, dashboard
from deepset_nb.widgets.job_panel import JobPanel
from deepset_nb.widgets.session_browser import SessionBrowser
from deepset_nb.widgets.static_tables import verdict
from deepset_nb.widgets.uploader import Uploader
from tests import hostile
from tests.unit.browser_page import ask, open_session, ready, refused
from tests.unit.widget_page import EXAMPLES, TARGET, FakeJob, Page, eventually


@pytest.fixture
def browse(monkeypatch: pytest.MonkeyPatch, ws: dn.Workspace) -> Iterator[Callable[[], SessionBrowser]]:
    monkeypatch.setattr(comm, "create_comm", Page)
    opened: list[SessionBrowser] = []

    def make() -> SessionBrowser:
        opened.append(ready(ws.session_browser()))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def fill(ws: dn.Workspace, good: int, empty: int = 0) -> str:
    """A closed session with some files that the platform takes, and some that it refuses; its id."""

    async def sent() -> str:
        async with dn.AsyncClient(ws.settings) as client:
            session = await client.upload_sessions.create(ws.name)
            async with client.bucket(session.aws_prefixed_request_config) as bucket:
                for number in range(good + empty):
                    content = b"x" if number < good else b""
                    await bucket.post(f"{number:03}.txt", content, len(content))
            await client.upload_sessions.close(ws.name, session.session_id)
            return str(session.session_id)

    session_id = bridge.run(sent)
    eventually(lambda: (found := ws.get_upload_session(session_id)).finished_files + found.failed_files == good + empty)
    return session_id


def test_it_fetches_by_itself(ws: dn.Workspace, browse) -> None:
    session_id = open_session(ws)
    browser = browse()

    (row,) = browser.state["rows"]
    assert (row["session_id"], row["status"], row["created_by"]) == (session_id, "OPEN", "Sandy Box")
    assert browser.state["updated_at"].endswith("+00:00")


def test_refresh_fetches_again(ws: dn.Workspace, browse) -> None:
    first = open_session(ws)
    browser = browse()
    second = open_session(ws)
    ask(browser, "refresh")

    assert [row["session_id"] for row in browser.state["rows"]] == [second, first]


def test_counts_come_for_the_sessions_asked_for(ws: dn.Workspace, browse) -> None:
    still_open, closed = open_session(ws), fill(ws, 3, 2)
    browser = browse()

    found = {one["session_id"]: one for one in ask(browser, "counts", ids=[still_open, closed, "other"])["sessions"]}
    assert found[still_open]["counts"] == {"finished": 0, "failed": 0, "pending": None}
    assert found[closed]["counts"] == {"finished": 3, "failed": 2, "pending": 0}
    assert len(found) == 2
    saved = eventually(lambda: browser.state["rows"][0]["counts"])
    assert saved == found[closed]["counts"]
    assert "2 of 5 failed" in browser.mimebundle()["text/plain"]


def test_what_cannot_change_any_more_is_asked_once(ws: dn.Workspace, browse) -> None:
    closed = fill(ws, 1)
    browser = browse()
    ask(browser, "counts", ids=[closed])
    ws.sandbox.fault("api_502_html:99")

    assert ask(browser, "counts", ids=[closed])["sessions"][0]["counts"]["finished"] == 1


def test_watching_sees_that_somebody_closed_a_session(ws: dn.Workspace, browse) -> None:
    session_id = open_session(ws)
    browser = browse()
    ws.close_upload_session(session_id)
    (found,) = ask(browser, "watch", ids=[session_id])["sessions"]

    assert (found["status"], found["counts"]["pending"]) == ("CLOSED", 0)
    assert browser.state["rows"][0]["status"] == "CLOSED"


def test_rows_far_down_are_known_while_the_listing_is_watched(ws: dn.Workspace, browse) -> None:
    for _ in range(150):
        ws.close_upload_session(open_session(ws))
    browser = browse()
    (far, *_) = [row["session_id"] for row in ask(browser, "rows", chunk=2, keys=[])["rows"]]
    (found,) = ask(browser, "watch", ids=[far])["sessions"]

    assert (found["session_id"], found["counts"]["pending"]) == (far, 0)
    assert ask(browser, "select", ids=[far], on=True, only=True)["ids"] == [far]


def test_after_a_close_the_row_has_changed(ws: dn.Workspace, browse) -> None:
    session_id = open_session(ws)
    browser = browse()
    ask(browser, "close", id=session_id)

    assert browser.state["rows"][0]["status"] == "CLOSED"
    assert ws.get_upload_session(session_id).status == "CLOSED"


def test_a_refused_close_is_answered_with_the_reason(ws: dn.Workspace, browse) -> None:
    session_id = open_session(ws)
    browser = browse()
    ws.close_upload_session(session_id)
    error = refused(browser, "close", id=session_id)

    assert "closed already" in error["remedy"]
    assert refused(browser, "close", id="none")["message"] == "'none' is not the id of an upload session."


def test_outcomes_come_page_by_page_with_reason_and_remedy(ws: dn.Workspace, browse) -> None:
    session_id = fill(ws, 108, 3)
    browser = browse()
    pages = [ask(browser, "outcomes", id=session_id, status="", chunk=chunk) for chunk in range(3)]
    (failed,) = [ask(browser, "outcomes", id=session_id, status="FAILED", chunk=0)]

    assert [len(one["rows"]) for one in pages] == [50, 50, 11]
    assert [one["has_more"] for one in pages] == [True, True, False]
    assert {one["total"] for one in pages} == {111}
    assert [row["name"] for one in pages for row in one["rows"]] == [f"{number:03}.txt" for number in range(111)]
    assert failed["total"] == 3
    assert failed["rows"][0] == {
        "name": "108.txt",
        "status": "FAILED",
        "reason": "The platform found the file empty.",
        "remedy": "Fill it or leave it out.",
    }


def test_outcomes_of_hostile_names_and_reasons_come_as_they_are_and_are_bounded(
    ws: dn.Workspace, browse, sandbox_server: SandboxServer
) -> None:
    session_id = fill(ws, 0, 2)
    with sandbox_server._platform.store.write() as db:
        change = "UPDATE ingestions SET name = ?, reason = ? WHERE session_id = ? AND name = ?"
        db.execute(change, (hostile.IMAGE, hostile.SCRIPT, session_id, "000.txt"))
        db.execute(change, (hostile.LONG, hostile.LONG, session_id, "001.txt"))
    first, second = ask(browse(), "outcomes", id=session_id, status="FAILED", chunk=0)["rows"]

    assert first["name"] == hostile.IMAGE
    assert first["reason"] == f"The platform refused it: {hostile.SCRIPT}."
    assert len(second["name"]) <= 400
    assert len(second["reason"]) <= 400


def test_what_the_platform_cannot_pick_is_picked_from_the_newest_and_said(ws: dn.Workspace, browse) -> None:
    closed, still_open = fill(ws, 1), open_session(ws)
    browser = browse()
    ask(browser, "query", status="OPEN", created_by="")
    assert [row["session_id"] for row in browser.state["rows"]] == [still_open]
    eventually(lambda: (browser.state["looked_through"], browser.state["sessions"]) == (2, 2))
    assert "1 of 2 upload sessions match" in browser.mimebundle()["text/plain"]

    ask(browser, "query", status="CLOSED", created_by="SANDY")
    assert [row["session_id"] for row in browser.state["rows"]] == [closed]
    ask(browser, "query", status="CLOSED", created_by="anna")
    assert browser.state["rows"] == []
    ask(browser, "query", status="", created_by="")
    eventually(lambda: browser.state["looked_through"] is None)


@pytest.mark.parametrize(
    "query", [{}, {"status": "OPEN"}, {"status": "CLOSED", "created_by": "sandy"}, {"created_by": "it's"}]
)
def test_the_code_gives_the_same_frame_as_the_view(ws: dn.Workspace, browse, query: dict[str, str]) -> None:
    fill(ws, 1)
    open_session(ws)
    browser = browse()
    ask(browser, "query", **{"status": "", "created_by": ""} | query)
    space: dict[str, Any] = {"ws": ws}
    exec(f"frame = {browser.code}", space)

    pd.testing.assert_frame_equal(space["frame"], browser.view)
    assert [row["session_id"] for row in browser.state["rows"]] == browser.view["session_id"].tolist()


def test_the_selection_is_a_frame_like_the_listing(ws: dn.Workspace, browse) -> None:
    session_id = open_session(ws)
    open_session(ws)
    browser, listed = browse(), ws.list_upload_sessions()
    pd.testing.assert_frame_equal(browser.selection, listed.iloc[:0])
    ask(browser, "select", ids=[session_id], on=True, only=True)

    pd.testing.assert_frame_equal(browser.selection, listed.iloc[[1]].reset_index(drop=True))


def test_an_error_is_shown_beside_what_was_known(ws: dn.Workspace, browse) -> None:
    open_session(ws)
    browser = browse()
    ws.sandbox.fault("api_502_html:99")
    ask(browser, "refresh")
    assert browser.state["error"]["remedy"]
    assert len(browser.state["rows"]) == 1
    assert browser.state["loading"] is False

    ws.sandbox.clear_faults()
    ask(browser, "refresh")
    assert browser.state["error"] is None


def test_an_unforeseen_error_keeps_its_text_to_itself(
    ws: dn.Workspace, browse, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = browse()

    def fail(_: object) -> None:
        raise ValueError("key=very-secret")

    monkeypatch.setattr(browser, "_list", fail)
    ask(browser, "refresh")

    assert "ValueError" in browser.state["error"]["message"]
    assert "secret" not in json.dumps(browser.state)


def test_the_state_holds_the_first_screenful(ws: dn.Workspace, browse) -> None:
    for _ in range(60):
        ws.close_upload_session(open_session(ws))
    browser = browse()

    assert len(browser.state["rows"]) == 50
    assert browser.state["total"] == 60
    assert "The newest 20 of 60 upload sessions" in browser.mimebundle()["text/plain"]
    assert len(ask(browser, "rows", chunk=1, keys=[])["rows"]) == 10


def test_what_is_shown_at_once_has_its_verdicts_already(monkeypatch: pytest.MonkeyPatch, ws: dn.Workspace) -> None:
    monkeypatch.setattr(comm, "create_comm", Page)
    fill(ws, 2, 1)
    browser = ws.session_browser()

    assert "1 of 3 failed" in browser.mimebundle()["text/html"]
    browser.close()


def test_closing_it_while_it_fetches_does_no_harm(
    monkeypatch: pytest.MonkeyPatch, ws: dn.Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(comm, "create_comm", Page)
    browsers = [ws.session_browser() for _ in range(10)]
    for browser in browsers:
        browser.close()
    eventually(lambda: all(browser._first.done() for browser in browsers))

    assert [record.getMessage() for record in caplog.records if record.name == "deepset_nb"] == []


NOW = "2026-11-22T14:00:00+00:00"


@pytest.mark.parametrize(
    ("status", "counts", "created", "said"),
    [
        ("OPEN", (0, 0, None), "2026-11-21T18:00:00+00:00", "open for 20 h, nothing ingested yet"),
        ("OPEN", (2, 0, None), "2026-11-22T13:20:00+00:00", "open for 40 min"),
        ("OPEN", (0, 0, None), NOW, "just opened"),
        ("OPEN", None, "2026-11-12T13:20:00+00:00", "open for 10 days"),
        ("CLOSED", None, NOW, ""),
        ("CLOSED", (0, 0, 0), NOW, "no files in it"),
        ("CLOSED", (1, 0, 0), NOW, "1 file ingested"),
        ("CLOSED", (50, 0, 0), NOW, "all 50 files ingested"),
        ("CLOSED", (47, 3, 0), NOW, "3 of 50 failed"),
        ("EXPIRED", (1200, 0, 800), NOW, "ingesting: 1,200 of 2,000 done"),
        ("CLOSED", (10, 2, 8), NOW, "ingesting: 12 of 20 done, 2 failed"),
    ],
)
def test_each_session_has_a_verdict_in_words(status: str, counts: Any, created: str, said: str) -> None:
    row = {**EXAMPLES["SessionRow"], "status": status, "created_at": created}
    row["counts"] = counts and dict(zip(("finished", "failed", "pending"), counts, strict=True))

    assert verdict(row, NOW, ENGLISH) == said


def test_the_dashboard_shows_each_job_once_after_a_retry(ws: dn.Workspace, browse) -> None:
    jobs = [FakeJob()]
    uploader = Uploader(lambda plan, mode, courier: FakeJob(), target=TARGET)
    tab = dashboard(uploader, lambda: [*jobs, *jobs[0].retries], browse(), ws.file_browser())
    (panel,) = tab.children[JOBS_TAB].children
    jobs[0].end(status="failed", can_retry=True)
    panel.comm.ask("retry")
    tab.selected_index = JOBS_TAB

    shown = [one.job for one in tab.children[JOBS_TAB].children]
    assert shown == [jobs[0].retries[0], jobs[0]]


def test_the_dashboard_speaks_as_the_page_does(ws: dn.Workspace, browse) -> None:
    uploader = Uploader(lambda plan, mode, courier: FakeJob(), target=TARGET)
    tab = dashboard(uploader, list, browse(), ws.file_browser())
    uploader.comm.browser_sends({**EXAMPLES["Hello"], "locale": "de-AT"})

    assert tab.titles == ("Hochladen", "Jobs", "Sitzungen", "Dateien")
    assert "noch keine Uploads oder Downloads" in tab.children[JOBS_TAB].children[0].value
    uploader.comm.browser_sends({**EXAMPLES["Hello"], "locale": "en-GB"})
    assert tab.titles == ("Upload", "Jobs", "Sessions", "Files")


def test_the_dashboard_shows_jobs_made_after_it(ws: dn.Workspace, browse) -> None:
    jobs: list[FakeJob] = []
    uploader = Uploader(lambda plan, mode, courier: FakeJob(), target=TARGET)
    tab = dashboard(uploader, lambda: jobs, browse(), ws.file_browser())
    assert isinstance(tab, ipywidgets.Tab)
    assert tab.titles == ("Upload", "Jobs", "Sessions", "Files")
    column = tab.children[JOBS_TAB]
    assert "No uploads" in column.children[0].value

    jobs += [FakeJob(), FakeJob()]
    tab.selected_index = JOBS_TAB
    assert [panel.job for panel in column.children] == [jobs[1], jobs[0]]
    kept = column.children
    tab.selected_index = 0
    tab.selected_index = JOBS_TAB
    assert column.children == kept

    jobs += [FakeJob() for _ in range(20)]
    tab.selected_index = 0
    tab.selected_index = JOBS_TAB
    assert len(column.children) == 10
    assert all(isinstance(panel, JobPanel) for panel in column.children)
    assert jobs[0].subscribers == []
    tab.close()
    uploader.close()
