"""The steps of ``python -m tests`` in their order, the fast ones first, each with its time limit."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests import results, tools
from tests.process import ROOT, SCRATCH, Finished, run
from tests.results import Tally

OLDEST_IPYKERNEL = "6.31.0"  # the lower bound in pyproject.toml
SUBSHELL_IPYKERNEL = "7.3.0"  # the last that brings a widget's clicks past a busy cell by itself; 7.4 pins them
CLICKS = "test_bridge_clicks.py"
OLDER_PANDAS = "2.2.3"  # texts were objects then; 2.2.0, the lower bound, warns whenever it is imported
FRAMES = (
    "contract/test_list_files.py",
    "contract/test_tidying.py",
    "contract/test_planned_uploads.py",
    "unit/test_plan_frames.py",
)
STUCK_S = 90  # pytest prints every thread's stack when one test takes this long


@dataclass
class Session:
    """One run: what was asked for, and what earlier steps found."""

    pytest_args: Sequence[str] = ()
    env: dict[str, str] = field(default_factory=dict)
    python: dict[str, Path] = field(default_factory=dict)
    selected: bool = False  # whether some test matched -k

    def log(self, name: str) -> Path:
        return SCRATCH / "logs" / f"{name.replace(' ', '-')}.log"


@dataclass(frozen=True)
class Step:
    """One line of the run. ``groups`` says which arguments of the command line ask for it."""

    name: str
    groups: frozenset[str]
    action: Callable[[Session, Path], Tally]
    needs: str = ""  # the step without which this one cannot run


def _command(*command: str, limit_s: float, cwd: Path = ROOT) -> Callable[[Session, Path], Tally]:
    def action(session: Session, log: Path) -> Tally:
        return results.of_command(run(command, log=log, limit_s=limit_s, cwd=cwd, env=session.env).exit_code)

    return action


def _python(*args: str, limit_s: float) -> Callable[[Session, Path], Tally]:
    return _command(sys.executable, *args, limit_s=limit_s)


def _npm_ci(session: Session, log: Path) -> Tally:
    session.env["PATH"] = tools.node_path(log)
    finished = tools.npm_ci(session.env["PATH"], log)
    return results.of_command(finished.exit_code if finished else 0)


def _vitest(session: Session, log: Path) -> Tally:
    report = SCRATCH / "reports" / "vitest.json"
    report.unlink(missing_ok=True)
    command = ["npm", "test", "--", "--reporter=default", "--reporter=json", f"--outputFile.json={report}"]
    finished = run(command, log=log, limit_s=150, cwd=tools.JS, env=session.env)
    return results.of_vitest(report, finished.exit_code)


def _chromium(session: Session, log: Path) -> Tally:
    session.env["CHROMIUM"] = tools.chromium(log)
    return Tally(passed=1)


def _layered(python_with: Callable[[str, Path], Path], version: str, group: str) -> Callable[[Session, Path], Tally]:
    def action(session: Session, log: Path) -> Tally:
        session.python[group] = python_with(version, log)
        return Tally(passed=1)

    return action


def _pytest(group: str, folder: str, *args: str, limit_s: float) -> Callable[[Session, Path], Tally]:
    def action(session: Session, log: Path) -> Tally:
        report = SCRATCH / "reports" / f"{group}.xml"
        report.unlink(missing_ok=True)
        python = session.python.get(group, Path(sys.executable))
        command: list[str | Path] = [
            python,
            "-m",
            "pytest",
            "-q",
            f"tests/{folder}",
            f"--junitxml={report}",
            "--durations=5",
        ]
        command += ["-o", f"faulthandler_timeout={STUCK_S}", "-p", "no:cacheprovider", *args, *session.pytest_args]
        finished = run(command, log=log, limit_s=limit_s, env=session.env)
        if session.pytest_args and finished.exit_code == _NOTHING_COLLECTED:
            return Tally(reason="nothing here matches")
        session.selected = True
        return results.of_pytest(report, finished.exit_code)

    return action


_NOTHING_COLLECTED = 5  # pytest's exit code
_TWO_AT_ONCE = ("-n", "2")  # these groups start no browser and time nothing
_THREE_AT_ONCE = ("-n", "3")  # and this one often waits for the network
_FILES_AT_ONCE = (*_TWO_AT_ONCE, "--dist=loadfile")  # each file's tests in their order, two files at a time
_NEED_BUNDLES = {"js", "unit", "kernel", "kernel-oldest", "kernel-clicks", "notebooks", "packaging", "browser"}

STEPS = (
    Step("ruff check", frozenset({"lint"}), _python("-m", "ruff", "check", limit_s=60)),
    Step("ruff format", frozenset({"lint"}), _python("-m", "ruff", "format", "--check", limit_s=60)),
    Step("mypy", frozenset({"lint"}), _python("-m", "mypy", limit_s=180)),
    Step("npm ci", frozenset({"js", "browser"}), _npm_ci),
    Step("typecheck", frozenset({"js"}), _command("npm", "run", "typecheck", limit_s=120, cwd=tools.JS), "npm ci"),
    Step("vitest", frozenset({"js"}), _vitest, "npm ci"),
    Step("bundles", frozenset(_NEED_BUNDLES), _python("js/hatch_build.py", limit_s=180)),
    Step("unit", frozenset({"unit"}), _pytest("unit", "unit", *_TWO_AT_ONCE, limit_s=300)),
    Step("contract", frozenset({"contract"}), _pytest("contract", "contract", *_THREE_AT_ONCE, limit_s=1200)),
    Step("kernel", frozenset({"kernel"}), _pytest("kernel", "kernel", limit_s=300)),
    Step(
        f"ipykernel {OLDEST_IPYKERNEL}",
        frozenset({"kernel-oldest"}),
        _layered(tools.python_with_ipykernel, OLDEST_IPYKERNEL, "kernel-oldest"),
    ),
    Step(
        "kernel-oldest",
        frozenset({"kernel-oldest"}),
        _pytest("kernel-oldest", "kernel", limit_s=300),
        f"ipykernel {OLDEST_IPYKERNEL}",
    ),
    Step(
        f"ipykernel {SUBSHELL_IPYKERNEL}",
        frozenset({"kernel-clicks"}),
        _layered(tools.python_with_ipykernel, SUBSHELL_IPYKERNEL, "kernel-clicks"),
    ),
    Step(
        "kernel-clicks",
        frozenset({"kernel-clicks"}),
        _pytest("kernel-clicks", f"kernel/{CLICKS}", limit_s=120),
        f"ipykernel {SUBSHELL_IPYKERNEL}",
    ),
    Step(
        f"pandas {OLDER_PANDAS}", frozenset({"pandas-2"}), _layered(tools.python_with_pandas, OLDER_PANDAS, "pandas-2")
    ),
    Step(
        "pandas-2",
        frozenset({"pandas-2"}),
        _pytest("pandas-2", "unit/test_frames.py", *(f"tests/{file}" for file in FRAMES), *_TWO_AT_ONCE, limit_s=180),
        f"pandas {OLDER_PANDAS}",
    ),
    Step("notebooks", frozenset({"notebooks"}), _pytest("notebooks", "notebooks", *_FILES_AT_ONCE, limit_s=400)),
    Step("packaging", frozenset({"packaging"}), _pytest("packaging", "packaging", limit_s=240)),
    Step("chromium", frozenset({"browser"}), _chromium),
    Step("browser", frozenset({"browser"}), _pytest("browser", "browser", limit_s=720), "chromium"),
)
GROUPS = tuple(dict.fromkeys(group for step in STEPS for group in sorted(step.groups) if len(step.groups) == 1))


def output_of(log: Path) -> str:
    """What a failed step printed, its end where it is long."""
    return Finished(1, log).tail() if log.exists() else ""


def is_asked_for(step: Step, groups: Sequence[str]) -> bool:
    """Whether the named groups (none: all) include this step."""
    return not groups or not step.groups.isdisjoint(groups)
