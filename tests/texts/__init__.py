"""Every sentence that a person reads in a widget, found in the sources, and the catalogue that translates it.

    python -m tests.texts             what the catalogue lacks, and what it has too much
    python -m tests.texts --update    write new sentences into the catalogue, untranslated, and take old ones out

Where sentences come from: ``t()``, ``rich()``, ``plural()`` in js/src (javascript.py); ``tr()``, ``tr.plural()`` in
Python widgets (widgets.py); and the English that the engine writes into receipts, progress and errors (engine.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Text:
    """A sentence, or a part of one, as it stands in the code.

    Attributes:
        one: The sentence; of two forms that for one thing.
        many: The form for several things; empty where there is one form.
        place: The file, relative to the top.
        by_engine: It is found again in a text that is made already.
        hint: What a translator should know.
    """

    one: str
    many: str = ""
    place: str = ""
    by_engine: bool = field(default=False, compare=False)
    hint: str = field(default="", compare=False)


class Unreadable(Exception):
    """A call whose sentence is not a literal, so that nobody can translate it."""
