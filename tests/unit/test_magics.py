"""``%load_ext deepset_nb``: the same DataFrames in one short line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

import deepset_nb as dn


@pytest.fixture
def shell(ws: dn.Workspace, folder: Path) -> Iterator[InteractiveShell]:
    (folder / "report-1.txt.meta.json").write_text('{"topic": "news"}')
    ws.upload(folder, show=False).wait(30)
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "deepset_nb")
    yield shell
    shell.run_line_magic("reload_ext", "deepset_nb")


def test_files_are_listed_with_the_workspace_made_last(shell: InteractiveShell) -> None:
    listed = shell.run_line_magic("deepset", "files --name report-1")

    assert type(listed) is pd.DataFrame
    assert listed["name"].tolist() == ["report-1.txt"]


def test_files_are_filtered_by_metadata(shell: InteractiveShell) -> None:
    assert shell.run_line_magic("deepset", """files --filter "topic eq 'news'" """)["name"].tolist() == ["report-1.txt"]


def test_sessions_are_listed(shell: InteractiveShell) -> None:
    assert shell.run_line_magic("deepset", "sessions")["status"].tolist() == ["CLOSED"]


def test_another_workspace_of_the_same_platform_can_be_named(shell: InteractiveShell) -> None:
    assert shell.run_line_magic("deepset", "files --workspace sandbox").empty


def test_the_result_can_be_assigned(shell: InteractiveShell) -> None:
    shell.run_cell("found = %deepset files")

    assert len(shell.user_ns["found"]) == 5


@pytest.mark.parametrize("line", ["", "nonsense", "files --nonsense"])
def test_a_wrong_line_says_what_is_possible(
    shell: InteractiveShell, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_cell(f"%deepset {line}")
    said = "".join(capsys.readouterr())

    assert "files" in said
    assert "Traceback" not in said


def test_a_quote_that_does_not_end_is_a_usage_error(shell: InteractiveShell) -> None:
    with pytest.raises(UsageError, match="No closing quotation"):
        shell.run_line_magic("deepset", "files --name O'Reilly")
