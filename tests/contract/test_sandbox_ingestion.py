"""From objects to files: platform API reference."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from deepset_nb.emulator import Choices, Connection, SandboxConfig, SandboxServer
from tests.contract.rooms import Room, api_client, until


def test_a_file_comes_out_as_it_went_in(room):
    content = bytes(range(256)) * 5_000 + b"\r\n--not a boundary\r\n"
    assert room.upload({"data.bin": content}) == [("data.bin", "FINISHED", None)]
    (file,) = room.files()
    assert (file["name"], file["size"], file["meta"]) == ("data.bin", len(content), {})
    assert room.download(file) == content


def test_a_sidecar_becomes_the_meta_of_its_file_and_neither_a_file_nor_a_count(room):
    session = room.open()
    room.post(session, "a.txt.meta.json", b'{"topic": "rivers", "tags": ["x", "\xc3\xa4"]}')
    room.post(session, "a.txt")
    room.close(session)
    assert room.wait(session) == [("a.txt", "FINISHED", None)]
    assert room.status(session) == {"failed_files": 0, "finished_files": 1}
    (file,) = room.files()
    assert file["meta"] == {"topic": "rivers", "tags": ["x", "ä"]}


def test_sidecars_are_paired_case_sensitively(room):
    room.upload(
        {
            "File.txt": b"1",
            "file.txt": b"2",
            "File.txt.meta.json": b'{"who": "upper"}',
            "file.txt.meta.json": b'{"who": "lower"}',
        }
    )
    assert {file["name"]: file["meta"] for file in room.files()} == {
        "File.txt": {"who": "upper"},
        "file.txt": {"who": "lower"},
    }


@pytest.mark.parametrize(
    "sidecar", [b"{", b"[1]", b'"text"', b'{"a": NaN}', b'{"a": "\\ud800"}', b"\xff", b"", b"[" * 100_000]
)
def test_a_sidecar_that_is_no_json_object_fails_its_file(room, sidecar):
    outcome = room.upload({"a.txt": b"1", "a.txt.meta.json": sidecar, "b.txt": b"2"})
    assert outcome == [("a.txt", "FAILED", "FAILED_TO_PARSE_META"), ("b.txt", "FINISHED", None)]
    assert [file["name"] for file in room.files()] == ["b.txt"]


def test_a_sidecar_over_the_limits_fails_its_file(room):
    too_long = json.dumps({"a": "x" * 32_767}).encode()
    assert room.upload({"a.txt": b"1", "a.txt.meta.json": too_long}) == [("a.txt", "FAILED", "UNKNOWN_ERROR")]


def test_a_sidecar_without_a_file_is_reported_under_the_name_that_is_missing(room):
    assert room.upload({"a.txt.meta.json": b"{}"}) == [("a.txt", "FAILED", "FILE_NOT_FOUND")]


def test_a_sidecar_without_a_file_is_ignored_by_choice(start):
    room = start(choices=Choices(orphan_sidecar="ignore"))
    assert room.upload({"a.txt.meta.json": b"{}"}) == []


def test_sidecars_are_rows_but_no_counts_by_choice(start):
    room = start(choices=Choices(sidecars_are_rows=True))
    session = room.open()
    room.post(session, "a.txt")
    room.post(session, "a.txt.meta.json", b"{}")
    room.close(session)
    assert [name for name, _, _ in room.wait(session)] == ["a.txt", "a.txt.meta.json"]
    assert room.status(session) == {"failed_files": 0, "finished_files": 1}


def test_an_empty_file_fails(room):
    assert room.upload({"a.txt": b""}) == [("a.txt", "FAILED", "EMPTY_FILE")]
    assert room.files() == []


def test_keep_makes_a_second_file_of_the_same_name(room):
    room.upload({"a.txt": b"1"})
    room.upload({"a.txt": b"22"}, write_mode="KEEP")
    files = room.files()
    assert [(file["name"], file["size"]) for file in files] == [("a.txt", 2), ("a.txt", 1)]
    assert files[0]["file_id"] != files[1]["file_id"]


def test_overwrite_replaces_all_of_the_name_and_keeps_the_newest_id(room):
    room.upload({"a.txt": b"1", "b.txt": b"b"})
    room.upload({"a.txt": b"22"})
    newest = room.files()[0]
    room.upload({"a.txt": b"333", "a.txt.meta.json": b'{"n": 3}'}, write_mode="OVERWRITE")
    file, other = room.files()
    assert (file["file_id"], file["size"], file["meta"]) == (newest["file_id"], 3, {"n": 3})
    assert file["created_at"] > newest["created_at"]
    assert room.download(file) == b"333"
    assert other["name"] == "b.txt"


def test_overwrite_makes_a_new_id_by_choice(start):
    room = start(choices=Choices(overwrite_keeps_id=False))
    room.upload({"a.txt": b"1"})
    (before,) = room.files()
    room.upload({"a.txt": b"2"}, write_mode="OVERWRITE")
    (after,) = room.files()
    assert after["file_id"] != before["file_id"]


def test_fail_leaves_the_file_that_is_there(room):
    room.upload({"a.txt": b"1"})
    outcome = room.upload({"a.txt": b"2", "b.txt": b"2"}, write_mode="FAIL")
    assert outcome == [("a.txt", "FAILED", "FILE_ALREADY_EXISTS"), ("b.txt", "FINISHED", None)]
    assert {file["name"]: room.download(file) for file in room.files()} == {"a.txt": b"1", "b.txt": b"2"}


def test_a_temporary_session_is_accepted(room):
    assert room.upload({"a.txt": b"1"}, write_mode="TEMPORARY") == [("a.txt", "FINISHED", None)]


def test_one_name_posted_twice_into_a_session_is_one_file_the_later(room):
    session = room.open()
    room.post(session, "a.txt", b"first")
    room.post(session, "a.txt", b"second")
    room.close(session)
    assert room.wait(session) == [("a.txt", "FINISHED", None)]
    assert room.download(room.files()[0]) == b"second"


def test_an_object_posted_after_closing_is_taken_and_never_ingested(room):
    session = room.open()
    room.post(session, "a.txt", b"in time")
    room.close(session)
    assert room.post(session, "b.txt").status_code == 204
    assert room.post(session, "a.txt", b"too late").status_code == 204
    assert room.wait(session) == [("a.txt", "FINISHED", None)]
    assert room.download(room.files()[0]) == b"in time"


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("naïve file.txt", "naïve file.txt"),
        ("na%C3%AFve%20file.txt", "naïve file.txt"),
        ("100%25.txt", "100%.txt"),
        ("100%.txt", "100%.txt"),
        ("%2541.txt", "%41.txt"),
        ("🦊.txt", "🦊.txt"),
        ("folder/a.txt", "a.txt"),
        ("..%2Fa.txt", "../a.txt"),
        ("a;b=c.txt", "a;b=c.txt"),
        ("x" * 300 + ".txt", "x" * 300 + ".txt"),
    ],
)
def test_names_are_percent_decoded_once_and_raw_utf8_is_taken_as_well(room, sent, stored):
    assert room.upload({sent: b"1"}) == [(stored, "FINISHED", None)]
    assert [file["name"] for file in room.files()] == [stored]


def test_names_are_left_as_they_came_by_choice(start):
    room = start(choices=Choices(decode_names=False))
    assert room.upload({"a%20b.txt": b"1"}) == [("a%20b.txt", "FINISHED", None)]


def test_an_encoded_name_finds_its_raw_sidecar(room):
    room.upload({"a%20b.txt": b"1", "a b.txt.meta.json": b'{"found": true}'})
    assert room.files()[0]["meta"] == {"found": True}


def test_two_objects_whose_names_decode_alike_are_two_files(room):
    outcome = room.upload({"a%20b.txt": b"1", "a b.txt": b"22", "a b.txt.meta.json": b"{}"})
    assert outcome == [("a b.txt", "FINISHED", None)] * 2
    assert sorted(room.download(file) for file in room.files()) == [b"1", b"22"]


def test_what_is_beyond_the_limit_of_a_session_fails(start):
    room = start(choices=Choices(max_session_objects=3))
    outcome = room.upload({"a.txt": b"1", "a.txt.meta.json": b"{}", "b.txt": b"1", "c.txt": b"1"})
    assert outcome == [
        ("a.txt", "FINISHED", None),
        ("b.txt", "FINISHED", None),
        ("c.txt", "FAILED", "UNKNOWN_ERROR"),
    ]


def test_nothing_superfluous_stays_on_disk(start, tmp_path):
    room = start(data=tmp_path)
    room.upload({"a.txt": b"1", "a.txt.meta.json": b"{}", "empty.txt": b"", "orphan.meta.json": b"{}"})
    room.upload({"a.txt": b"2"}, write_mode="OVERWRITE")
    until(lambda: len(list((tmp_path / "blobs").iterdir())) == 1)
    assert list((tmp_path / "incoming").iterdir()) == []


def test_a_delay_holds_files_pending_until_its_time(start, clock):
    room = start(clock=clock, ingest_delay_s=5)
    session = room.open()
    room.post(session, "a.txt")
    room.close(session)
    clock.now += 4
    time.sleep(0.3)  # the worker looks every 0.1 s
    assert room.outcomes(session) == [("a.txt", "PENDING", None)]
    assert room.status(session) == {"failed_files": 0, "finished_files": 0}
    clock.now += 1
    assert room.wait(session) == [("a.txt", "FINISHED", None)]


def test_a_rate_makes_counts_rise_file_by_file(start):
    room = start(ingest_rate=20)
    session = room.open()
    for number in range(8):
        room.post(session, f"{number}.txt")
    room.close(session)
    seen = set()
    while (finished := room.status(session)["finished_files"]) < 8:
        seen.add(finished)
    assert len(seen) > 2


def test_ingestion_goes_on_after_a_restart_and_makes_no_file_twice(tmp_path):
    config = SandboxConfig(data=tmp_path, corpus=False, ingest_rate=100, api_key="k", clock=time.time)
    server = SandboxServer(config)
    room, session = _close_a_session_of(30, server)
    until(lambda: room.status(session)["finished_files"] > 3)
    room.api.close()
    server.stop()
    again = SandboxServer(SandboxConfig(data=tmp_path, corpus=False, api_key="k"))
    room.api = api_client(again.start())
    finished = room.wait(session)
    assert [status for _, status, _ in finished] == ["FINISHED"] * 30
    assert sorted(file["name"] for file in room.files()) == sorted(name for name, _, _ in finished)
    room.api.close()
    again.stop()


def test_ingestion_goes_on_after_a_kill_and_makes_no_file_twice(tmp_path):
    code = (
        "import sys, pathlib; from deepset_nb.emulator import SandboxConfig, serve; "
        "serve(SandboxConfig(data=pathlib.Path(sys.argv[1]), corpus=False, ingest_rate=100))"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE) as process:
        started = json.loads(process.stdout.readline())
        with api_client(Connection(**started)) as api:
            room = Room(api, "sandbox")
            session = room.open()
            for number in range(30):
                room.post(session, f"{number}.txt", b"x" * number * 1000 + b"x")
            room.close(session)
            until(lambda: room.status(session)["finished_files"] > 3)
        process.kill()
    server = SandboxServer(SandboxConfig(data=tmp_path, corpus=False))
    with api_client(server.start()) as room.api:
        assert [status for _, status, _ in room.wait(session)] == ["FINISHED"] * 30
        files = room.files()
        assert sorted(int(file["name"][:-4]) for file in files) == list(range(30))
        assert all(len(room.download(file)) == file["size"] for file in files)
    server.stop()


def _close_a_session_of(count, server):
    room = Room(api_client(server.start()), "sandbox")
    session = room.open()
    for number in range(count):
        room.post(session, f"{number}.txt")
    room.close(session)
    return room, session
