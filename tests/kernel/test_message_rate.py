"""Jupyter drops messages above a thousand a second: a widget sends ten states a second at most, whatever goes on."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
import xxhash

from tests.kernel.kernel_driver import Kernel

MOST_A_SECOND = 10
ASKING_S = 1.5
ENDS = 3  # the first state, the last one, and one that the clock's granularity lets through
SETUP = """
import pathlib, tempfile
import deepset_nb as dn
ws = dn.sandbox()
folder = pathlib.Path(tempfile.mkdtemp())
for number in range(1500):
    (folder / f"{number}.txt").write_text("x" * (number + 1))
"""


@pytest.fixture(autouse=True, scope="module")
def _set_up(kernel: Kernel) -> None:
    assert kernel.run_cell(SETUP).error is None


def states(kernel: Kernel, comm_id: str) -> tuple[int, float]:
    """How many states a widget sent after it was opened, and within which time, by the kernel's own clock."""
    times = [
        message["header"]["date"]
        for message in kernel.messages
        if message["msg_type"] == "comm_msg"
        and message["content"]["comm_id"] == comm_id
        and "state" in message["content"]["data"].get("state", {})
    ]
    return len(times), (max(times) - min(times)).total_seconds() if times else 0.0


def test_an_upload_of_many_files_sends_ten_states_a_second_to_each_of_its_panels(kernel: Kernel) -> None:
    kernel.run_cell("from deepset_nb.widgets.job_panel import JobPanel")
    shown = kernel.run_cell("job = ws.upload(folder); print(job.view.panel.comm.comm_id)").text
    other = kernel.run_cell("second = JobPanel(job); print(second.comm.comm_id)").text
    assert kernel.run_cell("job.wait(); print(len(job.failed))", timeout=60).text.endswith("0")

    for panel in (shown[-32:], other):  # the panel's plain form is printed before
        count, seconds = states(kernel, panel)
        assert 5 < count <= MOST_A_SECOND * seconds + ENDS


def test_a_thousand_small_files_from_a_browser_do_not_flood_it_with_states(kernel: Kernel) -> None:
    comm_id = kernel.run_cell("uploader = ws.uploader(lane='kernel'); print(uploader.comm.comm_id)").text
    names = [uuid.uuid4().hex for _ in range(1000)]
    about = {"size": 5, "changed": 0}
    offered = [{"file": name, "name": f"{name}.txt", "relative_path": f"{name}.txt", **about} for name in names]
    payload = {"files": offered, "page": "a" * 32, "loopback": True, "secure": False}
    kernel.send_comm(comm_id, {"kind": "request", "id": "b" * 32, "action": "begin", "payload": payload})
    kernel.wait_for(lambda: any(one["kind"] == "response" and one["ok"] for one in kernel.comm_messages(comm_id)))
    for name in names:
        piece = {"kind": "chunk", "file": name, "offset": 0, "length": 5, "xxh32": xxhash.xxh32_intdigest(b"small")}
        kernel.send_comm(comm_id, piece, buffers=[b"small"])
    kernel.wait_for(lambda: len([one for one in kernel.comm_messages(comm_id) if one["kind"] == "ack"]) == len(names))
    kernel.wait_for(lambda: kernel.comm_state(comm_id)["state"]["complete"] == len(names))

    count, seconds = states(kernel, comm_id)
    assert 0 < count <= MOST_A_SECOND * seconds + ENDS


FILES = {"name": "", "filter": "", "sort": "created_at", "order": "DESC"}
SESSIONS = {"status": "", "created_by": ""}


@pytest.mark.parametrize(
    ("browser", "action", "payloads"),
    [
        ("file_browser", "query", [{**FILES, "name": "a"}, FILES]),
        ("file_browser", "refresh", [{}]),
        ("session_browser", "query", [{**SESSIONS, "status": "OPEN"}, SESSIONS]),
        ("session_browser", "watch", [{"ids": []}]),
    ],
)
def test_a_page_that_asks_as_fast_as_it_is_answered_gets_ten_states_a_second(
    kernel: Kernel, browser: str, action: str, payloads: list[dict[str, Any]]
) -> None:
    comm_id = kernel.run_cell(f"browser = ws.{browser}(); print(browser.comm.comm_id)").text
    payload, began = payloads[0], time.monotonic()
    while time.monotonic() < began + ASKING_S:
        for payload in payloads:
            key = uuid.uuid4().hex
            kernel.send_comm(comm_id, {"kind": "request", "id": key, "action": action, "payload": payload})
            kernel.wait_for(lambda key=key: any(one.get("id") == key for one in kernel.comm_messages(comm_id)))
            # Before the answer comes the state it speaks of: the page's next question builds on it.
            known = kernel.comm_state(comm_id)["state"]
            assert known["loading"] is False
            assert action != "query" or known["query"] == payload

    count, seconds = states(kernel, comm_id)
    assert 5 < count <= MOST_A_SECOND * seconds + ENDS
