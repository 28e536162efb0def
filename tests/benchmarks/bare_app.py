"""The least a Python web server can do for the same bytes: what the sandbox's throughput is compared with.

    python -m tests.benchmarks.bare_app     prints its port, answers until it is killed

It answers every GET with the body it was given in a PUT, and every POST with 204 once the request was read.
"""

from __future__ import annotations

import asyncio
import socket

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


class Bare:
    """Remembers one body, and keeps nothing of what is posted."""

    def __init__(self) -> None:
        self.body = b""

    async def __call__(self, request: Request) -> Response:
        if request.method == "GET":
            return Response(self.body, media_type="application/json")
        size, pieces = 0, []
        async for piece in request.stream():
            size += len(piece)
            if request.method == "PUT":
                pieces.append(piece)
        if request.method == "PUT":
            self.body = b"".join(pieces)
        return Response(status_code=204)


async def main() -> None:
    bare = Bare()
    app = Starlette(routes=[Route("/{path:path}", bare.__call__, methods=["GET", "POST", "PUT"])])
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(app, http="h11", ws="none", log_config=None, access_log=False)
    await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    asyncio.run(main())
