"""DESIGN: which room may know what. Each rule meets a bad example first, so that it cannot pass by seeing nothing."""

from __future__ import annotations

import inspect
import json
import pkgutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import deepset_nb
from tests import rules
from tests.process import ROOT

MODULES = list(rules.modules())
MAX_LINES = 350
IMPORT_BUDGET_S = 0.2


def broken_by(rule: Callable[[str, str], list[str]]) -> list[str]:
    assert len(MODULES) > 5
    return [finding for module, source in MODULES for finding in rule(module, source)]


def in_new_python(code: str) -> str:
    """What ``code`` prints in an interpreter of its own."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("client.bucket", "from deepset_nb import frames"),
        ("client.bucket", "from ..workspace import Workspace"),
        ("transfer.plan", "def f():\n    from deepset_nb.job import UploadJob"),
        ("errors", "import deepset_nb"),
        ("attic", "x = 1"),
    ],
)
def test_the_import_order_rule_sees_a_step_to_the_left(module: str, source: str) -> None:
    assert rules.against_the_order(module, source)


def test_the_import_order_rule_lets_steps_to_the_right_and_type_hints_pass() -> None:
    source = """
from typing import TYPE_CHECKING
from ..errors import ApiError
if TYPE_CHECKING:
    from deepset_nb.workspace import Workspace
"""
    assert rules.against_the_order("client.bucket", source) == []


def test_imports_point_only_to_the_right() -> None:
    assert broken_by(rules.against_the_order) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("emulator.app", "from ..client import AsyncClient"),
        ("emulator.app", "from deepset_nb import settings"),
        ("workspace", "from .emulator import create_app"),
        ("transfer.upload", "import deepset_nb.emulator.server"),
    ],
)
def test_the_emulator_rule_sees_both_directions(module: str, source: str) -> None:
    assert rules.across_the_emulator(module, source)


def test_the_emulator_stands_beside_the_house() -> None:
    assert broken_by(rules.across_the_emulator) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("workspace", "import nest_asyncio"),
        ("job", "import importlib\nimportlib.import_module('nest_asyncio2')"),
        ("job", "from IPython.display import display"),
        ("emulator.app", "import ipywidgets"),
        ("client", "def f():\n    import pandas as pd"),
    ],
)
def test_the_library_rule_sees_each_library(module: str, source: str) -> None:
    assert rules.libraries_out_of_place(module, source)


def test_nest_asyncio_the_notebook_libraries_and_pandas_are_each_confined() -> None:
    assert broken_by(rules.libraries_out_of_place) == []


@pytest.mark.parametrize(
    "source",
    [
        'url = f"workspaces/{name}/files"',
        'get("/me")',
        'call(f"{base}/upload_sessions/{session_id}")',
        'x = "/files?limit=10"',
    ],
)
def test_the_endpoint_rule_sees_a_path(source: str) -> None:
    assert rules.endpoint_paths("workspace", source)


def test_the_endpoint_rule_lets_docstrings_and_plain_words_pass() -> None:
    assert rules.endpoint_paths("job", '"""GET workspaces/x/files"""\nx = "3 files sent"') == []


def test_endpoint_paths_stand_only_in_the_client_and_the_emulator() -> None:
    assert broken_by(rules.endpoint_paths) == []


def test_the_public_names_are_sorted_and_are_all_there_is() -> None:
    public = {name for name in dir(deepset_nb) if not name.startswith("_")}
    submodules = {module.name for module in pkgutil.iter_modules(deepset_nb.__path__)}

    assert sorted(deepset_nb.__all__) == list(deepset_nb.__all__)
    assert public - submodules == {name for name in deepset_nb.__all__ if not name.startswith("_")}
    for name in deepset_nb.__all__:
        assert getattr(deepset_nb, name) is not None


def test_no_public_name_is_that_of_a_submodule() -> None:
    # A lazily imported function would be shadowed by its module after the first call.
    submodules = {module.name for module in pkgutil.iter_modules(deepset_nb.__path__)}

    assert submodules
    assert submodules & set(deepset_nb.__all__) == set()


def test_every_public_function_and_class_shows_an_example() -> None:
    assert not rules.has_example("Do a thing.\n\nArgs:\n    x: A number.")
    assert rules.has_example("Do a thing.\n\n    Example:\n        job = ws.upload('reports/')\n")
    things = {name: getattr(deepset_nb, name) for name in deepset_nb.__all__}
    silent = [
        name
        for name, thing in things.items()
        if (inspect.isfunction(thing) or inspect.isclass(thing))
        and not (inspect.isclass(thing) and issubclass(thing, Exception))
        and not rules.has_example(thing.__doc__)
    ]

    assert silent == []


def test_importing_the_package_leaves_the_heavy_libraries_alone() -> None:
    code = "import sys, json, deepset_nb; print(json.dumps(sorted(sys.modules)))"
    loaded = {name.partition(".")[0] for name in json.loads(in_new_python(code))}

    heavy = {"pandas", "numpy", "anywidget", "ipywidgets", "IPython", "nest_asyncio", "fastapi", "uvicorn", "lark"}
    assert "deepset_nb" in loaded
    assert loaded & heavy == set()


WATCH_ASYNCIO = """
import asyncio, asyncio.base_events, asyncio.events, asyncio.tasks, asyncio.futures
def now():
    places = [asyncio, asyncio.events, asyncio.tasks, asyncio.futures, asyncio.base_events.BaseEventLoop,
              asyncio.SelectorEventLoop]
    return {(str(place), name): value for place in places for name, value in vars(place).items()}
