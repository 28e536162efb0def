"""Opening sessions, sending files directly, fetching them."""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from deepset_nb import errors
from deepset_nb.client import AsyncClient
from deepset_nb.models import WriteMode
from deepset_nb.settings import resolve

SETTINGS = resolve("w", api_key="k", api_url="https://platform.example")
FILE_ID = uuid4()


class Platform:
    """Takes direct uploads and remembers their parts."""

    def __init__(self, status: int = 201) -> None:
        self.status = status
        self.requests: list[httpx.Request] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.requests.append(request)
        return httpx.Response(self.status, json={"file_id": str(FILE_ID)})

    def parts(self) -> dict[str, tuple[str | None, bytes]]:
        request = self.requests[-1]
        head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
        message = email.message_from_bytes(head + request.content, policy=email.policy.HTTP)
        return {
            part.get_param("name", header="content-disposition"): (part.get_filename(), part.get_payload(decode=True))
            for part in message.iter_parts()
        }


def ask(platform, call):
    async def run():
        async with AsyncClient(SETTINGS, transport=httpx.MockTransport(platform)) as client:
            return await call(client)

    return asyncio.run(run())


def test_bytes_are_sent_as_one_form_of_known_length():
    platform = Platform()

    file_id = ask(platform, lambda client: client.files.upload("w", "a.txt", b"text", write_mode=WriteMode.FAIL))

    request = platform.requests[0]
    assert file_id == FILE_ID
    assert platform.parts() == {"file": ("a.txt", b"text")}
    assert int(request.headers["content-length"]) == len(request.content)
    assert "transfer-encoding" not in request.headers
    assert dict(request.url.params) == {"write_mode": "FAIL"}


@pytest.mark.parametrize("size", [0, 1, 65_536, 262_144, 1_048_576, 3_000_001])
def test_a_file_on_disk_arrives_as_it_is(tmp_path, size):
    path = tmp_path / "data.bin"
    path.write_bytes(bytes(range(251)) * (size // 251) + bytes(size % 251))
    platform = Platform()

    ask(platform, lambda client: client.files.upload("w", "data.bin", path))

    raw = platform.requests[0].content
    assert path.read_bytes() in raw
    assert int(platform.requests[0].headers["content-length"]) == len(raw)


def test_metadata_is_sent_as_json_and_only_if_given():
    platform = Platform()

    ask(platform, lambda client: client.files.upload("w", "a.txt", b"x", meta={"topic": "ünï", "n": [1, None]}))
    with_meta = platform.parts()
    ask(platform, lambda client: client.files.upload("w", "a.txt", b"x", meta={}))
    empty = platform.parts()
    ask(platform, lambda client: client.files.upload("w", "a.txt", b"x"))

    assert json.loads(with_meta["meta"][1]) == {"topic": "ünï", "n": [1, None]}
    assert empty["meta"][1] == b"{}"
    assert "meta" not in platform.parts()


@pytest.mark.parametrize("meta", ["text", ["list"], 7, {"a": object()}, {"a": float("nan")}, {("a", "b"): 1}])
def test_metadata_that_is_no_json_object_is_refused_before_anything_is_sent(meta):
    platform = Platform()

    with pytest.raises(errors.InvalidMeta):
        ask(platform, lambda client: client.files.upload("w", "a.txt", b"x", meta=meta))

    assert platform.requests == []


@pytest.mark.parametrize("name", ["naïve.txt", 'quo"te.txt', "new\nline.txt", "half\udce9.txt", "a\\b.txt", "🚀"])
def test_no_file_name_breaks_the_form(name):
    platform = Platform()

    ask(platform, lambda client: client.files.upload("w", name, b"content"))

    assert platform.requests[0].content.count(b"filename=") == 1
    assert platform.parts()["file"][1] == b"content"


def test_a_text_is_sent_as_utf8():
    platform = Platform()

    ask(platform, lambda client: client.files.upload_text("w", "a.txt", "grüße", {"a": 1}, WriteMode.OVERWRITE))

    assert platform.parts()["file"] == ("a.txt", "grüße".encode())
    assert platform.requests[0].url.params["write_mode"] == "OVERWRITE"


def test_a_text_that_is_no_unicode_is_refused():
    with pytest.raises(errors.InputError, match=r"position 3"):
        ask(Platform(), lambda client: client.files.upload_text("w", "a.txt", "abc\ud800"))


def test_a_missing_file_is_the_systems_own_error():
    with pytest.raises(FileNotFoundError):
        ask(Platform(), lambda client: client.files.upload("w", "a.txt", Path("is-not-there")))


@pytest.mark.parametrize(
    ("status", "kind"),
    [(409, errors.Conflict), (413, errors.TooLarge), (415, errors.Unprocessable), (400, errors.Unprocessable)],
)
def test_a_refused_file_is_named(status, kind):
    with pytest.raises(kind, match=r"'a\.txt'"):
        ask(Platform(status), lambda client: client.files.upload("w", "a.txt", b""))


def test_a_session_is_opened_with_just_what_was_asked():
    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        form = {"url": "https://b.example/", "fields": {"policy": "hush"}}
        opened = {"session_id": str(FILE_ID), "documentation_url": "", "expires_at": None, "new": 1}
        return httpx.Response(201, json={**opened, "aws_prefixed_request_config": form})

    bodies: list[dict] = []
    opened = ask(answer, lambda client: client.upload_sessions.create("w"))
    ask(answer, lambda client: client.upload_sessions.create("w", "FAIL", parallel=True, expires_in_seconds=60))

    assert opened.session_id == FILE_ID
    assert opened.expires_at is None
    assert "hush" not in repr(opened)
    assert bodies == [
        {"write_mode": "KEEP", "parallel_processing_enabled": False},
        {"write_mode": "FAIL", "parallel_processing_enabled": True, "expires_in_seconds": 60},
    ]


def test_a_download_comes_in_pieces():
    async def collect(client) -> bytes:
        return b"".join([piece async for piece in client.files.download("w", UUID(int=7))])

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path.endswith(f"/files/{UUID(int=7)}")
        return httpx.Response(200, content=b"x" * 300_000)

    assert len(ask(answer, collect)) == 300_000


def test_a_download_that_breaks_off_is_an_error_not_a_short_file():
    class Breaking(httpx.AsyncByteStream):
        async def __aiter__(self):
            yield b"the first half"
            raise httpx.ReadError("gone")

    got: list[bytes] = []

    async def collect(client) -> None:
        async for piece in client.files.download("w", FILE_ID):
            got.append(piece)

    with pytest.raises(errors.ConnectionFailed, match=r"platform\.example"):
        ask(lambda request: httpx.Response(200, stream=Breaking()), collect)

    assert got == [b"the first half"]


def test_a_download_can_be_left_anywhere():
    async def leave(client) -> bytes:
        pieces = client.files.download("w", FILE_ID)
        first = await anext(pieces)
        await pieces.aclose()
        return first

    assert ask(lambda request: httpx.Response(200, content=b"x" * 300_000), leave)


def test_the_metadata_of_a_file_is_read():
    def platform(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"topic": "news"})

    assert ask(platform, lambda client: client.files.meta("w", FILE_ID)) == {"topic": "news"}
