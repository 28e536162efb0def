"""Files of a workspace: platform API reference."""

from __future__ import annotations

import json
import re
import socket
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from deepset_nb.emulator import Choices


def test_a_direct_upload_is_there_at_once(room):
    response = room.direct("a.txt", b"text", meta='{"topic": "rivers"}')
    assert response.status_code == 201
    (file,) = room.files()
    assert response.json() == {"file_id": file["file_id"]}
    assert (file["name"], file["size"], file["meta"]) == ("a.txt", 4, {"topic": "rivers"})
    assert room.download(file) == b"text"


def test_a_text_is_uploaded_under_the_name_given_beside_it(room):
    text = {"text": (None, "Ärger"), "meta": (None, "{}")}
    assert room.api.post(room.url("/files"), params={"file_name": "a.txt"}, files=text).status_code == 201
    (file,) = room.files()
    assert (file["name"], file["size"]) == ("a.txt", 6)
    assert room.download(file).decode() == "Ärger"


def test_a_text_of_many_megabytes_is_taken(room):
    text = {"text": (None, "x" * 3_000_000)}
    assert room.api.post(room.url("/files"), params={"file_name": "a.txt"}, files=text).status_code == 201


def test_a_text_needs_a_name(room):
    response = room.api.post(room.url("/files"), files={"text": (None, "x")})
    assert response.status_code == 400
    assert "file_name" in response.json()["errors"][0]


def test_an_upload_of_nothing_is_422_in_fastapis_words(room):
    for request in ({"files": {"meta": (None, "{}")}}, {"json": {}}, {}):
        response = room.api.post(room.url("/files"), **request)
        assert response.status_code == 422
        assert response.json()["detail"][0]["loc"] == ["body", "file"]


@pytest.mark.parametrize("parts", [["file"], ["file", "meta"], ["meta", "file"]])
def test_the_parts_of_an_upload_come_in_any_order_and_meta_may_be_missing(room, parts):
    content = {"file": ("a.txt", b"1"), "meta": (None, '{"a": 1}')}
    response = room.api.post(room.url("/files"), files=[(part, content[part]) for part in parts])
    assert response.status_code == 201
    assert room.files()[0]["meta"] == ({"a": 1} if "meta" in parts else {})


def test_an_empty_file_is_400(room):
    assert room.direct("a.txt", b"").status_code == 400


@pytest.mark.parametrize("meta", ["{", "[]", "1", '{"a": Infinity}'])
def test_meta_that_is_no_object_is_400(room, meta):
    response = room.direct("a.txt", meta=meta)
    assert response.status_code == 400
    assert "metadata" in response.json()["errors"][0]
    assert room.files() == []


def test_a_meta_of_null_counts_as_none(room):
    assert room.direct("a.txt", meta="null").status_code == 201
    assert room.files()[0]["meta"] == {}


def test_a_meta_value_over_its_limit_is_413(room):
    assert room.direct("a.txt", meta=json.dumps({"a": "x" * 32_764})).status_code == 201
    assert room.direct("a.txt", meta=json.dumps({"a": "x" * 32_765})).status_code == 413
    assert room.direct("a.txt", meta=json.dumps({str(n): "x" * 30_000 for n in range(9)})).status_code == 413


def test_a_file_over_the_limit_is_413(start):
    room = start(choices=Choices(direct_limit_bytes=1000))
    assert room.direct("a.txt", b"x" * 1000).status_code == 201
    assert room.direct("a.txt", b"x" * 1001).status_code == 413
    assert room.direct("a.txt", b"x" * 3_000_000).status_code == 413
    assert len(room.files()) == 1


def test_the_write_mode_decides_about_a_name_that_is_there(room):
    first = room.direct("a.txt", b"1").json()["file_id"]
    assert room.direct("a.txt", b"22", write_mode="FAIL").status_code == 409
    assert room.direct("a.txt", b"333", write_mode="OVERWRITE").json()["file_id"] == first
    assert room.direct("a.txt", b"4444", write_mode="KEEP").status_code == 201
    assert room.direct("a.txt", write_mode="PERHAPS").status_code == 422
    assert [file["size"] for file in room.files()] == [4, 3]


def test_a_listed_file_has_the_fields_of_the_reference(room):
    room.direct("a.txt")
    file = room.files()[0]
    assert sorted(file) == ["characters", "created_at", "file_id", "languages", "meta", "name", "size", "url"]
    assert file["url"] == f"/api/v1/workspaces/{room.name}/files/{file['file_id']}"
    assert room.api.get(f"{room.api.base_url.copy_with(path=file['url'])}").content == b"content"


@pytest.mark.parametrize("suffix", ["+00:00", "Z"])
def test_times_are_utc_with_microseconds_and_a_suffix_of_choice(start, suffix):
    room = start(choices=Choices(time_suffix=suffix))
    room.direct("a.txt")
    created_at = room.files()[0]["created_at"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}" + re.escape(suffix), created_at)


