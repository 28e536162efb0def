"""Two thousand names that nobody would choose: each file has its row, and what is ok is there under its stored name."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

import deepset_nb as dn
from deepset_nb.client.filenames import stored_name, wire_name
from deepset_nb.job import UploadJob
from deepset_nb.transfer.hazards import KEY_LIMIT
from tests.contract.platform_holds import SIDECAR, held_by
from tests.leaks import nothing_left

COUNT = 2_000
ENDINGS = st.sampled_from([".txt", ".pdf", ".tar.gz", "", ".", "...", " ", ".meta.json", ".TXT"])
RTL, EMOJI = "\u05d0\u05d1\u0627\u0628\u202e\u200f", "\U0001f98a\U0001f468\u200d\U0001f469\ufe0f\U0001f1e9"
PIECES = st.one_of(
    st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=20),
    st.text("\x01\t\n\r\x1b\x7f\x85\u2028", min_size=1, max_size=4),
    st.text(RTL + EMOJI + "e\u0301\xe9", min_size=1, max_size=12),
    st.text("%#[]{}<>|\"'`^~\\", min_size=1, max_size=8),
    st.sampled_from(
        ["%2F", "%00", "%C3%A9", "%25", "../", "..\\", "/etc/", "C:\\", "CON", "nul", "${filename}", ".", ".."]
    ),
    st.binary(min_size=1, max_size=6).map(os.fsdecode).filter(lambda text: "\0" not in text),
    st.integers(200, 255).map(lambda length: "n" * length),
    st.integers(60, 85).map(lambda length: "\u20ac" * length),
)
NAMES = st.builds(lambda pieces, ending: "".join(pieces) + ending, st.lists(PIECES, min_size=1, max_size=3), ENDINGS)
KNOWN = [
    "report.txt",
    "Report.txt",
    "REPORT.TXT",
    "caf\xe9.txt",
    "cafe\u0301.txt",
    "50%.txt",
    "50_.txt",
    "a#b",
    "a_b",
    "\udcff.txt",
]


@functools.cache
def names() -> list[str]:
    """2,000 of them, the same in each run."""
    found = dict.fromkeys(KNOWN)
    for number in range(20):

        @seed(number)
        @settings(max_examples=COUNT, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
        @given(NAMES)
        def collect(name: str) -> None:
            found.setdefault(name)

        collect()
        if len(found) >= COUNT:
            break
    # What lies beside a file of that name is its metadata, and has no row of its own.
    return [
        name for name in list(found)[:COUNT] if not (name.endswith(SIDECAR) and name.removesuffix(SIDECAR) in found)
    ]


def is_written(folder: Path, name: str, content: bytes) -> bool:
    if "/" in name or name in (".", ".."):
        return False
    try:
        if os.fsdecode(os.fsencode(name)) != name:  # halves of characters that the disk joins: it lists another name
            return False
        with open(os.path.join(folder, name), "xb") as file:  # noqa: PTH118, PTH123
            file.write(content)
    except (OSError, ValueError):
        return False
    return True


def content_of(number: int) -> bytes:
    return f"Document {number}, {'x' * (number % 50)}".encode()


def assert_accounted(job: UploadJob, ws: dn.Workspace, contents: dict[str, bytes]) -> None:
    """Each name has its row; ok is there, once, as it was; what is not says why; nothing else is there."""
    receipt, held = job.receipt, held_by(ws)
    assert sorted(receipt["name"]) == sorted(contents)
    assert set(receipt["status"]) <= {"ok", "failed", "skipped"}
    assert (receipt["stored_name"] == receipt["name"].map(stored_name)).all()
    fine = receipt[receipt["status"] == "ok"]
    assert {row.stored_name: [contents[row.name]] for row in fine.itertuples()} == {
        name: [one.content for one in there] for name, there in held.items()
    }
    assert {row.file_id for row in fine.itertuples()} == {one.file_id for (one,) in held.values()}
    bad = receipt[receipt["status"] != "ok"]
    assert bad["reason"].notna().all()
    assert bad["remedy"].notna().all()
    sent = set(fine["stored_name"])
    for row in bad.itertuples():
        if row.name.endswith(SIDECAR):
            continue  # it means the metadata of a file, which is not among these
        if "both go up as" in row.reason:
            assert row.stored_name in sent
        else:
            assert "the bucket takes" in row.reason or "KeyTooLongError" in row.reason
            assert len(wire_name(row.name)) > KEY_LIMIT
    assert len(fine) > 0.7 * len(contents)


def upload_files(ws: dn.Workspace, folder: Path, contents: dict[str, bytes]) -> UploadJob:
    return ws.upload(folder, hidden=True, show=False).wait(60)


def upload_documents(ws: dn.Workspace, folder: Path, contents: dict[str, bytes]) -> UploadJob:
    texts = [content.decode() for content in contents.values()]
    frame = pd.DataFrame({"name": pd.Series(list(contents), dtype="object"), "text": texts})
    return ws.upload(frame, show=False).wait(60)


@pytest.mark.parametrize("upload", [upload_files, upload_documents])
def test_two_thousand_names_are_each_accounted_for_and_are_there_as_they_are_stored(
    ws: dn.Workspace, tmp_path: Path, upload: Callable[[dn.Workspace, Path, dict[str, bytes]], UploadJob]
) -> None:
    folder = tmp_path / "names"
    folder.mkdir()
    contents = {name: content_of(number) for number, name in enumerate(names())}
    assert len(contents) > 0.9 * COUNT
    if upload is upload_files:  # the names that the file system takes
        contents = {name: content for name, content in contents.items() if is_written(folder, name, content)}
        assert len(contents) > 0.7 * COUNT
    with nothing_left(ws, folder):
        job = upload(ws, folder, contents)
        assert_accounted(job, ws, contents)
        again = upload(ws, folder, contents)
        assert (again.receipt["status"] == "skipped").sum() == (job.receipt["status"] != "failed").sum()
        assert dn.receipt(job.job_id)["name"].tolist() == job.receipt["name"].tolist()
        assert len(repr(job)) + len(str(job.state())) < 100_000
