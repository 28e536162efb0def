"""Files behind URLs: found, judged and streamed as those on a disk, from memory, a zip, a web server and an S3."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import fsspec
import pandas as pd
import pytest
from moto.server import ThreadedMotoServer

import deepset_nb as dn
from deepset_nb.client import places
from deepset_nb.client.addresses import is_remote
from deepset_nb.errors import InputError, MissingExtra, PathNotFound
from tests.process import ROOT

FILES = {
    "a.txt": b"first",
    "b.txt": b"second",
    "b.txt.meta.json": b'{"topic": "rivers"}',
    "empty.txt": b"",
    ".hidden": b"x",
    "deep/c.txt": b"third",
    "deep/big.bin": bytes(range(256)) * 8_192,
}


@pytest.fixture
def memory() -> Iterator[str]:
    """A folder in memory."""
    system, name = fsspec.filesystem("memory"), uuid4().hex
    for path, content in FILES.items():
        system.pipe(f"/{name}/{path}", content)
    yield f"memory://{name}"
    system.rm(f"/{name}", recursive=True)


@pytest.fixture
def zipped(tmp_path: Path) -> str:
    with zipfile.ZipFile(tmp_path / "files.zip", "w") as archive:
        for path, content in FILES.items():
            archive.writestr(path, content)
    return f"zip://::file://{tmp_path / 'files.zip'}"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """A web server with a file under an odd name."""
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "the report.txt").write_bytes(b"of the web")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "web")))
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    address = f"http://127.0.0.1:{server._server.server_port}"
    options = {
        "key": "test",
        "secret": "test",
        "client_kwargs": {"endpoint_url": address, "region_name": "eu-central-1"},
    }
    before = dict(fsspec.config.conf)
    fsspec.config.conf["s3"] = options
    system = fsspec.filesystem("s3")
    system.mkdir("bucket", region_name="eu-central-1")
    for path, content in FILES.items():
        system.pipe(f"bucket/corpus/{path}", content)
    yield "s3://bucket/corpus"
    fsspec.config.conf.clear()
    fsspec.config.conf.update(before)
    fsspec.asyn.sync(fsspec.asyn.get_loop(), system.s3.close)
    server.stop()


@pytest.fixture(params=["memory", "zipped", "s3"])
def folder(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def elsewhere(s3: str) -> Iterator[Any]:
    """The same S3 as somebody else writes to it, of whom the kernel's file system hears nothing."""
    system = fsspec.filesystem("s3", skip_instance_cache=True, **fsspec.config.conf["s3"])
    yield system
    fsspec.asyn.sync(fsspec.asyn.get_loop(), system.s3.close)


def held(ws: dn.Workspace, tmp_path: Path) -> dict[str, bytes]:
    """What the platform has, by name."""
    ws.download(tmp_path / "back", include_meta=False, show=False).wait(60)
    return {path.name: path.read_bytes() for path in (tmp_path / "back").iterdir()}


def test_a_folder_behind_a_url_goes_up_as_one_on_disk(ws: dn.Workspace, folder: str, tmp_path: Path) -> None:
    receipt = ws.upload(folder, recursive=True, show=False).wait(60).receipt.set_index("name")

    assert receipt["status"].to_dict() == {
        **dict.fromkeys(["a.txt", "b.txt", "c.txt", "big.bin"], "ok"),
        "empty.txt": "failed",
        ".hidden": "skipped",
    }
    assert ws.list_files("b.txt")["meta"].tolist() == [{"topic": "rivers"}]
    assert held(ws, tmp_path) == {
        "a.txt": FILES["a.txt"],
        "b.txt": FILES["b.txt"],
        "c.txt": FILES["deep/c.txt"],
        "big.bin": FILES["deep/big.bin"],
    }


def test_a_single_file_a_glob_and_a_path_go_together(ws: dn.Workspace, folder: str, tmp_path: Path) -> None:
    (tmp_path / "local.txt").write_text("here")
    first, chain, rest = folder.partition("::")
    slash = "" if first.endswith("/") else "/"
    urls = [f"{first}{slash}a.txt{chain}{rest}", f"{first}{slash}deep/*.txt{chain}{rest}"]
    receipt = ws.upload([*urls, tmp_path / "local.txt"], show=False).wait(60).receipt

    assert receipt[["name", "status"]].values.tolist() == [["a.txt", "ok"], ["c.txt", "ok"], ["local.txt", "ok"]]


def test_rules_and_plan_are_those_of_folders(ws: dn.Workspace, memory: str) -> None:
    plan = ws.plan(memory, recursive=True, exclude=["deep/", "a.*"], meta={"year": 2024}).set_index("name")

    assert plan["action"].to_dict() == {
        ".hidden": "skip",
        "a.txt": "skip",
        "b.txt": "send",
        "c.txt": "skip",
        "big.bin": "skip",
        "empty.txt": "refuse",
    }
    assert plan.loc["b.txt", "meta"] == {"topic": "rivers", "year": 2024}
    assert set(ws.plan(memory)["name"]) == {".hidden", "a.txt", "b.txt", "empty.txt"}


