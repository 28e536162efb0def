"""Faults of what becomes of a file once its session is closed."""

from __future__ import annotations

from ..marks import share_of
from .registry import Fault, kind, nothing

REASONS = ("EMPTY_FILE", "FILE_NOT_FOUND", "FAILED_TO_PARSE_META", "FILE_ALREADY_EXISTS", "UNKNOWN_ERROR")


@kind(
    "fail:NAME=REASON",
    effect=f"ingesting the file NAME fails; REASON is one of {', '.join(REASONS)}",
    seen="the receipt's row of this file says failed, with the reason and what to do",
)
def _fail(spec: str, argument: str) -> Fault:
    name, _, reason = argument.rpartition("=")
    if not name or reason not in REASONS:
        raise ValueError(f"the reason must be one of {', '.join(REASONS)}")
    return Fault(spec, on_ingest=lambda ingested, seed: reason if ingested == name else None)


@kind(
    "fail_some:P%",
    effect="ingesting P percent of all files fails with UNKNOWN_ERROR; which ones follows from seed and name",
    seen="the receipt's rows of these files say failed, each with a reason and what to do; the other files arrive",
)
def _fail_some(spec: str, argument: str) -> Fault:
    percent = argument.removesuffix("%")
    if not argument.endswith("%") or not percent.isdecimal() or not 0 < int(percent) <= 100:
        raise ValueError("the argument must be a percentage from 1% to 100%")
    share = int(percent) / 100
    return Fault(spec, on_ingest=lambda name, seed: "UNKNOWN_ERROR" if share_of(seed, name) < share else None)


@kind(
    "duplicate_names",
    effect="every ingested object becomes two files of the same name",
    seen="the receipt's row says ok, but ambiguous instead of a file id; the listing shows both",
)
def _duplicate_names(spec: str, argument: str) -> Fault:
    nothing(argument)
    return Fault(spec, copies=2)
