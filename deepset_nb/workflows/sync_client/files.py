"""The files of a workspace, for scripts and for cells of a notebook.

The twin of `deepset_nb.workflows.async_client.files`; safe under a running event loop.

Every function takes ``api_key``, ``api_url`` and ``workspace_name``; what is left out comes from the environment,
``./.env`` or ``~/.deepset-cloud/.env``, looked up when the function is called.
"""

from __future__ import annotations

from ...models import (
    DeepsetCloudFile,
    DeepsetCloudFileBytes,
    File,
    S3UploadSummary,
    UploadSessionDetail,
    UploadSessionStatus,
    WriteMode,
)
from .._transfers import DEFAULT_WORKSPACE_NAME
from ._download import download
from ._listings import close_upload_session, get_upload_session, list_files, list_upload_sessions
from ._uploads import upload, upload_bytes, upload_file_paths, upload_texts

__all__ = [
    "DEFAULT_WORKSPACE_NAME",
    "DeepsetCloudFile",
    "DeepsetCloudFileBytes",
    "File",
    "S3UploadSummary",
    "UploadSessionDetail",
    "UploadSessionStatus",
    "WriteMode",
    "close_upload_session",
    "download",
    "get_upload_session",
    "list_files",
    "list_upload_sessions",
    "upload",
    "upload_bytes",
    "upload_file_paths",
    "upload_texts",
]
