"""How a sandbox is set up, and every CHOICE it makes where the platform's behaviour is not known.

The platform API reference leaves some answers open. Each is a named switch here, with the
default we chose and why, so that a client can be tested against the other answer too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

BUCKET = "sandbox-user-files-upload"  # the real ones are called <env>-<account>-user-files-upload
GIB = 1024**3


@dataclass(frozen=True)
class Choices:
    """What the sandbox does where the platform's behaviour is unknown."""

    error_wrapper: Literal["errors", "detail"] = "errors"  # what the platform's pipeline endpoints answer with
    missing_key_status: int = 403  # FastAPI's own bearer check answers so
    wrong_key_status: int = 401  # "invalid API key" in the table of status codes
    time_suffix: Literal["+00:00", "Z"] = "+00:00"  # most recorded bodies; both exist
    limit_over_100: Literal["refuse", "clamp"] = "refuse"  # `maximum: 100` in the reference means 422 in FastAPI
    max_workspaces: int = 10  # guide, by plan; the 406 of `POST /workspaces`

    max_open_sessions: int = 10  # guide; taken per workspace, the narrowest reading
    open_sessions_status: int = 409  # 400 is as plausible
    newest_session_first: bool = True  # as the user interface shows them
    is_expired_means: Literal["past", "never_closed"] = "past"  # past its time, the plain meaning of the word
    expired_ingests: bool = True  # "automatically closed" suggests that what was uploaded is ingested
    expired_hides_closed: bool = False  # a closed session stays CLOSED after its time; True lists it as EXPIRED
    null_expires_at: bool = False  # the status body allows null

    max_session_objects: int | None = 10_000  # reference; guides say 50,000. What is beyond fails: the strict reading
    sidecars_take_room: bool = True  # of those 10,000: the safe reading
    sidecars_are_rows: bool = False  # counts exclude sidecars, so the rows probably do too
    orphan_sidecar: Literal["FILE_NOT_FOUND", "ignore"] = "FILE_NOT_FOUND"  # what that reason seems to be made for

    max_object_bytes: int = 5 * GIB  # S3's own limit for a form
    length_range_in_policy: bool = True  # the usual guard; without it only S3's own 5 GB hold
    bucket_cors: bool = True  # a bucket answers pages only where its owner allows it; False answers as S3 does then
    decode_names: bool = True  # uploaded names come back readable, so someone percent-decodes once

    overwrite_keeps_id: bool = True  # False: the replacement is a new file with a new id
    range_requests: bool = False  # no page promises them: a client has to do without, and may profit from True
    direct_limit_bytes: int = 200_000_000  # 200 MB, the decimal reading
    list_lag_s: float = 0  # guides: up to 3 minutes until a listing shows a file; 0 keeps lessons short
    temporary_listed: bool = False  # a temporary file is for one purpose, not one of the workspace's documents
    temporary_life_s: float = 86_400  # as long as a session

    meta_value_limit_bytes: int = 32_766  # guide on metadata, for one value
    meta_limit_bytes: int = 250_000  # guide on metadata, for all of a file
    meta_types_must_agree: bool = True  # guide: of another type than the same key in other files, the upload fails
    reserved_meta: Literal["refuse", "drop"] = "refuse"  # `id` and `_id`; a refusal is seen, a loss is not
    put_meta: Literal["replace", "merge"] = "replace"  # what PUT means everywhere else; PATCH merges
    bulk_meta_extra_fields: bool = False  # the reply has more than its two known fields; no client may need them

    file_order: Literal["ASC", "DESC"] = "DESC"  # newest first, as the user interface shows them
    name_case_sensitive: bool = False  # search backends usually fold case
    filter_error_status: int = 400  # a client's mistake in a valid string; 422 is as plausible
    lenient_filter: bool = False  # True: also `or`, `not` and parentheses, which no page of the platform promises

    delete_status: Literal[200, 204] = 200  # of files; most clients saw 200
    empty_names_delete: Literal["nothing", "everything"] = "nothing"  # an empty list is not a missing one


@dataclass(frozen=True)
class SandboxConfig:
    """Everything about one sandbox.

    Example:
        >>> SandboxConfig(workspace="anna", faults=("latency:300ms",)).port
        0

    Attributes:
        data: Folder that keeps the data over restarts; None is a temporary folder, removed at the end.
        port: TCP port on 127.0.0.1; 0 takes a free one.
        api_key: Key clients send; None makes a random one for this run.
        admin_key: Key of the ``/_sandbox`` endpoints; None makes a random one for this run.
        workspace: The workspace that is there from the start.
        files: Files made up for the first workspace, beside its documents; it has at least so many then.
        corpus: Whether workspaces made by the sandbox begin with its example documents.
        ingest_delay_s: Seconds between closing a session and its first ingested file.
        ingest_rate: Ingested files per second; None is as fast as possible.
        idle_timeout_s: Seconds of silence in the middle of a body after which the sandbox gives up on it.
        seed: The same seed gives the same ids, times and failures everywhere; None takes chance and the clock's time.
        faults: Named faults active from the start, see `faults`.
        choices: Answers where the platform's behaviour is unknown.
        clock: Seconds since 1970; tests put their own here.
    """

    data: Path | None = None
    port: int = 0
    api_key: str | None = field(default=None, repr=False)
    admin_key: str | None = field(default=None, repr=False)
    workspace: str = "sandbox"
    files: int = 0
    corpus: bool = True
    ingest_delay_s: float = 0
    ingest_rate: float | None = None
    idle_timeout_s: float = 20
    seed: int | None = None
    faults: tuple[str, ...] = ()
    choices: Choices = Choices()
    clock: Callable[[], float] = field(default=time.time, repr=False)
