"""What a panel shows of a transfer: phases, files and bytes, speed, failures.

Workers count, one place draws: stages report into ``Progress``, and a job publishes ``state()`` at most ten times a
second. Nothing in a state is a secret; it ends up in the saved notebook.
"""

from __future__ import annotations

import math
import time
from typing import Literal, TypedDict

from ..client.waits import Wait
from .hazards import REFUSALS
from .pace import Pace
from .receipt import Receipt, Row
from .shown import short

STALL_S = 90.0  # without any change: said, with what is waited for and until when
INGESTED_WINDOW_S = 30.0  # the platform is asked every two seconds at most, and counts whole files
SHOWN_WORDS = 1_200  # of a note or what goes on now
SHOWN_FAILURES = 50  # rows of failures in a state: a state is saved in the notebook, the receipt has them all

JobKind = Literal["upload", "download"]
JobStatus = Literal["running", "cancelling", "done", "failed", "cancelled"]
PhaseName = Literal["planning", "sending", "ingesting"]
PhaseState = Literal["waiting", "active", "done", "failed"]
LABELS: dict[PhaseName, str] = {"planning": "Planning", "sending": "Sending", "ingesting": "Ingesting"}


class Target(TypedDict):
    """Where a transfer goes, so that nobody uploads to the wrong place unknowingly."""

    workspace: str
    host: str
    organisation: str | None


class PhaseProgress(TypedDict):
    """One phase: how far it is, in files and in bytes."""

    name: PhaseName
    label: str
    state: PhaseState
    files_done: int
    files_total: int
    bytes_done: int
    bytes_total: int


class Failure(TypedDict):
    """One file that did not make it."""

    path: str
    status: str
    reason: str
    remedy: str


class Counts(TypedDict):
    """Files by outcome; ``waiting`` ones are sent and in a session that is open, so nothing has ingested them."""

    total: int
    ok: int
    failed: int
    skipped: int
    unaccounted: int
    cancelled: int
    waiting: int


class JobState(TypedDict):
    """Everything a view needs, as plain JSON values."""

    kind: JobKind
    status: JobStatus
    headline: str
    detail: str
    target: Target
    phases: list[PhaseProgress]
    speed_bps: float | None
    eta_s: int | None
    stalled: bool
    elapsed_s: float
    counts: Counts
    failures: list[Failure]
    failures_total: int
    session_id: str | None
    expires_at: str | None
    can_cancel: bool
    can_retry: bool
    retry_files: int
    note: str | None
    has_code: bool


def _phase(name: PhaseName) -> PhaseProgress:
    return {
        "name": name,
        "label": LABELS[name],
        "state": "waiting",
        "files_done": 0,
        "files_total": 0,
        "bytes_done": 0,
        "bytes_total": 0,
    }


def _phase_of(row: Row) -> PhaseName:
    """Where a row came to its end; what was never tried because of a cancel ended in sending."""
    if row.phase == "planned":
        return "planning" if row.status == "failed" else "sending"
    return "sending" if row.phase in ("sending", "fetching") else "ingesting"


def _is_hopeless(row: Row) -> bool:
    """Whether the same file can only be refused again; one that was repaired goes up with ``job.retry()``."""
    return row.final or (row.status == "failed" and row.state in REFUSALS)


