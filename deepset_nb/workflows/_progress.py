"""Where progress is shown: the panel in a notebook, a line on a terminal's stderr, nothing elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

from tqdm import tqdm

from ..transfer.progress import JobState, PhaseProgress, Progress

DRAW_S = 0.1


def in_notebook() -> bool:
    """Whether a panel can be shown here."""
    # Neither is imported for this: where it is not loaded, we do not run inside it.
    if (ipython := sys.modules.get("IPython")) is not None:
        shell = ipython.get_ipython()
        if shell is not None and getattr(shell, "kernel", None) is not None:
            return True
    marimo = sys.modules.get("marimo")
    return marimo is not None and bool(marimo.running_in_notebook())


def on_terminal() -> bool:
    """Whether somebody watches stderr."""
    return sys.stderr is not None and sys.stderr.isatty()


@contextlib.asynccontextmanager
async def line(progress: Progress) -> AsyncIterator[None]:
    """Show a transfer as one line of the terminal: bytes while it sends, then files while the platform ingests."""
    bar = tqdm(file=sys.stderr, dynamic_ncols=True)

    async def follow() -> None:
        while True:
            _draw(bar, progress.state())
            await asyncio.sleep(DRAW_S)

    following = asyncio.create_task(follow())
    try:
        yield
    finally:
        following.cancel()
        state = progress.state()
        _draw(bar, state, state["headline"])
        bar.close()


def _draw(bar: tqdm, state: JobState, words: str = "") -> None:
    phase = _current(state)
    in_bytes = phase["bytes_total"] > 0
    bar.unit, bar.unit_scale = ("B", True) if in_bytes else (" files", False)
    bar.total = phase["bytes_total" if in_bytes else "files_total"] or None
    bar.n = phase["bytes_done" if in_bytes else "files_done"]
    bar.set_description_str(words or phase["label"])


def _current(state: JobState) -> PhaseProgress:
    """The phase under way, or the last one that had begun."""
    begun = [phase for phase in state["phases"] if phase["state"] != "waiting"]
    return next((phase for phase in begun if phase["state"] == "active"), (begun or state["phases"])[-1])
