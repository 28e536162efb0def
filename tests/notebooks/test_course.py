"""A student's afternoon: the lessons in their order, in one folder and one room, wrong answers first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.notebooks.classroom import Attempt, Classroom
from tests.notebooks.course import LESSONS, exercises, read
from tests.notebooks.outputs import shown
from tests.notebooks.wrong_answers import WRONG


@pytest.fixture(scope="module")
def classroom() -> Iterator[Classroom]:
    with Classroom() as room:
        yield room


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_each_check_says_not_yet_until_it_is_right(classroom: Classroom, path: Path) -> None:
    notebook = read(path)
    by_cell = {exercise.cell: exercise for exercise in exercises(notebook)}
    sources = {cell.id: cell.source for cell in notebook.cells}

    def student(cell: Any, attempt: Attempt) -> None:
        exercise = by_cell.get(cell.id)
        if exercise is None:
            attempt(cell.source)
            return
        given = cell.source  # a student adds to what is there
        for wrong in ("", *WRONG[path.stem, exercise.number]):
            attempt(f"{given}\n{wrong}")
            attempt(sources[exercise.check])
            assert verdict(cell).startswith("Not yet: "), (exercise, wrong, verdict(cell))
        attempt(f"{given}\n{exercise.solution}")

    done = classroom.run(notebook, student)

    assert len(by_cell) == 2
    checks = {cell.id: verdict(cell) for cell in done.cells if cell.id.startswith("check-")}
    assert len(checks) == 2
    assert all(said.startswith("Right: ") for said in checks.values()), checks


def verdict(cell: Any) -> str:
    (said,) = shown(cell)
    return said.removeprefix("stdout: ")
