"""What may be seen of an address, and what it names."""

from __future__ import annotations

import contextlib
import errno
import ftplib
import socket

import pytest

from deepset_nb.client.addresses import is_hidden, is_signed, name_of, shown, with_ending, without_ending
from deepset_nb.client.places import as_os_error, file_system
from deepset_nb.transfer.meta import sidecar_of
from deepset_nb.transfer.remote_sources import _address

SECRETS = ("SECRET", "anna", "SIGN")


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("https://h/f.pdf?sv=2022&se=2026-12-01T00:00:00Z&sig=SECRET", "https://h/f.pdf?..."),
        ("https://h/f.pdf?x=a::SECRET::b", "https://h/f.pdf?..."),
        ("https://h:8080/f.pdf#token=SECRET", "https://h:8080/f.pdf#..."),
        ("https://h?mail=a@SECRET", "https://h?..."),
        ("https://h/f.pdf?x=\nSECRET", "https://h/f.pdf?..."),
        ("ftp://anna:p@SECRET@host/f", "ftp://...@host/f"),
        ("ftp://anna:p SECRET@host/f", "ftp://...@host/f"),
        ("ftp://anna:p/SECRET@host/f", "ftp://..."),
        ("https://anna:p?SECRET@host/f", "https://..."),
        ("https://archive/web/ftp://anna:SECRET@host/f", "https://archive/web/ftp://...@host/f"),
        ("zip://a.txt::https://anna:SECRET@h/x.zip?sig=SECRET", "zip://a.txt::https://...@h/x.zip?..."),
        ("simplecache::zip://a.txt::https://h/x.zip?s=SECRET", "simplecache::zip://a.txt::https://h/x.zip?..."),
        ("zip://a.txt?s=SECRET::s3://b/x.zip", "zip://a.txt?...::s3://b/x.zip"),
        (" https://anna@h/f?SECRET", " https://...@h/f?..."),
        ("https:/anna:SECRET@h/f?SECRET", "https:/...@h/f?..."),
        ("other://host/f.pdf?SECRET", "other://host/f.pdf?..."),
        ("s3://bucket/f.pdf?X-Amz-Signature=SECRET", "s3://bucket/f.pdf?..."),
    ],
)
def test_nothing_that_opens_an_address_is_seen(url: str, seen: str) -> None:
    assert shown(url) == seen
    assert shown(seen) == seen
    assert not any(secret in name_of(url) for secret in SECRETS)


@pytest.mark.parametrize(
    "url",
    [
        "s3://bucket/a@b/what?.pdf",
        "https://host:8080/a@b.pdf",
        "abfs://container@account.dfs.core.windows.net/a.pdf",
        "github://org:repository@main/a.pdf",
        "zip://a@b.txt::s3://bucket/c.zip",
        "hf://datasets/org/name@main/a.pdf",
        "/tmp/what?.pdf",
        "what is https://host/a?b",
    ],
)
def test_what_opens_nothing_stays(url: str) -> None:
    assert shown(url) == url
    assert not is_hidden(url)


def test_nobody_asks_for_what_was_only_shown() -> None:
    for url in ("https://h/f?sig=SECRET", "ftp://anna@h/f", "https://anna:p?@h/f", "zip://a::https://h/x?sig=SECRET"):
        assert is_hidden(shown(url))
        with pytest.raises(PermissionError, match="only what may be seen"):
            file_system(shown(url))


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://host/the%20report.pdf?sig=x#y", "the report.pdf"),
        ("https://host/", ""),
        ("https://host", ""),
        ("s3://bucket", ""),
        ("ftp://anna:secret@host:21", ""),
        ("memory://a@b.txt", "a@b.txt"),
        ("ftp://anna:secret@host/folder/a.txt", "a.txt"),
        ("zip://deep/a.txt::s3://bucket/c.zip", "a.txt"),
        ("simplecache::https://host/a.txt?sig=x", "a.txt"),
        ("simplecache::/tmp/a.txt", "a.txt"),
        ("zip::file:///tmp/c.zip", ""),
    ],
)
def test_the_name_is_that_of_the_link_that_names_files(url: str, name: str) -> None:
    assert name_of(url) == name


