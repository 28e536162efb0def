"""Posting objects to a bucket, over real sockets."""

from __future__ import annotations

import asyncio
import email
import email.policy
import os
import threading
import tracemalloc
from collections.abc import Callable
from io import FileIO
from pathlib import Path

import httpx
import pytest
import stamina
import xxhash

from deepset_nb.client import Bucket
from deepset_nb.client.bucket_errors import form_expired
from deepset_nb.client.concurrency import CEILING, PROXY_CEILING, START, limit_for
from deepset_nb.client.fingerprint import fingerprint, fingerprint_of
from deepset_nb.errors import BucketError
from deepset_nb.models import AWSPrefixedRequestConfig

FIELDS = {
    "key": "org/workspace/session/${filename}",
    "x-amz-algorithm": "AWS4-HMAC-SHA256",
    "x-amz-credential": "ASIAEXAMPLE/20240501/eu-central-1/s3/aws4_request",
    "x-amz-security-token": "token-that-is-secret",
    "policy": "policy-that-is-secret",
    "x-amz-signature": "signature-that-is-secret",
}
STORED = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"
Answer = bytes | Callable[[asyncio.StreamReader, asyncio.StreamWriter, int], object]


def answer(status: int, code: str = "", message: str = "", headers: str = "") -> bytes:
    body = f'<?xml version="1.0"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>' if code else ""
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/xml\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return (head + body).encode()


class BucketServer:
    """A bucket on a socket: reads each form whole, then sends the next of its answers, then ``last``."""

    def __init__(self, *answers: Answer, last: Answer = STORED) -> None:
        self.answers, self.last = list(answers), last
        self.bodies: list[bytes] = []
        self.heads: list[bytes] = []
        self.connections = self.busy = self.most_busy = 0
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> BucketServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()
        await asyncio.sleep(0)

    def bucket(self, **options: object) -> Bucket:
        return Bucket(AWSPrefixedRequestConfig(self.url, FIELDS), **options)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.busy += 1
                self.most_busy = max(self.most_busy, self.busy)
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                reply = self.answers.pop(0) if self.answers else self.last
                if callable(reply):
                    reply = await reply(reader, writer, length)
                else:
                    body = await reader.readexactly(length)
                    self.heads.append(head)
                    self.bodies.append(body)
                writer.write(reply)
                await writer.drain()
                self.busy -= 1
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def parts(self, index: int = -1) -> list[tuple[str, str | None, str, bytes]]:
        head = self.heads[index].split(b"\r\n", 1)[1]
        message = email.message_from_bytes(head + self.bodies[index], policy=email.policy.HTTP)
        return [
            (
                part.get_param("name", header="content-disposition"),
                part.get_filename(),
                part.get_content_type(),
                part.get_payload(decode=True),
            )
            for part in message.iter_parts()
        ]


@pytest.fixture(autouse=True)
def without_waiting():
    """Retries happen at once."""
    with stamina.set_testing(True, attempts=5, cap=True):
        yield


def post(server: BucketServer, name="a.txt", source=b"content", size=None, **options) -> BucketServer:
    """Post one object to ``server``."""

    async def run() -> None:
        async with server, server.bucket() as bucket:
            await bucket.post(name, source, len(source) if size is None else size, **options)

    asyncio.run(run())
    return server


def refusal(server: BucketServer, **options) -> BucketError:
    with pytest.raises(BucketError) as caught:
        post(server, **options)
    return caught.value


def test_all_fields_go_before_the_file_in_their_order_and_nothing_is_added():
    parts = post(BucketServer()).parts()

    assert [(name, value.decode()) for name, _, _, value in parts[:-1]] == list(FIELDS.items())
    assert parts[-1] == ("file", "a.txt", "text/plain", b"content")


def test_the_request_has_a_length_and_no_key():
    head = post(BucketServer()).heads[0].lower()

    assert b"\r\ncontent-length: " in head
    assert b"\r\ncontent-type: multipart/form-data; boundary=" in head
    assert b"transfer-encoding" not in head
    assert b"authorization" not in head


@pytest.mark.parametrize(
    ("name", "wire"),
    [("naïve file.txt", "na%C3%AFve%20file.txt"), ('a"b\r\n.txt', "a_b__.txt"), ("50%.txt", "50_.txt")],
)
def test_the_file_name_is_encoded_as_the_platform_expects(name, wire):
    server = post(BucketServer(), name=name)

    assert b'name="file"; filename="%s"\r\n' % wire.encode() in server.bodies[0]


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 262_144, 262_145, 1_048_576, 2_500_000])
@pytest.mark.parametrize("on_disk", [True, False])
def test_content_of_any_size_arrives_as_it_is(tmp_path, size, on_disk):
    content = os.urandom(size)
    path = tmp_path / "data"
    path.write_bytes(content)
    sent: list[int] = []

    server = post(BucketServer(), source=path if on_disk else content, size=size, on_sent=sent.append)

    assert server.parts()[-1][3] == content
    assert sum(sent) == size


