"""The bucket's presigned forms: platform API reference."""

from __future__ import annotations

import base64
import json
import socket
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import httpx
import pytest
from botocore.client import Config

from deepset_nb.emulator import Choices
from deepset_nb.emulator.config import BUCKET
from deepset_nb.emulator.platform import Platform
from deepset_nb.emulator.sigv4 import REGION
from tests.contract.rooms import PLAIN, Room, post_form, until


def code(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["Content-Type"] == "application/xml"
    return response.status_code, ET.fromstring(response.content).findtext("Code")


def body(fields: dict[str, str], *parts: tuple[str, bytes], end: bytes = b"--limit--\r\n") -> bytes:
    """A form by hand, for what no client library would send."""
    lines = [
        f'--limit\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    lines += [
        f"--limit\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + text + b"\r\n" for head, text in parts
    ]
    return b"".join(lines) + end


def send(url: str, content: bytes) -> httpx.Response:
    headers = {"Content-Type": "multipart/form-data; boundary=limit"}
    return httpx.post(url, content=content, headers=headers, verify=PLAIN)


FILE = ('name="file"; filename="a.txt"', b"content")


@pytest.fixture
def form(room: Room) -> dict:
    return room.open()["aws_prefixed_request_config"]


def test_a_posted_object_is_answered_with_204_and_nothing(room):
    response = room.post(room.open(), "a.txt")
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["ETag"]
    assert response.headers["Location"].endswith("/a.txt")


@pytest.mark.parametrize("name", ["ä🦊.txt", "a b?c#d.txt"])
def test_any_name_fits_into_the_answer(room, name):
    assert room.post(room.open(), name).status_code == 204


def test_objects_of_any_size_arrive_whole(room):
    session = room.open()
    sizes = [0, 1, 65_535, 65_536, 2**20 - 1, 2**20, 2**20 + 1, 5_000_000]
    for size in sizes:
        assert room.post(session, f"{size}.bin", b"\r\n--" * (size // 4) + b"x" * (size % 4)).status_code == 204
    room.close(session)
    room.wait(session)
    assert sorted(file["size"] for file in room.files()) == sizes[1:]
    for file in room.files():
        size = file["size"]
        assert room.download(file) == b"\r\n--" * (size // 4) + b"x" * (size % 4)


def test_an_error_is_xml_with_code_message_and_request_id(form):
    response = post_form(form["url"], form["fields"] | {"colour": "blue"}, "a.txt")
    error = ET.fromstring(response.content)
    assert error.tag == "Error"
    assert [element.tag for element in error] == ["Code", "Message", "RequestId", "HostId"]
    assert response.text.startswith('<?xml version="1.0" encoding="UTF-8"?>')


def test_a_field_the_policy_does_not_cover_is_403(form):
    response = post_form(form["url"], form["fields"] | {"Content-Type": "text/plain"}, "a.txt")
    assert code(response) == (403, "AccessDenied")
    assert "Extra input fields: content-type" in response.text


def test_fields_that_ask_to_be_ignored_are(form):
    assert post_form(form["url"], form["fields"] | {"x-ignore-me": "1"}, "a.txt").status_code == 204


@pytest.mark.parametrize("field", ["policy", "x-amz-signature"])
def test_one_flipped_byte_is_refused(form, field):
    value = form["fields"][field]
    middle = len(value) // 2
    flipped = value[:middle] + ("A" if value[middle] != "A" else "B") + value[middle + 1 :]
    response = post_form(form["url"], form["fields"] | {field: flipped}, "a.txt")
    assert code(response) == (403, "SignatureDoesNotMatch")


def test_a_policy_of_ones_own_is_refused(form):
    policy = json.loads(base64.b64decode(form["fields"]["policy"]))
    policy["conditions"][1] = ["starts-with", "$key", ""]
    forged = base64.b64encode(json.dumps(policy).encode()).decode()
    response = post_form(form["url"], form["fields"] | {"policy": forged, "key": "elsewhere"}, "a.txt")
    assert code(response) == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize(
    ("field", "value", "answer"),
    [
        ("x-amz-credential", "NOBODY/{rest}", (403, "InvalidAccessKeyId")),
        ("x-amz-credential", "nonsense", (400, "InvalidArgument")),
        ("x-amz-security-token", "other", (400, "InvalidToken")),
        ("x-amz-algorithm", "AWS4-HMAC-MD5", (400, "InvalidArgument")),
        ("x-amz-date", "20200101T000000Z", (400, "InvalidArgument")),
        ("policy", "not base64", (403, "SignatureDoesNotMatch")),
        ("key", "elsewhere/${filename}", (403, "AccessDenied")),
    ],
)
def test_a_changed_field_is_refused(form, field, value, answer):
    rest = form["fields"]["x-amz-credential"].partition("/")[2]
    response = post_form(
        form["url"],
        form["fields"] | {field: value.format(rest=rest)} if "{rest}" in value else form["fields"] | {field: value},
        "a.txt",
    )
    assert code(response) == answer


@pytest.mark.parametrize("field", ["key", "policy", "x-amz-credential", "x-amz-date", "x-amz-signature"])
def test_a_missing_field_is_refused(form, field):
    del form["fields"][field]
    assert code(post_form(form["url"], form["fields"], "a.txt")) == (403, "AccessDenied")


def test_the_form_is_good_until_the_session_expires(start, clock):
    room = start(clock=clock)
    session = room.open(expires_in_seconds=60)
    clock.now += 59
    assert room.post(session, "a.txt").status_code == 204
    clock.now += 1
    response = room.post(session, "b.txt")
    assert code(response) == (403, "AccessDenied")
    assert "Policy expired" in response.text


def _boto3_form(room, **options) -> dict:
    platform: Platform = room.server._platform
    credentials = platform.credentials
    s3 = boto3.client(
        "s3",
        region_name=REGION,
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret,
        aws_session_token=credentials.token,
        config=Config(signature_version="s3v4"),
    )
    session = room.open()["aws_prefixed_request_config"]
    key = session["fields"]["key"]
    made = s3.generate_presigned_post(BUCKET, key, **options)
    return {"url": session["url"], "fields": made["fields"]}


def test_a_form_made_by_boto3_is_accepted(start):
    form = _boto3_form(start())
    assert post_form(form["url"], form["fields"], "a.txt").status_code == 204


def test_a_form_made_by_boto3_for_other_conditions_is_held_to_them(start):
    form = _boto3_form(start(), Conditions=[["content-length-range", 5, 10]])
    assert code(post_form(form["url"], form["fields"], "a.txt", b"1234")) == (400, "EntityTooSmall")
    assert post_form(form["url"], form["fields"], "a.txt", b"12345").status_code == 204
    assert code(post_form(form["url"], form["fields"], "a.txt", b"1" * 11)) == (400, "EntityTooLarge")


@pytest.mark.parametrize("status", ["200", "201"])
def test_another_status_of_success_is_given_where_the_policy_covers_it(start, status):
    field = {"success_action_status": status}
    form = _boto3_form(start(), Fields=field, Conditions=[field])
    response = post_form(form["url"], form["fields"], "a.txt")
    assert response.status_code == int(status)
    if status == "201":
        answer = ET.fromstring(response.content)
        assert answer.tag == "PostResponse"
        assert answer.findtext("Key").endswith("/a.txt")


def test_another_status_of_success_is_refused_where_the_policy_does_not_cover_it(form):
    response = post_form(form["url"], form["fields"] | {"success_action_status": "201"}, "a.txt")
    assert code(response) == (403, "AccessDenied")


def test_another_bucket_and_another_method_are_refused(form):
    other = form["url"].replace(BUCKET, "other")
    assert code(post_form(other, form["fields"], "a.txt")) == (404, "NoSuchBucket")
    assert code(httpx.get(form["url"], verify=PLAIN)) == (405, "MethodNotAllowed")


def test_a_body_of_unknown_length_is_411(form):
    content = body(form["fields"], FILE)
    assert code(send(form["url"], iter([content]))) == (411, "MissingContentLength")


@pytest.mark.parametrize(
    ("parts", "end", "answer"),
    [
        ([FILE, ('name="after"', b"1")], None, (400, "MalformedPOSTRequest")),
        ([FILE, FILE], None, (400, "MalformedPOSTRequest")),
        ([], None, (400, "InvalidArgument")),
        ([('name="file"; filename=""', b"1")], None, (400, "InvalidArgument")),
        ([('filename="a.txt"', b"1")], None, (400, "MalformedPOSTRequest")),
        ([('name="file"; filename="\xff"', b"1")], None, (204, "")),
        ([FILE], b"", (400, "MalformedPOSTRequest")),
    ],
)
def test_a_form_must_be_whole_and_its_only_file_the_last_part(form, parts, end, answer):
    content = body(form["fields"], *parts) if end is None else body(form["fields"], *parts, end=end)
    response = send(form["url"], content)
    assert (response.status_code, "") == answer if response.status_code == 204 else code(response) == answer


def test_a_name_that_is_not_utf8_is_refused(form):
    content = body(form["fields"], ('name="file"; filename="X"', b"1")).replace(b'"X"', b'"\xff"')
    assert code(send(form["url"], content)) == (400, "MalformedPOSTRequest")


def test_what_is_no_form_is_refused(form):
    assert code(httpx.post(form["url"], json={}, verify=PLAIN)) == (400, "MalformedPOSTRequest")
    assert code(send(form["url"], b"nothing of the kind")) == (400, "MalformedPOSTRequest")


def test_too_much_form_data_is_refused(form):
    response = post_form(form["url"], {"x-ignore-me": "x" * 21_000} | form["fields"], "a.txt")
    assert code(response) == (400, "MaxPostPreDataLengthExceeded")


def test_a_key_over_1024_bytes_is_refused(room, form):
    prefix = len(form["fields"]["key"]) - len("${filename}")
    assert post_form(form["url"], form["fields"], "ä" * ((1024 - prefix) // 2)).status_code == 204
    response = post_form(form["url"], form["fields"], "ä" * ((1024 - prefix) // 2 + 1))
    assert code(response) == (400, "KeyTooLongError")


def test_an_object_over_the_limit_is_refused_with_both_sizes(start):
    form = start(choices=Choices(max_object_bytes=1000)).open()["aws_prefixed_request_config"]
    assert post_form(form["url"], form["fields"], "a.txt", b"x" * 1000).status_code == 204
    response = post_form(form["url"], form["fields"], "a.txt", b"x" * 1001)
    error = ET.fromstring(response.content)
    assert code(response) == (400, "EntityTooLarge")
    assert (error.findtext("ProposedSize"), error.findtext("MaxSizeAllowed")) == ("1001", "1000")


def test_an_object_certainly_over_the_limit_is_refused_before_it_is_sent(form):
    url = httpx.URL(form["url"])
    start_of_body = body(form["fields"], FILE, end=b"")
    head = (
        f"POST {url.path} HTTP/1.1\r\nHost: {url.host}\r\nContent-Length: {6 * 1024**3}\r\n"
        "Content-Type: multipart/form-data; boundary=limit\r\n\r\n"
    )
    with socket.create_connection((url.host, url.port), timeout=20) as client:
        client.sendall(head.encode() + start_of_body)
        assert client.recv(12) == b"HTTP/1.1 400"


def test_refusals_of_large_bodies_reach_clients_that_send_everything_first(form):
    response = post_form(form["url"], form["fields"] | {"colour": "blue"}, "a.txt", bytes(20_000_000))
    assert code(response) == (403, "AccessDenied")


def test_a_broken_connection_leaves_nothing(start, tmp_path: Path):
    room = start(data=tmp_path)
    session = room.open()
    form = session["aws_prefixed_request_config"]
    url = httpx.URL(form["url"])
    content = body(form["fields"], ('name="file"; filename="a.txt"', bytes(3_000_000)))
    head = (
        f"POST {url.path} HTTP/1.1\r\nHost: {url.host}\r\nContent-Length: {len(content)}\r\n"
        "Content-Type: multipart/form-data; boundary=limit\r\n\r\n"
    )
    with socket.create_connection((url.host, url.port)) as client:
        client.sendall(head.encode() + content[:-1000])
        until(lambda: len(list((tmp_path / "incoming").iterdir())) == 1)
    until(lambda: not list((tmp_path / "incoming").iterdir()))
    room.close(session)
    assert room.wait(session) == []


def test_an_object_is_replaced_only_by_a_whole_one(start, tmp_path: Path):
    room = start(data=tmp_path)
    session = room.open()
    form = session["aws_prefixed_request_config"]
    room.post(session, "a.txt", b"whole")
    assert (
        send(form["url"], body(form["fields"], ('name="file"; filename="a.txt"', b"half"), end=b"")).status_code == 400
    )
    room.close(session)
    room.wait(session)
    assert room.download(room.files()[0]) == b"whole"


def test_pages_of_any_origin_may_post_and_read_the_answer(form):
    preflight = httpx.options(
        form["url"],
        headers={
            "Origin": "http://localhost:8888",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-requested-with",
        },
        verify=PLAIN,
    )
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert preflight.headers["Access-Control-Allow-Methods"] == "POST"
    assert preflight.headers["Access-Control-Allow-Headers"] == "x-requested-with"
    for response in (post_form(form["url"], form["fields"], "a.txt"), post_form(form["url"], {}, "a.txt")):
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in response.headers


def test_only_the_bucket_is_open_to_pages(room):
    response = room.api.get(room.url("/files"), headers={"Origin": "http://localhost:8888"})
    assert "Access-Control-Allow-Origin" not in response.headers


def test_one_connection_carries_many_objects_also_after_a_refusal(form):
    with httpx.Client(verify=PLAIN, limits=httpx.Limits(max_connections=1)) as client:
        for number in range(20):
            extra = {"colour": "blue"} if number % 3 == 0 else {}
            response = client.post(form["url"], data=form["fields"] | extra, files={"file": (f"{number}.txt", b"1")})
            assert response.status_code == (403 if extra else 204)


def head_of(form: dict, content: bytes) -> bytes:
    url = httpx.URL(form["url"])
    return (
        f"POST {url.path} HTTP/1.1\r\nHost: {url.host}\r\nContent-Length: {len(content)}\r\n"
        "Content-Type: multipart/form-data; boundary=limit\r\n\r\n"
    ).encode()


@pytest.mark.parametrize("kept", [0, 10, -1000])
def test_a_sender_who_falls_silent_is_given_up_as_s3_does(start, tmp_path: Path, kept):
    room = start(data=tmp_path, idle_timeout_s=0.3)
    form = room.open()["aws_prefixed_request_config"]
    url = httpx.URL(form["url"])
    content = body(form["fields"], ('name="file"; filename="a.txt"', bytes(3_000_000)))
    with socket.create_connection((url.host, url.port), timeout=20) as client:
        client.sendall(head_of(form, content) + content[:kept])
        answer = b"".join(iter(lambda: client.recv(65_536), b""))  # to the end: the connection is closed
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"<Code>RequestTimeout</Code>" in answer
    assert list((tmp_path / "incoming").iterdir()) == []


def test_a_slow_sender_is_not_a_silent_one(start):
    room = start(idle_timeout_s=1.5)
    form = room.open()["aws_prefixed_request_config"]
    url = httpx.URL(form["url"])
    content = body(form["fields"], FILE)
    with socket.create_connection((url.host, url.port), timeout=20) as client:
        client.sendall(head_of(form, content))
        for begin in range(0, len(content), len(content) // 8):
            client.sendall(content[begin : begin + len(content) // 8])
            time.sleep(0.25)
        assert client.recv(12) == b"HTTP/1.1 204"


def test_a_redirect_reaches_clients_that_send_everything_first(start):
    room = start(faults=("redirect:1",))
    form = room.open()["aws_prefixed_request_config"]
    response = post_form(form["url"], form["fields"], "a.txt", bytes(20_000_000))
    assert code(response) == (307, "TemporaryRedirect")
    assert post_form(response.headers["Location"], form["fields"], "a.txt", bytes(20_000_000)).status_code == 204


def test_objects_posted_at_once_under_one_key_are_one_object_and_leave_one_blob(start, tmp_path: Path):
    room = start(data=tmp_path)
    session = room.open()
    with ThreadPoolExecutor(20) as clients:
        posts = [clients.submit(room.post, session, f"{n % 3}.txt", f"{n % 3}/{n}".encode()) for n in range(60)]
        assert {post.result().status_code for post in posts} == {204}
    assert len(list((tmp_path / "blobs").iterdir())) == 3
    room.close(session)
    assert sorted(name for name, _, _ in room.wait(session)) == ["0.txt", "1.txt", "2.txt"]
    assert all(room.download(file).startswith(file["name"][:1].encode() + b"/") for file in room.files())


def test_a_disk_that_takes_nothing_fails_this_object_and_no_other(start, tmp_path: Path):
    room = start(data=tmp_path)
    session = room.open()
    (tmp_path / "blobs").rename(tmp_path / "away")
    assert code(room.post(session, "a.txt")) == (500, "InternalError")
    (tmp_path / "away").rename(tmp_path / "blobs")
    assert room.post(session, "b.txt").status_code == 204
