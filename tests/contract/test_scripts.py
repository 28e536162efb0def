"""The same calls outside a notebook: scripts, other event loops, threads, forks, the end of the interpreter."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

import deepset_nb as dn
from deepset_nb.connect import JOIN
from deepset_nb.emulator.server import Connection

HEAD = """
import asyncio, os, sys, threading
import deepset_nb as dn

def main():
    return dn.sandbox(workspace=sys.argv[1]).upload(sys.argv[2], resume=False)
"""


class Script:
    """A Python process that knows the sandbox, a room of it and a folder."""

    def __init__(self, body: str, ws: dn.Workspace, folder: Path, connection: Connection) -> None:
        code = HEAD + textwrap.dedent(body)
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", code, ws.name, str(folder)],
            env={**os.environ, JOIN: json.dumps(vars(connection))},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out.strip(), err.strip()


@pytest.fixture
def run(ws: dn.Workspace, folder: Path, connection: Connection):  # type: ignore[no-untyped-def]
    return lambda body: Script(body, ws, folder, connection).end()


def test_a_script_that_ends_with_a_running_job_waits_for_it_and_says_so(run, ws: dn.Workspace) -> None:  # type: ignore[no-untyped-def]
    code, _, err = run("main()")

    assert (code, err) == (0, "deepset_nb: waiting for 1 running job; Ctrl-C cancels")
    assert len(ws.list_files()) == 5


def test_ctrl_c_while_a_script_waits_at_its_end_cancels_and_leaves_the_session_open(
    ws: dn.Workspace, connection: Connection, tmp_path: Path
) -> None:
    (tmp_path / "slow.bin").write_bytes(bytes(2_000_000))
    assert ws.sandbox is not None
    ws.sandbox.fault("bandwidth:50000")
    script = Script("main()", ws, tmp_path, connection)
    assert script.process.stderr is not None
    assert "waiting for 1 running job" in script.process.stderr.readline()
    while ws.list_upload_sessions().empty:
        time.sleep(0.05)
    script.process.send_signal(signal.SIGINT)
    _, _, err = script.end()

    assert "Traceback" not in err
    assert ws.list_upload_sessions()["status"].tolist() == ["OPEN"]


@pytest.mark.parametrize(
    "body",
    [
        "print(main().wait(30))",
        "async def cell(): print(main().wait(30))\nasyncio.run(cell())",
        "import uvloop\nasync def cell(): print(main().wait(30))\nuvloop.run(cell())",
        "thread = threading.Thread(target=lambda: print(main().wait(30)))\nthread.start()\nthread.join()",
    ],
    ids=["plain", "inside asyncio.run", "inside uvloop", "in a thread"],
)
def test_waiting_works_wherever_a_script_stands(run, ws: dn.Workspace, body: str) -> None:  # type: ignore[no-untyped-def]
    code, out, err = run(body)

    assert (code, err) == (0, "")
    assert "All 5 files are on the platform" in out
    assert len(ws.list_files()) == 5


def test_a_forked_child_uploads_by_itself(run, ws: dn.Workspace) -> None:  # type: ignore[no-untyped-def]
    body = """
    main().wait(30)
    child = os.fork()
    if child == 0:
        ok = main().wait(30).receipt["status"].eq("ok").all()
        os._exit(0 if ok else 1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    code, out, err = run(body)

    assert (code, out, err) == (0, "0", "")
    assert len(ws.list_files()) == 10


def test_a_forked_child_leaves_the_connections_of_its_parent_alone(run, ws: dn.Workspace) -> None:  # type: ignore[no-untyped-def]
    body = """
    ws = dn.sandbox(workspace=sys.argv[1])
    child = os.fork()
    if child == 0:
        os._exit(len(ws.list_files()) or 9)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(code, len(ws.list_files()))
    """
    ws.upload_texts({"a.txt": "A", "b.txt": "B"}).wait(30)
    code, out, err = run(body)

    assert (code, out, err) == (0, "2 2", "")


def test_a_wait_that_gave_up_leaves_no_complaint_behind(run, ws: dn.Workspace) -> None:  # type: ignore[no-untyped-def]
    assert ws.sandbox is not None
    ws.sandbox.fault("latency:300ms")
    body = """
    from deepset_nb.errors import StillRunning
    job = main()
    try:
        job.wait(0.1)
    except StillRunning:
        job.cancel().wait(10)
        print(job.state()["status"])
    """
    code, out, err = run(body)

    assert (code, out, err) == (0, "cancelled", "")
