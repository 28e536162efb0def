"""The spool: pieces in any order, twice, damaged or lost; private; gone when nobody needs it."""

from __future__ import annotations

import gc
import itertools
import json
import random
import shutil
import stat
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
import xxhash

from deepset_nb.errors import InputError
from deepset_nb.widgets.spool import Spool
from tests.process import ROOT

A, B = "a" * 32, "b" * 32
CONTENT = bytes(range(256)) * 4


def offered(key: str = A, size: int = len(CONTENT), path: str = "reports/a.txt") -> Any:
    return {"file": key, "name": path.rpartition("/")[2], "relative_path": path, "size": size, "changed": 0}


def piece(offset: int, length: int, key: str = A, content: bytes = CONTENT) -> tuple[Any, bytes]:
    data = content[offset : offset + length]
    return {
        "kind": "chunk",
        "file": key,
        "offset": offset,
        "length": len(data),
        "xxh32": xxhash.xxh32_intdigest(data),
    }, data


@pytest.fixture
def spool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Spool:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return Spool(limit_bytes=10_000)


def test_a_name_with_half_a_character_can_be_sent_on(spool: Spool) -> None:
    spool.offer(offered(path="bad\ud800name.txt"))

    assert json.dumps(spool.held(), ensure_ascii=False).encode()


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_pieces_may_come_in_any_order(spool: Spool, order: tuple[int, ...]) -> None:
    assert spool.offer(offered()) is None
    answers = [spool.write(*piece(256 * part, 256)) for part in order]

    assert [answer["kind"] for answer in answers] == ["ack"] * 4
    assert answers[-1]["received"] == len(CONTENT)  # type: ignore[typeddict-item]
    (file,) = spool.complete()
    assert file.path.read_bytes() == CONTENT


def test_pieces_of_random_cuts_doubled_and_shuffled_make_the_file(spool: Spool) -> None:
    chance = random.Random(7)
    for _ in range(20):
        spool.clear()
        spool.offer(offered())
        cuts = sorted({0, len(CONTENT), *(chance.randrange(len(CONTENT)) for _ in range(9))})
        pieces = [piece(start, end - start) for start, end in itertools.pairwise(cuts)] * 2
        chance.shuffle(pieces)
        for one in pieces:
            assert spool.write(*one)["kind"] == "ack"

        assert spool.complete()[0].path.read_bytes() == CONTENT


def test_an_acknowledgement_counts_bytes_without_a_gap(spool: Spool) -> None:
    spool.offer(offered())

    assert spool.write(*piece(512, 256))["received"] == 0  # type: ignore[typeddict-item]
    assert spool.write(*piece(0, 256))["received"] == 256  # type: ignore[typeddict-item]
    assert spool.holding(A) == {
        "received": 256,
        "missing": [{"offset": 256, "length": 256}, {"offset": 768, "length": 256}],
    }
    assert spool.complete() == []


def test_a_damaged_piece_is_sent_back_and_not_written(spool: Spool) -> None:
    spool.offer(offered())
    message, data = piece(0, 256)

    assert spool.write(message, b"\x01" + data[1:]) == {
        "kind": "nack",
        "file": A,
        "offset": 0,
        "length": 256,
        "reason": "xxh32",
    }
    assert spool.write(message, data[:-1])["kind"] == "nack"
    assert spool.holding(A)["received"] == 0


@pytest.mark.parametrize(("offset", "length"), [(-1, 5), (1020, 5), (10**12, 1)])
def test_a_piece_outside_the_file_is_not_written(spool: Spool, offset: int, length: int) -> None:
    spool.offer(offered())
    message = {
        "kind": "chunk",
        "file": A,
        "offset": offset,
        "length": length,
        "xxh32": xxhash.xxh32_intdigest(b"x" * length),
    }

    assert spool.write(message, b"x" * length)["kind"] == "nack"  # type: ignore[arg-type]
    assert spool.complete() == []