def test_files_are_listed_newest_first_and_otherwise_as_asked(room):
    for name in ("b.txt", "a.txt", "c.txt"):
        room.direct(name)
    names = {
        (field, order): [file["name"] for file in room.files(field=field, order=order)]
        for field in ("created_at", "name")
        for order in ("ASC", "DESC")
    }
    assert [file["name"] for file in room.files()] == names["created_at", "DESC"] == ["c.txt", "a.txt", "b.txt"]
    assert names["created_at", "ASC"] == ["b.txt", "a.txt", "c.txt"]
    assert names["name", "ASC"] == ["a.txt", "b.txt", "c.txt"]
    assert names["name", "DESC"] == ["c.txt", "b.txt", "a.txt"]


@pytest.mark.parametrize("field", ["created_at", "name"])
@pytest.mark.parametrize("order", ["ASC", "DESC"])
def test_cursor_pages_cover_all_files_once_even_where_times_and_names_are_equal(start, clock, field, order):
    room = start(clock=clock)
    for number in range(7):
        room.direct("same.txt", b"x" * (number + 1))
        clock.now += number % 2
    seen, cursor = [], {}
    while True:
        page = room.api.get(room.url("/files"), params={"limit": 3, "field": field, "order": order} | cursor).json()
        seen += [file["size"] for file in page["data"]]
        assert page["total"] == 7
        if not page["has_more"]:
            break
        last = page["data"][-1]
        cursor = {"after_value": last[field], "after_file_id": last["file_id"]}
    assert sorted(seen) == [1, 2, 3, 4, 5, 6, 7]


def test_cursor_times_are_compared_as_times_not_as_texts(start, clock):
    room = start(clock=clock)
    for name in ("a", "b", "c"):
        room.direct(name)
        clock.now += 1
    last = room.files()[1]
    moment = datetime.fromisoformat(last["created_at"])
    spellings = [
        moment.isoformat().replace("+00:00", "Z"),
        moment.isoformat(timespec="seconds"),
        moment.isoformat(timespec="microseconds"),
        (moment + timedelta(hours=2)).isoformat().replace("+00:00", "+02:00"),
    ]
    for spelling in spellings:
        after = room.files(after_value=spelling, after_file_id=last["file_id"])
        assert [file["name"] for file in after] == ["a"]


def test_a_cursor_goes_on_from_a_file_that_is_gone(room):
    room.direct("a.txt")
    page = room.files(after_value="2999-01-01T00:00:00Z", after_file_id=str(uuid4()))
    assert [file["name"] for file in page] == ["a.txt"]


@pytest.mark.parametrize(
    "query",
    [
        {"after_value": "2026-01-01T00:00:00Z"},
        {"after_file_id": str(uuid4())},
        {"after_value": "yesterday", "after_file_id": str(uuid4())},
        {"after_value": "2026-01-01T00:00:00 00:00", "after_file_id": str(uuid4())},
        {"after_value": "2026-01-01T00:00:00", "after_file_id": str(uuid4())},
        {"after_value": "2026-01-01T00:00:00Z", "after_file_id": str(uuid4()), "page_number": 1},
        {"filter": "a eq 'b'", "page_number": 1},
    ],
)
def test_cursors_that_make_no_sense_are_400(room, query):
    response = room.api.get(room.url("/files"), params=query)
    assert response.status_code == 400
    assert "after_value" in response.json()["errors"][0]


@pytest.mark.parametrize(
    "query", [{"order": "UP"}, {"field": "size"}, {"page_number": 0}, {"page_number": 10**30}, {"limit": 0}]
)
def test_parameters_that_do_not_fit_are_422(room, query):
    assert room.api.get(room.url("/files"), params=query).status_code == 422


def test_numbered_pages_of_files_cover_all_of_them_once(room):
    for number in range(5):
        room.direct(f"{number}.txt")
    pages = [room.api.get(room.url("/files"), params={"limit": 2, "page_number": n}).json() for n in (1, 2, 3, 4)]
    assert [len(page["data"]) for page in pages] == [2, 2, 1, 0]
    assert [page["has_more"] for page in pages] == [True, True, False, False]
    assert len({file["file_id"] for page in pages for file in page["data"]}) == 5


def test_a_part_of_a_name_finds_files_whatever_its_case(room):
    for name in ("Report 2024.txt", "report 2025.txt", "notes ÄÖ.txt"):
        room.direct(name)
    assert len(room.files(name="REPORT")) == 2
    assert [file["name"] for file in room.files(name="äö")] == ["notes ÄÖ.txt"]
    assert room.files(name="%") == []
    assert room.api.get(room.url("/files"), params={"name": "2024"}).json()["total"] == 1


def test_the_case_of_a_name_counts_by_choice(start):
    room = start(choices=Choices(name_case_sensitive=True))
    room.direct("Report.txt")
    assert room.files(name="report") == []
    assert len(room.files(name="Rep")) == 1


