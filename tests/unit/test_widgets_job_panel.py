"""The job panel: follows a job, answers its buttons, keeps secrets out of what is saved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import comm
import pytest

from deepset_nb.errors import StillRunning
from deepset_nb.widgets.job_panel import JobPanel
from tests.unit.widget_page import FakeJob, Page, eventually, job_state


@pytest.fixture
def job() -> FakeJob:
    return FakeJob()


@pytest.fixture
def panel(job: FakeJob, monkeypatch: pytest.MonkeyPatch) -> Iterator[JobPanel]:
    monkeypatch.setattr(comm, "create_comm", Page)
    panel = JobPanel(job)
    yield panel
    panel.close()


def test_it_shows_the_job_as_it_is_and_follows_it(job: FakeJob, panel: JobPanel) -> None:
    assert panel.state == job.state()
    job.publish(headline="Sending 3 of 3 files")

    assert panel.state["headline"] == "Sending 3 of 3 files"
    assert panel.comm.states()[-1]["headline"] == "Sending 3 of 3 files"


def test_cancel_reaches_the_job_and_is_answered(job: FakeJob, panel: JobPanel) -> None:
    assert panel.comm.ask("cancel")["ok"] is True
    assert job.cancels == 1


def test_retry_follows_the_new_job(job: FakeJob, panel: JobPanel) -> None:
    job.end(status="failed", can_retry=True)
    assert panel.comm.ask("retry")["ok"] is True

    assert panel.job is job.retries[0]
    assert panel.state["headline"] == "Once more"
    assert job.subscribers == []


def test_a_refused_retry_is_answered_with_the_reason(job: FakeJob, panel: JobPanel, monkeypatch: Any) -> None:
    def refuse() -> FakeJob:
        raise StillRunning("Job 1 is still running.", "Wait for it.")

    monkeypatch.setattr(job, "retry", refuse)
    answer = panel.comm.ask("retry")

    assert answer["error"] == {"message": "Job 1 is still running.", "remedy": "Wait for it."}
    assert panel.job is job


def test_two_panels_show_the_same(job: FakeJob, panel: JobPanel) -> None:
    other = JobPanel(job)
    job.publish(headline="Both")

    assert panel.state == other.state
    other.close()
    job.publish(headline="One")
    assert panel.state["headline"] == "One"


def test_a_closed_panel_takes_no_more_news(job: FakeJob, panel: JobPanel) -> None:
    panel.close()
    job.publish(headline="Later")

    assert job.subscribers == []
    assert panel.state["headline"] != "Later"
    assert job.cancels == 0


def test_its_static_forms_show_the_present(job: FakeJob, panel: JobPanel) -> None:
    job.end()

    bundle = panel.mimebundle()
    assert "All 3 files are on the platform" in bundle["text/html"]
    assert "All 3 files are on the platform" in bundle["text/plain"]
    assert "All 3 files" in repr(panel)
    assert len(repr(panel)) < 200


def test_its_synced_traits_are_the_state_and_what_ipywidgets_needs(panel: JobPanel) -> None:
    own = {name for name in panel.get_state() if not name.startswith("_")}

    assert own == {"layout", "tabbable", "tooltip", "state"}


def test_a_trait_may_be_observed_from_python(job: FakeJob, panel: JobPanel) -> None:
    seen: list[str] = []
    panel.observe(lambda change: seen.append(change["new"]["headline"]), "state")
    job.publish(headline="A")
    job.end()

    assert eventually(lambda: seen) == ["A", "All 3 files are on the platform"]


def test_it_starts_from_an_ended_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comm, "create_comm", Page)
    panel = JobPanel(FakeJob(job_state(status="failed")))

    assert panel.state["status"] == "failed"
    panel.close()
