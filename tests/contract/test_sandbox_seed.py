"""The same seed gives the same answers everywhere, also across a restart at any moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from deepset_nb.emulator import Choices
from tests.contract.rooms import until
from tests.process import free_port


def everything(room) -> dict[str, Any]:
    """All that can be seen of a workspace; the session's outcomes by its id."""
    sessions = room.api.get(room.url("/upload_sessions"), params={"limit": 100}).json()
    return {
        "me": room.api.get("/me").json(),
        "workspaces": room.api.get("/workspaces").json(),
        "files": room.files(),
        "contents": [room.download(file) for file in room.files()],
        "sessions": sessions,
        "outcomes": {
            row["session_id"]: room.api.get(room.url(f"/upload_sessions/{row['session_id']}/files")).json()
            for row in sessions["data"]
        },
    }


def a_lesson(room) -> dict[str, Any]:
    """Objects posted in parallel, a sidecar, a failure, a direct upload, an overwrite."""
    session = room.open()
    with ThreadPoolExecutor(8) as clients:
        list(clients.map(lambda n: room.post(session, f"{n}.txt", b"x" * (n + 1)), range(12)))
    room.post(session, "3.txt.meta.json", b'{"topic": "rivers"}')
    room.post(session, "empty.txt", b"")
    room.close(session)
    room.wait(session)
    room.direct("note.txt")
    room.direct("note.txt")
    room.upload({"3.txt": b"again"}, write_mode="OVERWRITE")
    room.open(expires_in_seconds=60)
    return everything(room)


def test_the_same_seed_gives_the_same_ids_times_and_failures(start):
    faults = ("fail_some:30%",)
    first, second = (a_lesson(start(corpus=True, seed=7, faults=faults)) for _ in range(2))
    assert first == second
    assert any(row["ingestion_status"] == "FAILED" for page in first["outcomes"].values() for row in page["data"])


def test_another_seed_and_none_give_other_ids(start):
    ids = [start(seed=seed).api.get("/me").json()["user_id"] for seed in (1, 2, None, None)]
    assert len(set(ids)) == 4


def test_what_comes_in_between_in_another_room_changes_nothing(start):
    alone, busy = start(seed=7), start(seed=7)
    busy.server.add_workspace("neighbour")
    busy.api.post("/workspaces/neighbour/files", files={"file": ("a.txt", b"1")})
    seen = [a_lesson(room) for room in (alone, busy)]
    assert seen[0]["files"] == seen[1]["files"]
    assert seen[0]["sessions"] == seen[1]["sessions"]


def test_a_seeded_time_begins_at_a_fixed_moment_and_rises_by_a_second(start):
    room = start(seed=1)
    for name in ("a", "b"):
        room.direct(name)
    assert [file["created_at"] for file in room.files()] == [
        "2030-01-01T00:00:02.000000+00:00",
        "2030-01-01T00:00:01.000000+00:00",
    ]


def test_a_seeded_minute_still_lasts_a_minute(start, clock):
    room = start(seed=1, clock=clock)
    session = room.open(expires_in_seconds=60)
    clock.now += 59
    assert room.post(session, "a.txt").status_code == 204
    clock.now += 1
    assert room.post(session, "a.txt").status_code == 403
    assert room.api.get(room.url("/upload_sessions")).json()["data"][0]["status"] == "EXPIRED"


def test_a_seed_makes_no_key_guessable(start):
    first, second = start(seed=1), start(seed=1)
    assert first.connection.api_key != second.connection.api_key
    assert first.connection.admin_key != second.connection.admin_key
    assert first.server._platform.credentials != second.server._platform.credentials


MOMENTS = ("never", "created", "objects", "closed", "half-way")
NAMES = [f"{number}.txt" for number in range(8)]


@pytest.fixture
def uninterrupted(start):
    return run(start, None, "never")


def run(start, folder, moment: str) -> dict[str, Any]:
    """One upload, with a restart of the server at ``moment``."""
    config: dict[str, Any] = {"seed": 3, "api_key": "k", "port": free_port(), "ingest_delay_s": 0.3, "ingest_rate": 20}
    room = start(data=folder, **config)

    def restart_if(now: str) -> None:
        nonlocal room
        if now == moment:
            room.server.stop()
            room = start(data=folder, **config)

    session = room.open()
    restart_if("created")
    for number, name in enumerate(NAMES):
        if number == 4:
            restart_if("objects")
        assert room.post(session, name, name.encode() * 1000).status_code == 204
        assert room.post(session, f"{name}.meta.json", b'{"n": 1}').status_code == 204
    assert room.close(session).status_code == 204
    assert {status for _, status, _ in room.outcomes(session)} == {"PENDING"}
    restart_if("closed")
    until(lambda: 0 < room.status(session)["finished_files"] < len(NAMES) or moment != "half-way")
    restart_if("half-way")
    room.wait(session)
    return everything(room)


@pytest.mark.parametrize("moment", MOMENTS[1:])
def test_a_restart_at_any_moment_ends_in_the_same_content(start, tmp_path, uninterrupted, moment):
    interrupted = run(start, tmp_path, moment)
    assert len(interrupted["files"]) == len(NAMES)
    assert interrupted == uninterrupted


def test_choices_and_faults_may_differ_after_a_restart(start, tmp_path):
    config = {"data": tmp_path, "seed": 3, "api_key": "k"}
    room = start(**config, faults=("fail:a.txt=EMPTY_FILE",))
    assert room.upload({"a.txt": b"1"})[0][1] == "FAILED"
    room.server.stop()
    room = start(**config, choices=Choices(time_suffix="Z"))
    assert room.upload({"a.txt": b"1"})[0][1] == "FINISHED"
    assert room.files()[0]["created_at"].endswith("Z")
