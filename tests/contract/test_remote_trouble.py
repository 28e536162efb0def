"""Addresses that refuse, break or change: each is the outcome of its own file, and nothing tells what opens it."""

from __future__ import annotations

import asyncio
import re
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import fsspec
import pandas as pd
import pytest

import deepset_nb as dn
from deepset_nb.client import places
from deepset_nb.client.remote_content import RemoteContent
from deepset_nb.errors import InputError, MissingExtra, PathNotFound
from deepset_nb.transfer.another_try import judge_again
from deepset_nb.transfer.given import read_given
from deepset_nb.transfer.receipt import Row

SIGNATURE = "?se=2026-12-01T00:00:00Z&sig=very-secret"


class Site(ThreadingHTTPServer):
    """A web server: what it holds, and what it answers instead."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.files: dict[str, bytes] = {}
        self.pages: dict[str, str] = {}
        self.streams: set[str] = set()
        self.refuses: Callable[[Answers, int], int] = lambda *_: 0
        self.asked: list[str] = []
        self.address = f"http://127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    server: Site

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.server.asked.append(self.path)
        content = self.server.pages.get(path, "").encode() or self.server.files.get(path)
        status = self.server.refuses(self, self.server.asked.count(self.path)) or (404 if content is None else 200)
        content = content if content is not None and status == 200 else b""
        if status == 200 and (asked := re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))):
            content, status = content[int(asked[1]) : int(asked[2]) + 1], 206
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if path in self.server.pages else "text/plain")
        if path not in self.server.streams:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def site() -> Iterator[Site]:
    server = Site()
    server.files = {"/a.txt": b"of the web", "/b.txt": b"another"}
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def refuse_reading(request: Answers, _: int) -> int:
    """A signature that has run out between looking and reading."""
    return 403 if "Range" in request.headers and "a.txt" in request.path else 0


def nothing_kept(*seen: str) -> bool:
    """Neither these texts nor any file of the journal hold what signs."""
    kept = [path.read_bytes().decode("latin-1") for path in dn._places.state_folder().rglob("*") if path.is_file()]
    return not any(secret in text for text in [*seen, *kept] for secret in ("very-secret", "pass-word"))


def test_an_address_that_cannot_be_read_stops_no_other_file(ws: dn.Workspace, site: Site, tmp_path: Path) -> None:
    (tmp_path / "local.txt").write_text("here")
    site.refuses = refuse_reading
    job = ws.upload([f"{site.address}/a.txt{SIGNATURE}", tmp_path / "local.txt"], show=False).wait(30)
    receipt = job.receipt.set_index("name")

    assert receipt["status"].to_dict() == {"a.txt": "failed", "local.txt": "ok"}
    assert "the server answered 403" in receipt.loc["a.txt", "reason"]
    assert nothing_kept(job.receipt.to_csv(), repr(job), job.code)


def test_what_breaks_while_it_is_read_is_an_oserror_that_repeats_no_address(site: Site) -> None:
    url = f"{site.address}/a.txt{SIGNATURE}"
    site.refuses = refuse_reading
    content = RemoteContent(url, len(b"of the web"))
    with pytest.raises(PermissionError, match="the server answered 403") as caught:
        asyncio.run(content.next_piece())
    content.close()
    with pytest.raises(PermissionError), places.opened(url) as file:
        file.read()

    assert "very-secret" not in str(caught.value)


def test_what_a_reader_raises_itself_stays_what_it_is(site: Site) -> None:
    with pytest.raises(ZeroDivisionError), places.opened(f"{site.address}/a.txt") as file:
        _ = 1 / len(file.read()[:0])


def test_workers_of_an_executor_tell_the_same(ws: dn.Workspace, site: Site) -> None:
    site.refuses = refuse_reading
    urls = [f"{site.address}/a.txt{SIGNATURE}", f"{site.address}/b.txt{SIGNATURE}"]
    with ThreadPoolExecutor(2) as pool:
        job = ws.upload(urls, executor=pool, show=False).wait(60)

    assert job.receipt["status"].tolist() == ["failed", "ok"]
    assert nothing_kept(job.receipt.to_csv())


def test_an_address_that_refuses_when_the_job_looks_is_one_failed_row(ws: dn.Workspace, site: Site) -> None:
    site.refuses = lambda request, times: 403 if "a.txt" in request.path and times > 1 else 0
    urls = [f"{site.address}/a.txt{SIGNATURE}", f"{site.address}/b.txt{SIGNATURE}"]
    receipt = ws.upload(urls, show=False).wait(30).receipt.set_index("name")

    assert receipt["status"].to_dict() == {"a.txt": "failed", "b.txt": "ok"}
    assert "403" in receipt.loc["a.txt", "reason"]
    assert receipt.loc["a.txt", "path"] == f"{site.address}/a.txt?..."


def test_an_address_that_is_gone_when_the_job_looks_keeps_its_row(ws: dn.Workspace, site: Site) -> None:
    site.refuses = lambda request, times: 404 if request.path == "/a.txt" and times > 1 else 0
    receipt = ws.upload([f"{site.address}/a.txt", f"{site.address}/b.txt"], show=False).wait(30).receipt

    assert receipt[["name", "status"]].values.tolist() == [["a.txt", "failed"], ["b.txt", "ok"]]
    assert "no such file" in receipt.loc[0, "reason"]


def test_a_refusal_at_once_says_so_in_the_cell(ws: dn.Workspace, site: Site) -> None:
    site.refuses = lambda *_: 403
    with pytest.raises(InputError, match="the server answered 403") as caught:
        ws.upload(f"{site.address}/a.txt{SIGNATURE}", show=False)
    site.refuses = lambda *_: 404
    with pytest.raises(PathNotFound, match="There is no file") as missing:
        ws.upload(f"{site.address}/a.txt{SIGNATURE}", show=False)

    assert nothing_kept(str(caught.value), str(missing.value))


def test_a_store_without_credentials_is_a_row_that_says_so(
    ws: dn.Workspace, site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "local.txt").write_text("here")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    options = {"skip_instance_cache": True, "client_kwargs": {"endpoint_url": site.address}}
    monkeypatch.setitem(fsspec.config.conf, "s3", options)
    plan = ws.plan(["s3://bucket/*.pdf", tmp_path / "local.txt"]).set_index("name")

    assert plan["action"].to_dict() == {"*.pdf": "refuse", "local.txt": "send"}
    assert "NoCredentialsError" in plan.loc["*.pdf", "reason"]
    assert "credentials" in plan.loc["*.pdf", "remedy"]


def test_a_frame_of_signed_addresses_tells_nothing_of_them(
    ws: dn.Workspace, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    opened = site.address.replace("://", "://user:pass-word@")
    frame = pd.DataFrame(
        {"path": [f"{site.address}/a.txt{SIGNATURE}", f" {opened}/b.txt", f"{opened}/none?very-secret"]}
    )
    job = ws.upload(frame, show=False).wait(30)
    seen = [job.code, job.receipt.to_csv(), repr(job), repr(job._transfer.progress.receipt.rows), caplog.text]

    assert job.receipt[["name", "stored_name", "status"]].values.tolist() == [
        ["a.txt", "a.txt", "ok"],
        ["b.txt", "b.txt", "ok"],
        ["none", "none", "failed"],
    ]
    assert ws.list_files()["name"].sort_values().tolist() == ["a.txt", "b.txt"]
    assert nothing_kept(*seen)
    assert not [path for path in site.asked if ".meta.json" in path and "very-secret" in path]


def test_metadata_finds_its_file_behind_signed_addresses(ws: dn.Workspace, site: Site) -> None:
    site.files["/a.txt.meta.json"] = b'{"n": 1}'
    urls = [f"{site.address}/a.txt?sig=one", f"{site.address}/a.txt.meta.json?sig=two"]
    ws.upload(urls, meta=lambda path: {"kind": path.suffix, "name": path.name}, show=False).wait(30)

    assert ws.list_files()["meta"].tolist() == [{"n": 1, "kind": ".txt", "name": "a.txt"}]


def test_a_plan_of_signed_addresses_says_that_they_must_be_named_again(ws: dn.Workspace, site: Site) -> None:
    signed = [f"{site.address}/a.txt{SIGNATURE}", site.address.replace("://", "://user:pass-word@") + "/b.txt"]
    plan = ws.plan(signed)
    plan.loc[len(plan)] = {**plan.iloc[0], "action": "skip", "name": "left.txt"}
    site.asked.clear()
    job = ws.upload(plan, show=False).wait(30)
    receipt = job.receipt.set_index("name")

    assert nothing_kept(plan.to_csv(), receipt.to_csv())
    assert receipt["status"].to_dict() == {"a.txt": "failed", "b.txt": "failed", "left.txt": "skipped"}
    assert receipt.loc[["a.txt", "b.txt"], "remedy"].str.contains("Name the signed address itself again").all()
    assert not site.asked


def test_a_line_of_code_with_a_hidden_address_says_the_same(ws: dn.Workspace, site: Site) -> None:
    job = ws.upload(f"{site.address}/a.txt{SIGNATURE}", show=False).wait(30)
    with pytest.raises(InputError, match="Name the signed address itself again"):
        eval(job.code.replace(")", ", show=False)"), {"ws": ws})


def test_a_retry_asks_the_signed_address_and_nothing_beside_it(ws: dn.Workspace, site: Site) -> None:
    site.refuses = refuse_reading
    job = ws.upload(f"{site.address}/a.txt{SIGNATURE}", show=False).wait(30)
    site.refuses = lambda *_: 0
    again = job.retry().wait(30)

    assert again.receipt["status"].tolist() == ["ok"]
    assert not [path for path in site.asked if ".meta.json" in path]


def test_a_retry_survives_a_store_that_does_not_answer(ws: dn.Workspace, site: Site) -> None:
    site.files["/a.txt.meta.json"] = b'{"n": 1}'
    site.refuses = refuse_reading
    job = ws.upload([f"{site.address}/a.txt", f"{site.address}/b.txt"], show=False).wait(30)
    site.shutdown()
    site.server_close()
    again = job.retry().wait(30)

    assert again.receipt["status"].tolist() == ["failed"]
    assert "Connection refused" in again.receipt.loc[0, "reason"]
    assert "Check the address" in again.receipt.loc[0, "remedy"]


def test_what_tells_no_time_may_have_been_mended_and_is_tried_again(site: Site) -> None:
    url = f"{site.address}/a.txt"
    row = Row(url, "a.txt", "a.txt", 10, url, status="failed", final=True)

    assert [again.status for again in judge_again([row])] == ["pending"]


def test_what_a_call_was_given_is_printed_without_what_opens_it(site: Site) -> None:
    url = f"{site.address}/a.txt{SIGNATURE}"

    assert "very-secret" not in f"{read_given(url)} {read_given(pd.DataFrame({'path': [url]}))}"


def test_a_missing_library_is_the_outcome_of_its_row(ws: dn.Workspace, site: Site) -> None:
    frame = pd.DataFrame({"path": ["abfs://bucket/a.txt", f"{site.address}/b.txt"]})
    receipt = ws.upload(frame, show=False).wait(30).receipt

    assert receipt["status"].tolist() == ["failed", "ok"]
    assert "adlfs" in receipt.loc[0, "reason"]
    with pytest.raises(MissingExtra, match="adlfs"):
        ws.upload("abfs://bucket/*.txt", show=False)


def test_an_address_on_the_web_that_keeps_its_size_is_compared_by_content(
    ws: dn.Workspace, site: Site, tmp_path: Path
) -> None:
    url = f"{site.address}/a.txt"
    ws.upload(url, show=False).wait(30)
    same = ws.upload(url, show=False).wait(30).receipt
    site.files["/a.txt"] = b"of the wob"
    changed = ws.upload(url, write_mode="OVERWRITE", show=False).wait(30).receipt
    ws.download(tmp_path / "back", include_meta=False, show=False).wait(30)

    assert (same.loc[0, "status"], changed.loc[0, "status"]) == ("skipped", "ok")
    assert (tmp_path / "back" / "a.txt").read_bytes() == b"of the wob"


def test_files_that_a_page_lists_go_up_with_the_password_of_the_page(ws: dn.Workspace, site: Site) -> None:
    site.pages["/folder/"] = '<a href="the%20a.txt">a</a> <a href="/folder/b.txt">b</a> <a href="c.pdf">c</a>'
    site.files |= {"/folder/the%20a.txt": b"a", "/folder/b.txt": b"b"}
    site.refuses = lambda request, _: 0 if request.headers["Authorization"] else 401
    url = site.address.replace("://", "://user:pass-word@") + "/folder/*.txt"
    receipt = ws.upload(url, show=False).wait(30).receipt

    assert sorted(receipt["name"]) == ["b.txt", "the a.txt"]
    assert set(receipt["status"]) == {"ok"}
    assert nothing_kept(receipt.to_csv())


def test_an_address_that_does_not_tell_its_size_says_what_helps(ws: dn.Workspace, site: Site) -> None:
    site.streams = {"/a.txt"}
    frame = pd.DataFrame({"path": [f"{site.address}/a.txt"]})
    reasons = [ws.plan(what).loc[0, "reason"] for what in (f"{site.address}/a.txt", frame)]

    assert reasons == ["It cannot be read: its size is not known; copy it to a disk first."] * 2


def test_an_address_without_a_name_asks_for_one(ws: dn.Workspace, site: Site) -> None:
    site.pages["/"] = "<p>Hello</p>"
    receipt = ws.upload(f"{site.address}/", show=False).wait(30).receipt
    named = ws.upload(pd.DataFrame({"path": [f"{site.address}/"], "name": ["page.html"]}), show=False).wait(30).receipt

    assert receipt["status"].tolist() == ["failed"]
    assert "'name'" in receipt.loc[0, "remedy"]
    assert named[["name", "status"]].values.tolist() == [["page.html", "ok"]]


def test_an_address_that_was_made_a_path_is_told_without_what_signs_it(ws: dn.Workspace) -> None:
    path = Path("https://user:pass-word@host/a.txt?sig=very-secret" + "x" * 300)
    for what in (path, [path], pd.DataFrame({"path": [path]}), [b"https://host/a.txt?sig=very-secret"]):
        with pytest.raises(InputError) as caught:
            ws.upload(what, show=False)
        assert nothing_kept(str(caught.value))


def test_an_archive_behind_a_signed_address_goes_up_file_by_file(ws: dn.Workspace, site: Site, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "files.zip", "w") as archive:
        archive.writestr("in/a.txt", "first")
        archive.writestr("in/a.txt.meta.json", '{"topic": "rivers"}')
    site.files["/files.zip"] = (tmp_path / "files.zip").read_bytes()
    job = ws.upload(f"zip://in/a.txt::{site.address}/files.zip{SIGNATURE}", show=False).wait(30)

    assert job.receipt["status"].tolist() == ["ok"]
    assert ws.list_files()["meta"].tolist() == [{"topic": "rivers"}]
    assert nothing_kept(job.receipt.to_csv(), repr(job._transfer.progress.receipt.rows))
