"""The table of upload sessions, and the dashboard that holds all widgets."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.cells import END_MS, card, expect_tone, join
from tests.browser.lab import THEMES, Lab, Theme

OPEN_A_SESSION = """
import asyncio
async def open_one():
    async with dn.AsyncClient(ws.settings) as client:
        return (await client.upload_sessions.create(ws.name)).session_id
from deepset_nb import bridge
session_id = bridge.run(open_one)
"""


def test_a_session_closed_in_the_table_is_closed_on_the_platform(lab: Lab) -> None:
    lab.show(join("sessions"), OPEN_A_SESSION, "ws.session_browser()")
    shown = card(lab, "Upload sessions").first
    row = lab.page.locator(".dnb-sessions tbody tr").first
    expect(row).to_contain_text("Open", timeout=END_MS)
    row.get_by_role("button", name="Close…").click()
    lab.page.get_by_role("button", name="Close and ingest").click()
    expect(row).to_contain_text("Closed", timeout=END_MS)

    expect(shown).to_be_visible()
    assert lab.run("print(ws.get_upload_session(session_id).status)").strip() == "CLOSED"


def test_keeping_a_session_open_leaves_it_as_it_is(lab: Lab) -> None:
    lab.show(join("sessions-kept"), OPEN_A_SESSION, "ws.session_browser()")
    row = lab.page.locator(".dnb-sessions tbody tr").first
    row.get_by_role("button", name="Close…").click()
    lab.page.get_by_role("button", name="Keep it open").click()

    expect(lab.page.get_by_role("button", name="Close and ingest")).to_have_count(0)
    assert lab.run("print(ws.get_upload_session(session_id).status)").strip() == "OPEN"


def test_the_question_is_whole_in_a_narrow_cell(lab: Lab) -> None:
    lab.page.set_viewport_size({"width": 560, "height": 900})
    try:
        lab.show(join("sessions-narrow"), OPEN_A_SESSION, "ws.session_browser()")
        shown = lab.page.locator(".jp-OutputArea .dnb-card").last
        close = shown.get_by_role("button", name="Close…")
        expect(close).to_be_visible(timeout=END_MS)
        close.click()
        frame, question = shown.bounding_box(), shown.locator(".dnb-ask").bounding_box()
        lab.picture("session-browser-narrow", shown)
    finally:
        lab.page.set_viewport_size({"width": 1280, "height": 900})

    assert frame
    assert question
    assert frame["x"] <= question["x"]
    assert question["x"] + question["width"] <= frame["x"] + frame["width"]


@pytest.mark.parametrize("theme", THEMES)
def test_the_table_is_accessible_in_both_themes(lab: Lab, theme: Theme) -> None:
    lab.set_theme(theme)
    lab.show(join("sessions-themes"), OPEN_A_SESSION, "ws.session_browser()")
    row = lab.page.locator(".dnb-sessions tbody tr").first
    row.get_by_role("button", name="Close…").click()
    expect(lab.page.get_by_role("button", name="Close and ingest")).to_be_visible()
    lab.picture(f"session-browser-{theme}", lab.page.locator(".jp-OutputArea .dnb-card").last)

    assert lab.accessibility_faults(".jp-OutputArea .dnb-card") == []


@pytest.mark.parametrize("theme", THEMES)
def test_the_dashboard_shows_uploads_of_other_cells_and_sessions(lab: Lab, theme: Theme) -> None:
    lab.set_theme(theme)
    lab.show(join("dashboard", a=1000, b=2000), "job = ws.upload(folder, show=False).wait(60)", "ws.dashboard()")
    tabs = lab.page.locator(".jp-OutputArea .lm-TabBar-tab, .jp-OutputArea .jupyter-widget-TabPanel .p-TabBar-tab")
    expect(tabs).to_have_count(3)
    for number in range(3):
        tabs.nth(number).click()
        lab.picture(f"dashboard-{number + 1}-{theme}")
    tabs.nth(1).click()
    panel = lab.page.locator(".jp-OutputArea .dnb-job:visible")
    expect_tone(panel, "ok")
    expect(panel.locator(".dnb-facts")).to_have_css("justify-content", "normal")  # not the table's style
    tabs.nth(2).click()

    expect(lab.page.locator(".dnb-sessions tbody tr:visible").first).to_contain_text("Closed")
