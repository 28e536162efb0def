"""Clients nobody here wrote against our sandbox, and our uploader against an S3 nobody here wrote."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.client import Config

import deepset_nb as dn
from deepset_nb.client import AsyncClient
from deepset_nb.models import AWSPrefixedRequestConfig
from deepset_nb.workflows.sync_client.files import download, upload
from tests.clients import sdk
from tests.clients.account import account, contents
from tests.contract.rooms import PLAIN, until

NAMES = [f"naïve {n:02} 日本語.txt" if n % 2 else f"Bericht {n:02}_größe (1).txt" for n in range(30)]

kinds = pytest.mark.parametrize("kind", ["sync", "async"])


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """30 files of various sizes, each with a sidecar."""
    made = tmp_path / "documents"
    made.mkdir()
    for number, name in enumerate(NAMES):
        (made / name).write_bytes(os.urandom(1 + number * 5_000))
        meta = {"number": number, "title": f"№ {number}", "tags": ["a", "ü"]}
        (made / f"{name}.meta.json").write_text(json.dumps(meta, ensure_ascii=bool(number % 2)))
    return made


def whole(ws: dn.Workspace, folder: Path) -> dict[str, tuple[bytes, Any]]:
    """Name -> content and metadata of all files of a workspace."""
    rows = download(file_dir=folder, include_meta=False, **account(ws))
    metas = {name: meta for name, (_, meta) in contents(ws).items()}
    return {row["name"]: (Path(row["path"]).read_bytes(), metas[row["name"]]) for row in rows}


def expected(folder: Path) -> dict[str, tuple[bytes, Any]]:
    return {
        name: ((folder / name).read_bytes(), json.loads((folder / f"{name}.meta.json").read_text())) for name in NAMES
    }


@kinds
def test_the_sdk_uploads_a_folder_through_a_session(
    ws: dn.Workspace, documents: Path, tmp_path: Path, kind: str
) -> None:
    counted = sdk.session(kind, "upload_folder", account(ws), documents)

    assert counted == [60, 60, 0]  # it counts sidecars here
    assert ws.list_upload_sessions()["status"].tolist() == ["CLOSED"]
    assert whole(ws, tmp_path / "got") == expected(documents)


@pytest.mark.parametrize("how", ["workflows", "workspace"])
def test_the_same_folder_sent_by_us_is_the_same_on_the_platform(
    ws: dn.Workspace, documents: Path, tmp_path: Path, how: str
) -> None:
    if how == "workflows":
        assert upload([documents], **account(ws)).failed == []
    else:
        ws.upload(documents, show=False).wait(60).raise_for_failures()

    assert whole(ws, tmp_path / "got") == expected(documents)


@kinds
def test_the_sdk_finds_its_way_through_everything_else(ws: dn.Workspace, tmp_path: Path, kind: str) -> None:
    found = sdk.session(kind, "tour", account(ws), tmp_path)

    assert found["paths"] == [5, 5, 0]
    assert found["texts"] == [3, 3, 0]
    assert found["bytes"] == [1, 1, 0]
    assert found["many"][2] == 0
    assert [len(page) for page in found["by name"]] == [2, 1]
    texts = {file["name"]: (file["size"], file["meta"]) for page in found["by name"] for file in page}
    assert texts == {f"text-{n}.txt": (len("Grüße 1".encode()), {"kind": "text", "n": n}) for n in range(3)}
    assert [len(page) for page in found["by filter"]] == [10, 10, 5]
    assert {file["name"] for page in found["by filter"] for file in page} == {f"many-{n:02}.txt" for n in range(25)}
    assert found["sessions"] == [["CLOSED", "KEEP"]]
    assert found["status"] == [25, 0]
    got = tmp_path / "got"
    assert (got / "all.bin").read_bytes() == bytes(range(256))
    assert (got / "text-2.txt").read_text() == "Grüße 2"
    assert json.loads((got / "text-2.txt.meta.json").read_text()) == {"kind": "text", "n": 2}
    assert len(list(got.iterdir())) == 2 * (5 + 3 + 1 + 25)


def test_both_download_the_same_files(ws: dn.Workspace, tmp_path: Path) -> None:
    sdk.session("sync", "tour", account(ws), tmp_path)
    download(file_dir=tmp_path / "ours", **account(ws))
    theirs, ours = ({p.name: p for p in (tmp_path / name).iterdir()} for name in ("got", "ours"))

    assert theirs.keys() == ours.keys()
    for name, path in theirs.items():
        same = json.loads if name.endswith(".meta.json") else bytes
        assert same(path.read_bytes()) == same(ours[name].read_bytes())


# --- another S3 ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a moto server."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("moto") / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=output, stderr=output
        )
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return httpx.get(f"{url}/moto-api/", verify=PLAIN).status_code < 500
        except httpx.TransportError:
            return False

    try:
        until(answers, 60)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def test_another_s3_takes_our_forms(ws: dn.Workspace, moto: str, tmp_path: Path) -> None:
    s3 = boto3.client(
        "s3",
        endpoint_url=moto,
        region_name="us-east-1",
        aws_access_key_id="id",
        aws_secret_access_key="secret",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    s3.create_bucket(Bucket="uploads")
    on_disk = tmp_path / "größe 1.bin"
    on_disk.write_bytes(os.urandom(3_000_000))
    objects = {"a.txt": b"content", "b.pdf": bytes(range(256)) * 300, "c.bin": on_disk}

    async def send() -> None:
        async with AsyncClient(ws.settings) as client:
            for name, source in objects.items():
                form = s3.generate_presigned_post("uploads", f"org/workspace/session/{name}", ExpiresIn=600)
                size = len(source) if isinstance(source, bytes) else source.stat().st_size
                async with client.bucket(AWSPrefixedRequestConfig(form["url"], form["fields"])) as bucket:
                    await bucket.post(name, source, size)

    asyncio.run(send())
    for name, source in objects.items():
        stored = s3.get_object(Bucket="uploads", Key=f"org/workspace/session/{name}")
        assert stored["Body"].read() == (source if isinstance(source, bytes) else source.read_bytes())
        assert stored["ContentType"] != "text/plain"  # the part's type is nobody's business but the form's
    s3.close()