def test_a_piece_of_an_unknown_file_is_refused(spool: Spool) -> None:
    assert spool.write(*piece(0, 5, key=B))["kind"] == "refused"
    with pytest.raises(InputError):
        spool.holding(B)


def test_an_empty_file_is_complete_at_once(spool: Spool) -> None:
    spool.offer(offered(size=0))

    assert [file.size for file in spool.complete()] == [0]
    assert spool.complete()[0].path.read_bytes() == b""


@pytest.mark.parametrize("key", ["../../etc/passwd", "A" * 32, "", "a" * 31, "a" * 32 + "\n", "a/" * 16])
def test_an_id_that_is_none_never_becomes_a_path(spool: Spool, tmp_path: Path, key: str) -> None:
    problem = spool.offer(offered(key))

    assert problem is not None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "name", "relative"),
    [
        ("reports/2024/a.txt", "a.txt", "reports/2024/a.txt"),
        ("../../../etc/passwd", "passwd", "etc/passwd"),
        ("/etc/passwd", "passwd", "etc/passwd"),
        ("C:\\Users\\anna\\a.txt", "a.txt", "C:/Users/anna/a.txt"),
        ("a\x00b\n.txt", "ab.txt", "ab.txt"),
        ("..", "unnamed", "unnamed"),
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
    ],
)
def test_names_lose_what_could_lead_elsewhere(spool: Spool, path: str, name: str, relative: str) -> None:
    spool.offer(offered(path=path, size=0))
    (file,) = spool.complete()

    assert (file.name, file.relative_path) == (name, relative)
    assert file.path.name == A


def test_two_files_of_one_name_stay_apart(spool: Spool) -> None:
    spool.offer(offered(A, 5, "x.txt"))
    spool.offer(offered(B, 5, "x.txt"))
    spool.write(*piece(0, 5, A, b"first"))
    spool.write(*piece(0, 5, B, b"other"))

    assert [file.path.read_bytes() for file in spool.complete()] == [b"first", b"other"]


def test_a_file_over_the_limit_is_refused_with_the_limit(spool: Spool) -> None:
    problem = Spool(5 * 2**30).offer(offered(size=5 * 2**30 + 1))

    assert problem is not None
    assert "5 GiB" in problem["message"]
    assert "split -C 1G" in problem["remedy"]


def test_a_full_disk_is_said_before_and_while_writing(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    spool.offer(offered())
    (file,) = (one for one in spool._arriving.values())
    file.file.path.unlink()
    answer = spool.write(*piece(0, 5))
    assert answer["kind"] == "refused"
    assert spool.held() == []

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100, 100, 0))
    problem = spool.offer(offered(B))
    assert problem is not None
    assert "space" in problem["message"]


def test_the_folder_is_private_and_goes_with_its_files(spool: Spool, tmp_path: Path) -> None:
    assert list(tmp_path.iterdir()) == []
    spool.offer(offered())
    (folder,) = tmp_path.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}

    spool.remove(A)
    assert list(folder.iterdir()) == []
    spool.clear()
    assert list(tmp_path.iterdir()) == []
    assert spool.offer(offered()) is None


def test_the_folder_goes_when_the_spool_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    spool = Spool(100)
    spool.offer(offered(size=5))
    assert list(tmp_path.iterdir())
    del spool
    gc.collect()

    assert list(tmp_path.iterdir()) == []


def test_the_folder_goes_when_the_interpreter_ends(tmp_path: Path) -> None:
    code = f"""
import tempfile
tempfile.tempdir = {str(tmp_path)!r}
from deepset_nb.widgets.spool import Spool
spool = Spool(100)
assert spool.offer({{"file": "{A}", "name": "a", "relative_path": "a", "size": 5}}) is None
assert len(list(__import__("pathlib").Path(tempfile.tempdir).iterdir())) == 1
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)

    assert list(tmp_path.iterdir()) == []
