"""The whole work of each widget with Tab, arrows, Enter, Space and Escape, and nothing lost on the way."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.cells import END_MS, expect_tone
from tests.browser.keys import Keys
from tests.browser.scenes import OPEN_SESSIONS, Stage

SHORTCUTS = ("d", "d", "x", "a", "b", "m", "y", "ArrowUp", "j", "Escape")  # of a notebook in command mode


def test_files_are_chosen_removed_and_uploaded(stage: Stage, tmp_path: Path) -> None:
    for name in ("one.txt", "two.txt"):
        (tmp_path / name).write_text(name)
    widget = stage.show("uploader = ws.uploader()\nuploader")
    keys = Keys(stage.lab, widget)
    keys.to("Choose files")
    with stage.lab.page.expect_file_chooser() as chooser:
        keys.press("Enter")
    chooser.value.set_files([tmp_path / "one.txt", tmp_path / "two.txt"])
    expect(widget.locator("tbody tr", has_text="Ready")).to_have_count(2, timeout=END_MS)
    keys.holds_focus()
    keys.to("Remove one.txt")
    keys.press("Space")
    expect(widget.locator("tbody tr")).to_have_count(1)
    keys.holds_focus()
    keys.press(*SHORTCUTS)
    keys.to("Upload")
    keys.press("Enter")
    expect_tone(stage.job, "ok")
    keys.holds_focus()

    assert stage.lab.run("print(list(ws.list_files()['name']))").strip() == "['two.txt']"


def test_a_transfer_is_cancelled_and_taken_up_again(stage: Stage) -> None:
    stage.faults.add("bandwidth:400000")
    widget = stage.show("job = ws.upload(folder)", large=20_000_000)
    keys = Keys(stage.lab, widget)
    keys.to("Cancel")
    keys.press(*SHORTCUTS, "Enter")
    expect_tone(stage.job, "warn")
    keys.holds_focus()
    stage.faults.clear()
    keys.to("Go on")
    keys.press("Enter")
    expect_tone(stage.job, "ok")
    keys.holds_focus()


def test_a_session_is_closed_after_a_question(stage: Stage) -> None:
    widget = stage.show(OPEN_SESSIONS, "ws.session_browser()")
    expect(widget).to_contain_text("Open", timeout=END_MS)
    keys = Keys(stage.lab, widget)
    keys.to("Close…")
    keys.press("Enter", "Escape")
    assert keys.focused() == "Close…"
    keys.press(*SHORTCUTS, "Enter", "Enter")
    expect(widget.get_by_role("button", name="Close…")).to_have_count(1, timeout=END_MS)
    keys.holds_focus()
