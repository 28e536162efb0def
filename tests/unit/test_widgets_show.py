"""Showing a job outside notebooks: nothing in a script, one line in a terminal."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys

from deepset_nb.widgets.show import HELLO_WITHIN_S, NO_HELLO, TERMINAL
from tests.process import ROOT

WHERE = "Workspace support-docs of Acme at api.cloud.deepset.ai"

JOB = "from tests.unit.widget_page import FakeJob; from deepset_nb.widgets.show import show_job; job = FakeJob()\n"


def output(*command: str) -> str:
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, check=True, capture_output=True, text=True, timeout=60
    ).stdout


def test_a_browser_has_two_seconds_to_say_hello_and_the_plain_form_says_so() -> None:
    assert (HELLO_WITHIN_S, "within 2 s" in NO_HELLO) == (2.0, True)


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


def test_ipython_in_a_pipe_says_its_mode_then_a_line_a_phase_and_the_end() -> None:
    code = JOB + (
        "view = show_job(job); print('--');"
        "[job.publish(headline=f'Sending {n} of 3 files') for n in range(3)];"
        "job.publish(headline='The platform is ingesting: 1 of 3 files');"
        "job.end(); job.end()"
    )
    text = output("-m", "IPython", "--colors=NoColor", "--no-banner", "-c", code)
    before, after = text.split("--\n")

    assert before == f"Sending 2 of 3 files ({WHERE})\n{TERMINAL}\n"
    assert [line.partition(" · ")[0] for line in after.splitlines()] == [
        "Sending 0 of 3 files",
        "The platform is ingesting: 1 of 3 files",
        f"All 3 files are on the platform ({WHERE})",
    ]


def test_files_that_failed_are_named_in_the_terminal() -> None:
    code = JOB + "view = show_job(job); print('--'); job.now['failures'] and job.publish(status='failed')"
    text = output("-m", "IPython", "--colors=NoColor", "--no-banner", "-c", code)

    assert "reports/b.pdf: The file is empty. Put something into it." in text.split("--\n")[1]


def test_states_from_other_threads_do_not_disturb_who_types() -> None:
    code = JOB + (
        "view = show_job(job); print('--');"
        "import threading; t = threading.Thread(target=lambda: job.publish(headline='Sending 9')); t.start(); t.join()"
    )
    text = output("-m", "IPython", "--colors=NoColor", "--no-banner", "-c", code)

    assert text.endswith("--\n")


def test_a_terminal_draws_progress_on_one_line() -> None:
    code = JOB + (
        "view = show_job(job); print('--');"
        "[job.publish(headline=f'Sending {n} of 3 files') for n in range(3)]; job.end()"
    )
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "IPython", "--colors=NoColor", "--no-banner", "-c", code]
    with subprocess.Popen(command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        written = b""
        with contextlib.suppress(OSError):  # how Linux tells that the other end is closed
            while piece := os.read(ours, 65536):
                written += piece
        process.wait(timeout=60)
    os.close(ours)
    drawn = written.decode().split("--\r\n")[1]

    lines = [line.partition("\r\n")[0] for line in drawn.split("\r\x1b[K")[1:]]
    assert [line.partition(" · ")[0] for line in lines] == [
        "Sending 0 of 3 files",
        "Sending 1 of 3 files",
        "Sending 2 of 3 files",
        f"All 3 files are on the platform ({WHERE})",
    ]
