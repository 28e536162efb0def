"""Prepares what a first widget needs while its reader still types the cell: a third of the time until it is seen."""

from __future__ import annotations

import importlib
import sys
import threading
import time
from typing import Any

_NEEDED = ("job_panel", "show", "uploader", "session_browser", "file_browser")
_PAUSES_S = (0.1, 0.5, 2.0)


def import_widgets() -> threading.Thread | None:
    """Begin in the background, where widgets can be shown; who wants one meanwhile waits for the import as usual."""
    # Never imports IPython: where it is not loaded, there is no notebook.
    ipython = sys.modules.get("IPython")
    shell: Any = ipython.get_ipython() if ipython else None
    if getattr(shell, "kernel", None) is None:
        return None
    if threading.current_thread() is threading.main_thread():
        _ = shell.display_formatter.formatters  # IPython makes them for its first output
    thread = threading.Thread(target=_import, name="deepset_nb imports", daemon=True)
    thread.start()
    return thread


def _import() -> None:
    for name in _NEEDED:
        for pause_s in _PAUSES_S:
            try:
                importlib.import_module(f".{name}", __package__)
            except Exception:  # half imported by the main thread, perhaps; else the widget itself says what is wrong
                time.sleep(pause_s)
            else:
                break
