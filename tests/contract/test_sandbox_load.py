"""Thirty clients at once: all finish, nothing is mixed up, nobody is left behind."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from tests.contract.rooms import Room, api_client, until

CLIENTS, FILES = 30, 8


def content(client: int, number: int) -> bytes:
    return f"{client}/{number} ".encode() * (500 if number % 4 == 0 else 5)


def session_of(room: Room, client: int) -> float:
    """Upload through a session of one's own, check every outcome; how long it took."""
    began = time.monotonic()
    session = room.open()
    for number in range(FILES):
        assert room.post(session, f"{client}-{number}.txt", content(client, number)).status_code == 204
        if number % 2:
            assert room.post(session, f"{client}-{number}.txt.meta.json", b'{"of": %d}' % client).status_code == 204
    assert room.close(session).status_code == 204
    assert room.wait(session) == [(f"{client}-{number}.txt", "FINISHED", None) for number in range(FILES)]
    return time.monotonic() - began


def check(room: Room, files: list[dict], clients: range) -> None:
    assert sorted(file["name"] for file in files) == sorted(f"{c}-{n}.txt" for c in clients for n in range(FILES))
    for file in files:
        client, number = map(int, file["name"].removesuffix(".txt").split("-"))
        assert file["meta"] == ({"of": client} if number % 2 else {})
        assert file["size"] == len(content(client, number))
        assert room.download(file) == content(client, number)


def test_thirty_rooms_at_once_get_what_is_theirs_in_about_the_same_time(start):
    started = start()

    def one(client: int) -> float:
        with api_client(started.connection) as api:
            started.server.add_workspace(f"room {client}")
            room = Room(api, f"room {client}")
            seconds = session_of(room, client)
            check(room, room.files(), range(client, client + 1))
            return seconds

    with ThreadPoolExecutor(CLIENTS) as clients:
        times = sorted(clients.map(one, range(CLIENTS)))
    assert times[-1] < 5 * times[CLIENTS // 2] + 5  # the slowest against the middle one


def test_thirty_clients_in_one_room_take_turns_at_its_ten_sessions_and_lose_nothing(start):
    started = start()

    def one(client: int) -> float:
        with api_client(started.connection) as api:
            room = Room(api, "sandbox")
            until(lambda: try_session(room, client), seconds=60)
            return time.monotonic()

    def try_session(room: Room, client: int) -> bool:
        try:
            session_of(room, client)
        except AssertionError as error:
            if "open upload sessions" not in str(error):
                raise
            time.sleep(0.02)
            return False
        return True

    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(one, range(CLIENTS)))
    files = [file for page in (1, 2, 3) for file in started.files(page_number=page)]
    check(started, files, range(CLIENTS))


def test_a_client_with_large_objects_does_not_hold_up_the_others(start):
    room = start(faults=("bandwidth:2000000",))
    session = room.open()
    with ThreadPoolExecutor(4) as clients:
        large = [clients.submit(room.post, session, f"{n}.bin", bytes(2_000_000)) for n in range(4)]
        time.sleep(0.1)
        began = time.monotonic()
        for _ in range(20):
            assert room.api.get(room.url("/files")).status_code == 200
        assert time.monotonic() - began < 2
        assert {post.result().status_code for post in large} == {204}
