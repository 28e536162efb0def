"""The platform dies and comes back while a job is at work: the job goes on by itself, or its next try does."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import deepset_nb as dn
from deepset_nb.client import retries
from deepset_nb.connect import _enter as enter
from deepset_nb.job import UploadJob
from deepset_nb.transfer import shard, watch
from tests.clients.front import Answer, Front, Request, front
from tests.contract.platform_holds import assert_true, contents_of
from tests.contract.rooms import until
from tests.leaks import nothing_left
from tests.process import free_port

FILES = 30
SERVE = """
import json, pathlib, sys
from deepset_nb.emulator import SandboxConfig, serve
options = json.loads(sys.argv[1])
serve(SandboxConfig(**options | {"data": pathlib.Path(options["data"]), "faults": tuple(options["faults"])}))
"""


class Platform:
    """A sandbox in a process of its own, which keeps port, keys and data when it is killed and started again."""

    def __init__(self, data: Path) -> None:
        self.options: dict[str, Any] = {"data": str(data), "corpus": False, "api_key": "k", "admin_key": "a"}
        self.options |= {"port": free_port(), "faults": []}
        self._process: subprocess.Popen[str] | None = None

    def start(self, **options: Any) -> dict[str, str]:
        """Start it; what is passed is different from now on."""
        self.options |= options
        command = [sys.executable, "-c", SERVE, json.dumps(self.options)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        connection: dict[str, str] = json.loads(self._process.stdout.readline())
        return connection

    def kill(self) -> None:
        """As a power cut does it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.communicate(timeout=10)
            self._process = None


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    platform = Platform(tmp_path / "data")
    yield platform
    platform.kill()


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """30 files of 20 kB, every other one with metadata: 45 objects, three sessions."""
    made = tmp_path / "documents"
    made.mkdir()
    for number in range(FILES):
        (made / f"{number:02}.bin").write_bytes(bytes([number]) * 20_000)
        if number % 2:
            (made / f"{number:02}.bin.meta.json").write_text(f'{{"number": {number}}}')
    return made


@pytest.fixture(autouse=True)
def _sessions_of_20(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard, "OBJECTS_PER_SESSION", 20)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting a sandbox anew takes seconds on a busy machine."""
    monkeypatch.setattr(retries, "WAIT_FIRST_S", 2.0)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "ATTEMPTS", 2)
    monkeypatch.setattr(retries, "WAIT_FIRST_S", 0.05)


def sent(job: UploadJob) -> int:
    return job.state()["phases"][1]["files_done"]


def is_closing(request: Request) -> bool:
    return request.method == "PUT" and "/upload_sessions/" in request.path


def kills(platform: Platform, gateway: Front, when: Callable[[Request], bool], *, done: bool) -> threading.Event:
    """The platform dies over the first such request, before or after it has done what it asks; nobody answers it."""
    died, lock = threading.Event(), threading.Lock()

    def rule(request: Request) -> Answer | None:
        with lock:
            if not died.is_set() and when(request):
                if done:
                    gateway.passed_on(request)
                platform.kill()
                died.set()
        return None  # passed on, to nobody: the connection ends without an answer

    gateway.rule = rule
    return died


def another_try(go_on: str, job: UploadJob, ws: dn.Workspace, documents: Path) -> UploadJob:
    return (job.retry(show=False) if go_on == "retry" else ws.upload(documents, show=False)).wait(60)


def assert_whole(job: UploadJob, ws: dn.Workspace, documents: Path) -> None:
    assert set(job.receipt["status"]) <= {"ok", "skipped"}, job.failed.to_string()
    assert_true(job, ws, contents_of(documents))
    assert set(ws.list_upload_sessions()["status"]) == {"CLOSED"}


@pytest.mark.usefixtures("patient")
def test_a_platform_that_is_back_in_time_costs_a_sending_job_only_time(platform: Platform, documents: Path) -> None:
    ws = enter(platform.start(faults=["bandwidth:40000"]), None)
    with nothing_left(ws, documents):
        job = ws.upload(documents, show=False)
        until(lambda: sent(job) > 5)
        platform.kill()
        platform.start(faults=[])

        assert_whole(job.wait(60), ws, documents)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("go_on", ["retry", "cell"])
def test_after_a_platform_that_stays_away_while_sending_the_next_try_brings_the_rest(
    platform: Platform, documents: Path, go_on: str
) -> None:
    ws = enter(platform.start(faults=["bandwidth:40000"]), None)
    with nothing_left(ws, documents):
        job = ws.upload(documents, show=False)
        until(lambda: sent(job) > 5)
        platform.kill()
        job.wait(60)
        assert job.state()["status"] == "failed"
        platform.start(faults=[])

        assert_true(job, ws, contents_of(documents))
        assert_whole(another_try(go_on, job, ws, documents), ws, documents)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("done", [False, True], ids=["before_it_closed", "after_it_closed"])
def test_a_platform_that_dies_while_a_session_is_closed_costs_only_time(
    platform: Platform, documents: Path, done: bool
) -> None:
    near = enter(platform.start(), None)
    with front(near.settings.api_url) as gateway:
        ws = dn.Workspace(near.name, api_key="k", api_url=gateway.api_url)
        with nothing_left(ws, documents):
            died = kills(platform, gateway, is_closing, done=done)
            job = ws.upload(documents, show=False)
            assert died.wait(30)
            platform.start()

            assert_whole(job.wait(60), ws, documents)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("done", [False, True], ids=["before_it_closed", "after_it_closed"])
@pytest.mark.parametrize("go_on", ["retry", "cell"])
def test_after_a_platform_that_stays_away_while_closing_the_next_try_closes(
    platform: Platform, documents: Path, go_on: str, done: bool
) -> None:
    near = enter(platform.start(), None)
    with front(near.settings.api_url) as gateway:
        ws = dn.Workspace(near.name, api_key="k", api_url=gateway.api_url)
        with nothing_left(ws, documents):
            died = kills(platform, gateway, is_closing, done=done)
            job = ws.upload(documents, show=False)
            assert died.wait(30)
            job.wait(60)
            assert job.state()["status"] == "failed"
            platform.start()

            assert_whole(another_try(go_on, job, ws, documents), ws, documents)


@pytest.mark.usefixtures("patient")
def test_a_platform_that_dies_while_it_ingests_costs_only_time(platform: Platform, documents: Path) -> None:
    near = enter(platform.start(ingest_rate=15), None)
    with front(near.settings.api_url) as gateway:
        ws = dn.Workspace(near.name, api_key="k", api_url=gateway.api_url)
        with nothing_left(ws, documents):
            job = ws.upload(documents, show=False)
            until(lambda: job.state()["phases"][2]["files_done"] > 3)
            platform.kill()
            platform.start(ingest_rate=None)

            assert_whole(job.wait(60), ws, documents)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("go_on", ["retry", "cell"])
def test_after_a_platform_that_stays_away_while_ingesting_the_next_try_asks_again(
    platform: Platform, documents: Path, go_on: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "GIVE_UP_S", 1.0)
    ws = enter(platform.start(ingest_rate=15), None)
    with nothing_left(ws, documents):
        job = ws.upload(documents, show=False)
        until(lambda: job.state()["phases"][2]["files_done"] > 3)
        platform.kill()
        job.wait(60)
        assert set(job.receipt["status"]) <= {"ok", "unaccounted"}, job.failed.to_string()
        platform.start(ingest_rate=None)

        assert_whole(another_try(go_on, job, ws, documents), ws, documents)
