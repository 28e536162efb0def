"""A stand-in for the browser's end of a comm, and jobs that do what a test says."""

from __future__ import annotations

import copy
import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import xxhash
from comm.base_comm import BaseComm

from deepset_nb import frames

EXAMPLES: dict[str, Any] = json.loads((Path(__file__).parents[1] / "contract" / "messages.json").read_text())
TARGET = EXAMPLES["JobState"]["target"]
ENOUGH_S = 10.0


def eventually(condition: Callable[[], Any]) -> Any:
    """The first true value of ``condition``; handlers run on another thread."""
    deadline = time.monotonic() + ENOUGH_S
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)
    return value


class Page(BaseComm):
    """One widget as the browser sees it. What the kernel publishes is kept; messages go the way Jupyter's do."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.published: list[dict[str, Any]] = []
        super().__init__(*args, **kwargs)

    def publish_msg(self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any) -> None:
        self.published.append({"type": msg_type, "data": copy.deepcopy(data or {}), "buffers": buffers})

    def browser_sends(self, content: Any, *buffers: bytes) -> None:
        data = {"method": "custom", "content": content}
        self.handle_msg({"content": {"data": data}, "buffers": [memoryview(one) for one in buffers]})

    def messages(self) -> list[dict[str, Any]]:
        """Custom messages that came from the kernel."""
        return [one["data"]["content"] for one in list(self.published) if one["data"].get("method") == "custom"]

    def states(self) -> list[dict[str, Any]]:
        """Values of the trait ``state`` that were published after the widget was opened."""
        updates = [one["data"]["state"] for one in list(self.published) if one["data"].get("method") == "update"]
        return [one["state"] for one in updates if "state" in one]

    def ask(self, action: Any, payload: Any = None) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        key = self.request(action, payload)
        return eventually(lambda: next((one for one in self.messages() if one.get("id") == key), None))

    def request(self, action: Any, payload: Any = None) -> str:
        key = uuid.uuid4().hex
        self.browser_sends(
            {"kind": "request", "id": key, "action": action, "payload": {} if payload is None else payload}
        )
        return key

    def chunk(self, file: str, content: bytes, offset: int, length: int, *, spoil: bool = False) -> None:
        piece = content[offset : offset + length]
        check = xxhash.xxh32_intdigest(piece)
        sent = bytes([piece[0] ^ 1]) + piece[1:] if spoil else piece
        self.browser_sends(
            {"kind": "chunk", "file": file, "offset": offset, "length": len(piece), "xxh32": check}, sent
        )


def job_state(**changes: Any) -> Any:
    return {**copy.deepcopy(EXAMPLES["JobState"]), **changes}


class FakeJob:
    """A job whose states a test sets."""

    def __init__(self, state: Any = None) -> None:
        self.now = state or job_state()
        self.subscribers: list[Callable[[Any], None]] = []
        self.cancels = 0
        self.endings: list[Any] = []
        self.job_id = "0123456789abcdef0123456789abcdef"
        self.view: Any = None
        self.code = EXAMPLES["JobCodeResult"]["code"]
        self.rows: list[Any] = []
        self.retries: list[FakeJob] = []

    def state(self) -> Any:
        return copy.deepcopy(self.now)

    def subscribe(self, callback: Callable[[Any], None]) -> Callable[[], None]:
        self.subscribers.append(callback)
        return lambda: self.subscribers.remove(callback)

    def cancel(self, *ingest: Any) -> FakeJob:
        self.cancels += 1
        self.endings.append(ingest)
        return self

    def receipt_page(self, status: str = "", offset: int = 0, limit: int = 50) -> Any:
        fitting = [row for row in self.rows if not status or row["status"] == status]
        counts = dict.fromkeys(("pending", "ok", "failed", "skipped", "unaccounted", "cancelled"), 0)
        for row in self.rows:
            counts[row["status"]] += 1
        rows = copy.deepcopy(fitting[offset : offset + limit])
        return {"rows": rows, "offset": offset, "total": len(fitting), "counts": counts}

    def retry(self, *, show: bool = True) -> FakeJob:
        self.retries.append(FakeJob(job_state(headline="Once more")))
        return self.retries[-1]

    @property
    def receipt(self) -> pd.DataFrame:
        return frames.receipt([])

    def publish(self, **changes: Any) -> None:
        self.now = {**self.now, **changes}
        for subscriber in list(self.subscribers):
            subscriber(self.state())

    def end(self, **changes: Any) -> None:
        ended = {"status": "done", "headline": "All 3 files are on the platform", "can_cancel": False}
        self.publish(**{**ended, "failures": [], "failures_total": 0, **changes})
