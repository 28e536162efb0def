"""What the benchmarks see of a page is there: promises, files, first paint, frames of a scroll."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks.page.cdp import PageError
from tests.benchmarks.page.lab import Lab, lab
from tests.benchmarks.page.paint import first_paint, scroll
from tests.benchmarks.processes import Failed
from tests.browser.server import JupyterServer

LATE_TEXT = """from IPython.display import HTML, display
display(HTML('''<p class="late"></p><img src="x:" onerror="setTimeout(() =>
    document.querySelector('.late').textContent = 'there', 400)">'''))"""
TABLE = """from IPython.display import HTML
rows = "".join(f"<tr style='height: 30px'><td>row {n}</td></tr>" for n in range(2000))
HTML(f"<div style='height: 300px; overflow-y: auto'><table>{rows}</table></div>")"""
STILL = "HTML('<table class=still><tr><td>row</td></tr></table>')"


@pytest.fixture(scope="module")
def measured(jupyter: JupyterServer) -> Iterator[Lab]:
    with lab(jupyter) as page:
        yield page


def test_a_page_answers_with_what_a_promise_gives_or_why_it_failed(measured: Lab) -> None:
    assert measured.page.call("async (a, b) => [a + b]", 1, 2) == [3]
    with pytest.raises(PageError, match="TypeError: no such thing"):
        measured.page.evaluate("Promise.reject(new TypeError('no such thing'))")
    with pytest.raises(PageError, match="no answer in"):
        measured.page.evaluate("new Promise(() => {})", limit_s=0.2)
    assert measured.page.evaluate("1") == 1  # an answer that comes late belongs to no other question


def test_a_page_takes_files(measured: Lab, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("seven b")
    measured.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<input type=file id=chosen hidden>')")
    measured.page.choose("document.querySelector('#chosen')", [file])
    assert measured.page.evaluate("document.querySelector('#chosen').files[0].text()") == "seven b"
    with pytest.raises(PageError, match="no element"):
        measured.page.choose("document.querySelector('#no-such')", [file])


def test_first_paint_is_when_there_is_text_to_see(measured: Lab) -> None:
    with measured.notebook([LATE_TEXT, "raise ValueError('no widget')"]):
        assert first_paint(measured, 0, ".late") >= 0.4
        with pytest.raises(PageError, match="ValueError: no widget"):
            measured.run(1)


def test_the_wheel_moves_a_table_and_its_frames_are_measured(measured: Lab) -> None:
    with measured.notebook([TABLE, STILL]):
        first_paint(measured, 0, "tr")
        seen = scroll(measured, 0, "tr", seconds=1)
        assert seen["moved_px"] > 1000
        assert 0 < seen["p50"] <= seen["wall"] <= seen["longest"]
        assert seen["blank"] == 0
        first_paint(measured, 1, ".still td")
        with pytest.raises(Failed, match="the wheel moved the table by"):
            scroll(measured, 1, ".still td", seconds=1)
