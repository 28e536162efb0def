"""The table of upload sessions, and the dashboard that holds all widgets."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.cells import END_MS, expect_tone, join
from tests.browser.checks import Checks
from tests.browser.lab import THEMES, Lab, Theme

OPEN_A_SESSION = """
from deepset_nb import bridge
async def open_one():
    async with dn.AsyncClient(ws.settings) as client:
        return (await client.upload_sessions.create(ws.name)).session_id
session_id = bridge.run(open_one)
"""
# A closed session with two files that the platform takes and one that it finds empty.
MIXED = """
from deepset_nb import bridge
async def send():
    async with dn.AsyncClient(ws.settings) as client:
        session = await client.upload_sessions.create(ws.name)
        async with client.bucket(session.aws_prefixed_request_config) as bucket:
            for name, content in {"a.txt": b"a", "b.txt": b"b", "c.txt": b""}.items():
                await bucket.post(name, content, len(content))
        await client.upload_sessions.close(ws.name, session.session_id)
bridge.run(send)
"""


def sessions(lab: Lab) -> Locator:
    return lab.page.locator(".jp-OutputArea .dnb-browser").last


def row_of(shown: Locator, words: str) -> Locator:
    return shown.locator(".dnb-row", has_text=words).first


def test_a_session_closed_in_the_table_is_closed_on_the_platform(lab: Lab) -> None:
    lab.show(join("sessions"), OPEN_A_SESSION, "browser = ws.session_browser()\nbrowser")
    shown = sessions(lab)
    row = row_of(shown, "Open")
    expect(row).to_contain_text("just opened", timeout=END_MS)
    row.get_by_role("button", name="Close…").click()
    lab.page.get_by_role("button", name="Close and ingest").click()
    expect(shown.locator(".dnb-row", has_text="Open")).to_have_count(0, timeout=END_MS)

    expect(shown.locator(".dnb-row").first).to_contain_text("no files in it")
    assert lab.run("print(ws.get_upload_session(session_id).status)").strip() == "CLOSED"


def test_keeping_a_session_open_leaves_it_as_it_is(lab: Lab) -> None:
    lab.show(join("sessions-kept"), OPEN_A_SESSION, "ws.session_browser()")
    row_of(sessions(lab), "Open").get_by_role("button", name="Close…").click()
    lab.page.get_by_role("button", name="Keep it open").click()

    expect(lab.page.get_by_role("button", name="Close and ingest")).to_have_count(0)
    assert lab.run("print(ws.get_upload_session(session_id).status)").strip() == "OPEN"


def test_a_session_closed_by_somebody_else_shows_it_by_itself(lab: Lab) -> None:
    lab.show(join("sessions-watched"), OPEN_A_SESSION, "ws.session_browser()")
    shown = sessions(lab)
    expect(row_of(shown, "Open")).to_be_visible(timeout=END_MS)
    lab.run("ws.close_upload_session(session_id)")

    expect(shown.locator(".dnb-row", has_text="Open")).to_have_count(0, timeout=END_MS)


def test_the_keyboard_alone_finds_out_why_a_file_failed(lab: Lab) -> None:
    lab.show(join("sessions-why"), MIXED, "browser = ws.session_browser()\nbrowser")
    shown = sessions(lab)
    expect(row_of(shown, "1 of 3 failed")).to_be_visible(timeout=END_MS)
    shown.locator('.dnb-row[tabindex="0"]').focus()
    lab.page.keyboard.press("Space")
    expect(shown).to_contain_text("1 selected")
    lab.page.keyboard.press("Enter")
    pane = shown.locator(".dnb-pane")
    expect(pane).to_contain_text("c.txt", timeout=END_MS)
    expect(pane).to_contain_text("The platform found the file empty.")
    expect(pane).to_contain_text("1 of 1")
    lab.page.keyboard.press("Escape")

    expect(pane).to_have_count(0)
    expect(shown.locator('.dnb-row[tabindex="0"]')).to_be_focused()
    assert lab.run("print(browser.selection['status'].tolist())").strip() == "['CLOSED']"


@pytest.mark.parametrize("theme", THEMES)
def test_the_table_is_accessible_and_whole_in_a_narrow_cell_in_both_themes(lab: Lab, theme: Theme) -> None:
    lab.set_theme(theme)
    lab.show(join("sessions-themes"), OPEN_A_SESSION, MIXED, "ws.session_browser()")
    shown = sessions(lab)
    row_of(shown, "1 of 3 failed").click()
    expect(shown.locator(".dnb-pane")).to_contain_text("empty", timeout=END_MS)
    lab.picture(f"session-browser-outcomes-{theme}", shown)
    assert Checks(shown).axe() == []
    row_of(shown, "Open").get_by_role("button", name="Close…").click()
    expect(lab.page.get_by_role("button", name="Close and ingest")).to_be_visible()
    lab.picture(f"session-browser-{theme}", shown)
    assert Checks(shown).axe() == []

    lab.page.set_viewport_size({"width": 560, "height": 900})
    try:
        lab.picture(f"session-browser-narrow-{theme}", shown)
        frame, question = shown.bounding_box(), shown.locator(".dnb-ask").bounding_box()
    finally:
        lab.page.set_viewport_size({"width": 1280, "height": 900})
    assert frame
    assert question
    assert frame["x"] <= question["x"]
    assert question["x"] + question["width"] <= frame["x"] + frame["width"]


@pytest.mark.parametrize("theme", THEMES)
def test_the_dashboard_shows_uploads_of_other_cells_sessions_and_files(lab: Lab, theme: Theme) -> None:
    lab.set_theme(theme)
    lab.show(join("dashboard", a=1000, b=2000), "job = ws.upload(folder, show=False).wait(60)", "ws.dashboard()")
    tabs = lab.page.locator(".jp-OutputArea .lm-TabBar-tab, .jp-OutputArea .jupyter-widget-TabPanel .p-TabBar-tab")
    expect(tabs).to_have_count(4)
    for number in range(4):
        tabs.nth(number).click()
        lab.picture(f"dashboard-{number + 1}-{theme}")
    tabs.nth(1).click()
    panel = lab.page.locator(".jp-OutputArea .dnb-job:visible")
    expect_tone(panel, "ok")
    expect(panel.locator(".dnb-facts")).to_have_css("justify-content", "normal")  # not the table's style
    tabs.nth(2).click()
    expect(lab.page.locator(".dnb-row:visible").first).to_contain_text("Closed")
    tabs.nth(3).click()

    expect(lab.page.locator(".dnb-row:visible", has_text="a.txt").first).to_be_visible()
