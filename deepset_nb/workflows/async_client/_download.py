"""Files of a workspace into a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...settings import resolve
from .._transfers import DEFAULT_WORKSPACE_NAME, acarry_out, download_transfer, receipt


async def download(
    workspace_name: str = DEFAULT_WORKSPACE_NAME,
    file_dir: Path | str | None = None,
    name: str | None = None,
    odata_filter: str | None = None,
    include_meta: bool = True,
    batch_size: int = 50,
    api_key: str | None = None,
    api_url: str | None = None,
    show_progress: bool = True,
    timeout_s: float | None = None,
    safe_mode: bool = False,
) -> list[dict[str, Any]]:
    """Fetch the files of a workspace into a folder.

    What an earlier download has put there is not fetched again, and nothing that is there is overwritten: a name that
    is taken gets a number.

    Example:
        >>> rows = await download('my-workspace', 'reports/', name='2024')  # doctest: +SKIP
        >>> pd.DataFrame(rows)[['name', 'path', 'status', 'reason']]  # doctest: +SKIP

    Args:
        workspace_name: Name of the workspace.
        file_dir: The folder, made if it is not there; by default the current one.
        name: Only files whose names contain this.
        odata_filter: Only files whose metadata matches, such as ``"topic eq 'news'"``.
        include_meta: Also write each file's metadata beside it, as ``<name>.meta.json``.
        batch_size: Files a page of the listing, at most 100.
        api_key: API key of the platform.
        api_url: URL of the API.
        show_progress: A panel in a notebook, a line on a terminal's stderr, nothing elsewhere.
        timeout_s: Longest time for all of it, in seconds.
        safe_mode: One connection and more patience, for networks in trouble.

    Returns:
        A row for each file, as ``job.receipt`` has them: ``name`` is the platform's, ``path`` the local one, ``status``
        ok, skipped (there already), failed or cancelled.

    Raises:
        InputError: The folder cannot be made.
        StillRunning: A TimeoutError: ``timeout_s`` is over; run again, it goes on from there.
    """
    settings = resolve(workspace_name, api_key=api_key, api_url=api_url)
    transfer = download_transfer(
        settings,
        file_dir,
        name=name,
        odata_filter=odata_filter,
        include_meta=include_meta,
        batch_size=batch_size,
        timeout_s=timeout_s,
        safe_mode=safe_mode,
    )
    await acarry_out(transfer, show_progress)
    return receipt(transfer)