def test_a_filter_finds_files_by_their_meta(room):
    room.direct("a", meta='{"topic": "rivers", "year": 2024, "tags": ["x", "y"], "done": true, "quote": "it\'s"}')
    room.direct("b", meta='{"topic": "rivers", "year": 2025, "tags": "x"}')
    room.direct("c", meta='{"other": "rivers"}')

    def found(expression):
        return sorted(file["name"] for file in room.files(filter=expression))

    assert found("topic eq 'rivers'") == ["a", "b"]
    assert found("topic eq 'rivers' and year eq '2024'") == ["a"]
    assert found('topic EQ "rivers" AND year eq "2025"') == ["b"]
    assert found("tags eq 'x'") == ["a", "b"]
    assert found("tags eq 'y'") == ["a"]
    assert found("done eq 'true'") == ["a"]
    assert found("quote eq 'it''s'") == ["a"]
    assert found("topic eq 'Rivers'") == found("nothing eq 'x'") == []


def test_a_filter_that_cannot_be_read_is_400_with_the_position(room):
    response = room.api.get(room.url("/files"), params={"filter": "topic = 'rivers'"})
    assert response.status_code == 400
    assert "position 6" in response.json()["errors"][0]


def test_a_file_is_only_known_in_its_own_workspace(room, shared_server):
    shared_server.add_workspace("elsewhere")
    file_id = room.direct("a.txt").json()["file_id"]
    for path in (f"/files/{file_id}", f"/files/{file_id}/meta"):
        assert room.api.get(room.url(path)).status_code == 200
        assert room.api.get(f"/workspaces/elsewhere{path}").status_code == 404


def test_unknown_files_are_404_and_ids_that_are_none_422(room):
    assert room.api.get(room.url(f"/files/{uuid4()}")).status_code == 404
    assert room.api.get(room.url("/files/first")).status_code == 422


def test_meta_is_answered_as_the_object_itself(room):
    file_id = room.direct("a.txt", meta='{"a": {"b": [1, "ä"]}}').json()["file_id"]
    response = room.api.get(room.url(f"/files/{file_id}/meta"))
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == {"a": {"b": [1, "ä"]}}


def test_a_download_has_the_type_its_name_suggests(room):
    for name, media_type in (("a.pdf", "application/pdf"), ("a.unheard-of", "application/octet-stream")):
        file_id = room.direct(name, b"1").json()["file_id"]
        assert room.api.get(room.url(f"/files/{file_id}")).headers["Content-Type"] == media_type


def test_an_upload_that_breaks_off_leaves_nothing(room):
    def half():
        yield b'--limit\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nhalf'

    headers = {"Content-Type": "multipart/form-data; boundary=limit"}
    response = room.api.post(room.url("/files"), content=half(), headers=headers)
    assert response.status_code == 400
    assert room.files() == []


def test_a_direct_upload_that_falls_silent_is_given_up_with_408(start, tmp_path):
    room = start(data=tmp_path, idle_timeout_s=0.3)
    head = (
        f"POST /api/v1{room.url('/files')} HTTP/1.1\r\nHost: sandbox\r\nContent-Length: 5000000\r\n"
        f"Authorization: Bearer {room.connection.api_key}\r\n"
        "Content-Type: multipart/form-data; boundary=limit\r\n\r\n"
        '--limit\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    )
    base = room.api.base_url
    with socket.create_connection((base.host, base.port), timeout=20) as client:
        client.sendall(head.encode() + bytes(3_000_000))
        answer = b"".join(iter(lambda: client.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 408")
    assert list((tmp_path / "incoming").iterdir()) == []


def test_a_filter_knows_every_operator_of_the_grammar_and_created_at_as_a_time(start, clock):
    room = start(clock=clock)
    for name, meta in (("a", {"n": 1, "who": {"name": "Ada"}}), ("b", {"n": 2, "tags": ["x", "y"]})):
        room.direct(name, meta=json.dumps(meta))
        clock.now += 86_400

    def found(expression):
        return sorted(file["name"] for file in room.files(filter=expression))

    assert found("n gt 1") == found("n ge '2'") == found("tags eq 'y'") == found("who eq null") == ["b"]
    assert found("who/name eq 'Ada'") == found('who.name eq "Ada"') == found("n ne 2 and n lt 1.5") == ["a"]
    assert found("created_at ge '2026-01-02T00:00:00Z'") == ["b"]
    assert found("created_at lt '2026-01-02T01:00:00+01:00'") == ["a"]
    assert found("n eq ' OR 1=1 --'") == []


def test_a_filter_with_or_is_refused_with_what_fits_and_taken_by_the_lenient(start):
    expression = "n eq 1 or n eq 2"
    response = start().api.get("/workspaces/sandbox/files", params={"filter": expression})
    assert response.status_code == 400
    assert "position 7: expected 'and' or the end" in response.json()["errors"][0]
    assert start(choices=Choices(lenient_filter=True)).files(filter=expression) == []
