"""``%load_ext deepset_nb``: the same DataFrames in one short line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from IPython.core.completer import provisionalcompleter
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


def test_files_are_listed_by_metadata_times_and_count(shell: InteractiveShell) -> None:
    listed = shell.run_line_magic("deepset", "files --meta topic=news --after 2020-01-01 --limit 3 --expand-meta")

    assert listed[["name", "meta.topic"]].values.tolist() == [["report-1.txt", "news"]]
    assert shell.run_line_magic("deepset", "files --before 2020-01-01").empty
    assert shell.run_line_magic("deepset", "sessions --status open").empty


def test_what_is_filtered_here_is_said(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_line_magic("deepset", "files --meta topic=news")
    assert capsys.readouterr().out == ""
    shell.run_line_magic("deepset", "files --after 2020-01-01")
    shell.run_line_magic("deepset", "sessions --status open")

    assert capsys.readouterr().out.splitlines() == [
        "Filtered here, not by the platform: created_after.",
        "Filtered here, not by the platform: status.",
    ]


def test_paths_are_uploaded_with_their_options_and_the_job_can_be_assigned(
    shell: InteractiveShell, tmp_path: Path
) -> None:
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / "one.txt").write_text("one")
    (tmp_path / "a b" / "two.tmp").write_text("two")
    shell.user_ns["where"] = str(tmp_path / "a b")
    shell.run_cell("""job = %deepset upload "{where}" --exclude *.tmp --meta year=2024 --write-mode overwrite""")
    receipt = shell.user_ns["job"].wait(30).receipt.set_index("name")

    assert receipt["status"].to_dict() == {"one.txt": "ok", "two.tmp": "skipped"}
    listed = shell.run_line_magic("deepset", "files --name one.txt --meta year=2024")
    assert listed["name"].tolist() == ["one.txt"]


def test_files_are_downloaded(shell: InteractiveShell, tmp_path: Path) -> None:
    shell.run_line_magic("deepset", f"download '{tmp_path / 'copies'}' --name report-1 --no-meta").wait(30)

    assert [path.name for path in (tmp_path / "copies").iterdir()] == ["report-1.txt"]
    assert shell.run_line_magic("deepset", "jobs")["kind"][0] == "download"


def test_a_cell_becomes_a_document(shell: InteractiveShell, ws: dn.Workspace) -> None:
    job = shell.run_cell_magic(
        "deepset_text", """note.md --meta '{"topic":"notes"}' --meta n=5""", "# Words\n\nof mine\n"
    )

    assert job.wait(30).receipt["status"].tolist() == ["ok"]
    [file] = ws.list_files("note.md").to_dict("records")
    assert (file["meta"], file["size"]) == ({"topic": "notes", "n": 5}, 17)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("note.md --meta '{'", "no JSON"),
        ("note.md --meta '[1]'", "KEY=VALUE"),
        ("", "name"),
        ("note.md --write-mode both", "OVERWRITE"),
    ],
)
def test_a_wrong_line_above_a_text_is_a_usage_error(shell: InteractiveShell, line: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        shell.run_cell_magic("deepset_text", line, "text")


def test_help_names_every_option(shell: InteractiveShell) -> None:
    help_ = shell.find_line_magic("deepset").__doc__

    for word in ("%deepset upload", "--recursive", "--expand-meta", "--status", "%deepset jobs"):
        assert word in help_
    assert "--meta" in shell.find_cell_magic("deepset_text").__doc__


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("%deepset ", {"files", "sessions", "upload", "download", "jobs"}),
        ("found = %deepset fi", {"files"}),
        ("%deepset sessions --st", {"--status"}),
        ("%deepset sessions --status ", {"OPEN", "CLOSED", "EXPIRED"}),
        ("%deepset upload rep", {"reports/", "report.txt"}),
        ("%%deepset_text note.md --write", {"--write-mode"}),
    ],
)
def test_tab_completes_words_options_values_and_paths(
    shell: InteractiveShell, line: str, offered: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here" / "reports").mkdir(parents=True)
    (tmp_path / "here" / "report.txt").touch()
    monkeypatch.chdir(tmp_path / "here")
    with provisionalcompleter():
        matches = {found.text for found in shell.Completer.completions(line, len(line))}

    assert offered <= matches


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
