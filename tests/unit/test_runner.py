"""``python -m tests`` itself: its last line may not promise more than was run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.process import ROOT, TIMED_OUT, run
from tests.results import Tally, of_pytest, of_vitest

MIXED = """
import pytest
def test_that_passes(): pass
def test_that_fails(): assert False
@pytest.fixture
def leaky():
    yield
    raise RuntimeError
def test_whose_teardown_fails(leaky): pass
@pytest.mark.SKIP(reason="too lazy")
def test_that_is_left_out(): pass
""".replace("SKIP", "sk" + "ip")


def run_pytest(folder: Path, source: str) -> Tally:
    (folder / "test_sample.py").write_text(source)
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "--rootdir", folder, "-c", os.devnull, "-p", "no:asyncio", folder]
    finished = run([*command, f"--junitxml={report}"], log=folder / "log", limit_s=60)
    return of_pytest(report, finished.exit_code)


def test_a_skip_and_a_broken_teardown_count_as_failures(tmp_path: Path) -> None:
    tally = run_pytest(tmp_path, MIXED)

    assert (tally.passed, tally.failed) == (1, 3)
    assert "1 skipped" in tally.reason


def test_a_run_that_collects_nothing_is_a_failure(tmp_path: Path) -> None:
    assert run_pytest(tmp_path, "x = 1").failed == 1


def test_a_file_that_cannot_be_imported_is_a_failure(tmp_path: Path) -> None:
    assert run_pytest(tmp_path, "import no_such_module").failed == 1


def test_a_report_that_was_never_written_is_a_failure(tmp_path: Path) -> None:
    assert of_pytest(tmp_path / "none.xml", 0).failed == 1
    assert of_vitest(tmp_path / "none.json", 0).failed == 1


@pytest.mark.parametrize(
    ("passed", "total", "exit_code", "tally"),
    [(5, 5, 0, (5, 0)), (5, 7, 1, (5, 2)), (5, 5, 1, (5, 1)), (0, 0, 0, (0, 1))],
)
def test_vitest_counts_what_did_not_pass_as_failed(
    passed: int, total: int, exit_code: int, tally: tuple[int, int], tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"numPassedTests": passed, "numTotalTests": total}))
    result = of_vitest(report, exit_code)

    assert (result.passed, result.failed) == tally


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    began = time.monotonic()
    finished = run(["bash", "-c", f"sleep 300 & echo $! > {pid_file}; wait"], log=tmp_path / "log", limit_s=1)

    assert finished.exit_code == TIMED_OUT
    assert "time limit" in finished.tail()
    assert time.monotonic() - began < 60
    assert _is_gone(int(pid_file.read_text()))


def _is_gone(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        # An orphan's entry stays until init collects it; a zombie runs no more.
        if Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_command_that_does_not_exist_is_a_failure_and_not_a_crash(tmp_path: Path) -> None:
    assert run(["no-such-command-here"], log=tmp_path / "log", limit_s=5).exit_code == 127


def test_an_unknown_group_is_refused() -> None:
    command = [sys.executable, "-m", "tests", "nonsense"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert answer.returncode == 2
    assert "no group nonsense" in answer.stderr


def test_a_selection_that_matches_nothing_is_no_success() -> None:
    command = [sys.executable, "-m", "tests", "packaging", "-k", "no_test_has_this_name"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)

    assert answer.stdout.splitlines()[-1] == "1 passed, 1 failed"  # the bundles were looked at
    assert answer.returncode == 1
