"""Files, folders, texts and bytes into a workspace."""

from __future__ import annotations

from pathlib import Path

from ...models import DeepsetCloudFile, DeepsetCloudFileBytes, S3UploadSummary, WriteMode
from ...settings import resolve
from .._transfers import DEFAULT_WORKSPACE_NAME, acarry_out, documents_transfer, paths_transfer, summary


async def upload_file_paths(
    file_paths: list[Path],
    api_key: str | None = None,
    api_url: str | None = None,
    workspace_name: str = DEFAULT_WORKSPACE_NAME,
    write_mode: WriteMode = WriteMode.KEEP,
    blocking: bool = True,
    timeout_s: float | None = 300,
    show_progress: bool = True,
) -> S3UploadSummary:
    """Upload files through an upload session.

    Example:
        >>> await upload_file_paths([Path('a.txt'), Path('b.pdf')], workspace_name='my-workspace')  # doctest: +SKIP

    Args:
        file_paths: Files; ``a.txt.meta.json`` among them is the metadata of ``a.txt`` beside it.
        api_key: API key of the platform.
        api_url: URL of the API.
        workspace_name: Name of the workspace.
        write_mode: For names the workspace already has: ``KEEP`` both, ``OVERWRITE``, or ``FAIL``.
        blocking: Wait until the platform has ingested everything; else return when all is sent.
        timeout_s: Longest wait for ingestion after the last byte, in seconds; sending is bounded by stall alone.
        show_progress: A panel in a notebook, a line on a terminal's stderr, nothing elsewhere.

    Returns:
        What became of every file; ``session_ids`` names the upload sessions, ``receipt`` has a row for each file.

    Raises:
        StillRunning: A TimeoutError: ``timeout_s`` is over, and the platform is still ingesting.
        PathNotFound: A path does not exist.
        NothingToUpload: There is no file below the paths.
    """
    settings = resolve(workspace_name, api_key=api_key, api_url=api_url)
    transfer = paths_transfer(settings, file_paths, write_mode=write_mode, blocking=blocking, timeout_s=timeout_s)
    await acarry_out(transfer, show_progress)
    return summary(transfer)


async def upload(
    paths: list[Path],
    api_key: str | None = None,
    api_url: str | None = None,
    workspace_name: str = DEFAULT_WORKSPACE_NAME,
    write_mode: WriteMode = WriteMode.KEEP,
    blocking: bool = True,
    timeout_s: float | None = 300,
    show_progress: bool = True,
    recursive: bool = False,
    desired_file_types: list[str] | None = None,
    enable_parallel_processing: bool = False,
    safe_mode: bool = False,
) -> S3UploadSummary:
    """Upload files and folders through an upload session.

    Example:
        >>> summary = await upload([Path('reports')], workspace_name='my-workspace', recursive=True)  # doctest: +SKIP
        >>> summary.failed  # doctest: +SKIP

    Args:
        paths: Files and folders. ``a.txt.meta.json`` beside ``a.txt`` becomes its metadata; hidden files are left out.
        api_key: API key of the platform.
        api_url: URL of the API.
        workspace_name: Name of the workspace.
        write_mode: For names the workspace already has: ``KEEP`` both, ``OVERWRITE``, or ``FAIL``.
        blocking: Wait until the platform has ingested everything; else return when all is sent.
        timeout_s: Longest wait for ingestion after the last byte, in seconds; sending is bounded by stall alone.
        show_progress: A panel in a notebook, a line on a terminal's stderr, nothing elsewhere.
        recursive: Also what lies in subfolders; base names must differ, as the platform knows no folders.
        desired_file_types: Ends of names to take, such as ``[".pdf"]``; by default any file.
        enable_parallel_processing: Let the platform ingest the files in parallel; only while no other upload has files
            of the same names.
        safe_mode: One connection and more patience, for networks in trouble.

    Returns:
        What became of every file; ``session_ids`` names the upload sessions, ``receipt`` has a row for each file.

    Raises:
        StillRunning: A TimeoutError: ``timeout_s`` is over, and the platform is still ingesting.
        PathNotFound: A path does not exist.
        NothingToUpload: There is no file below the paths.
    """
    settings = resolve(workspace_name, api_key=api_key, api_url=api_url)
    transfer = paths_transfer(
        settings,
        paths,
        write_mode=write_mode,
        blocking=blocking,
        timeout_s=timeout_s,
        recursive=recursive,
        desired_file_types=desired_file_types,
        parallel=enable_parallel_processing,
        safe_mode=safe_mode,
    )
    await acarry_out(transfer, show_progress)
    return summary(transfer)


