"""What is put on the screen, as a user would: a cell that prepares, a cell that shows, and how its content is found."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

import deepset_nb as dn
from tests.benchmarks.our_side import NotAvailable

_EMPTY = """import anywidget
class Empty(anywidget.AnyWidget):
    _esm = 'export default { render({ el }) { el.innerHTML = "<p class=bench-empty>empty</p>" } }'"""
# What the base of all widgets needs is imported for both sides, as quak imports it, too; what is ours is not.
_ROOM = "import anywidget, deepset_nb as dn, pathlib, tempfile\nws = dn.sandbox()"
_FOLDER = "\nfolder = pathlib.Path(tempfile.mkdtemp())\n(folder / 'report.txt').write_text('As dry as any.')"
_CROWDED = "import anywidget, deepset_nb as dn\nws = dn.sandbox(workspace='crowded', files={rows})"
# As ws.list_files() gives it, without metadata, which quak cannot show.
_FRAME = """import numpy as np, pandas as pd, {library}
numbers = np.arange({rows})
df = pd.DataFrame({{
    "file_id": [f"{{number:032x}}" for number in numbers],
    "name": [f"report-{{number:06}}.txt" for number in numbers],
    "size": numbers * 37 % 100_000,
    "created_at": pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(numbers, unit="min"),
}})"""
_TABLE_ROW = "tbody td:nth-child(3)"  # before there are rows, a single cell may say that they are loading


@dataclass(frozen=True)
class Shown:
    """Something in a cell's output.

    Attributes:
        prepare: The cell before; not measured.
        cell: The cell that is measured.
        selector: An element of its first content.
        needs: A library that must be installed, or a method that `Workspace` must have.
        scrolls: Whether the wheel goes through all rows.
    """

    prepare: str
    cell: str
    selector: str
    needs: str = ""
    scrolls: bool = False

    def check(self) -> None:
        """Say what is lacking."""
        if self.needs.startswith("ws."):
            if not hasattr(dn.Workspace, self.needs.removeprefix("ws.")):
                raise NotAvailable(f"there is no {self.needs}")
        elif self.needs and importlib.util.find_spec(self.needs) is None:
            raise NotAvailable(f"{self.needs} is not installed: pip install -e '.[bench]'")


PANELS = {
    "empty anywidget": Shown(_EMPTY, "Empty()", ".bench-empty"),
    "job panel": Shown(_ROOM + _FOLDER, "job = ws.upload(folder)", ".dnb-job"),
    "uploader": Shown(_ROOM, "ws.uploader()", ".dnb-card"),
    "session browser": Shown(_ROOM, "ws.session_browser()", ".dnb-card"),
    "file browser": Shown(_ROOM, "ws.file_browser()", ".dnb-card", "ws.file_browser"),
}


def tables(rows: int) -> dict[str, Shown]:
    """Tables of so many rows."""
    frame = {name: _FRAME.format(rows=rows, library=name) for name in ("itables", "quak")}
    offline = "\nitables.init_notebook_mode(all_interactive=False, connected=False)"
    return {
        "file browser": Shown(
            _CROWDED.format(rows=rows),
            "ws.file_browser()",
            ".dnb-grid [role=gridcell]",
            "ws.file_browser",
            scrolls=True,
        ),
        "itables": Shown(frame["itables"] + offline, "itables.show(df)", _TABLE_ROW, "itables"),
        "quak": Shown(frame["quak"], "quak.Widget(df)", _TABLE_ROW, "quak", scrolls=True),
    }
