"""The line of Python that does the same: what was given and nothing else, and it can be run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from deepset_nb.call_as_code import call_as_code
from deepset_nb.models import WriteMode


class Thing:
    def send(
        self,
        paths: Any,
        *,
        recursive: bool = False,
        meta: Any = None,
        write_mode: Any = WriteMode.KEEP,
        show: bool = True,
    ) -> Any:
        return locals()


def code(*args: Any, **options: Any) -> str:
    return call_as_code("thing", Thing.send, Thing().send(*args, **options))


def test_it_says_what_was_given_and_no_defaults() -> None:
    assert code("reports/") == 'thing.send("reports/")'
    assert code("a", recursive=True, write_mode="KEEP", show=False) == 'thing.send("a", recursive=True)'
    assert code("a", write_mode=WriteMode.FAIL) == 'thing.send("a", write_mode="FAIL")'


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ("it's", "it's"),
        ('say "hi"', 'say "hi"'),
        ('it\'s "both"\n\u202e\\', 'it\'s "both"\n\u202e\\'),
        (Path("reports") / "a b.pdf", "reports/a b.pdf"),
        (["a", Path("b")], ["a", "b"]),
        (("a",), ("a",)),
        (("a", "b"), ("a", "b")),
        ((), ()),
    ],
)
def test_running_it_gives_the_same(given: Any, same: Any) -> None:
    meta = {"year": 2024, "score": 0.5, "tags": ["x", "it's"], "none": None, "yes": True}
    ran = eval(code(given, meta=meta), {"thing": Thing()})

    assert (ran["paths"], ran["meta"]) == (same, meta)


@pytest.mark.parametrize("value", [len, pd.DataFrame({"a": [1]}), float("nan"), {"deep": [object()]}, "x" * 5000])
def test_what_cannot_be_typed_becomes_a_variable_with_a_comment(value: Any) -> None:
    said = code("a", meta=value)

    assert said.splitlines()[0] == f"# meta: the {type(value).__name__} that was given"
    assert said.splitlines()[1] == 'thing.send("a", meta=meta)'
    assert eval(said, {"thing": Thing(), "meta": 7})["meta"] == 7
