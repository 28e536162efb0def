"""Files of the reader's own computer: dropped or chosen, received by the kernel, uploaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.cells import END_MS, card, expect_tone, job_panel, join, stop
from tests.browser.lab import THEMES, Lab, Theme


def uploader(lab: Lab, room: str) -> Locator:
    lab.show(join(room), "uploader = ws.uploader()\nuploader")
    shown = card(lab, "Upload files")
    expect(shown).to_be_visible()
    return shown


def listed(lab: Lab) -> list[str]:
    return lab.run("print(*sorted(ws.list_files()['name']), sep='\\n')").split()


def test_a_folder_and_a_file_dropped_together_reach_the_platform(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "letters" / "old").mkdir(parents=True)
    (tmp_path / "letters" / "anna.txt").write_text("Dear Anna")
    (tmp_path / "letters" / "old" / "bert.txt").write_text("Dear Bert")
    (tmp_path / "notes.txt").write_bytes(b"n" * 3_000_000)
    shown = uploader(lab, "dropped")
    lab.drop(shown.locator(".dnb-drop"), [tmp_path / "letters", tmp_path / "notes.txt"])
    expect(shown.locator("tbody tr", has_text="Ready")).to_have_count(3, timeout=END_MS)
    expect(shown).to_contain_text("letters/old/bert.txt")
    shown.get_by_role("button", name="Upload", exact=True).click()
    expect_tone(job_panel(lab), "ok")

    assert {"anna.txt", "bert.txt", "notes.txt"} <= set(listed(lab))
    assert lab.run("print(uploader.job.receipt['status'].tolist())").strip() == "['ok', 'ok', 'ok']"
    assert lab.run("print(next(iter(ws.list_files(name='notes.txt')['size'])))").strip() == "3000000"


def test_files_and_folders_chosen_with_the_buttons_reach_the_platform(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "sea.txt").write_text("blue")
    (tmp_path / "one.txt").write_text("1")
    (tmp_path / "two.txt").write_text("2")
    shown = uploader(lab, "chosen")
    shown.locator("input[data-dnb=files]").set_input_files([tmp_path / "one.txt", tmp_path / "two.txt"])
    shown.locator("input[data-dnb=folder]").set_input_files(tmp_path / "photos")
    expect(shown.locator("tbody tr", has_text="Ready")).to_have_count(3, timeout=END_MS)
    shown.get_by_role("button", name="Remove two.txt").click()
    expect(shown.locator("tbody tr")).to_have_count(2)
    shown.get_by_role("button", name="Upload", exact=True).click()
    expect_tone(job_panel(lab), "ok")

    names = set(listed(lab))
    assert {"one.txt", "sea.txt"} <= names
    assert "two.txt" not in names


def test_keys_pressed_in_the_widget_stay_there_and_the_focus_is_kept(lab: Lab, tmp_path: Path) -> None:
    for name in ("one.txt", "two.txt"):
        (tmp_path / name).write_text(name)
    shown = uploader(lab, "keyboard")
    shown.locator("input[data-dnb=files]").set_input_files([tmp_path / "one.txt", tmp_path / "two.txt"])
    expect(shown.locator("tbody tr", has_text="Ready")).to_have_count(2, timeout=END_MS)

    mode = shown.get_by_label("If a name is taken")
    mode.press("ArrowDown")  # in command mode JupyterLab would go to the next cell
    expect(mode).to_have_value("OVERWRITE")
    expect(mode).to_be_focused()
    for _ in "dd":  # and delete this one
        shown.get_by_role("button", name="Upload", exact=True).press("d")
    shown.get_by_role("button", name="Remove one.txt").press("Enter")
    expect(shown.get_by_role("button", name="Remove two.txt")).to_be_focused()


def test_a_file_arrives_byte_for_byte(lab: Lab, tmp_path: Path) -> None:
    content = bytes(range(256)) * 20_000  # more than one message
    (tmp_path / "bytes.txt").write_bytes(content)
    shown = uploader(lab, "bytes")
    shown.locator("input[data-dnb=files]").set_input_files([tmp_path / "bytes.txt"])
    expect(shown.locator("tbody tr", has_text="Ready")).to_have_count(1, timeout=END_MS)

    digest = lab.run("import zlib; print(zlib.crc32(uploader.files[0].path.read_bytes()))").strip()
    assert digest == lab.run("print(zlib.crc32(bytes(range(256)) * 20_000))").strip()


def test_an_upload_cancelled_in_the_widget_says_what_stays(
    lab: Lab, tmp_path: Path, fault: Callable[[str], None]
) -> None:
    fault("bandwidth:200000")
    (tmp_path / "large.txt").write_bytes(b"x" * 6_000_000)
    shown = uploader(lab, "uploader-cancelled")
    shown.locator("input[data-dnb=files]").set_input_files([tmp_path / "large.txt"])
    expect(shown.locator("tbody tr", has_text="Ready")).to_have_count(1, timeout=END_MS)
    shown.get_by_role("button", name="Upload", exact=True).click()
    panel = job_panel(lab)
    expect(panel.locator("code").first).to_be_visible()  # the session is open
    stop(panel)
    expect_tone(panel, "warn")

    expect(panel).to_contain_text("Not finished")
    assert lab.run("print(uploader.job.receipt['status'].tolist())").strip() == "['cancelled']"
    assert "large.txt" not in listed(lab)


@pytest.mark.parametrize("theme", THEMES)
def test_the_uploader_is_accessible_in_both_themes(lab: Lab, tmp_path: Path, theme: Theme) -> None:
    (tmp_path / "one.txt").write_text("1")
    lab.set_theme(theme)
    shown = uploader(lab, "uploader-themes")
    lab.picture(f"uploader-empty-{theme}", shown)
    shown.locator("input[data-dnb=files]").set_input_files([tmp_path / "one.txt"])
    expect(shown.locator("tbody tr", has_text="Ready")).to_have_count(1, timeout=END_MS)
    lab.picture(f"uploader-{theme}", shown)

    assert lab.accessibility_faults(".jp-OutputArea .dnb-card") == []
