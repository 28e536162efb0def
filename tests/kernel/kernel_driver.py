"""A real Jupyter kernel, driven over zmq the way a front end drives it.

    kernel.run_cell("1 + 1")                     -> Outcome(text="2", error=None)
    first, second = kernel.queue_cells(a, b)     "Run All"; then kernel.finish(first, second)
    kernel.wait_for(lambda: ...)                 reads messages until the condition holds
    kernel.interrupt()                           the stop button
    kernel.send_comm(comm_id, {"n": 1})          a widget's model.send() in the browser
    kernel.comm_messages(comm_id)                what Python sent to that widget

Nothing is read in the background: messages are collected, in their order, while one of these waits.
"""

from __future__ import annotations

import ast
import functools
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import zmq
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30.0
PORT_TAKEN = "Address already in use"  # by another process, after ours was chosen and before the kernel has it
LAUNCH = ["-m", "ipykernel_launcher"]
LAUNCH_ON_UVLOOP = [
    "-c",
    "import uvloop; uvloop.install(); from ipykernel.kernelapp import launch_new_instance as f; f()",
]

T = TypeVar("T")
Message = dict[str, Any]


class Outcome(NamedTuple):
    """What a cell showed."""

    text: str
    error: str | None


@dataclass
class Cell:
    """A cell that was sent to the kernel."""

    kernel: Kernel
    msg_id: str

    def messages(self, *types: str) -> list[Message]:
        """What the kernel published on behalf of this cell, so far."""
        return [
            message
            for message in self.kernel.messages
            if message["parent_header"].get("msg_id") == self.msg_id and message["msg_type"] in types
        ]

    @property
    def finished(self) -> bool:
        """Whether the kernel has replied and everything it published has arrived."""
        idle = any(message["content"]["execution_state"] == "idle" for message in self.messages("status"))
        return idle and bool(self.messages("execute_reply"))

    @property
    def text(self) -> str:
        """Streams, displays and result, as plain text."""
        parts = []
        for message in self.messages("stream", "display_data", "execute_result"):
            content = message["content"]
            parts.append(content["text"] if "text" in content else content["data"].get("text/plain", ""))
        return "".join(parts).strip()

    @property
    def error(self) -> str | None:
        """``Name: message`` of the exception the cell ended with."""
        errors = [message["content"] for message in self.messages("error")]
        return f"{errors[-1]['ename']}: {errors[-1]['evalue']}" if errors else None


class _Manager(KernelManager):
    """Starts the interpreter that runs the tests, whatever kernels are installed for the user."""

    launch: Sequence[str] = LAUNCH

    @property
    def kernel_spec(self) -> KernelSpec:
        return KernelSpec(argv=[sys.executable, *self.launch, "-f", "{connection_file}"], display_name="test")