class Progress:
    """Counters of one transfer. Written on the bridge's thread, read from any."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.kind: JobKind = "upload"
        self.cancelling = False  # set by whoever cancels, from any thread; the outcome has the last word
        self.phases: dict[PhaseName, PhaseProgress] = {name: _phase(name) for name in LABELS}
        self.receipt = Receipt([])
        self.session_id: str | None = None
        self.expires_at: str | None = None
        self.detail = ""  # what goes on now, until it is over
        self.error = ""  # what ended the whole
        self.note: str | None = None
        self.code = ""  # the line of Python that does the same
        self._started = time.monotonic()
        self._ended: float | None = None
        self._outcome: JobStatus | None = None
        self._sent = Pace()
        self._ingested = Pace(INGESTED_WINDOW_S)
        self._waits: dict[object, tuple[float, Wait]] = {}
        self._seen: tuple[object, ...] = ()
        self._changed = self._started

    @property
    def status(self) -> JobStatus:
        """How it ended, or that it has not."""
        return self._outcome or ("cancelling" if self.cancelling else "running")

    def enter(self, name: PhaseName, *, files: int = 0, size: int = 0) -> PhaseProgress:
        """Begin a phase; whatever was active is done."""
        for phase in self.phases.values():
            if phase["state"] == "active":
                phase["state"] = "done"
        phase = self.phases[name]
        phase |= {"state": "active", "files_total": files, "bytes_total": size}
        self.detail = ""
        if name != "planning":
            (self._sent if name == "sending" else self._ingested).begin()
        return phase

    def planned(self, rows: list[Row]) -> Receipt:
        """Take the plan's rows as the receipt; those the plan refused are not done."""
        self.receipt = Receipt(rows)
        done = len(rows) - len(self.receipt.with_status("failed"))
        self.phases["planning"] |= {"files_done": done, "files_total": len(rows)}
        return self.receipt

    def add_note(self, note: str) -> None:
        """Say something that stays, beside what was said before."""
        if self.note is None or note not in self.note:
            self.note = f"{self.note} {note}" if self.note else note

    def bytes_sent(self, delta: int) -> None:
        """Count bytes handed to the network; a retry takes its bytes back with a negative delta."""
        self.phases["sending"]["bytes_done"] += delta
        self._sent.count(delta)

    def ingested(self, files: int) -> None:
        """So many files have their outcome from the platform."""
        phase = self.phases["ingesting"]
        self._ingested.count(files - phase["files_done"])
        phase["files_done"] = files

    def waits(self, key: object, wait: Wait) -> None:
        """A request waits for another attempt."""
        self._waits[key] = time.monotonic() + wait.seconds, wait

    def goes_on(self, key: object) -> None:
        """It does so no longer."""
        self._waits.pop(key, None)

    def end(self, status: JobStatus) -> None:
        """Close the books: what is still active ended well, or did not."""
        self._ended = time.monotonic()
        bad = {_phase_of(row) for row in self.receipt.missed()}
        for name, phase in self.phases.items():
            if phase["state"] == "active":
                phase["state"] = "failed" if status == "cancelled" else "done"
            if name in bad and phase["state"] == "done":
                phase["state"] = "failed"
        self._outcome = status  # last: who sees it may rely on the rest

    @property
    def elapsed_s(self) -> float:
        """Seconds from start to end, or to now."""
        return (self._ended or time.monotonic()) - self._started

    def speed_bps(self) -> float | None:
        """Bytes a second over the last ten seconds; None before there is evidence."""
        return self._sent.speed() if self._active() == "sending" else None

    def eta_s(self) -> int | None:
        """Seconds until the active phase is through; None unless it moves steadily."""
        name = self._active()
        if name == "sending" and not self._waits:
            phase = self.phases["sending"]
            return self._sent.left_s(phase["bytes_total"] - phase["bytes_done"])
        if name == "ingesting":
            phase = self.phases["ingesting"]
            return self._ingested.left_s(phase["files_total"] - phase["files_done"])
        return None

    def _active(self) -> PhaseName | None:
        return next((name for name, phase in self.phases.items() if phase["state"] == "active"), None)

    def _quiet_s(self) -> float:
        """Seconds since a phase or a count last changed, as far as `state` has been asked."""
        seen = tuple(value for phase in self.phases.values() for value in phase.values())
        if seen != self._seen:
            self._seen, self._changed = seen, time.monotonic()
        return time.monotonic() - self._changed

    def _present(self, quiet_s: float) -> str:
        """What is waited for, or what else there is to say of this moment."""
        if waits := sorted(list(self._waits.values()), key=lambda entry: entry[0]):
            until, wait = waits[0]
            seconds = max(1, math.ceil(until - time.monotonic()))
            when = f"try {wait.attempt} of {wait.attempts} in {seconds} s: {wait.reason}"
            return f"Waiting, {when}" if len(waits) == 1 else f"{len(waits):,} requests are waiting, {when}"
        if self.detail or quiet_s <= STALL_S:
            return self.detail
        return f"No change for {int(quiet_s)} s. {self.stalled_words()}"

    def stalled_words(self) -> str:
        """What is waited for when nothing changes, and until when."""
        if self._active() == "planning":
            return "The folders are still being looked through: a slow or very large disk takes its time."
        if self._active() == "ingesting":
            return "The platform is asked how each file fared; a question is given up after a minute and asked again."
        return (
            "The network takes no bytes, or nobody answers. A connection is given up after 120 s of silence, and its "
            "file is then tried again, 5 times in all."
        )

    def headline(self) -> str:
        """One line that is never better than the receipt."""
        counts = self.receipt.counts()
        total, ok, skipped = len(self.receipt.rows), counts["ok"], counts["skipped"]
        sending = self.phases["sending"]
        files = "file" if total == 1 else "files"
        if self.status == "done":
            if waiting := counts["pending"]:
                return f"{waiting:,} of {total:,} {files} sent; the platform is ingesting"
            if not total:
                return "There was nothing to send"
            if skipped:
                return f"{ok:,} of {total:,} {files} are on the platform, {skipped:,} left out"
            return f"All {total:,} {files} are on the platform" if total > 1 else "The file is on the platform"
        if self.status == "cancelled":
            if not total:
                return "Cancelled: nothing was sent"
            if ok:
                return f"Cancelled: {ok:,} of {total:,} {files} are on the platform"
            return f"Not finished: {sending['files_done']:,} of {total:,} {files} sent"
        if self.status == "failed":
            return f"{total - ok - skipped:,} of {total:,} {files} did not make it" if total else "Nothing was sent"
        if self.status == "cancelling":
            return "Cancelling"
        active = next((phase for phase in self.phases.values() if phase["state"] == "active"), None)
        if active is None or active["name"] == "planning":
            return f"Planning: {total:,} {files} found" if total else "Planning"
        done = (
            f"{active['files_done']:,} of {active['files_total']:,} {'file' if active['files_total'] == 1 else 'files'}"
        )
        return f"Sending {done}" if active["name"] == "sending" else f"The platform is ingesting: {done}"

    def shown(self, row: Row) -> str:
        """How a failure names its file."""
        return row.path

    def _waiting(self) -> int:
        if self._active() != "sending":  # what was sent is in closed sessions, or has its outcome
            return 0
        return sum(row.phase == "sent" and row.status == "pending" for row in self.receipt.rows)

    def state(self) -> JobState:
        """The picture of this moment."""
        counts = self.receipt.counts()
        bad = self.receipt.missed()
        running = self._outcome is None
        quiet_s = self._quiet_s() if running else 0.0
        # A cancelled transfer can leave ten thousand rows of one reason: the note says it once.
        shown = [row for row in bad if row.status != "cancelled"]
        retry_files = sum(not _is_hopeless(row) for row in bad)
        return {
            "kind": self.kind,
            "status": self.status,
            "headline": self.headline(),
            "detail": short(self._present(quiet_s) if running else self.error, SHOWN_WORDS),
            "target": self.target,
            "phases": [phase.copy() for phase in self.phases.values()],
            "speed_bps": self.speed_bps(),
            "eta_s": self.eta_s() if self.status == "running" else None,
            "stalled": quiet_s > STALL_S and not self._waits,
            "elapsed_s": round(self.elapsed_s, 1) if self._ended else float(int(self.elapsed_s)),
            "counts": {
                "total": len(self.receipt.rows),
                "ok": counts["ok"],
                "failed": counts["failed"],
                "skipped": counts["skipped"],
                "unaccounted": counts["unaccounted"],
                "cancelled": counts["cancelled"],
                "waiting": self._waiting(),
            },
            "failures": [
                {
                    "path": short(self.shown(row)),
                    "status": row.status,
                    "reason": short(row.reason or ""),
                    "remedy": short(row.remedy or ""),
                }
                for row in shown[:SHOWN_FAILURES]
            ],
            "failures_total": len(shown),
            "session_id": self.session_id,
            "expires_at": self.expires_at,
            "can_cancel": self.status == "running",
            "can_retry": self.status in ("failed", "cancelled") and (retry_files > 0 or not self.receipt.rows),
            "retry_files": retry_files,
            "note": short(self.note, SHOWN_WORDS) if self.note else None,
            "has_code": bool(self.code),  # the line itself may name folders
        }
