"""Where the files beside the code are: bundles and notebooks, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def static_folder() -> Path:
    """The folder of the widgets' JavaScript and style sheets, built from js/."""
    return _PACKAGE / "static"


def notebooks_folder() -> Path:
    """The folder of the teaching notebooks: beside the package in a checkout, inside it in a wheel."""
    beside = _PACKAGE.parent / "notebooks"
    # Inside first: a stranger's `notebooks` may lie beside an installed package.
    inside = _PACKAGE / "_notebooks"
    return inside if inside.is_dir() else beside
