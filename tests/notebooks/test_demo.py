"""The first command of the README: notebooks, sandbox and JupyterLab, started and ended cleanly."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from deepset_nb._places import notebooks_folder
from deepset_nb.demo import write_notebooks

COMMAND = [sys.executable, "-m", "deepset_nb"]


class Demo:
    """A running `deepset-nb demo` and what it printed."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "demo", "--no-browser", "--dir", str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []

    def read_until(self, word: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if word in line:
                return line
        raise AssertionError("".join(self.lines))

    def end(self, number: int) -> tuple[int, str]:
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=40)
        return self.process.returncode, rest


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    started = Demo(tmp_path / "demo")
    yield started
    if started.process.poll() is None:
        started.process.terminate()
        started.process.wait(40)
    assert started.process.stdout is not None
    started.process.stdout.close()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_the_demo_prints_a_url_that_opens_the_first_notebook_and_ends_cleanly(demo: Demo, number: int) -> None:
    url = demo.read_until("http://127.0.0.1").strip()
    demo.read_until("Ctrl-C")
    token = url.split("token=")[1]
    root = url.split("/lab/")[0]

    assert "/lab/tree/quickstart.ipynb?token=" in url
    assert answers(url)
    assert answers(f"{root}/api/contents/quickstart.ipynb?token={token}")
    code, said = demo.end(number)
    assert code == 0
    assert "have ended" in said
    assert "Traceback" not in said
    assert not answers(url)


def test_check_runs_the_quickstart_and_prints_its_tables(tmp_path: Path) -> None:
    done = subprocess.run([*COMMAND, "demo", "--check"], capture_output=True, text=True, timeout=240, cwd=tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip().endswith("The quickstart ran from top to bottom.")
    assert re.search(r"0 +faulty/comet.txt +ok", done.stdout)
    assert "FAILED" not in done.stdout.replace("FAILED_", "")
    assert not list(tmp_path.iterdir())


def test_check_fails_where_a_cell_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from deepset_nb import demo

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")])
    nbformat.write(notebook, tmp_path / "quickstart.ipynb")
    (tmp_path / "documents").mkdir()
    monkeypatch.setattr(demo, "notebooks_folder", lambda: tmp_path)

    assert demo.check() == 1


def test_a_changed_notebook_is_kept_and_reset_makes_a_copy_of_it(tmp_path: Path) -> None:
    assert write_notebooks(tmp_path) == []
    notebook = tmp_path / "quickstart.ipynb"
    notebook.write_text('{"mine": true}')

    assert "you changed it" in write_notebooks(tmp_path)[0]
    assert json.loads(notebook.read_text()) == {"mine": True}
    write_notebooks(tmp_path, reset=True)
    copies = [path for path in tmp_path.glob("quickstart-*.ipynb")]
    assert [json.loads(path.read_text()) for path in copies] == [{"mine": True}]
    assert notebook.read_bytes() == (notebooks_folder() / "quickstart.ipynb").read_bytes()


def test_an_unchanged_notebook_is_renewed_silently(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from deepset_nb import demo

    old = tmp_path / "old"
    old.mkdir()
    (old / "quickstart.ipynb").write_text("old")
    with monkeypatch.context() as patch:
        patch.setattr(demo, "notebooks_folder", lambda: old)
        write_notebooks(tmp_path / "demo")

    assert write_notebooks(tmp_path / "demo") == []
    assert (tmp_path / "demo" / "quickstart.ipynb").read_text() != "old"


def test_the_sandbox_command_tells_where_it_is_and_serves_so_many_files_until_sigterm(tmp_path: Path) -> None:
    options = ["--port", "0", "--data", str(tmp_path), "--api-key", "k-1", "--workspace", "anna", "--files", "1234"]
    process = subprocess.Popen([*COMMAND, "sandbox", *options], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = json.loads(process.stdout.readline())

    def asked(path: str) -> Any:
        request = urllib.request.Request(line["api_url"] + path, headers={"Authorization": "Bearer k-1"})
        with urllib.request.urlopen(request, timeout=5) as response:
            return json.load(response)

    me, files = asked("/me"), asked("/workspaces/anna/files?limit=5")
    process.terminate()
    rest, _ = process.communicate(timeout=20)

    assert line["api_url"].endswith("/api/v1")
    assert (line["api_key"], line["workspace"]) == ("k-1", "anna")
    assert me["organization"]["name"] == "Sandbox"
    assert (files["total"], len(files["data"])) == (1234, 5)
    assert (process.returncode, rest) == (0, "")
