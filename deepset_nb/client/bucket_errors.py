"""What a bucket's refusal means, and whether another attempt can help (platform API reference: the presigned POST)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

import httpx

from ..errors import BucketError
from .details import details_of, joined

TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
TRANSIENT_CODES = frozenset({"RequestTimeout", "IncompleteBody"})
EXPIRED_CODES = frozenset({"ExpiredToken", "InvalidToken", "InvalidAccessKeyId"})
_EXPIRED = re.compile(r"AccessDenied: .*\bexpired\b", re.IGNORECASE)  # "Policy expired.", "Request has expired"

_NEW_SESSION = "Run the upload again: it opens a new session."
_REMEDIES = {
    "EntityTooLarge": "The bucket takes at most 5 GB an object, this session perhaps less: split the file.",
    "EntityTooSmall": "The bucket does not take so small a file; leave it out.",
    "ExpiredToken": f"The session's permission has expired. {_NEW_SESSION}",
    "InvalidToken": f"The session's permission is not valid. {_NEW_SESSION}",
    "InvalidAccessKeyId": f"The session's permission is not known any more. {_NEW_SESSION}",
    "SignatureDoesNotMatch": f"Something on the way may have altered the request, such as a proxy. {_NEW_SESSION}",
    "RequestTimeTooSkewed": "The clock of this machine is wrong; set it.",
    "AccessDenied": f"The session does not allow this object, or has expired. {_NEW_SESSION}",
    "KeyTooLongError": "Give the file a shorter name; letters beyond ASCII count several times.",
    "SlowDown": "The bucket is busy; try again in a minute, with fewer files at a time.",
}
_BUSY = "The bucket is busy or ill; try again in a minute."
_OTHER = "The file itself may be fine: send it alone to see whether it is this file or the session."


def is_transient(error: BucketError) -> bool:
    """Whether sending the same form again can help."""
    return error.status in TRANSIENT or (error.status == 400 and error.code in TRANSIENT_CODES)


def form_expired(error: BucketError) -> bool:
    """Whether only a fresh session can help: this one's form is not accepted any more."""
    if error.code == "AccessDenied":
        return _EXPIRED.search(error.message) is not None
    return error.code in EXPIRED_CODES


def refused(response: httpx.Response, name: str, secrets: Iterable[str]) -> BucketError:
    """The error for an answer other than 2xx.

    Args:
        response: The answer, read.
        name: Of the object.
        secrets: The form's fields, in case the bucket repeats one.
    """
    code, message = _element(response.text, "Code"), _element(response.text, "Message")
    text = joined([message]) if code or message else details_of(response)
    for secret in secrets:
        text = text.replace(secret, "***")
    status = response.status_code
    what = ": ".join(part for part in (code, text.rstrip(".")) if part)
    said = f" {what} ({status})." if what else f" ({status})."
    remedy = _REMEDIES.get(code) or (_BUSY if status in TRANSIENT else _OTHER)
    return BucketError(f"The bucket refused {name}:{said}", remedy, status=status, code=code)


def _element(xml: str, name: str) -> str:
    # Two flat elements: not worth an XML parser, nor what a hostile document does to one.
    found = re.search(rf"<{name}>([^<]*)</{name}>", xml)
    return html.unescape(found[1]).strip() if found else ""
