"""Every widget for everyone: axe-core in both themes, targets, focus, colours of one's own, motion, what is spoken."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from playwright.sync_api import ViewportSize, expect

from deepset_nb._places import static_folder
from tests.browser.cells import END_MS, expect_tone
from tests.browser.checks import NARROW, WIDE, Checks
from tests.browser.lab import Lab
from tests.browser.scenes import SCENES, Stage

UNKIND = '''
import anywidget
class Unkind(anywidget.AnyWidget):
    _esm = """export default { render({ el }) {
        const root = document.createElement("div");
        root.className = "dnb";
        root.innerHTML = `<p style="font-size:9px;color:#aaa;background:#fff">faint and tiny</p>
            <button id="unlabelled" style="width:18px;height:18px;outline:none"></button>
            <div id="deaf">a button for mice</div>
            <button style="outline:2px solid #eee;outline-offset:2px;border:1px solid #eee">pale</button>
            <input type="text">
            <div style="width:3000px">wide</div>`;
        root.querySelector("#deaf").addEventListener("click", () => {});
        root.querySelector("p").animate([{ opacity: 1 }, { opacity: 0.99 }], { duration: 900, iterations: Infinity });
        el.append(root);
    } }"""
Unkind()
'''


def test_the_checks_see_faults_where_there_are_some(lab: Lab) -> None:
    lab.show(UNKIND)
    widget = lab.page.locator(".jp-OutputArea .dnb").last
    widget.locator("#deaf").wait_for()
    checks = Checks(widget)

    assert {"label", "button-name", "color-contrast"} <= {fault.partition(":")[0] for fault in checks.axe()}
    assert [fault for fault in checks.small_targets() if "18.0 × 18.0" in fault]
    assert checks.deaf_to_keys() == ['div "a button for mice" takes clicks only']
    assert [fault for fault in checks.hidden_focus() if "the same with and without" in fault]
    assert [fault for fault in checks.faint_borders() if '"pale"' in fault]
    assert checks.moving()
    assert [fault for fault in checks.sticking_out() if '"wide"' in fault]


@pytest.fixture(scope="module")
def gallery(stage: Stage) -> dict[str, Checks]:
    """Every scene in one notebook: to open one each would take minutes."""
    return {name: Checks(stage.set(name)) for name in SCENES if not SCENES[name].heavy}


def found(gallery: dict[str, Checks], check: Callable[[Checks], list[str]]) -> dict[str, list[str]]:
    """What a check finds, by scene."""
    return {name: faults for name, checks in gallery.items() if (faults := check(checks))}


def test_a_screen_reader_hears_milestones_and_faults_politely(stage: Stage) -> None:
    empty = Checks(stage.set("sessions-empty"))
    empty.listen()
    # A second for each round of files, of which there are three or more: a quarter that passes is seen.
    stage.faults.add("bandwidth:200000")
    stage.show("job = ws.upload(folder)", **{f"page{number}": 200_000 for number in range(60)})
    expect_tone(stage.job, "ok")
    upload = empty.heard()
    stage.faults.add("api_502_html:20")
    empty.widget.get_by_role("button", name="Refresh").click()
    expect(empty.widget.locator(".dnb-notice .dnb-spoken")).to_contain_text("502", timeout=END_MS)
    heard = empty.heard()
    stage.faults.clear()

    assert "Sending." in upload["said"]
    assert upload["said"][-1] == "All 60 files are on the platform"
    assert 3 <= len(upload["said"]) <= 10, upload["said"]
    assert upload["changes"] > 5 * len(upload["said"])
    assert "502" in heard["said"][-1]
    assert heard["loud"] == []


def test_axe_finds_nothing_in_the_light_theme(gallery: dict[str, Checks]) -> None:
    assert found(gallery, Checks.axe) == {}


def test_every_target_is_24_pixels_high_and_wide(gallery: dict[str, Checks]) -> None:
    assert found(gallery, Checks.small_targets) == {}


def test_what_takes_clicks_takes_keys(gallery: dict[str, Checks]) -> None:
    assert found(gallery, Checks.deaf_to_keys) == {}


def test_the_focus_is_seen_on_every_control(gallery: dict[str, Checks]) -> None:
    assert found(gallery, Checks.hidden_focus) == {}


def test_heads_stand_over_their_columns(gallery: dict[str, Checks]) -> None:
    assert found(gallery, Checks.askew) == {}


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_widget_looks_the_same_whichever_brought_its_styles_last(
    stage: Stage, gallery: dict[str, Checks], size: ViewportSize
) -> None:
    sheets = [path.read_text() for path in static_folder().glob("*.css")]
    stage.lab.page.set_viewport_size(size)
    try:
        assert len(sheets) == 4
        assert found(gallery, partial(Checks.changed_by, sheets=sheets)) == {}
    finally:
        stage.lab.page.set_viewport_size(WIDE)


def test_nothing_sticks_out_of_a_narrow_cell(stage: Stage, gallery: dict[str, Checks]) -> None:
    stage.lab.page.set_viewport_size(NARROW)
    try:
        assert found(gallery, Checks.sticking_out) == {}
        assert found(gallery, Checks.small_targets) == {}
    finally:
        stage.lab.page.set_viewport_size(WIDE)


def test_animations_stop_for_those_who_asked(stage: Stage, gallery: dict[str, Checks]) -> None:
    assert gallery["job-busy"].moving() != []
    stage.lab.page.emulate_media(reduced_motion="reduce")
    try:
        assert found(gallery, Checks.moving) == {}
    finally:
        stage.lab.page.emulate_media(reduced_motion="no-preference")


def test_forced_colours_keep_borders_bars_and_focus(stage: Stage, gallery: dict[str, Checks]) -> None:
    stage.lab.page.emulate_media(forced_colors="active")
    try:
        assert found(gallery, Checks.faint_borders) == {}
        assert found(gallery, Checks.hidden_focus) == {}
        bar = gallery["job-busy"].widget.locator("progress").nth(1)
        assert 0 < bar.evaluate("(bar) => bar.position") < 1
        assert gallery["job-busy"].bar_contrast(bar) >= 3
    finally:
        stage.lab.page.emulate_media(forced_colors="none")


def test_axe_finds_nothing_in_the_dark_theme(stage: Stage, gallery: dict[str, Checks]) -> None:
    stage.lab.set_theme("dark")

    assert found(gallery, Checks.axe) == {}
    assert found(gallery, Checks.hidden_focus) == {}
