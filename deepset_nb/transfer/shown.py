"""Texts as a state shows them: short, and without the user's home folder. A state is saved in the notebook."""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path

SHOWN_CHARACTERS = 240  # of a path or reason; the receipt has it whole


def short(text: str, longest: int = SHOWN_CHARACTERS) -> str:
    """The text, or its two ends: a path may be 4,096 characters long."""
    text = without_home(text)
    return text if len(text) <= longest else f"{text[: longest // 2]} … {text[-longest // 2 :]}"


def without_home(text: str) -> str:
    """The text with ``~`` for the user's own folder: a saved notebook is shown to others."""
    home = _home()
    return home.sub(lambda _: f"~{os.sep}", text) if home else text


@functools.cache
def _home() -> re.Pattern[str] | None:
    try:
        home = str(Path.home())
    except RuntimeError:  # nobody's
        return None
    # Not within another path that ends alike.
    return re.compile(rf"(?<![\w.~-]){re.escape(home + os.sep)}") if len(home) > 1 else None
