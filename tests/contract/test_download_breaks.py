"""Whatever breaks a download, and whenever: no half file has a name, and the next run goes on where it can."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import deepset_nb as dn
from deepset_nb.connect import _enter as enter
from deepset_nb.emulator import Choices, SandboxConfig, SandboxServer
from deepset_nb.job import DownloadJob
from deepset_nb.transfer import fetch
from deepset_nb.transfer.parts import Parts
from deepset_nb.workflows.sync_client.files import DeepsetCloudFileBytes, upload_bytes
from tests.clients.account import account
from tests.clients.front import Answer, Break, Front, Request, front
from tests.contract.rooms import until

END_S = 60
SIZE = 3_000_000
KIB = 1024

_rooms = itertools.count(1)


@pytest.fixture(scope="module")
def ranged_server() -> Iterator[SandboxServer]:
    """A sandbox that heeds Range."""
    server = SandboxServer(SandboxConfig(corpus=False, choices=Choices(range_requests=True)))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def ranged(ranged_server: SandboxServer) -> dn.Workspace:
    name = f"room-{next(_rooms)}"
    ranged_server.add_workspace(name)
    return enter({**vars(ranged_server.start())}, name)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "got"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "PAUSE_S", 0)


def put(ws: dn.Workspace, name: str = "big.bin", size: int = SIZE) -> bytes:
    content = os.urandom(size)
    upload_bytes([DeepsetCloudFileBytes(content, name, {})], write_mode="OVERWRITE", **account(ws))
    return content


def through(ws: dn.Workspace, gate: Front) -> dn.Workspace:
    return dn.Workspace(**account(ws) | {"api_url": gate.api_url})


def is_content(request: Request) -> bool:
    return "/files/" in request.path and not request.path.endswith("/meta")


def breaking(times: int, broken: Break) -> Callable[[Request], Break | None]:
    """The first answers with content break."""
    left = [broken] * times
    return lambda request: left.pop() if left and is_content(request) else None


def fetched(gate: Front) -> int:
    return sum(count for path, count in gate.sent.items() if "/files/" in path)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def range_of(request: Request) -> str | None:
    return {name.lower(): value for name, value in request.headers.items()}.get("range")


def ranges(gate: Front) -> list[str | None]:
    return [range_of(request) for request in gate.requests if is_content(request)]


def outcome(job: DownloadJob) -> str:
    return str(job.wait(END_S).receipt["status"].iloc[0])


@pytest.mark.parametrize("how", ["reset", "end"])
def test_a_body_that_breaks_off_goes_on_where_it_was(ranged: dn.Workspace, target: Path, how: str) -> None:
    content = put(ranged)
    with front(ranged.settings.api_url) as gate:
        gate.breaks = breaking(2, Break(SIZE // 3, how))  # type: ignore[arg-type]
        job = through(ranged, gate).download(target, include_meta=False).wait(END_S)

        assert job.receipt["attempts"].tolist() == [3]
        assert fetched(gate) < 1.3 * SIZE
    assert (target / "big.bin").read_bytes() == content
    assert names(target) == ["big.bin"]
    assert job.state()["phases"][1]["bytes_done"] == SIZE


def test_a_platform_that_ignores_ranges_is_taken_from_the_start(ws: dn.Workspace, target: Path) -> None:
    content = put(ws)
    with front(ws.settings.api_url) as gate:
        gate.breaks = breaking(2, Break(SIZE // 3))
        job = through(ws, gate).download(target, include_meta=False).wait(END_S)

        assert all(ranges(gate)[1:])
        assert fetched(gate) > 1.3 * SIZE
    assert (target / "big.bin").read_bytes() == content
    assert names(target) == ["big.bin"]
    assert job.state()["phases"][1]["bytes_done"] == SIZE


def test_a_file_that_always_breaks_off_is_a_failed_row_that_the_next_run_goes_on_with(
    ranged: dn.Workspace, target: Path
) -> None:
    content = put(ranged)
    with front(ranged.settings.api_url) as gate:
        gate.breaks = breaking(3, Break(300_000))
        job = through(ranged, gate).download(target).wait(END_S)
        assert job.failed["reason"].str.contains("broke").tolist() == [True]
        assert job.failed["remedy"].str.len().min() > 0
        assert job.state()["phases"][1]["bytes_done"] == 0
        assert [name[:5] + name[-5:] for name in names(target)] == [".dnb-.part"]
        before = fetched(gate)

        assert outcome(job.retry()) == "ok"
        assert fetched(gate) - before < SIZE - 800_000
    assert (target / "big.bin").read_bytes() == content
    assert names(target) == ["big.bin", "big.bin.meta.json"]


def test_a_large_file_on_a_bad_line_arrives_in_the_end(ranged: dn.Workspace, target: Path) -> None:
    content = put(ranged, size=9_000_000)
    with front(ranged.settings.api_url) as gate:
        gate.breaks = breaking(6, Break(1_300_000))
        job = through(ranged, gate).download(target).wait(END_S)

        assert job.receipt["attempts"].tolist() == [7]
    assert (target / "big.bin").read_bytes() == content


def test_a_small_file_that_breaks_off_leaves_nothing(ranged: dn.Workspace, target: Path) -> None:
    put(ranged, size=10_000)
    with front(ranged.settings.api_url) as gate:
        gate.breaks = breaking(3, Break(2_000))

        assert outcome(through(ranged, gate).download(target)) == "failed"
    assert names(target) == []


def test_a_cancelled_download_goes_on_where_it_was(ranged: dn.Workspace, target: Path) -> None:
    content = put(ranged)
    with front(ranged.settings.api_url) as gate:
        gate.breaks = breaking(1, Break(2_900_000, "hold"))
        job = through(ranged, gate).download(target, include_meta=False)
        until(lambda: job.state()["phases"][1]["bytes_done"] >= 2_000_000)
        assert outcome(job.cancel()) == "cancelled"
        gate.release.set()

        assert outcome(job.retry()) == "ok"
        assert fetched(gate) < 1.4 * SIZE
    assert (target / "big.bin").read_bytes() == content
    assert names(target) == ["big.bin"]


SCRIPT = """
import sys
import deepset_nb as dn
ws = dn.Workspace(sys.argv[1], api_key=sys.argv[2], api_url=sys.argv[3])
job = ws.download(sys.argv[4], include_meta=False, show=False).wait(60)
print(job.receipt["status"].tolist())
"""


def start(ws: dn.Workspace, gate: Front, target: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", SCRIPT, ws.name, ws.settings.api_key.reveal(), gate.api_url, str(target)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("heeds", [True, False])
def test_a_killed_download_run_again_ends_whole_and_goes_on_where_ranges_are_heeded(
    ranged: dn.Workspace, ws: dn.Workspace, target: Path, heeds: bool
) -> None:
    platform = ranged if heeds else ws
    contents = {f"{number}.bin": put(platform, f"{number}.bin") for number in range(3)}
    total = 3 * SIZE
    with front(platform.settings.api_url) as gate:
        gate.breaks = lambda request: Break(2_900_000, "hold") if is_content(request) else None
        process = start(platform, gate, target)
        try:
            until(lambda: sum(path.stat().st_size for path in target.glob(".dnb-*.part")) >= 6_000_000)
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=30)
        gate.release.set()
        assert list(target.glob("*.bin")) == []
        gate.breaks = lambda request: None
        gate.sent.clear()
        out, err = start(platform, gate, target).communicate(timeout=60)

        assert out.strip() == "['ok', 'ok', 'ok']", err
        assert (fetched(gate) < total / 2) is heeds
    assert {path.name: path.read_bytes() for path in target.iterdir()} == contents


def leave_a_part(ws: dn.Workspace, gate: Front, target: Path) -> None:
    gate.breaks = breaking(3, Break(300_000))
    assert outcome(through(ws, gate).download(target, include_meta=False)) == "failed"
    gate.breaks = lambda request: None
    gate.requests.clear()


def test_a_part_of_a_replaced_file_is_never_gone_on_with(ranged: dn.Workspace, target: Path) -> None:
    put(ranged)
    with front(ranged.settings.api_url) as gate:
        leave_a_part(ranged, gate, target)
        content = put(ranged)  # of the same name, size and id
        assert outcome(through(ranged, gate).download(target, include_meta=False)) == "ok"

        assert ranges(gate) == [None]
    assert (target / "big.bin").read_bytes() == content


def test_a_file_replaced_behind_the_listings_back_is_taken_from_the_start(ranged: dn.Workspace, target: Path) -> None:
    put(ranged)
    with front(ranged.settings.api_url) as gate:
        found = ranged.list_files()
        leave_a_part(ranged, gate, target)
        content = put(ranged)
        assert outcome(through(ranged, gate).download(target, files=found, include_meta=False)) == "ok"

        assert len(ranges(gate)) == 1
        assert all(ranges(gate))  # it asked to go on, but only with the version it had
    assert (target / "big.bin").read_bytes() == content


@pytest.mark.parametrize(
    "answer",
    [
        Answer(416, "", (("Content-Range", f"bytes */{SIZE}"),)),
        Answer(206, "x" * 10, (("Content-Range", f"bytes 7-16/{SIZE}"),)),
        Answer(206, "x" * 10),
    ],
)
def test_an_answer_that_does_not_continue_the_part_is_thrown_away(
    ranged: dn.Workspace, target: Path, answer: Answer
) -> None:
    content = put(ranged)
    with front(ranged.settings.api_url) as gate:
        leave_a_part(ranged, gate, target)
        gate.rule = lambda request: answer if range_of(request) else None
        assert outcome(through(ranged, gate).download(target, include_meta=False)) == "ok"

        assert [bool(asked) for asked in ranges(gate)] == [True, False]
    assert (target / "big.bin").read_bytes() == content
    assert names(target) == ["big.bin"]


def test_a_rest_that_comes_in_pieces_is_put_together(ranged: dn.Workspace, target: Path) -> None:
    content = put(ranged)
    with front(ranged.settings.api_url) as gate:
        leave_a_part(ranged, gate, target)

        def sparingly(request: Request) -> Answer | None:
            start = int((range_of(request) or "bytes=0-")[6:-1])
            if not start or start > SIZE // 2:
                return None
            piece = content[start : start + 1_200_000]
            last = start + len(piece) - 1
            return Answer(206, piece, (("Content-Range", f"bytes {start}-{last}/{SIZE}"),))

        gate.rule = sparingly
        assert outcome(through(ranged, gate).download(target, include_meta=False)) == "ok"
    assert (target / "big.bin").read_bytes() == content


def test_a_part_that_was_whole_gets_its_name_without_being_fetched_again(ranged: dn.Workspace, target: Path) -> None:
    content = put(ranged)
    with front(ranged.settings.api_url) as gate:
        leave_a_part(ranged, gate, target)
        (part,) = target.glob(".dnb-*.part")
        part.write_bytes(content)
        assert outcome(through(ranged, gate).download(target, include_meta=False)) == "ok"

        assert ranges(gate) == []
    assert (target / "big.bin").read_bytes() == content
    assert names(target) == ["big.bin"]


def test_a_part_with_a_second_name_is_left_alone(ranged: dn.Workspace, target: Path) -> None:
    content = put(ranged)
    with front(ranged.settings.api_url) as gate:
        leave_a_part(ranged, gate, target)
        (part,) = target.glob(".dnb-*.part")
        os.link(part, target / "mine.bin")
        mine = part.read_bytes()
        assert outcome(through(ranged, gate).download(target, include_meta=False)) == "ok"

    assert (target / "mine.bin").read_bytes() == mine
    assert (target / "big.bin").read_bytes() == content


def test_beside_another_process_that_holds_the_folder_nothing_is_shared(ranged: dn.Workspace, target: Path) -> None:
    content = put(ranged)
    with front(ranged.settings.api_url) as gate:
        leave_a_part(ranged, gate, target)
        (part,) = target.glob(".dnb-*.part")
        size = part.stat().st_size
        holder = Parts(target)
        holder.open()
        try:
            assert outcome(through(ranged, gate).download(target, include_meta=False)) == "ok"
        finally:
            assert part.stat().st_size == size
            holder.close()

        assert ranges(gate) == [None]
    assert (target / "big.bin").read_bytes() == content
    assert names(target) == sorted(["big.bin", part.name])


def test_two_processes_into_one_folder_end_with_whole_files(ranged: dn.Workspace, target: Path) -> None:
    contents = {f"{number}.bin": put(ranged, f"{number}.bin", 400_000) for number in range(8)}
    with front(ranged.settings.api_url) as gate:
        processes = [start(ranged, gate, target) for _ in range(2)]
        for process in processes:
            out, err = process.communicate(timeout=60)
            assert "failed" not in out, err
            assert "ok" in out or "skipped" in out, err
    assert {path.name: path.read_bytes() for path in target.iterdir()} == contents


FULL_DISK = (
    """
