"""The one place where an answer of the platform becomes a value or an error of `errors`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

import httpx
import msgspec

from ..errors import (
    ApiError,
    Conflict,
    FileNotFound,
    Forbidden,
    NotFound,
    ServerError,
    SessionNotFound,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    Unprocessable,
    WorkspaceNotFound,
)
from ..settings import REGIONS, Settings
from .details import details_of
from .retries import retry_after

T = TypeVar("T")


class Subject(Enum):
    """What a request is about, in words."""

    PLATFORM = "this address"
    WORKSPACE = "workspace {name}"
    NEW_SESSION = "a new upload session"
    SESSION = "upload session {name}"
    NEW_FILE = "a new file {name}"
    FILE = "file {name}"


@dataclass(frozen=True)
class Asked:
    """What was asked for, as far as an error's words need it.

    Attributes:
        subject: The kind of thing.
        workspace: Name of the workspace in the path, if one was.
        name: Name or id of the thing.
    """

    subject: Subject = Subject.PLATFORM
    workspace: str = ""
    name: str = ""

    def __str__(self) -> str:
        return self.subject.value.format(name=self.name).strip()


_SEE_WORKSPACES = "deepset_nb.workspaces() lists the names this key can see."
_MISSING: dict[Subject, tuple[type[NotFound], str]] = {
    Subject.PLATFORM: (NotFound, "Check API_URL."),
    Subject.SESSION: (SessionNotFound, "list_upload_sessions() lists the ids this workspace has."),
    Subject.FILE: (FileNotFound, "list_files() lists the ids this workspace has."),
}


def decoded(response: httpx.Response, into: type[T], settings: Settings) -> T:
    """The body as ``into``.

    Raises:
        ApiError: The body is something else, such as the login page of a hotel network.
    """
    try:
        return msgspec.json.decode(response.content, type=into)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # msgspec names the field, never its value.
        what = str(error) if isinstance(error, msgspec.ValidationError) else "it is not JSON"
        raise ApiError(
            f"{settings.host} answered, but not as the platform does: {what}.",
            "Check API_URL, and whether a proxy or login page stands between.",
            status=response.status_code,
        ) from None


def error_of(response: httpx.Response, settings: Settings, asked: Asked) -> ApiError:
    """The error for an answer that is none of the good ones.

    Args:
        response: The answer, read.
        settings: Whom we asked, with whose key.
        asked: What the request was about.
    """
    status = response.status_code
    details = details_of(response).replace(settings.api_key.reveal(), "***")
    kind, message, remedy = _explain(response, settings, asked)
    # What a platform says about a 404 ("Not Found") adds nothing to our words; it stays in `details`.
    said = f": {details.rstrip('.')}" if details and status != 404 else ""
    return kind(f"{message} ({status}){said}.", remedy, status=status, details=details)


def workspace_not_found(workspace: str, settings: Settings, known: Iterable[str] | None = None) -> WorkspaceNotFound:
    """The error for a workspace that is not there, with names like it if ``known`` has some."""
    near = _near(workspace, list(known or ()))
    remedy = f"Did you mean {near}? {_SEE_WORKSPACES}" if near else _SEE_WORKSPACES
    return WorkspaceNotFound(f"{settings.host} shows this key no workspace {workspace!r} (404).", remedy, status=404)


def _near(name: str, known: list[str]) -> str:
    plain = {other.casefold(): other for other in known}
    return " or ".join(repr(plain[other]) for other in difflib.get_close_matches(name.casefold(), plain, n=3))


def _explain(response: httpx.Response, settings: Settings, asked: Asked) -> tuple[type[ApiError], str, str]:
    host = settings.host
    match response.status_code:
        case 401:
            return Unauthorized, f"{host} does not know this API key", _about_the_key(settings)
        case 403:
            remedy = f"Ask an administrator of the organisation, or use another key (this one: {settings.source})."
            return Forbidden, f"{host} does not let this key use {asked}", remedy
        case 404 if asked.subject in _MISSING:
            kind, remedy = _MISSING[asked.subject]
            return kind, f"{host} has no {asked}", remedy
        case 404:
            return WorkspaceNotFound, f"{host} shows this key no workspace {asked.workspace!r}", _SEE_WORKSPACES
        case 409:
            return Conflict, f"{host} refused {asked}", _about_the_conflict(asked)
        case 413:
            remedy = "The direct route takes files up to 200 MB; upload() sends larger ones through a session."
            return TooLarge, f"{host} refused {asked} as too large", remedy
        case 400 | 415 | 422:
            return Unprocessable, f"{host} did not accept the request for {asked}", "Change what it names."
        case 429:
            return TooManyRequests, f"{host} asks to slow down", f"Try again {_when(response)}."
        case status if status >= 500:
            return ServerError, f"{host} failed", f"It is not your doing; try again {_when(response)}."
        case status if 300 <= status < 400:
            return ApiError, f"{host} points elsewhere", "API_URL is not the platform's API: check it."
        case _:
            return ApiError, f"{host} refused the request for {asked}", ""


def _about_the_key(settings: Settings) -> str:
    remedy = f"Check the key ({settings.source}), or make a new one in the platform's settings."
    hosts = {httpx.URL(url).host: region for region, url in REGIONS.items()}
    if hosts.pop(settings.host, None):
        for other, region in hosts.items():
            remedy += f" A key belongs to one region; if this one is of {other}, use region={region!r}."
    return remedy


def _about_the_conflict(asked: Asked) -> str:
    match asked.subject:
        case Subject.SESSION:
            return "The session is closed already; open a new one to send more."
        case Subject.NEW_SESSION:
            return "At most 10 upload sessions may be open: close_upload_session() closes one that is not needed."
        case Subject.NEW_FILE:
            return "If the name is taken: write_mode 'KEEP' keeps both files, 'OVERWRITE' replaces the old one."
        case _:
            return "Look at what is there, then try again."


def _when(response: httpx.Response) -> str:
    seconds = retry_after(response)
    return f"in {seconds:.0f} s" if seconds else "in a minute"
