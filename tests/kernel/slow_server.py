"""An HTTP server that counts the requests it is serving, and reads their bodies slowly."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import uvicorn

PAUSE_S = 0.02


class SlowServer:
    """Answers 200 when it has read the body.

    Attributes:
        active: Requests being served now.
        aborted: Requests whose client went away.
        finished: Requests answered.
    """

    def __init__(self) -> None:
        self.active = self.aborted = self.finished = 0
        config = uvicorn.Config(self._app, port=0, log_level="error", lifespan="off", ws="none", interface="asgi3")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> SlowServer:
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(10)

    @property
    def url(self) -> str:
        host, port = self._server.servers[0].sockets[0].getsockname()[:2]
        return f"http://{host}:{port}/"

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        self.active += 1
        try:
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    self.aborted += 1
                    return
                more = message["more_body"]
                await asyncio.sleep(PAUSE_S)
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
            await send({"type": "http.response.body", "body": b"ok"})
            self.finished += 1
        finally:
            self.active -= 1
