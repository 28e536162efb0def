"""What is wrong with a widget for someone with a keyboard, a screen reader, large fingers or colours of their own.

The work is done in the page, by axe-core and by checks.js; every check answers with sentences, none where all is well.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, TypedDict

from playwright.sync_api import Locator, ViewportSize

from tests.browser.lab import AXE

CHECKS = Path(__file__).with_name("checks.js")
NARROW: ViewportSize = {"width": 436, "height": 900}  # leaves a cell 320 px, as a screen zoomed to 400 % does
WIDE: ViewportSize = {"width": 1280, "height": 900}


class Heard(TypedDict):
    """What was said in live regions, which of it was not polite, and how often something else changed."""

    said: list[str]
    loud: list[str]
    changes: int


class Checks:
    """The checks of one widget, as it is now."""

    def __init__(self, widget: Locator) -> None:
        self.page, self.widget = widget.page, widget
        if not self.page.evaluate("() => !!window.dnbChecks"):
            assert AXE.exists(), "axe-core is missing: run `npm ci` in js/"
            self.page.evaluate(AXE.read_text())  # JupyterLab's module loader would swallow a script tag
            self.page.evaluate(CHECKS.read_text())
            # The application's <body> has no height of its own; axe then takes all for hidden and skips the contrast.
            self.page.add_style_tag(content="body { min-height: 100vh }")

    def _ask(self, name: str, given: Any = None) -> Any:
        return self.widget.evaluate("(root, [name, given]) => window.dnbChecks[name](root, given)", [name, given])

    def all(self) -> list[str]:
        """Everything that holds in every state and theme."""
        return [*self.axe(), *self.small_targets(), *self.deaf_to_keys(), *self.hidden_focus()]

    def axe(self) -> list[str]:
        """What axe-core finds."""
        found: list[str] = self._ask("axeFaults")
        return found

    def small_targets(self) -> list[str]:
        """Targets under 24 × 24 px."""
        found: list[str] = self._ask("smallTargets")
        return found

    def hidden_focus(self) -> list[str]:
        """Controls whose focus cannot be seen."""
        self.page.keyboard.press("Shift")  # from here on the focus is moved by keys, as browsers see it
        found: list[str] = self._ask("hiddenFocus")
        return found

    def deaf_to_keys(self) -> list[str]:
        """Elements that only a mouse can use: the browser knows who listens to clicks."""
        devtools = self.page.context.new_cdp_session(self.page)
        try:
            mark = "dnb-clickable"
            self.widget.evaluate("(root) => { window.dnbRoot = root }")
            root = devtools.send("Runtime.evaluate", {"expression": "window.dnbRoot"})["result"]["objectId"]
            heard = devtools.send("DOMDebugger.getEventListeners", {"objectId": root, "depth": -1, "pierce": True})
            for node in {one["backendNodeId"] for one in heard["listeners"] if one["type"] in _CLICKS}:
                element = devtools.send("DOM.resolveNode", {"backendNodeId": node})["object"]["objectId"]
                function = f"function () {{ (window.dnbClickable ??= []).push(this); return '{mark}' }}"
                devtools.send("Runtime.callFunctionOn", {"objectId": element, "functionDeclaration": function})
        finally:
            devtools.detach()
        found: list[str] = self.widget.evaluate(
            """(root) => {
                const clickable = window.dnbClickable ?? [];
                window.dnbClickable = [];
                return window.dnbChecks.deafToKeys(root, clickable);
            }"""
        )
        return found

    def faint_borders(self) -> list[str]:
        """Frames that cannot be seen."""
        found: list[str] = self._ask("faintBorders")
        return found

    def moving(self) -> list[str]:
        """The animations that run."""
        found: list[str] = self._ask("moving")
        return found

    def sticking_out(self) -> list[str]:
        """What a narrow cell cuts off."""
        found: list[str] = self._ask("stickingOut")
        return found

    def askew(self) -> list[str]:
        """Heads of a table that do not stand over their columns."""
        found: list[str] = self._ask("askew")
        return found

    def changed_by(self, sheets: list[str]) -> list[str]:
        """What looks otherwise once one of these sheets of styles has come after the widget's own."""
        found: list[str] = self._ask("changedBy", sheets)
        return found

    def listen(self) -> None:
        """Begin to note what a screen reader would say, see `heard`."""
        self._ask("listen")

    def heard(self) -> Heard:
        """What has been said since then."""
        heard: Heard = self.page.evaluate("() => window.dnbHeard")
        return heard

    def bar_contrast(self, bar: Locator) -> float:
        """How well the filled part of a bar differs from the rest, 1 to 21."""
        picture = base64.b64encode(bar.screenshot()).decode()
        ratio: float = self.page.evaluate("(png) => window.dnbChecks.barContrast(png)", picture)
        return ratio


_CLICKS = {"click", "mousedown", "mouseup", "pointerdown", "pointerup", "dblclick"}
