"""Faults, from the configuration and over the admin endpoints."""

from __future__ import annotations

import time

import httpx
import pytest

from deepset_nb.emulator.faults import KINDS, REASONS
from deepset_nb.emulator.faults.api import ODD_NAMES
from deepset_nb.emulator.marks import share_of
from tests.contract.rooms import PLAIN, Room, post_form, until


def admin(room, method: str, path: str, key: str | None = None, **request) -> httpx.Response:
    url = str(room.api.base_url.copy_with(path=f"/_sandbox{path}"))
    headers = {"X-Sandbox-Admin-Key": room.connection.admin_key if key is None else key}
    return httpx.request(method, url, headers=headers, verify=PLAIN, **request)


def fault(room, *specs: str) -> None:
    assert admin(room, "POST", "/faults", json={"faults": specs}).status_code == 200


def seconds(action) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began


def test_latency_delays_the_api_and_the_bucket(start):
    room = start(faults=("latency:300ms",))
    assert seconds(lambda: room.api.get("/me")) >= 0.3
    session = room.open()
    assert seconds(lambda: room.post(session, "a.txt")) >= 0.3


def test_slow_down_refuses_so_many_objects_with_503_and_then_no_more(start):
    room = start(faults=("slow_down:2",))
    session = room.open()
    responses = [room.post(session, "a.txt") for _ in range(3)]
    assert [response.status_code for response in responses] == [503, 503, 204]
    assert "<Code>SlowDown</Code>" in responses[0].text


def test_a_proxy_answers_for_the_api_with_html(start):
    room = start(faults=("api_502_html:1",))
    response = room.api.get("/me")
    assert (response.status_code, response.headers["Content-Type"]) == (502, "text/html; charset=utf-8")
    assert room.api.get("/me").status_code == 200


def test_a_named_file_fails_with_the_reason_asked_for(start):
    room = start(faults=("fail:b=1.pdf=FAILED_TO_PARSE_META",))
    outcome = room.upload({"a.txt": b"1", "b=1.pdf": b"1"})
    assert outcome == [("a.txt", "FINISHED", None), ("b=1.pdf", "FAILED", "FAILED_TO_PARSE_META")]


def test_a_reset_breaks_so_many_objects_and_leaves_nothing(start, tmp_path):
    room = start(faults=("reset:2",), data=tmp_path)
    session = room.open()
    for _ in range(2):
        with pytest.raises(httpx.TransportError):
            room.post(session, "a.txt", b"x" * 3_000_000)
    assert list((tmp_path / "incoming").iterdir()) == []
    assert room.post(session, "a.txt").status_code == 204


def test_bandwidth_bounds_how_fast_an_object_is_taken(start):
    room = start()
    session = room.open()
    fault(room, "bandwidth:2000000")
    assert seconds(lambda: room.post(session, "a.txt", b"x" * 1_000_000)) >= 0.4
    assert seconds(lambda: room.api.get("/me")) < 0.4


def test_bandwidth_lets_progress_be_seen_by_the_sender(start):
    room = start(faults=("bandwidth:4000000",))
    session = room.open()
    sent_at = []

    def pieces(content: bytes):
        for begin in range(0, len(content), 65_536):
            sent_at.append(time.monotonic())
            yield content[begin : begin + 65_536]

    form = session["aws_prefixed_request_config"]
    request = httpx.Request("POST", form["url"], data=form["fields"], files={"file": ("a.txt", b"x" * 8_000_000)})
    body = request.read()
    headers = {"Content-Type": request.headers["Content-Type"], "Content-Length": str(len(body))}
    response = httpx.post(form["url"], content=pieces(body), headers=headers, verify=PLAIN, timeout=30)
    assert response.status_code == 204
    assert sent_at[-1] - sent_at[0] > 0.2  # not all swallowed by the system's buffers at once


def test_faults_come_and_go_while_the_sandbox_runs(start):
    room = start()
    fault(room, "slow_down:5", "api_502_html:1")
    assert admin(room, "GET", "/faults").json()["active"] == ["slow_down:5", "api_502_html:1"]
    assert room.api.get("/me").status_code == 502
    assert admin(room, "DELETE", "/faults").json() == {"active": []}
    assert room.post(room.open(), "a.txt").status_code == 204


def test_an_unknown_fault_is_400_and_names_those_there_are(start):
    response = admin(start(), "POST", "/faults", json={"faults": ["gremlins"]})
    assert response.status_code == 400
    assert all(kind.usage in response.json()["errors"][0] for kind in KINDS.values())


def test_the_table_of_faults_can_be_read(start):
    known = admin(start(), "GET", "/faults").json()["known"]
    assert [kind["usage"] for kind in known] == [kind.usage for kind in KINDS.values()]


def test_the_admin_endpoints_have_a_key_of_their_own(start):
    room = start()
    assert admin(room, "GET", "/faults", key="wrong").status_code == 401
    assert admin(room, "GET", "/faults", key=room.connection.api_key).status_code == 401
    url = str(room.api.base_url.copy_with(path="/_sandbox/faults"))
    assert room.api.get(url).status_code == 403


def test_a_room_of_ones_own_is_made_once_over_http(start):
    room = start(corpus=True)
    made = admin(room, "POST", "/workspaces", json={"name": "eva"})
    again = admin(room, "POST", "/workspaces", json={"name": "eva"})
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json() == again.json()
    assert room.api.get("/workspaces/eva/files").json()["total"] == 12


def test_a_room_needs_a_name(start):
    assert admin(start(), "POST", "/workspaces", json={"name": ""}).status_code == 400


# --- the table, walked: the effect of each fault as a client without mercy sees it ----------------------------


