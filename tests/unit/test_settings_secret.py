"""A secret shows itself to nobody who does not ask by name."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import pytest

from deepset_nb.settings import Secret, Settings, resolve

VALUE = "api_very-secret-value"


@pytest.mark.parametrize(
    "show",
    [repr, str, "{}".format, "{!r}".format, "{:>20}".format, lambda secret: str(vars(Settings(secret, "")))],
)
def test_no_way_of_printing_shows_it(show):
    shown = show(Secret(VALUE))

    assert "***" in shown
    assert VALUE not in shown


def test_it_has_no_dictionary_to_look_into():
    with pytest.raises(TypeError):
        vars(Secret(VALUE))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_refuses_to_be_pickled(protocol):
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(Secret(VALUE), protocol)


def test_settings_hide_it_and_refuse_to_be_pickled():
    found = resolve("w", api_key=VALUE)

    assert VALUE not in f"{found} {found!r} {vars(found)} {dataclasses.asdict(found)}"
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(found)


def test_settings_can_be_copied():
    found = Settings(Secret(VALUE), "https://h/api/v1")

    assert copy.deepcopy(found).api_key.reveal() == VALUE
    assert dataclasses.replace(found, workspace_name="w").api_key.reveal() == VALUE


def test_it_reveals_itself_when_asked():
    assert Secret(VALUE).reveal() == VALUE
