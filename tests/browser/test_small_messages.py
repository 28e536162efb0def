"""Front ends and gateways that take no message above 1 MB, as Colab does: files still arrive, in small pieces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, WebSocketRoute, expect

from tests.browser.cells import card, join
from tests.browser.lab import Lab
from tests.browser.server import JupyterServer

LIMIT_BYTES = 1_000_000
ARRIVES_MS = 90_000  # a lost piece is asked after ten seconds later


class Gateway:
    """Sits between page and kernel. ``mode`` says what a large message meets: pass, drop, or close the connection.

    Attributes:
        refused: How many messages were above the limit and not passed.
    """

    def __init__(self) -> None:
        self.mode = "pass"
        self.refused = 0

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

        page_side.on_message(pass_on)


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
    gateway.refused = 0
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
