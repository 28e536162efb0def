"""The notebooks as the tests see them: which there are, their exercises, and what they promise in their heads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import nbformat

from deepset_nb._places import notebooks_folder

NOTEBOOKS = sorted(notebooks_folder().glob("*.ipynb"))
LESSONS = [path for path in NOTEBOOKS if path.name[0].isdigit()]  # the course; the quickstart has no exercises

_CODE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Exercise(NamedTuple):
    """An exercise: the student's cell, the cell that checks it, and the solution folded below."""

    number: int
    cell: str
    check: str
    solution: str


def read(path: Path) -> Any:
    """A notebook, as nbformat gives it."""
    return nbformat.read(path, as_version=4)


def exercises(notebook: Any) -> list[Exercise]:
    """The exercises of a notebook, in their order. Cells are found by their ids: ``exercise-1 check-1 solution-1``."""
    texts = {cell.id: cell.source for cell in notebook.cells}
    numbers = sorted(int(name.removeprefix("check-")) for name in texts if name.startswith("check-"))
    return [
        Exercise(n, f"exercise-{n}", f"check-{n}", "\n".join(_CODE.findall(texts[f"solution-{n}"]))) for n in numbers
    ]


def minutes(notebook: Any) -> int:
    """How long a lesson takes, as its first cell says."""
    found = re.search(r"\*\*Time:\*\* (\d+) minutes", notebook.cells[0].source)
    assert found, "the first cell does not say how many minutes the lesson takes"
    return int(found[1])
