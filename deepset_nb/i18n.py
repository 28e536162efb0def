"""What widgets and their static forms say, in the reader's language; English stands in the code.

The catalogue is gettext's, ``locale/<language>.po``; the build turns it into the JSON read here and sent to the browser
(js/src/lib/i18n.ts). Receipts, errors and logs stay English: programs compare them, people search for them. What of
them is shown in a widget is translated there, sentence by sentence, by ``Translator.said``.
"""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache
from typing import Any, TypedDict

from ._places import static_folder


class Plural(TypedDict):
    one: str
    other: str


Messages = dict[str, "str | Plural"]

_PLACE = re.compile(r"\{(\w+)\}")
_AMOUNT = re.compile(r"\d[\d,]*(?:\.\d+)?(?: [kMGT]?i?B| s| %)?")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d)( UTC)?")
_END = re.compile(r"(?<=[.!?;:]) ")
_LONGEST = 1000  # characters that are looked up; longer texts are somebody else's
_MOST_SENTENCES = 6  # that one sentence of ours holds within itself
_DEEPEST = 3  # a sentence in a sentence in a sentence
_KEPT = 4096  # texts: a panel shows fifty failures ten times a second
# Placeholders for what people have named: a file may be called as one of our sentences is.
_NAMES = frozenset(
    ("file", "folder", "host", "key", "name", "name2", "parent", "path", "shown", "shown2", "stored_name", "workspace")
)
_KEY = 3  # characters by which templates are found
# A template as "{host} failed" would fit what a server says, too: its values must look like what we put there, or one
# of them be a sentence of ours.
_FEW_LETTERS = 8
_OURS = re.compile(r"\S*[\d./]\S*|'.*'|\".*\"", re.DOTALL)
_SWAPPED = str.maketrans(",.", ".,")


class Translator:
    """Says things in one language.

    Example:
        >>> tr = translator("de-AT")
        >>> tr.language
        'de'
        >>> translator("en").plural(1204, "{count} file", "{count} files")
        '1,204 files'

    Attributes:
        language: Of the texts: ``"de"``, ``"en"``.
        for_browser: The same catalogue for js/src/lib/i18n.ts.
    """

    def __init__(
        self, language: str, messages: Messages, for_browser: Messages, of_engine: Messages | None = None
    ) -> None:
        """Take a catalogue; an empty one says everything in English.

        Args:
            language: Of the texts.
            messages: For ``tr()`` and ``tr.plural()``.
            for_browser: For JavaScript.
            of_engine: For ``said()``; None takes ``messages``.
        """
        self.language = language
        self.for_browser = for_browser
        self._messages = messages
        self._engine = messages if of_engine is None else of_engine
        self._templates: dict[str, list[_Template]] = {}
        for sentence, twin in self._engine.items():
            if isinstance(twin, str) and _PLACE.search(sentence):
                template = _Template(sentence, twin)
                self._templates.setdefault(template.key, []).append(template)
        self._read = lru_cache(_KEPT)(self._sentences)

    def __call__(self, sentence: str, **values: object) -> str:
        """A sentence of the widgets with ``{name}`` for each value; whole numbers are grouped."""
        twin = self._messages.get(sentence)
        return self._fill(twin if isinstance(twin, str) else sentence, values)

    def plural(self, count: int, one: str, many: str, **values: object) -> str:
        """One of two sentences; ``{count}`` is the number."""
        twin = self._messages.get(one)
        forms = (twin["one"], twin["other"]) if isinstance(twin, dict) else (one, many)
        return self._fill(forms[count != 1], {"count": count, **values})

    def said(self, text: str) -> str:
        """What the engine said in English, as far as the catalogue knows its sentences."""
        if not self._engine or len(text) > _LONGEST:
            return text
        return self._read(text, 0)[1]

    def number(self, value: float, digits: int = 0) -> str:
        """``1,204`` or ``1.204``."""
        return self._amount(f"{value:,.{digits}f}")

    def size(self, number: float) -> str:
        """Bytes in decimal units, as the platform's limits count."""
        units = ["B", "kB", "MB", "GB", "TB"]
        while number >= 999.5 and len(units) > 1:
            number /= 1000
            units.pop(0)
        whole = units[0] == "B" or number >= 99.95 or f"{number:.1f}".endswith(".0")
        return f"{self.number(number, 0 if whole else 1)} {units[0]}"

    def minute(self, time: str) -> str:
        """``2026-11-22 14:00`` or ``22.11.2026, 14:00`` of a time in ISO 8601, in its own zone."""
        if self.language == "de" and time:
            return f"{time[8:10]}.{time[5:7]}.{time[:4]}, {time[11:16]}"
        return time[:16].replace("T", " ")

    # --- pieces ---------------------------------------------------------------------------------------------------

    def _fill(self, sentence: str, values: dict[str, Any]) -> str:
        shown = {name: self.number(value) if type(value) is int else str(value) for name, value in values.items()}
        return _PLACE.sub(lambda place: shown.get(place[1], place[0]), sentence)

    def _amount(self, text: str) -> str:
        return text.translate(_SWAPPED) if self.language == "de" else text

    # What was said is read in the way that leaves the fewest characters untranslated: sentences follow each other and
    # stand in each other, and "It is busy: {why}." also fits a text that goes on with a second sentence.

    def _sentences(self, text: str, depth: int) -> tuple[int, str]:
        """Characters that the catalogue knows, and the text with these translated."""
        starts = [0, *(found.end() for found in _END.finditer(text)), len(text) + 1]
        best: dict[int, tuple[int, str]] = {len(text) + 1: (0, "")}
        for index in range(len(starts) - 2, -1, -1):
            options = []
            for end in starts[index + 1 : index + 1 + _MOST_SENTENCES]:
                score, rest = best[end]
                known = self._sentence(text[starts[index] : end - 1], depth)
                if known is not None:
                    options.append((score + known[0], f"{known[1]} {rest}"))
            if not options:
                score, rest = best[starts[index + 1]]
                options.append((score, text[starts[index] : starts[index + 1] - 1] + f" {rest}"))
            best[starts[index]] = max(options, key=lambda option: option[0])
        score, said = best[0]
        return score, said[:-1]  # each piece brought a blank

    def _sentence(self, text: str, depth: int) -> tuple[int, str] | None:
        if isinstance(twin := self._engine.get(text), str):
            return len(text), twin
        best: tuple[int, str] | None = None
        for template in (*self._templates.get(text[:_KEY], ()), *self._templates.get("", ())):
            found = template.match(text)
            if found is None:
                continue
            values = {name: self._value(name, value, depth) for name, value in found.items()}
            is_read = any(known for known, _ in values.values())
            if template.few_letters and not is_read and not all(map(_OURS.fullmatch, found.values())):
                continue
            score = template.weight + sum(known for known, _ in values.values())
            if best is None or score > best[0]:
                best = score, self._fill(template.twin, {name: value for name, (_, value) in values.items()})
        return best

    def _value(self, name: str, value: str, depth: int) -> tuple[int, str]:
        if name in _NAMES:  # also one that looks like a number
            return 0, value
        if _AMOUNT.fullmatch(value):
            return 0, self._amount(value)
        if time := _TIME.fullmatch(value):
            return 0, self.minute(time[1]) + (time[2] or "")
        if depth == _DEEPEST:
            return 0, value
        return self._read(value, depth + 1)


