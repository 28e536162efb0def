"""The uploader: from the exact messages a browser sends to files a job reads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import comm
import pytest

from deepset_nb.errors import Unauthorized
from deepset_nb.transfer.hazards import lies_in_browser
from deepset_nb.transfer.receipt import Row
from deepset_nb.widgets.courier import PageCourier
from deepset_nb.widgets.uploader import Uploader
from tests.unit.widget_page import TARGET, FakeJob, Page, eventually

HERE = {"page": "1" * 32, "loopback": True, "secure": False}
PAGE = {"page": "1" * 32}

A, B = "a" * 32, "b" * 32
CONTENT = bytes(range(256)) * 8


class Platform:
    """Starts jobs, and reads at once what they are to send."""

    def __init__(self) -> None:
        self.jobs: list[FakeJob] = []
        self.started: list[tuple[dict[str, bytes], str]] = []
        self.rows: list[Row] = []
        self.courier: PageCourier | None = None
        self.error: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()

    def start(self, plan: Callable[[], list[Row]], write_mode: str, courier: PageCourier | None) -> FakeJob:
        self.gate.wait(10)
        if self.error:
            raise self.error
        self.rows = plan()
        here = [row for row in self.rows if row.status == "pending" and not lies_in_browser(row)]
        self.started.append(({row.path: Path(str(row.source)).read_bytes() for row in here}, write_mode))
        self.courier = courier
        self.jobs.append(FakeJob())
        return self.jobs[-1]


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def uploader(platform: Platform, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Uploader]:
    monkeypatch.setattr(comm, "create_comm", Page)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    uploader = Uploader(platform.start, target=TARGET)
    yield uploader
    uploader.close()


def offer(key: str = A, path: str = "reports/a.txt", size: int = len(CONTENT)) -> dict[str, Any]:
    name = path.rpartition("/")[2]
    return {"file": key, "name": name, "relative_path": path, "size": size, "changed": 1763800000000}


def send_whole(page: Page, key: str = A, path: str = "reports/a.txt", content: bytes = CONTENT) -> None:
    assert page.ask("begin", {"files": [offer(key, path, len(content))], **HERE})["result"] == {
        "refused": [],
        "send": [key],
    }
    for offset in range(0, len(content), 500):
        page.chunk(key, content, offset, 500)


def acks(page: Page) -> list[int]:
    return [one["received"] for one in page.messages() if one["kind"] == "ack"]


def test_a_file_arrives_and_each_piece_is_acknowledged(uploader: Uploader) -> None:
    send_whole(uploader.comm)

    assert acks(uploader.comm) == [500, 1000, 1500, 2000, 2048]
    (file,) = uploader.files
    assert (file.name, file.relative_path, file.size) == ("a.txt", "reports/a.txt", 2048)
    assert file.path.read_bytes() == CONTENT
    eventually(lambda: uploader.state["complete"] == 1)


def test_lost_doubled_turned_round_and_damaged_pieces_end_in_the_same_bytes(uploader: Uploader) -> None:
    page = uploader.comm
    page.ask("begin", {"files": [offer()], **HERE})
    page.chunk(A, CONTENT, 1500, 500)
    page.chunk(A, CONTENT, 0, 500, spoil=True)
    page.chunk(A, CONTENT, 0, 500)
    page.chunk(A, CONTENT, 0, 500)
    page.chunk(A, CONTENT, 2000, 500)
    assert [one["reason"] for one in page.messages() if one["kind"] == "nack"] == ["xxh32"]

    held = page.ask("received", {"file": A})["result"]
    assert held == {"received": 500, "missing": [{"offset": 500, "length": 1000}]}
    for gap in held["missing"]:
        page.chunk(A, CONTENT, gap["offset"], gap["length"])
    assert acks(page)[-1] == 2048
    assert uploader.files[0].path.read_bytes() == CONTENT


def test_upload_hands_complete_files_and_the_write_mode_to_a_job(uploader: Uploader, platform: Platform) -> None:
    send_whole(uploader.comm)
    send_whole(uploader.comm, B, "b.txt", b"other")
    assert uploader.comm.ask("upload", {"write_mode": "OVERWRITE", **PAGE})["ok"] is True

    assert platform.started == [({"reports/a.txt": CONTENT, "b.txt": b"other"}, "OVERWRITE")]
    assert uploader.job is platform.jobs[0]
    assert uploader.state["job"]["headline"] == "Sending 2 of 3 files"


def test_the_state_follows_the_job_and_its_buttons_work(uploader: Uploader, platform: Platform) -> None:
    send_whole(uploader.comm)
    uploader.comm.ask("upload", {"write_mode": "KEEP", **PAGE})
    platform.jobs[0].publish(headline="Sending 3 of 3 files")
    eventually(lambda: uploader.state["job"]["headline"] == "Sending 3 of 3 files")

    assert uploader.comm.ask("cancel")["ok"] is True
    assert platform.jobs[0].cancels == 1
    platform.jobs[0].end(status="failed", can_retry=True)
    assert uploader.comm.ask("retry")["ok"] is True
    eventually(lambda: uploader.state["job"]["headline"] == "Once more")


def test_files_stay_for_a_retry_and_go_when_nobody_needs_them(uploader: Uploader, platform: Platform) -> None:
    send_whole(uploader.comm)
    uploader.comm.ask("upload", {"write_mode": "KEEP", **PAGE})
    (file,) = uploader.files
    platform.jobs[0].end(status="failed", can_retry=True)
    assert file.path.exists()

    uploader.comm.ask("retry")
    platform.jobs[0].retries[0].end()
    assert not file.path.exists()


def test_making_room_leaves_the_files_of_the_last_upload_to_a_retry_elsewhere(
    uploader: Uploader, platform: Platform, tmp_path: Path
) -> None:
    send_whole(uploader.comm)
    uploader.comm.ask("upload", {"write_mode": "KEEP", **PAGE})
    (file,) = uploader.files
    platform.jobs[0].end(status="failed", can_retry=True)
    uploader.comm.ask("clear")
    assert uploader.comm.ask("list", PAGE)["result"] == {"files": [], "meta": ""}
    assert file.path.read_bytes() == CONTENT

    uploader.comm.ask("clear")
    assert list(tmp_path.iterdir()) == []


def test_a_new_upload_follows_an_ended_one(uploader: Uploader, platform: Platform) -> None:
    send_whole(uploader.comm)
    uploader.comm.ask("upload", {"write_mode": "KEEP", **PAGE})
    assert uploader.comm.ask("clear")["ok"] is False  # it is running
    assert uploader.comm.ask("begin", {"files": [offer(B)], **HERE})["ok"] is False
    platform.jobs[0].end()
    assert uploader.comm.ask("clear")["ok"] is True
    assert uploader.state["job"] is None
    assert uploader.job is platform.jobs[0]  # for its receipt

    send_whole(uploader.comm, B, "b.txt")
    assert uploader.comm.ask("upload", {"write_mode": "FAIL", **PAGE})["ok"] is True
    assert len(platform.jobs) == 2


def test_two_clicks_start_one_job(uploader: Uploader, platform: Platform) -> None:
    send_whole(uploader.comm)
    platform.gate.clear()
    first = uploader.comm.request("upload", {"write_mode": "KEEP", **PAGE})
    eventually(uploader._starting.locked)
    assert uploader.comm.ask("upload", {"write_mode": "KEEP", **PAGE})["ok"] is False
    platform.gate.set()

    eventually(lambda: [one for one in uploader.comm.messages() if one.get("id") == first])
    assert len(platform.jobs) == 1


def test_an_upload_without_a_whole_file_is_refused(uploader: Uploader, platform: Platform) -> None:
    uploader.comm.ask("begin", {"files": [offer()], **HERE})
    uploader.comm.chunk(A, CONTENT, 0, 500)

    assert uploader.comm.ask("upload", {"write_mode": "KEEP", **PAGE})["ok"] is False
    assert platform.jobs == []


def test_a_job_that_cannot_start_says_why_and_leaves_the_files(uploader: Uploader, platform: Platform) -> None:
    send_whole(uploader.comm)
    platform.error = Unauthorized("The key is wrong.", "Use dn.login().", status=401)
    answer = uploader.comm.ask("upload", {"write_mode": "KEEP", **PAGE})
    assert answer["error"] == {"message": "The key is wrong.", "remedy": "Use dn.login()."}

    platform.error = None
    assert uploader.comm.ask("upload", {"write_mode": "KEEP", **PAGE})["ok"] is True


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("begin", {"files": [{"file": A}], **HERE}),
        ("begin", {"files": [{**offer(), "size": "many"}], **HERE}),
        ("received", {}),
        ("received", {"file": B}),
        ("remove", {"file": 3}),
        ("upload", {"write_mode": "DELETE", **PAGE}),
    ],
)
def test_a_payload_that_is_none_is_refused(uploader: Uploader, action: str, payload: dict[str, Any]) -> None:
    assert uploader.comm.ask(action, payload)["ok"] is False


def test_a_chunk_that_is_none_does_no_harm(uploader: Uploader) -> None:
    uploader.comm.ask("begin", {"files": [offer()], **HERE})
    good = {"kind": "chunk", "file": A, "offset": 0, "length": 5, "xxh32": 0}
    for message, buffers in [(good, []), (good, [b"12345", b"1"]), ({**good, "offset": "0"}, [b"12345"])]:
        uploader.comm.browser_sends(message, *buffers)

    assert acks(uploader.comm) == []
    assert uploader.comm.ask("list", PAGE)["ok"] is True


def test_a_reloaded_page_learns_what_is_here(uploader: Uploader) -> None:
    send_whole(uploader.comm)
    uploader.comm.ask("begin", {"files": [offer(B, "b.txt", 10)], **HERE})
    uploader.comm.chunk(B, b"0123456789", 0, 4)

    held = uploader.comm.ask("list", PAGE)["result"]["files"]
    assert [(one["file"], one["received"], one["size"]) for one in held] == [(A, 2048, 2048), (B, 4, 10)]


def test_a_removed_file_is_gone(uploader: Uploader, tmp_path: Path) -> None:
    send_whole(uploader.comm)
    uploader.comm.ask("remove", {"file": A})

    assert uploader.files == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_thousands_of_pieces_publish_a_few_states(uploader: Uploader) -> None:
    page = uploader.comm
    page.ask("begin", {"files": [offer(size=5000)], **HERE})
    before = len(page.states())
    for offset in range(2000):
        page.chunk(A, bytes(5000), offset, 1)

    assert len(acks(page)) == 2000
    assert len(page.states()) - before < 200


def test_files_removed_one_after_the_other_publish_a_few_states(uploader: Uploader) -> None:
    page = uploader.comm
    keys = [f"{number:032x}" for number in range(200)]
    page.ask("begin", {"files": [offer(key) for key in keys], **HERE})
    before, began = len(page.states()), time.monotonic()
    for key in keys:
        page.ask("remove", {"file": key})

    eventually(lambda: uploader.state["files"] == 0)
    assert len(page.states()) - before <= 2 + 10 * (time.monotonic() - began)


def test_a_piece_costs_the_same_among_thousands_of_files(uploader: Uploader, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Mock(side_effect=uploader._chosen.spool.held)
    monkeypatch.setattr(uploader._chosen.spool, "held", looks)
    send_whole(uploader.comm, content=CONTENT * 100)

    assert looks.call_count < 100  # of 410 pieces


def test_files_dropped_while_an_upload_starts_are_refused(uploader: Uploader, platform: Platform) -> None:
    send_whole(uploader.comm)
    platform.gate.clear()
    uploader.comm.request("upload", {"write_mode": "KEEP", **PAGE})
    eventually(uploader._starting.locked)
    assert uploader.comm.ask("begin", {"files": [offer(B, "b.txt")], **HERE})["ok"] is False
    platform.gate.set()

    eventually(lambda: uploader.state["job"])


def test_neither_names_nor_bytes_are_in_the_saved_state(uploader: Uploader) -> None:
    send_whole(uploader.comm)
    saved = repr(uploader.get_state())

    assert "a.txt" not in saved
    assert str(uploader.files[0].path.parent) not in saved


def test_closing_removes_the_files_once_no_job_reads_them(
    uploader: Uploader, platform: Platform, tmp_path: Path
) -> None:
    send_whole(uploader.comm)
    uploader.comm.ask("upload", {"write_mode": "KEEP", **PAGE})
    uploader.close()
    assert list(tmp_path.iterdir())
    platform.jobs[0].end(status="failed", can_retry=True)

    assert list(tmp_path.iterdir()) == []


def test_closing_without_a_job_removes_the_files(uploader: Uploader, tmp_path: Path) -> None:
    send_whole(uploader.comm)
    uploader.close()

    assert list(tmp_path.iterdir()) == []


def test_its_static_forms_tell_where_it_stands(uploader: Uploader, platform: Platform) -> None:
    assert "Nothing uploaded yet" in uploader.mimebundle()["text/plain"]
    send_whole(uploader.comm)
    assert "1 file chosen, not uploaded yet" in uploader.mimebundle()["text/html"]
    uploader.comm.ask("upload", {"write_mode": "KEEP", **PAGE})
    platform.jobs[0].end()

    assert "All 3 files are on the platform" in uploader.mimebundle()["text/plain"]
    assert repr(uploader) == "<Uploader to support-docs>"
