"""Named faults: what a client must survive, on demand.

registry      what a fault is, the table `KINDS`, and the faults active in one sandbox
bucket        faults of the bucket and of the way there
api           faults of the API's answers
ingestion     faults of what becomes of a file
"""

from __future__ import annotations

from . import api, bucket, ingestion  # the table has a row for each of their functions
from .ingestion import REASONS
from .registry import KINDS, ConnectionReset, Fault, Faults, Kind

__all__ = ["KINDS", "REASONS", "ConnectionReset", "Fault", "Faults", "Kind", "api", "bucket", "ingestion"]
