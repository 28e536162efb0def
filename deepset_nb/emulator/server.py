"""Running the sandbox: in a thread beside a notebook, or as a process of its own."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import errno
import json
import signal
import socket
import sys
import threading
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from deepset_nb.errors import SandboxError

from .app import create_app
from .config import SandboxConfig
from .platform import Platform
from .seed import make_room

HOST = "127.0.0.1"
KEEP_ALIVE_S = 75  # longer than clients keep theirs: no request meets a closing connection
GRACE_S = 1.0  # what requests in progress get to finish when the sandbox stops


@dataclass(frozen=True)
class Connection:
    """How to reach a running sandbox; both keys are left out of the repr."""

    api_url: str
    api_key: str = field(repr=False)
    workspace: str
    admin_key: str = field(repr=False)


class SandboxServer:
    """A sandbox in a daemon thread, on 127.0.0.1.

    Example:
        >>> server = SandboxServer(SandboxConfig())
        >>> server.start().workspace
        'sandbox'
        >>> server.stop()

    Args:
        config: How to set it up.
    """

    def __init__(self, config: SandboxConfig) -> None:
        """Nothing runs before `start`."""
        self._config = config
        self._platform: Platform | None = None
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None
        self._changing = threading.Lock()
        self._connection: Connection | None = None

    def start(self) -> Connection:
        """Serve, and return once requests are answered; a running sandbox is left as it is.

        Raises:
            SandboxError: The port is taken, or the data folder in use or of another version.
            InputError: A fault in the configuration is unknown.
        """
        with self._changing:
            if self._connection is not None:
                return self._connection
            listener = _listen(self._config.port)
            try:
                app = create_app(self._config)
            except BaseException:
                listener.close()
                raise
            self._platform = platform = app.state.platform
            self._server = server = _Server(app)
            self._thread = threading.Thread(target=server.run_on, args=(listener,), name="sandbox", daemon=True)
            self._thread.start()
            server.ready.wait()
            if not server.started:
                platform.close()
                raise SandboxError("The sandbox's web server did not start.", "Its log has the reason.")
            atexit.register(self.stop)
            self._connection = Connection(
                api_url=f"http://{HOST}:{listener.getsockname()[1]}/api/v1",
                api_key=platform.api_key,
                workspace=self._config.workspace,
                admin_key=platform.admin_key,
            )
            return self._connection

    def stop(self) -> None:
        """Stop serving, close the data, remove a temporary folder. Calling it again does nothing."""
        with self._changing:
            if self._server is None or self._thread is None or self._platform is None:
                return
            self._platform.closing = True
            self._server.stop()
            self._thread.join()
            self._platform.close()
            self._server = self._thread = self._platform = self._connection = None
            atexit.unregister(self.stop)

    def add_workspace(self, name: str) -> None:
        """Make a room of one's own, with the example documents if so configured; an existing one is left as it is."""
        if self._platform is None:
            raise SandboxError("The sandbox is not running.", "Start it first.")
        make_room(self._platform, name)


def serve(config: SandboxConfig) -> None:
    """Serve until SIGTERM or SIGINT, in the main thread.

    The first line of standard output is a JSON object with ``api_url``, ``api_key``, ``workspace`` and
    ``admin_key``, written once the sandbox answers.

    Raises:
        SandboxError: The port is taken, or the data folder in use or of another version.
        InputError: A fault in the configuration is unknown.
    """
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()

    server = SandboxServer(config)
    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        connection = server.start()
        # Whoever started us is told the keys here and nowhere else.
        sys.stdout.write(
            json.dumps(
                {
                    "api_url": connection.api_url,
                    "api_key": connection.api_key,
                    "workspace": connection.workspace,
                    "admin_key": connection.admin_key,
                }
            )
            + "\n"
        )
        sys.stdout.flush()
        while not stopped.wait(1):  # a bounded wait, so that signals are seen on every system
            pass
    finally:
        server.stop()
        for number, handler in before.items():
            signal.signal(number, handler)


class _Protocol(H11Protocol):
    """Lets the bucket's faults reach the connection a request came on, and ends one on which none comes."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.app_state = {**self.app_state, "connection": transport}
        super().connection_made(transport)
        # uvicorn starts this only after the first answer; it is stopped when data comes.
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)


class _Server(uvicorn.Server):
    def __init__(self, app: Any) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=_Protocol,
                ws="none",
                lifespan="on",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=10,
            )
        )
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def run_on(self, listener: socket.socket) -> None:
        """The thread's life: serve on an already bound socket until told to stop."""
        try:
            with asyncio.Runner() as runner:
                self._loop = runner.get_loop()
                runner.run(self.serve(sockets=[listener]))
        finally:
            self.ready.set()  # whoever waits for a start that failed

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    def stop(self) -> None:
        """From any thread: end, giving requests in progress a moment; then their connections are cut."""
        self.should_exit = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._loop.call_later, GRACE_S, self._cut)

    def _cut(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for task in list(self.server_state.tasks):
            task.cancel()


def _listen(port: int) -> socket.socket:
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it every answer takes 40 ms longer.
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    if sys.platform != "win32":  # there it would let two servers share a port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise SandboxError(
            f"The sandbox cannot listen on port {port} of {HOST}: {error.strerror}.",
            "Stop what uses it, or pass another port; 0 takes a free one.",
        ) from None
    return listener
