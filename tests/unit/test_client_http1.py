"""The transport to the bucket, over real sockets."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from deepset_nb.client.http1 import Http1Transport
from deepset_nb.client.http1_answer import Answer
from deepset_nb.client.http1_connection import KEEPALIVE_S, StaleConnection

OK = b"HTTP/1.1 204 No Content\r\n\r\n"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Hands each connection to ``serve``; counts them, and how many are open."""

    def __init__(self, serve: Serve, tls: ssl.SSLContext | None = None) -> None:
        self._serve, self._tls = serve, tls
        self.connections = self.open = 0
        self.gone = asyncio.Event()

    async def __aenter__(self) -> Server:
        self._server = await asyncio.start_server(self._handle, "127.0.0.1", 0, ssl=self._tls)
        scheme = "https" if self._tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        try:
            await self._serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            self.open -= 1
            self.gone.set()
            writer.close()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return head + await reader.readexactly(length)


def always(*parts: bytes, close: bool = False) -> Serve:
    """Answer each request with ``parts``, each in a packet of its own."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_request(reader)
            for part in parts:
                writer.write(part)
                await asyncio.sleep(0.01 if len(parts) > 1 else 0)
            if close:
                return

    return serve


def request(url: str, content: bytes | AsyncIterator[bytes] = b"form", length: int = 4, **timeouts: float):
    limits = {"connect": 5.0, "read": 5.0, "write": 5.0, "pool": None} | timeouts
    headers = {"Host": "bucket", "Content-Length": str(length)}
    return httpx.Request("POST", url, headers=headers, content=content, extensions={"timeout": limits})


async def ask(transport: Http1Transport, url: str, *args: object, **options: float) -> tuple[int, bytes]:
    response = await transport.handle_async_request(request(url, *args, **options))
    await response.aread()
    await response.aclose()
    return response.status_code, response.content


def answers(serve: Serve, times: int = 2) -> tuple[list[tuple[int, bytes]], int]:
    """What so many requests, one after the other, are answered with, and over how many connections."""

    async def run() -> tuple[list[tuple[int, bytes]], int]:
        async with Server(serve) as server, Http1Transport() as transport:
            return [await ask(transport, server.url) for _ in range(times)], server.connections

    return asyncio.run(run())


# -- answers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parts",
    [
        [b"HTTP/1.1 403 X\r\nContent-Length: 5\r\n\r\nsorry"],
        [b"HTTP/1.1 403 X\r\ncontent-length:5\r\nConnection: keep-alive\r\n\r\nsorry"],
        [b"HTTP/1.1 403 X\r\nContent-Length: 5\r\n\r\n", b"so", b"rry"],
        [b"HTTP/1.1 4", b"03 X\r\nContent-Len", b"gth: 5\r\n\r\nsorry"],
        [b"HTTP/1.1 403 X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nso\r\n3\r\nrry\r\n0\r\n\r\n"],
        [b"HTTP/1.1 403 X\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nso\r\n", b"3\r\nrry\r\n0\r\n\r\n"],
        [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 403 X\r\nContent-Length: 5\r\n\r\nsorry"],
        [b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 403 X\r\nContent-Length: 5\r\n\r\nsorry"],
    ],
)
def test_an_answer_is_read_however_it_comes_and_the_connection_kept(parts):
    assert answers(always(*parts)) == ([(403, b"sorry")] * 2, 1)


@pytest.mark.parametrize(
    "answer", [OK, b"HTTP/1.1 204\r\nETag: x\r\n\r\n", b"HTTP/1.1 201 C\r\nContent-Length: 0\r\n\r\n"]
)
def test_an_answer_without_a_body_ends_with_its_head(answer):
    (first, _), connections = answers(always(answer))

    assert (first[1], connections) == (b"", 1)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 403 X\r\n\r\nsorry",
        b"HTTP/1.0 403 X\r\nContent-Length: 5\r\n\r\nsorry",
        b"HTTP/1.1 403 X\r\nConnection: close\r\nContent-Length: 5\r\n\r\nsorry",
    ],
)
def test_a_server_that_closes_after_each_answer_gets_a_connection_for_each_request(answer):
    assert answers(always(answer, close=True), 3) == ([(403, b"sorry")] * 3, 3)


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nsorry",
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nContent-Length: 5\r\n\r\nsorry",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nNo colon\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nso",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        b"",
    ],
)
def test_what_is_no_whole_answer_is_an_error(answer):
    with pytest.raises(httpx.TransportError):
        answers(always(answer, close=True), 1)


def test_more_than_the_answer_ends_the_connection():
    two = b"HTTP/1.1 200 A\r\nContent-Length: 0\r\n\r\n"

    _, connections = answers(always(two + two), 2)

    assert connections == 2


def test_an_answer_without_end_is_not_collected_while_nobody_reads_it():
    async def run() -> int:
        sent = 0

        async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal sent
            await read_request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                writer.write(bytes(1 << 16))
                await writer.drain()
                sent += 1 << 16

        async with Server(flood) as server, Http1Transport() as transport:
            response = await transport.handle_async_request(request(server.url))
            await asyncio.sleep(0.5)
            unread = sum(connection._answer.unread for connection in transport._open)
            await response.aclose()
            await asyncio.wait_for(server.gone.wait(), 5)
            assert sent > unread
            return unread

    assert asyncio.run(run()) < 1 << 20


def test_bytes_after_the_answer_end_the_connection_although_it_was_plain():
    answer = Answer()
    answer.receive(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert answer.keep_alive

    answer.receive(b"HTTP/1.1 204 No Content\r\n\r\n")

    assert not answer.keep_alive


@pytest.mark.parametrize("cut", range(1, 60))
def test_an_answer_means_the_same_wherever_it_is_cut(cut):
    whole = b"HTTP/1.1 503 Slow Down\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbusy"
    plain, cut_up = Answer(), Answer()

    plain.receive(whole)
    cut_up.receive(whole[:cut])
    assert not cut_up.complete
    cut_up.receive(whole[cut:])

    assert cut_up.complete
    assert httpx.Headers(plain.head[1]) == httpx.Headers(cut_up.head[1])
    assert (plain.head[0], plain.keep_alive, plain.take()) == (503, True, b"busy")
    assert (cut_up.head[0], cut_up.keep_alive, cut_up.take()) == (503, True, b"busy")


# -- requests ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"), [("X-A", "1\r\nX-B: 2"), ("X-A", "1\n"), ("X A", "1"), ("X-A:", "1"), ("X-A", "\x00")]
)
def test_a_header_cannot_begin_another(name, value):
    sent = request("http://127.0.0.1:9/")
    sent.headers[name] = value

    async def run() -> None:
        async with Http1Transport() as transport:
            await transport.handle_async_request(sent)

    with pytest.raises(httpx.LocalProtocolError):
        asyncio.run(run())


def test_a_small_request_is_one_packet():
    async def run() -> bytes:
        first: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            first.append(await reader.read(1 << 16))
            writer.write(OK)

        async with Server(serve) as server, Http1Transport() as transport:
            await ask(transport, server.url)
        return first[0]

    packet = asyncio.run(run())

    assert packet.startswith(b"POST / HTTP/1.1\r\n")
    assert packet.endswith(b"\r\n\r\nform")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "ws://127.0.0.1/"])
def test_other_schemes_are_refused(url):
    async def run() -> None:
        async with Http1Transport() as transport:
            await transport.handle_async_request(request(url))

    with pytest.raises(httpx.UnsupportedProtocol):
        asyncio.run(run())


class Pieces(httpx.AsyncByteStream):
    """A body in pieces; counts how many were asked for."""

    def __init__(self, number: int, size: int = 1 << 18) -> None:
        self.number, self.size, self.asked, self.gone = number, size, 0, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for number in range(1, self.number + 1):
            self.asked = number
            yield bytes(self.size)
        self.gone = True


def large(url: str, pieces: Pieces, **timeouts: float) -> httpx.Request:
    return request(url, pieces, pieces.number * pieces.size, **timeouts)


def test_an_answer_before_the_end_stops_the_sending_and_is_delivered():
    pieces = Pieces(4000)

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 400 X\r\nContent-Length: 9\r\n\r\ntoo large")
        await asyncio.sleep(30)

    async def run() -> tuple[int, bytes, int]:
        async with Server(refuse) as server, Http1Transport() as transport:
            response = await transport.handle_async_request(large(server.url, pieces))
            content = await response.aread()
            assert not any(transport._idle.values())  # half a form went over it: it takes no other request
            return response.status_code, content, server.connections

    assert asyncio.run(run()) == (400, b"too large", 1)
    assert pieces.asked < 100


def test_what_was_not_taken_before_the_answer_does_not_count_as_sent():
    pieces = Pieces(1, 24 << 20)  # more than the system's own buffers take

    async def accept_too_early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        reader._transport.pause_reading()
        await asyncio.sleep(30)

    async def run() -> None:
        async with Server(accept_too_early) as server, Http1Transport() as transport:
            await transport.handle_async_request(large(server.url, pieces))

    asyncio.run(run())

    assert not pieces.gone


def test_a_reset_in_the_middle_of_the_body_is_an_error_at_once():
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1 << 16)
        writer.transport.abort()

    async def run() -> None:
        async with Server(reset) as server, Http1Transport() as transport:
            await asyncio.wait_for(transport.handle_async_request(large(server.url, Pieces(4000))), 5)

    with pytest.raises((httpx.NetworkError, httpx.RemoteProtocolError)) as caught:
        asyncio.run(run())

    assert not isinstance(caught.value, StaleConnection)


def test_a_kept_connection_that_was_given_up_is_told_apart_and_the_next_is_new():
    async def run() -> int:
        async def only_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            writer.write(OK)
            if server.connections <= 2:
                await read_request(reader)  # takes the next one and goes away
            else:
                await asyncio.sleep(30)

        async with Server(only_one) as server, Http1Transport() as transport:
            await asyncio.gather(ask(transport, server.url), ask(transport, server.url))
            with pytest.raises(StaleConnection):
                await ask(transport, server.url)
            await ask(transport, server.url)  # not over the other, which is as old
            return server.connections

    assert asyncio.run(run()) == 3


def test_a_new_connection_that_is_closed_without_an_answer_is_not_called_stale():
    with pytest.raises(httpx.RemoteProtocolError) as caught:
        answers(always(b"", close=True), 1)

    assert not isinstance(caught.value, StaleConnection)


def test_a_connection_that_rested_too_long_is_not_used_again(monkeypatch):
    async def run() -> int:
        async with Server(always(OK)) as server, Http1Transport() as transport:
            await ask(transport, server.url)
            loop, time = asyncio.get_running_loop(), asyncio.get_running_loop().time
            monkeypatch.setattr(loop, "time", lambda: time() + KEEPALIVE_S + 1)
            await ask(transport, server.url)
            return server.connections

    assert asyncio.run(run()) == 2


def test_words_that_come_unasked_end_a_resting_connection():
    async def run() -> int:
        async def tells_of_a_timeout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await read_request(reader)
            writer.write(OK)
            await asyncio.sleep(0.02)
            writer.write(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
            await asyncio.sleep(30)

        async with Server(tells_of_a_timeout) as server, Http1Transport() as transport:
            first = await ask(transport, server.url)
            await asyncio.sleep(0.1)
            assert await ask(transport, server.url) == first == (204, b"")
            return server.connections

    assert asyncio.run(run()) == 2


# -- silence -----------------------------------------------------------------------------------------------------------


def test_a_server_that_takes_nothing_is_given_up():
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reader._transport.pause_reading()
        await asyncio.sleep(30)

    async def run() -> None:
        async with Server(deaf) as server, Http1Transport() as transport:
            await transport.handle_async_request(large(server.url, Pieces(400), write=0.2))

    with pytest.raises(httpx.WriteTimeout):
        asyncio.run(run())


def test_a_slow_uplink_is_not_silence():
    size = 24 << 20  # more than the system's own buffers take

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        left = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        while left:
            left -= len(await reader.read(1 << 18))
            await asyncio.sleep(0.01)
        writer.write(OK)

    async def run() -> tuple[int, float]:
        async with Server(slow) as server, Http1Transport() as transport:
            began = asyncio.get_running_loop().time()
            response = await transport.handle_async_request(large(server.url, Pieces(1, size), write=0.3))
            return response.status_code, asyncio.get_running_loop().time() - began

    status, took_s = asyncio.run(run())

    assert status == 204
    assert took_s > 0.6  # one write took longer than the bound on silence


def test_a_server_that_answers_nothing_is_given_up():
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    async def run() -> None:
        async with Server(silent) as server, Http1Transport() as transport:
            await transport.handle_async_request(request(server.url, read=0.1))

    with pytest.raises(httpx.ReadTimeout):
        asyncio.run(run())


def test_nobody_at_the_address_is_told_without_the_address():
    async def run() -> None:
        async with Server(always(OK)) as server:
            pass
        async with Http1Transport() as transport:
            await transport.handle_async_request(request(server.url))

    with pytest.raises(httpx.ConnectError, match="Connection refused") as caught:
        asyncio.run(run())

    assert "127.0.0.1" not in str(caught.value)


# -- cancelling and closing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pieces", [1, 4000])
def test_a_cancelled_request_closes_its_connection(pieces):
    async def run() -> int:
        arrived = asyncio.Event()

        async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1000)
            arrived.set()
            await asyncio.sleep(0.05)
            while await reader.read(1 << 20):
                pass

        async with Server(slow) as server, Http1Transport() as transport:
            task = asyncio.create_task(transport.handle_async_request(large(server.url, Pieces(pieces))))
            await arrived.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.wait_for(server.gone.wait(), 5)
            return server.open + len(transport._open)

    assert asyncio.run(run()) == 0


def test_closing_the_transport_closes_what_rests():
    async def run() -> tuple[int, int]:
        async with Server(always(OK)) as server:
            async with Http1Transport() as transport:
                await asyncio.gather(*[ask(transport, server.url) for _ in range(5)])
                kept = server.open
            await asyncio.sleep(0.05)
            return kept, server.open

    kept, left = asyncio.run(run())

    assert kept > 0
    assert left == 0


# -- TLS ---------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A file with a key and a certificate for 127.0.0.1 that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bucket")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def over_tls(certificate, serve: Serve, *requests: Callable[[str], httpx.Request]) -> tuple[list[int], int]:
    async def run() -> tuple[list[int], int]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        async with Server(serve, context) as server, Http1Transport() as transport:
            statuses = [(await transport.handle_async_request(make(server.url))).status_code for make in requests]
            return statuses, server.connections

    return asyncio.run(run())


def test_over_tls_small_and_large_bodies_share_a_connection(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    statuses, connections = over_tls(certificate, always(OK), request, lambda url: large(url, Pieces(40)), request)

    assert statuses == [204, 204, 204]
    assert connections == 1


def test_over_tls_an_answer_before_the_end_is_delivered(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 400 X\r\nContent-Length: 0\r\n\r\n")
        await asyncio.sleep(30)

    assert over_tls(certificate, refuse, lambda url: large(url, Pieces(4000)))[0] == [400]


def test_a_certificate_nobody_vouches_for_is_refused(certificate):
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        over_tls(certificate, always(OK), request)
