"""Where files are: bundles and notebooks, in a checkout and in an installed wheel, and what is kept between runs."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

STATE_VARIABLE = "DEEPSET_NB_STATE"

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


def state_folder() -> Path:
    """The folder of the journal: what the environment variable names, else the user's own for such things."""
    named = os.environ.get(STATE_VARIABLE)
    return Path(named).expanduser() if named else platformdirs.user_state_path("deepset_nb", appauthor=False)
