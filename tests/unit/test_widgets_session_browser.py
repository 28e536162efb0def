"""The session browser: fetches at once, refreshes, closes, and shows what went wrong beside what it knew."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import comm
import ipywidgets
import pytest

from deepset_nb.errors import Conflict, ConnectionFailed
from deepset_nb.widgets.dashboard import JOBS_TAB, dashboard
from deepset_nb.widgets.job_panel import JobPanel
from deepset_nb.widgets.session_browser import SHOWN_ROWS, SessionBrowser
from deepset_nb.widgets.uploader import Uploader
from tests.unit.widget_page import EXAMPLES, TARGET, FakeJob, Page, eventually

ROW = EXAMPLES["SessionRow"]


class Sessions:
    """The platform's sessions, as a test sets them."""

    def __init__(self) -> None:
        self.rows = [copy.deepcopy(ROW)]
        self.error: Exception | None = None
        self.fetched = 0

    async def fetch(self) -> Any:
        await asyncio.sleep(0)
        self.fetched += 1
        if self.error:
            raise self.error
        return {"rows": copy.deepcopy(self.rows), "total": len(self.rows)}

    async def close(self, session_id: str) -> None:
        (row,) = (row for row in self.rows if row["session_id"] == session_id)
        if row["status"] != "OPEN":
            raise Conflict("It is closed already.", "Refresh.", status=409)
        row["status"] = "CLOSED"


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> Sessions:
    monkeypatch.setattr(comm, "create_comm", Page)
    return Sessions()


@pytest.fixture
def browse(sessions: Sessions) -> Iterator[Callable[[], SessionBrowser]]:
    opened: list[SessionBrowser] = []

    def make() -> SessionBrowser:
        opened.append(SessionBrowser(sessions.fetch, sessions.close, target=TARGET))
        eventually(lambda: not opened[-1].state["loading"])
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def test_it_fetches_by_itself(browse: Callable[[], SessionBrowser]) -> None:
    browser = browse()

    assert browser.state["rows"] == [ROW]
    assert browser.state["updated_at"].endswith("+00:00")
    assert browser.comm.states()[0]["loading"] is True


def test_refresh_fetches_again(browse: Callable[[], SessionBrowser], sessions: Sessions) -> None:
    browser = browse()
    sessions.rows.append({**ROW, "session_id": "other"})
    assert browser.comm.ask("refresh")["ok"] is True

    assert [row["session_id"] for row in browser.state["rows"]] == [ROW["session_id"], "other"]


def test_after_a_close_the_row_has_changed(browse: Callable[[], SessionBrowser]) -> None:
    browser = browse()
    assert browser.comm.ask("close", {"session_id": ROW["session_id"]})["ok"] is True

    assert browser.state["rows"][0]["status"] == "CLOSED"


def test_a_refused_close_is_answered_with_the_reason(browse: Callable[[], SessionBrowser], sessions: Sessions) -> None:
    browser = browse()
    sessions.rows[0]["status"] = "CLOSED"
    answer = browser.comm.ask("close", {"session_id": ROW["session_id"]})

    assert answer["error"] == {"message": "It is closed already.", "remedy": "Refresh."}


def test_an_error_is_shown_beside_what_was_known(browse: Callable[[], SessionBrowser], sessions: Sessions) -> None:
    browser = browse()
    sessions.error = ConnectionFailed("No answer from api.cloud.deepset.ai.", "Check the network.")
    assert browser.comm.ask("refresh")["ok"] is True
    assert browser.state["error"]["remedy"] == "Check the network."
    assert browser.state["rows"] == [ROW]
    assert browser.state["loading"] is False

    sessions.error = None
    browser.comm.ask("refresh")
    assert browser.state["error"] is None


def test_an_unforeseen_error_keeps_its_text_to_itself(browse: Callable[[], SessionBrowser], sessions: Sessions) -> None:
    sessions.error = ValueError("key=very-secret")
    browser = browse()

    assert "ValueError" in browser.state["error"]["message"]
    assert "secret" not in json.dumps(browser.state)


def test_the_saved_table_is_bounded(browse: Callable[[], SessionBrowser], sessions: Sessions) -> None:
    sessions.rows = [{**ROW, "session_id": str(number)} for number in range(300)]
    browser = browse()

    assert len(browser.state["rows"]) == SHOWN_ROWS
    assert browser.state["total"] == 300
    assert "The newest 50 of 300 upload sessions" in browser.mimebundle()["text/plain"]


def test_its_static_forms_hold_the_table(browse: Callable[[], SessionBrowser], sessions: Sessions) -> None:
    sessions.rows[0]["created_by"] = "<b>Anna</b>"
    bundle = browse().mimebundle()

    assert ROW["session_id"] in bundle["text/plain"]
    assert "&lt;b&gt;Anna&lt;/b&gt;" in bundle["text/html"]


def test_closing_it_while_it_fetches_does_no_harm(sessions: Sessions) -> None:
    for _ in range(10):
        SessionBrowser(sessions.fetch, sessions.close, target=TARGET).close()


def test_the_dashboard_shows_each_job_once_after_a_retry(browse: Callable[[], SessionBrowser]) -> None:
    jobs = [FakeJob()]
    uploader = Uploader(lambda plan, mode, courier: FakeJob(), target=TARGET)
    tab = dashboard(uploader, lambda: [*jobs, *jobs[0].retries], browse())
    (panel,) = tab.children[JOBS_TAB].children
    jobs[0].end(status="failed", can_retry=True)
    panel.comm.ask("retry")
    tab.selected_index = JOBS_TAB

    shown = [one.job for one in tab.children[JOBS_TAB].children]
    assert shown == [jobs[0].retries[0], jobs[0]]


def test_the_dashboard_shows_jobs_made_after_it(browse: Callable[[], SessionBrowser]) -> None:
    jobs: list[FakeJob] = []
    uploader = Uploader(lambda plan, mode, courier: FakeJob(), target=TARGET)
    tab = dashboard(uploader, lambda: jobs, browse())
    assert isinstance(tab, ipywidgets.Tab)
    assert tab.titles == ("Upload", "Jobs", "Sessions")
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
