"""An upload's panel as a user sees it: bars that fill, an ending that is true, a way on from there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from playwright.sync_api import expect

from deepset_nb.emulator import Connection
from tests.browser.cells import END_MS, expect_tone, job_panel, join, stop
from tests.browser.checks import Checks
from tests.browser.lab import Lab
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
    fault("fail:b.txt=UNKNOWN_ERROR")
    lab.show(join("failing", a=1000, b=2000, empty=0), "job = ws.upload(folder)")
    panel = job_panel(lab)
    expect_tone(panel, "fail")

    expect(panel).to_contain_text("b.txt")
    expect(panel).to_contain_text("2 of 3 files did not make it")
    # The empty one would be refused again.
    expect(panel.get_by_role("button", name="Retry 1 file")).to_be_visible()
    assert lab.run("print(job.failed['name'].tolist())").strip() == "['b.txt', 'empty.txt']"


def test_cancel_works_while_a_file_is_being_sent_and_says_what_stays(lab: Lab, fault: Callable[[str], None]) -> None:
    fault("bandwidth:1000000")
    # Larger than what the system's own buffers take at once: the bytes that count must be on their way.
    lab.show(join("cancelled", large=20_000_000), "job = ws.upload(folder)")
    panel = job_panel(lab)
    expect(panel).to_contain_text(re.compile(r"\b(?!0 B|20 MB)[\d.]+ [kM]B of 20 MB"), timeout=END_MS)
    stop(panel)
    expect_tone(panel, "warn")

    expect(panel).to_contain_text(lab.run("print(job.state()['headline'])").strip())
    expect(panel).to_contain_text("closes by itself")
    assert lab.run("print(job.receipt['status'].tolist())").strip() == "['cancelled']"
    assert lab.run("print(ws.list_upload_sessions()['status'].iloc[0])").strip() == "OPEN"


def test_the_choice_of_how_to_stop_is_made_with_the_keyboard(lab: Lab, fault: Callable[[str], None]) -> None:
    fault("bandwidth:1000000")
    lab.show(join("kept", small=1000, large=20_000_000), "job = ws.upload(folder)")
    panel = job_panel(lab)
    expect(panel).to_contain_text("Sending 1 of 2 files", timeout=END_MS)
    cancel, keyboard = panel.get_by_role("button", name="Cancel"), lab.page.keyboard
    cancel.focus()
    keyboard.press("Enter")
    expect(panel.get_by_role("button", name="Stop, ingest later")).to_be_focused()
    expect(panel).to_contain_text("1 file waits in the upload session, not ingested.")
    lab.picture("job-panel-choice", panel)
    assert Checks(panel).axe() == []
    keyboard.press("Escape")
    expect(cancel).to_be_focused()
    expect(panel.get_by_role("group", name="How to stop")).to_have_count(0)

    keyboard.press("Enter")
    expect(panel.get_by_role("button", name="Stop, ingest later")).to_be_focused()
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect_tone(panel, "warn")
    expect(panel).to_contain_text("Cancelled: 1 of 2 files are on the platform")
    expect(panel).to_contain_text("the upload session is closed")
    assert (
        lab.run("print(ws.list_files(name='.txt').query('size in (1000, 20_000_000)')['name'].tolist())").strip()
        == "['small.txt']"
    )


def test_the_keyboard_stays_where_it_is_when_the_end_draws_the_panel_afresh(
    lab: Lab, fault: Callable[[str], None]
) -> None:
    fault("latency:300ms")
    lab.show(join("focus", a=1000), "job = ws.upload(folder)")
    panel = job_panel(lab)
    copy = panel.get_by_role("button", name="Copy as Python")
    copy.focus()
    drawn = panel.element_handle()
    expect_tone(panel, "ok")

    assert not drawn.evaluate("element => element.isConnected")
    expect(copy).to_be_focused()


def test_every_file_can_be_looked_at_page_by_page(lab: Lab) -> None:
    files = {f"f{number:02}": 10 for number in range(45)} | {"empty": 0}
    lab.show(join("pages", **files), "job = ws.upload(folder)")
    panel = job_panel(lab)
    expect_tone(panel, "fail")
    panel.get_by_role("button", name="Receipt").click()
    receipt = panel.get_by_role("group", name="Receipt")
    expect(receipt).to_contain_text("1 to 20 of 46")
    receipt.get_by_role("button", name="Next").click()
    receipt.get_by_role("button", name="Next").click()
    expect(receipt).to_contain_text("41 to 46 of 46")
    expect(receipt.locator("tbody tr")).to_have_count(6)

    receipt.get_by_role("combobox").select_option("failed")
    expect(receipt.locator("tbody tr")).to_have_count(1)
    expect(receipt).to_contain_text("The file is empty")
    assert Checks(panel).axe() == []
    code = receipt.locator("code").inner_text()
    assert lab.run(f"print(len({code}))").strip() == "46"


def test_what_a_request_waits_for_is_shown_while_it_waits(lab: Lab, fault: Callable[[str], None]) -> None:
    fault("slow_down:1")
    slowly = "from deepset_nb.client import retries; retries.WAIT_FIRST_S = 2.5"
    lab.show(join("waits", a=1000) + slowly, "job = ws.upload(folder)")
    panel = job_panel(lab)

    expect(panel.locator(".dnb-detail")).to_contain_text(re.compile(r"Waiting, try 2 of 5 in [123] s: .*SlowDown"))
    expect_tone(panel, "ok")
    expect(panel.locator(".dnb-detail")).to_have_count(0)


def test_a_job_goes_on_in_a_page_that_was_reloaded_and_in_another_cell(lab: Lab, fault: Callable[[str], None]) -> None:
    fault("bandwidth:1000000")
    lab.open([join("again", large=12_000_000), "job = ws.upload(folder)", "job"])
    lab.run_all()
    panels = lab.page.locator(".jp-OutputArea .dnb-job")
    expect(panels).to_have_count(2)
    for panel in panels.all():
        expect(panel).to_contain_text("Sending 0 of 1 file", timeout=END_MS)
    lab.save()
    lab.page.reload(wait_until="domcontentloaded")
    lab.page.wait_for_function("() => !!window.jupyterapp")
    lab.evaluate("async () => { await window.jupyterapp.restored }")

    expect(panels).to_have_count(2, timeout=END_MS)
    for panel in panels.all():
        expect_tone(panel, "ok")


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
