"""An environment of its own with the newest release of the platform's SDK, made once."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.process import SCRATCH, run

HOME = SCRATCH / "sdk-client"
PYTHON = HOME / "bin" / "python"
SCRIPT = Path(__file__).with_name("sdk_session.py")


def python() -> Path:
    """The interpreter of that environment."""
    ready, log = HOME / "ready", SCRATCH / "logs" / "sdk-client.log"
    SCRATCH.mkdir(exist_ok=True)
    with (SCRATCH / "sdk-client.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the tests' two processes may both come first
        if not ready.exists():
            run([sys.executable, "-m", "venv", "--clear", "--without-pip", HOME], log=log, limit_s=60)
            command = [sys.executable, "-m", "pip", "--python", PYTHON, "install", "-q", "deepset-cloud-sdk"]
            finished = run(command, log=log, limit_s=180)
            assert finished.exit_code == 0, finished.tail(20)
            ready.touch()
    return PYTHON


def session(kind: str, step: str, arguments: dict[str, Any], folder: Path) -> Any:
    """Let the SDK do one step, in a process of its own; what it found, as JSON values."""
    order = json.dumps({"kind": kind, "step": step, "arguments": arguments, "folder": str(folder)})
    done = subprocess.run(
        [python(), SCRIPT, order],
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "NO_PROXY": "127.0.0.1", "PYTHONUTF8": "1"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=80,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])
