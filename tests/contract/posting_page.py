"""A browser's page in Python: it holds files and posts them to the bucket as the kernel orders it."""

from __future__ import annotations

import threading
from typing import Any
from uuid import uuid4

import httpx
import xxhash

from tests.contract.rooms import PLAIN
from tests.unit.widget_page import Page

CHANGED = 1_763_800_000_000
PIECE = 256 << 10


class PostingPage(Page):
    """The browser's end of an uploader. Tests decide what goes wrong.

    Attributes:
        id: The page's own.
        contents: Its files, by id.
        orders: What it was told to do.
        gone: It was closed: nothing is heard of it any more.
        barred: The bucket answers pages of other places only.
        after: Called with the number of posts that were answered.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.id = uuid4().hex
        self.contents: dict[str, bytes] = {}
        self.orders: list[dict[str, Any]] = []
        self.gone = self.barred = False
        self.held = threading.Event()
        self.held.set()
        self.withdrawn: set[str] = set()
        self.posted = 0
        self.close_after: int | None = None
        super().__init__(*args, **kwargs)

    def choose(self, files: dict[str, bytes], *, loopback: bool = True, secure: bool = False) -> dict[str, str]:
        """Choose files, and send the kernel what it wants now; returns their ids by path."""
        ids = {path: uuid4().hex for path in files}
        self.contents |= {ids[path]: content for path, content in files.items()}
        offered = [
            {
                "file": ids[path],
                "name": path.rpartition("/")[2],
                "relative_path": path,
                "size": len(content),
                "changed": CHANGED,
            }
            for path, content in files.items()
        ]
        where = {"page": self.id, "loopback": loopback, "secure": secure}
        answer = self.ask("begin", {"files": offered, **where})
        assert answer["ok"], answer
        assert answer["result"]["refused"] == []
        for file in answer["result"]["send"]:
            self.send_to_kernel(file)
        return ids

    def send_to_kernel(self, file: str) -> None:
        content = self.contents[file]
        for offset in range(0, len(content), PIECE):
            piece = content[offset : offset + PIECE]
            message = {
                "kind": "chunk",
                "file": file,
                "offset": offset,
                "length": len(piece),
                "xxh32": xxhash.xxh32_intdigest(piece),
            }
            self.browser_sends(message, piece)

    def upload(self, write_mode: str = "KEEP") -> None:
        answer = self.ask("upload", {"write_mode": write_mode, "page": self.id})
        assert answer["ok"], answer

    def plan(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.ask("plan", {"write_mode": "KEEP", "page": self.id})["result"]
        return answer

    def publish_msg(self, msg_type: str, data: Any = None, *args: Any, **kwargs: Any) -> None:
        super().publish_msg(msg_type, data, *args, **kwargs)
        content = (data or {}).get("content")
        if isinstance(content, dict) and content.get("page") == self.id and not self.gone:
            threading.Thread(target=self._obey, args=(content,), daemon=True).start()

    def _obey(self, message: dict[str, Any]) -> None:
        kind = message["kind"]
        if kind == "rollcall":
            self.browser_sends({"kind": "loaded", "page": self.id, "orders": {}})
            return
        if kind == "withdraw":
            self.withdrawn.add(message["order"])
            return
        self.orders.append(message)
        if kind == "fetch":
            self.send_to_kernel(message["file"])
            self._answer(message, 200)
        elif kind == "probe":
            self._answer(message, 0 if self.barred else 400)
        else:
            self._post(message)

    def _post(self, order: dict[str, Any]) -> None:
        if (content := self.contents.get(order["file"])) is None:
            self._answer(order, 0, problem="unknown")
            return
        half = {order["order"]: len(content) // 2}
        self.browser_sends({"kind": "loaded", "page": self.id, "orders": half})
        self.held.wait(20)
        if self.gone or order["order"] in self.withdrawn:
            return
        part = {"file": (order["name"], content, "text/plain")}
        try:
            said = httpx.post(order["url"], data=order["fields"], files=part, verify=PLAIN, timeout=30)
        except httpx.HTTPError:
            self._answer(order, 0)
            return
        self.posted += said.is_success
        if self.close_after is not None and self.posted > self.close_after:
            self.gone = True
        if not self.gone:
            self._answer(order, said.status_code, said.text, said.headers.get("retry-after", ""))

    def _answer(self, message: dict[str, Any], status: int, body: str = "", after: str = "", problem: str = "") -> None:
        answer = {"kind": "answered", "order": message["order"], "status": status, "body": body}
        self.browser_sends({**answer, "retry_after": after, "problem": problem})

    def told(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.orders if one["kind"] == kind]