class _Template:
    """A sentence with placeholders, matched in linear time: texts of servers and file names are among the values."""

    def __init__(self, sentence: str, twin: str) -> None:
        parts = _PLACE.split(sentence)
        self.twin = twin
        self.weight = sum(map(len, parts[::2]))
        self.few_letters = not parts[0] and sum(map(str.isalpha, "".join(parts[::2]))) < _FEW_LETTERS
        self._first, *self._between, self._last = parts[::2]
        self._names = parts[1::2]
        self.key = self._first[:_KEY] if len(self._first) >= _KEY else ""

    def match(self, text: str) -> dict[str, str] | None:
        """What stands in the placeholders, each as short as can be; None where the text is another one."""
        if not text.startswith(self._first) or not text.endswith(self._last) or len(text) < self.weight:
            return None
        position, end = len(self._first), len(text) - len(self._last)
        values: dict[str, str] = {}
        for name, literal in zip(self._names, [*self._between, None], strict=True):
            until = end if literal is None else text.find(literal, position, end)
            if until < position or values.setdefault(name, text[position:until]) != text[position:until]:
                return None
            position = until + len(literal or "")
        return values


ENGLISH = Translator("en", {}, {})


def translator(locale: str) -> Translator:
    """The translator for a front end's locale such as ``de-AT``; English where there is no catalogue."""
    return _of_language(re.split(r"[-_]", locale, maxsplit=1)[0].lower())


@cache
def _of_language(language: str) -> Translator:
    path = static_folder() / "locale" / f"{language}.json"
    # The name comes from a browser: only what can be a language's code may become part of a path.
    if not re.fullmatch(r"[a-z]{2,3}", language) or not path.is_file():
        return ENGLISH
    catalogue = json.loads(path.read_text(encoding="utf-8"))
    return Translator(language, catalogue["python"], catalogue["javascript"], catalogue["engine"])
