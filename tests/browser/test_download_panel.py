"""A download's panel as a user sees it: live, in a download's words, true at its end and in the saved notebook."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.cells import expect_tone, job_panel, join
from tests.browser.checks import Checks
from tests.browser.lab import THEMES, Lab, Theme

FILLED = """ws.upload(folder, show=False).wait()
files = ws.list_files()
files = files[files["name"].isin(["a.txt", "b.txt", "c.txt"])].copy()"""


@pytest.mark.parametrize("theme", THEMES)
def test_a_download_is_followed_to_its_true_end_in_both_themes(
    lab: Lab, theme: Theme, fault: Callable[[str], None]
) -> None:
    lab.set_theme(theme)
    # The second file is listed with a size it does not have, as if it had been replaced since.
    wrong = "files['size'] = files['size'].where(files['name'] != 'b.txt', 5)"
    path = lab.open(
        [
            join(f"download-{theme}", a=1000, b=2000, c=300_000),
            FILLED,
            "ws.download('got', name='a.txt', show=False).wait()",
            wrong,
            "job = ws.download('got', files=files)",
        ]
    )
    lab.run_all()
    panel = job_panel(lab)
    expect_tone(panel, "fail")

    expect(panel).to_have_attribute("aria-label", "Download")
    expect(panel).to_contain_text("1 of 3 files could not be fetched, 1 was there already")
    expect(panel).to_contain_text("The platform sends 2,000 bytes of a file that it lists with 5.")
    expect(panel.get_by_role("button", name="Retry 1 file")).to_be_visible()
    lab.picture(f"download-{theme}", panel)
    assert Checks(panel).axe() == []
    assert json.loads(lab.run("print(job.receipt.set_index('name')['status'].to_json())")) == {
        "a.txt": "skipped",
        "b.txt": "failed",
        "c.txt": "ok",
    }
    lab.save()
    outputs = json.loads(path.read_text())["cells"][4]["outputs"]
    html = "".join(part for output in outputs for part in output.get("data", {}).get("text/html", ""))
    assert "could not be fetched" in html
    assert str(path.parent) not in path.read_text()
