"""A long listing says how far it is, in the cell that waits for it, and takes the line away at the end."""

from __future__ import annotations

from tests.kernel.kernel_driver import Kernel

SETUP = """
import deepset_nb as dn
from deepset_nb import listing_line
ws = dn.sandbox(files=350)
"""


def lines(kernel: Kernel, cell: str) -> list[str]:
    before = len(kernel.messages)
    assert kernel.run_cell(cell, timeout=60).error is None
    kinds = ("display_data", "update_display_data")
    said = [message for message in kernel.messages[before:] if message["msg_type"] in kinds]
    return [message["content"]["data"].get("text/plain", "") for message in said]


def test_a_long_listing_says_how_far_it_is_and_a_short_one_nothing(kernel: Kernel) -> None:
    kernel.run_cell(SETUP, timeout=60)
    assert lines(kernel, "frame = ws.list_files()") == []

    said = lines(kernel, "listing_line.SHOWN_AFTER_S = listing_line.EVERY_S = 0\nframe = ws.list_files()")
    assert said[0].startswith("Listing files: 100 of ")
    assert said[-1] == ""
    assert len(said) > 3


def test_the_line_says_what_is_filtered_here_and_sessions_have_one_too(kernel: Kernel) -> None:
    kernel.run_cell(f"{SETUP}listing_line.SHOWN_AFTER_S = listing_line.EVERY_S = 0", timeout=60)
    [line, *_] = lines(kernel, "ws.list_files(created_before='2000-01-01')")
    assert line.startswith("Listing files: 100 of ")
    assert line.endswith(". Filtered here, not by the platform: created_before.")
    said = lines(kernel, "ws.list_upload_sessions(status='OPEN')")
    assert said == ["Listing upload sessions: 1. Filtered here, not by the platform: status.", ""]
