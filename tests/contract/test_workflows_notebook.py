"""The plain functions in cells of a real kernel, whose event loop runs all the time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import deepset_nb as dn
from tests.clients.account import account
from tests.kernel.kernel_driver import Kernel


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    started = Kernel(tmp_path_factory.mktemp("kernel")).start()
    yield started
    started.shutdown()
    started.close()


@pytest.fixture
def notebook(kernel: Kernel, ws: dn.Workspace, folder: Path) -> Kernel:
    setup = (
        "from pathlib import Path\nfrom deepset_nb.workflows.sync_client.files import *\n"
        "from deepset_nb.workflows.async_client import files as async_files\n"
        f"account, folder = {account(ws)!r}, Path({str(folder)!r})"
    )
    assert kernel.run_cell(setup).error is None
    return kernel


def displays(notebook: Kernel, since: int) -> list[set[str]]:
    return [set(m["content"]["data"]) for m in notebook.messages[since:] if m["msg_type"] == "display_data"]


@pytest.mark.parametrize(
    "cell", ["print(upload([folder], **account))", "print(await async_files.upload([folder], **account))"]
)
def test_an_upload_blocks_its_cell_shows_one_panel_and_gives_the_summary(notebook: Kernel, cell: str) -> None:
    since = len(notebook.messages)
    outcome = notebook.run_cell(cell)

    assert outcome.error is None
    assert "successful_upload_count=5" in outcome.text
    assert len(displays(notebook, since)) == 1
    assert "application/vnd.jupyter.widget-view+json" in displays(notebook, since)[0]


def test_without_progress_nothing_is_shown(notebook: Kernel) -> None:
    since = len(notebook.messages)
    outcome = notebook.run_cell("print(upload([folder], show_progress=False, **account).total_files)")

    assert (outcome.text, outcome.error, displays(notebook, since)) == ("5", None, [])


def test_a_download_shows_its_panel_too(notebook: Kernel) -> None:
    notebook.run_cell("upload([folder], show_progress=False, **account)")
    since = len(notebook.messages)
    outcome = notebook.run_cell("print(len(download(file_dir=folder / 'got', **account)))")

    assert outcome.error is None
    assert outcome.text.endswith("5")
    assert len(displays(notebook, since)) == 1


def test_a_listing_broken_off_leaves_nothing_running(notebook: Kernel) -> None:
    notebook.run_cell("upload([folder], show_progress=False, **account)")
    outcome = notebook.run_cell(
        "for page in list_files(batch_size=1, **account): break\n"
        "from deepset_nb import bridge\nprint(len(page), len(bridge._running()))"
    )

    assert (outcome.text, outcome.error) == ("1 0", None)
