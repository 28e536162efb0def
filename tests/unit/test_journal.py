"""The journal: one file for all kernels, its owner's alone, and no transfer depends on it."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from deepset_nb.models import AWSPrefixedRequestConfig, OpenedSession, WriteMode
from deepset_nb.transfer import journal as module
from deepset_nb.transfer.journal import Journal
from deepset_nb.transfer.journal_records import JobRecord
from deepset_nb.transfer.receipt import Row

SECRET = "signature-" * 4


def record(job: str = "a", target: str = "org/ws") -> JobRecord:
    return JobRecord(job, "upload", target, "ws", "host", "org", "KEEP", 1_800_000_000.0)


def row(name: str, size: int = 3) -> Row:
    return Row(f"docs/{name}", name, name, size, f"/docs/{name}", mtime_ns=5)


def places(*rows: Row) -> list[tuple[Row, tuple[str, str]]]:
    return [(each, (str(each.source), each.stored_name)) for each in rows]


def opened() -> OpenedSession:
    form = AWSPrefixedRequestConfig("http://127.0.0.1/bucket", {"x-amz-signature": SECRET})
    return OpenedSession(uuid4(), "", datetime.now(UTC) + timedelta(days=1), form)


@pytest.fixture
def journal(tmp_path: Path):  # type: ignore[no-untyped-def]
    made = Journal(tmp_path / "state")
    yield made
    made.close()


def test_only_its_owner_may_read_it(journal: Journal) -> None:
    assert stat.S_IMODE(journal.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((journal.folder / "journal.db").stat().st_mode) == 0o600


def test_files_are_remembered_by_place_and_stored_name(journal: Journal) -> None:
    rows = [row("a.txt"), row("b.txt")]
    journal.begin(record(), places(*rows), [])
    rows[0].phase, rows[0].content = "sent", "abc"
    journal.save(rows)

    found = journal.remembered("org/ws", [place for _, place in places(*rows)])
    assert found["/docs/a.txt", "a.txt"].phase == "sent"
    assert found["/docs/a.txt", "a.txt"].content == "abc"
    assert journal.remembered("org/ws", [("/docs/c.txt", "c.txt")]) == {}
    assert journal.remembered("other/ws", [("/docs/a.txt", "a.txt")]) == {}


def test_many_files_are_found_in_one_pass_as_few_are_one_by_one(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row(f"{number}.txt") for number in range(20)]
    journal.begin(record(), places(*rows), [])
    wanted = [place for _, place in places(*rows)][:7]
    singly = journal.remembered("org/ws", wanted)
    monkeypatch.setattr(module, "ONE_BY_ONE", 1)

    assert journal.remembered("org/ws", wanted) == singly
    assert len(singly) == 7


def test_the_version_of_a_target_changes_with_each_transfer_to_it(journal: Journal) -> None:
    before = journal.version("org/ws")
    journal.begin(record("a"), [], [])
    after = journal.version("org/ws")
    journal.begin(record("b", "other/ws"), [], [])

    assert before < after == journal.version("org/ws")


def test_a_form_is_there_while_its_session_is_open_and_leaves_no_trace_in_the_file(journal: Journal) -> None:
    session, file = opened(), journal.folder / "journal.db"
    journal.asked("key", record(), WriteMode.KEEP)
    journal.opened("key", session)
    (left,) = journal.sessions("org/ws")
    assert left.answer() == session
    assert SECRET not in repr(left)
    assert SECRET.encode() in file.read_bytes()
    journal.closed(str(session.session_id))

    assert SECRET.encode() not in file.read_bytes()
    assert journal.sessions("org/ws")[0].answer().aws_prefixed_request_config.fields == {}
    journal.over(str(session.session_id))
    assert journal.sessions("org/ws") == []


def test_a_form_nobody_came_back_for_is_gone_after_two_days(journal: Journal) -> None:
    old = OpenedSession(uuid4(), "", None, opened().aws_prefixed_request_config)
    journal.asked("key", record(), WriteMode.KEEP)
    journal.opened("key", old)
    journal._db.execute("UPDATE sessions SET asked_at = asked_at - ?", (3 * 86_400,))
    journal.close()
    again = Journal(journal.folder)

    assert SECRET.encode() not in (journal.folder / "journal.db").read_bytes()
    again.close()


def test_a_change_that_fails_half_way_is_undone(journal: Journal) -> None:
    with pytest.raises(RuntimeError), journal.exclusively():
        journal.begin(record(), places(row("a.txt")), [])
        raise RuntimeError

    assert journal.jobs() == []
    assert journal.files_of("a") == []


def test_two_threads_and_another_process_write_at_once(journal: Journal) -> None:
    code = (
        "import sys; from pathlib import Path; from deepset_nb.transfer.journal import Journal;"
        "from deepset_nb.transfer.journal_records import JobRecord\n"
        "j = Journal(Path(sys.argv[1]))\n"
        "for n in range(50): j.begin(JobRecord(f'p{n}', 'upload', 't', 'w', 'h', None, 'KEEP', n), [], [])\n"
        "j.close()"
    )
    other = subprocess.Popen([sys.executable, "-W", "error", "-c", code, str(journal.folder)])

    def write(letter: str) -> None:
        for number in range(50):
            journal.begin(record(f"{letter}{number}"), places(row(f"{letter}{number}.txt")), [])

    threads = [threading.Thread(target=write, args=(letter,)) for letter in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert other.wait(60) == 0
    assert len(journal.jobs()) == 150
    assert len({past.key for job in journal.jobs() for past in journal.files_of(job.job)}) == 100


def test_a_newer_version_is_left_alone(journal: Journal) -> None:
    journal._db.execute(f"PRAGMA user_version = {module.VERSION + 1}")

    with pytest.raises(sqlite3.DatabaseError, match="newer version"):
        Journal(journal.folder)
    journal._db.execute(f"PRAGMA user_version = {module.VERSION}")
