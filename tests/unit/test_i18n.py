"""Texts in the reader's language: what widgets say themselves, and what the engine said in English."""

from __future__ import annotations

import pytest

from deepset_nb.i18n import ENGLISH, Messages, Translator, translator

GERMAN: Messages = {
    "Cancelled: nothing was sent": "Abgebrochen: Es wurde nichts gesendet",
    "Sending {done} of {total} {files}": "{done} von {total} {files} werden gesendet",
    "The file is {size}; at most {limit} are taken.": "Die Datei hat {size}; höchstens {limit} werden angenommen.",
    "Split it.": "Teilen Sie sie auf.",
    "files": "Dateien",
    "{count} file": {"one": "{count} Datei", "other": "{count} Dateien"},
}


@pytest.fixture
def german() -> Translator:
    return Translator("de", GERMAN, {})


def test_a_sentence_of_a_widget_is_said_in_the_language_with_its_numbers(german: Translator) -> None:
    assert german.plural(1204, "{count} file", "{count} files") == "1.204 Dateien"
    assert german.plural(1, "{count} file", "{count} files") == "1 Datei"
    assert german.size(1_500_000) == "1,5 MB"


def test_english_needs_no_catalogue() -> None:
    assert ENGLISH("Session {id}", id="abc") == "Session abc"
    assert ENGLISH.plural(1204, "{count} file", "{count} files") == "1,204 files"


def test_what_the_engine_said_is_found_by_its_template(german: Translator) -> None:
    assert german.said("Sending 1,204 of 2,000 files") == "1.204 von 2.000 Dateien werden gesendet"
    assert german.said("The file is 1.5 GB; at most 200 MB are taken.") == (
        "Die Datei hat 1,5 GB; höchstens 200 MB werden angenommen."
    )


def test_several_sentences_are_translated_one_by_one(german: Translator) -> None:
    said = german.said("The file is 2 GB; at most 1 GB are taken. Split it. Unheard of. Split it.")

    assert said == ("Die Datei hat 2 GB; höchstens 1 GB werden angenommen. Teilen Sie sie auf. Unheard of. Split it.")


def test_what_the_catalogue_does_not_know_stays_as_it_is(german: Translator) -> None:
    assert german.said("<b>Something</b> of the server") == "<b>Something</b> of the server"
    assert german.said("x" * 100_000) == "x" * 100_000


def test_a_file_name_within_a_sentence_is_left_alone() -> None:
    german = Translator("de", {"{path} is empty.": "{path} ist leer.", "files": "Dateien"}, {})

    assert german.said("my files.txt is empty.") == "my files.txt ist leer."


@pytest.mark.parametrize("locale", ["en", "en-GB", "xx", "", "../../etc/passwd", "de/../en", "d" * 5000])
def test_english_otherwise_whatever_the_browser_calls_its_locale(locale: str) -> None:
    assert translator(locale) is ENGLISH