def test_progress_moves_while_a_large_file_is_sent():
    sent: list[int] = []

    post(BucketServer(), source=bytes(2_000_000), on_sent=sent.append)

    assert len(sent) > 4
    assert all(delta > 0 for delta in sent)


@pytest.mark.parametrize(
    "busy",
    [
        answer(500, "InternalError"),
        answer(502),
        answer(503, "SlowDown", "Please reduce your request rate."),
        answer(503, "SlowDown", headers="Retry-After: 1\r\n"),
        answer(504),
        answer(408),
        answer(429),
        answer(400, "RequestTimeout"),
        answer(400, "IncompleteBody"),
    ],
)
def test_a_busy_bucket_is_tried_again_and_the_bytes_are_counted_once(busy):
    sent: list[int] = []
    told: list[BucketError] = []

    server = post(BucketServer(busy, busy), on_sent=sent.append, on_retry=told.append)

    assert len(server.bodies) == 3
    assert sent == [7, -7, 7, -7, 7]
    assert [error.status for error in told] == [int(busy[9:12])] * 2


PERMANENT = [
    (400, "EntityTooLarge", "split"),
    (400, "EntityTooSmall", "leave it out"),
    (400, "ExpiredToken", "new session"),
    (400, "InvalidToken", "new session"),
    (400, "MalformedPOSTRequest", "alone"),
    (400, "InvalidPolicyDocument", "alone"),
    (400, "KeyTooLongError", "shorter"),
    (403, "AccessDenied", "new session"),
    (403, "SignatureDoesNotMatch", "proxy"),
    (403, "InvalidAccessKeyId", "new session"),
    (403, "RequestTimeTooSkewed", "clock"),
    (411, "MissingContentLength", "alone"),
    (412, "PreconditionFailed", "alone"),
]


@pytest.mark.parametrize(("status", "code", "remedy"), PERMANENT)
def test_what_the_bucket_refuses_for_good_is_sent_once_and_told_in_its_words(status, code, remedy):
    sent: list[int] = []
    server = BucketServer(answer(status, code, "Its own words &amp; more."))

    error = refusal(server, on_sent=sent.append)

    assert len(server.bodies) == 1
    assert (error.status, error.code) == (status, code)
    assert f"refused a.txt: {code}: Its own words & more" in error.message
    assert remedy in error.remedy
    assert sum(sent) == 0


def test_a_bucket_that_stays_busy_is_given_up_after_a_few_attempts():
    server = BucketServer(last=answer(503, "SlowDown", "Please reduce your request rate."))

    error = refusal(server)

    assert len(server.bodies) == 5
    assert (error.code, error.__suppress_context__) == ("SlowDown", True)


def test_a_proxys_page_is_no_html_in_the_message():
    page = b"<html><head><title>Blocked by policy</title></head></html>"
    reply = b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (len(page), page)

    error = refusal(BucketServer(reply))

    assert "Blocked by policy" in str(error)
    assert "<" not in str(error)


def test_fields_the_bucket_repeats_are_not_shown():
    words = 'Policy Condition failed: ["eq", "$x-amz-security-token", "token-that-is-secret"]'

    error = refusal(BucketServer(answer(403, "AccessDenied", words)))

    assert "Policy Condition failed" in str(error)
    assert "secret" not in str(error)


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, length: int) -> bytes:
    await reader.read(1000)
    writer.transport.abort()
    return b""


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, length: int) -> bytes:
    await reader.readexactly(length)
    raise ConnectionError


@pytest.mark.parametrize("breaks", [reset, hang_up])
def test_a_broken_connection_is_tried_again(breaks):
    sent: list[int] = []

    server = post(BucketServer(breaks, breaks), source=bytes(3_000_000), on_sent=sent.append)

    assert len(server.bodies) == 1
    assert sum(sent) == 3_000_000


def test_connections_that_keep_breaking_are_an_error_with_the_name():
    error = refusal(BucketServer(last=reset), name="b.txt", source=bytes(3_000_000))

    assert (error.status, error.code) == (0, "")
    assert "b.txt did not reach the bucket" in error.message


