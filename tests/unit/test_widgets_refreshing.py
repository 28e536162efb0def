"""A browser that looks again at what it shows, while somebody asks it something else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import comm
import pytest

import deepset_nb as dn
from deepset_nb import bridge
from deepset_nb.widgets import throttle
from deepset_nb.widgets._browser import Browser
from tests.unit.browser_page import ask, make_files, open_session, page, ready, refused
from tests.unit.widget_page import Page, eventually

ALL_FILES = {"name": "", "filter": "", "sort": "created_at", "order": "DESC"}
ALL_SESSIONS = {"status": "", "created_by": ""}


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Browser], Browser]]:
    monkeypatch.setattr(comm, "create_comm", Page)
    browsers: list[Browser] = []

    def opened(browser: Browser) -> Browser:
        browsers.append(ready(browser))
        return browser

    yield opened
    for browser in browsers:
        browser.close()


class Gates:
    """Answers of the platform come to the browser when a test lets them: one gate for each query."""

    def __init__(self, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
        self._browser = browser
        self._list = browser._list
        self._gates: dict[str, asyncio.Event] = {}
        self.fetched = 0  # answers that wait, or waited, at a gate
        monkeypatch.setattr(browser, "_list", self._gated)

    def _gated(self, query: dict[str, Any]) -> Any:
        listing = self._list(query)
        rows, gate = listing.rows, self._gates.setdefault(str(query), asyncio.Event())

        async def late(first: int, count: int) -> list[Any]:
            found = await rows(first, count)
            self.fetched += 1
            await gate.wait()
            return found

        listing.rows = late  # type: ignore[method-assign]  # the one listing of this query
        return listing

    def asked(self, query: dict[str, Any]) -> None:
        """Wait until the platform is asked."""
        eventually(lambda: str(query) in self._gates)

    def keep_apart(self, query: dict[str, Any]) -> Callable[[], None]:
        """The next answer gets a gate of its own; opens the one until now."""
        gate = self._gates.pop(str(query))

        async def set_() -> None:
            gate.set()

        return lambda: bridge.run(set_)

    def open(self, query: dict[str, Any]) -> None:
        async def set_() -> None:
            self._gates[str(query)].set()

        bridge.run(set_)


def settled(browser: Browser) -> None:
    """Wait until every request is answered."""
    eventually(lambda: not browser._tasks)


@pytest.mark.parametrize(("action", "payload"), [("refresh", {}), ("watch", {"ids": []})])
def test_looking_again_neither_overtakes_nor_resets_what_was_asked_before_it(
    ws: dn.Workspace,
    shown: Callable[[Browser], Browser],
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    payload: dict[str, Any],
) -> None:
    ws.close_upload_session(open_session(ws))
    still_open = open_session(ws)
    browser = shown(ws.session_browser())
    gates, query = Gates(browser, monkeypatch), {**ALL_SESSIONS, "status": "OPEN"}
    page(browser).request("query", query)
    gates.asked(query)
    page(browser).request(action, payload)
    gates.asked(ALL_SESSIONS)
    gates.open(query)
    eventually(lambda: browser.state["query"] == query)
    gates.open(ALL_SESSIONS)
    settled(browser)

    assert browser.state["query"] == query
    assert [row["session_id"] for row in browser.state["rows"]] == [still_open]


def test_what_is_asked_while_it_looks_again_counts(
    ws: dn.Workspace, shown: Callable[[Browser], Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_files(ws, 30)
    browser = shown(ws.file_browser())
    gates, query = Gates(browser, monkeypatch), {**ALL_FILES, "name": "map"}
    page(browser).request("refresh")
    gates.asked(ALL_FILES)
    page(browser).request("query", query)
    gates.asked(query)
    gates.open(query)
    eventually(lambda: browser.state["query"] == query)
    gates.open(ALL_FILES)
    settled(browser)

    assert browser.state["query"] == query
    assert all("map" in row["name"] for row in browser.state["rows"])


def test_a_refused_question_during_a_refresh_leaves_nothing_loading(
    ws: dn.Workspace, shown: Callable[[Browser], Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_files(ws, 5)
    browser = shown(ws.file_browser())
    gates = Gates(browser, monkeypatch)
    page(browser).request("refresh")
    gates.asked(ALL_FILES)
    refused(browser, "query", **ALL_FILES | {"filter": "topic is news"})
    gates.open(ALL_FILES)
    settled(browser)

    assert browser.state["loading"] is False
    assert len(browser.state["rows"]) == 5


@pytest.mark.parametrize(("action", "payload"), [("refresh", {}), ("query", {**ALL_FILES, "name": "map"})])
def test_an_ordinary_request_is_not_held_back(
    ws: dn.Workspace,
    shown: Callable[[Browser], Browser],
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    payload: dict[str, Any],
) -> None:
    monkeypatch.setattr(throttle, "LEAST_S", 60.0)  # of two states, the second would come too late
    browser = shown(ws.file_browser())
    make_files(ws, 5)
    version = browser.state["version"]
    ask(browser, action, **payload)

    assert browser.state["version"] > version


def test_of_two_refreshes_the_one_begun_last_is_shown(
    ws: dn.Workspace, shown: Callable[[Browser], Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_files(ws, 5)
    browser = shown(ws.file_browser())
    gates = Gates(browser, monkeypatch)
    page(browser).request("refresh")
    eventually(lambda: gates.fetched == 1)
    let_the_first_in = gates.keep_apart(ALL_FILES)
    ws.delete_files(ws.list_files(), dry_run=False)
    page(browser).request("refresh")
    gates.asked(ALL_FILES)
    gates.open(ALL_FILES)
    eventually(lambda: browser.state["total"] == 0)
    let_the_first_in()
    settled(browser)

    assert browser.state["rows"] == []


def test_an_unforeseen_error_is_in_the_log_and_shown_in_the_readers_language(
    ws: dn.Workspace,
    shown: Callable[[Browser], Browser],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    browser = shown(ws.session_browser())
    page(browser).browser_sends({"kind": "hello", "theme": "light", "locale": "de-DE"})

    def fail(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(browser, "_list", fail)
    with caplog.at_level(logging.ERROR, "deepset_nb"):
        ask(browser, "refresh")

    assert browser.state["error"]["message"] == "Etwas Unerwartetes ist schiefgegangen (ZeroDivisionError)."
    assert "SessionBrowser could not refresh." in caplog.text
    assert "in fail" in caplog.text
