"""Uploads started by cells of a real kernel, into a real sandbox of another process."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

import deepset_nb as dn
from deepset_nb.emulator.server import Connection
from tests.kernel.kernel_driver import Kernel

BUSY = """deadline = time.monotonic() + 30
while time.monotonic() < deadline and job.state()['phases'][1]['files_done'] < 30: sum(range(1000))"""


@pytest.fixture
def notebook(kernel: Kernel, ws: dn.Workspace, connection: Connection, tmp_path: Path) -> Kernel:
    """A kernel with `ws`, a room of its own, and `folder`, 200 files that go slowly."""
    assert ws.sandbox is not None
    ws.sandbox.fault("bandwidth:100000")
    for number in range(200):
        (tmp_path / f"{number:02}.bin").write_bytes(bytes(100_000))
    line = json.dumps(vars(connection))
    setup = (
        "import json, os, time\nfrom pathlib import Path\nimport deepset_nb as dn\n"
        f"os.environ['DEEPSET_NB_SANDBOX'] = {line!r}\n"
        f"ws = dn.sandbox(workspace={ws.name!r})\nfolder = Path({str(tmp_path)!r})"
    )
    assert kernel.run_cell(setup).error is None
    return kernel


def sent(notebook: Kernel) -> int:
    return int(notebook.run_cell("print(job.state()['phases'][1]['files_done'])").text)


def states(notebook: Kernel, since: int) -> list[tuple[str, int]]:
    """(status, files sent) of every state a panel published after the first ``since`` messages."""
    updates = [m["content"]["data"] for m in notebook.messages[since:] if m["msg_type"] == "comm_msg"]
    found = [data["state"]["state"] for data in updates if "state" in data.get("state", {})]
    return [(state["status"], state["phases"][1]["files_done"]) for state in found]


def test_upload_returns_at_once_and_shows_one_panel_with_all_forms(notebook: Kernel) -> None:
    since = len(notebook.messages)
    notebook.run_cell("job = ws.upload(folder)")
    shown = [m["content"] for m in notebook.messages[since:] if m["msg_type"] == "display_data"]
    notebook.run_cell("job.cancel().wait(10); None")

    assert len(shown) == 1
    assert {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"} <= set(shown[0]["data"])


def test_a_job_as_the_cells_value_is_not_shown_twice(notebook: Kernel) -> None:
    since = len(notebook.messages)
    notebook.run_cell("job = ws.upload(folder)\njob")
    kinds = [m["content"]["data"] for m in notebook.messages[since:] if m["msg_type"] == "execute_result"]
    notebook.run_cell("job.cancel().wait(10); None")

    assert not any("application/vnd.jupyter.widget-view+json" in data for data in kinds)


def test_progress_arrives_while_a_cell_computes(notebook: Kernel) -> None:
    notebook.run_cell("job = ws.upload(folder)")
    since = len(notebook.messages)
    notebook.run_cell(BUSY)
    seen = states(notebook, since)
    notebook.run_cell("job.cancel().wait(10); None")

    assert len(seen) >= 5
    assert seen[-1][1] > seen[0][1]


def test_the_stop_button_ends_a_waiting_cell_within_two_seconds_and_nothing_goes_on(
    notebook: Kernel, ws: dn.Workspace
) -> None:
    notebook.run_cell("job = ws.upload(folder)")
    notebook.wait_for(lambda: sent(notebook) > 0)
    [cell] = notebook.queue_cells("print('waiting')\njob.wait()")
    notebook.wait_for(lambda: cell.text == "waiting")  # an idle kernel ignores the stop button
    pressed = time.monotonic()
    notebook.interrupt()
    notebook.wait_for(lambda: cell.finished)
    took = time.monotonic() - pressed

    assert took < 2 + 1  # and what a busy machine adds
    assert cell.error == "KeyboardInterrupt: "
    assert notebook.run_cell("print(job.state()['status'])").text == "cancelled"
    before = sent(notebook)
    time.sleep(1.2)
    assert sent(notebook) == before
    assert ws.list_files().empty
    assert ws.list_upload_sessions()["status"].tolist() == ["OPEN"]


def test_the_cancel_button_of_the_panel_works_while_no_cell_runs(notebook: Kernel) -> None:
    notebook.run_cell("job = ws.upload(folder)")
    comm_id = notebook.run_cell("print(job.view.panel.comm.comm_id)").text
    notebook.wait_for(lambda: sent(notebook) > 0)
    notebook.send_comm(comm_id, {"kind": "request", "id": "r1", "action": "cancel", "payload": {}})
    notebook.wait_for(lambda: any(m.get("id") == "r1" for m in notebook.comm_messages(comm_id)))
    answer = next(m for m in notebook.comm_messages(comm_id) if m.get("id") == "r1")
    notebook.wait_for(lambda: notebook.comm_state(comm_id)["state"]["status"] == "cancelled")

    assert answer["ok"] is True
    assert "stays open until" in notebook.comm_state(comm_id)["state"]["note"]


def test_when_it_ends_the_same_output_holds_the_final_table_as_html(notebook: Kernel, ws: dn.Workspace) -> None:
    assert ws.sandbox is not None
    ws.sandbox.clear_faults()
    since = len(notebook.messages)
    notebook.run_cell("job = ws.upload(folder).wait(60)")

    def final() -> list[dict[str, object]]:
        updates = [m["content"] for m in notebook.messages[since:] if m["msg_type"] == "update_display_data"]
        return [content for content in updates if "All 200 files are on the platform" in content["data"]["text/html"]]

    if not final():
        notebook.wait_for(lambda: notebook.run_cell("pass") and final())
    [first] = [m["content"] for m in notebook.messages[since:] if m["msg_type"] == "display_data"]
    assert final()[-1]["transient"] == first["transient"]
    assert "application/vnd.jupyter.widget-view+json" in final()[-1]["data"]  # type: ignore[operator]


def test_an_upload_of_an_executor_has_the_same_panel(notebook: Kernel, ws: dn.Workspace) -> None:
    assert ws.sandbox is not None
    ws.sandbox.clear_faults()
    since = len(notebook.messages)
    with_others = "from concurrent.futures import ThreadPoolExecutor\nothers = ThreadPoolExecutor(2)\n"
    notebook.run_cell(f"{with_others}job = ws.upload(folder, executor=others).wait(60)")
    shown = [m["content"]["data"] for m in notebook.messages[since:] if m["msg_type"] == "display_data"]
    notebook.wait_for(lambda: notebook.run_cell("pass") and states(notebook, since)[-1][0] == "done")

    assert len(shown) == 1
    assert {"application/vnd.jupyter.widget-view+json", "text/html", "text/plain"} <= set(shown[0])
    assert states(notebook, since)[-1] == ("done", 200)


def test_without_a_browser_the_output_says_that_it_is_the_plain_form(notebook: Kernel) -> None:
    since = len(notebook.messages)
    notebook.run_cell("job = ws.upload(folder)\ntime.sleep(5)")
    updates = [m["content"]["data"] for m in notebook.messages[since:] if m["msg_type"] == "update_display_data"]
    notebook.run_cell("job.cancel().wait(10); None")

    assert any("plain form" in data["text/html"] for data in updates)


def test_a_kernel_that_is_shut_down_leaves_the_session_open_and_the_output_says_so(
    new_kernel,
    ws: dn.Workspace,
    connection: Connection,
    tmp_path: Path,  # type: ignore[no-untyped-def]
) -> None:
    assert ws.sandbox is not None
    ws.sandbox.fault("bandwidth:100000")
    for number in range(30):
        (tmp_path / f"{number:02}.bin").write_bytes(bytes(100_000))
    kernel: Kernel = new_kernel()
    line = json.dumps(vars(connection))
    kernel.run_cell(
        f"import os; os.environ['DEEPSET_NB_SANDBOX'] = {line!r}\nimport deepset_nb as dn\n"
        f"job = dn.sandbox(workspace={ws.name!r}).upload({str(tmp_path)!r})"
    )
    kernel.wait_for(lambda: int(kernel.run_cell("print(job.state()['phases'][1]['files_done'])").text) > 0)
    kernel.shutdown()
    updates = [m["content"]["data"] for m in kernel.messages if m["msg_type"] == "update_display_data"]

    assert re.search(r"Not finished: \d+ of 30 files sent", updates[-1]["text/html"])
    assert ws.list_upload_sessions()["status"].tolist() == ["OPEN"]
    assert ws.list_files().empty


def test_no_output_of_a_cell_holds_a_secret(notebook: Kernel, connection: Connection) -> None:
    notebook.run_cell("%xmode Verbose")
    notebook.run_cell("job = ws.upload(folder)")
    notebook.run_cell("job.cancel().wait(10); job.receipt")
    notebook.run_cell("job._transfer.sessions, vars(job), vars(ws), ws.settings")
    notebook.run_cell("ws.get_upload_session('nonsense')")
    notebook.run_cell("dn.Workspace('nowhere', api_key=ws.settings.api_key, api_url=ws.settings.api_url)")
    notebook.run_cell("%xmode Context")
    spoken = [m["content"] for m in notebook.messages if m["channel"] == "iopub" and m["msg_type"] != "execute_input"]
    text = json.dumps(spoken, default=str)

    assert "InvalidSessionId" in text
    assert "WorkspaceNotFound" in text
    for secret in (connection.api_key, connection.admin_key, "x-amz-signature", "X-Amz-Signature"):
        assert secret not in text