def test_nobody_at_the_address_is_an_error_without_the_address():
    async def run() -> None:
        async with BucketServer() as server:
            pass
        async with server.bucket() as bucket:
            await bucket.post("a.txt", b"x", 1)

    with pytest.raises(BucketError, match="cannot be reached") as caught:
        asyncio.run(run())

    assert "127.0.0.1" not in str(caught.value)


def test_a_silent_bucket_is_not_waited_for_without_end(monkeypatch):
    monkeypatch.setattr("deepset_nb.client.bucket._TIMEOUTS", {"connect": 5, "read": 0.1, "write": 5, "pool": None})

    async def silence(reader, writer, length):
        await reader.readexactly(length)
        await asyncio.sleep(30)

    assert "silent" in str(refusal(BucketServer(last=silence)))


def test_an_error_answer_that_never_ends_is_not_waited_for_without_end(monkeypatch):
    monkeypatch.setattr("deepset_nb.client.bucket._ANSWER_S", 0.1)

    async def drip(reader, writer, length):
        await reader.readexactly(length)
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    assert "did not end" in str(refusal(BucketServer(last=drip)))


def test_an_error_before_the_end_of_the_file_is_understood():
    async def early(reader, writer, length):
        writer.write(answer(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size"))
        await reader.readexactly(length)
        return b""

    assert refusal(BucketServer(early), source=bytes(3_000_000)).code == "EntityTooLarge"


def moved(url: str, status: int = 307) -> bytes:
    return answer(status, "TemporaryRedirect", "Please re-send", headers=f"Location: {url}\r\n")


def test_a_redirect_is_followed_with_the_whole_form_and_remembered():
    async def run() -> tuple[BucketServer, BucketServer, list[int]]:
        sent: list[int] = []
        async with BucketServer() as near, BucketServer() as far:
            far.last = moved(near.url)
            async with far.bucket() as bucket:
                await bucket.post("a.txt", b"first", 5, on_sent=sent.append)
                await bucket.post("b.txt", b"second", 6, on_sent=sent.append)
            return near, far, sent

    near, far, sent = asyncio.run(run())

    assert [near.parts(index)[-1][3] for index in (0, 1)] == [b"first", b"second"]
    assert len(near.parts(0)) == len(FIELDS) + 1
    assert len(far.bodies) == 1
    assert sent == [5, -5, 5, 6]


def test_a_remembered_address_that_fails_gives_way_to_the_first_one():
    async def run() -> tuple[int, int]:
        async with BucketServer(STORED, answer(503)) as near, BucketServer() as far:
            far.answers = [moved(near.url), STORED]
            async with far.bucket() as bucket:
                await bucket.post("a.txt", b"first", 5)
                await bucket.post("b.txt", b"second", 6)
            return len(near.bodies), len(far.bodies)

    assert asyncio.run(run()) == (2, 2)


def test_redirects_in_a_circle_end():
    async def run() -> None:
        async with BucketServer() as server:
            server.last = moved(server.url)
            async with server.bucket() as bucket:
                with pytest.raises(BucketError, match=r"redirected .* 4 times"):
                    await bucket.post("a.txt", b"x", 1)
            assert len(server.bodies) == 4

    asyncio.run(run())


@pytest.mark.parametrize(
    "location", ["http://bucket.example/", "ftp://bucket.example/", "file:///etc/passwd", "", None]
)
def test_the_form_is_not_sent_to_an_unsafe_address(location):
    asked: list[httpx.URL] = []

    def redirect(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(307, headers={} if location is None else {"Location": location})

    async def run() -> None:
        form = AWSPrefixedRequestConfig("https://bucket.example/", FIELDS)
        async with Bucket(form, transport=httpx.MockTransport(redirect)) as bucket:
            await bucket.post("a.txt", b"x", 1)

    with pytest.raises(BucketError):
        asyncio.run(run())
    assert {url.scheme for url in asked} == {"https"}


def change_while_sending(path, change) -> tuple[BucketServer, BucketError, list[int]]:
    sent: list[int] = []

    def on_sent(delta: int) -> None:
        if not sent:
            change(path)
        sent.append(delta)

    server = BucketServer()
    error = refusal(server, source=path, size=path.stat().st_size, on_sent=on_sent)
    return server, error, sent


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda path: os.truncate(path, 5_500_000), "ended after 5,500,000"),
        (lambda path: os.truncate(path, 8_000_000), "has 8,000,000 now"),
        (lambda path: os.utime(path, (1, 1)), "written to"),
    ],
)
def test_a_file_that_changes_while_it_is_sent_is_not_stored_and_not_tried_again(tmp_path, change, says):
    path = tmp_path / "log.txt"
    path.write_bytes(bytes(7_000_000))

    server, error, sent = change_while_sending(path, change)

    assert error.code == "FileChanged"
    assert says in error.message
    assert server.bodies == []
    assert server.connections == 1
    assert sum(sent) == 0


