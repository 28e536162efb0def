"""Upload documents to the deepset AI Platform from a notebook, and see what became of every single one.

    import deepset_nb as dn

    ws = dn.sandbox()                    # the local platform: no account, no network
    ws = dn.Workspace("my-workspace")    # the real one; dn.login() asks for the key once
    job = ws.upload("reports/")          # returns at once, shows a live panel
    job.wait().receipt                   # one row per file: outcome, reason, remedy
    ws.download("copies/")               # the other way, also live, with a receipt of its own
    ws.list_files(), ws.list_upload_sessions()
    ws.uploader(), ws.session_browser(), ws.file_browser(), ws.dashboard()
    dn.check_notebook("lesson.ipynb")    # before it is handed on: keys, forms, home folders, names

The house, from the door inwards; each room only knows the rooms after it:

    cli, magics           the command `deepset-nb`, `%deepset` in a cell
    workspace, connect    what a cell calls; notebook_check, traces: what must not be handed on
    workflows             the functions of the platform's own SDK, under their names
    widgets               the Python side of each widget, and the forms a saved notebook shows
    job, history          uploads and downloads, running and past: progress, cancel, wait, retry, receipt
    frames                API objects as DataFrames
    bridge                the one event loop behind all synchronous calls
    transfer              plan, send, close, watch, reconcile
    client                the REST API and the bucket, over httpx
    models errors settings
    emulator              the local platform, beside the others

Names are imported at first use: importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .client import AsyncClient
    from .connect import login, sandbox, workspaces
    from .history import jobs, receipt
    from .job import DownloadJob, UploadJob
    from .magics import load_ipython_extension
    from .models import DeepsetCloudFile, DeepsetCloudFileBytes, WriteMode
    from .notebook_check import check_notebook
    from .upload_session import UploadSession
    from .workspace import Workspace

_HOMES = {
    "AsyncClient": "client",
    "DeepsetCloudFile": "models",
    "DeepsetCloudFileBytes": "models",
    "DownloadJob": "job",
    "UploadJob": "job",
    "UploadSession": "upload_session",
    "Workspace": "workspace",
    "WriteMode": "models",
    "check_notebook": "notebook_check",
    "jobs": "history",
    "load_ipython_extension": "magics",
    "login": "connect",
    "receipt": "history",
    "sandbox": "connect",
    "workspaces": "connect",
}

__all__ = [
    "AsyncClient",
    "DeepsetCloudFile",
    "DeepsetCloudFileBytes",
    "DownloadJob",
    "UploadJob",
    "UploadSession",
    "Workspace",
    "WriteMode",
    "__version__",
    "check_notebook",
    "jobs",
    "load_ipython_extension",
    "login",
    "receipt",
    "sandbox",
    "workspaces",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
