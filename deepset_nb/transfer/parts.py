"""Half-fetched files: what a broken or killed download leaves behind, and the next one goes on with.

A part's name says of which version of which file it is the beginning (id, time, size, and the server's own tag if it
gave one), so that another process finds it and two versions are never glued together. Only the download that holds
the folder's lock uses such names; one that runs beside it makes names up, and leaves nothing to go on with.
"""

from __future__ import annotations

import base64
import contextlib
import os
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from ..models import File

WORTH_KEEPING = 64 * 1024  # bytes; less is fetched again in one round trip
STALE_S = 86_400  # a part this old, of a file that is not asked for any more, is rubbish
LOCK = ".dnb-download.lock"
_LONGEST_TAG = 60  # bytes of a server's tag: it has to fit into a file name

_PART = re.compile(r"\.dnb-(?:([0-9a-f]{32}-[0-9a-f]+-[0-9]+)-([\w-]*)|[0-9a-f]{16})\.part", re.ASCII)


def is_ours(name: str) -> bool:
    """Whether a file of this name is a part or the lock, not somebody's document."""
    return _PART.fullmatch(name.lower()) is not None or name.lower() == LOCK


@dataclass
class Part:
    """The beginning of a file.

    Attributes:
        path: Where it is.
        size: How many bytes of it are on disk.
        etag: What the server called this content, or nothing.
        data: The bytes of a small file, which are written all at once.
    """

    path: Path
    size: int = 0
    etag: str = ""
    data: bytearray | None = None

    def drop(self) -> None:
        """Remove it, if it can be."""
        with contextlib.suppress(OSError):
            self.path.unlink()
        self.size = 0


class Parts:
    """The parts in a folder, for the time of one download."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Not of a thread, and gone with the process, however that ends.
        self._lock = FileLock(folder / LOCK, thread_local=False)
        self._left: dict[str, Part] = {}

    def open(self) -> None:
        """Take the folder's lock, and see what earlier downloads left."""
        try:
            self._lock.acquire(timeout=0)
        except (Timeout, OSError):
            return  # another download is at work here, or the folder takes no files: its rows will say so
        with contextlib.suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                if (match := _PART.fullmatch(entry.name)) and match[1] and entry.is_file(follow_symlinks=False):
                    self._left[match[1]] = Part(Path(entry.path), entry.stat().st_size, _tag_in(match[2]))

    def close(self) -> None:
        """Let go of the folder."""
        if self._lock.is_locked:
            with contextlib.suppress(OSError):
                (self._folder / LOCK).unlink()  # still locked: whoever waits for it notices, and makes a new one
            self._lock.release()

    def remove_stale(self, wanted: Iterable[File]) -> None:
        """Remove parts of more than a day ago that belong to none of these files."""
        if not self._lock.is_locked:
            return
        versions, before = {_version(file) for file in wanted}, time.time() - STALE_S
        with contextlib.suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                match = _PART.fullmatch(entry.name)
                if match and match[1] not in versions and entry.stat(follow_symlinks=False).st_mtime < before:
                    Part(Path(entry.path)).drop()

    def of(self, file: File) -> Part:
        """What there is of this file, perhaps nothing."""
        part = self._left.get(_version(file)) if self._left else None
        if part is None:
            return self.fresh(file)
        # Of two names: it was published, and the process died before the second name was gone.
        if part.size > file.size or not _is_alone(part.path):
            part.drop()
        return part

    def fresh(self, file: File, etag: str = "") -> Part:
        """The place for a file from its first byte on."""
        if file.size < WORTH_KEEPING:
            return Part(self.private().path, data=bytearray())
        if not self._lock.is_locked:
            return self.private()
        etag = etag if etag.startswith('"') and len(etag.encode()) <= _LONGEST_TAG else ""  # W/"..." promises little
        return Part(self._folder / f".dnb-{_version(file)}-{_name_of(etag)}.part", etag=etag)

    def private(self) -> Part:
        """A place that nobody else finds."""
        return Part(self._folder / f".dnb-{secrets.token_hex(8)}.part")

    def leave(self, part: Part) -> None:
        """End with a part that is not complete: keep it if the next download can use it."""
        if part.size < WORTH_KEEPING or not (match := _PART.fullmatch(part.path.name)) or not match[1]:
            part.drop()


def _is_alone(path: Path) -> bool:
    try:
        return path.lstat().st_nlink == 1
    except OSError:  # somebody has tidied up
        return False


def _version(file: File) -> str:
    return f"{file.file_id.hex}-{int(file.created_at.timestamp() * 1e6):x}-{file.size}"


def _name_of(etag: str) -> str:
    return base64.b32encode(etag.encode()).decode().rstrip("=").lower()


def _tag_in(name: str) -> str:
    try:
        return base64.b32decode(name.upper() + "=" * (-len(name) % 8)).decode()
    except ValueError:
        return ""


def publish(part: Path, path: Path) -> None:
    """Give a complete part its name.

    Raises:
        FileExistsError: Something has the name; it stays as it is.
    """
    try:
        os.link(part, path)  # unlike a rename, it never replaces anything, whoever is at work here too
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if os.path.lexists(path):
            raise FileExistsError(0, "the name is taken") from None
        part.rename(path)
    else:
        part.unlink()
