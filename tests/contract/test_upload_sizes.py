"""Stand-ins for the big sizes: memory does not follow the size of a file, nor the number of files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import deepset_nb as dn
from deepset_nb._places import STATE_VARIABLE, state_folder
from tests.clients.account import account

MOST_MIB = 150
Make = Callable[[Path], tuple[object, int, int]]  # returns what to upload, how many files, how many bytes in all

UPLOAD = """
import json, re, sys
from pathlib import Path
import deepset_nb as dn
import deepset_nb.frames, deepset_nb.transfer.upload

def peak():  # not ru_maxrss: that begins with the size of whoever started us
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024

where = json.loads(sys.argv[1])
ws = dn.Workspace(where["workspace_name"], api_key=where["api_key"], api_url=where["api_url"])
before = peak()
receipt = ws.upload(sys.argv[2], show=False).wait(100).receipt
grown = peak() - before
print(json.dumps([grown, receipt["status"].value_counts().to_dict(), int(receipt["size"].sum())]))
"""


def one_of_256_mib(folder: Path) -> tuple[object, int, int]:
    with (folder / "large.bin").open("wb") as file:
        file.truncate(256 << 20)
    return folder, 1, 256 << 20


def five_thousand(folder: Path) -> tuple[object, int, int]:
    for number in range(5_000):
        (folder / f"{number:04}.txt").write_bytes(b"x" * 1_000)
    return folder, 5_000, 5_000_000


def one_of_256_mib_in_a_zip(folder: Path) -> tuple[object, int, int]:
    path = folder / "a.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("large.bin", "w") as file,
    ):
        for _ in range(256):
            file.write(bytes(1 << 20))
    return f"zip://large.bin::{path}", 1, 256 << 20


@pytest.mark.parametrize("make", [one_of_256_mib, five_thousand, one_of_256_mib_in_a_zip])
def test_memory_follows_neither_the_size_nor_the_number_of_files(ws: dn.Workspace, tmp_path: Path, make: Make) -> None:
    what, files, size = make(tmp_path)
    command = [sys.executable, "-W", "error", "-c", UPLOAD, json.dumps(account(ws)), str(what)]
    environment = {**os.environ, STATE_VARIABLE: str(state_folder())}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
    grown_mib, statuses, sent = json.loads(done.stdout)

    assert (statuses, sent) == ({"ok": files}, size)
    assert grown_mib < MOST_MIB
    listed = ws.list_files()
    assert (len(listed), int(listed["size"].sum())) == (files, size)
