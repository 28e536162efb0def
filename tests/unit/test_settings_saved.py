"""The settings file that login writes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import dotenv
import pytest

from deepset_nb import settings
from deepset_nb.errors import SettingsError
from deepset_nb.settings import resolve, save

FOUND = resolve("my space", api_key="api_it's-a\\key", region="us")


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch) -> Path:
    """The global settings file of an empty home."""
    for name in (*settings.KEY_NAMES, *settings.URL_NAMES, *settings.WORKSPACE_NAMES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return settings.global_file()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_saved_is_found_again(file):
    assert save(FOUND) == file

    found = resolve()

    assert found.api_key.reveal() == FOUND.api_key.reveal()
    assert (found.api_url, found.workspace_name) == (FOUND.api_url, "my space")


def test_only_the_owner_can_read_it(file):
    save(FOUND)

    assert mode(file) == 0o600
    assert mode(file.parent) == 0o700


def test_it_is_private_from_its_first_byte(file, monkeypatch):
    modes = set()
    set_key = dotenv.set_key

    def watched(path, *args):
        answer = set_key(path, *args)
        modes.update(mode(entry) for entry in file.parent.iterdir())
        return answer

    monkeypatch.setattr(settings, "set_key", watched)
    old = os.umask(0)
    try:
        save(FOUND)
    finally:
        os.umask(old)

    assert modes == {0o600}


def test_a_file_others_could_read_becomes_private(file):
    file.parent.mkdir()
    file.write_text("API_KEY=old\n")
    file.chmod(0o644)

    save(FOUND)

    assert mode(file) == 0o600


def test_other_lines_stay(file):
    file.parent.mkdir()
    file.write_text("# mine\nASYNC_CLIENT_TIMEOUT=300\nAPI_KEY=old\nexport OTHER='1'\n")

    save(FOUND)

    lines = file.read_text().splitlines()
    assert lines[:2] == ["# mine", "ASYNC_CLIENT_TIMEOUT=300"]
    assert "export OTHER='1'" in lines
    assert sum(line.startswith("API_KEY=") for line in lines) == 1


def test_an_older_alias_does_not_win_over_what_was_saved(file):
    file.parent.mkdir()
    file.write_text("DEEPSET_API_KEY=old\nDEEPSET_API_URL=https://old.example\n")

    save(FOUND)

    assert (resolve().api_key.reveal(), resolve().host) == (FOUND.api_key.reveal(), "api.us.deepset.ai")


def test_a_workspace_name_saved_before_stays_when_none_is_given(file):
    save(FOUND)

    save(resolve(api_key="another", need_workspace=False))

    assert resolve().workspace_name == "my space"


def test_a_link_to_the_file_stays_a_link(file, tmp_path):
    elsewhere = tmp_path / "dotfiles.env"
    elsewhere.write_text("")
    file.parent.mkdir()
    file.symlink_to(elsewhere)

    save(FOUND)

    assert file.is_symlink()
    assert "API_KEY" in elsewhere.read_text()


def test_no_draft_is_left_behind(file):
    save(FOUND)

    assert list(file.parent.iterdir()) == [file]


def test_a_folder_in_its_place_is_a_clear_error(file):
    file.mkdir(parents=True)

    with pytest.raises(SettingsError, match="cannot be written"):
        save(FOUND)
