"""What the notebooks are saved with: as a reader on the web sees them, and as they still are today."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from deepset_nb._places import notebooks_folder
from tests.notebooks.classroom import Classroom
from tests.notebooks.course import LESSONS, NOTEBOOKS, exercises, minutes, read
from tests.notebooks.outputs import FORMS, LIVE, METADATA, differences, shown
from tests.process import ROOT

SAVE = "python -m tests.notebooks.save"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_an_untouched_notebook_runs_to_its_end_and_shows_what_it_was_saved_with(path: Path) -> None:
    with Classroom() as classroom:
        fresh = classroom.run(read(path))

    stale = differences(read(path), fresh)
    assert not stale, f"{path.name} is stale; `{SAVE} {path.stem}` saves it anew:\n" + "\n".join(stale)
    checks = [shown(cell) for cell in fresh.cells if cell.id.startswith("check-")]
    assert all(said.startswith("stdout: Not yet: ") for (said,) in checks), checks


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_saved_notebook_has_outputs_for_readers_without_a_kernel_and_nothing_else(path: Path) -> None:
    text, notebook = path.read_text(), read(path)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]

    nbformat.validate(notebook)
    assert notebook.metadata == METADATA
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    forms = {form for cell in cells for output in cell.outputs for form in output.get("data", {})}
    assert forms == set(FORMS)
    for unwanted in (LIVE, "api_key", "admin_key", "x-amz-signature", "Bearer ", str(Path.home()), "/tmp/", "/home/"):
        assert unwanted not in text
    assert len(text) < 100_000


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_has_all_its_parts(path: Path) -> None:
    notebook = read(path)
    text = "\n".join(cell.source for cell in notebook.cells)

    assert re.match(rf"# {int(path.name[:2])} · \w", text)
    for part in ("**Goal:**", "**You need:**", "\n## On the real platform\n"):
        assert text.count(part) == 1, part
    assert [exercise.number for exercise in exercises(notebook)] == [1, 2]
    assert all(exercise.solution.strip() for exercise in exercises(notebook))
    assert text.count("<details>") == text.count("</details>") == 2
    for target in re.findall(r"\]\(([\w-]+\.ipynb)\)", text):
        assert (path.parent / target).is_file(), target


def test_the_course_takes_ninety_minutes_and_every_index_of_it_agrees() -> None:
    expected = {path.name: minutes(read(path)) for path in LESSONS}
    row = re.compile(r"^\|.*?\]\((?:notebooks/)?(\d\d[\w-]+\.ipynb)\).*?\| (\d+) min", re.MULTILINE)
    welcome = read(notebooks_folder() / "quickstart.ipynb").cells[0].source

    assert sum(expected.values()) == 90
    for index in (welcome, (ROOT / "README.md").read_text()):
        assert {name: int(number) for name, number in row.findall(index)} == expected


@pytest.mark.parametrize(
    ("was", "now", "differs"),
    [
        ("All 12 files", "All 11 files", True),
        ("at 127.0.0.1:8000", "at 127.0.0.1:41234", False),
        ("done in 1.2 s", "done in 14 s", False),
        ("took 0:02", "took 0:11", False),
        ("job 2db9c08d-636a-4aa4-9480-2c7d3cc47866", "job 52a54823-daa9-429f-941c-a687a70cfe5a", False),
        ("1.3 MB/s", "870 kB/s", False),
        ("(2026-11-26 04:36 UTC)", "(2027-01-02 17:01 UTC)", False),
        ("<b>3 failed</b>", "<i>3 failed</i>", True),
        ('<table class="dataframe"><td>ok</td>', '<table border="0" class="dataframe">\n<td>ok</td>', False),
        ('<table class="dataframe"><td>ok</td>', '<table class="dataframe"><td>failed</td>', True),
    ],
)
def test_a_notebook_is_stale_where_what_it_says_has_changed(was: str, now: str, differs: bool) -> None:
    def notebook(html: str) -> nbformat.NotebookNode:
        output = nbformat.v4.new_output("display_data", {"text/html": html})
        return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(outputs=[output])])

    assert bool(differences(notebook(was), notebook(now))) == differs
