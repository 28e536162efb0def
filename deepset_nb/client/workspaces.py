"""Who the key belongs to, and which workspaces it can see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..models import Me, WorkspaceInfo
from .paths import workspace_path
from .responses import Asked, Subject, decoded
from .retries import MAKING, REPEATABLE

if TYPE_CHECKING:
    from .async_client import AsyncClient


class Workspaces:
    """The account and its workspaces (platform API reference: workspaces, users)."""

    def __init__(self, client: AsyncClient) -> None:
        """Ask through ``client``."""
        self._client = client

    async def me(self) -> Me:
        """Whose key this is."""
        response = await self._client.request("GET", "/me", Asked(), worth=REPEATABLE)
        return decoded(response, Me, self._client.settings)

    async def list(self) -> list[WorkspaceInfo]:
        """All workspaces the key can see; the platform has no pages here."""
        response = await self._client.request("GET", "/workspaces", Asked(), worth=REPEATABLE)
        return decoded(response, list[WorkspaceInfo], self._client.settings)

    async def create(self, name: str) -> None:
        """Make a workspace.

        Raises:
            Conflict: There is one of this name.
            Unprocessable: The platform does not take the name; it wants more than 3 characters.
        """
        asked = Asked(Subject.WORKSPACE, name=name)
        await self._client.request("POST", "/workspaces", asked, worth=MAKING, json={"name": name})

    async def get(self, name: str) -> WorkspaceInfo:
        """One workspace.

        Raises:
            WorkspaceNotFound: There is none of this name; the message has names like it.
        """
        asked = Asked(Subject.WORKSPACE, name, name)
        response = await self._client.request("GET", workspace_path(name), asked, worth=REPEATABLE)
        return decoded(response, WorkspaceInfo, self._client.settings)
