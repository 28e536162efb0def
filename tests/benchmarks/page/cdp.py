"""A browser driven over its DevTools protocol and nothing more.

A test library would watch the network of each page, and every frame of a websocket would then be copied, coded and
sent to it: uploads become five times slower. Here nothing is watched that is not asked for.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import websocket  # comes with jupyter_server

from tests.process import end_with_parent
from tests.tools import find_chromium

ARGUMENTS = (
    "--headless",
    "--no-sandbox",  # root in a container
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
    "--window-size=1280,900",
)
START_LIMIT_S = 60.0
STOP_LIMIT_S = 10.0
LIMIT_S = 60.0
LOOK_S = 0.02


class PageError(Exception):
    """The browser could not do what it was asked; the text is the browser's."""


class Browser:
    """One chromium with a private profile and one page; use it as a context manager."""

    def __enter__(self) -> Self:
        """Start it."""
        if (chromium := find_chromium()) is None:
            raise PageError("no browser: install chromium, or put its path into $CHROMIUM")
        self._profile = Path(tempfile.mkdtemp(prefix="benchmark-browser-"))
        self.process = subprocess.Popen(
            [chromium, *ARGUMENTS, f"--user-data-dir={self._profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=end_with_parent,
        )
        try:
            self.page = Page(self._address())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """End it and remove its profile."""
        with contextlib.suppress(PageError, OSError, websocket.WebSocketException):
            self.page.send("Browser.close")
        self.page.close()
        self._end()

    def _address(self) -> str:
        told = self._profile / "DevToolsActivePort"
        end = time.monotonic() + START_LIMIT_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise PageError(f"the browser ended while it started, with {self.process.returncode}")
            with contextlib.suppress(OSError, LookupError, StopIteration, ValueError):
                port = int(told.read_text().split()[0])
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=10) as answer:
                    targets = json.load(answer)
                return str(next(one["webSocketDebuggerUrl"] for one in targets if one["type"] == "page"))
            time.sleep(LOOK_S)
        raise PageError(f"the browser had no page after {START_LIMIT_S:.0f} s")

    def _end(self) -> None:
        try:
            self.process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self._profile, ignore_errors=True)


class Page:
    """One page: commands are sent and answered one after the other."""

    def __init__(self, address: str) -> None:
        self._socket = websocket.create_connection(address, timeout=LIMIT_S, skip_utf8_validation=True)
        self._sent = 0
        # Without it the application believes that its window is not looked at, and has no current notebook.
        self.send("Emulation.setFocusEmulationEnabled", enabled=True)

    def send(self, method: str, *, limit_s: float = LIMIT_S, **params: Any) -> dict[str, Any]:
        """One command of the protocol; its result."""
        self._sent += 1
        self._socket.settimeout(limit_s)
        try:
            self._socket.send(json.dumps({"id": self._sent, "method": method, "params": params}))
            while (answer := json.loads(self._socket.recv())).get("id") != self._sent:
                pass  # an event, or the answer to a command that nobody waits for any more
        except websocket.WebSocketTimeoutException:
            raise PageError(f"{method}: no answer in {limit_s:.0f} s") from None
        if "error" in answer:
            raise PageError(f"{method}: {answer['error'].get('message')}")
        return dict(answer["result"])

    def close(self) -> None:
        """Hang up; the page stays."""
        self._socket.close()

    def goto(self, url: str) -> None:
        self.send("Page.navigate", url=url)

    def evaluate(self, expression: str, limit_s: float = LIMIT_S) -> Any:
        """The value of an expression; a promise is awaited."""
        return self._evaluated(expression, limit_s, returnByValue=True).get("value")

    def call(self, function: str, *arguments: object, limit_s: float = LIMIT_S) -> Any:
        """What a function of the page returns; arguments and result pass as JSON."""
        return self.evaluate(f"({function})(...{json.dumps(arguments)})", limit_s)

    def until(self, expression: str, limit_s: float = LIMIT_S) -> None:
        """Wait until an expression is true; while it raises it is not."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            with contextlib.suppress(PageError):
                if self.evaluate(f"!!({expression})"):
                    return
            time.sleep(LOOK_S)
        raise PageError(f"not within {limit_s:.0f} s: {expression}")

    def choose(self, element: str, files: Sequence[Path]) -> None:
        """Choose files in the file input that ``element``, an expression, gives."""
        found = self._evaluated(element, LIMIT_S)
        if "objectId" not in found:
            raise PageError(f"no element: {element}")
        self.send("DOM.setFileInputFiles", files=[str(file) for file in files], objectId=found["objectId"])

    def _evaluated(self, expression: str, limit_s: float, **options: Any) -> dict[str, Any]:
        answer = self.send(
            "Runtime.evaluate", limit_s=limit_s, expression=expression, awaitPromise=True, userGesture=True, **options
        )
        if thrown := answer.get("exceptionDetails"):
            raise PageError(thrown.get("exception", {}).get("description") or thrown.get("text", "it threw"))
        return dict(answer["result"])
