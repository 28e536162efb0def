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
_LONGEST = 600  # characters of a sentence that is looked up; longer ones are somebody else's
_KEPT = 4096  # sentences: a panel shows fifty failures ten times a second
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

    def __init__(self, language: str, messages: Messages, for_browser: Messages) -> None:
        """Take a catalogue; an empty one says everything in English."""
        self.language = language
        self.for_browser = for_browser
        self._messages = messages
        self._templates = [
            (_pattern(sentence), twin)
            for sentence, twin in messages.items()
            if isinstance(twin, str) and _PLACE.search(sentence)
        ]
        # The more a template says itself, the earlier it is tried: "{a} of {b}" would take many a sentence.
        self._templates.sort(key=lambda entry: -len(_PLACE.sub("", entry[1])))
        self._said = lru_cache(_KEPT)(self._look_up)

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
        if not self._messages or len(text) > _LONGEST:
            return text
        return self._said(text)

    def number(self, value: float, digits: int = 0) -> str:
        """``1,204`` or ``1.204``."""
        return self._amount(f"{value:,.{digits}f}")

    def size(self, number: float) -> str:
        """Bytes in decimal units, as the platform's limits count."""
        units = ["B", "kB", "MB", "GB", "TB"]
        while number >= 999.5 and len(units) > 1:
            number /= 1000
            units.pop(0)
        return f"{self.number(number, 0 if units[0] == 'B' or number >= 99.95 else 1)} {units[0]}"

    # --- pieces ---------------------------------------------------------------------------------------------------

    def _fill(self, sentence: str, values: dict[str, Any]) -> str:
        shown = {name: self.number(value) if type(value) is int else str(value) for name, value in values.items()}
        return _PLACE.sub(lambda place: shown.get(place[1], place[0]), sentence)

    def _amount(self, text: str) -> str:
        return text.translate(_SWAPPED) if self.language == "de" else text

    def _look_up(self, text: str) -> str:
        if (whole := self._sentence(text)) is not None:
            return whole
        # Several sentences one after the other: take the longest beginning that is known.
        ends = [found.end() - 1 for found in re.finditer(r"[.!?;:] ", text)]
        for end in reversed(ends):
            if (known := self._sentence(text[:end])) is not None:
                return f"{known} {self._look_up(text[end + 1 :])}"
        return text

    def _sentence(self, text: str) -> str | None:
        if isinstance(twin := self._messages.get(text), str):
            return twin
        for pattern, template in self._templates:
            if found := pattern.fullmatch(text):
                values = {name: self._value(value) for name, value in found.groupdict().items()}
                return self._fill(template, values)
        return None

    def _value(self, value: str) -> str:
        """Numbers get this language's signs, words that are in the catalogue (file, files) their twins."""
        if _AMOUNT.fullmatch(value):
            return self._amount(value)
        twin = self._messages.get(value)
        return twin if isinstance(twin, str) else value


def _pattern(sentence: str) -> re.Pattern[str]:
    parts = _PLACE.split(sentence)
    seen: set[str] = set()
    pattern = ""
    for index, part in enumerate(parts):
        if index % 2 == 0:
            pattern += re.escape(part)
        elif part in seen:
            pattern += f"(?P={part})"
        else:
            seen.add(part)
            pattern += f"(?P<{part}>.+?)"
    return re.compile(pattern, re.DOTALL)


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
    return Translator(language, catalogue["python"], catalogue["javascript"])
