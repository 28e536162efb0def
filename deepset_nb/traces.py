"""What nobody wants to hand on with a text: keys, fields of presigned forms, home folders, names of people.

`find` looks at one text and returns where such things are, never what they are. Every pattern is linear in the length
of the text, whatever the text: what is looked at may be hostile, and large.
"""

from __future__ import annotations

import base64
import binascii
import getpass
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import quote

Kind = Literal["API key", "presigned field", "home folder", "e-mail address", "user name"]

SHORTEST_KEY = 8  # a shorter one would be found in every text
SHORTEST_NAME = 3
MASK = "***"
_DEPTH = 2  # base64 within base64
_NOBODY = {"root", "user", "jovyan", "admin", "ubuntu", "runner", "student", "jupyter", "coder", "vscode"}

# The part to hide is the group `hide`, else all of it. Names of fields may be followed by a value as in Python, JSON,
# HTML, a URL or a printed table.
_IS = r"(?:[\"'\]]|&quot;){0,3}(?:\s{0,40}|[\s>=:,|]{0,40}|%3D)(?:value=)?(?:[\"']|&quot;){0,2}"
_SLASH = "(?:/|%2F)"
_PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("API key", re.compile(r"\bapi_(?=[\w-]{0,200}[A-Z0-9])[\w-]{16,}(?:\.[\w-]{8,}){0,2}")),
    ("API key", re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}")),
    ("API key", re.compile(r"(?i)\bbearer\s{1,9}(?P<hide>[\w.~+/-]{16,}={0,2})")),
    (
        "API key",
        re.compile(
            r"(?i)(?:api|admin|access|secret)[_-]?(?:key|token)(?:[\"'\]]{0,2})\s{0,9}[:=]\s{0,9}[\"']"
            r"(?!your|my|<|\.\.|xxx|\*\*)(?P<hide>[\w.~+/=-]{16,})[\"']"
        ),
    ),
    ("presigned field", re.compile(r"(?i)x-amz-signature" + _IS + r"(?P<hide>[0-9a-f]{64})")),
    ("presigned field", re.compile(r"(?i)x-amz-security-token" + _IS + r"(?P<hide>[\w+/=%-]{40,})")),
    (
        "presigned field",
        re.compile(rf"\b[A-Z0-9]{{16,128}}{_SLASH}\d{{8}}{_SLASH}[\w-]{{1,40}}{_SLASH}s3{_SLASH}aws4_request"),
    ),
    ("presigned field", re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("home folder", re.compile(r"(?<![\w.])/(?:home|Users)/(?!jovyan\b|Shared\b)(?P<hide>[^/\s\"'<>:|]{1,64})")),
    ("home folder", re.compile(r"(?<![\w.~/-])(?P<hide>/root)(?=/)")),
    (
        "home folder",
        re.compile(r"(?i)\b[a-z]:(?:\\{1,4}|/)Users(?:\\{1,4}|/)(?!Public\b)(?P<hide>[^\\/\s\"'<>:|]{1,64})"),
    ),
    (
        "e-mail address",
        re.compile(
            r"(?<![\w.+-])(?P<hide>[\w.+-]{1,64})@(?!example\.|users\.noreply\.)(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}\b"
        ),
    ),
)
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{40,}={0,2}")
_POLICY = re.compile(r'\A\s*\{.{0,400}?"(?:expiration|conditions)"\s{0,9}:', re.S)


class Trace(NamedTuple):
    """Something that should not be handed on: what kind, and which characters of the text to hide."""

    kind: Kind
    start: int
    end: int


class Known:
    """What is known of whoever asks: keys, home folder, user name. Shows none of it.

    Args:
        keys: Secrets to look for, also where they are written as base64 or in a URL.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        """Prepare the search."""
        asked = {key for key in keys if len(key) >= SHORTEST_KEY}
        forms = sorted({form for key in asked for form in _forms(key)}, key=len, reverse=True)
        self._keys = re.compile("|".join(map(re.escape, forms)) if forms else r"(?!)")
        self.patterns: list[tuple[Kind, re.Pattern[str]]] = [("API key", self._keys)]
        if (home := _home()) is not None:
            self.patterns.append(("home folder", re.compile(rf"(?<![\w.]){re.escape(home)}(?![\w.-])")))
        if (name := _user()) is not None:
            self.patterns.append(("user name", re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")))

    def has_key(self, text: str) -> bool:
        """Whether one of the keys is anywhere in a text."""
        return self._keys.search(text) is not None

    def __repr__(self) -> str:
        return "<Known>"


def find(text: str, known: Known, depth: int = 0) -> list[Trace]:
    """Where a text holds something that should not be handed on; the parts do not overlap, keys come first."""
    found: list[Trace] = []
    for kind, pattern in (*known.patterns, *_PATTERNS):
        for match in pattern.finditer(text):
            part = "hide" if "hide" in pattern.groupindex else 0
            found.append(Trace(kind, match.start(part), match.end(part)))
    if depth < _DEPTH:
        found += _encoded(text, known, depth)
    return _apart(found)


def masked(text: str, traces: Iterable[Trace]) -> str:
    """The text with every such part hidden."""
    pieces, reached = [], 0
    for trace in sorted(traces, key=lambda trace: trace.start):
        pieces += [text[reached : trace.start], MASK]
        reached = trace.end
    return "".join([*pieces, text[reached:]])


def _encoded(text: str, known: Known, depth: int) -> Iterator[Trace]:
    """Runs of base64 that hold a key or a form's field, or are a form's policy."""
    for match in _BASE64.finditer(text):
        run = match[0].rstrip("=").replace("-", "+").replace("_", "/")
        try:
            content = base64.b64decode(run[: len(run) // 4 * 4], validate=True).decode("latin-1")
        except (binascii.Error, ValueError):
            continue
        if _POLICY.search(content):
            yield Trace("presigned field", match.start(), match.end())
            continue
        for trace in find(content, known, depth + 1):
            if trace.kind in ("API key", "presigned field"):  # elsewhere chance makes names of random bytes
                yield Trace(trace.kind, match.start(), match.end())
                break


def _apart(found: list[Trace]) -> list[Trace]:
    """Of parts that overlap, the one that begins first, or else is longer."""
    apart: list[Trace] = []
    for trace in sorted(found, key=lambda trace: (trace.start, -trace.end)):
        if apart and trace.start < apart[-1].end:
            if trace.end > apart[-1].end:
                apart[-1] = apart[-1]._replace(end=trace.end)
        elif trace.end > trace.start:
            apart.append(trace)
    return apart


def _forms(key: str) -> Iterator[str]:
    """How a key may be written: as it is, in a URL, and as base64 at any place of a longer text."""
    yield key
    yield quote(key, safe="")
    data = key.encode()
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + data).decode()
        core = whole[-(-8 * shift // 6) : 8 * (shift + len(data)) // 6]  # without what its neighbours have a part in
        yield core
        yield core.replace("+", "-").replace("/", "_")


def _home() -> str | None:
    try:
        home = str(Path.home())
    except RuntimeError:  # an account without one
        return None
    return home if len(Path(home).parts) > 1 else None


def _user() -> str | None:
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):
        return None
    return name if len(name) >= SHORTEST_NAME and name.lower() not in _NOBODY else None
