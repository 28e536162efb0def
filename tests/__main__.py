"""Run every check of this repository, or the groups that are named.

    python -m tests                   all of them, as in CI
    python -m tests unit kernel       these groups
    python -m tests unit -k receipt   what matches, as in pytest

The last line is ``N passed, N failed``; the exit code is 0 only where nothing failed. Logs, test reports and
screenshots are left in .tests/.
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from collections.abc import Sequence

from tests.process import SCRATCH
from tests.results import Tally
from tests.steps import GROUPS, STEPS, Session, Step, is_asked_for, output_of
from tests.tools import Missing


def main(argv: Sequence[str] | None = None) -> int:
    """Run the steps in their order; one that fails does not stop the next."""
    parser = argparse.ArgumentParser(
        prog="python -m tests", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("groups", nargs="*", metavar="group", help=", ".join(GROUPS))
    parser.add_argument("-k", metavar="EXPRESSION", help="only tests that match, as in pytest")
    options = parser.parse_args(argv)
    if unknown := sorted(set(options.groups) - set(GROUPS)):
        parser.error(f"no group {', '.join(unknown)}; there are {', '.join(GROUPS)}")

    _forget_account()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with Ctrl-C ignored
    (SCRATCH / "reports").mkdir(parents=True, exist_ok=True)
    session = Session(pytest_args=["-k", options.k] if options.k else [])
    total = Tally()
    failed: set[str] = set()
    for step in STEPS:
        if is_asked_for(step, options.groups):
            tally = _run(step, session, failed)
            total += tally
            if tally.failed:
                failed.add(step.name)
    if failed:
        print("failed:", ", ".join(step.name for step in STEPS if step.name in failed))
    if options.k and not session.selected and not total.failed:
        total += Tally(failed=1)  # a run that checked nothing is no success
    print(f"{total.passed} passed, {total.failed} failed", flush=True)
    return 1 if total.failed else 0


def _run(step: Step, session: Session, failed: set[str]) -> Tally:
    print(f"== {step.name} ...", end=" ", flush=True)
    log, began = session.log(step.name), time.monotonic()
    log.unlink(missing_ok=True)  # of an earlier run
    if step.needs in failed:
        tally = Tally(failed=1, reason=f"not run: {step.needs} failed")
    else:
        try:
            tally = step.action(session, log)
        except Missing as error:
            tally = Tally(failed=1, reason=str(error))
    verdict = "FAILED" if tally.failed else "ok"
    counts = f", {tally.passed} passed" if tally.passed > 1 else ""
    counts += f", {tally.failed} failed" if tally.failed > 1 or (tally.failed and tally.passed) else ""
    reason = f": {tally.reason}" if tally.reason else ""
    print(f"{verdict}{counts}{reason} ({time.monotonic() - began:.0f} s)", flush=True)
    if tally.failed and step.needs not in failed:
        print(output_of(log), flush=True)
    return tally


def _forget_account() -> None:
    # Tests must not find the developer's own platform account in the environment.
    for name in list(os.environ):
        if name.startswith("DEEPSET_") or name in {"API_KEY", "API_URL", "DEFAULT_WORKSPACE_NAME"}:
            del os.environ[name]


if __name__ == "__main__":
    raise SystemExit(main())
