"""One line that says how far a long listing is; short ones say nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from . import bridge

SHOWN_AFTER_S = 2.0
EVERY_S = 0.5


class ListingLine:
    """Told of every page, it draws now and then: in a notebook an output of the cell, on a terminal a line.

    Args:
        what: Is listed: ``"files"``.
        notes: Sentences that stay behind it.
    """

    def __init__(self, what: str, notes: Sequence[str] = ()) -> None:
        """Nothing is shown yet."""
        self._what, self._notes = what, notes
        self._began = self._drawn = time.monotonic()
        self._said = False  # what is said is shown a moment later, by the main thread
        self._shown: Any = None

    def at(self, done: int, total: int | None = None) -> None:
        """So many are listed, of so many where that is known."""
        now = time.monotonic()
        if now - self._began > SHOWN_AFTER_S and now - self._drawn > EVERY_S:
            self._drawn, self._said = now, True
            of = "" if total is None else f" of {max(done, total):,}"
            bridge.notify(self._say, ". ".join([f"Listing {self._what}: {done:,}{of}", *self._notes]))

    def end(self) -> None:
        """Take the line away: what was listed speaks for itself."""
        if self._said:
            bridge.notify(self._say, "")

    def _say(self, text: str) -> None:
        # Never imported: where it is not loaded, we do not run inside it.
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython else None
        if shell is not None and getattr(shell, "kernel", None) is not None:
            data = {"text/plain": text}
            if self._shown is None:
                self._shown = sys.modules["IPython.display"].display(data, raw=True, display_id=True)
            else:
                self._shown.update(data, raw=True)
        elif sys.stderr is not None and sys.stderr.isatty():
            self._shown = True
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()