def test_a_file_that_changed_since_the_plan_is_not_sent(tmp_path):
    path = tmp_path / "log.txt"
    path.write_bytes(b"longer than planned")

    error = refusal(BucketServer(), source=path, size=5)

    assert (error.code, "it had 5 bytes and has 19 now" in error.message) == ("FileChanged", True)


def test_a_file_that_vanished_is_the_systems_own_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        post(BucketServer(), source=tmp_path / "gone", size=1)


def test_many_posts_share_a_few_connections_that_stay_open():
    async def run() -> BucketServer:
        async with BucketServer() as server, server.bucket(connections=3) as bucket:
            await asyncio.gather(*[bucket.post(f"{number}.txt", b"x" * 1000, 1000) for number in range(60)])
            return server

    server = asyncio.run(run())

    assert len(server.bodies) == 60
    assert server.connections <= 3
    assert server.most_busy <= 3


def test_a_connection_the_bucket_closed_while_idle_is_replaced():
    async def run() -> BucketServer:
        async with BucketServer() as server, server.bucket(connections=1) as bucket:
            for number in range(3):
                await bucket.post(f"{number}.txt", b"x", 1)
                server._writers[-1].close()
                await asyncio.sleep(0.01)
            return server

    server = asyncio.run(run())

    assert (len(server.bodies), server.connections) == (3, 3)


def test_a_cancelled_post_takes_its_bytes_back_and_frees_its_connection():
    sent: list[int] = []

    async def run() -> BucketServer:
        started = asyncio.Event()

        async def slow(reader, writer, length):
            started.set()
            await asyncio.sleep(30)

        async with BucketServer(slow) as server, server.bucket(connections=1) as bucket:
            task = asyncio.create_task(bucket.post("a.txt", bytes(30_000_000), 30_000_000, on_sent=sent.append))
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert sum(sent) == 0
            await asyncio.wait_for(bucket.post("b.txt", b"x", 1), 10)
            return server

    assert len(asyncio.run(run()).bodies) == 1


