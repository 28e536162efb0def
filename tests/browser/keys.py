"""Someone with nothing but a keyboard, in a widget of a notebook."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Locator

from tests.browser.checks import Checks
from tests.browser.lab import Lab

MOST_STOPS = 40
REDRAWN_MS = 10_000


class Keys:
    """Presses keys, and sees to it that the widget keeps the focus and the notebook its cells."""

    def __init__(self, lab: Lab, widget: Locator) -> None:
        self.lab, self.widget = lab, widget
        self._checks = Checks(widget)
        self._cells = self._notebook()
        # From the cell itself, as someone does who reads a notebook with the arrow keys.
        widget.evaluate("(root) => root.closest('.jp-Cell').focus()")

    def to(self, name: str, key: str = "Tab") -> None:
        """Go on to the control whose name has this regular expression in it."""
        stops: list[str | None] = []
        while len(stops) < MOST_STOPS:
            self.lab.page.keyboard.press(key)
            stops.append(self.focused())
            if stops[-1] is not None and re.search(name, stops[-1]):
                return
        raise AssertionError(f"{key} does not reach {name!r}, only {stops}")

    def press(self, *keys: str) -> None:
        """Press keys one after the other; the focus stays in the widget all the time."""
        for key in keys:
            self.lab.page.keyboard.press(key)
            self.holds_focus()

    def type(self, text: str) -> None:
        """Type into the focused field."""
        self.lab.page.keyboard.type(text)

    def focused(self) -> str | None:
        """The name of the focused control, None where the focus is not in the widget."""
        name: str | None = self.widget.evaluate("(root) => window.dnbChecks.focused(root)")
        return name

    def holds_focus(self) -> None:
        """Check that the widget has the focus, and that the notebook is as it was."""
        end = time.monotonic() + REDRAWN_MS / 1000
        while (name := self.focused()) is None and time.monotonic() < end:
            self.lab.page.wait_for_timeout(50)  # the notebook draws the output again
        assert name is not None, f"the focus is lost to {self._active()}"
        assert self._notebook() == self._cells, "a key went to the notebook"

    def _active(self) -> str:
        active: str = self.lab.page.evaluate("() => document.activeElement.outerHTML.slice(0, 120)")
        return active

    def _notebook(self) -> list[object]:
        cells: list[object] = self.lab.page.evaluate(
            """() => {
                const { content } = window.jupyterapp.shell.currentWidget;
                return [content.mode, content.activeCellIndex, ...content.widgets.map((cell) => cell.model.id)];
            }"""
        )
        return cells
