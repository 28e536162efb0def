"""The messages and the state of the uploader; the twin of js/src/lib/upload_messages.ts, see messages.py."""

from __future__ import annotations

from typing import Literal, TypedDict

from ..transfer.progress import JobState, Target
from .messages import Problem

# --- states (traits; saved in the notebook, so small and without secrets) -----------------------------------------


class Lanes(TypedDict):
    """How many files of the last upload went straight to the bucket, through the kernel, and are still in a page."""

    direct: int
    kernel: int
    page: int


class UploaderState(TypedDict):
    """What the uploader shows besides its list of files, which lives in the browser and in the spool."""

    target: Target
    file_limit_bytes: int
    files: int
    complete: int
    bytes: int
    received_bytes: int
    lanes: Lanes
    job: JobState | None


# --- browser to kernel ----------------------------------------------------------------------------------------------


class Chunk(TypedDict):
    """A piece of a file; comes with exactly one buffer, in any order, perhaps twice."""

    kind: Literal["chunk"]
    file: str
    offset: int
    length: int
    xxh32: int


class Loaded(TypedDict):
    """The page is there, and so many bytes of its posts are out: ``orders`` by id."""

    kind: Literal["loaded"]
    page: str
    orders: dict[str, int]


class Answered(TypedDict):
    """What the bucket answered to a page's post; status 0 if nothing came, and why where the page knows."""

    kind: Literal["answered"]
    order: str
    status: int
    body: str
    retry_after: str
    problem: Literal["", "unknown", "unreadable"]


class OfferedFile(TypedDict):
    """A file the browser has; ``file`` is the id that all later messages use, ``changed`` in ms since 1970."""

    file: str
    name: str
    relative_path: str
    size: int
    changed: int


class BeginPayload(TypedDict):
    """Request ``begin``: make room for these files of this page, which came from its own machine (``loopback``)."""

    files: list[OfferedFile]
    page: str
    loopback: bool
    secure: bool


class FilePayload(TypedDict):
    """Requests ``received`` and ``remove``."""

    file: str


class PagePayload(TypedDict):
    """Request ``list``: which page asks."""

    page: str


class UploadPayload(TypedDict):
    """Requests ``upload``, ``plan`` and ``code``: what the kernel has and what this page holds."""

    write_mode: Literal["KEEP", "OVERWRITE", "FAIL"]
    page: str


class MetaPayload(TypedDict):
    """Request ``meta``: metadata of one file, or of all, as it was typed; an empty text takes it away."""

    file: str | None
    text: str


# --- kernel to browser ----------------------------------------------------------------------------------------------


class Ack(TypedDict):
    """Bytes are on disk: ``received`` without a gap from the start, and the piece that just came."""

    kind: Literal["ack"]
    file: str
    received: int
    offset: int
    length: int


class Nack(TypedDict):
    """A piece did not arrive whole: send it again."""

    kind: Literal["nack"]
    file: str
    offset: int
    length: int
    reason: str


class Refused(TypedDict):
    """The kernel gives up on a file."""

    kind: Literal["refused"]
    file: str
    error: Problem


class Order(TypedDict):
    """Post this file to the bucket with this form, a credential: use it for the one post and forget it."""

    kind: Literal["order"]
    page: str
    order: str
    file: str
    url: str
    fields: dict[str, str]
    name: str


class Probe(TypedDict):
    """See whether this bucket answers the page, without any form."""

    kind: Literal["probe"]
    page: str
    order: str
    url: str


class Fetch(TypedDict):
    """Send this file to the kernel after all."""

    kind: Literal["fetch"]
    page: str
    order: str
    file: str


class Withdraw(TypedDict):
    """Stop working on an order; no answer is expected."""

    kind: Literal["withdraw"]
    page: str
    order: str


class RollCall(TypedDict):
    """Say `Loaded` if you are there."""

    kind: Literal["rollcall"]
    page: str


class RefusedFile(TypedDict):
    """A file that cannot be taken."""

    file: str
    error: Problem


class BeginResult(TypedDict):
    """Which of the offered files are not taken, and which are to be sent now; the others stay in the page."""

    refused: list[RefusedFile]
    send: list[str]


class Range(TypedDict):
    """A piece of a file."""

    offset: int
    length: int


class ReceivedResult(TypedDict):
    """What the kernel holds of a file, and what it still misses."""

    received: int
    missing: list[Range]


class HeldFile(TypedDict):
    """A file as a reloaded page learns of it; ``waits`` if its bytes are still in the page that asks."""

    file: str
    name: str
    relative_path: str
    size: int
    received: int
    waits: bool
    meta: str


class ListResult(TypedDict):
    """Request ``list``: the files, and the metadata of all."""

    files: list[HeldFile]
    meta: str


class MetaProblem(TypedDict):
    """Why a text is no metadata; line and column from 1, 0 where it has no place."""

    message: str
    remedy: str
    line: int
    column: int


class MetaResult(TypedDict):
    """Request ``meta``: what is wrong with it; it was taken if nothing is."""

    problem: MetaProblem | None


class Hazard(TypedDict):
    """What the plan has to say about a file; ``file`` is empty where it is none of the list."""

    file: str
    path: str
    action: Literal["send", "refuse", "skip"]
    state: str
    reason: str
    remedy: str


class PlanResult(TypedDict):
    """Request ``plan``: what an upload would do; ``more`` hazards are not in the list."""

    send: int
    bytes: int
    hazards: list[Hazard]
    more: int


class CodeResult(TypedDict):
    """Request ``code``: the Python that does the same."""

    code: str
