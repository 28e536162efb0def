"""File names on their way to the bucket."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from deepset_nb.client.filenames import stored_name, wire_name

NAMES = [
    ("plain.txt", "plain.txt", "plain.txt"),
    ("two words.txt", "two words.txt", "two%20words.txt"),
    ("naïve file.txt", "naïve file.txt", "na%C3%AFve%20file.txt"),
    ("Bericht (1).pdf", "Bericht (1).pdf", "Bericht%20%281%29.pdf"),
    ("emoji 🚀.md", "emoji 🚀.md", "emoji%20%F0%9F%9A%80.md"),
    ("a#b%c.txt", "a_b_c.txt", "a_b_c.txt"),
    ("x\\y.txt", "x_y.txt", "x_y.txt"),
    ("\"q\" 'r' |<>{}`^[]~.txt", "_q_ _r_ __________.txt", "_q_%20_r_%20__________.txt"),
    ("tab\tnew\nline\x00.txt", "tab_new_line_.txt", "tab_new_line_.txt"),
    ("latin-\udce9.txt", "latin-_.txt", "latin-_.txt"),
    ("a+b&c=d;e.txt", "a+b&c=d;e.txt", "a%2Bb%26c%3Dd%3Be.txt"),
]


@pytest.mark.parametrize(("name", "stored", "wire"), NAMES)
def test_a_name_is_stored_and_sent_as_the_platforms_own_sdk_does(name, stored, wire):
    assert (stored_name(name), wire_name(name)) == (stored, wire)


@pytest.mark.parametrize("name", [name for name, _, _ in NAMES])
def test_decoding_once_gives_the_stored_name(name):
    assert unquote(wire_name(name)) == stored_name(name)


@pytest.mark.parametrize("name", [name for name, _, _ in NAMES])
def test_a_stored_name_is_stored_unchanged(name):
    assert stored_name(stored_name(name)) == stored_name(name)


@pytest.mark.parametrize("name", [name for name, _, _ in NAMES])
def test_a_name_on_the_wire_cannot_leave_its_quotes(name):
    assert wire_name(name).isascii()
    assert not set('"\\\r\n') & set(wire_name(name))
