"""A gateway before the sandbox: it keeps what clients ask, and answers in the sandbox's place where told to."""

from __future__ import annotations

import contextlib
import http.client
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "date", "server"}


@dataclass
class Request:
    """What a client asked."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def is_to_bucket(self) -> bool:
        """Whether it is an object of an upload session."""
        return self.path.startswith("/bucket/")


@dataclass
class Answer:
    """What the gateway says itself."""

    status: int
    body: str | bytes = ""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Break:
    """What becomes of an answer under way: only its first bytes arrive.

    Attributes:
        after: How many bytes of the body.
        how: The connection is reset, or closed as if that were all, or stays silent until `Front.release` is set.
    """

    after: int
    how: Literal["reset", "end", "hold"] = "reset"


class Front:
    """A gateway; the sandbox makes the bucket's address from ours, so that objects come here, too.

    Attributes:
        api_url: Its address.
        requests: What was asked, in order.
        breaks: Says which answers do not arrive whole.
        sent: Bytes of bodies that went to clients, by path.
        release: Ends the silence of answers that are held.
    """

    def __init__(self, api_url: str, rule: Callable[[Request], Answer | None]) -> None:
        """Stand before ``api_url``; what ``rule`` has no answer for is passed on."""
        parts = urlsplit(api_url)
        front = self
        self.requests: list[Request] = []
        self.rule = rule
        self.breaks: Callable[[Request], Break | None] = lambda request: None
        self.sent: Counter[str] = Counter()
        self.release = threading.Event()
        self.target = (parts.hostname or "", parts.port or 80)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_any(self) -> None:
                front.handle(self)

            do_GET = do_POST = do_PUT = do_DELETE = do_any  # noqa: N815  the names http.server looks for

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.api_url = f"http://127.0.0.1:{self._server.server_address[1]}{parts.path}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Go away."""
        self.release.set()
        self._server.shutdown()
        self._server.server_close()

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request, or pass it on."""
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        request = Request(handler.command, handler.path, dict(handler.headers), body)
        self.requests.append(request)
        answer = self.rule(request) or self.passed_on(request)
        status, headers = answer.status, answer.headers
        content = answer.body.encode() if isinstance(answer.body, str) else answer.body
        handler.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP:
                handler.send_header(name, value)
        if status != 204:
            handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        broken = self.breaks(request)
        content = content if broken is None else content[: broken.after]
        self.sent[request.path] += len(content)
        with contextlib.suppress(OSError):  # the client may be gone
            handler.wfile.write(content)
        if broken is not None:
            self.break_off(handler, broken)

    def break_off(self, handler: BaseHTTPRequestHandler, broken: Break) -> None:
        """End the connection in the middle of an answer."""
        if broken.how == "hold":
            self.release.wait(60)
        if broken.how == "reset":
            time.sleep(0.05)  # a reset throws away what the other side has not read yet
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.close_connection = True

    def passed_on(self, request: Request) -> Answer:
        """What the sandbox itself says."""
        connection = http.client.HTTPConnection(*self.target, timeout=60)
        connection.request(request.method, request.path, request.body, request.headers)
        response = connection.getresponse()
        answer = Answer(response.status, response.read(), tuple(response.getheaders()))
        connection.close()
        return answer


@contextlib.contextmanager
def front(api_url: str, rule: Callable[[Request], Answer | None] = lambda request: None) -> Iterator[Front]:
    """A gateway while the block runs."""
    gateway = Front(api_url, rule)
    try:
        yield gateway
    finally:
        gateway.close()


def refusal(code: str, status: int, message: str, *headers: tuple[str, str]) -> Answer:
    """What a bucket answers when it refuses an object."""
    xml = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Answer(status, xml, (("Content-Type", "application/xml"), *headers))


def once(answer: Answer, when: Callable[[Request], bool], times: int = 1) -> Callable[[Request], Answer | None]:
    """A rule for the first requests that fit."""
    left, lock = times, threading.Lock()

    def rule(request: Request) -> Answer | None:
        nonlocal left
        with lock:
            if left and when(request):
                left -= 1
                return answer
        return None

    return rule
