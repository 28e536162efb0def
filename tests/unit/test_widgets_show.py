"""Showing a job outside notebooks: nothing in a script, one line in a terminal."""

from __future__ import annotations

import subprocess
import sys

from tests.process import ROOT

JOB = "from tests.unit.widget_page import FakeJob; from deepset_nb.widgets.show import show_job; job = FakeJob()\n"


def output(*command: str) -> str:
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, check=True, capture_output=True, text=True, timeout=60
    ).stdout


def test_a_plain_script_prints_nothing_and_loads_no_widget_library() -> None:
    code = (
        JOB + "view = show_job(job); job.end(); import sys; print('anywidget' in sys.modules, 'IPython' in sys.modules)"
    )

    assert output("-c", code).strip() == "False False"


def test_the_text_form_follows_the_job() -> None:
    code = JOB + "view = show_job(job); job.end(); print(repr(view)); print(list(view.mimebundle()))"
    text = output("-c", code)

    assert text.startswith("All 3 files are on the platform\nWorkspace support-docs")
    assert text.endswith("['text/plain']\n")


def test_a_terminal_gets_one_line_at_the_end() -> None:
    code = JOB + "view = show_job(job); job.publish(headline='on the way'); print('--'); job.end(); job.end()"
    text = output("-m", "IPython", "--colors=NoColor", "--no-banner", "-c", code)

    assert text == "--\nAll 3 files are on the platform (Workspace support-docs of Acme at api.cloud.deepset.ai)\n"
