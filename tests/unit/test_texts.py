"""Every sentence of the widgets and of the engine has its twin in every catalogue, and none goes round it."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from deepset_nb.i18n import translator
from tests.texts import Text, Unreadable, catalogue, engine, javascript, widgets

CATALOGUES = sorted(catalogue.FOLDER.glob("*.po"))
SENTENCES = list(catalogue.sources())
PLACE = re.compile(r"\{\w+\}")
UPDATE = "run `python -m tests.texts --update` and translate what is new"

every_catalogue = pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)


# --- what is in a catalogue -----------------------------------------------------------------------------------------


@every_catalogue
def test_a_catalogue_holds_the_sentences_of_the_sources_and_no_others(path: Path, tmp_path: Path) -> None:
    assert len(SENTENCES) > 400
    copy = Path(shutil.copy(path, tmp_path))

    catalogue.write(catalogue.brought_up_to_date(catalogue.read(copy), SENTENCES), copy)

    assert path.read_text() == copy.read_text(), UPDATE


@every_catalogue
def test_every_sentence_has_a_twin_in_all_its_forms(path: Path) -> None:
    twins = catalogue.twins(catalogue.read(path))

    assert [one for (one, many), twin in twins.items() if len(twin) != (2 if many else 1)] == [], UPDATE


@every_catalogue
def test_a_twin_has_the_placeholders_and_the_ends_of_its_sentence(path: Path) -> None:
    for forms, twin in catalogue.twins(catalogue.read(path)).items():
        for sentence, said in zip(filter(None, forms), twin, strict=True):
            assert Counter(PLACE.findall(sentence)) == Counter(PLACE.findall(said)), sentence
            assert [sentence[0] == " ", sentence[-1] == " "] == [said[0] == " ", said[-1] == " "], sentence
            assert (sentence[-1] == ".") == (said[-1] == "."), sentence


@every_catalogue
def test_what_the_engine_says_is_recognised_whatever_the_values(path: Path) -> None:
    twins, translate = catalogue.twins(catalogue.read(path)), translator(path.stem)
    sentences = {text.one for text in engine.texts() if PLACE.search(text.one)}

    def filled(text: str, order: str) -> str:
        values = dict(zip(sorted(set(PLACE.findall(order))), VALUES, strict=False))
        return PLACE.sub(lambda place: values[place[0]], text)

    wrong = [one for one in sentences if translate.said(filled(one, one)) != filled(twins[one, ""][0], one)]

    assert len(sentences) > 100
    assert wrong == []


# As they come: quoted names, numbers, words of the system.
VALUES = ("'a b.txt'", "17", "Broken pipe", "x9")


# --- how it is kept up to date --------------------------------------------------------------------------------------


def test_an_update_keeps_translations_marks_what_is_like_an_old_sentence_and_drops_the_rest() -> None:
    old = catalogue.template([Text("Remove it and choose it again."), Text("Split it."), Text("Gone")])
    for message, string in zip([one for one in old if one.id], ("Neu wählen.", "Teilen.", "Weg"), strict=True):
        message.string = string

    new = [Text("Remove it and choose it once again."), Text("Split it."), Text("{n} file", "{n} files")]
    twins = catalogue.twins(catalogue.brought_up_to_date(old, new))

    assert twins == {
        ("Remove it and choose it once again.", ""): (),
        ("Split it.", ""): ("Teilen.",),
        ("{n} file", "{n} files"): (),
    }
    suggested = next(one for one in old if one.id == "Remove it and choose it once again.")
    assert (suggested.string, suggested.fuzzy) == ("Neu wählen.", True)


def test_an_update_takes_new_translations_from_a_compendium() -> None:
    texts = [Text("Wait."), Text("{n} file", "{n} files")]
    compendium = catalogue.template([*texts, Text("Unused")])
    for message, string in zip(
        [one for one in compendium if one.id], ("Warten Sie.", ("{n} Datei", "{n} Dateien"), "Unnütz"), strict=True
    ):
        message.string = string

    twins = catalogue.twins(catalogue.brought_up_to_date(catalogue.template([]), texts, compendium))

    assert twins == {("Wait.", ""): ("Warten Sie.",), ("{n} file", "{n} files"): ("{n} Datei", "{n} Dateien")}


# --- how sentences are found ----------------------------------------------------------------------------------------


def found(texts: object) -> list[tuple[str, str]]:
    return [(text.one, text.many) for text in texts]  # type: ignore[attr-defined]


def test_sentences_of_javascript_are_found_in_all_ways_of_writing_them() -> None:
    source = """
    t("One") + t('It\\'s {n}', { n: f(1, "no") }) + rich<V>(`Three`, {}) + part("no") + format.t("no");
    plural(count(a, [b, ")"]), "{count} file", "{count} files", { x });
    t(a ? "Go" : b > f("?") ? 'Stop' : "Wait", { a: b ? 1 : 2 });
    """

    assert found(javascript.in_source(source, "a.ts")) == [
        ("One", ""),
        ("It's {n}", ""),
        ("Three", ""),
        ("{count} file", "{count} files"),
        ("Go", ""),
        ("Stop", ""),
        ("Wait", ""),
    ]


@pytest.mark.parametrize(
    "call", ["t(word)", "t(a ? b : c)", 't(a ? "b" : c)', 't("a" + b)', "t(`${a} files`)", 'plural(n, one, "many")']
)
def test_a_sentence_of_javascript_that_is_no_literal_is_an_error(call: str) -> None:
    with pytest.raises(Unreadable, match="as one literal"):
        list(javascript.in_source(call, "a.ts"))


def test_sentences_of_python_widgets_are_found() -> None:
    source = """
tr("File" if one else "Folder"), self.tr("{n} left", n=1), tr.plural(n, "{count} file", "{count} files"), other("no")
"""

    assert found(widgets.in_source(source, "a.py")) == [
        ("File", ""),
        ("Folder", ""),
        ("{n} left", ""),
        ("{count} file", "{count} files"),
    ]
    with pytest.raises(Unreadable, match="as one literal"):
        list(widgets.in_source("tr(word)", "a.py"))


def test_sentences_of_the_engine_are_f_strings_with_their_words_written_out() -> None:
    source = '''
def end(row, counts, error):
    """A docstring of some words."""
    _log.info("Nothing that a reader sees")
    files = "file" if counts["all"] == 1 else "files"
    row.end("failed", f"{counts['ok']:,} of {counts['all']} {files} sent", "Send it again.")
    raise InputError(f"It broke: {error.strerror or error!r}. {AGAIN}")
'''

    assert [text.one for text in engine.in_source(source, "a.py")] == [
        "{ok} of {all} file sent",
        "{ok} of {all} files sent",
        "Send it again.",
        "It broke: {strerror}.",
    ]


def test_of_a_widget_only_errors_are_read_as_the_engine_s_words() -> None:
    source = 'parts = ["Not for a reader"]; raise InputError("No such row.", "Reload the page.")'

    assert [text.one for text in engine.in_source(source, "a.py", only_errors=True)] == [
        "No such row.",
        "Reload the page.",
    ]


# --- what goes round the catalogue ----------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", ['x = "What happened"', 'f"<p>{n} files left</p>"', 'row = ("File", n)'])
def test_the_search_for_hard_coded_text_finds_it(bad: str) -> None:
    assert widgets.hard_coded(bad, "a.py")


@pytest.mark.parametrize(
    "good", ['tr("What happened")', "f\"<p>{tr('File')}</p>\"", 'STYLE = "width:100%;color:inherit"']
)
def test_the_search_for_hard_coded_text_lets_the_rest_pass(good: str) -> None:
    assert widgets.hard_coded(good, "a.py") == []


def test_no_text_of_a_static_form_or_of_the_dashboard_goes_round_the_catalogue() -> None:
    names = {path.name for path in widgets.SHOWN}

    assert {"static_html.py", "static_tables.py", "dashboard.py"} <= names
    assert [text for path in widgets.SHOWN for text in widgets.hard_coded(path.read_text(), path.name)] == []
