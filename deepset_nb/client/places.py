"""Where the bytes of a file lie: on a disk, or behind a URL that fsspec opens (``s3://``, ``gs://``, ``https://``, ``zip://``).

Everything that looks at a source goes through here, so that a URL works wherever a path does. What another library
raises becomes an `OSError` that repeats nothing of it: such texts hold addresses, and addresses hold signatures.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat as modes
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import IO, Any, cast

from ..errors import DeepsetError, MissingExtra

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]+(?:::|://)")  # two letters at least: C:\ is a drive
_SECRET = re.compile(r"(://)[^/@:\s]*(?::[^/@\s]*)?@|\?[^:]*")  # user and password, and what follows a question mark
_TIMES = ("LastModified", "last_modified", "mtime", "modified", "updated", "created", "date_time")
READ_BYTES = 1 << 20  # a request to a store; each open file holds about two


def is_remote(source: object) -> bool:
    """Whether it is a URL for fsspec rather than a path."""
    return isinstance(source, str) and _URL.match(source) is not None


def shown(source: str) -> str:
    """A URL as it may be seen: without user, password and signature."""
    return _SECRET.sub(lambda found: found[1] or "", source) if is_remote(source) else source


def with_ending(source: str, ending: str) -> str:
    """A path or URL whose name got this ending; in a chain (``zip://a.txt::s3://b/c.zip``) the first link is it."""
    name, chain, rest = source.partition("::") if is_remote(source) else (source, "", "")
    return f"{name}{ending}{chain}{rest}"


def without_ending(source: str, ending: str) -> str:
    """The other way round."""
    name, chain, rest = source.partition("::") if is_remote(source) else (source, "", "")
    return f"{name.removesuffix(ending)}{chain}{rest}"


def file_system(url: str) -> tuple[Any, str]:
    """Fsspec's file system for a URL, and the path in it.

    Raises:
        MissingExtra: fsspec, or the library of this kind of URL, is not installed.
        OSError: It cannot be reached.
    """
    try:
        import fsspec  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        raise MissingExtra(
            f"URLs such as {shown(url)[:100]!r} need fsspec.", "Install it: pip install 'deepset-nb[remote]'."
        ) from None
    kind = url.partition(":")[0]
    try:
        with _as_os_error():
            return cast("tuple[Any, str]", fsspec.core.url_to_fs(url))
    except ImportError as error:
        raise MissingExtra(
            f"URLs of the kind {kind}:// need another library: {error}.",  # fsspec's own words for each kind
            "Install it, then run the cell again.",
        ) from None


def stat_of(source: str | os.PathLike[str]) -> os.stat_result:
    """Kind, size and time, as `os.stat` tells them.

    Raises:
        OSError: There is no such file, it cannot be reached, or nobody knows its size.
    """
    if not is_remote(source):
        return os.stat(source)  # noqa: PTH116
    system, path = file_system(str(source))
    with _as_os_error():
        return remote_stat(system.info(path))


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
    with _as_os_error(), system.open(path, "rb", block_size=READ_BYTES) as remote:
        yield remote


def is_there(source: str) -> bool:
    """Whether something lies at a path or URL."""
    if not is_remote(source):
        return os.path.lexists(source)
    system, path = file_system(source)
    with _as_os_error():
        return bool(system.exists(path))


@contextlib.contextmanager
def _as_os_error() -> Iterator[None]:
    try:
        yield
    except (DeepsetError, ImportError):
        raise
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, "there is no such file") from None
    except PermissionError:
        raise PermissionError(errno.EACCES, "you may not read it") from None
    except OSError as error:
        raise OSError(error.errno or errno.EIO, os.strerror(error.errno) if error.errno else _kind(error)) from None
    except Exception as error:
        raise OSError(errno.EIO, _kind(error)) from None


def _kind(error: Exception) -> str:
    status = getattr(error, "status", None)
    return f"{type(error).__name__} {status}" if isinstance(status, int) else type(error).__name__
