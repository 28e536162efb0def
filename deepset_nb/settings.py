"""API key, URL and workspace name: where they come from, in which order, and how they are kept.

Each value is looked up by itself, the first place that has it wins:

    argument > what login remembered in this kernel > environment > ./.env > ~/.deepset-cloud/.env > default

Within the environment, and within one file, a name that can only mean this platform wins over a generic one:
DEEPSET_API_KEY, DEEPSET_CLOUD_API_KEY, API_KEY; DEEPSET_API_URL, API_URL; DEEPSET_WORKSPACE,
DEFAULT_WORKSPACE_NAME. Files are read when somebody asks, never at import, and never into ``os.environ``.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from dotenv import dotenv_values, set_key, unset_key

from .errors import SettingsError

REGIONS = {"eu": "https://api.cloud.deepset.ai/api/v1", "us": "https://api.us.deepset.ai/api/v1"}
DEFAULT_URL = REGIONS["eu"]

# The last name of each is the one the platform's own SDK reads and the one `save` writes.
KEY_NAMES = ("DEEPSET_API_KEY", "DEEPSET_CLOUD_API_KEY", "API_KEY")
URL_NAMES = ("DEEPSET_API_URL", "API_URL")
WORKSPACE_NAMES = ("DEEPSET_WORKSPACE", "DEFAULT_WORKSPACE_NAME")


class Secret:
    """A text that shows itself only when asked by name.

    Example:
        >>> print(Secret("api_123"))
        ***
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Keep ``value``."""
        self._value = value

    def reveal(self) -> str:
        """The text itself, for the one line that sends it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return format("***", spec)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A secret cannot be pickled: the copy would hold it in clear text.")


@dataclass(frozen=True)
class Settings:
    """Whose key, which platform, which workspace.

    Attributes:
        api_key: The API key, hidden.
        api_url: Ends in ``/api/v1``, no trailing slash.
        workspace_name: Empty when none was asked for.
        source: Where the key came from, to be shown.
    """

    api_key: Secret
    api_url: str
    workspace_name: str = ""
    source: str = "argument"

    @property
    def host(self) -> str:
        """Host of the API, with its port if it has one."""
        return urlsplit(self.api_url).netloc


_remembered: Settings | None = None


def remember(settings: Settings) -> None:
    """Use ``settings`` in this kernel until it ends; nothing is written to disk."""
    global _remembered
    _remembered = replace(settings, source="login")


def forget() -> None:
    """Undo ``remember``."""
    global _remembered
    _remembered = None


def global_file() -> Path:
    """The user's own settings file, the same that the platform's SDK reads."""
    return Path.home() / ".deepset-cloud" / ".env"


def resolve(
    workspace_name: str | None = None,
    *,
    api_key: str | Secret | None = None,
    api_url: str | None = None,
    region: str | None = None,
    need_workspace: bool = True,
) -> Settings:
    """Find key, URL and workspace name.

    Example:
        >>> resolve("my-workspace", api_key="api_123", region="us").host
        'api.us.deepset.ai'

    Args:
        workspace_name: Name of the workspace.
        api_key: API key of the platform.
        api_url: URL of the API, with or without ``/api/v1``.
        region: ``"eu"`` or ``"us"``, instead of ``api_url``.
        need_workspace: Whether a missing workspace name is an error.

    Returns:
        The settings, complete and checked.

    Raises:
        SettingsError: The key or the workspace name is missing, or the URL cannot be used.
    """
    if api_url and region:
        raise SettingsError("Both api_url and region were given.", "Give one of them.")
    key = api_key.reveal() if isinstance(api_key, Secret) else api_key
    places = list(_places())
    found_key, source = _first(key, places, KEY_NAMES)
    found_url, url_source = _first(_url_of(region) if region else api_url, places, URL_NAMES)
    name, _ = _first(workspace_name, places, WORKSPACE_NAMES)
    if not found_key:
        raise _missing_key(places)
    if need_workspace and not name:
        raise SettingsError(
            "No workspace name was given.",
            "Name one, as in Workspace('my-workspace'), or set DEFAULT_WORKSPACE_NAME; "
            "deepset_nb.workspaces() lists the names this key can see.",
        )
    return Settings(_checked_key(found_key, source), _checked_url(found_url or DEFAULT_URL, url_source), name, source)


def known_keys(*files: Path) -> list[Secret]:
    """Every API key that could be found now, whichever would win, and those of other ``.env`` files."""
    places = [*_places(), *(_file(file, file.name) for file in files)]
    found = dict.fromkeys((place.values.get(name) or "").strip() for place in places for name in KEY_NAMES)
    return [Secret(key) for key in found if key]


