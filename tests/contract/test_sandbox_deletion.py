"""Deleting files and workspaces, temporary files, and small questions: platform API reference."""

from __future__ import annotations

from uuid import uuid4

import pytest

from deepset_nb.emulator import Choices
from tests.contract.rooms import until


def names(room) -> list[str]:
    return sorted(file["name"] for file in room.files())


def fill(room, *wanted: str) -> list[str]:
    return [room.direct(name).json()["file_id"] for name in wanted]


def delete(room, **body):
    return room.api.request("DELETE", room.url("/files"), **body)


def test_a_file_is_deleted_by_its_id_once(room):
    first, _ = fill(room, "a.txt", "a.txt")
    response = room.api.delete(room.url(f"/files/{first}"))
    assert (response.status_code, response.json()) == (200, {})
    assert len(room.files()) == 1
    for path in ("", "/meta", "/documents"):
        assert room.api.get(room.url(f"/files/{first}{path}")).status_code == 404
    assert room.api.delete(room.url(f"/files/{first}")).status_code == 404
    assert room.api.delete(room.url("/files/first")).status_code == 422


def test_all_files_of_the_given_names_are_deleted_and_unknown_names_ignored(room):
    fill(room, "a.txt", "a.txt", "b.txt", "c.txt", "A.txt")
    assert delete(room, json={"names": ["a.txt", "c.txt", "unknown.txt"]}).status_code == 200
    assert names(room) == ["A.txt", "b.txt"]


def test_without_a_body_everything_is_deleted_in_this_workspace_only(room, shared_server):
    shared_server.add_workspace("elsewhere")
    fill(room, "a.txt", "b.txt")
    room.api.post("/workspaces/elsewhere/files", files={"file": ("kept.txt", b"1")})
    assert delete(room).status_code == 200
    assert names(room) == []
    room.name = "elsewhere"
    assert "kept.txt" in names(room)


@pytest.mark.parametrize("body", [{}, {"names": "a.txt"}, {"names": [1]}, ["a.txt"]])
def test_a_body_that_does_not_fit_deletes_nothing(room, body):
    fill(room, "a.txt")
    assert delete(room, json=body).status_code == 422
    assert names(room) == ["a.txt"]


def test_an_empty_list_and_half_a_character_delete_nothing(room):
    fill(room, "a.txt")
    assert delete(room, json={"names": []}).status_code == 200
    headers = {"Content-Type": "application/json"}
    assert delete(room, content=rb'{"names": ["\ud800"]}', headers=headers).status_code in (200, 422)
    assert names(room) == ["a.txt"]


def test_deleted_contents_leave_the_disk(start, tmp_path):
    room = start(data=tmp_path)
    first, _, _ = fill(room, "a.txt", "b.txt", "c.txt")
    room.api.delete(room.url(f"/files/{first}"))
    delete(room, json={"names": ["b.txt"]})
    assert len(list((tmp_path / "blobs").iterdir())) == 1
    delete(room)
    assert list((tmp_path / "blobs").iterdir()) == []


def test_a_workspace_goes_with_everything_in_it(start, tmp_path):
    room = start(data=tmp_path, ingest_delay_s=3600)
    fill(room, "a.txt")
    room.post(room.open(), "open.txt")
    session = room.open()
    room.post(session, "pending.txt")
    room.post(session, "pending.txt.meta.json", b"{}")
    room.close(session)
    response = room.api.delete(room.url())
    assert (response.status_code, response.content) == (204, b"")
    assert room.api.get(room.url()).status_code == room.api.get(room.url("/files")).status_code == 404
    assert room.api.delete(room.url()).status_code == 404
    assert room.api.get("/workspaces").json() == []
    assert list((tmp_path / "blobs").iterdir()) == []
    assert room.api.post("/workspaces", json={"name": room.name}).status_code == 201
    assert room.api.get(room.url("/upload_sessions")).json()["total"] == 0
    assert room.files() == []


def test_a_post_with_the_form_of_a_workspace_that_is_gone_does_no_harm(start):
    room = start()
    session = room.open()
    room.api.delete(room.url())
    assert room.post(session, "a.txt").status_code == 204
    assert room.close(session).status_code == 404


def test_a_temporary_file_can_be_fetched_but_is_in_no_listing(room):
    parts = {"file": ("a.txt", b"text"), "meta": (None, '{"a": 1}')}
    response = room.api.post(room.url("/temporary_files"), files=parts)
    assert response.status_code == 201
    file_id = response.json()["file_id"]
    assert room.api.get(room.url(f"/files/{file_id}")).content == b"text"
    assert room.api.get(room.url(f"/files/{file_id}/meta")).json() == {"a": 1}
    assert room.files() == []
    assert room.api.get(room.url("/stats")).json()["file_count"] == 0


def test_a_temporary_text_needs_a_name_and_limits_hold(room):
    path = room.url("/temporary_files")
    assert room.api.post(path, files={"text": (None, "x")}).status_code == 400
    assert room.api.post(path, params={"file_name": "a.txt"}, files={"text": (None, "x")}).status_code == 201
    assert room.api.post(path, files={"file": ("a.txt", b"")}).status_code == 400
    assert room.api.post("/workspaces/nowhere/temporary_files", files={"file": ("a.txt", b"1")}).status_code == 404


def test_temporary_files_neither_replace_nor_are_replaced(room):
    fill(room, "a.txt")
    file_id = room.api.post(room.url("/temporary_files"), files={"file": ("a.txt", b"t")}).json()["file_id"]
    room.upload({"a.txt": b"22"}, write_mode="TEMPORARY")
    assert len(room.files()) == 1
    room.direct("a.txt", b"333", write_mode="OVERWRITE")
    assert [file["size"] for file in room.files()] == [3]
    assert room.api.get(room.url(f"/files/{file_id}")).content == b"t"


def test_a_temporary_file_is_gone_from_disk_after_its_life(start, clock, tmp_path):
    room = start(clock=clock, data=tmp_path, choices=Choices(temporary_life_s=60))
    fill(room, "a.txt")
    file_id = room.api.post(room.url("/temporary_files"), files={"file": ("a.txt", b"t")}).json()["file_id"]
    clock.now += 61
    assert room.api.get(room.url(f"/files/{file_id}")).status_code == 404
    until(lambda: len(list((tmp_path / "blobs").iterdir())) == 1)
    assert names(room) == ["a.txt"]


def test_a_file_has_no_documents_as_nothing_is_indexed(room):
    (file_id,) = fill(room, "a.txt")
    assert room.api.get(room.url(f"/files/{file_id}/documents")).json() == {"data": [], "total": 0}
    assert room.api.get(room.url(f"/files/{uuid4()}/documents")).status_code == 404
