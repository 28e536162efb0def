"""Presigned POST forms: making the fields, and checking a posted form against them (AWS Signature Version 4).

Platform API reference. The policy is signed, not the request: whoever holds the fields may post any
object the policy allows until it expires, and nothing else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .replies import BucketRefusal

ALGORITHM = "AWS4-HMAC-SHA256"
REGION = "eu-central-1"


@dataclass(frozen=True)
class Credentials:
    """What the sandbox signs forms with, as a role of the cloud would."""

    access_key_id: str
    secret: str = field(repr=False)
    token: str = field(repr=False)

    def sign(self, policy: str, date: str, region: str) -> str:
        """The signature of a base64 policy, ``date`` being the eight digits of the credential scope."""
        key = f"AWS4{self.secret}".encode()
        for part in (date, region, "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.new(key, policy.encode(), hashlib.sha256).hexdigest()


def presign(
    credentials: Credentials, *, bucket: str, prefix: str, now: float, expires: float, max_bytes: int | None
) -> dict[str, str]:
    """The form's fields for objects under ``prefix``; the file part's name completes the key."""
    moment = datetime.fromtimestamp(now, UTC)
    date = f"{moment:%Y%m%d}"
    fields = {
        "key": prefix + "${filename}",
        "x-amz-algorithm": ALGORITHM,
        "x-amz-credential": f"{credentials.access_key_id}/{date}/{REGION}/s3/aws4_request",
        "x-amz-date": f"{moment:%Y%m%dT%H%M%SZ}",
        "x-amz-security-token": credentials.token,
    }
    conditions: list[Any] = [
        {"bucket": bucket},
        ["starts-with", "$key", prefix],
        *([] if max_bytes is None else [["content-length-range", 0, max_bytes]]),
        *({name: value} for name, value in fields.items() if name != "key"),
    ]
    expiration = datetime.fromtimestamp(expires, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    policy = json.dumps({"expiration": expiration, "conditions": conditions}).encode()
    fields["policy"] = base64.b64encode(policy).decode()
    fields["x-amz-signature"] = credentials.sign(fields["policy"], date, REGION)
    return fields


def verify(credentials: Credentials, fields: dict[str, str], *, bucket: str, now: float) -> tuple[int, int]:
    """Check a posted form (field names in lower case, the file name already in its key).

    Returns:
        The smallest and largest size in bytes the policy allows.

    Raises:
        BucketRefusal: With the bucket's code for what does not fit.
    """
    for name in ("key", "policy", "x-amz-credential", "x-amz-date", "x-amz-signature"):
        if name not in fields:
            raise BucketRefusal("AccessDenied", f"The form has no field {name}.")
    if fields.get("x-amz-algorithm") != ALGORITHM:
        raise BucketRefusal("InvalidArgument", f"x-amz-algorithm must be {ALGORITHM}.")
    access_key_id, *scope = fields["x-amz-credential"].split("/")
    if len(scope) != 4 or scope[2:] != ["s3", "aws4_request"] or not fields["x-amz-date"].startswith(scope[0]):
        raise BucketRefusal("InvalidArgument", "x-amz-credential is not <key>/<date>/<region>/s3/aws4_request.")
    if not _same(access_key_id, credentials.access_key_id):
        raise BucketRefusal("InvalidAccessKeyId", "The AWS access key ID you provided does not exist in our records.")
    if not _same(fields.get("x-amz-security-token", ""), credentials.token):
        raise BucketRefusal("InvalidToken", "The provided token is malformed or otherwise invalid.")
    if not _same(fields["x-amz-signature"], credentials.sign(fields["policy"], scope[0], scope[1])):
        raise BucketRefusal(
            "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided."
        )
    return _apply(_decode(fields["policy"]), fields, bucket=bucket, now=now)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _decode(policy: str) -> dict[str, Any]:
    try:
        decoded = json.loads(base64.b64decode(policy, validate=True))
        datetime.fromisoformat(decoded["expiration"])
        if not isinstance(decoded["conditions"], list):
            raise TypeError
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise BucketRefusal("InvalidPolicyDocument", "Invalid Policy: it is not a policy document.") from None
    policy_document: dict[str, Any] = decoded
    return policy_document


def _apply(policy: dict[str, Any], fields: dict[str, str], *, bucket: str, now: float) -> tuple[int, int]:
    if now >= datetime.fromisoformat(policy["expiration"]).timestamp():
        raise BucketRefusal("AccessDenied", "Invalid according to Policy: Policy expired.")
    given = {**fields, "bucket": bucket}
    covered, sizes = {"policy", "x-amz-signature", "bucket"}, (0, 5 * 1024**3)
    for condition in policy["conditions"]:
        match condition:
            case ["content-length-range", int(low), int(high)]:
                sizes = (low, high)
                continue
            case ["starts-with", str(name), str(value)]:
                fits = given.get(name := name.removeprefix("$").lower(), "").startswith(value)
            case ["eq", str(name), str(value)]:
                fits = given.get(name := name.removeprefix("$").lower()) == value
            case dict() if len(condition) == 1:
                name, value = next(iter(condition.items()))
                fits = given.get(name := name.lower()) == value
            case _:
                raise BucketRefusal("InvalidPolicyDocument", "Invalid Policy: a condition is of no known form.")
        if not fits:
            raise BucketRefusal("AccessDenied", f"Invalid according to Policy: Policy Condition failed: {name}.")
        covered.add(name)
    if extra := sorted(name for name in fields if name not in covered and not name.startswith("x-ignore-")):
        raise BucketRefusal("AccessDenied", f"Invalid according to Policy: Extra input fields: {', '.join(extra)}")
    return sizes
