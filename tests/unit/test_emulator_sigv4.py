"""Signing and checking the policy of a form."""

from __future__ import annotations

import base64
import json

import pytest

from deepset_nb.emulator.replies import BucketRefusal, timestamp
from deepset_nb.emulator.sigv4 import Credentials, presign, verify

CREDENTIALS = Credentials("AKID", "secret", "token")
NOW = 1_767_225_600


def form(**changes: str) -> dict[str, str]:
    fields = presign(CREDENTIALS, bucket="b", prefix="p/", now=NOW, expires=NOW + 60, max_bytes=100)
    return fields | {"key": "p/a.txt"} | changes


def signed(policy: object) -> dict[str, str]:
    text = base64.b64encode(json.dumps(policy).encode()).decode()
    return form(policy=text, **{"x-amz-signature": CREDENTIALS.sign(text, "20260101", "eu-central-1")})


def test_a_form_is_good_with_the_sizes_its_policy_allows():
    assert verify(CREDENTIALS, form(), bucket="b", now=NOW) == (0, 100)


def test_a_policy_is_bound_to_its_bucket():
    with pytest.raises(BucketRefusal, match="AccessDenied"):
        verify(CREDENTIALS, form(), bucket="c", now=NOW)


def test_a_policy_ends_at_its_second():
    verify(CREDENTIALS, form(), bucket="b", now=NOW + 59.9)
    with pytest.raises(BucketRefusal, match="Policy expired"):
        verify(CREDENTIALS, form(), bucket="b", now=NOW + 60)


@pytest.mark.parametrize(
    "policy",
    [
        "text",
        [],
        {},
        {"expiration": "2999-01-01T00:00:00Z"},
        {"expiration": "tomorrow", "conditions": []},
        {"expiration": 5, "conditions": []},
        {"expiration": "2999-01-01T00:00:00Z", "conditions": {}},
        {"expiration": "2999-01-01T00:00:00Z", "conditions": [["matches", "$key", ".*"]]},
        {"expiration": "2999-01-01T00:00:00Z", "conditions": [["content-length-range", "0", "9"]]},
    ],
)
def test_a_signed_policy_that_is_none_is_invalid(policy):
    with pytest.raises(BucketRefusal, match="InvalidPolicyDocument"):
        verify(CREDENTIALS, signed(policy), bucket="b", now=NOW)


@pytest.mark.parametrize(
    ("condition", "fits"),
    [
        ({"key": "p/a.txt"}, True),
        ({"Key": "p/a.txt"}, True),
        ({"key": "p/"}, False),
        (["eq", "$key", "p/a.txt"], True),
        (["eq", "$key", "p/"], False),
        (["starts-with", "$key", "p/"], True),
        (["starts-with", "$key", ""], True),
        (["starts-with", "$key", "q/"], False),
        (["eq", "$acl", "private"], False),
    ],
)
def test_conditions_compare_whole_values_or_beginnings(condition, fits):
    names = [["starts-with", f"${name}", ""] for name in form() if name.startswith("x-amz-") and "sig" not in name]
    fields = signed({"expiration": "2999-01-01T00:00:00Z", "conditions": [condition, *names]})
    if fits:
        assert verify(CREDENTIALS, fields, bucket="b", now=NOW)
    else:
        with pytest.raises(BucketRefusal, match="Policy Condition failed"):
            verify(CREDENTIALS, fields, bucket="b", now=NOW)


def test_secrets_are_in_no_repr():
    assert repr(CREDENTIALS) == "Credentials(access_key_id='AKID')"


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [(0, "1970-01-01T00:00:00.000000+00:00"), (1_767_225_600_000_001, "2026-01-01T00:00:00.000001+00:00")],
)
def test_times_are_written_with_all_their_digits(microseconds, text):
    assert timestamp(microseconds) == text
    assert timestamp(microseconds, "Z") == text.replace("+00:00", "Z")
