"""What a notebook that was run in JupyterLab shows and holds once it is saved, and exported."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbconvert
import pytest
from playwright.sync_api import Browser, expect

import deepset_nb as dn
from deepset_nb import bridge
from deepset_nb._places import notebooks_folder
from deepset_nb.emulator import Connection
from tests.browser.cells import END_MS, expect_tone, job_panel, join
from tests.browser.lab import Lab

NOTEBOOKS = sorted(path.name for path in notebooks_folder().glob("*.ipynb"))
SECRET_KINDS = {"API key", "presigned field"}
WIDGET_WITH_A_KEY = """import os, json, anywidget, traitlets
class Careless(anywidget.AnyWidget):
    _esm = "export default { render({ el }) { el.className = 'control-careless'; el.textContent = 'shown'; } }"
    key = traitlets.Unicode(json.loads(os.environ["DEEPSET_NB_SANDBOX"])["api_key"]).tag(sync=True)
Careless()"""


@pytest.fixture
def widget_state(lab: Lab) -> Iterator[None]:
    """JupyterLab saves the state of widgets, which it does not unless told."""
    toggle = "@jupyter-widgets/jupyterlab-manager:saveWidgetState"
    lab.command(toggle)
    yield
    lab.command(toggle)


@pytest.fixture(scope="module")
def secrets(sandbox: Connection) -> list[str]:
    """The keys, and of presigned forms what is the same in all of this sandbox."""

    async def form() -> dict[str, str]:
        settings = dn.Workspace(sandbox.workspace, api_key=sandbox.api_key, api_url=sandbox.api_url).settings
        async with dn.AsyncClient(settings) as client:
            session = await client.upload_sessions.create(sandbox.workspace)
            await client.upload_sessions.close(sandbox.workspace, session.session_id)
            return dict(session.aws_prefixed_request_config.fields)

    fields = bridge.run(form)
    account = fields["x-amz-credential"].partition("/")[0]
    return [sandbox.api_key, sandbox.admin_key, fields["x-amz-security-token"], account, fields["policy"][:20]]


@pytest.fixture
def secrets_in(
    secrets: list[str], sandbox: Connection, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Path], list[tuple[str, str]]]:
    """What is in a saved notebook and must not be: by its bytes, and by ``dn.check_notebook``."""
    monkeypatch.setenv("DEEPSET_NB_SANDBOX", json.dumps(dataclasses.asdict(sandbox)))

    def look(path: Path) -> list[tuple[str, str]]:
        content = path.read_text()
        found = dn.check_notebook(path)
        kinds = zip(found["where"], found["kind"], strict=True)
        return [pair for pair in kinds if pair[1] in SECRET_KINDS] + [
            ("bytes", f"secret {number}") for number, secret in enumerate(secrets) if secret in content
        ]

    return look


def states_in(path: Path) -> dict[str, Any]:
    metadata = json.loads(path.read_text())["metadata"]
    states: dict[str, Any] = metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    return states


@pytest.mark.parametrize("name", NOTEBOOKS)
@pytest.mark.usefixtures("widget_state")
def test_no_secret_is_in_a_lesson_saved_with_its_widgets(lab: Lab, name: str, secrets_in: Any) -> None:
    path = lab.open(notebooks_folder() / name)
    lab.run_all()
    panels = lab.page.locator(".jp-OutputArea .dnb-job")
    expect(panels.and_(lab.page.locator(".dnb-tone-active"))).to_have_count(0, timeout=END_MS)
    lab.save()

    assert any("state" in one["state"] for one in states_in(path).values())  # the panels are in the file
    assert secrets_in(path) == []


@pytest.mark.usefixtures("widget_state")
def test_a_secret_in_a_widgets_trait_would_be_seen(lab: Lab, secrets_in: Any) -> None:
    path = lab.open([WIDGET_WITH_A_KEY])
    lab.run_all()
    lab.page.locator(".control-careless").wait_for()
    lab.save()

    assert secrets_in(path) == [("widget state", "API key"), ("bytes", "secret 0")]


@pytest.mark.usefixtures("widget_state")
def test_no_secret_is_saved_with_an_uploader_in_the_middle_of_its_work(
    lab: Lab, tmp_path: Path, secrets_in: Any, fault: Callable[[str], None]
) -> None:
    fault("bandwidth:200000")
    (tmp_path / "large.txt").write_bytes(b"x" * 4_000_000)
    path = lab.open([join("saved-midway"), "uploader = ws.uploader()\nuploader", "ws.dashboard()"])
    lab.run_all()
    shown = lab.page.locator(".jp-OutputArea .dnb-card").first
    shown.locator("input[data-dnb=files]").set_input_files([tmp_path / "large.txt"])
    expect(shown.locator("tbody tr", has_text="Ready")).to_have_count(1, timeout=END_MS)
    shown.get_by_role("button", name="Upload", exact=True).click()
    expect(lab.page.locator(".jp-OutputArea .dnb-job").first).to_contain_text("of 4 MB", timeout=END_MS)
    lab.save()

    assert len(states_in(path)) > 4
    assert secrets_in(path) == []


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_an_export_to_html_shows_the_outcome(
    lab: Lab, browser: Browser, tmp_path: Path, scripts: bool, fault: Callable[[str], None]
) -> None:
    fault("fail:b.txt=FAILED_TO_PARSE_META")
    path = lab.open([join(f"export-{scripts}", a=1000, b=2000), "job = ws.upload(folder)", "ws.session_browser()"])
    lab.run_all()
    expect_tone(job_panel(lab), "fail")
    lab.save()
    exported, _ = nbconvert.HTMLExporter().from_filename(str(path))
    (tmp_path / "export.html").write_text(exported)
    context = browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    page.route("http*://**", lambda route: route.abort())  # a reader without a network
    page.goto((tmp_path / "export.html").as_uri(), wait_until="domcontentloaded")
    lab.picture(f"export-{'with' if scripts else 'without'}-scripts", page.locator("body"))

    expect(page.get_by_text("1 of 2 files did not make it").first).to_be_visible()
    expect(page.get_by_role("cell", name="b.txt").first).to_be_visible()
    expect(page.get_by_text("Upload sessions").first).to_be_visible()
    context.close()
