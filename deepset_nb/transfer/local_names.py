"""Which name a file of the platform gets in a local folder.

Names come from a server and are not trusted: no separator, no ``..``, no reserved name leaves here. They are not
unique there, and letters of either case are the same file on many disks, so collisions are numbered.
"""

from __future__ import annotations

import os
from pathlib import Path

from pathvalidate import sanitize_filename

from ..models import File
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
    safe = sanitize_filename(_shortened(name), replacement_text="_", platform="universal").strip()
    return safe if safe.strip(".") else "unnamed"


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


class LocalNames:
    """The names of one download, in the order its files come.

    Args:
        folder: Where the files go; it need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken: set[str] = set()
        self._tried: dict[str, int] = {}  # ten thousand files of one name must not each count from one

    def place(self, file: File) -> tuple[Path, bool]:
        """Where ``file`` goes, and whether an earlier download has put it there already."""
        base = Path(safe_name(file.name))
        number = self._tried.get(base.name.casefold(), 0)
        while True:
            name = f"{base.stem}_{number}{base.suffix}" if number else base.name
            number += 1
            if self._taken.isdisjoint({name.casefold(), f"{name}{SIDECAR}".casefold()}):
                path = self._folder / name
                there = os.path.lexists(path)
                if not there or is_copy(path, file):
                    self._tried[base.name.casefold()] = number
                    self._taken |= {name.casefold(), f"{name}{SIDECAR}".casefold()}
                    return path, there


def is_copy(path: Path, file: File) -> bool:
    """Whether ``path`` is this very file, fetched before: the platform has no checksums, but size and time."""
    try:
        stat = path.stat(follow_symlinks=False)
    except OSError:
        return False
    return stat.st_size == file.size and abs(stat.st_mtime_ns - time_of(file)) <= CLOCK_S * 1e9
