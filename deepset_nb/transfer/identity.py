"""Who a transfer goes to, whatever the URL: the same platform under another name or port is the same."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ..client import AsyncClient
from ..errors import ApiError, ConnectionFailed, Unauthorized
from ..models import Me


@dataclass(frozen=True)
class Identity:
    """A workspace of an organisation, by their ids.

    Attributes:
        target: What the journal files transfers under.
        user_id: Whose key it is, where the platform tells.
        organisation: The organisation's name, where the platform tells.
    """

    target: str
    user_id: str | None
    organisation: str | None


async def identify(client: AsyncClient, workspace: str) -> Identity:
    """Ask the platform who we are and which workspace this is.

    Raises:
        WorkspaceNotFound: There is no such workspace.
        Unauthorized: The key is wrong.
        ConnectionFailed: Nobody answered.
    """
    me, info = await asyncio.gather(_me(client), client.workspaces.get(workspace))
    organisation = me.organization if me else None
    owner = organisation.organization_id if organisation else client.settings.host
    return Identity(
        f"{owner}/{info.workspace_id}",
        str(me.user_id) if me else None,
        organisation.name if organisation else None,
    )


async def _me(client: AsyncClient) -> Me | None:
    try:
        return await client.workspaces.me()
    except (Unauthorized, ConnectionFailed):
        raise
    except ApiError:
        return None  # the reference marks /me as private: without it the organisation is simply not known
