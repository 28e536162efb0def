"""Starting, stopping, restarting and sharing a sandbox."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from deepset_nb.emulator import Connection, SandboxConfig, SandboxServer, server
from deepset_nb.emulator.store import SCHEMA_VERSION
from deepset_nb.errors import InputError, SandboxError
from tests.contract.rooms import PLAIN, Room, api_client, until
from tests.process import free_port

SERVE = "import pathlib, sys; from deepset_nb.emulator import SandboxConfig, serve; serve(SandboxConfig())"


def _folder(room: Room) -> Path:
    return room.server._platform.store.folder


def test_it_listens_on_a_free_port_of_this_machine_only(start):
    url = httpx.URL(start().connection.api_url)
    assert url.host == "127.0.0.1"
    assert url.port > 0
    assert url.path == "/api/v1"


def test_starting_again_is_the_same_sandbox_and_stopping_again_does_nothing():
    server = SandboxServer(SandboxConfig(corpus=False))
    assert server.start() == server.start()
    server.stop()
    server.stop()


def test_a_stopped_sandbox_answers_no_more_and_leaves_no_folder_and_no_threads(start):
    before = set(threading.enumerate())
    room = start()
    folder = _folder(room)
    assert folder.is_dir()
    room.server.stop()
    assert not folder.exists()
    with pytest.raises(httpx.ConnectError):
        room.api.get("/me")
    until(lambda: set(threading.enumerate()) <= before)


def test_a_sandbox_can_be_started_after_it_was_stopped(start):
    room = start(api_key="k", port=free_port())
    room.server.stop()
    room.server.start()
    assert room.api.get("/me").status_code == 200


def test_a_taken_port_is_named_with_what_to_do(start):
    port = httpx.URL(start().connection.api_url).port
    with pytest.raises(SandboxError, match=f"port {port} .*another port"):
        SandboxServer(SandboxConfig(port=port)).start()


def test_data_is_used_by_one_sandbox_at_a_time(start, tmp_path):
    start(data=tmp_path)
    with pytest.raises(SandboxError, match=f"(?s){tmp_path}.*Stop it first"):
        SandboxServer(SandboxConfig(data=tmp_path)).start()


def test_data_in_use_by_another_process_is_refused_and_free_after_its_end(tmp_path):
    code = SERVE.replace("SandboxConfig()", "SandboxConfig(data=pathlib.Path(sys.argv[1]))")
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        with pytest.raises(SandboxError, match="Another sandbox"):
            SandboxServer(SandboxConfig(data=tmp_path)).start()
        process.kill()
    server = SandboxServer(SandboxConfig(data=tmp_path))
    server.start()
    server.stop()


def test_data_of_another_version_is_refused_with_both_versions_and_what_to_do(start, tmp_path):
    start(data=tmp_path).server.stop()
    db = sqlite3.connect(tmp_path / "sandbox.db")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(
        SandboxError, match=f"{tmp_path}.* 99.* {SCHEMA_VERSION}.*Move the folder away, or pass another"
    ):
        SandboxServer(SandboxConfig(data=tmp_path)).start()


def test_a_database_that_is_none_is_refused(tmp_path):
    (tmp_path / "sandbox.db").write_bytes(b"something else" * 1000)
    with pytest.raises(SandboxError, match="not a sandbox database"):
        SandboxServer(SandboxConfig(data=tmp_path)).start()


def test_a_folder_that_cannot_be_one_is_refused(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(SandboxError, match=r"cannot keep its data in .*file"):
        SandboxServer(SandboxConfig(data=tmp_path / "file")).start()


def test_an_unknown_fault_stops_the_start_and_frees_port_and_data(start, tmp_path):
    port = free_port()
    with pytest.raises(InputError, match="no fault 'gremlins'"):
        SandboxServer(SandboxConfig(port=port, data=tmp_path, faults=("gremlins:3",))).start()
    assert start(port=port, data=tmp_path)


def test_everything_is_there_after_a_restart_and_forms_given_out_before_are_good(start, tmp_path):
    port = free_port()
    config = {"data": tmp_path, "api_key": "k", "port": port}
    room = start(**config)
    room.direct("a.txt", b"text", meta='{"a": 1}')
    session = room.open()
    room.post(session, "b.txt", b"before")
    before = (room.files(), room.api.get("/me").json(), room.api.get(room.url("/upload_sessions")).json())
    room.server.stop()
    room = start(**config)
    assert (room.files(), room.api.get("/me").json(), room.api.get(room.url("/upload_sessions")).json()) == before
    room.post(session, "c.txt", b"after")
    room.close(session)
    assert [name for name, _, _ in room.wait(session)] == ["b.txt", "c.txt"]
    assert sorted(room.download(file) for file in room.files()) == [b"after", b"before", b"text"]


def test_leftovers_of_a_killed_server_are_swept_up(start, tmp_path):
    start(data=tmp_path).server.stop()
    (tmp_path / "incoming" / "half").write_bytes(b"half")
    start(data=tmp_path)
    assert list((tmp_path / "incoming").iterdir()) == []


def test_an_upload_in_progress_does_not_hold_up_the_end_and_leaves_nothing(start, tmp_path, caplog):
    room = start(data=tmp_path, faults=("bandwidth:100000",))
    session = room.open()

    def post() -> None:
        with pytest.raises(httpx.TransportError):
            room.post(session, "a.txt", bytes(50_000_000))

    client = threading.Thread(target=post)
    client.start()
    time.sleep(0.5)
    room.server.stop()
    client.join()
    assert list((tmp_path / "incoming").iterdir()) == []
    assert not caplog.records


def test_a_request_in_progress_does_not_hold_up_the_end_for_long(start, caplog):
    room = start(faults=("latency:60s",))
    outcomes = []

    def wait() -> None:
        try:
            outcomes.append(room.api.get("/me"))
        except httpx.TransportError as error:
            outcomes.append(error)

    client = threading.Thread(target=wait)
    client.start()
    time.sleep(0.2)
    began = time.monotonic()
    room.server.stop()
    client.join()
    assert time.monotonic() - began < 8
    assert isinstance(outcomes[0], httpx.TransportError)
    assert not caplog.records


def test_a_room_of_ones_own_is_made_once(start):
    room = start()
    room.server.add_workspace("anna")
    room.server.add_workspace("anna")
    assert [workspace["name"] for workspace in room.api.get("/workspaces").json()] == ["sandbox", "anna"]


def test_a_room_cannot_be_made_in_a_sandbox_that_does_not_run():
    with pytest.raises(SandboxError, match="Start it first"):
        SandboxServer(SandboxConfig()).add_workspace("anna")


def test_a_connection_on_which_nothing_is_asked_is_ended(start, monkeypatch):
    monkeypatch.setattr(server, "KEEP_ALIVE_S", 0.3)
    url = httpx.URL(start().connection.api_url)
    with socket.create_connection((url.host, url.port), timeout=20) as client:
        assert client.recv(1) == b""


def test_many_answers_over_one_connection_come_without_delay(room):
    room.direct("a.txt")
    began = time.monotonic()
    for _ in range(100):
        room.api.get(room.url("/files"))
    assert time.monotonic() - began < 3  # Nagle's algorithm would make it more than 4


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_tells_how_to_connect_on_its_first_line_and_ends_with_0_when_told_to(number):
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SERVE], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        line = json.loads(process.stdout.readline())
        assert list(line) == ["api_url", "api_key", "workspace", "admin_key"]
        with api_client(Connection(**line)) as api:
            assert api.get(f"/workspaces/{line['workspace']}/files").json()["total"] == 12
            form = Room(api, line["workspace"]).open()["aws_prefixed_request_config"]
            headers = {"Content-Type": "multipart/form-data; boundary=limit"}
            assert httpx.post(form["url"], content=b"rubbish", headers=headers, verify=PLAIN).status_code == 400
            process.send_signal(number)
            output, errors = process.communicate(timeout=30)
    assert (process.returncode, output, errors) == (0, b"", b"")


def test_serve_leaves_no_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", SERVE], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        assert len(list(tmp_path.iterdir())) == 1
        process.terminate()
    assert list(tmp_path.iterdir()) == []


def test_a_sandbox_nobody_stops_ends_with_its_process_and_leaves_no_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    code = "from deepset_nb.emulator import SandboxConfig, SandboxServer; SandboxServer(SandboxConfig()).start()"
    ended = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_or_logged_for_requests_however_bad(start, capfd, caplog):
    room = start()
    room.api.get("/nowhere")
    form = room.open()["aws_prefixed_request_config"]
    headers = {"Content-Type": "multipart/form-data; boundary=limit"}
    assert httpx.post(form["url"], content=b"rubbish", headers=headers, verify=PLAIN).status_code == 400
    room.server.stop()
    assert capfd.readouterr() == ("", "")
    assert [record for record in caplog.records if not record.name.startswith("http")] == []
