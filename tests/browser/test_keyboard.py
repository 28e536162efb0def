"""The whole work of each widget with Tab, arrows, Enter, Space and Escape, and nothing lost on the way."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.cells import END_MS, expect_tone
from tests.browser.keys import Keys
from tests.browser.scenes import Stage, files, sessions

SHORTCUTS = ("d", "d", "x", "a", "b", "m", "y", "j", "Escape")  # of a notebook in command mode


@pytest.fixture(autouse=True)
def _well(stage: Stage) -> None:
    stage.faults.clear()


def test_files_are_chosen_removed_and_uploaded(stage: Stage, tmp_path: Path) -> None:
    for name in ("one.txt", "two.txt"):
        (tmp_path / name).write_text(name)
    widget = stage.show("uploader = ws.uploader()\nuploader")
    keys = Keys(stage.lab, widget)
    with stage.lab.page.expect_file_chooser() as chooser:
        keys.to("Choose files")  # meanwhile the browser hears that it is not to open a window of its own
        keys.press("Enter")
    chooser.value.set_files([tmp_path / "one.txt", tmp_path / "two.txt"])
    expect(widget.get_by_role("button", name="Upload", exact=True)).to_be_enabled(timeout=END_MS)
    keys.holds_focus()
    keys.to("Remove one.txt")
    keys.press("Space")
    expect(widget.locator("tbody tr")).to_have_count(1)
    keys.holds_focus()
    keys.press(*SHORTCUTS)
    keys.to("^Upload$")
    keys.press("Enter")
    expect_tone(stage.job, "ok")
    keys.holds_focus()

    assert stage.lab.run("print(list(uploader.job.receipt['name']))").strip() == "['two.txt']"


def test_a_transfer_is_stopped_after_a_choice_and_taken_up_again(stage: Stage) -> None:
    stage.faults.add("bandwidth:400000")
    widget = stage.show("job = ws.upload(folder)", large=20_000_000)
    expect(stage.job).to_contain_text("of 20 MB", timeout=END_MS)
    keys = Keys(stage.lab, widget)
    keys.to("Cancel")
    keys.press(*SHORTCUTS, "Enter")
    expect(widget.get_by_role("button", name="Stop, ingest later")).to_be_focused(timeout=END_MS)
    keys.press("Escape")
    assert keys.focused() == "Cancel"
    keys.press("Enter")
    expect(widget.get_by_role("button", name="Stop, ingest later")).to_be_focused()
    keys.press("Enter")
    expect_tone(stage.job, "warn")
    keys.holds_focus()
    stage.faults.clear()
    keys.to("Go on")
    keys.press("Enter")
    expect_tone(stage.job, "ok")
    keys.holds_focus()


def test_a_session_is_read_and_closed_after_a_question(stage: Stage) -> None:
    stage.faults.add("fail:moon.txt=FAILED_TO_PARSE_META")
    widget = sessions(stage)
    keys = Keys(stage.lab, widget)
    keys.to("1 of 2 failed")
    keys.press("Enter")
    expect(widget.get_by_role("cell", name="moon.txt")).to_be_visible(timeout=END_MS)
    keys.holds_focus()
    keys.press("Escape", *SHORTCUTS)
    expect(widget.get_by_role("cell", name="moon.txt")).to_have_count(0)
    keys.press("ArrowDown", "Enter")
    keys.to("Close this session…")
    yes = widget.get_by_role("button", name="Close and ingest")
    keys.press("Enter")
    expect(yes).to_be_focused()  # each key after what the one before it has opened
    keys.press("Escape")
    expect(widget.get_by_role("button", name="Close this session…")).to_be_focused()
    keys.press("Enter")
    expect(yes).to_be_focused()
    keys.press("Enter")
    expect(widget.get_by_role("row", name="Open")).to_have_count(1, timeout=END_MS)
    keys.holds_focus()


def test_files_are_picked_and_not_deleted_after_all(stage: Stage) -> None:
    widget = files(stage)
    keys = Keys(stage.lab, widget)
    keys.to(r"^\w+-\d{6}")
    keys.press("Space", "ArrowDown", "ArrowDown", "Space", "End", "Home", *SHORTCUTS)
    expect(widget.get_by_role("status").filter(has_text="2 selected")).to_be_visible()
    keys.to("Delete…")
    keys.press("Enter")
    expect(widget.get_by_label("Type 2 to delete 2 files")).to_be_focused(timeout=END_MS)
    keys.type("2")
    keys.press("Escape")
    expect(widget.get_by_label("Type 2 to delete 2 files")).to_have_count(0)
    keys.holds_focus()

    assert stage.lab.run("print(len(ws.list_files()))").strip() == "300"
