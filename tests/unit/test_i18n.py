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
    assert [german.size(number) for number in (1_500_000, 2_000_000, 999)] == ["1,5 MB", "2 MB", "999 B"]


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

    assert said == (
        "Die Datei hat 2 GB; höchstens 1 GB werden angenommen. Teilen Sie sie auf. Unheard of. Teilen Sie sie auf."
    )


def test_what_the_catalogue_does_not_know_stays_as_it_is(german: Translator) -> None:
    assert german.said("<b>Something</b> of the server") == "<b>Something</b> of the server"
    assert german.said("x" * 100_000) == "x" * 100_000


@pytest.mark.parametrize("text", ["Validation failed", "Some of the files", "Validation of 3 rows failed"])
def test_a_sentence_of_few_words_is_not_found_in_what_a_server_says(text: str) -> None:
    few: Messages = {"{host} failed": "Fehler bei {host}", "{done} of {total} files": "{done} von {total} Dateien"}
    german = Translator("de", few, {})

    assert german.said(text) == text
    assert german.said("api.x.com failed") == "Fehler bei api.x.com"
    assert german.said("1,204 of 2,000 files") == "1.204 von 2.000 Dateien"


def test_what_widgets_say_themselves_is_not_looked_for_in_the_engine_s_texts() -> None:
    german = Translator("de", {"{a} of {b}": "{a} von {b}"}, {}, {})

    assert german.said("1 of 2") == "1 of 2"
    assert german("{a} of {b}", a=1, b=2) == "1 von 2"


def test_a_file_name_within_a_sentence_is_left_alone_even_if_it_is_one_of_our_words() -> None:
    german = Translator("de", {"{path} holds nothing.": "{path} ist leer.", "files": "Dateien"}, {})

    assert german.said("my files.txt holds nothing.") == "my files.txt ist leer."
    assert german.said("files holds nothing.") == "files ist leer."


def test_a_sentence_within_a_sentence_is_translated_and_the_server_s_words_in_it_are_not() -> None:
    german = Translator(
        "de",
        {
            "Trying {name} again: {message}": "Neuer Versuch für {name}: {message}",
            "{host} gave no answer: {why}.": "{host} antwortet nicht: {why}.",
            "it broke ({words})": "abgebrochen ({words})",
        },
        {},
    )

    assert german.said("Trying a.txt again: api.x gave no answer: it broke (EOF).") == (
        "Neuer Versuch für a.txt: api.x antwortet nicht: abgebrochen (EOF)."
    )


def test_a_frame_without_words_of_its_own_needs_a_sentence_of_ours_in_it() -> None:
    german = Translator(
        "de", {"{message} ({status}){said}.": "{message} ({status}){said}.", "{host} failed": "Fehler bei {host}"}, {}
    )

    assert german.said("api.x failed (502): 502 Bad Gateway.") == "Fehler bei api.x (502): 502 Bad Gateway."
    assert german.said("The lamp failed (by itself): no light.") == "The lamp failed (by itself): no light."


def test_a_name_that_looks_like_a_number_or_a_time_stays_as_it_is() -> None:
    german = Translator("de", {"{path} holds nothing.": "{path} ist leer."}, {})

    for name in ("2024.01", "2026-11-22 14:00"):
        assert german.said(f"{name} holds nothing.") == f"{name} ist leer."


def test_a_time_in_a_sentence_is_written_as_its_readers_write_it() -> None:
    german = Translator(
        "de", {"It is open{until}.": "Sie ist offen{until}.", " until {when} UTC": " bis {when} UTC"}, {}
    )

    assert german.said("It is open until 2026-11-27 07:23 UTC.") == "Sie ist offen bis 27.11.2026, 07:23 UTC."


def test_of_two_readings_the_one_that_translates_more_is_taken() -> None:
    german = Translator("de", {"It broke: {why}.": "Kaputt: {why}.", "Try again.": "Noch einmal."}, {})

    assert german.said("It broke: EOF. Try again.") == "Kaputt: EOF. Noch einmal."
    assert german.said("It broke: EOF. Or so. Try again.") == "Kaputt: EOF. Or so. Noch einmal."


def test_a_value_that_comes_twice_must_be_the_same_both_times() -> None:
    german = Translator("de", {"{id} is open; close({id}) ends it.": "{id} ist offen."}, {})

    assert german.said("a is open; close(a) ends it.") == "a ist offen."
    assert german.said("a is open; close(b) ends it.") == "a is open; close(b) ends it."


@pytest.mark.parametrize("locale", ["en", "en-GB", "xx", "", "../../etc/passwd", "de/../en", "d" * 5000])
def test_english_otherwise_whatever_the_browser_calls_its_locale(locale: str) -> None:
    assert translator(locale) is ENGLISH
