"""A platform that is never the bottleneck: it counts what is posted and remembers names and sizes.

    python -m tests.benchmarks.drain [--delay-ms 20] [--core 0] [--files 100000]

It prints its port and answers until it is killed; with ``--files`` so many are listed from the start.

HTTP/1.1 read by hand on uvloop. The body of a large object goes through one buffer that all connections share and is
never looked at. A delay holds back the answer to each object, as distance does. ``GET /drain`` tells what passed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from dataclasses import dataclass, field

import uvloop

from tests.benchmarks import drain_api
from tests.benchmarks.drain_api import WORKSPACE
from tests.benchmarks.forms import Incomplete, document_of, object_of
from tests.benchmarks.platform_memory import SIDECAR, Memory

WHOLE = 64 << 10  # a body up to here is looked at whole
REASONS = {200: b"OK", 201: b"Created", 204: b"No Content"}
STORED = b"HTTP/1.1 204 No Content\r\n\r\n"
DIRECT = f"/api/v1/workspaces/{WORKSPACE}/files"


@dataclass
class Counts:
    """What passed through the bucket, on the drain's clock."""

    posts: int = 0
    bytes: int = 0
    requests: int = 0
    connections: int = 0
    most_connections: int = 0
    first: float = 0.0
    last: float = 0.0
    cpu: float = field(default_factory=time.process_time)

    def as_dict(self) -> dict[str, float]:
        return vars(self) | {"cpu": time.process_time() - self.cpu}


class Drain:
    """What all connections share."""

    def __init__(self, delay_s: float) -> None:
        self.delay_s = delay_s
        self.memory = Memory()
        self.counts = Counts()
        self.scratch = memoryview(bytearray(1 << 20))
        self.address = ""


class Connection(asyncio.BufferedProtocol):
    """One client's connection: a request is read, answered, and the next one read."""

    transport: asyncio.Transport

    def __init__(self, drain: Drain) -> None:
        self.drain = drain
        self.kept = b""  # of a request not yet understood
        self.skip = 0  # bytes of a large object still to come
        self.waiting = False  # whether an answer is being held back
        self.posts = False  # whether objects came this way

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def connection_lost(self, error: Exception | None) -> None:
        self.drain.counts.connections -= self.posts

    def get_buffer(self, hint: int) -> memoryview:
        return self.drain.scratch

    def buffer_updated(self, count: int) -> None:
        if self.skip > count:
            self.skip -= count
            return
        data = self.drain.scratch[self.skip : count]
        if self.skip:
            self.skip = 0
            self._stored()
        self.kept += data
        self._read()

    def _read(self) -> None:
        while self.kept and not self.waiting and not self.skip:
            end = self.kept.find(b"\r\n\r\n") + 4
            if end < 4:
                return
            line, _, headers = self.kept[:end].lower().partition(b"\r\n")
            try:
                length = _length(headers)
                if length <= WHOLE and len(self.kept) - end < length:
                    return
                method, target, _ = self.kept[: len(line)].decode("ascii").split(" ")
                body = self.kept[end : end + length]
                if method == "POST" and target.startswith("/bucket/"):
                    self._object(target, body, length)
                elif length > WHOLE:
                    raise drain_api.Refused(413, "The drain takes large bodies in the bucket only.")
                else:
                    self._request(method, target, headers, body)
            except Incomplete:
                return
            except drain_api.Refused as refused:
                self._reply(*refused.reply)
                self.kept = b""
                self.transport.close()
                return
            self.kept = self.kept[end + length :]

    def _object(self, target: str, body: bytes, length: int) -> None:
        session = self.drain.memory.sessions.get(target.rpartition("/")[2])
        if session is None:
            raise drain_api.Refused(403, "There is no such session.")
        name, start, size = object_of(body, length)
        session.sizes[name] = size
        if name.endswith(SIDECAR) and length <= WHOLE:
            session.sidecars[name] = body[start : start + size]
        counts = self.drain.counts
        counts.first = counts.first or time.monotonic()
        counts.bytes += size
        if not self.posts:
            self.posts = True
            counts.connections += 1
            counts.most_connections = max(counts.connections, counts.most_connections)
        self.skip = length - len(body)
        if not self.skip:
            self._stored()

    def _stored(self) -> None:
        if self.drain.delay_s:
            self.waiting = True
            asyncio.get_running_loop().call_later(self.drain.delay_s, self._say_stored)
        else:
            self._say_stored()

    def _say_stored(self) -> None:
        self.drain.counts.posts += 1
        self.drain.counts.last = time.monotonic()
        self.transport.write(STORED)
        if self.waiting:
            self.waiting = False
            self._read()

    def _request(self, method: str, target: str, headers: bytes, body: bytes) -> None:
        if target == "/drain":
            return self._reply(200, json.dumps(self.drain.counts.as_dict()).encode())
        self.drain.counts.requests += 1
        if b"authorization: bearer " not in headers:
            raise drain_api.Refused(401, "There is no key.")
        if method == "POST" and target.partition("?")[0] == DIRECT:
            file_id = self.drain.memory.add(*document_of(body))
            return self._reply(201, json.dumps({"file_id": file_id}).encode())
        return self._reply(*drain_api.answer(self.drain.memory, self.drain.address, method, target, body))

    def _reply(self, status: int, body: bytes) -> None:
        if status == 204:
            return self.transport.write(STORED)
        reason = REASONS.get(status, b"Refused")
        head = b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        return self.transport.write(head % (status, reason, len(body)) + body)


def _length(headers: bytes) -> int:
    """Content-Length; the bucket wants one, and nobody sends pieces to the API."""
    if b"transfer-encoding:" in headers:
        raise drain_api.Refused(411, "The drain wants a Content-Length.")
    value = headers.partition(b"content-length:")[2].partition(b"\r\n")[0]
    return int(value or 0)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--core", type=int)
    parser.add_argument("--files", type=int, default=0, help="files that are listed from the start")
    options = parser.parse_args()
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    drain = Drain(options.delay_ms / 1000)
    for number in range(options.files):
        meta = b'{"topic": "rivers", "number": %d}' % number
        drain.memory.add(f"report-{number:07}.txt", 1024 + number, meta)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(drain), "127.0.0.1", 0, backlog=512)
    port = server.sockets[0].getsockname()[1]
    drain.address = f"http://127.0.0.1:{port}"
    print(port, flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
