"""Addresses as texts: which texts are URLs, what of them may be seen, and what names the file they lead to.

A URL may be a chain of links (``zip://a.txt::s3://bucket/b.zip``), and each link may hold what opens it: a password
before the host, a signature after the question mark. That is for fsspec alone. Whatever shows, logs or keeps an
address takes `shown` of it, in which three dots stand for what is not told, so that nobody takes it for the address.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from urllib.parse import unquote

_KIND = r"[A-Za-z][A-Za-z0-9+.\-]+"  # two letters at least: C:\ is a drive
_URL = re.compile(rf"{_KIND}(?:::|://)")
_FROM_PATH = re.compile(rf"{_KIND}:[/\\](?![/\\])")  # what pathlib makes of a URL
_LINK = re.compile(rf"({_KIND}):([/\\]{{1,2}})((?:(?!::{_KIND}:[/\\]).)*)", re.DOTALL)
_PORT = re.compile(r"[^:]*:\d*|\[.*")  # of a host, which may be an IPv6 one
_INNER = re.compile(r"(://)[^/]*@")  # of an address within an address
_HIDDEN = re.compile(r":[/\\]{1,2}\.\.\.(?:@|::|$)|[?#]\.\.\.(?:::|$)")
_MARK = re.compile(r"(?<=/)\.\.\.(?:@|$)|[?#]\.\.\.$")
_CACHES = re.compile(r"(?:(?:simplecache|filecache|blockcache|cached)::)+")  # they have the names of what they keep
_QUERY, _WEB_QUERY, _SOME_QUERY = re.compile(r"\?"), re.compile(r"[?#]"), re.compile(r"\?(?=.*=)", re.DOTALL)
_WEB = ("http", "https")
_HOSTLESS = ("file", "libarchive", "local", "memory", "tar", "zip")
_HOSTS = ("abfs", "abfss", "adl", "az", "ftp", "gcs", "gs", "hdfs", "s3", "s3a", "sftp", "smb", "ssh")
_NO_USER = (*_HOSTLESS, "abfs", "abfss", "github")  # whatever is before an @


def is_remote(source: object) -> bool:
    """Whether it is a URL for fsspec rather than a path."""
    return isinstance(source, str) and _URL.match(source) is not None


def is_from_path(text: str) -> bool:
    """Whether it is what is left of a URL that was made a `Path`."""
    return _FROM_PATH.match(text) is not None


def shown(source: str) -> str:
    """A URL as it may be seen: without user, password and signature.

    Example:
        >>> shown("https://anna:secret@host/a.pdf?signature=secret")
        'https://...@host/a.pdf?...'
    """
    if not is_remote(source.lstrip()) and not is_from_path(source.lstrip()):
        return source
    return _LINK.sub(_shown_link, source)


def is_hidden(source: object) -> bool:
    """Whether it is what was shown of a URL, of which something is not told: nothing can be read there."""
    return is_remote(source) and _HIDDEN.search(str(source)) is not None


def is_signed(source: str) -> bool:
    """Whether a URL has a query, and so leads to one very file and not to what lies beside it."""
    return is_remote(source) and (link := _LINK.match(parts_of(source)[1])) is not None and _query(link) < len(link[3])


def parts_of(url: str) -> tuple[str, str, str]:
    """The caches before the link that names files, that link, and the rest of the chain."""
    caches = found[0] if (found := _CACHES.match(url)) else ""
    link, chain, rest = url[len(caches) :].partition("::")
    return caches, link, chain + rest


def name_of(url: str) -> str:
    """The name of the file a URL leads to; empty where it names none.

    Example:
        >>> name_of("https://host/the%20report.pdf?signature=secret")
        'the report.pdf'
    """
    seen = _MARK.sub("", shown(parts_of(url)[1]))
    if "://" in seen:
        kind, _, path = seen.partition("://")
        if kind.lower() in (*_WEB, *_HOSTS):
            path = path.partition("/")[2]
        path = unquote(path) if kind.lower() in _WEB else path
    else:
        path = seen if "/" in seen else ""  # else a kind alone, such as zip::
    return posixpath.basename(path.rstrip("/"))


def with_ending(source: str, ending: str) -> str:
    """A path or URL whose name got this ending."""
    caches, name, rest = parts_of(source) if is_remote(source) else ("", source, "")
    return f"{caches}{name}{ending}{rest}"


def as_path(seen: str) -> Path:
    """What was shown of a file as a path that ends with its name."""
    return Path(_MARK.sub("", seen) if is_remote(seen) else seen)


def without_ending(source: str, ending: str) -> str:
    """The other way round; also of a URL as it is shown."""
    caches, name, rest = parts_of(source) if is_remote(source) else ("", source, "")
    mark = name[-4:] if name.endswith(("?...", "#...")) else ""
    return f"{caches}{name.removesuffix(mark).removesuffix(ending)}{mark}{rest}"


def _query(link: re.Match[str]) -> int:
    """Where the query of a link begins. In a store ``?`` is a letter like others, unless something is assigned."""
    kind = link[1].lower()
    found = (_SOME_QUERY if kind in (*_HOSTLESS, *_HOSTS) else _WEB_QUERY if kind in _WEB else _QUERY).search(link[3])
    return found.start() if found else len(link[3])


def _shown_link(link: re.Match[str]) -> str:
    kind, sign, whole = link.groups()
    query = _query(link)
    host, slash, path = whole[:query].partition("/")
    if kind.lower() not in _NO_USER:
        if "@" in host:
            host = f"...@{host.rpartition('@')[2]}"
        elif ":" in host and "@" in whole and not _PORT.fullmatch(host):
            return f"{kind}:{sign}..."  # of a password with a / or ? in it nobody can tell where it ends
    path = _INNER.sub(r"\1...@", path)
    mark = f"{whole[query]}..." if query < len(whole) else ""
    return f"{kind}:{sign}{host}{slash}{path}{mark}"
