"""The limit: the same forms through plain sockets, with nothing around them.

Small objects are made before the clock starts; large ones are read from their files in pieces of 1 MiB while they are
sent, by one thread per connection. Opening and closing the session is not counted.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import uvloop

from tests.benchmarks.forms import form_around, request_head
from tests.benchmarks.own_process import Conversation

PIECE = 1 << 20
STORED = b"HTTP/1.1 204"


class Poster(asyncio.Protocol):
    """One connection: a form, its answer, the next form."""

    transport: asyncio.Transport

    def __init__(self, forms: Iterator[bytes]) -> None:
        self.forms = forms
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self._next()

    def data_received(self, data: bytes) -> None:
        if data.startswith(STORED) and data.endswith(b"\r\n\r\n"):
            self._next()
        else:
            self._end(RuntimeError(data[:100]))

    def connection_lost(self, error: Exception | None) -> None:
        self._end(ConnectionError("the drain hung up"))

    def _next(self) -> None:
        form = next(self.forms, None)
        if form is None:
            self._end(None)
        else:
            self.transport.write(form)

    def _end(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error) if error else self.done.set_result(None)
            self.transport.close()


async def post_small(forms: list[bytes], connections: int, host: str, port: int) -> None:
    left, loop = iter(forms), asyncio.get_running_loop()
    opening = (loop.create_connection(lambda: Poster(left), host, port) for _ in range(connections))
    posters = [poster for _, poster in await asyncio.gather(*opening)]
    await asyncio.gather(*(poster.done for poster in posters))


def post_large(files: list[tuple[Path, bytes, bytes]], connections: int, host: str, port: int) -> None:
    left, lock, errors = iter(files), threading.Lock(), []

    def worker() -> None:
        buffer = memoryview(bytearray(PIECE))
        try:
            with socket.create_connection((host, port)) as sock:
                while True:
                    with lock:
                        path, before, after = next(left, (None, b"", b""))
                    if path is None:
                        return
                    sock.sendall(before)
                    with path.open("rb", buffering=0) as file:
                        while count := file.readinto(buffer):
                            sock.sendall(buffer[:count])
                    sock.sendall(after)
                    assert sock.recv(4096).startswith(STORED)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=worker) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def main() -> None:
    conversation = Conversation()
    order = conversation.order
    account = order["account"]
    key = {"Authorization": f"Bearer {account['api_key']}"}
    with httpx.Client(base_url=account["api_url"], headers=key, trust_env=False) as api:
        opened = api.post(f"/workspaces/{account['workspace_name']}/upload_sessions", json={}).raise_for_status()
    form = opened.json()["aws_prefixed_request_config"]
    url = urlsplit(form["url"])
    paths = sorted(path for path in Path(order["folder"]).rglob("*") if path.is_file())
    connections = min(order["connections"], len(paths))
    small, large = [], []
    for path in paths:
        before, after = form_around(form["fields"], quote(path.name))
        size = path.stat().st_size
        before = request_head(url.netloc, url.path, len(before) + size + len(after)) + before
        if size <= PIECE // 2:
            small.append(before + path.read_bytes() + after)
        else:
            large.append((path, before, after))
    where = (url.hostname or "", url.port or 80)
    clock = conversation.ready()
    if small:
        uvloop.run(post_small(small, connections, *where))
    if large:
        post_large(large, connections, *where)
    conversation.say(clock.stop(failed=0))


if __name__ == "__main__":
    main()