async def upload_texts(
    files: list[DeepsetCloudFile],
    api_key: str | None = None,
    api_url: str | None = None,
    workspace_name: str = DEFAULT_WORKSPACE_NAME,
    write_mode: WriteMode = WriteMode.KEEP,
    blocking: bool = True,
    timeout_s: float | None = 300,
    show_progress: bool = True,
    enable_parallel_processing: bool = False,
) -> S3UploadSummary:
    """Upload texts: up to 20 directly, one request each, more through an upload session.

    Example:
        >>> await upload_texts([DeepsetCloudFile('The text.', 'note.txt', {'topic': 'news'})])  # doctest: +SKIP

    Args:
        files: Texts with their names and metadata.
        api_key: API key of the platform.
        api_url: URL of the API.
        workspace_name: Name of the workspace.
        write_mode: For names the workspace already has: ``KEEP`` both, ``OVERWRITE``, or ``FAIL``.
        blocking: Wait until the platform has ingested everything; else return when all is sent.
        timeout_s: Longest wait for ingestion after the last byte, in seconds; sending is bounded by stall alone.
        show_progress: A panel in a notebook, a line on a terminal's stderr, nothing elsewhere.
        enable_parallel_processing: Let the platform ingest the files in parallel; only while no other upload has files
            of the same names.

    Returns:
        What became of every file; ``session_ids`` names the upload sessions, ``receipt`` has a row for each file.

    Raises:
        StillRunning: A TimeoutError: ``timeout_s`` is over, and the platform is still ingesting.
    """
    settings = resolve(workspace_name, api_key=api_key, api_url=api_url)
    transfer = documents_transfer(
        settings,
        files,
        write_mode=write_mode,
        blocking=blocking,
        timeout_s=timeout_s,
        parallel=enable_parallel_processing,
    )
    await acarry_out(transfer, show_progress)
    return summary(transfer)


async def upload_bytes(
    files: list[DeepsetCloudFileBytes],
    api_key: str | None = None,
    api_url: str | None = None,
    workspace_name: str = DEFAULT_WORKSPACE_NAME,
    write_mode: WriteMode = WriteMode.KEEP,
    blocking: bool = True,
    timeout_s: float | None = 300,
    show_progress: bool = True,
    enable_parallel_processing: bool = False,
) -> S3UploadSummary:
    """Upload files made in memory: up to 20 directly, one request each, more through an upload session.

    Example:
        >>> await upload_bytes([DeepsetCloudFileBytes(b'%PDF-1.7 ...', 'report.pdf')])  # doctest: +SKIP

    Args:
        files: Contents with their names and metadata.
        api_key: API key of the platform.
        api_url: URL of the API.
        workspace_name: Name of the workspace.
        write_mode: For names the workspace already has: ``KEEP`` both, ``OVERWRITE``, or ``FAIL``.
        blocking: Wait until the platform has ingested everything; else return when all is sent.
        timeout_s: Longest wait for ingestion after the last byte, in seconds; sending is bounded by stall alone.
        show_progress: A panel in a notebook, a line on a terminal's stderr, nothing elsewhere.
        enable_parallel_processing: Let the platform ingest the files in parallel; only while no other upload has files
            of the same names.

    Returns:
        What became of every file; ``session_ids`` names the upload sessions, ``receipt`` has a row for each file.

    Raises:
        StillRunning: A TimeoutError: ``timeout_s`` is over, and the platform is still ingesting.
    """
    settings = resolve(workspace_name, api_key=api_key, api_url=api_url)
    transfer = documents_transfer(
        settings,
        files,
        write_mode=write_mode,
        blocking=blocking,
        timeout_s=timeout_s,
        parallel=enable_parallel_processing,
    )
    await acarry_out(transfer, show_progress)
    return summary(transfer)
