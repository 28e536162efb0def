"""How many tests passed and failed, read from the reports the tools write.

A skipped test counts as failed: a skip must not stand in for a pass. So does a run that collected nothing.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Tally:
    """What one step adds to the last line."""

    passed: int = 0
    failed: int = 0
    reason: str = ""

    def __add__(self, other: Tally) -> Tally:
        reason = "; ".join(filter(None, [self.reason, other.reason]))
        return Tally(self.passed + other.passed, self.failed + other.failed, reason)


def of_command(exit_code: int) -> Tally:
    """A command without a report of its own: one pass or one failure."""
    return Tally(passed=1) if exit_code == 0 else Tally(failed=1, reason=f"exit code {exit_code}")


def of_pytest(report: Path, exit_code: int) -> Tally:
    """Count the cases of a JUnit report; ``exit_code`` is pytest's."""
    if not report.exists():
        return Tally(failed=1, reason=f"no report, exit code {exit_code}")
    verdicts: dict[tuple[str, str], bool] = {}
    skipped = 0
    for case in ET.parse(report).iter("testcase"):
        key = case.get("classname", ""), case.get("name", "")
        skipped += case.find("skipped") is not None
        bad = any(case.find(tag) is not None for tag in ("failure", "error", "skipped"))
        # A test that passes and fails in its teardown has two entries; it failed.
        verdicts[key] = verdicts.get(key, True) and not bad
    passed = sum(verdicts.values())
    failed = len(verdicts) - passed
    if not verdicts:
        return Tally(failed=1, reason="no test was collected")
    if exit_code != 0 and failed == 0:
        return Tally(passed, 1, f"exit code {exit_code}")
    return Tally(passed, failed, f"{skipped} skipped" if skipped else "")


def of_vitest(report: Path, exit_code: int) -> Tally:
    """Count the cases of vitest's JSON report."""
    if not report.exists():
        return Tally(failed=1, reason=f"no report, exit code {exit_code}")
    numbers = json.loads(report.read_text())
    passed, total = numbers["numPassedTests"], numbers["numTotalTests"]
    failed = total - passed  # what is neither passed nor failed is pending, skipped or left to do
    if total == 0:
        return Tally(failed=1, reason="no test was collected")
    if exit_code != 0 and failed == 0:
        return Tally(passed, 1, f"exit code {exit_code}")
    return Tally(passed, failed)