def test_a_file_is_not_closed_under_a_read_that_a_cancelled_post_leaves_behind(tmp_path, monkeypatch):
    path = tmp_path / "on a slow disk"
    path.write_bytes(bytes(100_000))
    reading, go_on, files = threading.Event(), threading.Event(), []

    class SlowFile(FileIO):
        def read(self, size=-1):
            files.append(self)
            reading.set()
            assert go_on.wait(10)
            return super().read(size)

    monkeypatch.setattr("deepset_nb.client.bucket.FileIO", SlowFile)

    async def run() -> bool:
        async with BucketServer() as server, server.bucket() as bucket:
            task = asyncio.create_task(bucket.post("a.txt", path, 100_000))
            await asyncio.to_thread(reading.wait, 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(task, 1)
            closed_under_the_read = files[0].closed
            go_on.set()
            return closed_under_the_read

    assert asyncio.run(run()) is False
    assert files[0].closed


def test_memory_does_not_grow_with_the_file(tmp_path):
    path = tmp_path / "large"
    path.touch()
    os.truncate(path, 100 << 20)

    async def drain(reader, writer, length):
        while length:
            length -= len(await reader.read(1 << 20))
        return STORED

    tracemalloc.start()
    try:
        post(BucketServer(drain), source=path, size=100 << 20)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 16 << 20


def test_many_large_files_at_a_time_hold_little_in_memory(tmp_path):
    paths = [tmp_path / f"{number}" for number in range(100)]
    for path in paths:
        path.touch()
        os.truncate(path, 8 << 20)

    async def slow_drain(reader, writer, length):
        while length:
            length -= len(await reader.read(1 << 18))
            await asyncio.sleep(0.001)
        return STORED

    async def run() -> None:
        limit_for("127.0.0.1").limit = len(paths)
        async with BucketServer(last=slow_drain) as server, server.bucket() as bucket:
            await asyncio.gather(*[bucket.post(path.name, path, 8 << 20) for path in paths])
            assert server.most_busy > 90

    tracemalloc.start()
    try:
        asyncio.run(run())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 100 << 20  # of 800 MiB; the server's share included


# -- fingerprints ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 524_289, 3_000_000])
@pytest.mark.parametrize("form", [bytes, str, Path])
def test_a_post_returns_the_fingerprint_of_what_was_stored(tmp_path, size, form):
    content = os.urandom(size)
    path = tmp_path / "data"
    path.write_bytes(content)

    async def run() -> str:
        async with BucketServer(answer(503)) as server, server.bucket() as bucket:
            return await bucket.post("a.txt", content if form is bytes else form(path), size)

    expected = xxhash.xxh3_128(content).hexdigest()
    assert asyncio.run(run()) == fingerprint(content) == fingerprint_of(path) == expected


# -- when only a fresh session helps -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "message", "expired"),
    [
        (400, "ExpiredToken", "The provided token has expired.", True),
        (400, "InvalidToken", "The provided token is malformed or otherwise invalid.", True),
        (403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", True),
        (403, "AccessDenied", "Invalid according to Policy: Policy expired.", True),
        (403, "AccessDenied", "Request has expired", True),
        (403, "AccessDenied", "Access Denied", False),
        (403, "AccessDenied", "Invalid according to Policy: Policy Condition failed: [...]", False),
        (403, "SignatureDoesNotMatch", "The request signature we calculated does not match", False),
        (400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", False),
        (503, "SlowDown", "Please reduce your request rate.", False),
    ],
)
def test_a_form_that_has_expired_is_told_from_other_refusals(status, code, message, expired):
    error = refusal(BucketServer(last=answer(status, code, message)), name="expired.txt")

    assert form_expired(error) is expired


# -- connections, and how many -----------------------------------------------------------------------------------------


def test_a_kept_connection_the_bucket_gave_up_costs_no_attempt_and_no_turn():
    told: list[BucketError] = []
    sent: list[int] = []

    async def run() -> tuple[BucketServer, int]:
        async with BucketServer(STORED, hang_up) as server, server.bucket() as bucket:
            await bucket.post("a.txt", b"x", 1)
            await bucket.post("b.txt", b"content", 7, on_sent=sent.append, on_retry=told.append)
            return server, bucket._limit.limit

    server, limit = asyncio.run(run())

    assert len(server.bodies) == 2
    assert sum(sent) == 7
    assert told == []
    assert limit == START


def test_trouble_halves_the_limit_of_everybody_who_posts_to_the_host():
    async def run() -> tuple[int, int]:
        async with BucketServer(answer(503)) as server, server.bucket() as bucket, server.bucket() as other:
            await bucket.post("a.txt", b"x", 1)
            return bucket._limit.limit, other._limit.limit

    assert asyncio.run(run()) == (START // 2, START // 2)


def test_a_refusal_for_good_is_no_trouble():
    async def run() -> int:
        async with BucketServer(last=answer(403, "AccessDenied")) as server, server.bucket() as bucket:
            with pytest.raises(BucketError):
                await bucket.post("a.txt", b"x", 1)
            return bucket._limit.limit + bucket._limit.busy

    assert asyncio.run(run()) == START


def test_when_the_bucket_names_a_wait_other_posts_wait_as_well():
    async def run() -> float:
        loop = asyncio.get_running_loop()
        busy = answer(503, "SlowDown", headers="Retry-After: 1\r\n")
        async with BucketServer(busy) as server, server.bucket() as bucket, server.bucket() as other:
            told = asyncio.Event()
            first = asyncio.create_task(bucket.post("a.txt", b"x", 1, on_retry=lambda error: told.set()))
            await told.wait()
            began = loop.time()
            await other.post("b.txt", b"x", 1)
            await first
            return loop.time() - began

    assert asyncio.run(run()) > 0.7


def test_more_posts_go_at_a_time_where_the_answers_take_long():
    async def late(reader, writer, length):
        await reader.readexactly(length)
        await asyncio.sleep(0.1)
        return STORED

    async def run() -> BucketServer:
        async with BucketServer(last=late) as server, server.bucket() as bucket:
            names = iter(range(400))

            async def work() -> None:
                for number in names:
                    await bucket.post(f"{number}.txt", b"x", 1)

            await asyncio.gather(*[work() for _ in range(bucket.workers)])
            return server

    assert asyncio.run(run()).most_busy > 60


def test_workers_are_as_many_as_can_be_on_their_way(monkeypatch):
    async def run(**options: object) -> int:
        async with BucketServer() as server, server.bucket(**options) as bucket:
            return bucket.workers

    assert asyncio.run(run()) == CEILING
    assert asyncio.run(run(connections=1)) == 1

    monkeypatch.setattr("deepset_nb.client.bucket.proxy_for", lambda url: "http://proxy.example:3128")
    assert asyncio.run(run()) == PROXY_CEILING
    assert asyncio.run(run(connections=3)) == 3
