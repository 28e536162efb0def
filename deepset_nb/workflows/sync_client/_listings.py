"""Files and upload sessions of a workspace, page by page, and one session."""

from __future__ import annotations

from collections.abc import Generator
from uuid import UUID

from ... import bridge
from ...models import File, UploadSessionDetail, UploadSessionStatus
from .._transfers import DEFAULT_WORKSPACE_NAME
from ..async_client import _listings as listings


def list_files(
    api_key: str | None = None,
    api_url: str | None = None,
    workspace_name: str = DEFAULT_WORKSPACE_NAME,
    name: str | None = None,
    content: str | None = None,
    odata_filter: str | None = None,
    batch_size: int = 100,
    timeout_s: float | None = 300,
) -> Generator[list[File], None, None]:
    """List the files of a workspace, page by page.

    Example:
        >>> for page in list_files(workspace_name='my-workspace', name='report'):  # doctest: +SKIP
        ...     print([file.name for file in page])

    Args:
        api_key: API key of the platform.
        api_url: URL of the API.
        workspace_name: Name of the workspace.
        name: Only files whose names contain this.
        content: Not supported: the platform's own SDK dropped it in 1.1.0. Here so that positions stay.
        odata_filter: Only files whose metadata matches, such as ``"topic eq 'news'"``.
        batch_size: Files a page, at most 100.
        timeout_s: Longest wait for one page, in seconds.

    Yields:
        Pages of files.

    Raises:
        InputError: ``content`` was given.
        StillRunning: A TimeoutError: a page took longer than ``timeout_s``.
    """
    yield from bridge.iterate(
        listings.list_files, api_key, api_url, workspace_name, name, content, odata_filter, batch_size, timeout_s
    )


def list_upload_sessions(
    api_key: str | None = None,
    api_url: str | None = None,
    workspace_name: str = DEFAULT_WORKSPACE_NAME,
    is_expired: bool | None = None,
    batch_size: int = 100,
    timeout_s: float | None = 300,
) -> Generator[list[UploadSessionDetail], None, None]:
    """List the upload sessions of a workspace, page by page, the closed ones included.

    Example:
        >>> for page in list_upload_sessions(workspace_name='my-workspace', is_expired=False):  # doctest: +SKIP
        ...     print([session.session_id for session in page])

    Args:
        api_key: API key of the platform.
        api_url: URL of the API.
        workspace_name: Name of the workspace.
        is_expired: True for expired ones only, False for the others only, None for all.
        batch_size: Sessions a page, at most 100.
        timeout_s: Longest wait for one page, in seconds.

    Yields:
        Pages of sessions.

    Raises:
        StillRunning: A TimeoutError: a page took longer than ``timeout_s``.
    """
    yield from bridge.iterate(
        listings.list_upload_sessions, api_key, api_url, workspace_name, is_expired, batch_size, timeout_s
    )


def get_upload_session(
    session_id: UUID,
    api_key: str | None = None,
    api_url: str | None = None,
    workspace_name: str = DEFAULT_WORKSPACE_NAME,
) -> UploadSessionStatus:
    """How many files of an upload session were ingested, and how many refused.

    Example:
        >>> get_upload_session(session_id, workspace_name='my-workspace').ingestion_status  # doctest: +SKIP

    Args:
        session_id: Id of the session, as ``list_upload_sessions`` names it.
        api_key: API key of the platform.
        api_url: URL of the API.
        workspace_name: Name of the workspace.

    Returns:
        The session's counts; sidecars are not among them (platform API reference: get session status).

    Raises:
        InvalidSessionId: It is not a UUID.
        SessionNotFound: The workspace has no such session.
    """
    return bridge.run(listings.get_upload_session, session_id, api_key, api_url, workspace_name)


def close_upload_session(
    session_id: UUID,
    api_key: str | None = None,
    api_url: str | None = None,
    workspace_name: str = DEFAULT_WORKSPACE_NAME,
) -> None:
    """Close an open upload session: the platform ingests what was sent into it, and it takes nothing more.

    Only 10 sessions may be open (platform guide: get upload session details).

    Example:
        >>> close_upload_session(session_id, workspace_name='my-workspace')  # doctest: +SKIP

    Args:
        session_id: Id of an open session.
        api_key: API key of the platform.
        api_url: URL of the API.
        workspace_name: Name of the workspace.

    Raises:
        Conflict: It is closed already.
        SessionNotFound: The workspace has no such session.
    """
    bridge.run(listings.close_upload_session, session_id, api_key, api_url, workspace_name)
