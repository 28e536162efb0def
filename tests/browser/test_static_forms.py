"""What a saved notebook shows of the widgets, in a narrow page."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser

from deepset_nb.widgets import static_tables
from tests.unit.widget_page import EXAMPLES

BROKEN = r"""() => {
    const broken = [];
    for (const cell of document.querySelectorAll("th, td")) {
        const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
        for (let text = texts.nextNode(); text; text = texts.nextNode()) {
            for (const { 0: word, index } of text.data.matchAll(/[^\s-]+/g)) {
                const range = document.createRange();
                range.setStart(text, index);
                range.setEnd(text, index + word.length);
                if (range.getClientRects().length > 1) broken.push(word);
            }
        }
    }
    return broken;
}"""
FILES: Any = {**EXAMPLES["FilesState"], "rows": [{**EXAMPLES["FileRow"], "name": "annual-report.pdf"}], "error": None}
SESSIONS: Any = {**EXAMPLES["SessionsState"], "error": None}
FORMS = {"files": static_tables.files_html(FILES), "sessions": static_tables.sessions_html(SESSIONS)}


@pytest.mark.parametrize("name", FORMS)
def test_a_table_is_scrolled_sideways_before_words_and_ids_are_broken(browser: Browser, name: str) -> None:
    with browser.new_page(viewport={"width": 320, "height": 600}) as page:
        page.set_content(f"<!doctype html>{FORMS[name]}")

        assert page.evaluate(BROKEN) == []
        assert page.locator("div:has(> div > table)").evaluate("one => one.scrollWidth > one.clientWidth")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
