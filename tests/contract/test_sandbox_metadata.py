"""Metadata after the upload, and what it may be: platform API reference."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest


def made(room, name="a.txt", **meta) -> str:
    response = room.direct(name, meta=json.dumps(meta))
    assert response.status_code == 201, response.text
    return response.json()["file_id"]


def meta_path(room, file_id) -> str:
    return room.url(f"/files/{file_id}/meta")


def meta_of(room, file_id) -> dict:
    return room.api.get(meta_path(room, file_id)).json()


def test_put_replaces_and_patch_changes_single_keys(room):
    file_id = made(room, topic="rivers", year=2024)
    response = room.api.put(meta_path(room, file_id), json={"topic": "lakes"})
    assert (response.status_code, response.json()) == (200, {"topic": "lakes"})
    response = room.api.patch(meta_path(room, file_id), json={"year": 2025, "topic": None, "unknown": None})
    assert (response.status_code, response.json()) == (200, {"year": 2025})
    assert meta_of(room, file_id) == room.files()[0]["meta"] == {"year": 2025}


def test_changed_metadata_is_what_filters_find(room):
    file_id = made(room, topic="rivers")
    room.api.patch(meta_path(room, file_id), json={"topic": "lakes"})
    assert len(room.files(filter="topic eq 'lakes'")) == 1
    assert room.files(filter="topic eq 'rivers'") == []


def test_many_files_are_changed_at_once_and_none_removes_a_key(room):
    first, second = made(room, a=1, b=1, c=1), made(room, "b.txt", a=2)
    response = room.api.post(
        room.url("/files/update-meta"), json={first: {"a": 9, "b": "None", "c": None}, second: {"d": ["x"]}}
    )
    assert (response.status_code, response.json()) == (200, {"failed_count": 0, "failed_files": []})
    assert meta_of(room, first) == {"a": 9}
    assert meta_of(room, second) == {"a": 2, "d": ["x"]}


def test_what_fails_of_many_is_told_for_each_file_and_the_others_are_changed(room):
    good, wrong, unknown = made(room, a=1), made(room, "b.txt", a=2), str(uuid4())
    changes = {unknown: {"a": 3}, wrong: {"a": "three"}, good: {"a": 3}}
    reply = room.api.post(room.url("/files/update-meta"), json=changes).json()
    assert reply["failed_count"] == 2
    told = {failed["file_id"]: failed["error_type"] for failed in reply["failed_files"]}
    assert told == {unknown: "FileNotFound", wrong: "InvalidMetadata"}
    assert all(failed["error_message"] for failed in reply["failed_files"])
    assert (meta_of(room, good), meta_of(room, wrong)) == ({"a": 3}, {"a": 2})


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_change_is_held_to_the_rules(room, method):
    file_id = made(room, a=1)
    made(room, "b.txt", word="x")
    path = meta_path(room, file_id)
    for body, status in [
        ({"a": "x" * 32_765}, 413),
        ({"id": 1}, 400),
        ({"_id": 1}, 400),
        ({"word": 5}, 400),
        ([1], 422),
        ("text", 422),
    ]:
        assert room.api.request(method, path, json=body).status_code == status
    for body in (b'{"a": NaN}', b'{"a": "\\ud800"}', b'{"a": ' + b"[" * 200 + b"]" * 200 + b"}"):
        response = room.api.request(method, path, content=body, headers={"Content-Type": "application/json"})
        assert response.status_code == 400
    assert meta_of(room, file_id) == {"a": 1}


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_unknown_files_are_404_and_ids_that_are_none_422(room, method):
    assert room.api.request(method, meta_path(room, uuid4()), json={}).status_code == 404
    assert room.api.request(method, meta_path(room, "first"), json={}).status_code == 422


def test_the_ids_of_a_bulk_change_must_be_ids(room):
    assert room.api.post(room.url("/files/update-meta"), json={"first": {}}).status_code == 422


@pytest.mark.parametrize("key", ["id", "_id"])
def test_reserved_keys_are_refused_directly_and_in_a_sidecar(room, key):
    assert room.direct("a.txt", meta=json.dumps({key: "x"})).status_code == 400
    sidecar = json.dumps({key: "x"}).encode()
    assert room.upload({"a.txt": b"1", "a.txt.meta.json": sidecar}) == [("a.txt", "FAILED", "UNKNOWN_ERROR")]


@pytest.mark.parametrize(
    ("there", "comes", "fits"),
    [
        (1, 2.5, True),
        (1, "1", False),
        ("a", ["b"], True),
        (["a"], [1], False),
        ([], 1, True),
        (None, "a", True),
        (True, 1, False),
        ({"b": 1}, {"b": "c"}, True),
        ({"b": 1}, "c", False),
    ],
)
def test_a_key_has_one_type_in_all_files_of_a_workspace(room, there, comes, fits):
    made(room, a=there)
    sidecar = json.dumps({"a": comes}).encode()
    ((_, status, reason),) = room.upload({"b.txt": b"1", "b.txt.meta.json": sidecar})
    assert (status, reason) == (("FINISHED", None) if fits else ("FAILED", "UNKNOWN_ERROR"))
    assert room.direct("c.txt", meta=json.dumps({"a": comes})).status_code == (201 if fits else 400)


def test_only_the_files_that_are_there_count_for_the_type_of_a_key(room):
    file_id = made(room, a=1)
    assert room.direct("a.txt", meta='{"a": "x"}', write_mode="OVERWRITE").status_code == 201
    assert room.api.put(meta_path(room, file_id), json={"a": True}).status_code == 200
    room.api.delete(room.url(f"/files/{file_id}"))
    assert room.direct("b.txt", meta='{"a": 5}').status_code == 201
    assert room.direct("c.txt", meta='{"a": "x"}').status_code == 400


def test_another_workspace_has_types_of_its_own(room, shared_server):
    shared_server.add_workspace("elsewhere")
    made(room, a=1)
    room.name = "elsewhere"
    made(room, a="x")


def test_the_deprecated_equality_on_one_key_still_works(room):
    made(room, topic="rivers", year=2024)
    made(room, "b.txt", topic="lakes")
    assert [file["name"] for file in room.files(meta_key="topic", meta_value="rivers")] == ["a.txt"]
    assert [file["name"] for file in room.files(meta_key="year", meta_value="2024")] == ["a.txt"]
    assert room.files(meta_key="\"]') OR 1=1 --", meta_value="x") == []
