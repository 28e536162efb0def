"""Names and metadata made to break things: widgets keep them small, static forms show them as text."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

import deepset_nb as dn
from deepset_nb.emulator import sessions
from deepset_nb.transfer.progress import Progress
from deepset_nb.transfer.receipt import Row
from deepset_nb.transfer.small import small
from tests import hostile

MOST_BYTES = 64_000  # of a widget's state in a saved notebook, beside its bundle
BUNDLE = {"_esm", "_css", "_anywidget_id"}
SAFE_TAGS = {"a", "bdi", "br", "code", "details", "div", "li", "p", "small", "span", "strong", "summary", "ul"}
SAFE_TAGS |= {"table", "thead", "tbody", "tr", "th", "td"}


class Tags(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(params=sorted(hostile.WIDGETS))
def widget(request: pytest.FixtureRequest, ws: dn.Workspace, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Each widget in turn, full of hostile texts."""
    monkeypatch.setattr(sessions, "_creator", hostile.creator)
    hostile.fill(ws, copies=20)  # a screenful
    make: Callable[[dn.Workspace], Any] = hostile.WIDGETS[request.param]
    made = make(ws)
    yield made
    made.close()


def test_every_widget_is_in_the_list() -> None:
    assert hostile.all_widgets() == set(hostile.WIDGETS)


def test_the_state_that_a_notebook_keeps_is_small(widget: Any) -> None:
    kept = {name: value for name, value in widget.get_state().items() if name not in BUNDLE}
    size = len(json.dumps(kept, ensure_ascii=False).encode())

    assert 500 < size <= MOST_BYTES


def test_the_state_of_fifty_sessions_stays_small_whoever_made_them(
    ws: dn.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hostile, "_people", itertools.repeat("\x00" * 10_000))
    monkeypatch.setattr(sessions, "_creator", hostile.creator)
    browser = hostile.WIDGETS["SessionBrowser"](ws)

    assert len(browser.state["rows"]) == 50
    assert len(json.dumps(browser.state, ensure_ascii=False).encode()) <= MOST_BYTES
    browser.close()


@pytest.mark.parametrize("text", [hostile.WIDE, "\x00" * 10_000, "ä\n" * 5_000], ids=["wide", "controls", "lines"])
def test_fifty_failures_whose_every_text_is_long_stay_small(text: str) -> None:
    progress = Progress({"workspace": text, "host": "h", "organisation": text})
    rows = [Row(f"{number}{text}", text, text, 1, b"") for number in range(60)]
    progress.planned(rows)
    progress.note = progress.detail = text
    for row in rows:
        row.end("failed", text, text)
    progress.end("failed")
    state = small(progress.state())

    assert state["failures_total"] == len(rows)
    assert len(state["failures"]) > 20
    assert len(json.dumps(state, ensure_ascii=False).encode()) <= MOST_BYTES


def test_the_static_form_has_no_tag_or_attribute_that_a_name_brought(widget: Any) -> None:
    page = Tags(widget.static_html())

    assert page.text.strip()
    assert page.tags <= SAFE_TAGS
    assert page.attributes <= {"style", "open", "href"}
    assert "javascript:" not in widget.static_html().lower()
    assert hostile.IMAGE in page.text


@pytest.mark.parametrize("form", ["static_html", "static_text"])
def test_static_forms_spell_out_what_reorders_or_controls_and_shorten_what_is_long(widget: Any, form: str) -> None:
    text = getattr(widget, form)()

    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f\x7f]", text)
    assert not re.search("n{1000}|(?:\U0001f600){1000}", text)


def test_a_name_that_looks_like_a_field_of_a_sentence_is_left_as_it_is(ws: dn.Workspace) -> None:
    panel = hostile.WIDGETS["JobPanel"](ws)

    assert hostile.FIELDS in panel.static_text()
    assert hostile.FIELDS in Tags(panel.static_html()).text
    panel.close()
