"""Uploads whose objects are posted by other processes: a pool of them, and a Dask cluster that loses a worker."""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import shutil
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest

import deepset_nb as dn
from deepset_nb.client.bucket import Bucket
from deepset_nb.errors import BucketError, InputError
from deepset_nb.models import AWSPrefixedRequestConfig
from deepset_nb.transfer import elsewhere, shard
from deepset_nb.transfer.elsewhere import Batch, Post, Posted, post_batch
from deepset_nb.transfer.session_keeper import MOST_OPEN
from deepset_nb.transfer.upload import Upload

FORM = AWSPrefixedRequestConfig("http://127.0.0.1:9/bucket", {"policy": "secret-policy", "key": "k/${filename}"})


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A hundred and fifty files, one of them empty, some with metadata."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(150):
        (folder / f"{number:03}.txt").write_text("x" * number)
    for number in range(1, 40):
        (folder / f"{number:03}.txt.meta.json").write_text(f'{{"number": {number}}}')
    return folder


@pytest.fixture
def pool() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        yield executor


def is_whole(ws: dn.Workspace, job: dn.UploadJob) -> bool:
    """Every file is there once, with its own metadata, and the receipt says so."""
    listed = ws.list_files().set_index("name")
    assert job.receipt["status"].value_counts().to_dict() == {"ok": 149, "failed": 1}
    assert sorted(listed.index) == [f"{number:03}.txt" for number in range(1, 150)]
    assert listed["size"].to_dict() == {f"{number:03}.txt": number for number in range(1, 150)}
    assert listed["meta"].to_dict() == {f"{n:03}.txt": {"number": n} if n < 40 else {} for n in range(1, 150)}
    return True


