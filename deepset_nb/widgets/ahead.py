"""Imports what a first widget needs while its reader still types the cell: a third of the time until it is seen."""

from __future__ import annotations

import contextlib
import importlib
import sys
import threading

_NEEDED = ("job_panel", "show", "uploader", "session_browser", "file_browser")


def import_widgets() -> threading.Thread | None:
    """Begin in the background, where widgets can be shown; who wants one meanwhile waits for the import as usual."""
    # Never imports IPython: where it is not loaded, there is no notebook.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if getattr(shell, "kernel", None) is None:
        return None
    thread = threading.Thread(target=_import, name="deepset_nb imports", daemon=True)
    thread.start()
    return thread


def _import() -> None:
    with contextlib.suppress(Exception):  # the widget itself says what is wrong with it
        for name in _NEEDED:
            importlib.import_module(f".{name}", __package__)
