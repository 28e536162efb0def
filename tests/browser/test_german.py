"""A reader whose browser speaks German: every word of the widgets is German, and it fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Locator, ViewportSize, expect

from tests.browser.cells import expect_tone, job_panel, join
from tests.browser.lab import THEMES, Lab
from tests.browser.server import JupyterServer

WIDE: ViewportSize = {"width": 1280, "height": 900}
NARROW: ViewportSize = {"width": 480, "height": 900}
# What stands out of its card or is cut off, unless it may be scrolled there.
BURSTING = """(card) => {
    const edge = card.getBoundingClientRect().right + 1;
    const overflow = (element) => getComputedStyle(element).overflowX;
    const scrolls = (element) => element !== card.parentElement
        && (/auto|scroll/.test(overflow(element)) || scrolls(element.parentElement));
    const cut = (element) => element.scrollWidth > element.clientWidth + 1 && overflow(element) !== "visible";
    return [...card.querySelectorAll("button, p, li, th, td, select, label, span, summary")]
        .filter((element) => element.checkVisibility() && !element.closest(".dnb-spoken") && !scrolls(element))
        .filter((element) => element.getBoundingClientRect().right > edge || cut(element))
        .map((element) => `${element.tagName} ${element.textContent.slice(0, 60)}`);
}"""


@pytest.fixture(scope="module")
def german_page(browser: Browser, jupyter: JupyterServer) -> Iterator[Lab]:
    context = browser.new_context(viewport=WIDE, locale="de-DE")
    context.set_default_timeout(30_000)
    lab = Lab(context.new_page(), jupyter)
    lab.start()
    yield lab
    context.close()


@pytest.fixture
def german(german_page: Lab, fault: Callable[[str], None]) -> Iterator[Lab]:
    yield german_page
    german_page.close_notebooks()
    german_page.page.set_viewport_size(WIDE)


def look(lab: Lab, name: str, shown: Locator) -> None:
    """Take pictures in both themes and widths; nothing may burst its card."""
    for width, size in (("wide", WIDE), ("narrow", NARROW)):
        lab.page.set_viewport_size(size)
        for theme in THEMES:
            lab.set_theme(theme)
            shown.scroll_into_view_if_needed()
            lab.picture(f"german-{name}-{theme}-{width}", shown)
        assert shown.evaluate(BURSTING) == [], width


def test_a_job_panel_is_german_from_its_headline_to_the_reasons(german: Lab, fault: Callable[[str], None]) -> None:
    fault("fail:b.txt=FAILED_TO_PARSE_META")
    german.show(join("german", a=1000, b=2000), "job = ws.upload(folder)")
    panel = job_panel(german)
    expect_tone(panel, "fail")

    expect(panel.locator(".dnb-title")).to_have_text("1 von 2 Dateien nicht angekommen")
    expect(panel).to_contain_text("Workspace german von")
    expect(panel).to_contain_text("Verarbeitung")
    expect(panel).to_contain_text("1 Datei nicht angekommen")
    expect(panel).to_contain_text("Die Plattform konnte die Metadaten nicht lesen.")
    expect(panel).to_contain_text("Prüfen Sie die Datei .meta.json: ein flaches JSON-Objekt.")
    # What programs read stays English.
    assert german.run("print(job.failed['reason'].iloc[0])").strip() == "The platform could not read its metadata."
    look(german, "job-failed", panel)
