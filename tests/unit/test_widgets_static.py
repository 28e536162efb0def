"""What readers without a kernel see; and that a hostile name stays a name."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from deepset_nb.i18n import translator
from deepset_nb.widgets import static_html, static_tables
from tests.unit.widget_page import EXAMPLES, TARGET, job_state

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</td><script>alert(1)</script>",
    '"><a href="x">',
    "a\u202efdp.exe",
    "n" * 10_000,
]


class Reader(HTMLParser):
    """Tags and text of a page, as a browser would see them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.words = ""
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.words += data


def hostile_job(text: str) -> Any:
    failure = {"path": text, "status": "failed", "reason": text, "remedy": text}
    target = {"workspace": text, "host": text, "organisation": text}
    return job_state(headline=text, detail=text, note=text, session_id=text, failures=[failure], target=target)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    row = {**EXAMPLES["SessionRow"], "created_by": text, "status": text, "session_id": text}
    table: Any = {**EXAMPLES["SessionsState"], "rows": [row], "error": None}
    file = {**EXAMPLES["FileRow"], "name": text, "file_id": text}
    files: Any = {**EXAMPLES["FilesState"], "rows": [file], "code": text, "error": {"message": text, "remedy": text}}
    pages = (
        static_html.job_html(hostile_job(text), text),
        static_tables.sessions_html(table),
        static_tables.files_html(files),
    )
    for page in pages:
        seen = Reader(page)

        assert seen.tags <= {"div", "strong", "p", "table", "thead", "tbody", "tr", "th", "td", "bdi", "code", "small"}
        assert seen.attributes <= {"style"}
        assert static_html.visible(text, 100)[:20] in seen.words
        assert "\u202e" not in page
        assert len(page) < 12_000


@pytest.mark.parametrize("text", HOSTILE)
def test_plain_text_has_no_controls_and_bounded_names(text: str) -> None:
    plain = static_html.job_text(hostile_job(text))

    assert "\u202e" not in plain
    assert len(plain) < 6_000
    assert "\n" not in static_html.job_line(hostile_job("a\nb"))


def test_a_job_is_told_whole() -> None:
    state = job_state(failures_total=35)
    for form in (static_html.job_text(state), Reader(static_html.job_html(state)).words):
        for part in (
            "Sending 2 of 3 files",
            "support-docs",
            "Acme",
            "2 of 3 files, 2 kB of 4.1 kB",
            "reports/b.pdf",
            "The file is empty.",
            "Put something into it.",
            "and 34 more in job.receipt",
        ):
            assert part in form


def test_the_html_has_no_colour_of_its_own() -> None:
    page = static_html.job_html(job_state()).replace("background:none", "")

    assert "currentColor" in page
    assert not any(word in page for word in ("#", "rgb(", "background", "white", "black"))


def test_an_empty_table_is_told_from_one_never_fetched() -> None:
    nothing = {"rows": [], "total": 0, "error": None}
    sessions = {**EXAMPLES["SessionsState"], **nothing, "looked_through": None}
    files = {**EXAMPLES["FilesState"], **nothing}

    assert "Upload sessions: 0" in static_tables.sessions_text(sessions)
    assert "Files: 0" in static_tables.files_text(files)
    assert "not fetched yet" in static_tables.sessions_text({**sessions, "updated_at": None})
    assert "not fetched yet" in static_tables.files_text({**files, "updated_at": None})


def test_rows_that_are_left_out_are_counted_below_the_others() -> None:
    example = EXAMPLES["FilesState"]
    files: Any = {**example, "rows": example["rows"][:1] * 50, "total": 260, "code": "ws.list_files(name='<b>')"}

    assert static_tables.files_text(files).splitlines()[-1] == "  and 240 more in ws.list_files(name='<b>')"
    assert "and 240 more in <code>ws.list_files(name=&#x27;&lt;b&gt;&#x27;)</code>" in static_tables.files_html(files)
    assert static_tables.files_html(files).count("<tr") == 1 + 20
    assert "more in" not in static_tables.files_html({**files, "rows": files["rows"][:3], "total": 3})


def test_sizes_stand_right_below_their_head_and_names_left() -> None:
    page = static_tables.files_html(EXAMPLES["FilesState"])
    cells = re.findall(r"<t[hd] style=.([^\"]*)", page)
    columns = [{"text-align:right" in style for style in cells[column::4]} for column in range(4)]

    assert columns == [{False}, {True}, {False}, {False}]


def test_what_the_platform_does_not_count_is_not_counted_here() -> None:
    unknown: Any = {**EXAMPLES["FilesState"], "total": None}

    assert "the platform does not say how many there are" in static_tables.files_text(unknown)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (4096, "4.1 kB"),
        (999_600, "1 MB"),
        (3.41e9, "3.4 GB"),
        (7e15, "7,000 TB"),
    ],
)
def test_sizes_are_decimal(number: float, shown: str) -> None:
    assert static_html.size(number) == shown


def test_a_target_without_an_organisation_reads_well() -> None:
    state = job_state(target={**TARGET, "organisation": None})

    assert "Workspace support-docs at api.cloud.deepset.ai" in static_html.job_text(state)


def test_static_forms_are_in_the_reader_s_language() -> None:
    state: Any = {**EXAMPLES["UploaderState"], "job": None, "files": 2}
    german = translator("de")

    assert "2 Dateien gewählt" in static_html.uploader_text(state, german)
    assert "2 Dateien gewählt" in static_html.uploader_html(state, german)
    assert "2 files chosen" in static_html.uploader_text(state)


@pytest.mark.parametrize("form", [static_tables.sessions_html, static_tables.sessions_text])
def test_a_table_of_sessions_is_german_line_by_line(form: Any) -> None:
    row = {**EXAMPLES["SessionRow"], "status": "OPEN", "created_at": "2026-11-12T14:00:00+00:00", "counts": None}
    now = "2026-11-22T14:00:00+00:00"
    state: Any = {**EXAMPLES["SessionsState"], "rows": [row], "updated_at": now, "total": 1, "looked_through": None}
    said = form(state, translator("de"))

    for words in (
        "Upload-Sitzungen: 1",
        "Workspace support-docs von Acme bei ",
        "Stand 22.11.2026, 14:00 UTC",
        "seit 10 Tagen offen",
        "12.11.2026, 14:00",
    ):
        assert words in said
