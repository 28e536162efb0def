"""How much the sandbox answers: listings and bucket objects per second, beside a bare web server in the same run.

    python -m tests.benchmarks.sandbox_load [--rounds 5] [--connections 10] [--seconds 1.5]

Both servers are processes of their own; the client is a loop over plain sockets, so that it costs little itself.
Rounds alternate between the two, and the median of each is stated with their ratio: on another machine, or a busy
one, the ratio stays while the numbers move.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx

SERVE = "from deepset_nb.emulator import SandboxConfig, serve; serve(SandboxConfig(corpus=False))"
FILES = 100  # of the listing
OBJECT_BYTES = 4096


@contextlib.contextmanager
def running(*command: str) -> Iterator[str]:
    """The first line of a process that ends with the block."""
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline()
        finally:
            process.terminate()


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    """Send one request and read its whole answer."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
    if length:
        await reader.readexactly(int(length))
    return head[9:12]


async def rate(port: int, request: bytes, expected: bytes, *, connections: int, seconds: float) -> float:
    """Requests per second of ``connections`` clients, each asking as soon as it was answered."""
    began = time.perf_counter()

    async def client() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        done = 0
        while time.perf_counter() < began + seconds:
            status = await exchange(reader, writer, request)
            assert status == expected, status
            done += 1
        writer.close()
        return done

    done = await asyncio.gather(*(client() for _ in range(connections)))
    return sum(done) / (time.perf_counter() - began)


def get(path: str, key: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Bearer {key}\r\n\r\n".encode()


def post(path: str, content_type: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: sandbox\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def prepare(connection: dict[str, str]) -> tuple[dict[str, bytes], bytes]:
    """Fill a workspace; the two requests to repeat, and the listing's body."""
    with httpx.Client(headers={"Authorization": f"Bearer {connection['api_key']}"}, trust_env=False) as api:
        files = f"{connection['api_url']}/workspaces/{connection['workspace']}/files"
        for number in range(FILES):
            meta = json.dumps({"topic": "rivers", "number": number})
            parts = {"file": (f"report {number}.txt", b"text"), "meta": (None, meta)}
            api.post(files, files=parts).raise_for_status()
        listing = api.get(files, params={"limit": 100})
        sessions = files.removesuffix("files") + "upload_sessions"
        form = api.post(sessions, json={}).raise_for_status().json()["aws_prefixed_request_config"]
        parts = {"file": ("object.bin", bytes(OBJECT_BYTES), "text/plain")}
        posted = httpx.Request("POST", form["url"], data=form["fields"], files=parts)
    posted.read()
    requests = {
        "listing": get(f"{listing.request.url.raw_path.decode()}", connection["api_key"]),
        "objects": post(posted.url.path, posted.headers["Content-Type"], posted.content),
    }
    return requests, listing.content


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=1.5)
    options = parser.parse_args()
    with running("-c", SERVE) as line, running("-m", "tests.benchmarks.bare_app") as bare_line:
        connection = json.loads(line)
        ports = {"sandbox": httpx.URL(connection["api_url"]).port or 0, "bare": int(bare_line)}
        requests, listing = prepare(connection)
        httpx.put(f"http://127.0.0.1:{ports['bare']}/", content=listing, trust_env=False).raise_for_status()
        for what, expected in (("listing", b"200"), ("objects", b"204")):
            rates: dict[str, list[float]] = {"sandbox": [], "bare": []}
            for _ in range(options.rounds):
                for name, port in ports.items():
                    measured = rate(
                        port, requests[what], expected, connections=options.connections, seconds=options.seconds
                    )
                    rates[name].append(asyncio.run(measured))
            sandbox, bare = (statistics.median(rates[name]) for name in ("sandbox", "bare"))
            detail = f"{FILES} files, {len(listing):,} bytes" if what == "listing" else f"{OBJECT_BYTES:,} bytes each"
            print(
                f"{what:8} {sandbox:7,.0f}/s   bare Starlette {bare:7,.0f}/s   ratio {sandbox / bare:.2f}   ({detail})"
            )


if __name__ == "__main__":
    main()
