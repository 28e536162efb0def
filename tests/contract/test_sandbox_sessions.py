"""Upload sessions of the sandbox: platform API reference."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from deepset_nb.emulator import Choices
from tests.contract.rooms import until


def test_opening_a_session_answers_201_with_a_form_of_its_own(room):
    response = room.api.post(
        room.url("/upload_sessions"), json={"write_mode": "KEEP", "parallel_processing_enabled": False}
    )
    session = response.json()
    fields = session["aws_prefixed_request_config"]["fields"]
    assert response.status_code == 201
    assert list(session) == ["session_id", "documentation_url", "expires_at", "aws_prefixed_request_config"]
    assert UUID(session["session_id"])
    assert fields["key"].split("/")[2:] == [session["session_id"], "${filename}"]
    assert list(fields) == [
        "key", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token", "policy", "x-amz-signature",
    ]  # fmt: skip


def test_a_session_can_be_opened_without_a_body_and_with_fields_nobody_knows(room):
    assert room.api.post(room.url("/upload_sessions")).status_code == 201
    assert room.open(colour="blue")["session_id"]


def test_the_bucket_is_at_the_address_the_client_came_by_but_outside_the_api(room):
    url = httpx.URL(room.open()["aws_prefixed_request_config"]["url"])
    assert (url.host, url.port) == (room.api.base_url.host, room.api.base_url.port)
    assert url.path.startswith("/bucket/")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"write_mode": "APPEND"}, "write_mode"),
        ({"expires_in_seconds": 0}, "expires_in_seconds"),
        ({"expires_in_seconds": 86_401}, "expires_in_seconds"),
        ({"parallel_processing_enabled": "perhaps"}, "parallel_processing_enabled"),
    ],
)
def test_options_that_do_not_fit_are_422_with_their_place(room, options, field):
    response = room.api.post(room.url("/upload_sessions"), json=options)
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", field]


@pytest.mark.parametrize("seconds", [1, 86_400, None])
def test_a_session_lives_as_long_as_asked_for_and_a_day_otherwise(start, clock, seconds):
    room = start(clock=clock)
    expires_at = datetime.fromisoformat(room.open(expires_in_seconds=seconds)["expires_at"])
    assert expires_at.timestamp() == clock.now + (seconds or 86_400)
    assert expires_at.utcoffset() == timedelta(0)


def test_the_eleventh_open_session_is_refused_until_one_is_closed(room):
    sessions = [room.open() for _ in range(10)]
    refused = room.api.post(room.url("/upload_sessions"), json={})
    assert refused.status_code == 409
    assert "10 open upload sessions" in refused.json()["errors"][0]
    room.close(sessions[0])
    assert room.open()


def test_the_status_of_the_eleventh_is_a_choice(start):
    room = start(choices=Choices(max_open_sessions=1, open_sessions_status=400))
    room.open()
    assert room.api.post(room.url("/upload_sessions"), json={}).status_code == 400


@pytest.mark.parametrize("body", [{"json": {"status": "CLOSED"}}, {"json": {"status": "closed"}}, {"json": {}}, {}])
def test_closing_answers_204_without_a_body(room, body):
    response = room.api.put(room.url(f"/upload_sessions/{room.open()['session_id']}"), **body)
    assert (response.status_code, response.content) == (204, b"")


def test_closing_twice_is_409(room):
    session = room.open()
    room.close(session)
    response = room.close(session)
    assert response.status_code == 409
    assert "CLOSED" in response.json()["errors"][0]


def test_a_session_cannot_be_set_to_another_state(room):
    path = room.url(f"/upload_sessions/{room.open()['session_id']}")
    assert room.api.put(path, json={"status": "OPEN"}).status_code == 422


def test_a_session_is_only_known_in_its_own_workspace(room, shared_server):
    shared_server.add_workspace("elsewhere")
    path = f"/workspaces/elsewhere/upload_sessions/{room.open()['session_id']}"
    for answer in (room.api.get(path), room.api.put(path, json={}), room.api.get(path + "/files")):
        assert answer.status_code == 404


def test_unknown_sessions_are_404_and_ids_that_are_none_422(room):
    assert room.api.get(room.url(f"/upload_sessions/{uuid4()}")).status_code == 404
    assert room.api.get(room.url("/upload_sessions/tomorrow")).status_code == 422


def test_an_empty_session_counts_nothing_before_and_after_closing(room):
    session = room.open()
    assert room.status(session) == {"failed_files": 0, "finished_files": 0}
    room.close(session)
    assert room.status(session) == {"failed_files": 0, "finished_files": 0}


def test_the_status_says_nothing_but_counts_and_expiry(room):
    session = room.open()
    status = room.api.get(room.url(f"/upload_sessions/{session['session_id']}")).json()
    assert sorted(status) == ["documentation_url", "expires_at", "ingestion_status", "session_id"]
    assert status["expires_at"] == session["expires_at"]


def test_the_expiry_in_the_status_may_be_null_by_choice(start):
    room = start(choices=Choices(null_expires_at=True))
    assert room.api.get(room.url(f"/upload_sessions/{room.open()['session_id']}")).json()["expires_at"] is None


def _listed(room, **query):
    page = room.api.get(room.url("/upload_sessions"), params=query).json()
    return [row["session_id"] for row in page["data"]], page["has_more"], page["total"]


def test_sessions_are_listed_oldest_first_by_choice(start):
    room = start(choices=Choices(newest_session_first=False))
    ids = [room.open()["session_id"] for _ in range(3)]
    assert _listed(room) == (ids, False, 3)
    assert _listed(room, limit=1, after=ids[0]) == ([ids[1]], True, 3)


def test_sessions_are_listed_newest_first_with_who_when_and_how(room):
    first, second = room.open(), room.open(write_mode="FAIL")
    room.close(first)
    rows = room.api.get(room.url("/upload_sessions")).json()["data"]
    assert [row["session_id"] for row in rows] == [second["session_id"], first["session_id"]]
    assert [row["status"] for row in rows] == ["OPEN", "CLOSED"]
    assert [row["write_mode"] for row in rows] == ["FAIL", "KEEP"]
    assert rows[0]["expires_at"] == second["expires_at"]
    assert sorted(rows[0]["created_by"]) == ["family_name", "given_name", "user_id"]


def test_numbered_pages_of_sessions_cover_all_of_them_once(room):
    ids = [room.open()["session_id"] for _ in range(5)][::-1]
    assert _listed(room, limit=2, page_number=1) == (ids[:2], True, 5)
    assert _listed(room, limit=2, page_number=3) == (ids[4:], False, 5)
    assert _listed(room, limit=2, page_number=4) == ([], False, 5)


def test_pages_after_and_before_a_session_are_its_neighbours(room):
    ids = [room.open()["session_id"] for _ in range(5)][::-1]
    assert _listed(room, limit=2, after=ids[1]) == (ids[2:4], True, 5)
    assert _listed(room, limit=2, after=ids[3]) == (ids[4:], False, 5)
    assert _listed(room, limit=2, before=ids[3]) == (ids[1:3], True, 5)
    assert _listed(room, limit=5, before=ids[1]) == (ids[:1], False, 5)


def test_ways_of_paging_are_not_mixed(room):
    query = {"page_number": 1, "after": str(uuid4())}
    assert room.api.get(room.url("/upload_sessions"), params=query).status_code == 400


def test_is_expired_tells_sessions_past_their_time_from_the_others(start, clock):
    room = start(clock=clock)
    short, long = room.open(expires_in_seconds=60)["session_id"], room.open()["session_id"]
    clock.now += 61
    assert _listed(room) == ([long, short], False, 2)
    assert _listed(room, is_expired=True) == ([short], False, 1)
    assert _listed(room, is_expired=False) == ([long], False, 1)


@pytest.mark.parametrize(("hides", "shown"), [(False, "CLOSED"), (True, "EXPIRED")])
def test_a_closed_session_past_its_time_stays_closed_unless_chosen_otherwise(start, clock, hides, shown):
    room = start(clock=clock, choices=Choices(expired_hides_closed=hides))
    room.close(room.open(expires_in_seconds=60))
    clock.now += 61
    assert room.api.get(room.url("/upload_sessions")).json()["data"][0]["status"] == shown


@pytest.mark.parametrize("path", ["/upload_sessions", "/files"])
def test_a_page_of_more_than_100_is_422_in_fastapis_words(room, path):
    response = room.api.get(room.url(path), params={"limit": 101})
    detail = response.json()["detail"][0]
    assert response.status_code == 422
    assert (detail["type"], detail["loc"], detail["ctx"]) == ("less_than_equal", ["query", "limit"], {"le": 100})


def test_a_page_of_more_than_100_is_cut_by_choice(start):
    room = start(choices=Choices(limit_over_100="clamp", max_open_sessions=200))
    for _ in range(101):
        room.open()
    ids, has_more, total = _listed(room, limit=1000)
    assert (len(ids), has_more, total) == (100, True, 101)


def test_pages_have_ten_rows_where_nothing_is_said(start):
    room = start(choices=Choices(max_open_sessions=200))
    for _ in range(11):
        room.open()
    ids, has_more, total = _listed(room)
    assert (len(ids), has_more, total) == (10, True, 11)


def test_an_unclosed_session_expires_and_what_it_holds_is_ingested(start, clock):
    room = start(clock=clock)
    session = room.open(expires_in_seconds=60)
    room.post(session, "a.txt")
    clock.now += 61
    assert room.api.get(room.url("/upload_sessions")).json()["data"][0]["status"] == "EXPIRED"
    assert room.close(session).status_code == 409
    until(room.files)
    assert room.wait(session) == [("a.txt", "FINISHED", None)]
    assert room.api.get(room.url("/upload_sessions")).json()["data"][0]["status"] == "EXPIRED"


def test_what_an_expired_session_holds_is_not_ingested_by_choice(start, clock):
    room = start(clock=clock, choices=Choices(expired_ingests=False))
    session = room.open(expires_in_seconds=60)
    room.post(session, "a.txt")
    clock.now += 61
    until(lambda: _stored_status(room) == "EXPIRED")
    assert room.outcomes(session) == []
    assert room.files() == []


def _stored_status(room):
    with room.server._platform.store.read() as db:
        return db.execute("SELECT status FROM sessions").fetchone()[0]


def test_an_expired_session_makes_room_for_another(start, clock):
    room = start(clock=clock, choices=Choices(max_open_sessions=1))
    room.open(expires_in_seconds=60)
    clock.now += 61
    assert room.open()


def test_the_files_of_a_session_are_listed_from_its_closing_on(room):
    session = room.open()
    room.post(session, "a.txt")
    room.post(session, "empty.txt", b"")
    assert room.outcomes(session) == []
    room.close(session)
    assert room.wait(session) == [("a.txt", "FINISHED", None), ("empty.txt", "FAILED", "EMPTY_FILE")]
    assert room.outcomes(session, ingestion_status="FAILED") == [("empty.txt", "FAILED", "EMPTY_FILE")]
    assert room.status(session) == {"failed_files": 1, "finished_files": 1}


def test_the_files_of_a_session_come_in_pages_with_ids_to_go_on_from(room):
    session = room.open()
    for number in range(5):
        room.post(session, f"{number}.txt")
    room.close(session)
    room.wait(session)
    path = room.url(f"/upload_sessions/{session['session_id']}/files")
    first = room.api.get(path, params={"limit": 2}).json()
    second = room.api.get(path, params={"limit": 2, "after": first["data"][1]["file_ingestion_id"]}).json()
    third = room.api.get(path, params={"limit": 2, "page_number": 3}).json()
    names = [row["name"] for page in (first, second, third) for row in page["data"]]
    assert names == ["0.txt", "1.txt", "2.txt", "3.txt", "4.txt"]
    assert [page["has_more"] for page in (first, second, third)] == [True, True, False]
    assert first["total"] == 5


def test_an_ingestion_status_nobody_knows_is_422(room):
    path = room.url(f"/upload_sessions/{room.open()['session_id']}/files")
    assert room.api.get(path, params={"ingestion_status": "LOST"}).status_code == 422
