"""``deepset-nb demo``: the notebooks in JupyterLab beside a sandbox; ``--check`` runs the first one headless."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from ._places import notebooks_folder
from .connect import JOIN
from .emulator.config import SandboxConfig
from .emulator.server import SandboxServer
from .errors import SandboxError

FIRST = "quickstart.ipynb"
WRITTEN = ".written-by-deepset-nb.json"  # what we wrote into the folder, to tell a changed notebook from our own
START_S = 60.0  # JupyterLab's first start on a slow machine


def run(folder: Path, *, reset: bool, port: int, browser: bool) -> int:
    """Write the notebooks, start sandbox and JupyterLab, and end both on Ctrl-C."""
    for line in write_notebooks(folder, reset=reset):
        print(line)
    # Ingestion takes a moment on the real platform, too; without one there would be nothing to watch.
    with _sandbox(SandboxConfig(ingest_delay_s=0.5, ingest_rate=8)), _terminated() as stop:
        url, lab = _start_lab(folder, port or _free_port())
        try:
            _wait_for(url, lab)
            print(f"\nJupyterLab with the notebooks in {folder}, on a local platform:\n\n    {url}\n")
            print("It opens the quickstart, which also lists the lessons with exercises. Ctrl-C ends both.", flush=True)
            if browser and _has_browser():
                webbrowser.open(url)
            while lab.poll() is None and not stop:
                time.sleep(0.2)
        except KeyboardInterrupt:
            pass
        finally:
            _end(lab)
    print("\nJupyterLab and the local platform have ended; the notebooks are still there.")
    return 0


@contextlib.contextmanager
def _sandbox(config: SandboxConfig) -> Iterator[SandboxServer]:
    """A sandbox that kernels started from here join."""
    server = SandboxServer(config)
    connection = server.start()
    os.environ[JOIN] = json.dumps(asdict(connection))
    try:
        yield server
    finally:
        os.environ.pop(JOIN, None)
        server.stop()


@contextlib.contextmanager
def _terminated() -> Iterator[list[int]]:
    """SIGTERM ends the demo as cleanly as Ctrl-C does."""
    received: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: received.append(number))
    try:
        yield received
    finally:
        signal.signal(signal.SIGTERM, before)


# --- the folder -------------------------------------------------------------------------------------------------


def write_notebooks(folder: Path, *, reset: bool = False) -> list[str]:
    """Copy notebooks and documents into ``folder``, never over one that was changed there.

    Returns:
        What to tell the user, a line each.
    """
    source = notebooks_folder()
    record = folder / WRITTEN
    written: dict[str, str] = json.loads(record.read_text()) if record.exists() else {}
    lines: list[str] = []
    files = [*source.glob("*.ipynb"), *(path for path in (source / "documents").rglob("*") if path.is_file())]
    for file in sorted(files):
        name = file.relative_to(source).as_posix()
        target = folder / name
        if target.exists() and _digest(target) not in (written.get(name), _digest(file)):
            if not reset:
                lines.append(f"kept {target}: you changed it (--reset writes it afresh and keeps a copy)")
                continue
            copy = target.with_stem(f"{target.stem}-{datetime.now():%Y%m%d-%H%M%S}")
            target.rename(copy)
            lines.append(f"your {target.name} is now {copy.name}")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        written[name] = _digest(file)
    record.write_text(json.dumps(written, indent=1))
    return lines


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


# --- JupyterLab -------------------------------------------------------------------------------------------------


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start_lab(folder: Path, port: int) -> tuple[str, subprocess.Popen[bytes]]:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise SandboxError(f"Port {port} is taken.", "Pass another one with --port, or none to take a free one.")
    token = secrets.token_urlsafe(24)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ServerApp.ip=127.0.0.1"]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder.resolve()}"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    command += ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    log = tempfile.TemporaryFile()  # noqa: SIM115 - JupyterLab keeps it; shown only when it fails to start
    lab = subprocess.Popen(
        command,
        env={
            **os.environ,
            "JUPYTER_TOKEN": token,  # not in the command line, where every user could read it
            "JUPYTERLAB_SETTINGS_DIR": str(_quiet_settings(folder)),
        },
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,  # Ctrl-C reaches us alone, and we end JupyterLab: it would ask back
    )
    lab.log = log  # type: ignore[attr-defined]
    return f"http://127.0.0.1:{port}/lab/tree/{FIRST}?token={token}", lab


def _quiet_settings(folder: Path) -> Path:
    """Settings of the demo's own JupyterLab: nothing asks whether to fetch news from the network."""
    settings = folder.resolve() / ".jupyterlab-settings"
    file = settings / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    return settings


