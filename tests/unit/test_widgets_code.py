"""The code of an uploader: it runs, and plans what the clicks would have planned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deepset_nb.transfer.plan import plan_rows, read_given
from deepset_nb.transfer.receipt import Row
from deepset_nb.widgets.code import call_of


class Workspace:
    """Plans what it is to upload."""

    def upload(self, paths: list[str], *, write_mode: str = "KEEP", meta: Any = None) -> None:
        self.rows: list[Row] = plan_rows(read_given(paths, meta=meta))
        self.write_mode = write_mode


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a.txt", "old/b.txt", 'odd "name" ü.txt'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    ("paths", "mode", "meta", "own", "expected"),
    [
        (["a.txt"], "KEEP", None, {}, {"a.txt": None}),
        (["a.txt", "old/b.txt"], "OVERWRITE", {"topic": "news"}, {}, dict.fromkeys(["a.txt", "old/b.txt"], "news")),
        (["a.txt", "old/b.txt"], "FAIL", None, {"old/b.txt": {"topic": "b"}}, {"a.txt": None, "old/b.txt": "b"}),
        (
            ["a.txt", "old/b.txt", 'odd "name" ü.txt'],
            "KEEP",
            {"topic": "news", "seen": True, "by": None, "long": "x" * 80},
            {"old/b.txt": {"topic": 'b"\n'}},
            {"a.txt": "news", "old/b.txt": 'b"\n', 'odd "name" ü.txt': "news"},
        ),
    ],
)
def test_it_plans_the_same_files_with_the_same_metadata(
    here: Path, paths: list[str], mode: str, meta: Any, own: Any, expected: dict[str, str | None]
) -> None:
    import json

    ws = Workspace()
    exec(call_of(paths, mode, meta, own), {"ws": ws})

    assert ws.write_mode == mode
    assert {row.path: json.loads(row.meta)["topic"] if row.meta else None for row in ws.rows} == expected  # type: ignore[arg-type]


def test_short_calls_are_one_line() -> None:
    assert call_of(["a.txt"], "KEEP", {"n": 1}, {}) == 'ws.upload(["a.txt"], meta={"n": 1})'


def test_without_files_there_is_no_code() -> None:
    assert call_of([], "KEEP", None, {}) == ""
