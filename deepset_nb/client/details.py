"""The text in an error body, whichever of the platform's shapes it has.

Platform API reference, error bodies: ``{"errors": [...]}``, ``{"details": [...]}``, ``{"detail": [...]}``,
``{"detail": "..."}``, plain text, and HTML pages from proxies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import httpx
import msgspec

MOST_CHARS = 500
_LISTS = ("errors", "details", "detail")
_TEXTS = ("msg", "message", "error_message", "error", "detail", "title")
_UNSEEN = ("script", "style", "head")


def details_of(response: httpx.Response) -> str:
    """The words of an error response that was read, on one line, at most 500 characters."""
    text = response.text.strip()
    if text[:1] in ("{", "[", '"'):
        try:
            return joined(_texts(msgspec.json.decode(response.content)))
        except msgspec.DecodeError:
            pass
    if "<html" in text[:1000].lower() or "<!doctype" in text[:1000].lower():
        return joined([_words_of_page(text[:100_000])])
    return joined([text])


def joined(texts: Iterator[str] | list[str]) -> str:
    """``texts`` on one line, without repetitions, cut to a readable length."""
    line = "; ".join(dict.fromkeys(" ".join(text.split()) for text in texts if text.strip()))
    return line if len(line) <= MOST_CHARS else f"{line[: MOST_CHARS - 1]}…"


def _texts(body: Any) -> Iterator[str]:
    match body:
        case str():
            yield body
        case list():
            for item in body:
                yield from _texts(item)
        case dict():
            yield from _texts_of_object(body)


def _texts_of_object(body: dict[str, Any]) -> Iterator[str]:
    for key in _LISTS:
        if isinstance(body.get(key), (list, dict)):
            yield from _texts(body[key])
            return
    text = next((body[key] for key in _TEXTS if isinstance(body.get(key), str)), None)
    if text is not None:
        yield f"{_place(body.get('loc'))}{text}"


def _place(loc: Any) -> str:
    # FastAPI's loc begins with where the value travelled; what the user wrote is the rest.
    if not isinstance(loc, list) or not loc:
        return ""
    steps = [str(step) for step in loc]
    return ".".join(steps[1:] if len(steps) > 1 and steps[0] in ("body", "query", "path") else steps) + ": "


def _words_of_page(page: str) -> str:
    reader = _PageReader()
    reader.feed(page)
    return reader.title.strip() or re.sub(r"\s+", " ", reader.text).strip()


class _PageReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.title = self.text = ""
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title" or tag in _UNSEEN:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            del self._open[self._open.index(tag) :]

    def handle_data(self, data: str) -> None:
        if self._open[-1:] == ["title"]:
            self.title += data
        elif not self._open:
            self.text += f"{data} "
