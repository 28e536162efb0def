"""Everything that can go wrong, as one tree.

    DeepsetError
    ├── InputError                 what was handed in
    │   ├── PathNotFound
    │   ├── NothingToUpload
    │   ├── InvalidMeta
    │   └── InvalidSessionId
    ├── SettingsError              no key, no workspace name, a URL that is none
    ├── MissingExtra               a part of the package that is not installed
    ├── SandboxError               the local platform cannot start
    ├── ConnectionFailed           nobody answered
    ├── ApiError                   the platform answered with an error status
    │   ├── Unauthorized
    │   ├── Forbidden
    │   ├── NotFound
    │   │   ├── WorkspaceNotFound
    │   │   ├── SessionNotFound
    │   │   └── FileNotFound
    │   ├── Conflict
    │   ├── TooLarge
    │   ├── Unprocessable
    │   ├── TooManyRequests
    │   └── ServerError
    ├── BucketError                the bucket refused or lost an object
    ├── JobError
    │   ├── StillRunning
    │   ├── Cancelled
    │   ├── UploadFailed
    │   └── DownloadFailed
    └── LoopError                  a synchronous call where only `await` can work

Every message says what happened, to what, and what to do next; ``remedy`` holds the last part alone.
In a notebook each shows as a few lines instead of a page of traceback; ``error.__traceback__`` keeps the rest.
"""

from __future__ import annotations

import traceback


class DeepsetError(Exception):
    """Base of all errors of this package.

    Args:
        message: What happened, and to what.
        remedy: What to do next, one sentence.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        """Join message and remedy into what ``str(error)`` shows."""
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message} {remedy}".strip())

    def _render_traceback_(self) -> list[str]:
        """The short form IPython shows instead of the whole traceback: the user's own line, then the message."""
        lines = []
        for frame in traceback.extract_tb(self.__traceback__):
            if frame.filename.startswith("<ipython") or "ipykernel_" in frame.filename:
                lines = [f"----> {frame.lineno} {frame.line}"]
        lines.append(f"{type(self).__name__}: {self.message}")
        if self.remedy:
            lines.append(f"  {self.remedy}")
        return lines


class InputError(DeepsetError, ValueError):
    """Something handed to a function cannot be used; nothing was sent."""


class PathNotFound(InputError, FileNotFoundError):
    """A file or folder to upload does not exist."""


class NothingToUpload(InputError):
    """The paths hold no file that could be sent."""


class InvalidMeta(InputError):
    """Metadata, or a ``.meta.json`` sidecar, is not a JSON object."""


class InvalidSessionId(InputError):
    """A session id is not a UUID."""


class SettingsError(DeepsetError):
    """A setting (API key, URL, workspace name) is missing or cannot be used."""


class MissingExtra(DeepsetError, ImportError):
    """An optional part of the package is not installed."""


class SandboxError(DeepsetError):
    """The local platform cannot start: its port is taken, or its data folder is of another version."""


class ConnectionFailed(DeepsetError):
    """No answer from the platform: wrong URL, no network, or a time-out."""


class ApiError(DeepsetError):
    """The platform answered with an error status.

    Attributes:
        status: HTTP status code.
        details: The texts the platform gave, joined.
    """

    def __init__(self, message: str, remedy: str = "", *, status: int = 0, details: str = "") -> None:
        """Keep the status and the platform's own words beside the message."""
        self.status = status
        self.details = details
        super().__init__(message, remedy)


class Unauthorized(ApiError):
    """401: the API key is wrong or has expired."""


class Forbidden(ApiError):
    """403: the key is missing, or may not do this."""


class NotFound(ApiError):
    """404: no such thing here."""


class WorkspaceNotFound(NotFound):
    """The workspace does not exist or this key cannot see it."""


class SessionNotFound(NotFound):
    """The workspace has no upload session of this id."""


class FileNotFound(NotFound):
    """The workspace has no file of this id."""


class Conflict(ApiError):
    """409: already closed, already there, or too many open sessions."""


class TooLarge(ApiError):
    """413: a file over 200 MB on the direct route, or metadata over its limit."""


class Unprocessable(ApiError):
    """400, 415 or 422: the platform did not accept the request's content."""


class TooManyRequests(ApiError):
    """429: slow down."""


class ServerError(ApiError):
    """5xx: the platform, or a proxy before it, failed."""


class BucketError(DeepsetError):
    """The bucket refused an object, or the connection to it broke.

    Attributes:
        status: HTTP status code, 0 when there was no answer.
        code: The bucket's own error code, such as ``EntityTooLarge``.
    """

    def __init__(self, message: str, remedy: str = "", *, status: int = 0, code: str = "") -> None:
        """Keep status and code beside the message."""
        self.status = status
        self.code = code
        super().__init__(message, remedy)


class JobError(DeepsetError):
    """Something about a running or ended job."""


class StillRunning(JobError, TimeoutError):
    """``job.wait(timeout_s=...)`` ran out of time; the job goes on."""


class Cancelled(JobError):
    """The work was cancelled by the Cancel button, ``job.cancel()`` or the stop button."""


class UploadFailed(JobError):
    """``job.raise_for_failures()`` found files that did not make it."""


class DownloadFailed(JobError):
    """``job.raise_for_failures()`` found files that were not fetched."""


class LoopError(DeepsetError, RuntimeError):
    """A synchronous call was made on the event loop that would have to answer it."""
