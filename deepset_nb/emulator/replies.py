"""How the sandbox words its answers: JSON errors of the API, XML of the bucket, times."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal
from uuid import uuid4
from xml.sax.saxutils import escape

from starlette.responses import Response

# Codes and their statuses: Amazon S3 documentation.
_BUCKET_STATUS = {
    "AccessDenied": 403,
    "AccessForbidden": 403,
    "InvalidAccessKeyId": 403,
    "SignatureDoesNotMatch": 403,
    "NoSuchBucket": 404,
    "MethodNotAllowed": 405,
    "MissingContentLength": 411,
    "PreconditionFailed": 412,
    "InternalError": 500,
    "ServiceUnavailable": 503,
    "SlowDown": 503,
}


class BucketRefusal(Exception):
    """Ends a request to the bucket with one of its XML errors; never leaves the server.

    Args:
        code: The bucket's error code; it decides the status (400 where the table above has none).
        message: What the XML says.
        details: More elements, such as ``ProposedSize``.
    """

    def __init__(self, code: str, message: str, **details: object) -> None:
        """Keep the parts of the answer."""
        super().__init__(code, message)
        self.code, self.message, self.details = code, message, details


def bucket_error(refusal: BucketRefusal) -> Response:
    """The XML error body with its status."""
    elements = {
        "Code": refusal.code,
        "Message": refusal.message,
        **refusal.details,
        "RequestId": uuid4().hex[:16].upper(),
        "HostId": "sandbox",
    }
    return xml(_BUCKET_STATUS.get(refusal.code, 400), "Error", elements)


def xml(status: int, root: str, elements: dict[str, object]) -> Response:
    """A flat XML document."""
    body = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in elements.items())
    return Response(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}>{body}</{root}>', status, media_type="application/xml"
    )


def timestamp(microseconds: int, suffix: Literal["+00:00", "Z"] = "+00:00") -> str:
    """Microseconds since 1970 as the platform writes times."""
    seconds, fraction = divmod(microseconds, 1_000_000)
    return f"{_second(seconds)}.{fraction:06}{suffix}"


@lru_cache(maxsize=4096)  # the files of a listing were made in few different seconds
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").removesuffix("+00:00")
