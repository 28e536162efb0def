"""The catalogue beside the sources: which sentences it lacks, and which it has too much."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel.messages import Catalog
from babel.messages.pofile import read_po, write_po

from tests.process import ROOT
from tests.texts import Text, engine, javascript, widgets

ENGINE = "engine"  # the flag of sentences that the engine says
FOLDER = ROOT / "deepset_nb" / "locale"


def sources() -> Iterator[Text]:
    """Every sentence of the project, once a place."""
    yield from dict.fromkeys([*javascript.texts(), *engine.texts(), *widgets.texts()])


def read(path: Path) -> Catalog:
    """A catalogue; one that gettext would not take is an error."""
    with path.open("rb") as file:
        return read_po(file, abort_invalid=True)


def template(texts: Iterable[Text]) -> Catalog:
    """A catalogue without translations."""
    catalogue = Catalog()
    for text in texts:
        hints = [text.hint] if text.hint else []
        message = (text.one, text.many) if text.many else text.one
        flags = [ENGINE] if text.by_engine else []
        catalogue.add(message, locations=[(text.place, 0)], auto_comments=hints, flags=flags)
    return catalogue


def brought_up_to_date(catalogue: Catalog, texts: Iterable[Text], compendium: Catalog | None = None) -> Catalog:
    """The same translations for the sentences of now.

    What is new has the compendium's, else that of a sentence like it, marked as fuzzy, or none.
    """
    for message in catalogue:
        message.flags.discard(ENGINE)
    catalogue.update(template(texts), update_creation_date=False)
    catalogue.obsolete.clear()
    for message in catalogue:
        known = compendium.get(message.id) if compendium and message.id else None
        if known and known.id == message.id and known.string and (message.fuzzy or not any(message.string or ())):
            message.string, message.previous_id = known.string, []
            message.flags.discard("fuzzy")
    return catalogue


def write(catalogue: Catalog, path: Path) -> None:
    """Under the header that the file has, in an order that does not change when a sentence moves within its source."""
    for message in catalogue:
        message.flags &= {ENGINE, "fuzzy"}  # Babel's guesses at formats come and go
    header, _, _ = path.read_text(encoding="utf-8").partition("\n\n")
    body = io.BytesIO()
    options = {"omit_header": True, "include_lineno": False, "sort_by_file": True, "include_previous": True}
    write_po(body, catalogue, width=120, **options)
    path.write_text(f"{header}\n\n{body.getvalue().decode().strip()}\n", encoding="utf-8")


def twins(catalogue: Catalog) -> dict[tuple[str, str], tuple[str, ...]]:
    """Translations by both forms of their sentence; empty where there is none that counts."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for message in catalogue:
        one, many = (message.id, "") if isinstance(message.id, str) else tuple(message.id)
        strings = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
        if one:
            found[one, many] = () if message.fuzzy or not all(strings) else strings
    return found