class Kernel:
    """A kernel process and the sockets to it."""

    def __init__(self, folder: Path, *, uvloop: bool = False) -> None:
        """Name the folder for the connection file, IPython's profile and the log."""
        self.folder = folder
        self.messages: list[Message] = []
        self._launch = LAUNCH_ON_UVLOOP if uvloop else LAUNCH
        self._manager = self._of_new_ports()
        self._log = folder / "kernel.log"
        self._sockets: dict[str, zmq.Socket[bytes]] = {}
        self._poller = zmq.Poller()

    def start(self) -> Kernel:
        """Start the process and wait until it answers."""
        self._start_process()
        # What is published before our subscription reaches the kernel is lost, so ask until an answer comes that way.
        deadline = time.monotonic() + 2 * PATIENCE_S
        while not any(message["msg_type"] == "status" for message in self.messages):
            assert time.monotonic() < deadline, f"the kernel does not start: {self.log}"
            if info := self._ask_who_it_is():
                self.info = info
                self._read(0.5)
            else:
                self.close()  # without its port it ends, or hangs on its way out
                self._manager = self._of_new_ports()
                self._start_process()
        return self

    def _ask_who_it_is(self) -> Message | None:
        """What it says of itself; None where another process took a port of it."""
        # One question at a time: before 7.4 ipykernel may overlook what comes while it sends a reply.
        # https://github.com/ipython/ipykernel/issues/1554
        request = self._send("shell", "kernel_info_request", {})
        self.wait_for(lambda: self._reply(request) or PORT_TAKEN in self.log, 2 * PATIENCE_S)
        reply = self._reply(request)
        return reply and reply["content"]

    def _of_new_ports(self) -> _Manager:
        manager = _Manager(connection_file=str(self.folder / "kernel.json"))
        manager.launch = self._launch
        return manager

    def _start_process(self) -> None:
        env = dict(os.environ, IPYTHONDIR=str(self.folder), PYDEVD_DISABLE_FILE_VALIDATION="1")
        env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        env.pop("PYTEST_CURRENT_TEST", None)  # ipykernel does not capture file descriptors where it sees this
        with self._log.open("wb") as log:
            self._manager.start_kernel(env=env, cwd=str(self.folder), stdout=log, stderr=log)
        for channel in ("iopub", "shell", "control"):
            socket = getattr(self._manager, f"connect_{channel}")()
            self._sockets[channel] = socket
            self._poller.register(socket, zmq.POLLIN)

    # -- cells

    def run_cell(self, code: str, timeout: float = PATIENCE_S) -> Outcome:
        """Run one cell to its end."""
        return self.finish(*self.queue_cells(code), timeout=timeout)[0]

    def queue_cells(self, *codes: str) -> list[Cell]:
        """Send cells at once, as Run All does; a failing one does not stop the rest."""
        content = {"silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": False}
        return [Cell(self, self._send("shell", "execute_request", {"code": code, **content})) for code in codes]

    def finish(self, *cells: Cell, timeout: float = PATIENCE_S) -> list[Outcome]:
        """Wait until the cells have ended."""
        self.wait_for(lambda: all(cell.finished for cell in cells), timeout)
        return [Outcome(cell.text, cell.error) for cell in cells]

    def interrupt(self) -> None:
        """The stop button."""
        self._manager.interrupt_kernel()

    # -- widgets

    def send_comm(
        self, comm_id: str, content: Any, *, buffers: Sequence[bytes] = (), subshell_id: str | None = None
    ) -> str:
        """Send what ``model.send(content, undefined, buffers)`` in the browser sends; the message's id."""
        data = {"method": "custom", "content": content}
        return self._send("shell", "comm_msg", {"comm_id": comm_id, "data": data}, buffers, subshell_id)

    def send_state(self, comm_id: str, state: dict[str, Any], *, subshell_id: str | None = None) -> str:
        """Send what ``model.set(...); model.save_changes()`` in the browser sends; the message's id."""
        data = {"method": "update", "state": state, "buffer_paths": []}
        return self._send("shell", "comm_msg", {"comm_id": comm_id, "data": data}, (), subshell_id)

    def comm_messages(self, comm_id: str) -> list[Any]:
        """The custom messages Python sent to a widget."""
        found = [m["content"] for m in self.messages if m["msg_type"] == "comm_msg"]
        mine = [content["data"] for content in found if content["comm_id"] == comm_id]
        return [data["content"] for data in mine if data["method"] == "custom"]

    def comm_state(self, comm_id: str) -> dict[str, Any]:
        """A widget's traits as the browser sees them: the opening state and all updates since."""
        state: dict[str, Any] = {}
        for message in self.messages:
            if message["msg_type"] in ("comm_open", "comm_msg") and message["content"]["comm_id"] == comm_id:
                state.update(message["content"]["data"].get("state", {}))
        return state

    @functools.cached_property
    def version(self) -> tuple[int, ...]:
        """Of ipykernel."""
        return tuple(ast.literal_eval(self.run_cell("import ipykernel; ipykernel.version_info[:3]").text))

    @property
    def supports_subshells(self) -> bool:
        """Whether front ends send clicks of a widget past the running cell (ipykernel >= 7)."""
        return "kernel subshells" in self.info.get("supported_features", [])

    def create_subshell(self) -> str:
        """What JupyterLab does when the first widget of a kernel appears; the subshell's id."""
        request = self._send("control", "create_subshell_request", {})
        reply = self.wait_for(lambda: self._reply(request))
        return str(reply["content"]["subshell_id"])

    # -- waiting and the end

    def wait_for(self, condition: Callable[[], T], timeout: float = PATIENCE_S) -> T:
        """Read messages until the condition holds; what it returned."""
        deadline = time.monotonic() + timeout
        while not (value := condition()):
            if time.monotonic() > deadline:
                shown = [(m["channel"], m["msg_type"], m["content"]) for m in self.messages[-15:]]
                raise AssertionError(f"still waiting after {timeout:g} s; last messages: {shown}; log: {self.log}")
            self._read(0.05)
        return value

    @property
    def log(self) -> str:
        """What the process wrote to stdout and stderr past Jupyter."""
        return self._log.read_text() if self._log.exists() else ""

    @property
    def complaints(self) -> str:
        """Everything on stderr: of the process, and of the cells."""
        streams = [m["content"] for m in self.messages if m["msg_type"] == "stream"]
        return self.log + "".join(content["text"] for content in streams if content["name"] == "stderr")

    def shutdown(self, *, restart: bool = False) -> None:
        """Shut the kernel down in the orderly way, as closing the notebook does; reads what it says last."""
        if self._sockets:
            request = self._send("control", "shutdown_request", {"restart": restart})
            self.wait_for(lambda: self._reply(request) or not self._manager.is_alive())
            self.wait_for(lambda: not self._manager.is_alive())
            while self._read(0.2):
                pass
        self.close()

    def close(self) -> None:
        """End the process, if need be by force, and close the sockets."""
        for socket in self._sockets.values():
            self._poller.unregister(socket)
            socket.close(linger=0)
        self._sockets.clear()
        if self._manager.has_kernel:
            self._manager.shutdown_kernel(now=True)

    def _send(
        self,
        channel: str,
        msg_type: str,
        content: dict[str, Any],
        buffers: Sequence[bytes] = (),
        subshell_id: str | None = None,
    ) -> str:
        session = self._manager.session
        header = session.msg_header(msg_type)
        if subshell_id is not None:
            header["subshell_id"] = subshell_id
        message = session.send(
            self._sockets[channel], msg_type, content, header=header, buffers=[memoryview(part) for part in buffers]
        )
        return str(message["header"]["msg_id"])

    def _read(self, timeout: float) -> bool:
        """Collect what arrives within the time, up to the first batch; whether anything did."""
        before = len(self.messages)
        for socket, _ in self._poller.poll(timeout * 1000):
            channel = next(name for name, known in self._sockets.items() if known is socket)
            while True:
                _, message = self._manager.session.recv(socket)
                if message is None:
                    break
                self.messages.append({**message, "channel": channel})
        return len(self.messages) > before

    def _reply(self, request: str) -> Message | None:
        replies = [m for m in self.messages if m["channel"] != "iopub" and m["parent_header"].get("msg_id") == request]
        return replies[0] if replies else None
