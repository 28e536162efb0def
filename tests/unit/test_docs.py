"""What the README says of the sandbox is what the sandbox has."""

from __future__ import annotations

from deepset_nb.emulator.faults import KINDS
from tests.process import ROOT


def test_the_readme_lists_every_fault_with_its_effect_and_what_is_seen() -> None:
    lines = set((ROOT / "README.md").read_text().splitlines())

    assert len(KINDS) > 10
    assert [
        kind.usage for kind in KINDS.values() if f"| `{kind.usage}` | {kind.effect} | {kind.seen} |" not in lines
    ] == []
