"""How fast something goes, and how long the rest takes: said only where there is evidence for it."""

from __future__ import annotations

import threading
import time
from collections import deque

WINDOW_S = 10.0  # speed is what went through during the last ten seconds, not since the start
SLOT_S = 0.25  # what comes within one is counted together: the network takes thousands of pieces a second
FIRST_S = 0.5  # before that there is no speed
EVIDENCE_S = 5.0  # before that nothing is foretold
MOVES = 3  # slots in which something moved; fewer say nothing about what comes
STEADY = 2.0  # the two halves of the window may differ by this factor; beyond, the past does not tell the future


class Pace:
    """Amounts over the last seconds. Counted on one thread, asked from any.

    Args:
        window_s: How far back it looks.
    """

    def __init__(self, window_s: float = WINDOW_S) -> None:
        """Nothing has moved; the clock starts with `begin`."""
        self._window_s = window_s
        self._began: float | None = None
        self._slots: deque[tuple[float, float]] = deque()
        self._lock = threading.Lock()

    def begin(self) -> None:
        """From now on something may move."""
        self._began = time.monotonic()

    def count(self, amount: float) -> None:
        """Something moved, by a negative amount if it was taken back."""
        now = time.monotonic()
        with self._lock:
            if self._slots and now - self._slots[-1][0] < SLOT_S:
                since, counted = self._slots[-1]
                self._slots[-1] = since, counted + amount
            else:
                self._slots.append((now, amount))
                self._forget(now)

    def speed(self) -> float | None:
        """Amount a second; None before there is evidence."""
        now = time.monotonic()
        recent, window = self._recent(now)
        if not recent or window < FIRST_S:
            return None
        return max(0.0, sum(amount for _, amount in recent) / window)

    def left_s(self, rest: float) -> int | None:
        """Seconds until the rest is through, more coarsely the more there are; None where nothing can be foretold."""
        now = time.monotonic()
        recent, window = self._recent(now)
        if window < EVIDENCE_S or sum(amount > 0 for _, amount in recent) < MOVES:
            return None
        late = sum(amount for since, amount in recent if since >= now - window / 2)
        early = sum(amount for _, amount in recent) - late
        if not (late > 0 < early and 1 / STEADY <= late / early <= STEADY):
            return None
        left = rest * window / (late + early)
        step = 1 if left < 60 else 5 if left < 600 else 60
        return round(left / step) * step or None

    def _recent(self, now: float) -> tuple[list[tuple[float, float]], float]:
        with self._lock:
            self._forget(now)
            slots = list(self._slots)
        return slots, min(now - self._began, self._window_s) if self._began is not None else 0.0

    def _forget(self, now: float) -> None:
        while self._slots and self._slots[0][0] < now - self._window_s:
            self._slots.popleft()
