"""`python -m tests.notebooks.save`: run the notebooks on a sandbox and save them with their outputs.

Run it whenever what they show has changed; a test says when. Names choose some: `... save 01-upload quickstart`.
A widget's live view needs a kernel, so the saved outputs keep its static forms only; that is what GitHub, nbconvert
and JupyterLab before the first run show.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat

from tests.notebooks.classroom import Classroom
from tests.notebooks.course import NOTEBOOKS, read
from tests.notebooks.outputs import prepare


def save(path: Path) -> None:
    """Run one notebook as a class finds it, its exercises still to do, and write it back with outputs."""
    with Classroom() as classroom:
        notebook = classroom.run(read(path))
    prepare(notebook, read(path))
    nbformat.validate(notebook)
    nbformat.write(notebook, path)


if __name__ == "__main__":
    for found in NOTEBOOKS:
        if not sys.argv[1:] or found.stem in sys.argv[1:]:
            save(found)
            print(f"saved {found.name}")
