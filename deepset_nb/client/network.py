"""What both lanes share: time-outs, the TLS context, proxies, and words for a connection that failed."""

from __future__ import annotations

import contextlib
import functools
import os
import ssl
from collections.abc import Iterator
from urllib.request import getproxies, proxy_bypass

import httpx

from ..errors import ConnectionFailed, SettingsError
from ..settings import is_loopback

CONNECT_S = 10.0
READ_S = 60.0
WRITE_S = 60.0
# Waiting for one of our own connections is no failure: each of them is bounded by the other three.
TIMEOUT = httpx.Timeout(connect=CONNECT_S, read=READ_S, write=WRITE_S, pool=None)


def ssl_context() -> ssl.SSLContext:
    """The TLS context of this process; making one takes 50 ms."""
    return _ssl_context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@functools.cache
def _ssl_context(cert_file: str | None, cert_dir: str | None) -> ssl.SSLContext:
    try:
        return httpx.create_ssl_context()
    except OSError as error:  # ssl.SSLError is one, too
        raise SettingsError(
            f"The certificates in {cert_file or cert_dir!r} cannot be read: {error.strerror or error}.",
            "Correct SSL_CERT_FILE or SSL_CERT_DIR, or unset them.",
        ) from None


@contextlib.contextmanager
def usable_proxy() -> Iterator[None]:
    """Words for a proxy of the environment that httpx cannot use; its URL, which may hold a password, stays out."""
    try:
        yield
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        why = "SOCKS is not installed" if isinstance(error, ImportError) else "its URL, or NO_PROXY, is not valid"
        raise SettingsError(
            f"The proxy that the environment names cannot be used: {why}.",
            "Correct HTTPS_PROXY, ALL_PROXY and NO_PROXY, or unset them; for SOCKS run: pip install 'httpx[socks]'",
        ) from None


def proxy_for(url: httpx.URL) -> str | None:
    """The proxy the environment names for ``url``; never one for this machine."""
    if is_loopback(url.host) or proxy_bypass(url.host):
        return None
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


def connection_failed(error: httpx.HTTPError, host: str, doing: str) -> ConnectionFailed:
    """Words for a request that got no answer.

    Args:
        error: What httpx raised.
        host: Whom we asked.
        doing: What for, as in ``"GET /me"``.
    """
    remedy = "Check the network (VPN, proxy) and API_URL, then try again."
    if is_certificate(error):
        remedy = "If your network has a certificate authority of its own, name its file in SSL_CERT_FILE."
    return ConnectionFailed(f"{host} gave no answer to {doing}: {reason_of(error)}.", remedy)


def is_certificate(error: httpx.HTTPError) -> bool:
    """Whether the other side's certificate was not accepted."""
    return "CERTIFICATE_VERIFY_FAILED" in str(error)


def reason_of(error: httpx.HTTPError) -> str:
    """Why there was no answer, in a few words."""
    match error:
        case httpx.ConnectTimeout():
            return f"no connection within {CONNECT_S:.0f} s"
        case httpx.ReadTimeout():
            return "it was silent for too long"
        case httpx.WriteTimeout():
            return "it stopped taking data"
        case httpx.ConnectError():
            return f"it cannot be reached ({_words(error)})"
        case httpx.ProxyError():
            return f"the proxy refused ({_words(error)})"
        case _:
            return f"the connection broke ({_words(error)})"


def _words(error: httpx.HTTPError) -> str:
    return (str(error) or type(error).__name__).rstrip(".")[:200]
