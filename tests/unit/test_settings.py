"""Where key, URL and workspace name come from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deepset_nb import settings
from deepset_nb.errors import SettingsError
from deepset_nb.settings import Settings, resolve

NAMES = (*settings.KEY_NAMES, *settings.URL_NAMES, *settings.WORKSPACE_NAMES)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty home and working folder, no settings in the environment, nobody logged in."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.chdir(work)
    yield home
    settings.forget()


def write_global(home: Path, text: str) -> Path:
    file = home / ".deepset-cloud" / ".env"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return file


def key_of(found: Settings) -> str:
    return found.api_key.reveal()


def test_the_first_place_that_has_a_key_wins(home, monkeypatch):
    write_global(home, "API_KEY=from-global-file\n")
    assert key_of(resolve("w")) == "from-global-file"

    Path(".env").write_text("API_KEY=from-local-file\n")
    assert key_of(resolve("w")) == "from-local-file"

    monkeypatch.setenv("API_KEY", "from-environment")
    assert key_of(resolve("w")) == "from-environment"

    settings.remember(resolve("w", api_key="from-login"))
    assert key_of(resolve("w")) == "from-login"

    assert key_of(resolve("w", api_key="from-argument")) == "from-argument"


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("argument", "argument"),
        ("login", "login"),
        ("environment", "API_KEY in environment"),
        ("local", "API_KEY in ./.env"),
        ("global", "API_KEY in ~/.deepset-cloud/.env"),
    ],
)
def test_the_source_says_where_the_key_came_from(home, monkeypatch, place, shown):
    match place:
        case "login":
            settings.remember(resolve("w", api_key="k"))
        case "environment":
            monkeypatch.setenv("API_KEY", "k")
        case "local":
            Path(".env").write_text("API_KEY=k")
        case "global":
            write_global(home, "API_KEY=k")

    found = resolve("w", api_key="k" if place == "argument" else None)

    assert found.source == shown


def test_each_value_is_looked_up_by_itself(home, monkeypatch):
    write_global(home, "API_KEY=global-key\nAPI_URL=https://global.example/api/v1\n")
    Path(".env").write_text("API_URL=https://local.example\n")
    monkeypatch.setenv("DEFAULT_WORKSPACE_NAME", "from-environment")

    found = resolve()

    assert (key_of(found), found.host, found.workspace_name) == ("global-key", "local.example", "from-environment")


@pytest.mark.parametrize("names", [settings.KEY_NAMES, settings.URL_NAMES, settings.WORKSPACE_NAMES])
def test_within_one_place_the_specific_name_wins(monkeypatch, names):
    monkeypatch.setenv("API_KEY", "k")
    for number, name in enumerate(names):
        monkeypatch.setenv(name, f"https://h{number}.example")

    found = resolve("w" if names is not settings.WORKSPACE_NAMES else None)

    values = {settings.KEY_NAMES: key_of(found), settings.URL_NAMES: found.api_url}
    assert "h0" in values.get(names, found.workspace_name)


def test_a_generic_name_in_a_nearer_place_wins_over_a_specific_one_further_away(monkeypatch):
    Path(".env").write_text("DEEPSET_API_KEY=specific\n")
    monkeypatch.setenv("API_KEY", "near")

    assert key_of(resolve("w")) == "near"


def test_blank_values_count_as_missing(monkeypatch):
    monkeypatch.setenv("DEEPSET_API_KEY", "  ")
    Path(".env").write_text("API_KEY=\nDEEPSET_CLOUD_API_KEY\n")

    with pytest.raises(SettingsError, match="No API key"):
        resolve("w")


def test_reading_files_leaves_the_environment_alone():
    Path(".env").write_text("API_KEY=k\nUNRELATED=1\n")
    before = dict(os.environ)

    resolve("w")

    assert dict(os.environ) == before


def test_files_are_read_when_asked_not_before():
    with pytest.raises(SettingsError):
        resolve("w")

    Path(".env").write_text("API_KEY=k\n")

    assert key_of(resolve("w")) == "k"


def test_a_missing_key_says_every_way_to_give_one():
    with pytest.raises(SettingsError) as caught:
        resolve("w")

    for way in ("login()", "api_key=", "environment", "./.env", "~/.deepset-cloud/.env", "sandbox()"):
        assert way in str(caught.value)


def test_a_file_that_cannot_be_read_is_named_only_when_a_key_is_missing():
    Path(".env").write_bytes(b"NAME=caf\xe9\n")

    assert key_of(resolve("w", api_key="k")) == "k"
    with pytest.raises(SettingsError, match=r"\./\.env cannot be read: it is not UTF-8"):
        resolve("w")


def test_a_missing_workspace_name_is_an_error_only_where_one_is_needed():
    with pytest.raises(SettingsError, match=r"workspaces\(\) lists"):
        resolve(api_key="k")

    assert resolve(api_key="k", need_workspace=False).workspace_name == ""


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("https://api.cloud.deepset.ai", "https://api.cloud.deepset.ai/api/v1"),
        ("https://api.cloud.deepset.ai/", "https://api.cloud.deepset.ai/api/v1"),
        ("https://api.cloud.deepset.ai/api/v1", "https://api.cloud.deepset.ai/api/v1"),
        ("https://api.cloud.deepset.ai/api/v1/", "https://api.cloud.deepset.ai/api/v1"),
        ("  https://on.prem.example:8443/deepset/ ", "https://on.prem.example:8443/deepset/api/v1"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/api/v1"),
        ("http://localhost:8000/api/v1", "http://localhost:8000/api/v1"),
        ("http://[::1]:8000", "http://[::1]:8000/api/v1"),
    ],
)
def test_urls_are_accepted_with_or_without_the_api_path(given, normal):
    assert resolve("w", api_key="k", api_url=given).api_url == normal


@pytest.mark.parametrize("host", ["api.cloud.deepset.ai", "10.0.0.1", "localhost.example.com", "127.0.0.1.example.com"])
def test_plain_http_to_another_machine_is_refused(host):
    with pytest.raises(SettingsError, match="clear text"):
        resolve("w", api_key="k", api_url=f"http://{host}")


@pytest.mark.parametrize(
    "url",
    ["api.cloud.deepset.ai", "ftp://h/", "https://", "https://user:hunter2@h/", "https://h/?q=1", "https://h:port/"],
)
def test_what_is_no_url_of_an_api_is_refused_without_repeating_it(url):
    with pytest.raises(SettingsError) as caught:
        resolve("w", api_key="k", api_url=url)

    assert "hunter2" not in str(caught.value)


def test_a_region_stands_for_its_url():
    assert resolve("w", api_key="k", region="US").host == "api.us.deepset.ai"
    assert resolve("w", api_key="k").host == "api.cloud.deepset.ai"


def test_an_unknown_region_names_the_known_ones():
    with pytest.raises(SettingsError, match="'eu' or region='us'"):
        resolve("w", api_key="k", region="asia")


def test_region_and_url_together_are_refused():
    with pytest.raises(SettingsError, match="one of them"):
        resolve("w", api_key="k", region="eu", api_url="https://h")


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel"])
def test_a_key_that_cannot_be_one_is_refused_without_showing_it(key):
    with pytest.raises(SettingsError) as caught:
        resolve("w", api_key=key)

    assert key not in str(caught.value)


def test_login_is_forgotten_on_request(monkeypatch):
    monkeypatch.setenv("API_KEY", "from-environment")
    settings.remember(resolve("w", api_key="from-login", region="us"))
    assert resolve("w").host == "api.us.deepset.ai"

    settings.forget()

    assert (key_of(resolve("w")), resolve("w").host) == ("from-environment", "api.cloud.deepset.ai")