def test_endings_go_to_the_name_and_not_to_what_follows_it() -> None:
    assert with_ending("zip://a.txt::s3://b/c.zip", ".x") == "zip://a.txt.x::s3://b/c.zip"
    assert with_ending("simplecache::s3://b/a.txt", ".x") == "simplecache::s3://b/a.txt.x"
    assert without_ending("simplecache::s3://b/a.txt.x", ".x") == "simplecache::s3://b/a.txt"
    assert without_ending("https://h/a.txt.x?...", ".x") == "https://h/a.txt?..."
    assert without_ending("/tmp/a.txt.x", ".x") == "/tmp/a.txt"


def test_metadata_that_may_be_beside_a_file_is_not_taken_for_absent() -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        nobody = f"ftp://127.0.0.1:{server.getsockname()[1]}/a.txt"

    assert sidecar_of(nobody) == f"{nobody}.meta.json"
    assert sidecar_of("ftp://...@host/a.txt") is None  # what one may not ask for
    assert sidecar_of("https://host/a.txt?sig=x") is None
    assert sidecar_of(nobody.removesuffix("/a.txt")) is None  # not a file


def test_what_a_server_says_is_told_by_its_number_alone() -> None:
    with pytest.raises(OSError, match="the server answered 530") as caught, as_os_error():
        raise ftplib.error_perm("530 anna:SECRET may not log in")
    with pytest.raises(OSError, match="RuntimeError") as other, as_os_error():
        raise RuntimeError("https://anna:SECRET@host")
    with pytest.raises(OSError, match="Connection reset") as broken, as_os_error():
        raise ConnectionResetError(errno.ECONNRESET, "https://anna:SECRET@host")

    assert not any(secret in f"{one.value}" for one in (caught, other, broken) for secret in SECRETS)


def test_only_the_link_that_names_a_file_makes_its_address_signed() -> None:
    assert is_signed("https://h/a.txt?sig=x")
    assert is_signed("simplecache::https://h/a.txt?sig=x")
    assert not is_signed("zip://a.txt::https://h/c.zip?sig=x")
    assert not is_signed("s3://bucket/what?.txt")
    assert not is_signed("/tmp/what?.txt")


@pytest.mark.parametrize(
    ("url", "found", "below", "address"),
    [
        ("ftp://u:p@host/folder/", "/folder/in/a.txt", "in/a.txt", "ftp://u:p@host/folder/in/a.txt"),
        ("ftp://u:p@host", "/a.txt", "a.txt", "ftp://u:p@host/a.txt"),
        ("sftp://host:22/data/*.txt", "/data/a.txt", "a.txt", "sftp://host:22/data/a.txt"),
        ("abfs://c@acc.dfs.core.windows.net/f", "c/f/a.txt", "a.txt", "abfs://c@acc.dfs.core.windows.net/f/a.txt"),
        ("github://org:repo@main/", "docs/a.md", "docs/a.md", "github://org:repo@main/docs/a.md"),
        ("webhdfs://host:50070/data/**/*.txt", "/data/x/a.txt", "x/a.txt", "webhdfs://host:50070/data/x/a.txt"),
        ("s3://*/a.txt", "bucket/a.txt", "bucket/a.txt", "s3://bucket/a.txt"),
        ("simplecache::s3://b/f/", "b/f/a.txt", "a.txt", "simplecache::s3://b/f/a.txt"),
        ("simplecache::zip://f/*.txt::s3://b/c.zip", "f/a.txt", "a.txt", "simplecache::zip://f/a.txt::s3://b/c.zip"),
        ("zip::file:///c.zip", "f/a.txt", "f/a.txt", "zip://f/a.txt::file:///c.zip"),
        ("zip://::file:///c.zip", "f/a.txt", "f/a.txt", "zip://f/a.txt::file:///c.zip"),
        ("file:///*.txt", "/a.txt", "a.txt", "file:///a.txt"),
        ("https://u:p@h/f/*.txt", "https://u:p@h/f/a.txt", "a.txt", "https://u:p@h/f/a.txt"),
    ],
)
def test_a_file_below_a_url_has_its_host_account_and_chain(url: str, found: str, below: str, address: str) -> None:
    assert _address(url, found, below, has_pattern="*" in url) == address
