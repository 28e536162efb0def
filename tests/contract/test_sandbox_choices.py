"""Both answers of every CHOICE: what the sandbox does where the platform's behaviour is not known."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from inspect import getsource
from types import MappingProxyType
from typing import Any, NamedTuple

import httpx
import pytest

from deepset_nb.emulator import Choices, config
from tests.contract.rooms import PLAIN, Room, until


class Case(NamedTuple):
    """A way to see a choice over HTTP: what is seen by default, the other value, and what is seen then."""

    look: Callable[..., Any]
    default: Any
    other: Any
    then: Any
    also: Mapping[str, Any] = MappingProxyType({})


def status_without_key(room: Room, **headers: str) -> int:
    return httpx.get(f"{room.api.base_url}me", headers=headers, verify=PLAIN).status_code


def answers_a_page(room: Room) -> tuple[int, bool]:
    url = room.open()["aws_prefixed_request_config"]["url"]
    page = {"Origin": "http://localhost:8888", "Access-Control-Request-Method": "POST"}
    answer = httpx.options(url, headers=page, verify=PLAIN)
    return answer.status_code, "Access-Control-Allow-Origin" in answer.headers


def names(room: Room, **query: Any) -> list[str]:
    return [file["name"] for file in room.files(**query)]


def with_two(room: Room) -> Room:
    room.direct("Alpha.txt", meta='{"a": 1}')
    room.direct("beta.txt", meta='{"b": 1}')
    return room


def in_order(room: Room, clock: Any) -> list[str]:
    room.direct("a.txt")
    clock.now += 1
    room.direct("b.txt")
    return names(room)


def status_of_a_range(room: Room) -> tuple[int, bytes]:
    file_id = room.direct("a.txt", b"content").json()["file_id"]
    answer = room.api.get(room.url(f"/files/{file_id}"), headers={"Range": "bytes=3-"})
    return answer.status_code, answer.content


def overwritten_keeps_id(room: Room) -> bool:
    first = room.direct("a.txt").json()["file_id"]
    return room.direct("a.txt", write_mode="OVERWRITE").json()["file_id"] == first


def second_session(room: Room) -> int:
    room.open()
    return room.api.post(room.url("/upload_sessions"), json={}).status_code


def sessions_after_a_minute(room: Room, clock: Any, **query: Any) -> list[str]:
    closed, open_ = room.open(expires_in_seconds=60), room.open(expires_in_seconds=60)
    room.post(open_, "a.txt")
    room.close(closed)
    clock.now += 61
    rows = room.api.get(room.url("/upload_sessions"), params=query).json()["data"]
    return [row["status"] for row in rows]


def ingested_after_expiry(room: Room, clock: Any) -> bool:
    sessions_after_a_minute(room, clock)
    late = room.open()
    room.post(late, "late.txt")
    room.close(late)
    until(lambda: "late.txt" in names(room))  # the worker has looked at the expired one before
    return "a.txt" in names(room)


def newest_first(room: Room) -> bool:
    ids = [room.open()["session_id"] for _ in range(2)]
    return [row["session_id"] for row in room.api.get(room.url("/upload_sessions")).json()["data"]] == ids[::-1]


def failed_of(*uploaded: str) -> Callable[[Room], list[str]]:
    def look(room: Room) -> list[str]:
        outcomes = room.upload({name: b"{}" for name in uploaded})
        return [name for name, status, _ in outcomes if status == "FAILED"]

    return look


def rows_of_a_pair(room: Room) -> list[str]:
    return [name for name, _, _ in room.upload({"a.txt": b"1", "a.txt.meta.json": b"{}"})]


def policy_of(room: Room) -> str:
    return base64.b64decode(room.open()["aws_prefixed_request_config"]["fields"]["policy"]).decode()


def listed_at_once_and_later(room: Room, clock: Any) -> list[int]:
    room.direct("a.txt")
    at_once = total(room)
    clock.now += 2
    return [at_once, total(room)]


def total(room: Room) -> int:
    """How many files a listing says there are, which must be as many as it shows."""
    page = room.api.get(room.url("/files")).json()
    assert page["total"] == len(page["data"])
    return int(page["total"])


def temporary(room: Room) -> str:
    response = room.api.post(room.url("/temporary_files"), files={"file": ("a.txt", b"1")})
    return room.url(f"/files/{response.json()['file_id']}")


def temporary_after_an_hour(room: Room, clock: Any) -> int:
    path = temporary(room)
    clock.now += 3600
    return room.api.get(path).status_code


def temporary_listed(room: Room) -> int:
    temporary(room)
    return len(room.files())


def meta_status(meta: dict[str, Any]) -> Callable[[Room], int]:
    return lambda room: with_two(room).direct("c.txt", meta=json.dumps(meta)).status_code


def meta_after_put(room: Room) -> dict[str, Any]:
    file_id = room.direct("a.txt", meta='{"a": 1}').json()["file_id"]
    path = room.url(f"/files/{file_id}/meta")
    room.api.put(path, json={"b": 2})
    return room.api.get(path).json()


def bulk_reply(room: Room) -> list[str]:
    return sorted(room.api.post(room.url("/files/update-meta"), json={}).json())


def filter_status(expression: str) -> Callable[[Room], int]:
    return lambda room: room.api.get(room.url("/files"), params={"filter": expression}).status_code


def delete_status(room: Room) -> int:
    return room.api.delete(room.url(f"/files/{room.direct('a.txt').json()['file_id']}")).status_code


def left_after_deleting_no_names(room: Room) -> int:
    with_two(room).api.request("DELETE", room.url("/files"), json={"names": []})
    return len(room.files())


def null_expiry(room: Room) -> bool:
    path = room.url(f"/upload_sessions/{room.open()['session_id']}")
    return room.api.get(path).json()["expires_at"] is None


def time_suffix(room: Room) -> str:
    text = room.open()["expires_at"]
    assert datetime.fromisoformat(text).utcoffset() is not None
    return text[26:]


CASES = {
    "error_wrapper": Case(lambda r: list(r.api.get("/nowhere").json()), ["errors"], "detail", ["detail"]),
    "missing_key_status": Case(status_without_key, 403, 401, 401),
    "wrong_key_status": Case(lambda r: status_without_key(r, Authorization="Bearer wrong"), 401, 403, 403),
    "time_suffix": Case(time_suffix, "+00:00", "Z", "Z"),
    "limit_over_100": Case(lambda r: r.api.get(r.url("/files"), params={"limit": 101}).status_code, 422, "clamp", 200),
    "max_workspaces": Case(lambda r: r.api.post("/workspaces", json={"name": "another"}).status_code, 201, 1, 406),
    "max_open_sessions": Case(second_session, 201, 1, 409),
    "open_sessions_status": Case(second_session, 409, 400, 400, {"max_open_sessions": 1}),
    "newest_session_first": Case(newest_first, True, False, False),
    "is_expired_means": Case(
        lambda r, clock: sessions_after_a_minute(r, clock, is_expired=True),
        ["EXPIRED", "CLOSED"],
        "never_closed",
        ["EXPIRED"],
    ),
    "expired_ingests": Case(ingested_after_expiry, True, False, False),
    "expired_hides_closed": Case(sessions_after_a_minute, ["EXPIRED", "CLOSED"], True, ["EXPIRED", "EXPIRED"]),
    "null_expires_at": Case(null_expiry, False, True, True),
    "max_session_objects": Case(failed_of("a", "b", "c"), [], 2, ["c"]),
    "sidecars_take_room": Case(
        failed_of("a", "a.meta.json", "b", "c"), ["b", "c"], False, ["c"], {"max_session_objects": 2}
    ),
    "sidecars_are_rows": Case(rows_of_a_pair, ["a.txt"], True, ["a.txt", "a.txt.meta.json"]),
    "orphan_sidecar": Case(failed_of("a.meta.json"), ["a"], "ignore", []),
    "max_object_bytes": Case(lambda r: r.post(r.open(), "a", b"12345").status_code, 204, 4, 400),
    "length_range_in_policy": Case(lambda r: "content-length-range" in policy_of(r), True, False, False),
    "bucket_cors": Case(answers_a_page, (200, True), False, (403, False)),
    "decode_names": Case(lambda r: r.upload({"a%20b": b"1"})[0][0], "a b", False, "a%20b"),
    "overwrite_keeps_id": Case(overwritten_keeps_id, True, False, False),
    "range_requests": Case(status_of_a_range, (200, b"content"), True, (206, b"tent")),
    "direct_limit_bytes": Case(lambda r: r.direct("a", b"12345").status_code, 201, 4, 413),
    "list_lag_s": Case(listed_at_once_and_later, [1, 1], 1.5, [0, 1]),
    "temporary_listed": Case(temporary_listed, 0, True, 1),
    "temporary_life_s": Case(temporary_after_an_hour, 200, 60, 404),
    "meta_value_limit_bytes": Case(meta_status({"c": "12345"}), 201, 4, 413),
    "meta_limit_bytes": Case(meta_status({"c": "12345"}), 201, 9, 413, {"meta_types_must_agree": False}),
    "meta_types_must_agree": Case(meta_status({"a": "x"}), 400, False, 201),
    "reserved_meta": Case(meta_status({"id": "x"}), 400, "drop", 201),
    "put_meta": Case(meta_after_put, {"b": 2}, "merge", {"a": 1, "b": 2}),
    "bulk_meta_extra_fields": Case(
        bulk_reply,
        ["failed_count", "failed_files"],
        True,
        ["failed_count", "failed_files", "total_count", "updated_count"],
    ),
    "file_order": Case(in_order, ["b.txt", "a.txt"], "ASC", ["a.txt", "b.txt"]),
    "name_case_sensitive": Case(lambda r: names(with_two(r), name="ALPHA"), ["Alpha.txt"], True, []),
    "filter_error_status": Case(filter_status("a is 1"), 400, 422, 422),
    "lenient_filter": Case(filter_status("not (a eq 1 or b eq 2)"), 400, True, 200),
    "delete_status": Case(delete_status, 200, 204, 204),
    "empty_names_delete": Case(left_after_deleting_no_names, 2, "everything", 0),
}


def test_every_choice_has_a_case_and_a_reason():
    fields = [field.name for field in dataclasses.fields(Choices)]
    assert list(CASES) == fields
    source = getsource(config.Choices)
    for name in fields:
        assert re.search(rf"^    {name}: .+ = .+  # .{{8,}}$", source, re.MULTILINE), name


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("chosen", ["default", "other"])
def test_a_choice_changes_what_is_seen(start, clock, name, chosen):
    case = CASES[name]
    changed = {} if chosen == "default" else {name: case.other}
    room = start(clock=clock, choices=Choices(**{**case.also, **changed}))
    needs_clock = "clock" in case.look.__code__.co_varnames[: case.look.__code__.co_argcount]
    seen = case.look(room, clock) if needs_clock else case.look(room)
    assert seen == (case.default if chosen == "default" else case.then)


def test_how_long_ingestion_waits_is_a_setting(start, clock):
    room = start(clock=clock, ingest_delay_s=5)
    session = room.open()
    room.post(session, "a.txt")
    room.close(session)
    assert room.outcomes(session) == [("a.txt", "PENDING", None)]
    clock.now += 5
    assert room.wait(session) == [("a.txt", "FINISHED", None)]
