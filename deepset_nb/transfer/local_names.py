"""Which name a file of the platform gets in a local folder.

Names come from a server and are not trusted: no separator, no ``..``, no reserved name leaves here. They are not
unique there, letters of either case are the same file on many disks, and so are the two ways to write ``é`` on some:
collisions are numbered.
"""

from __future__ import annotations

import os
import threading
import unicodedata
from collections import defaultdict
from pathlib import Path

from pathvalidate import sanitize_filename

from ..models import File
from .parts import is_ours
from .plan import SIDECAR

# Most file systems take 255 bytes; a number and the sidecar's ending still have to fit.
MOST_BYTES = 255 - len(SIDECAR) - len("_100000")
CLOCK_S = 2.0  # FAT keeps times in steps of two seconds


def safe_name(name: str) -> str:
    """A name that stays inside its folder, on every system.

    Example:
        >>> safe_name("../../etc/passwd")
        '.._.._etc_passwd'
    """
    writable = name.encode("utf-8", "replace").decode()  # half a surrogate pair is no name anywhere
    # Twice: what is reserved or ends in a dot may only show once the blanks around it are gone.
    for _ in range(2):
        writable = sanitize_filename(_shortened(writable), replacement_text="_", platform="universal").strip()
    if is_ours(writable):
        return f"_{writable}"  # the next download would take it for a leftover of its own
    return writable if writable.strip(".") else "unnamed"


def _shortened(name: str) -> str:
    """At most `MOST_BYTES`, the ending kept."""
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix.encode()) > 20:
        stem, dot, suffix = name, "", ""
    room = MOST_BYTES - len((dot + suffix).encode())
    return stem.encode()[:room].decode(errors="ignore") + dot + suffix


def time_of(file: File) -> int:
    """The modification time a fetched file gets: when the platform's file was made, in nanoseconds."""
    return int(file.created_at.timestamp() * 1e6) * 1000


def _key(name: str) -> str:
    """Equal for names that some disk takes for one: Unicode's canonical caseless match."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


class LocalNames:
    """The names of one download, in the order its files come.

    Args:
        folder: Where the files go; it need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._placing = threading.Lock()  # files are planned on one thread, and find their names taken on others
        self._taken: set[str] = set()
        self._tried: dict[str, int] = {}  # ten thousand files of one name must not each count from one
        # What is there under a name but was not the file that came: it may be one that comes later.
        self._passed: dict[tuple[str, int], list[Path]] = defaultdict(list)

    def place(self, file: File) -> tuple[Path, bool]:
        """Where ``file`` goes, and whether an earlier download has put it there already."""
        with self._placing:
            return self._place(file, Path(safe_name(file.name)))

    def _place(self, file: File, base: Path) -> tuple[Path, bool]:
        key = _key(base.name)
        for path in self._passed[key, file.size]:
            if is_copy(path, file) and self._take(path.name):
                return path, True
        while True:
            number = self._tried.get(key, 0)
            self._tried[key] = number + 1
            path = self._folder / (f"{base.stem}_{number}{base.suffix}" if number else base.name)
            if not self._is_free(path.name):
                continue
            there = os.path.lexists(path)
            if not there or is_copy(path, file):
                self._take(path.name)
                return path, there
            self._passed[key, path.lstat().st_size].append(path)

    def _is_free(self, name: str) -> bool:
        return self._taken.isdisjoint({_key(name), _key(name + SIDECAR)})

    def _take(self, name: str) -> bool:
        free = self._is_free(name)
        self._taken |= {_key(name), _key(name + SIDECAR)}
        return free


def is_copy(path: Path, file: File) -> bool:
    """Whether ``path`` is this very file, fetched before: the platform has no checksums, but size and time."""
    try:
        stat = path.stat(follow_symlinks=False)
    except OSError:
        return False
    return stat.st_size == file.size and abs(stat.st_mtime_ns - time_of(file)) <= CLOCK_S * 1e9
