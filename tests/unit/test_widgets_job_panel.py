"""The job panel: follows a job, answers its buttons, keeps secrets out of what is saved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import comm
import pytest

from deepset_nb.errors import StillRunning
from deepset_nb.i18n import Translator
from deepset_nb.widgets.job_panel import JobPanel
from tests.unit.widget_page import EXAMPLES, FakeJob, Page, eventually, job_state


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
    assert panel.comm.ask("cancel", {"ingest": "later"})["ok"] is True
    assert panel.comm.ask("cancel", {"ingest": "keep"})["ok"] is True
    assert job.endings == [(), ("keep",)]

    assert panel.comm.ask("cancel", {"ingest": "remove"})["ok"] is False
    assert job.cancels == 2


def test_retry_follows_the_new_job(job: FakeJob, panel: JobPanel) -> None:
    job.end(status="failed", can_retry=True)
    assert panel.comm.ask("retry")["ok"] is True

    assert panel.job is job.retries[0]
    assert panel.state["headline"] == "Once more"
    assert job.subscribers == []


def test_what_showed_the_job_shows_the_one_tried_again(job: FakeJob, panel: JobPanel) -> None:
    job.view = object()
    job.end(status="failed", can_retry=True)
    panel.comm.ask("retry")

    assert job.retries[0].view is job.view


def test_a_refused_retry_is_answered_with_the_reason(job: FakeJob, panel: JobPanel, monkeypatch: Any) -> None:
    def refuse(*, show: bool) -> FakeJob:
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

    assert own == {"layout", "tabbable", "tooltip", "state", "key"}


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


def row(path: str, status: str = "ok") -> dict[str, Any]:
    return {**EXAMPLES["ReceiptRow"], "path": path, "status": status}


def test_the_receipt_comes_in_pages_and_never_with_the_state(job: FakeJob, panel: JobPanel) -> None:
    job.rows = [row(f"f{number}.txt", "failed" if number % 10 == 0 else "ok") for number in range(100)]
    answer = panel.comm.ask("receipt", {"status": "failed", "offset": 2, "limit": 3})["result"]

    assert [one["path"] for one in answer["rows"]] == ["f20.txt", "f30.txt", "f40.txt"]
    assert (answer["total"], answer["counts"]["ok"]) == (10, 90)
    assert answer["code"] == f'dn.receipt("{job.job_id[:12]}")'
    assert "f20.txt" not in str(panel.state)
    assert panel.comm.ask("receipt", {"status": "failed"})["ok"] is False


def test_the_code_of_the_job_comes_when_it_is_asked_for_and_never_with_the_state(panel: JobPanel) -> None:
    assert panel.comm.ask("job_code")["result"] == EXAMPLES["JobCodeResult"]
    assert "ws.upload" not in str(panel.get_state())
    assert "ws.upload" not in str(panel.mimebundle())


def test_both_parts_of_a_job_can_be_fetched(panel: JobPanel) -> None:
    for name in ("cancel_choice", "receipt_table"):
        assert panel.comm.ask("part", {"name": name})["result"]["code"].startswith("export default (host) =>")


def test_its_sentences_are_those_of_the_readers_language(
    job: FakeJob, panel: JobPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages: Any = {
        "Sending {done} of {total} {files}": "{done} von {total} {files} gesendet",
        "files": "Dateien",
        "The file is empty.": "Die Datei ist leer.",
        "Took {time}": "Dauer {time}",
    }
    german = Translator("de", messages, {})
    monkeypatch.setattr("deepset_nb.widgets._base.translator", lambda locale: german)
    panel.comm.browser_sends({**EXAMPLES["Hello"], "locale": "de-DE"})
    assert eventually(lambda: panel.state["headline"] == "2 von 3 Dateien gesendet")
    assert panel.state["failures"][0]["reason"] == "Die Datei ist leer."

    job.publish(headline="Sending 3 of 3 files")
    assert panel.state["headline"] == "3 von 3 Dateien gesendet"
    job.end(headline="Sending 3 of 3 files")
    bundle = panel.mimebundle()
    assert "3 von 3 Dateien gesendet" in bundle["text/html"]
    assert "Dauer 0:04" in bundle["text/html"]
    assert "Dauer 0:04" in bundle["text/plain"]


def test_an_ended_job_shows_its_first_files_in_the_static_form(job: FakeJob, panel: JobPanel) -> None:
    job.rows = [row(f"f{number}.txt") for number in range(30)]
    assert "f0.txt" not in panel.static_html()
    job.publish(counts={**job.now["counts"], "total": 30})
    job.end()
    page = panel.static_html()

    assert "f0.txt" in page
    assert "f19.txt" in page
    assert "f20.txt" not in page
    assert "and 10 more in <code>job.receipt</code>" in page