def _wait_for(url: str, lab: subprocess.Popen[bytes]) -> None:
    address = url.split("/lab/")[0] + "/api"
    deadline = time.monotonic() + START_S
    while True:
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(address, timeout=2).close()  # noqa: S310 - our own loopback address
            return
        if lab.poll() is not None or time.monotonic() > deadline:
            log = lab.log  # type: ignore[attr-defined]
            log.seek(0)
            tail = log.read().decode(errors="replace")[-2000:]
            raise SandboxError(f"JupyterLab did not start:\n{tail}", "Its own message above says why.")
        time.sleep(0.1)


def _has_browser() -> bool:
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False  # what webbrowser finds here is a text browser inside this terminal
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def _end(lab: subprocess.Popen[bytes]) -> None:
    if lab.poll() is None:
        lab.terminate()
        try:
            lab.wait(15)
        except subprocess.TimeoutExpired:
            lab.kill()
            lab.wait()


# --- check ------------------------------------------------------------------------------------------------------


def check() -> int:
    """Execute the quickstart against a sandbox without a browser; print a line a step, and its tables."""
    import nbclient
    import nbformat

    with tempfile.TemporaryDirectory(prefix="deepset-nb-") as name, _sandbox(SandboxConfig()) as server:
        folder = Path(name)
        write_notebooks(folder)
        notebook = nbformat.read(folder / FIRST, as_version=4)
        client = nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}})
        step = "start"
        with client.setup_kernel():
            for index, cell in enumerate(notebook.cells):
                if cell.cell_type == "markdown":
                    step = next((line.lstrip("# ") for line in cell.source.splitlines() if line.startswith("#")), step)
                    continue
                try:
                    client.execute_cell(cell, index)
                except nbclient.exceptions.CellExecutionError as error:
                    print(f"FAILED  {step}: {error.ename}: {error.evalue}")
                    return 1
                print(f"ok      {step}: {_first_line(cell.source)}")
                for table in _tables(cell.outputs):
                    print(table)
        problems = _compare(folder, server)
    for problem in problems:
        print(f"FAILED  {problem}")
    print("The quickstart ran from top to bottom." if not problems else "The quickstart ran, but not as it should.")
    return 1 if problems else 0


def _first_line(source: str) -> str:
    return next((line for line in source.splitlines() if line.strip() and not line.startswith("#")), "")


def _tables(outputs: list[Any]) -> Iterator[str]:
    for output in outputs:
        data = output.get("data", {})
        if "<table" in data.get("text/html", "") and "application/vnd.jupyter.widget-view+json" not in data:
            yield data["text/plain"] + "\n"


def _compare(folder: Path, server: SandboxServer) -> list[str]:
    """What the platform has now against what lay in the folder."""
    from .workspace import Workspace

    connection = server.start()
    workspace = Workspace(connection.workspace, api_key=connection.api_key, api_url=connection.api_url)
    listed = workspace.list_files()
    there = set(listed["name"])
    documents = [path for path in (folder / "documents").iterdir() if not path.name.endswith(".meta.json")]
    problems = [f"{path.name} is not on the platform" for path in documents if path.name not in there]
    sessions = workspace.list_upload_sessions()
    if (sessions["status"] == "OPEN").any():
        problems.append("an upload session was left open")
    return problems