def statuses(room: Room, count: int = 2) -> list[int]:
    session = room.open()
    return [room.post(session, "a.txt").status_code for _ in range(count)]


def expect_latency(room):
    assert seconds(lambda: room.api.get("/me")) >= 0.2


def expect_bandwidth(room):
    session = room.open()
    assert seconds(lambda: room.post(session, "a.txt", bytes(500_000))) >= 0.4


def expect_reset(room):
    session = room.open()
    with pytest.raises(httpx.TransportError):
        room.post(session, "a.txt", bytes(500_000))
    assert room.post(session, "a.txt").status_code == 204


def expect_redirect(room):
    form = room.open()["aws_prefixed_request_config"]
    response = post_form(form["url"], form["fields"], "a.txt")
    assert response.status_code == 307
    assert "<Code>TemporaryRedirect</Code>" in response.text
    assert "<Endpoint>" in response.text
    second = response.headers["Location"]
    assert second != form["url"]
    assert post_form(second, form["fields"], "a.txt").status_code == 204
    assert post_form(form["url"], form["fields"], "b.txt").status_code == 204
    (session,) = room.api.get(room.url("/upload_sessions")).json()["data"]
    room.close(session)
    assert [name for name, _, _ in room.wait(session)] == ["a.txt", "b.txt"]


def expect_slow_down(room):
    assert statuses(room) == [503, 204]


def expect_request_timeout(room):
    response = room.post(room.open(), "a.txt")
    assert (response.status_code, "<Code>RequestTimeout</Code>" in response.text) == (400, True)
    assert statuses(room, 1) == [204]


def expect_policy_expired(room):
    response = room.post(room.open(), "a.txt")
    assert (response.status_code, "Policy expired" in response.text) == (403, True)
    assert statuses(room, 1) == [204]


def expect_too_large(room):
    session = room.open()
    assert room.post(session, "a.txt", bytes(1000)).status_code == 204
    response = room.post(session, "a.txt", bytes(1001))
    assert (response.status_code, "<Code>EntityTooLarge</Code>" in response.text) == (400, True)


def expect_api_502_html(room):
    assert room.api.get("/me").headers["Content-Type"].startswith("text/html")
    assert room.api.get("/me").status_code == 200


def expect_api_429(room):
    response = room.api.get("/me")
    assert (response.status_code, response.headers["Retry-After"]) == (429, "1")
    assert room.api.get("/me").status_code == 200


def expect_close_conflict(room):
    session = room.open()
    room.post(session, "a.txt")
    assert room.close(session).status_code == 409
    assert room.wait(session) == [("a.txt", "FINISHED", None)]
    assert room.close(room.open()).status_code == 204


def expect_stuck_status(room):
    session = room.open()
    assert room.status(session) == {"failed_files": 0, "finished_files": 0}
    for name in ("a.txt", "b.txt"):
        room.post(session, name)
    room.close(session)
    assert len(room.wait(session)) == 2
    assert room.status(session) == {"failed_files": 0, "finished_files": 1}


def expect_null_expires_at(room):
    assert room.api.get(room.url(f"/upload_sessions/{room.open()['session_id']}")).json()["expires_at"] is None


def expect_z_times(room):
    room.direct("a.txt")
    assert room.files()[0]["created_at"].endswith("Z")
    assert room.open()["expires_at"].endswith("Z")


def expect_list_lag(room):
    file_id = room.direct("a.txt").json()["file_id"]
    assert room.files() == []
    assert room.api.get(room.url(f"/files/{file_id}")).status_code == 200
    until(room.files)


def expect_odd_names(room):
    for number in range(40):
        room.direct(f"{number}.txt")
    shown = {file["name"] for file in room.files()}
    assert len(shown) == 40
    for odd in ODD_NAMES:
        assert any(odd.format(f"{number}.txt") in shown for number in range(40))
    assert all(room.download(file) == b"content" for file in room.files())


def expect_fail(room):
    assert room.upload({"a.txt": b"1", "b.txt": b"1"})[0] == ("a.txt", "FAILED", "EMPTY_FILE")


def expect_fail_some(room):
    outcomes = room.upload({f"{number}.txt": b"1" for number in range(20)})
    failed = {name for name, status, _ in outcomes if status == "FAILED"}
    assert failed == {name for name, _, _ in outcomes if share_of(1, name) < 0.5}
    assert 0 < len(failed) < 20


def expect_duplicate_names(room):
    assert room.upload({"a.txt": b"1"}) == [("a.txt", "FINISHED", None)]
    first, second = room.files()
    assert (first["name"], first["file_id"] != second["file_id"]) == (second["name"], True)
    room.api.delete(room.url(f"/files/{first['file_id']}"))
    assert room.download(second) == b"1"


SPECS = {
    "latency": "latency:200ms",
    "bandwidth": "bandwidth:1000000",
    "too_large": "too_large:1000",
    "list_lag": "list_lag:1s",
    "fail": "fail:a.txt=EMPTY_FILE",
    "fail_some": "fail_some:50%",
}


@pytest.mark.parametrize("name", KINDS)
def test_every_fault_of_the_table_has_its_effect(start, name):
    spec = SPECS.get(name) or KINDS[name].usage.replace(":N", ":1")
    globals()[f"expect_{name}"](start(faults=(spec,), seed=1))


@pytest.mark.parametrize("reason", REASONS)
def test_a_file_can_fail_for_every_reason_there_is(start, reason):
    assert start(faults=(f"fail:a.txt={reason}",)).upload({"a.txt": b"1"}) == [("a.txt", "FAILED", reason)]