import resource
import deepset_nb.transfer.fetch
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
"""
    + SCRIPT
    + """
print(job.failed["reason"].tolist(), job.failed["remedy"].tolist())
"""
)


def test_a_disk_that_takes_no_more_is_a_failed_row_and_the_others_arrive(ws: dn.Workspace, target: Path) -> None:
    put(ws, "large.bin")
    small = put(ws, "small.bin", 1000)
    command = [sys.executable, "-c", FULL_DISK, ws.name, ws.settings.api_key.reveal(), ws.settings.api_url, str(target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert done.stdout.splitlines()[0] == "['failed', 'ok']", done.stderr
    assert "It cannot be written: File too large." in done.stdout
    assert "See to the folder." in done.stdout
    assert {path.name: path.read_bytes() for path in target.iterdir()} == {"small.bin": small}


def test_a_folder_that_takes_no_files_is_a_failed_row_each(ws: dn.Workspace) -> None:
    put(ws, "a.bin", 1000)
    # Root may write everywhere, but not even root makes files in here.
    job = ws.download(Path("/proc/self/task"), include_meta=False).wait(END_S)

    assert job.receipt["status"].tolist() == ["failed"]
    assert job.failed["reason"].str.startswith("It cannot be written").tolist() == [True]
    assert job.failed["remedy"].str.contains("folder").tolist() == [True]


MEMORY = """
import sys
from pathlib import Path
import deepset_nb as dn
ws = dn.Workspace(sys.argv[1], api_key=sys.argv[2], api_url=sys.argv[3])
lines = lambda: Path("/proc/self/status").read_text().splitlines()
peak = lambda: next(int(line.split()[1]) >> 10 for line in lines() if line.startswith("VmHWM"))
ws.download(sys.argv[4], name="small", show=False).wait(60).receipt
before = peak()
job = ws.download(sys.argv[4], name="large", show=False).wait(120)
print(job.receipt["status"].tolist(), peak() - before)
"""


def test_a_large_file_passes_through_little_memory(ws: dn.Workspace, tmp_path: Path, target: Path) -> None:
    large = tmp_path / "large.bin"
    with large.open("wb") as out:
        out.truncate(256 * KIB * KIB)
    put(ws, "small.bin", 1000)
    assert ws.upload(large).wait(120).failed.empty
    command = [sys.executable, "-c", MEMORY, ws.name, ws.settings.api_key.reveal(), ws.settings.api_url, str(target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    status, _, grown = done.stdout.strip().rpartition(" ")

    assert status == "['ok']", done.stderr
    assert int(grown) < 64
    assert (target / "large.bin").stat().st_size == large.stat().st_size
