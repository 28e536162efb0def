"""Killed at any moment, the same upload run again sends what is missing, once, and leaves nothing open."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import deepset_nb as dn
from deepset_nb._places import STATE_VARIABLE, state_folder
from deepset_nb.job import UploadJob
from deepset_nb.transfer import shard
from tests.clients.front import Answer, Front, Request, front

OBJECTS_A_SESSION = 25
FILES = 40  # every other one with a sidecar: 60 objects, three sessions
OBJECTS = 60
WORKERS = 6
POST_S = 0.05  # the bucket takes so long for one

FIRST_RUN = """
import sys
import deepset_nb as dn
from deepset_nb.transfer import shard, upload
shard.OBJECTS_PER_SESSION = {objects}
upload.CEILING = {workers}
name, key, url, folder = sys.argv[1:]
ws = dn.Workspace(name, api_key=key, api_url=url)
print("ready", flush=True)
ws.upload(folder, show=False).wait()
print("ended", flush=True)
"""


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    made = tmp_path / "documents"
    made.mkdir()
    for number in range(FILES):
        (made / f"{number:02}.txt").write_text(f"Document {number}.")
        if number % 2:
            (made / f"{number:02}.txt.meta.json").write_text(f'{{"number": {number}}}')
    return made


@pytest.fixture
def gateway(ws: dn.Workspace) -> Iterator[Front]:
    with front(ws.settings.api_url) as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def _small_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard, "OBJECTS_PER_SESSION", OBJECTS_A_SESSION)


def kill_at(gateway: Front, ws: dn.Workspace, folder: Path, moment: int, *, answered: bool) -> bool:
    """Run the upload in a process of its own and kill it at its n-th request, before or after the platform did it.

    Returns:
        Whether it was killed; False if it ended before.
    """
    count, lock, reached = 0, threading.Lock(), threading.Event()
    code = FIRST_RUN.format(objects=OBJECTS_A_SESSION, workers=WORKERS)
    arguments = [ws.name, ws.settings.api_key.reveal(), gateway.api_url, str(folder)]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, STATE_VARIABLE: str(state_folder())},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "ready"

    def rule(request: Request) -> Answer | None:
        nonlocal count
        with lock:
            count += 1
            mine = count == moment
        if reached.is_set() or (mine and not answered):
            reached.set()
            process.send_signal(signal.SIGKILL)
            process.wait(10)
            return Answer(503)  # nobody reads it
        if request.is_to_bucket:
            time.sleep(POST_S)
        if mine:
            reached.set()
            done = gateway.passed_on(request)
            process.send_signal(signal.SIGKILL)
            process.wait(10)
            return done
        return None

    gateway.rule = rule
    out, _ = process.communicate(timeout=60)
    gateway.rule = lambda request: None
    return "ended" not in out


def run_again(gateway: Front, ws: dn.Workspace, folder: Path) -> UploadJob:
    there = dn.Workspace(ws.name, api_key=ws.settings.api_key.reveal(), api_url=gateway.api_url)
    return there.upload(folder, show=False).wait(60)


def assert_whole(job: UploadJob, ws: dn.Workspace, folder: Path) -> None:
    receipt = job.receipt
    names = sorted(path.name for path in folder.iterdir() if path.suffix == ".txt")
    assert sorted(receipt["name"]) == names
    assert receipt[["status", "phase"]].drop_duplicates().values.tolist() == [["ok", "ingested"]], receipt.to_string()
    assert receipt["file_id"].notna().all()
    assert receipt["session_id"].notna().all()
    assert sorted(ws.list_files()["name"]) == names
    metas = {row.name: row.meta for row in ws.list_files()[["name", "meta"]].itertuples(index=False)}
    assert metas == {name: {"number": int(name[:2])} if int(name[:2]) % 2 else {} for name in names}
    still_open = ws.list_upload_sessions().query("status == 'OPEN'")["session_id"]
    assert all(session_id in (job.state()["note"] or "") for session_id in still_open)
    assert len(still_open) <= 1  # one that was being opened in the very instant
    if not len(still_open):
        assert "x-amz-signature" not in (state_folder() / "journal.db").read_text("latin-1").lower()


MOMENTS = sorted(random.Random(7).sample(range(3, 72), 20))


@pytest.mark.parametrize(
    ("moment", "answered"),
    [(moment, bool(number % 2)) for number, moment in enumerate(MOMENTS)],
)
def test_an_upload_killed_at_any_request_is_whole_after_another_run(
    ws: dn.Workspace, gateway: Front, documents: Path, moment: int, answered: bool
) -> None:
    killed = kill_at(gateway, ws, documents, moment, answered=answered)
    before = sum(request.is_to_bucket for request in gateway.requests)
    job = run_again(gateway, ws, documents)

    assert killed
    assert_whole(job, ws, documents)
    again = sum(request.is_to_bucket for request in gateway.requests) - before
    assert before + again <= OBJECTS + 4 * WORKERS  # what was on its way, or noted in the last instant, goes twice
