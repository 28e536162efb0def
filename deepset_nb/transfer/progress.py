"""What a panel shows of a transfer: phases, files and bytes, speed, failures.

Workers count, one place draws: stages report into ``Progress``, and a job publishes ``state()`` at most ten times a
second. Nothing in a state is a secret; it ends up in the saved notebook.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Literal, TypedDict

from .receipt import Receipt, Row

SPEED_WINDOW_S = 10.0  # speed is what went through during the last ten seconds, not since the start
SHOWN_CHARACTERS = 240  # of a path or reason in a state; the receipt has it whole
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
    """Files by outcome."""

    total: int
    ok: int
    failed: int
    skipped: int
    unaccounted: int
    cancelled: int


class JobState(TypedDict):
    """Everything a view needs, as plain JSON values."""

    kind: JobKind
    status: JobStatus
    headline: str
    detail: str
    target: Target
    phases: list[PhaseProgress]
    speed_bps: float | None
    elapsed_s: float
    counts: Counts
    failures: list[Failure]
    failures_total: int
    session_id: str | None
    expires_at: str | None
    can_cancel: bool
    can_retry: bool
    note: str | None


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


def _short(text: str) -> str:
    """The text, or its two ends: a state is saved in the notebook, and a path may be 4,096 characters long."""
    return (
        text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS // 2]} … {text[-SHOWN_CHARACTERS // 2 :]}"
    )


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
        self.detail = ""
        self.note: str | None = None
        self._started = time.monotonic()
        self._ended: float | None = None
        self._outcome: JobStatus | None = None
        self._sent: deque[tuple[float, int]] = deque()
        self._lock = threading.Lock()  # of `_sent`: several threads may ask for the speed while it grows

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
        with self._lock:
            self._sent.append((time.monotonic(), delta))

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
        now = time.monotonic()
        with self._lock:
            while self._sent and self._sent[0][0] < now - SPEED_WINDOW_S:
                self._sent.popleft()
            recent = [delta for _, delta in self._sent]
        window = min(now - self._started, SPEED_WINDOW_S)
        if not recent or window < 0.5 or self.phases["sending"]["state"] != "active":
            return None
        return max(0.0, sum(recent) / window)

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

    def state(self) -> JobState:
        """The picture of this moment."""
        counts = self.receipt.counts()
        bad = self.receipt.missed()
        # A cancelled transfer can leave ten thousand rows of one reason: the note says it once.
        shown = [row for row in bad if row.status != "cancelled"]
        return {
            "kind": self.kind,
            "status": self.status,
            "headline": self.headline(),
            "detail": self.detail,
            "target": self.target,
            "phases": [phase.copy() for phase in self.phases.values()],
            "speed_bps": self.speed_bps(),
            "elapsed_s": round(self.elapsed_s, 1) if self._ended else float(int(self.elapsed_s)),
            "counts": {
                "total": len(self.receipt.rows),
                "ok": counts["ok"],
                "failed": counts["failed"],
                "skipped": counts["skipped"],
                "unaccounted": counts["unaccounted"],
                "cancelled": counts["cancelled"],
            },
            "failures": [
                {
                    "path": _short(self.shown(row)),
                    "status": row.status,
                    "reason": _short(row.reason or ""),
                    "remedy": _short(row.remedy or ""),
                }
                for row in shown[:SHOWN_FAILURES]
            ],
            "failures_total": len(shown),
            "session_id": self.session_id,
            "expires_at": self.expires_at,
            "can_cancel": self.status == "running",
            "can_retry": self.status in ("failed", "cancelled") and (bool(bad) or not self.receipt.rows),
            "note": self.note,
        }
