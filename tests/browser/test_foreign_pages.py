"""VS Code and Colab, simulated: pages with their marks and colours, in which no message is ever answered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from deepset_nb._places import static_folder
from tests.browser.checks import Checks
from tests.browser.lab import SHOTS
from tests.process import ROOT

PAGE = Path(__file__).parent / "foreign_page.html"
EXAMPLES: dict[str, Any] = json.loads((ROOT / "tests" / "contract" / "messages.json").read_text())
VS_CODE = ("vscode-dark", "vscode-light", "vscode-high-contrast")


@pytest.fixture(scope="module")
def shared_page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 960, "height": 700})
    yield context.new_page()
    context.close()


@pytest.fixture
def show(shared_page: Page) -> Callable[..., Page]:
    """Shows a job's panel in a page that a front end has marked: ``show("vscode-dark")`` or ``show("colab")``."""

    def panel(frontend: str) -> Page:
        shared_page.goto(PAGE.as_uri())
        marks = (
            "() => { window.google = { colab: {} } }"
            if frontend == "colab"
            else f"() => {{ document.body.className = document.body.dataset.vscodeThemeKind = '{frontend}' }}"
        )
        shared_page.evaluate(marks)
        script, styles = ((static_folder() / f"job_panel.{kind}").read_text() for kind in ("js", "css"))
        state = {"state": EXAMPLES["JobState"]}
        shared_page.evaluate("parts => window.showWidget(...parts)", [script, styles, state])
        shared_page.locator(".dnb-job").wait_for()
        return shared_page

    return panel


def theme_said(page: Page) -> str:
    theme: str = page.evaluate("() => window.sent.find((message) => message.kind === 'hello').theme")
    return theme


@pytest.mark.parametrize("kind", VS_CODE)
def test_in_vs_code_the_panel_has_the_editors_colours_and_no_white_box(show: Callable[..., Page], kind: str) -> None:
    page = show(kind)
    page.wait_for_timeout(200)  # the theme is looked at once more after the first paint
    page.screenshot(path=SHOTS / f"{kind}.png")
    colours = page.evaluate(
        """() => [".cell-output-ipywidget-background", ".dnb-card", "body"].map((selector) =>
            getComputedStyle(document.querySelector(selector)).backgroundColor)"""
    )

    assert theme_said(page) == ("light" if kind == "vscode-light" else "dark")
    assert colours[0] == "rgba(0, 0, 0, 0)"
    assert kind == "vscode-light" or colours[1] == colours[2]
    assert Checks(page.locator(".dnb-job")).axe() == []


def test_in_colab_the_panel_is_readable(show: Callable[..., Page]) -> None:
    page = show("colab")
    page.screenshot(path=SHOTS / "colab.png")

    assert theme_said(page) == "light"
    expect(page.locator(".dnb-job")).to_contain_text("Sending 2 of 3 files")


def test_a_click_that_nobody_answers_says_that_the_kernel_is_busy(show: Callable[..., Page]) -> None:
    page = show("colab")
    page.get_by_role("button", name="Cancel").click()

    expect(page.get_by_text("The kernel is busy")).to_be_visible(timeout=10_000)
    assert page.evaluate("() => window.sent.map((message) => message.kind)") == ["hello", "request"]
