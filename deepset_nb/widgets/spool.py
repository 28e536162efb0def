"""Where files from a browser land: a private folder, written piece by piece, checked, keyed by id.

Pieces come in any order, twice, or not at all; each is written at its place and acknowledged. Names from a browser
never reach the file system: a file is called by its id. The folder goes when the spool is closed or forgotten, at
the latest when the interpreter exits.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
import weakref
from dataclasses import dataclass, field
from pathlib import Path

import xxhash

from ..errors import InputError
from ..transfer.hazards import SPLIT
from .messages import Problem
from .upload_messages import Ack, Chunk, HeldFile, Nack, OfferedFile, Range, ReceivedResult, Refused

_ID = re.compile(r"[0-9a-f]{32}")
_RESERVE_BYTES = 256 * 2**20  # left free on the disk: a full one breaks more than an upload


@dataclass(frozen=True)
class SpooledFile:
    """A file that came from a browser and is complete.

    Attributes:
        id: What its messages call it.
        path: Where its bytes are; the name there means nothing.
        name: Base name, as the browser gave it.
        relative_path: The path inside the dropped folder, ``/`` between its parts; else the name.
        size: Bytes.
    """

    id: str
    path: Path
    name: str
    relative_path: str
    size: int


@dataclass
class _Arriving:
    file: SpooledFile
    pieces: list[tuple[int, int]] = field(default_factory=list)  # (start, end) on disk, sorted, apart from each other

    @property
    def received(self) -> int:
        """Bytes without a gap from the start."""
        return self.pieces[0][1] if self.pieces and self.pieces[0][0] == 0 else 0

    @property
    def lacking(self) -> int:
        """Bytes that are not on disk."""
        return self.file.size - sum(end - start for start, end in self.pieces)

    def add(self, start: int, end: int) -> None:
        merged: list[tuple[int, int]] = []
        for piece in sorted([*self.pieces, (start, end)]):
            if merged and piece[0] <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], piece[1]))
            else:
                merged.append(piece)
        self.pieces = merged

    def missing(self) -> list[Range]:
        gaps: list[Range] = []
        reached = 0
        for start, end in [*self.pieces, (self.file.size, self.file.size)]:
            if start > reached:
                gaps.append({"offset": reached, "length": start - reached})
            reached = max(reached, end)
        return gaps


class Spool:
    """The files of one uploader.

    Args:
        limit_bytes: Largest file taken.
    """

    def __init__(self, limit_bytes: int) -> None:
        """Nothing is made on disk before the first file."""
        self._limit = limit_bytes
        self._folder: Path | None = None
        self._remover: weakref.finalize[..., Spool] | None = None
        self._arriving: dict[str, _Arriving] = {}
        self._lacking = 0  # bytes of all files that are not on disk
        self._lock = threading.RLock()  # pieces come on one thread, requests are answered on another

    # --- taking files ---------------------------------------------------------------------------------------------

    def objection(self, offered: OfferedFile) -> Problem | None:
        """What stands against a file, wherever its bytes are."""
        if not _ID.fullmatch(offered["file"]) or offered["size"] < 0:
            return {"message": "The browser announced this file wrongly.", "remedy": "Reload the page."}
        if offered["size"] > self._limit:
            return {
                "message": f"Larger than {self._limit / 2**30:g} GiB, the most the platform takes for one file.",
                "remedy": SPLIT,
            }
        return None

    def offer(self, offered: OfferedFile) -> Problem | None:
        """Make room for a file, or say why not."""
        with self._lock:
            if problem := self.objection(offered):
                return problem
            key, size = offered["file"], offered["size"]
            if key in self._arriving:
                return None
            try:
                folder = self._make_folder()
                if shutil.disk_usage(folder).free < self._lacking + size + _RESERVE_BYTES:
                    return {
                        "message": "There is not enough space on the kernel's disk for this file.",
                        "remedy": f"Free some in {folder.parent}, or set the variable TMPDIR to a larger disk. "
                        "A file that is on the kernel's disk already goes up with ws.upload(path).",
                    }
                (folder / key).touch(mode=0o600)
            except OSError as error:
                return _disk_problem(error)
            path = clean(offered["relative_path"] or offered["name"])
            self._arriving[key] = _Arriving(SpooledFile(key, folder / key, path.rpartition("/")[2], path, size))
            self._lacking += size
            return None

    def write(self, piece: Chunk, data: memoryview | bytes) -> Ack | Nack | Refused:
        """Put a piece where it belongs."""
        key, offset, length = piece["file"], piece["offset"], piece["length"]
        with self._lock:
            arriving = self._arriving.get(key)
            if arriving is None:
                gone: Problem = {
                    "message": "The kernel does not know this file any more.",
                    "remedy": "Remove it and choose it again.",
                }
                return {"kind": "refused", "file": key, "error": gone}
            view = memoryview(data).cast("B")
            if len(view) != length or offset < 0 or offset + length > arriving.file.size:
                return {"kind": "nack", "file": key, "offset": offset, "length": length, "reason": "length"}
            if xxhash.xxh32_intdigest(view) != piece["xxh32"]:
                return {"kind": "nack", "file": key, "offset": offset, "length": length, "reason": "xxh32"}
            try:
                with arriving.file.path.open("r+b", buffering=0) as target:
                    target.seek(offset)
                    while view:  # the system may take a part
                        view = view[target.write(view) :]
            except OSError as error:
                self.remove(key)
                return {"kind": "refused", "file": key, "error": _disk_problem(error)}
            self._lacking -= arriving.lacking
            arriving.add(offset, offset + length)
            self._lacking += arriving.lacking
            return {"kind": "ack", "file": key, "received": arriving.received, "offset": offset, "length": length}

    def remove(self, key: str) -> None:
        """Forget a file and its bytes."""
        with self._lock:
            if (arriving := self._arriving.pop(key, None)) is not None:
                self._lacking -= arriving.lacking
                arriving.file.path.unlink(missing_ok=True)

    # --- looking --------------------------------------------------------------------------------------------------

    def holding(self, key: str) -> ReceivedResult:
        """What is here of a file, and what is missing."""
        with self._lock:
            if (arriving := self._arriving.get(key)) is None:
                raise InputError("The kernel does not know this file any more.", "Remove it and choose it again.")
            return {"received": arriving.received, "missing": arriving.missing()}

    def held(self) -> list[HeldFile]:
        """All files, as a reloaded page wants to know them."""
        with self._lock:
            return [
                {
                    "file": one.file.id,
                    "name": one.file.name,
                    "relative_path": one.file.relative_path,
                    "size": one.file.size,
                    "received": one.received,
                    "waits": False,
                    "meta": "",
                }
                for one in self._arriving.values()
            ]

    def tally(self) -> tuple[int, int, int, int]:
        """Files, whole files, bytes, and bytes that have come without a gap."""
        with self._lock:
            files = list(self._arriving.values())
            whole, size = sum(not one.lacking for one in files), sum(one.file.size for one in files)
            return len(files), whole, size, sum(one.received for one in files)

    def path_of(self, key: str) -> Path | None:
        """Where a file lies that is here whole."""
        with self._lock:
            arriving = self._arriving.get(key)
            return arriving.file.path if arriving is not None and not arriving.lacking else None

    def complete(self) -> list[SpooledFile]:
        """The files that are here from the first byte to the last."""
        with self._lock:
            return [one.file for one in self._arriving.values() if not one.lacking]

    # --- the folder -----------------------------------------------------------------------------------------------

    def clear(self) -> None:
        """Forget all files and remove their folder."""
        with self._lock:
            self._arriving.clear()
            self._lacking = 0
            if self._remover:
                self._remover()
            self._folder = self._remover = None

    def _make_folder(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="deepset_nb-"))  # mode 700
            self._remover = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder


def clean(path: str) -> str:
    """A relative path without steps up, empty parts, controls and halves of characters, which nothing can send on."""
    path = path.encode("utf-8", "replace").decode()
    printable = "".join(character for character in path.replace("\\", "/") if character >= " " and character != "\x7f")
    parts = [part for part in printable.split("/") if part not in ("", ".", "..")]
    return "/".join(parts) or "unnamed"


def _disk_problem(error: OSError) -> Problem:
    return {
        "message": f"The kernel could not store this file: {error.strerror or type(error).__name__}.",
        "remedy": "Free some space in its temporary folder, or set the variable TMPDIR to another disk.",
    }