def test_an_address_on_the_web_is_named_by_its_path(ws: dn.Workspace, web: str) -> None:
    receipt = ws.upload(f"{web}/the%20report.txt", show=False).wait(30).receipt

    assert receipt[["name", "status"]].values.tolist() == [["the report.txt", "ok"]]


def test_what_signs_an_address_is_shown_nowhere(
    ws: dn.Workspace, web: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    signed = web.replace("://", "://user:pass-word@") + "/the%20report.txt?X-Signature=very-secret"
    job = ws.upload(signed, show=False).wait(30)
    seen = [
        job.code,
        job.receipt.to_csv(),
        repr(job),
        repr(job._transfer.progress.receipt.rows),
        str(dn.jobs()),
        caplog.text,
    ]
    seen += [
        path.read_bytes().decode("latin-1") for path in Path(dn._places.state_folder()).rglob("*") if path.is_file()
    ]

    assert job.receipt["status"].tolist() == ["ok"]
    assert not [text for text in seen if "very-secret" in text or "pass-word" in text]


def test_the_same_cell_twice_sends_nothing_again(ws: dn.Workspace, folder: str) -> None:
    ws.upload(folder, show=False).wait(60)
    again = ws.upload(folder, show=False).wait(60).receipt.set_index("name")

    assert again.loc[["a.txt", "b.txt"], "status"].tolist() == ["skipped", "skipped"]


def test_what_others_put_into_a_store_meanwhile_is_seen(ws: dn.Workspace, elsewhere: Any, tmp_path: Path) -> None:
    place = f"bucket/{uuid4().hex}"
    elsewhere.pipe({f"{place}/a.txt": b"first", f"{place}/b.txt": b"second", f"{place}/deep/": b""})
    ws.upload(f"s3://{place}", recursive=True, show=False).wait(60)
    elsewhere.pipe({f"{place}/a.txt": b"longer than before", f"{place}/c.txt": b"third"})
    again = ws.upload(f"s3://{place}/*.txt", write_mode="OVERWRITE", show=False).wait(60).receipt

    assert again[["name", "status"]].values.tolist() == [["a.txt", "ok"], ["b.txt", "skipped"], ["c.txt", "ok"]]
    assert held(ws, tmp_path)["a.txt"] == b"longer than before"


def test_a_file_that_others_changed_is_looked_at_afresh_when_it_is_named(
    ws: dn.Workspace, elsewhere: Any, tmp_path: Path
) -> None:
    place = f"bucket/{uuid4().hex}"
    elsewhere.pipe(f"{place}/a.txt", b"first")
    ws.upload(f"s3://{place}", show=False).wait(60)
    elsewhere.pipe({f"{place}/a.txt": b"second and longer", f"{place}/new.txt": b"new"})
    named = [f"s3://{place}/new.txt", f"simplecache::s3://{place}/a.txt"]
    frame = pd.DataFrame({"path": [f"s3://{place}/a.txt", f"s3://{place}/new.txt"]})

    assert ws.plan(named, resume=False)["size"].tolist() == [3, 17]
    assert ws.plan(frame, resume=False)["size"].tolist() == [17, 3]
    assert ws.upload(frame, show=False).wait(60).receipt["status"].tolist() == ["ok", "ok"]


def test_a_file_that_is_not_what_was_listed_is_not_read(ws: dn.Workspace, elsewhere: Any) -> None:
    place = f"bucket/{uuid4().hex}"
    elsewhere.pipe(f"{place}/a.txt", b"first")
    assert ws.plan(f"s3://{place}", resume=False)["action"].tolist() == ["send"]
    elsewhere.pipe(f"{place}/a.txt", b"other")

    with pytest.raises(OSError, match="changed meanwhile"), places.opened(f"s3://{place}/a.txt") as file:
        file.read()


def test_a_retry_looks_afresh_at_a_store(ws: dn.Workspace, elsewhere: Any) -> None:
    place = f"bucket/{uuid4().hex}"
    elsewhere.pipe(f"{place}/a.txt", b"")
    job = ws.upload(f"s3://{place}", show=False).wait(60)
    elsewhere.pipe(f"{place}/a.txt", b"filled")

    assert job.receipt["status"].tolist() == ["failed"]
    assert job.retry().wait(60).receipt["status"].tolist() == ["ok"]


def test_an_archive_that_tells_no_time_is_compared_by_content(ws: dn.Workspace, tmp_path: Path) -> None:
    url = f"zip://a.txt::file://{tmp_path / 'files.zip'}"
    receipts = []
    for content in ("first", "first", "other"):
        with zipfile.ZipFile(tmp_path / "files.zip", "w") as archive:
            archive.writestr(zipfile.ZipInfo("a.txt", (1980, 0, 0, 0, 0, 0)), content)
        receipts.append(ws.upload(url, show=False).wait(60).receipt.loc[0, "status"])

    assert receipts == ["ok", "skipped", "ok"]


def test_a_glob_takes_the_metadata_of_what_it_finds(ws: dn.Workspace, folder: str) -> None:
    first, chain, rest = folder.partition("::")
    slash = "" if first.endswith("/") else "/"
    plan = ws.plan(f"{first}{slash}b.t*t{chain}{rest}")

    assert plan[["name", "meta"]].values.tolist() == [["b.txt", {"topic": "rivers"}]]


def test_a_cache_before_a_folder_stays_before_its_files(ws: dn.Workspace, memory: str, tmp_path: Path) -> None:
    plan = ws.plan(f"simplecache::{memory}", recursive=True)
    receipt = ws.upload(plan, show=False).wait(60).receipt.set_index("name")
    found = ws.upload(f"simplecache::{memory}/deep/*.txt", show=False).wait(60).receipt

    assert plan.set_index("name").loc["c.txt", "path"] == f"simplecache::{memory}/deep/c.txt"
    assert receipt.loc[["a.txt", "b.txt", "c.txt", "big.bin"], "status"].unique().tolist() == ["ok"]
    assert ws.list_files("b.txt")["meta"].tolist() == [{"topic": "rivers"}]
    assert found[["path", "status"]].values.tolist() == [[f"simplecache::{memory}/deep/c.txt", "skipped"]]
    assert held(ws, tmp_path)["c.txt"] == FILES["deep/c.txt"]


def test_a_plan_of_a_store_goes_up_as_it_is(ws: dn.Workspace, folder: str) -> None:
    receipt = ws.upload(ws.plan(folder, recursive=True), show=False).wait(60).receipt.set_index("name")

    assert receipt.loc[["a.txt", "b.txt", "c.txt", "big.bin"], "status"].unique().tolist() == ["ok"]
    assert ws.list_files("b.txt")["meta"].tolist() == [{"topic": "rivers"}]


def test_an_address_below_which_nothing_lies_keeps_its_row(ws: dn.Workspace, memory: str, tmp_path: Path) -> None:
    fsspec.filesystem("memory").pipe(memory.removeprefix("memory:/") + "/only/deep/a.txt", b"x")
    plan = ws.plan([f"{memory}/*.none", f"{memory}/only", f"{memory}/deep/c.txt"]).set_index("name")

    assert plan["action"].to_dict() == {"*.none": "refuse", "only": "refuse", "c.txt": "send"}
    assert "matches" in plan.loc["*.none", "reason"]
    assert "recursive=True" in plan.loc["only", "remedy"]


def test_a_file_that_goes_while_it_is_sent_is_one_failed_row(ws: dn.Workspace, memory: str) -> None:
    plan = ws.plan(memory)
    fsspec.filesystem("memory").rm(memory.removeprefix("memory:/") + "/a.txt")
    receipt = ws.upload(plan, show=False).wait(30).receipt.set_index("name")

    assert receipt["status"].to_dict() == {
        "a.txt": "failed",
        "b.txt": "ok",
        ".hidden": "skipped",
        "empty.txt": "failed",
    }
    assert "no such file" in receipt.loc["a.txt", "reason"]


def test_a_wrong_address_is_said_in_the_cell(ws: dn.Workspace, web: str) -> None:
    with pytest.raises(PathNotFound, match=r"memory://nothing"):
        ws.upload("memory://nothing/here", show=False)
    with pytest.raises(InputError, match="cannot be looked at: fsspec knows no addresses of this kind"):
        ws.upload("nonsense://somewhere/file", show=False)


def test_a_kind_of_store_whose_library_is_missing_names_it(ws: dn.Workspace) -> None:
    with pytest.raises(MissingExtra, match="adlfs"):
        ws.upload("abfs://bucket/file", show=False)


@pytest.mark.parametrize("kind", ["s3", "gs", "https", "zip"])
def test_the_extra_brings_what_opens_the_kinds_the_readme_names(kind: str) -> None:
    assert f"{kind}://" in (ROOT / "README.md").read_text()
    assert issubclass(fsspec.get_filesystem_class(kind), fsspec.AbstractFileSystem)


@pytest.mark.parametrize("path", ["C:\\files\\a.txt", "/a/b", "a:b", "report.txt", "~/x", "x::y"])
def test_paths_are_no_urls(path: str) -> None:
    assert not is_remote(path) or path == "x::y"


def test_a_name_with_brackets_is_a_file_where_there_is_one(ws: dn.Workspace, memory: str) -> None:
    fsspec.filesystem("memory").pipe(f"{memory.removeprefix('memory:/')}/r[1].txt", b"in brackets")

    assert ws.plan(f"{memory}/r[1].txt")["name"].tolist() == ["r[1].txt"]
    assert set(ws.plan(f"{memory}/[ab].txt")["name"]) >= {"a.txt", "b.txt"}
