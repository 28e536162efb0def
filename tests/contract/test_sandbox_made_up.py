"""Made-up files: many in a moment, and as good as others to every endpoint."""

from __future__ import annotations

import httpx
import pytest

import deepset_nb as dn
from deepset_nb.errors import SandboxError


def make(room, count: int) -> httpx.Response:
    url = str(room.api.base_url).removesuffix("/api/v1/") + "/_sandbox/files"
    headers = {"X-Sandbox-Admin-Key": room.connection.admin_key}
    return httpx.post(url, json={"workspace": room.name, "count": count}, headers=headers, timeout=60)


def test_a_workspace_is_filled_up_to_the_number_and_no_further(start):
    room = start()
    room.direct("mine.txt")

    assert make(room, 250).json() == {"made": 249}
    assert make(room, 250).json() == {"made": 0}
    assert make(room, 260).json() == {"made": 10}
    page = room.api.get(room.url("/files"), params={"limit": 1}).json()
    assert page["total"] == 260


def test_they_have_names_times_sizes_and_metadata_that_filters_find(start):
    room = start(files=70)
    files = room.files()

    assert len({file["name"] for file in files}) == len({file["file_id"] for file in files}) == 70
    assert [file["created_at"] for file in files] == sorted((file["created_at"] for file in files), reverse=True)
    assert all(len(room.download(file)) == file["size"] > 0 for file in files[:5])
    assert len(room.files(name="map-")) == 14
    assert len(room.files(filter="topic eq 'rivers'")) == 10
    assert len(room.files(filter="year ge 2020 and author eq 'Ingrid Moe'")) > 0


def test_deleting_one_leaves_the_content_of_the_others(start):
    room = start(files=20)
    first, *others = [file for file in room.files() if file["name"].startswith("report")]
    room.api.delete(room.url(f"/files/{first['file_id']}")).raise_for_status()

    assert room.download(others[0]).startswith(b"# Report")


def test_the_same_seed_makes_the_same_files(start):
    def listed(room):
        return [(file["file_id"], file["name"], file["created_at"]) for file in room.files()]

    assert listed(start(files=30, seed=7)) == listed(start(files=30, seed=7))


def test_a_cell_asks_for_them_and_may_run_again(start, monkeypatch: pytest.MonkeyPatch):
    ws = dn.sandbox(workspace="crowded", files=120)
    again = dn.sandbox(workspace="crowded", files=120)

    assert len(ws.list_files()) == len(again.list_files()) == 120


def test_too_many_are_refused_in_words(start):
    with pytest.raises(SandboxError, match="1000000"):
        dn.sandbox(workspace="crowded", files=10**9)
