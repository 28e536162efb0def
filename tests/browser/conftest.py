"""One sandbox, one Jupyter server, one browser and one JupyterLab page for the whole group."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from deepset_nb.emulator import Connection, SandboxConfig, SandboxServer
from tests.browser.lab import FAILED, SHOTS, Lab
from tests.browser.scenes import Faults, Stage
from tests.browser.server import JupyterServer
from tests.tools import find_chromium

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",  # CI is root in a container
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's chromium: the one Playwright would download is not there."""
    if (chromium := find_chromium()) is None:
        pytest.exit("no browser: install chromium, or put its path into $CHROMIUM", returncode=1)
    return {**browser_type_launch_args, "executable_path": chromium, "args": CHROMIUM_ARGUMENTS}


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Connection]:
    """A local platform that every kernel of these tests joins."""
    server = SandboxServer(SandboxConfig())
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def fault(sandbox: Connection) -> Iterator[Callable[[str], None]]:
    """Makes the sandbox misbehave, ``fault("latency:300ms")``, until the test is over."""
    with Faults(sandbox) as faults:
        yield faults.add


@pytest.fixture(scope="session")
def jupyter(sandbox: Connection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """The Jupyter server; its kernels find the sandbox in their environment."""
    joined = json.dumps(dataclasses.asdict(sandbox))
    with JupyterServer(tmp_path_factory.mktemp("jupyter"), {"DEEPSET_NB_SANDBOX": joined}) as server:
        yield server


@pytest.fixture(scope="session")
def lab_page(browser: Browser, jupyter: JupyterServer) -> Iterator[Lab]:
    """The one JupyterLab page. Ask for ``lab``, which leaves it clean."""
    for picture in SHOTS.glob("failed-*.png"):
        picture.unlink()  # of an earlier run
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(30_000)
    lab = Lab(context.new_page(), jupyter)
    lab.start()
    yield lab
    context.close()


@pytest.fixture
def lab(lab_page: Lab, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """JupyterLab with no notebook open and the light theme; a failed test leaves a picture of its end."""
    yield lab_page
    if request.node.stash.get(FAILED, False):
        lab_page.picture(f"failed-{request.node.name}")
    lab_page.close_notebooks()
    if lab_page.page.locator("body").get_attribute("data-jp-theme-light") != "true":
        lab_page.set_theme("light")


@pytest.fixture(scope="module")
def stage(lab_page: Lab, sandbox: Connection) -> Iterator[Stage]:
    """A notebook for the scenes of a whole module: they stay in it, one below the other."""
    with Faults(sandbox) as faults:
        lab_page.open(["import deepset_nb as dn"])
        lab_page.run_all()
        yield Stage(lab_page, faults)
    lab_page.close_notebooks()
    lab_page.set_theme("light")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report
