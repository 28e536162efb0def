"""Paths of the API, below ``/api/v1``, with every name quoted."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

from ..errors import InvalidSessionId, SettingsError


def workspace_path(workspace: str, *steps: str) -> str:
    """The path of a workspace, or of something in it.

    Example:
        >>> workspace_path("a/b ü", "files")
        '/workspaces/a%2Fb%20%C3%BC/files'
    """
    if not workspace:
        raise SettingsError("The workspace name is empty.", "deepset_nb.workspaces() lists the names this key can see.")
    return "/".join(["/workspaces", _quoted(workspace), *steps])


def session_path(workspace: str, session_id: UUID | str, *steps: str) -> str:
    """The path of an upload session, or of something in it.

    Raises:
        InvalidSessionId: ``session_id`` is no UUID.
    """
    try:
        uuid = session_id if isinstance(session_id, UUID) else UUID(session_id)
    except (ValueError, AttributeError, TypeError):
        raise InvalidSessionId(
            f"{session_id!r} is not the id of an upload session.",
            "An id looks like 3fa85f64-5717-4562-b3fc-2c963f66afa6; list_upload_sessions() lists them.",
        ) from None
    return workspace_path(workspace, "upload_sessions", str(uuid), *steps)


def file_path(workspace: str, file_id: UUID | str, *steps: str) -> str:
    """The path of a file, or of something of it."""
    return workspace_path(workspace, "files", _quoted(str(file_id)), *steps)


def _quoted(name: str) -> str:
    # `.` and `..` survive quoting and would walk up the path.
    return quote(name, safe="") if name.strip(".") else "%2E" * len(name)
