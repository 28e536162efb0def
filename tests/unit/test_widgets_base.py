"""The base of all widgets: answered requests, owned tasks, missing bundles, static forms, no secrets."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import comm
import ipywidgets
import pytest
import traitlets

from deepset_nb.errors import Conflict
from deepset_nb.i18n import translator
from deepset_nb.widgets import _base
from deepset_nb.widgets._base import Handler, Widget
from tests.unit.widget_page import EXAMPLES, Page, eventually


class Sample(Widget):
    _bundle = "job_panel"
    state = traitlets.Dict().tag(sync=True)

    def __init__(self, **kwargs: Any) -> None:
        self.began, self.cancelled = threading.Event(), threading.Event()
        super().__init__(**kwargs)

    def actions(self) -> dict[str, Handler]:
        return {"echo": self.echo, "refuse": self.refuse, "fail": self.fail, "sleep": self.sleep}

    async def echo(self, payload: dict[str, Any]) -> dict[str, Any]:
        return {"thread": threading.current_thread() is not threading.main_thread(), **payload}

    async def refuse(self, _: dict[str, Any]) -> None:
        raise Conflict("It is closed already.", "Refresh.", status=409)

    async def fail(self, _: dict[str, Any]) -> None:
        raise ValueError("api_key=very-secret")

    async def sleep(self, _: dict[str, Any]) -> None:
        self.began.set()
        try:
            await asyncio.sleep(3600)
        finally:
            self.cancelled.set()

    def static_html(self) -> str:
        return "<b>html</b>"

    def static_text(self) -> str:
        return "text"


@pytest.fixture
def widget(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sample]:
    monkeypatch.setattr(comm, "create_comm", Page)
    sample = Sample()
    yield sample
    sample.close()


def page(widget: Widget) -> Page:
    assert isinstance(widget.comm, Page)
    return widget.comm


def test_a_request_is_answered_off_the_thread_that_brings_clicks(widget: Sample) -> None:
    answer = page(widget).ask("echo", {"x": 1})

    assert answer == {"kind": "response", "id": answer["id"], "ok": True, "result": {"thread": True, "x": 1}}


def test_a_refusal_says_what_happened_and_what_to_do(widget: Sample) -> None:
    answer = page(widget).ask("refuse")

    assert (answer["ok"], answer["error"]) == (False, {"message": "It is closed already.", "remedy": "Refresh."})


def test_an_unforeseen_error_is_answered_without_its_text(widget: Sample, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "deepset_nb")
    answer = page(widget).ask("fail")

    assert answer["ok"] is False
    assert "ValueError" in answer["error"]["message"]
    assert "secret" not in json.dumps(answer)


@pytest.mark.parametrize(("action", "payload"), [("unknown", {}), (None, {}), (["echo"], {}), ("echo", "text")])
def test_a_request_nobody_understands_is_answered_too(widget: Sample, action: Any, payload: Any) -> None:
    assert page(widget).ask(action, payload)["ok"] is False


@pytest.mark.parametrize(
    "message", [None, "text", 3, {}, {"kind": "request"}, {"kind": "abort", "id": 7}, {"kind": []}]
)
def test_a_message_that_is_none_does_no_harm(widget: Sample, message: Any) -> None:
    page(widget).browser_sends(message)

    assert page(widget).ask("echo")["ok"] is True


def test_an_abort_cancels_the_work_and_is_answered(widget: Sample) -> None:
    key = page(widget).request("sleep")
    assert widget.began.wait(10)
    page(widget).browser_sends({"kind": "abort", "id": key})

    assert widget.cancelled.wait(10)
    assert eventually(lambda: [one["ok"] for one in page(widget).messages() if one.get("id") == key]) == [False]
    eventually(lambda: not widget._tasks)


def test_closing_cancels_what_requests_started(widget: Sample) -> None:
    page(widget).request("sleep")
    assert widget.began.wait(10)
    widget.close()

    assert widget.cancelled.wait(10)


def test_a_hello_is_kept_and_announced(widget: Sample) -> None:
    assert widget.hello is None
    page(widget).browser_sends(EXAMPLES["Hello"])

    assert widget.greeted.is_set()
    assert widget.hello is not None
    assert widget.hello["locale"] == "de-DE"


def test_an_unknown_keyword_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"unexpected keyword 'pth'.*layout"):
        Sample(pth="x")


def test_the_keywords_of_every_widget_work(widget: Sample) -> None:
    sample = Sample(layout=ipywidgets.Layout(width="50%"), tooltip="A tip", tabbable=True)

    assert (sample.layout.width, sample.tooltip, sample.tabbable) == ("50%", "A tip", True)
    sample.close()


def test_an_output_holds_the_live_form_and_two_static_ones(widget: Sample) -> None:
    data, _ = widget._repr_mimebundle_()

    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id
    assert (data["text/html"], data["text/plain"]) == ("<b>html</b>", "text")


def test_its_repr_is_short(widget: Sample) -> None:
    assert repr(widget) == "<Sample>"


def test_a_missing_bundle_shows_a_notice_instead_of_failing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(_base, "static_folder", lambda: tmp_path)

    class Unbuilt(Sample):
        _bundle = "uploader"

    script = str(Unbuilt._esm)
    assert "uploader" in script
    assert "pip install" in script
    assert "export default" in script


def test_a_built_bundle_travels_with_the_widget(widget: Sample) -> None:
    opened = next(one for one in page(widget).published if one["type"] == "comm_open")["data"]["state"]

    assert "export" in opened["_esm"]
    assert ".dnb" in opened["_css"]


def test_a_closed_widget_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comm, "create_comm", Page)
    widget = Sample()
    widget.close()
    gone = weakref.ref(widget)
    del widget

    eventually(lambda: gc.collect() >= 0 and gone() is None)


def test_nothing_begins_for_a_widget_that_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comm, "create_comm", Page)
    begun: list[str] = []
    monkeypatch.setattr(Sample, "begin", lambda widget: begun.append(widget.tr.language))
    monkeypatch.setattr(Widget, "_heard", translator("de"))
    with pytest.raises(TypeError, match="colour"):
        Sample(colour="red")
    Sample().close()

    assert begun == ["de"]


def test_it_lives_in_boxes_tabs_and_links(widget: Sample) -> None:
    twin = Sample()
    box = ipywidgets.VBox([widget, ipywidgets.Tab([twin])])
    seen = []
    widget.observe(lambda change: seen.append(change["new"]), "state")
    ipywidgets.link((widget, "state"), (twin, "state"))
    twin.state = {"x": 1}

    assert seen == [{"x": 1}]
    assert box.children[0] is widget
    box.close()
    twin.close()


# --- languages ------------------------------------------------------------------------------------------------------


def say_hello(page: Page, locale: str) -> None:
    page.browser_sends({**EXAMPLES["Hello"], "locale": locale})


def catalogues(page: Page) -> list[str]:
    return [message["language"] for message in page.messages() if message["kind"] == "catalogue"]


def test_a_german_page_gets_the_texts_of_the_browser_and_answers_in_german(widget: Sample) -> None:
    say_hello(widget.comm, "de-AT")
    answer = widget.comm.ask("fail")

    assert catalogues(widget.comm) == ["de"]
    assert answer["error"]["message"] == "Etwas Unerwartetes ist schiefgegangen (ValueError)."


def test_a_widget_speaks_as_the_page_did_that_spoke_last_until_its_own_page_does(widget: Sample) -> None:
    say_hello(widget.comm, "de-DE")
    assert Sample().tr.language == "de"
    say_hello(widget.comm, "en-GB")

    assert Sample().tr.language == "en"


def test_an_english_page_gets_no_texts(widget: Sample) -> None:
    say_hello(widget.comm, "en-GB")

    assert catalogues(widget.comm) == []


def test_of_two_pages_the_last_hello_decides_and_readers_are_told_of_each_change_once(widget: Sample) -> None:
    told: list[str] = []
    widget.language_readers.append(lambda: told.append(widget.tr.language))
    for locale in ("de-DE", "de-CH", "en-US", "fr", "de"):
        say_hello(widget.comm, locale)

    assert told == ["de", "en", "de"]
    assert catalogues(widget.comm) == ["de", "de", "de"]
