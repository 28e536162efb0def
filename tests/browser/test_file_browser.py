"""The table of files as a user sees it: 100,000 rows, filters, the keyboard, downloads, deletions, both themes."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.cells import END_MS, join
from tests.browser.checks import Checks
from tests.browser.lab import THEMES, Lab, Theme

MANY = "import deepset_nb as dn\nws = dn.sandbox(workspace='many', files=100_000)"
SHOW = "browser = ws.file_browser()\nbrowser"
ROW_PX = 32


def browser_of(lab: Lab) -> Locator:
    shown = lab.page.locator(".jp-OutputArea .dnb-browser").last
    expect(shown.locator(".dnb-row").first).to_be_visible(timeout=END_MS)
    return shown


def scroll_to(shown: Locator, row: int) -> Locator:
    """Jump, and wait for the row that is then on top; its place in the table is told to screen readers."""
    shown.locator(".dnb-grid").evaluate("(grid, top) => { grid.scrollTop = top }", row * ROW_PX)
    found = shown.locator(f'.dnb-row[aria-rowindex="{row + 2}"][aria-busy="false"]')
    expect(found).to_be_visible(timeout=END_MS)
    return found


@pytest.mark.parametrize("theme", THEMES)
def test_a_hundred_thousand_files_are_looked_through_in_both_themes(lab: Lab, theme: Theme) -> None:
    lab.set_theme(theme)
    lab.show(MANY, SHOW)
    shown = browser_of(lab)
    expect(shown).to_contain_text("100,000 files")
    for row in (12_345, 99_988):  # the files are numbered from the oldest on
        expect(scroll_to(shown, row)).to_contain_text(f"-{100_000 - row:06}.")
    expect(shown).to_contain_text("Rows 99,989 to 100,000")

    assert shown.locator(".dnb-grid *").count() < 600
    lab.picture(f"file-browser-{theme}", shown)
    shown.get_by_role("button", name="Columns").click()
    shown.get_by_label("topic").check()
    expect(shown.locator(".dnb-heads")).to_contain_text("topic")
    shown.get_by_role("button", name="Filter").click()
    shown.get_by_label("Metadata filter").fill("topic is rivers")
    lab.page.keyboard.press("Enter")
    expect(shown).to_contain_text("cannot be read at position 6", timeout=END_MS)
    lab.picture(f"file-browser-refused-{theme}", shown)
    assert Checks(shown).axe() == []
    lab.page.set_viewport_size({"width": 560, "height": 900})
    try:
        lab.picture(f"file-browser-narrow-{theme}", shown)
        narrow = shown.locator(".dnb-grid").evaluate("grid => grid.scrollWidth <= grid.clientWidth")
        expect(shown.locator(".dnb-heads .dnb-key")).to_be_visible()
        expect(shown.locator(".dnb-row .dnb-key").first).to_be_visible()
    finally:
        lab.page.set_viewport_size({"width": 1280, "height": 900})
    assert narrow


def test_the_keyboard_goes_from_end_to_end_and_keeps_its_row(lab: Lab) -> None:
    lab.show(MANY, SHOW)
    shown, keyboard = browser_of(lab), lab.page.keyboard
    shown.locator('.dnb-row[tabindex="0"]').focus()
    keyboard.press("End")
    last = shown.locator('.dnb-row[aria-rowindex="100001"][aria-busy="false"]')
    expect(last).to_be_focused(timeout=END_MS)
    keyboard.press("Space")
    expect(last).to_have_attribute("aria-selected", "true")
    keyboard.press("Shift+ArrowUp")
    keyboard.press("Shift+ArrowUp")
    expect(shown).to_contain_text("3 selected")
    scroll_to(shown, 40_000)
    active = lab.page.evaluate("document.activeElement.getAttribute('aria-rowindex')")
    assert active == "99999"
    keyboard.press("ArrowDown")
    expect(shown.locator('.dnb-row[aria-rowindex="100000"]')).to_be_focused()
    keyboard.press("Home")
    expect(shown.locator('.dnb-row[aria-rowindex="2"]')).to_be_focused()

    names = lab.run("print(sorted(browser.selection['name'].str.extract(r'(\\d+)')[0]))")
    assert names.strip() == "['000001', '000002', '000003']"


def test_what_is_found_comes_back_to_python(lab: Lab) -> None:
    lab.show(join("found") + "\nws = dn.sandbox(workspace='found', files=300)", SHOW)
    shown = browser_of(lab)
    shown.get_by_label("Name contains").fill("map-")
    expect(shown).to_contain_text("files match", timeout=END_MS)
    shown.get_by_role("button", name="Filter").click()
    shown.get_by_label("Metadata filter").fill("topic eq 'rivers'")
    shown.get_by_role("button", name="Apply").click()
    expect(shown.locator(".dnb-code")).to_contain_text("odata_filter=\"topic eq 'rivers'\"", timeout=END_MS)
    shown.get_by_role("button", name="Name", exact=True).click()
    expect(shown.locator(".dnb-code")).to_contain_text("sort='name'", timeout=END_MS)

    lab.run("frame = eval(browser.code)")
    same = "print(frame.equals(browser.view), len(frame), frame['name'].is_monotonic_increasing)"
    count = lab.run("print(browser.state['total'])").strip()
    assert lab.run(same).strip() == f"True {count} True"
    expect(shown.locator(".dnb-row").first).to_contain_text(lab.run("print(frame['name'][0])").strip())


def test_selected_files_are_downloaded_and_then_deleted(lab: Lab) -> None:
    lab.show(join("tidied") + "\nws = dn.sandbox(workspace='tidied', files=40)", SHOW)
    shown, keyboard = browser_of(lab), lab.page.keyboard
    shown.locator(".dnb-row").nth(1).locator(".dnb-check").click()
    shown.locator(".dnb-row").nth(3).locator(".dnb-check").click(modifiers=["Shift"])
    expect(shown).to_contain_text("3 selected")
    shown.get_by_role("button", name="Download…").click()
    shown.get_by_label("Into the folder").fill("copies")
    keyboard.press("Enter")
    expect(shown.locator(".dnb-job.dnb-tone-ok")).to_be_visible(timeout=END_MS)
    assert lab.run("print(browser.job.receipt['status'].tolist())").strip() == "['ok', 'ok', 'ok']"

    chosen = json.loads(lab.run("print(browser.selection['file_id'].to_json(orient='values'))"))
    shown.get_by_role("button", name="Delete…").click()
    delete = shown.get_by_role("button", name="Delete 3 files")
    expect(delete).to_have_attribute("aria-disabled", "true")
    expect(shown.get_by_label("to delete 3 files")).to_be_focused()
    keyboard.type("3")
    lab.picture("file-browser-delete", shown)
    assert Checks(shown).axe() == []
    delete.click()
    expect(shown).to_contain_text("3 files deleted", timeout=END_MS)

    left = json.loads(lab.run("print(ws.list_files()['file_id'].to_json(orient='values'))"))
    assert len(left) == 37
    assert not set(chosen) & set(left)
    expect(shown).to_contain_text("37 files")


def test_a_saved_notebook_shows_the_first_files_without_a_kernel(lab: Lab) -> None:
    path = lab.open([join("saved") + "\nws = dn.sandbox(workspace='saved', files=300)", "ws.file_browser()"])
    lab.run_all()
    browser_of(lab)
    lab.save()
    outputs = json.loads(path.read_text())["cells"][1]["outputs"]
    html = "".join(part for output in outputs for part in output.get("data", {}).get("text/html", ""))

    assert "The first 20 of 300 files" in html
    assert html.count("<tr") == 1 + 20
    assert "and 280 more in <code>ws.list_files()</code>" in html
