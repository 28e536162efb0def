"""What the platform returns and takes, as typed values.

Unknown fields are ignored and unknown enum values are kept as they came, so that a newer platform does not
break an older notebook. Field names and states: the platform's API reference.
"""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from .errors import InputError


class OpenEnum(enum.StrEnum):
    """A string enum that accepts values it does not know yet."""

    @classmethod
    def _missing_(cls, value: object) -> OpenEnum | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member


class WriteMode(OpenEnum):
    """What happens to a file whose name the workspace already has: keep both, replace, or refuse.

    Example:
        >>> ws.upload("reports/", write_mode=dn.WriteMode.OVERWRITE)  # doctest: +SKIP
    """

    KEEP = "KEEP"
    OVERWRITE = "OVERWRITE"
    FAIL = "FAIL"

    @classmethod
    def named(cls, value: object) -> WriteMode:
        """The mode a caller asks for, in any case of letters; the enum of the platform's own SDK is welcome, too.

        Raises:
            InputError: There is no such mode.
        """
        mode = cls(str(getattr(value, "value", value)).upper())
        if mode not in (cls.KEEP, cls.OVERWRITE, cls.FAIL):
            raise InputError(f"There is no write mode {value!r}.", 'Use "KEEP", "OVERWRITE" or "FAIL".')
        return mode


class UploadSessionState(OpenEnum):
    """State of an upload session in listings."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"
    EXPIRED = "EXPIRED"


class IngestionStatus(OpenEnum):
    """State of one file of a closed session."""

    PENDING = "PENDING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"


class Model(msgspec.Struct, frozen=True):
    """Base of everything decoded from the platform."""


class File(Model, frozen=True):
    """A file of a workspace."""

    file_id: UUID
    url: str
    name: str
    size: int
    created_at: datetime
    meta: dict[str, Any] | None = None


class FileRow(Model, frozen=True, gc=False):
    """A file as a table takes it: nothing is built that a column does not hold. ``meta`` is JSON as it came."""

    file_id: str
    url: str
    name: str
    size: int
    created_at: datetime
    meta: msgspec.Raw = msgspec.Raw(b"null")

    def meta_dict(self) -> dict[str, Any]:
        """The metadata, decoded."""
        return msgspec.json.decode(self.meta) or {}


class FileKey(Model, frozen=True):
    """What tells files of a workspace apart: a listing's row without the metadata, which is what costs."""

    file_id: UUID
    name: str
    size: int
    created_at: datetime


class FileId(Model, frozen=True):
    """The answer to a direct upload."""

    file_id: UUID


class UserInfo(Model, frozen=True):
    """Who created an upload session."""

    user_id: UUID
    given_name: str = ""
    family_name: str = ""


class UploadSessionDetail(Model, frozen=True):
    """An upload session as listings show it."""

    session_id: UUID
    created_by: UserInfo | None
    created_at: datetime
    expires_at: datetime | None
    write_mode: WriteMode
    status: UploadSessionState


class UploadSessionIngestionStatus(Model, frozen=True):
    """How many files of a session were ingested or refused; sidecars do not count."""

    failed_files: int = 0
    finished_files: int = 0


class UploadSessionStatus(Model, frozen=True):
    """One upload session, asked for by its id."""

    session_id: UUID
    expires_at: datetime | None
    documentation_url: str
    ingestion_status: UploadSessionIngestionStatus


class AWSPrefixedRequestConfig(Model, frozen=True):
    """Where and how to post objects. The fields are a credential: never shown, never kept."""

    url: str
    fields: dict[str, str]

    def __repr__(self) -> str:
        return "AWSPrefixedRequestConfig(url=***, fields=***)"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("url", "***"), ("fields", "***")]


class OpenedSession(Model, frozen=True):
    """The answer to creating an upload session."""

    session_id: UUID
    documentation_url: str
    expires_at: datetime | None
    aws_prefixed_request_config: AWSPrefixedRequestConfig


class SessionFile(Model, frozen=True):
    """Per-file outcome of a session; ``ingestion_status_reason`` is set for failed files."""

    name: str
    ingestion_status: IngestionStatus
    ingestion_status_reason: str | None = None
    file_ingestion_id: UUID | None = None


class Organisation(Model, frozen=True):
    """The organisation an API key belongs to."""

    name: str
    organization_id: UUID


class Me(Model, frozen=True):
    """Whose API key this is."""

    user_id: UUID
    given_name: str | None = None
    family_name: str | None = None
    email: str | None = None
    organization: Organisation | None = None


class WorkspaceInfo(Model, frozen=True):
    """A workspace the key can see."""

    name: str
    workspace_id: UUID


class DeepsetCloudFile(msgspec.Struct):
    """A text to upload, made in memory.

    Example:
        >>> DeepsetCloudFile("The text.", "note.txt", {"topic": "news"}).name
        'note.txt'
    """

    text: str
    name: str
    meta: dict[str, Any] | None = None


class DeepsetCloudFileBytes(msgspec.Struct):
    """A file to upload, made in memory from bytes.

    Example:
        >>> DeepsetCloudFileBytes(b"%PDF-1.7 ...", "report.pdf", {"year": 2026}).name
        'report.pdf'
    """

    file_bytes: bytes
    name: str
    meta: dict[str, Any] | None = None


class S3UploadResult(msgspec.Struct):
    """One file that an upload of `workflows` could not bring to the platform.

    Attributes:
        file_name: Its name, without folders.
        success: False, as only failures are listed.
        exception: What happened, and what to do.
    """

    file_name: str
    success: bool
    exception: Exception | None = None


class S3UploadSummary(msgspec.Struct):
    """What became of an upload of `workflows`: every file, not only those on their way to the bucket.

    Example:
        >>> summary = upload([Path("reports")], workspace_name="my-workspace")  # doctest: +SKIP
        >>> pd.DataFrame(summary.receipt)  # doctest: +SKIP

    Attributes:
        total_files: Files that were to be uploaded; sidecars and what was left out do not count.
        successful_upload_count: Files on the platform; with ``blocking=False`` also files it has yet to ingest.
        failed_upload_count: The others.
        failed: One result for each of the others.
        session_ids: The upload sessions used; none on the direct route.
        receipt: One row for every file handed in, also for those left out, as ``job.receipt`` has them.
    """

    total_files: int
    successful_upload_count: int
    failed_upload_count: int
    failed: list[S3UploadResult]
    session_ids: list[UUID] = []
    receipt: list[dict[str, Any]] = []

    def __repr__(self) -> str:
        shown = [f"{name}={getattr(self, name)!r}" for name in self.__struct_fields__ if name != "receipt"]
        return f"S3UploadSummary({', '.join(shown)})"


def utf8(name: str, text: str) -> bytes:
    """The text of the document ``name`` as it is stored.

    Raises:
        InputError: It cannot be written as UTF-8.
    """
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"The text of {name!r} holds half a character at position {error.start:,}.",
            "Such text comes from decoding with errors='surrogateescape'; decode it as what it is.",
        ) from None


def page_of(item: type[Any]) -> type[Any]:
    """The page type around ``item``: ``data``, ``has_more``, ``total``."""
    rows = list.__class_getitem__(item)
    return msgspec.defstruct(f"{item.__name__}Page", [("data", rows), ("has_more", bool, False), ("total", int, 0)])
