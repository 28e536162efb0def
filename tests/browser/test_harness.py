"""The harness's own control, with widgets of three lines: when this fails, look at the harness first."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.lab import THEMES, Lab, Theme

COUNTER = '''
import anywidget, traitlets
class Counter(anywidget.AnyWidget):
    value = traitlets.Int(0).tag(sync=True)
    _esm = """export default { render({ model, el }) {
        const button = document.createElement("button");
        const show = () => { button.textContent = `seen ${model.get("value")}` };
        button.className = "control-button";
        button.onclick = () => model.send({ kind: "click" });
        model.on("change:value", show); show(); el.append(button);
    } }"""
    def __init__(self):
        super().__init__()
        self.on_msg(lambda widget, message, buffers: setattr(self, "value", self.value + 1))
counter = Counter()
counter
'''

DROP_ZONE = '''
import anywidget
class Zone(anywidget.AnyWidget):
    _esm = """export default { render({ el }) {
        el.innerHTML = "<div class='control-zone' style='height:80px'>drop</div><pre class='control-list'></pre>";
        const zone = el.querySelector("div");
        zone.ondragover = (event) => event.preventDefault();
        zone.ondrop = (event) => {
            event.preventDefault();
            const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry());
            const lines = entries.map((entry) => `${entry.isDirectory ? "folder" : "file"} ${entry.name}`);
            el.querySelector("pre").textContent = `trusted ${event.isTrusted}; ${lines.sort().join(", ")}`;
        };
    } }"""
Zone()
'''


def test_a_click_reaches_python_and_its_answer_the_page(lab: Lab) -> None:
    lab.show(COUNTER)
    button = lab.page.locator(".control-button")
    expect(button).to_have_text("seen 0")
    button.click()
    button.click()

    expect(button).to_have_text("seen 2")
    assert lab.run("print(counter.value)").strip() == "2"


def test_a_drop_is_trusted_and_knows_folders(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "a.txt").write_text("a")
    (tmp_path / "b.txt").write_text("b")
    lab.show(DROP_ZONE)
    lab.drop(lab.page.locator(".control-zone"), [tmp_path / "letters", tmp_path / "b.txt"])

    expect(lab.page.locator(".control-list")).to_have_text("trusted true; file b.txt, folder letters")


@pytest.mark.parametrize("theme", THEMES)
def test_a_theme_shows(lab: Lab, theme: Theme) -> None:
    lab.set_theme(theme)
    background = lab.page.evaluate("() => getComputedStyle(document.body).getPropertyValue('--jp-layout-color0')")

    assert (background.strip() in {"white", "#fff", "#ffffff"}) is (theme == "light"), background


def test_an_error_in_a_cell_is_seen(lab: Lab) -> None:
    lab.open(["1 / 0"])
    lab.run_all()

    assert lab.errors() == ["ZeroDivisionError: division by zero"]


def test_kernels_join_the_sandbox_and_have_a_home_of_their_own(lab: Lab) -> None:
    lab.show("import os, pathlib")

    assert lab.run("print('DEEPSET_NB_SANDBOX' in os.environ)").strip() == "True"
    assert lab.run("print(pathlib.Path.home())").strip() == str(lab.server.home / "user")
