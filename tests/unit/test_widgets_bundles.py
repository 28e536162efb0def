"""The build hook: bundles and texts are rebuilt when a source has changed, only then; node comes along if it must."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from deepset_nb._places import static_folder
from tests.process import ROOT


@pytest.fixture
def hook(tmp_path: Path) -> ModuleType:
    """The hook in a copy of js/ whose bundles are built."""
    js, static = tmp_path / "js", tmp_path / "deepset_nb" / "static"
    (js / "src").mkdir(parents=True)
    static.mkdir(parents=True)
    for name in ("package.json", "package-lock.json", "build.mjs", "hatch_build.py"):
        shutil.copy(ROOT / "js" / name, js / name)
    (js / "src" / "a.ts").write_text("export const a = 1;\n")
    spec = importlib.util.spec_from_file_location("hook_under_test", js / "hatch_build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in module.WIDGETS:
        for kind in ("js", "css"):
            (static / f"{name}.{kind}").write_text("built\n")
    module.HASH.write_text(module.source_hash())
    return module


def dependencies(hook: ModuleType) -> list[str]:
    made: Any = hook.BundleHook.__new__(hook.BundleHook)
    found: list[str] = made.dependencies()
    return found


def test_bundles_of_the_same_sources_are_kept_whatever_their_times(hook: ModuleType) -> None:
    for path in [*hook.JS.rglob("*"), *hook.STATIC.rglob("*")]:
        os.utime(path, (0, 0) if path.is_relative_to(hook.STATIC) else None)

    assert hook.ensure_bundles() is False


@pytest.mark.parametrize("change", ["src/a.ts", "src/new.css", "package-lock.json", "build.mjs"])
def test_a_changed_source_makes_them_stale(hook: ModuleType, change: str) -> None:
    with (hook.JS / change).open("a") as source:
        source.write("\n/* more */\n")

    assert not hook.is_current()


def test_a_missing_bundle_or_hash_makes_them_stale(hook: ModuleType) -> None:
    (hook.STATIC / "uploader.css").unlink()
    assert not hook.is_current()
    (hook.STATIC / "uploader.css").write_text("")
    assert hook.is_current()
    hook.HASH.unlink()
    assert not hook.is_current()


def test_a_clone_with_other_line_ends_is_the_same_source(hook: ModuleType) -> None:
    (hook.JS / "src" / "a.ts").write_bytes(b"export const a = 1;\r\n")

    assert hook.is_current()


def test_node_and_babel_are_asked_for_only_if_there_is_something_to_build(
    hook: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert dependencies(hook) == []
    (hook.JS / "src" / "a.ts").write_text("changed")
    assert dependencies(hook) == [hook.BABEL, hook.NODE_WHEEL]
    monkeypatch.setattr(shutil, "which", lambda name: f"/somewhere/{name}")
    assert dependencies(hook) == [hook.BABEL]


def test_a_failing_npm_is_told_in_a_few_lines(
    hook: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    npm = tmp_path / "npm"
    npm.write_text(
        "#!/bin/sh\nfor n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do echo line $n; done; exit 1\n"
    )
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    (hook.JS / "src" / "a.ts").write_text("changed")

    with pytest.raises(hook.BuildError, match="could not be built") as caught:
        hook.ensure_bundles()
    assert "line 20" in str(caught.value)
    assert len(str(caught.value).splitlines()) < 20
    assert not hook.is_current()


CATALOGUE = """
msgid ""
msgstr "Plural-Forms: nplurals=2; plural=(n != 1);\\n"

#: deepset_nb/a.py js/src/a.ts
#, engine
msgid "File"
msgstr "Datei"

#: js/src/a.ts
msgid "{count} file"
msgid_plural "{count} files"
msgstr[0] "{count} Datei"
msgstr[1] "{count} Dateien"

#: deepset_nb/a.py
msgid "Not done yet"
msgstr ""

#: deepset_nb/a.py
msgid "{count} page"
msgid_plural "{count} pages"
msgstr[0] "{count} Seite"
msgstr[1] ""

#: deepset_nb/a.py
#, fuzzy
msgid "Changed since"
msgstr "Veraltet"
"""


@pytest.fixture
def german(hook: ModuleType) -> Path:
    """A catalogue in the copy, built."""
    hook.CATALOGUES.mkdir()
    path: Path = hook.CATALOGUES / "de.po"
    path.write_text(CATALOGUE)
    hook.build_catalogues()
    hook.HASH.write_text(hook.source_hash())
    return path


def test_a_catalogue_is_built_for_each_side_with_what_is_translated(hook: ModuleType, german: Path) -> None:
    built = json.loads((hook.STATIC / "locale" / "de.json").read_text())

    assert built == {
        "python": {"File": "Datei"},
        "engine": {"File": "Datei"},
        "javascript": {"File": "Datei", "{count} file": {"one": "{count} Datei", "other": "{count} Dateien"}},
    }


def test_a_changed_or_unbuilt_catalogue_makes_the_bundles_stale(hook: ModuleType, german: Path) -> None:
    assert hook.is_current()
    german.write_text(CATALOGUE.replace("Datei", "Akte"))
    assert not hook.is_current()
    german.write_text(CATALOGUE)
    (hook.STATIC / "locale" / "de.json").unlink()
    assert not hook.is_current()


@pytest.mark.parametrize(
    "broken", [b'msgid "no end', b'msgid "a"\nmsgstr "b"\nwhat is this\n', b'msgid "a"\nmsgstr "\xff"\n']
)
def test_a_broken_catalogue_ends_the_build_and_is_named(hook: ModuleType, german: Path, broken: bytes) -> None:
    german.write_bytes(broken)

    with pytest.raises(hook.BuildError, match=r"^de\.po is no catalogue"):
        hook.build_catalogues()


def test_no_bundle_is_over_forty_thousand_bytes() -> None:
    sizes = {path.name: path.stat().st_size for path in static_folder().rglob("*") if path.suffix in (".js", ".css")}

    assert len(sizes) > 8
    assert {name: size for name, size in sizes.items() if size > 40_000} == {}


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((ROOT / "js" / "package-lock.json").read_text())

    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
    assert all("integrity" in package for name, package in lock["packages"].items() if name)
