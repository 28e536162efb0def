"""The documents a sandbox begins with."""

from __future__ import annotations

import csv
import io
import json
import zipfile
import zlib
from pathlib import PurePath
from xml.etree import ElementTree

import pytest


@pytest.fixture
def documents(start) -> dict[str, tuple[bytes, dict]]:
    room = start(corpus=True)
    return {file["name"]: (room.download(file), file["meta"]) for file in room.files()}


def test_a_new_sandbox_has_a_dozen_documents_in_seven_formats(documents):
    assert len(documents) == 12
    assert {PurePath(name).suffix for name in documents} == {".md", ".txt", ".html", ".csv", ".json", ".pdf", ".docx"}
    assert sum(len(content) for content, _ in documents.values()) < 100_000


def test_they_came_through_one_session_closed_by_the_sandbox(start):
    room = start(corpus=True)
    (session,) = room.api.get(room.url("/upload_sessions")).json()["data"]
    assert (session["status"], session["created_by"]["family_name"]) == ("CLOSED", "Sandbox")
    assert [status for _, status, _ in room.outcomes(session)] == ["FINISHED"] * 12


def test_some_have_metadata_to_filter_by(start, documents):
    assert sum(bool(meta) for _, meta in documents.values()) == 7
    room = start(corpus=True)
    assert [file["name"] for file in room.files(filter="topic eq 'events'")] == ["events_2025.json"]


def test_they_are_there_whatever_faults_and_delays_are_asked_for(start):
    room = start(corpus=True, ingest_delay_s=3600, ingest_rate=0.1, faults=("fail:faq.html=UNKNOWN_ERROR",))
    assert len(room.files()) == 12


def test_a_room_of_ones_own_begins_with_them_too(start):
    room = start(corpus=True)
    room.server.add_workspace("anna")
    assert room.api.get("/workspaces/anna/files").json()["total"] == 12


def test_they_are_brought_in_once(start, tmp_path):
    start(corpus=True, data=tmp_path).server.stop()
    assert len(start(corpus=True, data=tmp_path).files()) == 12


def test_texts_tables_and_json_can_be_read(documents):
    for name, (content, _) in documents.items():
        if name.endswith((".md", ".txt", ".html")):
            assert len(content.decode()) > 400
        elif name.endswith(".csv"):
            assert len({len(row) for row in csv.reader(io.StringIO(content.decode()))}) == 1
        elif name.endswith(".json"):
            assert json.loads(content)["events"]


def test_the_word_document_has_a_text(documents):
    content, _ = documents["map_room_guide.docx"]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert {"[Content_Types].xml", "_rels/.rels", "word/document.xml"} <= set(archive.namelist())
        text = "".join(ElementTree.fromstring(archive.read("word/document.xml")).itertext())
    assert "forty-three drawings of whales" in text


def test_the_pdf_has_two_pages_and_a_text(documents):
    content, _ = documents["annual_report_2024.pdf"]
    assert content.startswith(b"%PDF-1.")
    assert content.rstrip().endswith(b"%%EOF")
    assert b"/Count 2" in content
    streams = [part.partition(b"endstream")[0].strip(b"\r\n") for part in content.split(b"\nstream")[1:]]
    pages = b"".join(zlib.decompressobj().decompress(stream) for stream in streams if stream[:1] == b"\x78")
    assert b"annual report 2024" in pages
