"""The sandbox's own endpoints, which the real platform does not have: rooms of one's own, and faults on demand."""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from ..errors import ConnectionFailed, SandboxError
from ..settings import Secret
from .details import details_of
from .network import TIMEOUT
from .paths import workspace_path

HEADER = "X-Sandbox-Admin-Key"


class SandboxAdmin:
    """Whoever started a sandbox, or joined it with its admin key.

    Args:
        api_url: The sandbox's API, ending in /api/v1.
        admin_key: The key it printed beside its API key.
    """

    def __init__(self, api_url: str, admin_key: str) -> None:
        """Keep where and who; nothing is sent yet."""
        self._root = api_url.removesuffix("/api/v1") + "/_sandbox"
        self._key = Secret(admin_key)

    async def add_workspace(self, name: str) -> None:
        """Make a workspace, with the example documents in it; nothing happens if it is there."""
        await self._request("POST", "/workspaces", {"name": name})

    async def add_files(self, workspace: str, count: int) -> None:
        """Bring a workspace to at least ``count`` files, made up in bulk."""
        await self._request("POST", "/files", {"workspace": workspace, "count": count})

    async def reset_workspace(self, name: str) -> None:
        """Put a workspace back to its first day: nothing in it but the example documents."""
        await self._request("POST", workspace_path(name, "reset"), None)

    async def add_faults(self, faults: Sequence[str]) -> None:
        """Activate named faults, beside those active already."""
        await self._request("POST", "/faults", {"faults": list(faults)})

    async def clear_faults(self) -> None:
        """Back to a healthy platform."""
        await self._request("DELETE", "/faults", None)

    async def _request(self, method: str, path: str, body: dict[str, object] | None) -> None:
        # trust_env=False: a proxy cannot reach a server of this machine.
        async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as http:
            try:
                headers = {HEADER: self._key.reveal()}
                response = await http.request(method, self._root + path, json=body, headers=headers)
            except httpx.HTTPError:
                raise ConnectionFailed(
                    f"The sandbox at {self._root.removesuffix('/_sandbox')} does not answer.", "Start it again."
                ) from None
        if not response.is_success:
            words = details_of(response)
            raise SandboxError(
                f"The sandbox refused: {words or response.status_code}.", "See deepset-nb sandbox --help."
            )