def test_a_pool_of_processes_posts_and_the_kernel_keeps_the_books(
    ws: dn.Workspace, many: Path, pool: ProcessPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(many.parent)  # a relative path means the same file elsewhere
    job = ws.upload("many", executor=pool, show=False).wait(120)

    assert is_whole(ws, job)
    assert job.state()["phases"][1]["bytes_done"] == sum(range(150))
    assert not job.state()["note"]


def test_a_pool_of_processes_reads_what_lies_behind_urls_itself(
    ws: dn.Workspace, many: Path, pool: ProcessPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.make_archive(str(many), "zip", many)
    monkeypatch.setattr(Bucket, "post", None)  # this kernel posts nothing
    job = ws.upload(f"zip://*.txt::{many}.zip", executor=pool, show=False).wait(120)

    assert is_whole(ws, job)
    assert not job.state()["note"]


def test_more_sessions_than_may_be_open_are_filled_by_a_pool_one_after_the_other(
    ws: dn.Workspace, many: Path, pool: ProcessPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shard, "OBJECTS_PER_SESSION", 12)
    job = ws.upload(many, executor=pool, show=False).wait(120)

    assert is_whole(ws, job)
    assert job.receipt["session_id"].nunique() > MOST_OPEN
    assert set(ws.list_upload_sessions()["status"]) == {"CLOSED"}
    assert not job.state()["note"]


class Mortal(ThreadPoolExecutor):
    """Kills a worker of the pool behind it in the middle of its first batch."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        super().__init__(1)
        self.pool = pool
        self.submitted: list[Batch] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.submitted += args
        future = self.pool.submit(fn, *args, **kwargs)
        if len(self.submitted) == 1:
            self.pool.submit(os.kill, next(iter(self.pool._processes)), signal.SIGKILL)
        return future


def test_a_pool_that_loses_a_process_is_replaced_by_this_kernel(
    ws: dn.Workspace, many: Path, pool: ProcessPoolExecutor
) -> None:
    job = ws.upload(many, executor=Mortal(pool), show=False).wait(120)

    assert is_whole(ws, job)
    assert "the rest is sent by this kernel" in str(job.state()["note"])


def test_a_dask_cluster_of_processes_goes_on_without_a_worker_that_is_killed(
    ws: dn.Workspace, many: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from distributed import Client, LocalCluster

    monkeypatch.setattr(elsewhere, "MOST_POSTS", 10)
    assert ws.sandbox is not None
    ws.sandbox.fault("latency:20ms")
    with (
        caplog.at_level(logging.DEBUG),
        LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, processes=True
        ) as cluster,
        Client(cluster) as client,
    ):
        pids = client.run(os.getpid)
        job = ws.upload(many, executor=client.get_executor(), show=False)
        while not job.state()["phases"][1]["files_done"] and not job.done:
            time.sleep(0.01)
        names = str(list(cluster.scheduler.tasks))
        os.kill(next(iter(pids.values())), signal.SIGKILL)
        job.wait(240)
        logs = client.get_worker_logs()
        names += str(client.get_events())

    assert is_whole(ws, job)
    assert "post_batch" in names
    assert len(logs) == 2
    assert all(logs.values())
    [session] = cast("Upload", job._transfer).sessions
    secrets = [ws.settings.api_key.reveal(), *session.opened.aws_prefixed_request_config.fields.values()]
    assert not [secret for secret in secrets if len(secret) > 30 and secret in caplog.text + names + str(logs)]


class Forgetful(ThreadPoolExecutor):
    """Never runs anything."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        return Future()


class Failing(ThreadPoolExecutor):
    """Fails as a scheduler does."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_exception(ValueError("lost it"))
        return future


@pytest.mark.parametrize(("executor", "said"), [(Forgetful, "in time"), (Failing, "ValueError")])
def test_an_executor_that_does_nothing_is_not_waited_for_forever(
    ws: dn.Workspace, many: Path, executor: type[ThreadPoolExecutor], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elsewhere, "PATIENCE_S", 0.2)
    with executor(1) as idle:
        job = ws.upload(many, executor=idle, show=False).wait(120)

    assert is_whole(ws, job)
    assert said in str(job.state()["note"])


def test_an_executor_that_was_shut_down_is_told(ws: dn.Workspace, many: Path, pool: ProcessPoolExecutor) -> None:
    pool.shutdown()

    assert is_whole(ws, ws.upload(many, executor=pool, show=False).wait(120))


def test_a_cancel_leaves_the_session_open_and_the_same_cell_goes_on(
    ws: dn.Workspace, many: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elsewhere, "MOST_POSTS", 10)
    assert ws.sandbox is not None
    ws.sandbox.fault("latency:50ms")
    with ThreadPoolExecutor(1) as one:
        job = ws.upload(many, executor=one, show=False)
        while not job.state()["phases"][1]["files_done"] and not job.done:
            time.sleep(0.01)
        job.cancel()
        job.wait(60)
    assert job.state()["status"] == "cancelled"

    again = ws.upload(many, show=False).wait(120)
    assert set(again.receipt["status"]) <= {"ok", "skipped", "failed"}
    assert len(ws.list_files()) == 149


def test_a_batch_can_be_pickled_and_shows_nothing_of_the_form() -> None:
    batch = Batch(FORM, (Post("a.txt", b"content", 7),))

    assert pickle.loads(pickle.dumps(batch)) == batch
    assert "secret" not in repr(batch) + str(batch)
    assert repr(batch) == "<Batch of 1 files>"


def test_a_worker_gives_every_post_its_outcome(tmp_path: Path) -> None:
    posts = (Post("a.txt", str(tmp_path / "missing.txt"), 5), Post("b.txt", b"x", 1))
    first, second = pickle.loads(pickle.dumps(post_batch(Batch(FORM, posts))))

    with pytest.raises(OSError, match="No such file"):
        first.result()
    with pytest.raises(BucketError, match="did not reach the bucket"):
        second.result()
    assert Posted("abc").result() == "abc"


def test_what_is_no_executor_is_refused_in_the_cell(ws: dn.Workspace, many: Path) -> None:
    with pytest.raises(InputError, match="executor"):
        ws.upload(many, executor=5, show=False)  # type: ignore[arg-type]
    assert issubclass(ThreadPoolExecutor, Executor)
