"""What a cell shows of a job: live with a browser, plain without one, and in the same output its outcome at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.kernel.kernel_driver import Kernel, Message

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
SETUP = """
import threading, time
from deepset_nb.widgets import show
from tests.unit.widget_page import FakeJob, job_state

show.HELLO_WITHIN_S = show.PLAIN_EVERY_S = 0.2

def work(job, steps=20):
    for step in range(steps):
        time.sleep(0.05)
        job.publish(headline=f"Sending {step}")
    job.end()

def start(job, **options):
    thread = threading.Thread(target=work, args=(job,), kwargs=options)
    thread.start()
    return thread
"""
HELLO = {"kind": "hello", "theme": "light", "locale": "en"}
DONE = "All 3 files are on the platform"


@pytest.fixture(autouse=True, scope="module")
def _set_up(kernel: Kernel) -> None:
    assert kernel.run_cell(SETUP).error is None


def outputs(kernel: Kernel, *types: str) -> list[Message]:
    return [message for message in kernel.messages if message["msg_type"] in types]


def updates_of(kernel: Kernel, display: Message) -> list[dict[str, Any]]:
    """Forms the output was given later, in their order."""
    key = display["content"]["transient"]["display_id"]
    found = [message["content"] for message in outputs(kernel, "update_display_data")]
    return [content["data"] for content in found if content["transient"]["display_id"] == key]


def show_a_job(kernel: Kernel) -> Message:
    outcome = kernel.run_cell("job = FakeJob(); job.view = show.show_job(job)")
    assert outcome.error is None
    return outputs(kernel, "display_data")[-1]


def test_the_panel_and_its_plain_forms_come_at_once(kernel: Kernel) -> None:
    data = show_a_job(kernel)["content"]["data"]

    assert data[WIDGET_VIEW]["model_id"]
    assert "Sending 2 of 3 files" in data["text/html"]
    assert "Sending 2 of 3 files" in data["text/plain"]


def test_the_outcome_is_written_into_the_same_output_while_another_cell_runs(kernel: Kernel) -> None:
    display = show_a_job(kernel)
    kernel.run_cell("thread = start(job)")
    other = kernel.run_cell("thread.join(); print('other cell')")

    final = updates_of(kernel, display)[-1]
    assert DONE in final["text/html"]
    assert DONE in final["text/plain"]
    assert WIDGET_VIEW in final
    assert other.text == "other cell"


def test_without_a_hello_the_plain_form_is_kept_up_to_date_and_says_why(kernel: Kernel) -> None:
    display = show_a_job(kernel)
    kernel.run_cell("start(job).join()")

    *between, final = updates_of(kernel, display)
    assert between
    assert len(between) < 10
    assert all("no browser answered" in data["text/html"] and WIDGET_VIEW in data for data in between)
    assert "no browser answered" not in final["text/html"]


def test_with_a_hello_the_output_is_left_alone_until_the_end(kernel: Kernel) -> None:
    display = show_a_job(kernel)
    kernel.send_comm(display["content"]["data"][WIDGET_VIEW]["model_id"], HELLO)
    kernel.run_cell("assert job.view.panel.greeted.wait(10)")
    kernel.run_cell("start(job).join()")

    assert [DONE in data["text/html"] for data in updates_of(kernel, display)] == [True]


def test_a_cell_that_ends_with_the_job_shows_one_panel(kernel: Kernel) -> None:
    [cell] = kernel.queue_cells("job = FakeJob(); view = show.show_job(job); view")
    kernel.finish(cell)
    shown = [WIDGET_VIEW in one["content"]["data"] for one in cell.messages("display_data", "execute_result")]
    assert shown == [True, False]

    [later] = kernel.queue_cells("view")
    kernel.finish(later)
    assert [WIDGET_VIEW in one["content"]["data"] for one in later.messages("execute_result")] == [True]


def test_a_job_that_is_waited_for_is_published_from_the_main_thread_on_behalf_of_that_cell(kernel: Kernel) -> None:
    kernel.run_cell(
        "from deepset_nb.job import UploadJob\n"
        "from tests.unit.test_job_news import Steps\n"
        "job = UploadJob(Steps(6), show.show_job)\n"
        "seen = []\n"
        "job.view.panel.observe(lambda change: seen.append(threading.current_thread().name), 'state')"
    )
    model = outputs(kernel, "display_data")[-1]["content"]["data"][WIDGET_VIEW]["model_id"]
    [cell] = kernel.queue_cells("del seen[:]; job.wait(); print(set(seen), len(seen) > 2)")
    [waited] = kernel.finish(cell)

    assert waited.text.startswith("{'MainThread'} True")
    states = [message["content"] for message in cell.messages("comm_msg")]
    assert any(state["comm_id"] == model for state in states)


def test_with_a_browser_a_wait_does_not_draw_the_output_once_more(kernel: Kernel) -> None:
    kernel.run_cell("job = UploadJob(Steps(2), show.show_job)")
    display = outputs(kernel, "display_data")[-1]
    kernel.send_comm(display["content"]["data"][WIDGET_VIEW]["model_id"], HELLO)
    kernel.run_cell("assert job.view.panel.greeted.wait(10); job.wait(); job.wait()")

    assert len(updates_of(kernel, display)) == 1


def test_a_retry_in_the_panel_updates_the_same_output(kernel: Kernel) -> None:
    display = show_a_job(kernel)
    kernel.run_cell("job.end(status='failed', can_retry=True, headline='1 of 3 files did not make it')")
    kernel.send_comm(
        display["content"]["data"][WIDGET_VIEW]["model_id"],
        {"kind": "request", "id": "a" * 32, "action": "retry", "payload": {}},
    )
    kernel.run_cell("while not job.retries: time.sleep(0.01)\ntime.sleep(0.1); job.retries[0].end()")

    texts = [data["text/plain"] for data in updates_of(kernel, display)]
    assert "1 of 3 files did not make it" in texts[0]
    assert DONE in texts[-1]


def test_without_display_nothing_is_shown(kernel: Kernel) -> None:
    before = len(outputs(kernel, "display_data"))
    kernel.run_cell("view = show.show_job(FakeJob(), display=False)")

    assert len(outputs(kernel, "display_data")) == before


def test_what_a_widget_needs_is_imported_before_the_first_one_is_asked_for(new_kernel: Callable[..., Kernel]) -> None:
    kernel = new_kernel()
    cell = "import sys, time, deepset_nb as dn\nassert 'anywidget' not in sys.modules\nws = dn.sandbox()"
    assert kernel.run_cell(cell).error is None
    cell = "end = time.time() + 60\nneeded = 'deepset_nb.widgets.file_browser'\n"
    cell += "while needed not in sys.modules and time.time() < end: time.sleep(0.05)\nprint(needed in sys.modules)"

    assert kernel.run_cell(cell).text.strip().endswith("True")


def test_what_ipython_makes_for_its_first_output_is_made_with_the_workspace(new_kernel: Callable[..., Kernel]) -> None:
    kernel = new_kernel()
    made = "print(get_ipython().display_formatter.trait_has_value('formatters'))"

    assert kernel.run_cell(f"import deepset_nb as dn\n{made}").text.strip() == "False"
    assert kernel.run_cell(f"ws = dn.sandbox()\n{made}").text.strip() == "True"
