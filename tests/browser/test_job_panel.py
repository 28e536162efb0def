"""An upload's panel as a user sees it: bars that fill, an ending that is true, a way on from there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from deepset_nb.emulator import Connection
from tests.browser.cells import END_MS, expect_tone, job_panel, join
from tests.browser.lab import THEMES, Lab, Theme
from tests.process import ROOT


def test_an_upload_fills_its_bars_and_ends_green(lab: Lab) -> None:
    lab.show(join("panel", a=1000, b=2000, c=3000), "job = ws.upload(folder)")
    panel = job_panel(lab)
    expect_tone(panel, "ok")

    bars = panel.get_by_role("progressbar")
    assert bars.count() >= 2
    assert all(bar.evaluate("(bar) => bar.value === bar.max") for bar in bars.all())
    assert json.loads(lab.run("print(job.receipt['status'].value_counts().to_json())")) == {"ok": 3}


def test_a_file_that_fails_is_named_with_its_reason_and_can_be_sent_again(
    lab: Lab, fault: Callable[[str], None]
) -> None:
    fault("fail:b.txt=FAILED_TO_PARSE_META")
    lab.show(join("failing", a=1000, b=2000), "job = ws.upload(folder)")
    panel = job_panel(lab)
    expect_tone(panel, "fail")

    expect(panel).to_contain_text("b.txt")
    expect(panel.get_by_role("button", name="Retry")).to_be_visible()
    assert lab.run("print(job.failed['name'].tolist())").strip() == "['b.txt']"


def test_cancel_works_while_a_file_is_being_sent_and_says_what_stays(lab: Lab, fault: Callable[[str], None]) -> None:
    fault("bandwidth:1000000")
    # Larger than what the system's own buffers take at once: the bytes that count must be on their way.
    lab.show(join("cancelled", large=20_000_000), "job = ws.upload(folder)")
    panel = job_panel(lab)
    expect(panel).to_contain_text(re.compile(r"\b(?!0 B|20 MB)[\d.]+ [kM]B of 20 MB"), timeout=END_MS)
    panel.get_by_role("button", name="Cancel").click()
    expect_tone(panel, "warn")

    expect(panel).to_contain_text(lab.run("print(job.state()['headline'])").strip())
    expect(panel).to_contain_text("closes by itself")
    assert lab.run("print(job.receipt['status'].tolist())").strip() == "['cancelled']"
    assert lab.run("print(ws.list_upload_sessions()['status'].iloc[0])").strip() == "OPEN"


def test_a_saved_notebook_shows_the_outcome_and_holds_no_key(lab: Lab, sandbox: Connection) -> None:
    path = lab.open([join("saved", a=1000), "job = ws.upload(folder)"])
    lab.run_all()
    expect_tone(job_panel(lab), "ok")
    headline = lab.run("print(job.state()['headline'])").strip()
    lab.save()
    text = path.read_text()
    outputs = json.loads(text)["cells"][1]["outputs"]

    assert any(headline in "".join(output.get("data", {}).get("text/html", "")) for output in outputs)
    assert sandbox.api_key not in text
    assert sandbox.admin_key not in text


@pytest.mark.parametrize("theme", THEMES)
def test_the_panel_is_accessible_in_both_themes(lab: Lab, theme: Theme, fault: Callable[[str], None]) -> None:
    fault("fail:b.txt=FAILED_TO_PARSE_META")
    lab.set_theme(theme)
    lab.show(join("themes", a=1000, b=2000), "job = ws.upload(folder)")
    panel = job_panel(lab)
    expect_tone(panel, "fail")
    lab.picture(f"job-panel-{theme}", panel)

    assert lab.accessibility_faults(".jp-OutputArea .dnb-job") == []


def test_the_quickstart_runs_from_top_to_bottom(lab: Lab) -> None:
    lab.open(ROOT / "notebooks" / "quickstart.ipynb")
    lab.run_all()
    expect_tone(job_panel(lab), "ok")
    lab.picture("quickstart")

    assert lab.errors() == []


def test_two_uploads_of_one_notebook_keep_their_panels_apart(lab: Lab) -> None:
    lab.show(join("two", a=1000), "first = ws.upload(folder)", "second = ws.upload_texts({'note.txt': 'text'})")
    panels = lab.page.locator(".jp-OutputArea .dnb-job")
    expect(panels).to_have_count(2)
    for panel in panels.all():
        expect_tone(panel, "ok")
