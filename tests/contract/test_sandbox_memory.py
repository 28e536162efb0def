"""A large object passes through the sandbox without staying in it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading

import httpx
import psutil

from deepset_nb.emulator import Connection
from tests.contract.rooms import Room, api_client

GIB = 1024**3
MIB = 1024**2
SERVE = "from deepset_nb.emulator import SandboxConfig, serve; serve(SandboxConfig(corpus=False))"


def test_an_object_of_2_gib_moves_the_servers_memory_by_less_than_64_mib():
    with subprocess.Popen([sys.executable, "-c", SERVE], stdout=subprocess.PIPE) as process:
        try:
            connection = Connection(**json.loads(process.stdout.readline()))
            with api_client(connection) as api:
                room = Room(api, connection.workspace)
                session = room.open()
                room.post(session, "warm-up.bin", bytes(5 * MIB))
                with Peak(process.pid) as peak:
                    status = _post_zeros(session["aws_prefixed_request_config"], 2 * GIB)
                assert status == b"HTTP/1.1 204"
                assert peak.risen < 64 * MIB
                room.close(session)
                room.wait(session)
                assert room.files(name="big.bin")[0]["size"] == 2 * GIB
        finally:
            process.terminate()
    assert process.returncode == 0


class Peak:
    """The most resident memory of a process within a block, above what it had before."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.risen = 0

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            self.risen = max(self.risen, self._process.memory_info().rss - self._before)

    def __enter__(self) -> Peak:
        self._before = self._process.memory_info().rss
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._done.set()
        self._thread.join()


def _post_zeros(form: dict, size: int) -> bytes:
    """A generated stream over a plain socket: no client library between the buffer and the server."""
    url = httpx.URL(form["url"])
    parts = "".join(
        f'--limit\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in form["fields"].items()
    )
    before = (parts + '--limit\r\nContent-Disposition: form-data; name="file"; filename="big.bin"\r\n\r\n').encode()
    after = b"\r\n--limit--\r\n"
    head = (
        f"POST {url.path} HTTP/1.1\r\nHost: {url.host}\r\nContent-Length: {len(before) + size + len(after)}\r\n"
        "Content-Type: multipart/form-data; boundary=limit\r\n\r\n"
    ).encode()
    zeros = memoryview(bytes(4 * MIB))
    with socket.create_connection((url.host, url.port), timeout=60) as client:
        client.sendall(head + before)
        for _ in range(size // len(zeros)):
            client.sendall(zeros)
        client.sendall(after)
        return client.recv(12)
