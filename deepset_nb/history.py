"""Jobs past and running: those of this kernel, and what the journal tells of all others."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from . import frames
from .errors import InputError
from .job import Job, kernel_jobs
from .transfer.journal import Journal
from .transfer.journal_records import JobRecord, Past
from .transfer.record import UNUSABLE, is_alive, open_journal

if TYPE_CHECKING:
    import pandas as pd

GO_ON = "Run the same upload again: it goes on from here."


def jobs() -> pd.DataFrame:
    """Uploads and downloads, past and running, of this kernel and others, newest first.

    Example:
        >>> import deepset_nb as dn
        >>> dn.jobs().query("status == 'interrupted'")  # doctest: +SKIP

    Returns:
        Columns ``job_id kind status workspace host organisation`` (string), ``started_at ended_at`` (datetime64[us,
        UTC]), ``files ok failed skipped unaccounted cancelled`` (Int64), ``headline`` (string). ``status`` is running,
        done, failed, cancelled, or interrupted: its kernel ended before it did, and the same upload, run again, goes
        on from there.
    """
    records = {record.job: record for record in _past()}
    for job in kernel_jobs():
        records[job.job_id] = _record(job)
    newest_first = sorted(records.values(), key=lambda record: record.started_at, reverse=True)
    return frames.jobs(newest_first)


def receipt(job_id: str) -> pd.DataFrame:
    """The receipt of any job that `jobs` lists, also after its kernel has ended.

    Example:
        >>> dn.receipt(dn.jobs()["job_id"][0])  # doctest: +SKIP

    Args:
        job_id: As `jobs` lists it; its beginning is enough.

    Returns:
        The columns of ``job.receipt``. Of a job of another kernel: the files that no later upload has taken over.

    Raises:
        InputError: There is no such job, or more than one.
    """
    here = {job.job_id: job for job in kernel_jobs()}
    known = {record.job: record for record in _past()}
    fitting = [each for each in {*here, *known} if each.startswith(job_id)] if job_id else []
    if len(fitting) != 1:
        how_many = f"There are {len(fitting)} jobs" if fitting else "There is no job"
        raise InputError(f"{how_many} whose id begins with {job_id!r}.", "Copy an id from dn.jobs().")
    if fitting[0] in here:
        return here[fitting[0]].receipt
    journal = open_journal()
    running = is_alive(journal, fitting[0])
    return frames.receipt(_row(past, running) for past in journal.files_of(fitting[0]))


def _past() -> list[JobRecord]:
    try:
        journal = open_journal()
        return [_with_status(journal, record) for record in journal.jobs()]
    except UNUSABLE:
        return []  # each transfer says so itself


def _with_status(journal: Journal, record: JobRecord) -> JobRecord:
    if record.ended_at is None and not is_alive(journal, record.job):
        record.status = "interrupted"
    if record.ended_at is None:
        counts = journal.counts_of(record.job)
        record.files, record.ok, record.failed = sum(counts.values()), counts.get("ok", 0), counts.get("failed", 0)
        record.skipped = counts.get("skipped", 0)
        sent = counts.get("sent", 0)
        record.headline = f"{record.ok + sent:,} of {record.files:,} files sent"
    return record


def _record(job: Job) -> JobRecord:
    state = job.state()
    counts, target = state["counts"], state["target"]
    return JobRecord(
        job.job_id,
        state["kind"],
        "",
        target["workspace"],
        target["host"],
        target["organisation"],
        "",
        job.started_at,
        job.started_at + state["elapsed_s"] if job.done else None,
        "running" if state["status"] == "cancelling" else state["status"],
        state["headline"],
        counts["total"],
        *(counts["ok"], counts["failed"], counts["skipped"], counts["unaccounted"], counts["cancelled"]),
    )


def _row(past: Past, running: bool) -> dict[str, Any]:
    values = asdict(past) | {"session_id": past.session}
    if past.status == "pending" and not running:
        if past.phase == "planned":
            why = "Its kernel ended before it was sent, or before that was known."
            values |= {"status": "cancelled", "reason": why, "remedy": GO_ON}
        else:
            why = "It was sent; its kernel ended before the outcome was known."
            values |= {"status": "unaccounted", "reason": why, "remedy": GO_ON}
    return values