def save(settings: Settings) -> Path:
    """Write key, URL and workspace name to ``~/.deepset-cloud/.env``, readable by its owner only.

    Other lines of the file stay. The platform's own SDK finds the key there, too.

    Returns:
        The file.

    Raises:
        SettingsError: The file cannot be written.
    """
    file = global_file()
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _rewrite(Path(os.path.realpath(file)), settings)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise SettingsError(
            f"{_shown(file)} cannot be written: {reason}.", "The key is still remembered in this kernel after login()."
        ) from None
    return file


@dataclass(frozen=True)
class _Place:
    name: str
    values: Mapping[str, str | None] = field(repr=False)
    problem: str = ""


def _places() -> Iterator[_Place]:
    if _remembered is not None:
        login = {
            KEY_NAMES[-1]: _remembered.api_key.reveal(),
            URL_NAMES[-1]: _remembered.api_url,
            WORKSPACE_NAMES[-1]: _remembered.workspace_name,
        }
        yield _Place("login", login)
    yield _Place("environment", os.environ)
    yield _file(Path(".env"), "./.env")
    with contextlib.suppress(RuntimeError):  # an account without a home folder
        yield _file(global_file(), _shown(global_file()))


def _file(path: Path, name: str) -> _Place:
    # A file nobody needs must not stop work with a key from elsewhere: its problem is told when a key is missing.
    try:
        return _Place(name, dotenv_values(path))
    except OSError as error:
        return _Place(name, {}, f"cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        return _Place(name, {}, "cannot be read: it is not UTF-8 text")


def _first(argument: str | None, places: list[_Place], names: tuple[str, ...]) -> tuple[str, str]:
    if argument and argument.strip():
        return argument.strip(), "argument"
    for place in places:
        for name in names:
            if value := (place.values.get(name) or "").strip():
                return value, place.name if place.name == "login" else f"{name} in {place.name}"
    return "", "default"


def _missing_key(places: list[_Place]) -> SettingsError:
    problems = "".join(f" {place.name} {place.problem}." for place in places if place.problem)
    return SettingsError(
        f"No API key was found.{problems}",
        "Run deepset_nb.login(), or pass api_key=..., or set API_KEY in the environment, in ./.env or in "
        "~/.deepset-cloud/.env. Without an account: deepset_nb.sandbox().",
    )


def _checked_key(key: str, source: str) -> Secret:
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise SettingsError(
            f"The API key ({source}) holds blanks or characters no key has.", "Copy it again, the whole of it."
        )
    return Secret(key)


def _url_of(region: str) -> str:
    try:
        return REGIONS[region.lower()]
    except KeyError:
        raise SettingsError(
            f"There is no region {region!r}.", "Use region='eu' or region='us', or api_url=..."
        ) from None


def _checked_url(url: str, source: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise _bad_url("is not a URL", source) from None
    if parts.scheme not in ("http", "https") or not host:
        raise _bad_url("does not begin with https:// and a host", source)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise _bad_url("holds more than host and path (a user name, a '?' or a '#')", source)
    if parts.scheme == "http" and not is_loopback(host):
        raise SettingsError(
            f"The API URL ({source}) begins with http://: the API key would travel to {host} in clear text.",
            f"Use https://{parts.netloc}. Plain http is for this machine only.",
        )
    path = parts.path.rstrip("/").removesuffix("/api/v1")
    return f"{parts.scheme}://{parts.netloc}{path}/api/v1"


def _bad_url(what: str, source: str) -> SettingsError:
    # The URL itself is not repeated: it may hold a password.
    return SettingsError(f"The API URL ({source}) {what}.", f"It looks like {DEFAULT_URL}.")


def is_loopback(host: str) -> bool:
    """Whether ``host`` can only be this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _shown(file: Path) -> str:
    return f"~/{file.parent.name}/{file.name}"


def _rewrite(file: Path, settings: Settings) -> None:
    # mkstemp makes the file with mode 600, so the key is private from its first byte; replacing it is atomic.
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".env.")
    os.close(handle)
    draft = Path(name)
    try:
        if file.exists():
            draft.write_bytes(file.read_bytes())
        _set(draft, KEY_NAMES, settings.api_key.reveal())
        _set(draft, URL_NAMES, settings.api_url)
        if settings.workspace_name:
            _set(draft, WORKSPACE_NAMES, settings.workspace_name)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def _set(file: Path, names: tuple[str, ...], value: str) -> None:
    present = dotenv_values(file, interpolate=False)
    for alias in names[:-1]:
        if alias in present:  # it would win over what is saved now
            unset_key(file, alias)
    set_key(file, names[-1], value)
