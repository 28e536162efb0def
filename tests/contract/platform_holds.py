"""What a receipt says, held against what the platform has: names, contents, metadata, and nothing beside them."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import httpx

import deepset_nb as dn
from deepset_nb.job import UploadJob
from tests.contract.rooms import PLAIN

SIDECAR = ".meta.json"
Wanted = dict[str, tuple[bytes, dict[str, Any]]]  # bytes and metadata by name


class Held(NamedTuple):
    """One file of the platform."""

    file_id: str
    content: bytes
    meta: dict[str, Any]


def held_by(ws: dn.Workspace) -> dict[str, list[Held]]:
    """Every file of the workspace by its name, with its bytes; asked for without the client under test."""
    found: dict[str, list[Held]] = defaultdict(list)
    headers = {"Authorization": f"Bearer {ws.settings.api_key.reveal()}"}
    root = f"{ws.settings.api_url}/workspaces/{ws.name}/files"
    with httpx.Client(headers=headers, verify=PLAIN, timeout=30, trust_env=False) as api:
        page, more = 1, True
        while more:
            listing = api.get(root, params={"limit": 100, "page_number": page}).raise_for_status().json()
            for file in listing["data"]:
                content = api.get(f"{root}/{file['file_id']}").raise_for_status().content
                assert len(content) == file["size"]
                found[file["name"]].append(Held(file["file_id"], content, file["meta"] or {}))
            page, more = page + 1, listing["has_more"]
    return found


def contents_of(folder: Path) -> Wanted:
    """What the files of a folder ought to be on the platform: bytes and metadata by name."""
    wanted = {}
    for path in folder.iterdir():
        if not path.name.endswith(SIDECAR):
            sidecar = path.with_name(path.name + SIDECAR)
            wanted[path.name] = (path.read_bytes(), json.loads(sidecar.read_text()) if sidecar.exists() else {})
    return wanted


def assert_true(job: UploadJob, ws: dn.Workspace, wanted: Wanted, *, doubled: bool = False) -> None:
    """The receipt has every file once, each with its outcome, and the platform holds exactly what it says.

    Args:
        job: It has ended.
        ws: A healthy platform.
        wanted: What was handed in, by name.
        doubled: Whether the platform may have made two files of one.
    """
    receipt = job.receipt
    assert sorted(receipt["name"]) == sorted(wanted)
    assert set(receipt["status"]) <= {"ok", "skipped", "failed", "unaccounted", "cancelled"}, receipt.to_string()
    unsaid = receipt[(receipt["status"] != "ok") & (receipt["reason"].isna() | receipt["remedy"].isna())]
    assert unsaid.empty, unsaid.to_string()
    held = held_by(ws)
    assert set(held) <= set(receipt["stored_name"])
    for row in receipt.itertuples(index=False):
        there = held.get(row.stored_name, [])
        content, meta = wanted[row.name]
        assert all((one.content, one.meta) == (content, meta) for one in there), f"{row.name} is another there"
        if row.status in ("ok", "skipped"):
            assert 1 <= len(there) <= 1 + doubled, f"{row.name} is there {len(there)} times"
            assert row.size == len(content)
        elif row.status == "failed" or row.phase in ("planned", "sending"):
            assert not there, f"{row.name} is {row.status} and on the platform"
        if isinstance(row.file_id, str):
            assert row.file_id in [one.file_id for one in there]
