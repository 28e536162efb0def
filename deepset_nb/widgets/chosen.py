"""The files of one uploader: in the kernel's spool or still in a page, with their metadata, as rows and as code."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any, TypedDict

from ..transfer.hazards import SIDECAR, leave_out
from ..transfer.meta import Told
from ..transfer.meta_text import parse_meta
from ..transfer.plan import BUCKET_LIMIT, plan_files
from ..transfer.receipt import IN_BROWSER, Row
from .code import call_of
from .messages import Problem
from .spool import Spool, clean
from .upload_messages import Hazard, HeldFile, MetaProblem, OfferedFile, PlanResult

Identity = tuple[str, int, int]  # path, size, and when it was changed

MOST_HAZARDS = 200
_SENT = "The upload before this one, which was broken off, brought it to the platform."


class Tally(TypedDict):
    """Files and bytes of an uploader, as its state has them."""

    files: int
    complete: int
    bytes: int
    received_bytes: int


class Chosen:
    """What was dropped or chosen, and not uploaded yet.

    Args:
        already: What the upload before this one, which was broken off, brought to the platform: path, size, time.

    Attributes:
        spool: The files that have come, or are coming, to the kernel.
        meta_of_all: Metadata for all files, as it was typed.
    """

    def __init__(self, already: Iterable[Identity] = ()) -> None:
        """Nothing chosen."""
        self._already = frozenset(already)
        self._offered: dict[str, OfferedFile] = {}
        self.spool = Spool(BUCKET_LIMIT)
        self.meta_of_all = ""
        self._meta_of: dict[str, str] = {}
        self._waiting: dict[str, str] = {}  # files that are still in a page, and in which
        self._lock = threading.Lock()

    # --- files ----------------------------------------------------------------------------------------------------

    def offer(self, offered: OfferedFile, page: str, direct: bool) -> Problem | None:
        """Take a file in, or say why not. With ``direct`` it stays in its page, unless the kernel must read it."""
        if direct and not is_sidecar(offered):
            if problem := self.spool.objection(offered):
                return problem
            with self._lock:
                self._waiting[offered["file"]] = page
                self._offered[offered["file"]] = offered
            return None
        if problem := self.spool.offer(offered):
            return problem
        self._offered[offered["file"]] = offered
        return None

    def waits(self, key: str) -> bool:
        """Whether this file is still in a page."""
        return key in self._waiting

    def fetch(self, key: str) -> Problem | None:
        """Make room in the spool for a file that is in a page."""
        if (offered := self._offered.get(key)) is None:
            return {"message": "The kernel does not know this file any more.", "remedy": "Choose it again."}
        return self.spool.offer(offered)

    def remove(self, key: str) -> None:
        """Forget a file."""
        with self._lock:
            self._waiting.pop(key, None)
            self._offered.pop(key, None)
        self._meta_of.pop(key, None)
        self.spool.remove(key)

    def held(self, page: str) -> list[HeldFile]:
        """All files, as a page wants to know them."""
        with self._lock:
            waiting = {key: (owner, self._offered[key]) for key, owner in self._waiting.items()}
        spooled: list[HeldFile] = [
            {**one, "meta": self._meta_of.get(one["file"], "")}
            for one in self.spool.held()
            if one["file"] not in waiting
        ]
        return spooled + [
            {
                "file": key,
                "name": offered["name"],
                "relative_path": clean(offered["relative_path"]),
                "size": offered["size"],
                "received": 0,
                "waits": owner == page,
                "meta": self._meta_of.get(key, ""),
            }
            for key, (owner, offered) in waiting.items()
        ]

    def tally(self) -> Tally:
        """How many files and bytes there are, and how much of it is ready."""
        with self._lock:
            waiting = [self._offered[key]["size"] for key in self._waiting]
        files, complete, total, received = self.spool.tally()
        return {
            "files": files + len(waiting),
            "complete": complete + len(waiting),
            "bytes": total + sum(waiting),
            "received_bytes": received,
        }

    def identities(self, paths: Iterable[str]) -> set[Identity]:
        """What tells the files with these paths from later ones."""
        wanted = set(paths)
        with self._lock:
            known = [_identity(offered) for offered in self._offered.values()]
        return {one for one in known if one[0] in wanted}

    def clear(self) -> None:
        """Forget all of it, metadata included."""
        with self._lock:
            self._waiting.clear()
            self._offered.clear()
        self._meta_of.clear()
        self.meta_of_all = ""
        self.spool.clear()

    # --- metadata -------------------------------------------------------------------------------------------------

    def set_meta(self, key: str | None, text: str) -> MetaProblem | None:
        """Take metadata as it was typed, or say what is wrong with it, and where."""
        if text.strip() and (problem := parse_meta(text)[1]):
            return {
                "message": problem.reason,
                "remedy": problem.remedy,
                "line": problem.line,
                "column": problem.column,
            }
        if key is None:
            self.meta_of_all = text.strip()
        elif text.strip():
            self._meta_of[key] = text
        else:
            self._meta_of.pop(key, None)
        return None

    def _told(self, key: str) -> Told | None:
        layers = [meta for text in (self.meta_of_all, self._meta_of.get(key, "")) if (meta := _read(text))]
        return Told(tuple(layers)) if layers else None

    # --- what becomes of them -------------------------------------------------------------------------------------

    def rows(self, page: str) -> list[Row]:
        """A row for each file that has come whole, or is held by this page."""
        with self._lock:
            waiting = [(key, self._offered[key]) for key, owner in self._waiting.items() if owner == page]
        rows = [
            self._row(file.id, file.relative_path, file.size, str(file.path))
            for file in self.spool.complete()
            if file.id not in self._waiting
        ]
        for key, one in waiting:
            rows.append(self._row(key, clean(one["relative_path"] or one["name"]), one["size"], IN_BROWSER + key))
            rows[-1].mtime_ns = one["changed"] * 1_000_000
        return rows

    def _row(self, key: str, path: str, size: int, source: str) -> Row:
        name = path.rpartition("/")[2]
        return Row(path, name, name, size, source, told=self._told(key))

    def judge(self, given: list[Row]) -> list[Row]:
        """The rows with what the plan says of each."""
        rows = plan_files(given)
        if self._already:
            for row in rows:
                if (offered := self._offered.get(self._id_of(row))) and _identity(offered) in self._already:
                    leave_out(row, "unchanged", _SENT, "Use a new uploader to send it once more.")
        return rows

    def plan(self, page: str) -> PlanResult:
        """What an upload would do now, and every hazard in its way. Nothing is sent."""
        given = self.rows(page)
        ids = {row.source: self._id_of(row) for row in given}
        rows = self.judge(given)
        sent = [row for row in rows if row.status == "pending"]
        notable = [row for row in rows if row.status != "pending" or row.warning]
        notable.sort(key=lambda row: ("failed", "skipped", "pending").index(row.status))
        hazards: list[Hazard] = [
            {
                "file": ids.get(row.source, ""),
                "path": row.path,
                "action": "send" if row.status == "pending" else "refuse" if row.status == "failed" else "skip",
                "state": row.state,
                "reason": row.reason or row.warning or "",
                "remedy": row.remedy or "",
            }
            for row in notable[:MOST_HAZARDS]
        ]
        return {
            "send": len(sent),
            "bytes": sum(row.size for row in sent),
            "hazards": hazards,
            "more": len(notable) - len(hazards),
        }

    def code(self, page: str, write_mode: str) -> str:
        """The Python that does the same with files on the kernel's disk."""
        given = self.rows(page)
        own = {row.path: text for row in given if (text := _read(self._meta_of.get(self._id_of(row), "")))}
        return call_of([row.path for row in given], write_mode, _read(self.meta_of_all), own)

    def _id_of(self, row: Row) -> str:
        assert isinstance(row.source, str)
        if row.source.startswith(IN_BROWSER):
            return row.source.removeprefix(IN_BROWSER)
        return row.source.replace("\\", "/").rpartition("/")[2]


def is_sidecar(offered: OfferedFile) -> bool:
    """Whether it holds another file's metadata, which the kernel has to read."""
    return offered["name"].endswith(SIDECAR)


def _identity(offered: OfferedFile) -> Identity:
    return clean(offered["relative_path"] or offered["name"]), offered["size"], offered["changed"]


def _read(text: str) -> dict[str, Any] | None:
    return parse_meta(text)[0] if text.strip() else None
