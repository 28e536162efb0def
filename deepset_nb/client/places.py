"""Where the bytes of a file lie: on a disk, or behind a URL that fsspec opens (``s3://``, ``gs://``, ``https://``, ``zip://``).

Everything that looks at a source goes through here, so that a URL works wherever a path does. What another library
raises becomes an `OSError` that repeats nothing of it: such texts hold addresses, and addresses hold signatures.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat as modes
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import IO, Any, TypeGuard, cast

from ..errors import DeepsetError, MissingExtra
from .addresses import is_hidden, is_remote, shown

_TIMES = ("LastModified", "last_modified", "mtime", "modified", "updated", "created", "date_time")
READ_BYTES = 1 << 20  # a request to a store; each open file holds about two


def file_system(url: str) -> tuple[Any, str]:
    """Fsspec's file system for a URL, and the path in it.

    Raises:
        MissingExtra: fsspec, or the library of this kind of URL, is not installed.
        OSError: It cannot be reached, or it is an address of which something is not told.
    """
    if is_hidden(url):  # whoever asked without would get another answer, or another file
        raise PermissionError(errno.EACCES, "of its address only what may be seen is known, not what opens it")
    try:
        import fsspec  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        raise MissingExtra(
            f"URLs such as {shown(url)[:100]!r} need fsspec.", "Install it: pip install 'deepset-nb[remote]'."
        ) from None
    kind = url.partition(":")[0]
    try:
        fsspec.get_filesystem_class(kind)
    except ImportError:
        pass  # said below, also of the rest of a chain
    except ValueError:
        raise OSError(errno.EINVAL, "fsspec knows no addresses of this kind") from None
    try:
        with as_os_error():
            return cast("tuple[Any, str]", fsspec.core.url_to_fs(url))
    except ImportError as error:
        raise MissingExtra(
            f"URLs of the kind {kind}:// need another library: {error}.",  # fsspec's own words for each kind
            "Install it, then run the cell again.",
        ) from None


def ask_afresh(sources: Iterable[object]) -> None:
    """Have the stores of these URLs asked again, each once: what fsspec listed it keeps as long as the kernel lives."""
    asked = set()
    for source in sources:
        if not is_remote(source):
            continue
        store = str(source).rpartition("::")[2]  # the others of a chain read from it
        if (name := "/".join(store.split("/", 3)[:3])) not in asked:
            asked.add(name)
            # Whoever reads from a store that cannot be reached is told so.
            with contextlib.suppress(OSError, ImportError), as_os_error():
                import fsspec

                if is_remote(store) and fsspec.get_filesystem_class(store.partition(":")[0]).cachable:
                    file_system(store)[0].invalidate_cache()


def stat_of(source: str | os.PathLike[str]) -> os.stat_result:
    """Kind, size and time, as `os.stat` tells them.

    Raises:
        OSError: There is no such file, it cannot be reached, or nobody knows its size.
    """
    if not is_remote(source):
        return os.stat(source)  # noqa: PTH116
    system, path = file_system(str(source))
    with as_os_error():
        info = system.info(path)
    return remote_stat(info)


def remote_stat(info: dict[str, Any]) -> os.stat_result:
    """What fsspec tells of a file, in the form of `os.stat`."""
    is_folder = info.get("type") == "directory"
    size = info.get("size")
    if size is None and not is_folder:
        raise OSError(errno.EIO, "its size is not known; copy it to a disk first")
    when = _nanoseconds(next((info[key] for key in _TIMES if info.get(key)), None))
    mode = (modes.S_IFDIR if is_folder else modes.S_IFREG) | 0o444
    return os.stat_result((mode, 0, 0, 1, 0, 0, size or 0, 0, when // 10**9, 0), {"st_mtime_ns": when})


def _nanoseconds(moment: Any) -> int:
    if isinstance(moment, tuple | list) and len(moment) == 6:  # of a zip
        year, month, day, hour, minute, second = moment
        if not (month and day):  # an archive need not tell it
            return 0
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    if isinstance(moment, datetime):
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) * 10**9
    return int(moment * 10**9) if isinstance(moment, int | float) else 0


@contextlib.contextmanager
def opened(source: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open to read, once and from the beginning.

    Raises:
        OSError: It cannot be opened; also while it is read.
    """
    if not is_remote(source):
        with open(source, "rb", buffering=0) as file:  # noqa: PTH123 (half the time of a Path's, for 100,000 files)
            yield file
        return
    system, path = file_system(str(source))
    with as_os_error():
        remote = system.open(path, "rb", block_size=READ_BYTES)
    try:
        yield cast("IO[bytes]", _Reader(remote))
    finally:
        with contextlib.suppress(OSError), as_os_error():  # all that was wanted of it is read
            remote.close()


class _Reader:
    """An open remote file: what goes wrong while it is read is an `OSError` as well, wherever it is read."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        with as_os_error():
            return cast("bytes", self._file.read(size))

    def readinto(self, buffer: bytearray) -> int:
        piece = self.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)


def is_there(source: str) -> bool:
    """Whether something lies at a path or URL."""
    if not is_remote(source):
        return os.path.lexists(source)
    system, path = file_system(source)
    with as_os_error():
        return bool(system.exists(path))


@contextlib.contextmanager
def as_os_error() -> Iterator[None]:
    """Turn whatever another library raises within into an `OSError` that repeats nothing of it.

    Not around a ``yield``: what the other side raises would be taken for it.
    """
    try:
        yield
    except (DeepsetError, ImportError):
        raise
    except Exception as error:
        raise _told_again(error) from None


def _told_again(error: Exception) -> OSError:
    if isinstance(error, FileNotFoundError) and _says_more(error.__cause__):
        error = error.__cause__  # fsspec calls "not found" whatever a web server did not give
    status = getattr(error, "status", None)
    if type(error).__module__ == "ftplib" and str(error)[:3].isdigit():
        status = int(str(error)[:3])
    if isinstance(error, FileNotFoundError) or status in (404, 410):
        return FileNotFoundError(errno.ENOENT, "there is no such file")
    if status in (401, 403):
        return PermissionError(errno.EACCES, f"you may not read it, the server answered {status}")
    if isinstance(error, PermissionError):
        return PermissionError(errno.EACCES, "you may not read it")
    if isinstance(status, int):
        return OSError(errno.EIO, f"the server answered {status}")
    if type(error).__name__ == "FileExpired":  # of s3fs, which may not be installed
        return OSError(errno.EBUSY, "it was changed meanwhile")
    if isinstance(error, TimeoutError):  # told as another kind: whoever sends would take it for the bucket's
        return OSError(errno.EIO, "nobody answered in time")
    if isinstance(error, OSError) and error.errno and error.errno > 0:
        return OSError(error.errno, os.strerror(error.errno))
    return OSError(errno.EIO, type(error).__name__)


def _says_more(cause: BaseException | None) -> TypeGuard[Exception]:
    return isinstance(cause, OSError) or isinstance(getattr(cause, "status", None), int)
