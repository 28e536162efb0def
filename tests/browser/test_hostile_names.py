"""Names made to break a page: in every widget and every static form they are text, and nothing of them runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Dialog, FilePayload, expect

from deepset_nb.emulator import sessions
from tests import hostile
from tests.browser.cells import END_MS, card
from tests.browser.lab import Lab
from tests.process import ROOT

ROOM = f"""import sys
sys.path.insert(0, {str(ROOT)!r})
from IPython.display import HTML
from tests import hostile
ws = hostile.room()
"""
RAN = "() => [window.dnbHostile, document.querySelectorAll('.jp-OutputArea img, .jp-OutputArea script').length]"
RAW = r"""element => [...element.querySelectorAll("*")].some((one) =>
    /[\u202a-\u202e\u0000-\u0008]/.test(one.textContent))"""
WIDER = "element => element.scrollWidth - element.clientWidth"


@pytest.fixture(autouse=True)
def _no_dialog(lab: Lab) -> Iterator[None]:
    opened: list[str] = []

    def close(dialog: Dialog) -> None:
        opened.append(dialog.message)
        dialog.dismiss()

    lab.page.on("dialog", close)
    yield
    lab.page.remove_listener("dialog", close)
    assert opened == []


def test_a_name_that_would_run_does_so_where_a_page_is_careless(lab: Lab) -> None:
    lab.show(ROOM, "HTML(hostile.IMAGE)")
    lab.page.wait_for_function("() => window.dnbHostile === 1")
    lab.page.evaluate("() => { delete window.dnbHostile }")


@pytest.mark.parametrize("name", sorted(hostile.WIDGETS))
def test_nothing_of_a_name_runs_in_a_widget_or_its_static_form(
    lab: Lab, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "_creator", hostile.creator)
    lab.show(ROOM, f"widget = hostile.WIDGETS[{name!r}](ws)\nwidget", "HTML(widget.static_html())")
    shown = lab.page.locator(".jp-OutputArea .dnb-card").first
    expect(shown).to_contain_text("<img src=x", timeout=END_MS)
    static = lab.page.locator(".jp-OutputArea-output.jp-RenderedHTMLCommon").last
    expect(static).to_contain_text("<img src=x")
    if name == "SessionBrowser":
        shown.locator(".dnb-row").first.click()
        expect(shown.locator(".dnb-outcomes")).to_contain_text("_img src=x", timeout=END_MS)  # as it is stored
        expect(shown.locator(".dnb-row", has_text="<img src=x").first).to_be_visible()
    lab.picture(f"hostile-{name}")

    assert lab.page.evaluate(RAN) == [None, 0]
    for part in (shown, static):
        assert part.evaluate(RAW) is False
        assert part.evaluate(WIDER) <= 1


def test_files_of_such_names_are_chosen_and_sent_as_they_are(lab: Lab) -> None:
    lab.show(ROOM, "uploader = ws.uploader()\nuploader")
    names = [f"{name}.txt" for name in (hostile.IMAGE, hostile.REVERSED, hostile.FIELDS, hostile.LONG[:200])]
    lab.page.locator("input[data-dnb=files]").set_input_files(
        [FilePayload(name=name, mimeType="text/plain", buffer=b"x") for name in names]
    )
    shown = card(lab, "Upload files")
    expect(shown.locator("tbody tr", has_text="Ready")).to_have_count(len(names), timeout=END_MS)
    lab.picture("hostile-files", shown)

    expect(shown).to_contain_text(names[0])
    expect(shown).to_contain_text("invoice\\u202efdp.exe")
    expect(shown).to_contain_text(names[2])
    assert lab.page.evaluate(RAN) == [None, 0]
    assert shown.evaluate(RAW) is False
    assert shown.evaluate(WIDER) <= 1
