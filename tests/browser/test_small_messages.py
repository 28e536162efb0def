"""Front ends and gateways that take no message above 1 MB, as Colab does: files still arrive, in small pieces.

What the kernel sends stays below that by itself, also of a screen full of the longest names and metadata.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, WebSocketRoute, expect

from tests.browser.cells import card, expect_tone, job_panel, join
from tests.browser.lab import Lab
from tests.browser.server import JupyterServer

LIMIT_BYTES = 1_000_000
ARRIVES_MS = 90_000  # a lost piece is asked after ten seconds later


class Gateway:
    """Sits between page and kernel. ``mode`` says what a large message meets: pass, drop, or close the connection.

    Attributes:
        refused: How many messages were above the limit and not passed.
        largest: Bytes of the largest message from the kernel.
    """

    def __init__(self) -> None:
        self.mode = "pass"
        self.refused = self.largest = 0

    def route(self, page_side: WebSocketRoute) -> None:
        """Take over one websocket of the page."""
        kernel_side = page_side.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            if self.mode == "pass" or len(message) <= LIMIT_BYTES:
                kernel_side.send(message)
                return
            self.refused += 1
            if self.mode == "close":
                page_side.close(code=1009, reason="message too big")
                kernel_side.close()

        def pass_back(message: str | bytes) -> None:
            self.largest = max(self.largest, len(message))
            if self.mode == "pass" or len(message) <= LIMIT_BYTES:
                page_side.send(message)
            else:
                self.refused += 1

        page_side.on_message(pass_on)
        kernel_side.on_message(pass_back)


@pytest.fixture(scope="module")
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture(scope="module")
def small_lab_page(browser: Browser, jupyter: JupyterServer, gateway: Gateway) -> Iterator[Lab]:
    """JupyterLab behind the gateway."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.route_web_socket(re.compile(r"/api/kernels/.*/channels"), gateway.route)
    lab = Lab(page, jupyter)
    lab.start()
    yield lab
    context.close()


@pytest.fixture
def small_lab(small_lab_page: Lab, gateway: Gateway) -> Iterator[Lab]:
    """The same with no notebook open."""
    gateway.refused = gateway.largest = 0
    yield small_lab_page
    small_lab_page.picture("small-messages")
    gateway.mode = "pass"
    small_lab_page.close_notebooks()


@pytest.mark.parametrize("mode", ["drop", "close"])
def test_a_file_arrives_where_large_messages_are_lost_or_end_the_connection(
    small_lab: Lab, gateway: Gateway, tmp_path: Path, mode: str
) -> None:
    content = bytes(range(256)) * 25_000
    (tmp_path / "large.bin").write_bytes(content)
    small_lab.show(join(f"small-{mode}"), "uploader = ws.uploader(lane='kernel')\nuploader")
    shown = card(small_lab, "Upload files")
    gateway.mode = mode
    shown.locator("input[data-dnb=files]").set_input_files([tmp_path / "large.bin"])
    expect(shown.locator("tbody tr", has_text="Ready")).to_have_count(1, timeout=ARRIVES_MS)

    assert 1 <= gateway.refused <= 3  # it learns from the first, and does not go on trying
    check = "print(uploader.files[0].path.read_bytes() == bytes(range(256)) * 25_000)"
    assert small_lab.run(check).strip() == "True"


MOST_COLUMNS = 8
FULL = """
from deepset_nb import bridge
async def fill():
    async with dn.AsyncClient(ws.settings) as client:
        for number in range(50):
            meta = {f"key{key}": "\U0001f600" * 1000 for key in range(8)}
            await client.files.upload(ws.name, f"{number:03}{'n' * 300}.txt", b"x", meta=meta)
bridge.run(fill)
"""


def test_a_browser_full_of_long_names_and_metadata_is_shown_in_small_messages(small_lab: Lab, gateway: Gateway) -> None:
    gateway.mode = "drop"
    small_lab.show(join("small-full") + FULL, "ws.file_browser()")
    shown = small_lab.page.locator(".jp-OutputArea .dnb-browser").last
    expect(shown.get_by_role("row", name="nnn").first).to_be_visible(timeout=ARRIVES_MS)
    shown.get_by_role("button", name="Columns").click()
    for key in range(MOST_COLUMNS):
        shown.get_by_label(f"key{key}").check()
    expect(shown.locator(".dnb-row").first.get_by_text("\U0001f600")).to_have_count(MOST_COLUMNS, timeout=ARRIVES_MS)

    assert gateway.refused == 0
    assert 100_000 < gateway.largest <= LIMIT_BYTES


def test_a_job_whose_files_of_long_names_all_failed_is_shown_in_small_messages(
    small_lab: Lab, gateway: Gateway
) -> None:
    gateway.mode = "drop"
    small_lab.show(join("small-job"), "job = ws.upload_texts({f'{n:03}' + '\U0001f600' * 200: '' for n in range(200)})")
    panel = job_panel(small_lab)
    expect_tone(panel, "fail")
    panel.get_by_role("button", name="Receipt").click()
    expect(panel.get_by_role("button", name="Next")).to_be_visible(timeout=ARRIVES_MS)

    assert gateway.refused == 0
    assert 20_000 < gateway.largest <= LIMIT_BYTES