before = now()
{action}
after = now()
print([key for key in before | after if before.get(key) is not after.get(key)])
"""


@pytest.mark.parametrize(
    ("action", "untouched"),
    [
        ("import deepset_nb", True),
        ("from deepset_nb import bridge; bridge.run(asyncio.sleep, 0)", True),
        ("import nest_asyncio; nest_asyncio.apply(asyncio.new_event_loop())", False),
    ],
)
def test_asyncio_is_as_it_was(action: str, untouched: bool) -> None:
    changed = in_new_python(WATCH_ASYNCIO.replace("{action}", action)).strip()

    assert (changed == "[]") is untouched, changed


def test_importing_the_package_costs_little_more_than_importing_httpx() -> None:
    def cost(module: str) -> float:
        code = f"import time; t = time.process_time(); import {module}; print(time.process_time() - t)"
        return statistics.median(float(in_new_python(code)) for _ in range(3))

    assert cost("deepset_nb") < cost("httpx") + IMPORT_BUDGET_S


def test_no_file_names_a_registry_or_a_home_folder() -> None:
    assert rules.machine_traces("x", "see /" + "home/anna/reports")
    assert rules.machine_traces("x", "https://" + "pypi" + ".org/simple")
    assert rules.machine_traces("x", "{base}/" + "home/page and https://host/" + "work/x") == []
    found = []
    for path in rules.tracked_files():
        try:
            text = (ROOT / path).read_text()
        except UnicodeDecodeError:
            continue  # a picture
        found += rules.machine_traces(str(path), text)

    assert found == []


def test_files_stay_short_enough_to_hold_one_idea() -> None:
    sources = [
        path
        for path in rules.tracked_files()
        if (path.parts[0] == "deepset_nb" and path.suffix == ".py") or path.parts[:2] == ("js", "src")
    ]
    lengths = {str(path): len((ROOT / path).read_text().splitlines()) for path in sources}

    assert lengths
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


def test_the_top_level_holds_only_what_it_may() -> None:
    assert rules.strangers_at_the_top({"deepset_nb", ".ci", "scripts"}) == {"scripts"}
    names = {path.parts[0] for path in rules.tracked_files()}

    assert Path("pyproject.toml").name in names
    assert rules.strangers_at_the_top(names) == set()
