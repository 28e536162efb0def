"""How the functions of `workflows`, ours and the SDK's, are told where to go."""

from __future__ import annotations

from typing import Any

import psutil

import deepset_nb as dn
from deepset_nb import bridge


def account(ws: dn.Workspace) -> dict[str, Any]:
    """The keyword arguments that name this workspace."""
    settings = ws.settings
    return {
        "api_key": settings.api_key.reveal(),
        "api_url": settings.api_url,
        "workspace_name": settings.workspace_name,
    }


def sockets_to(ws: dn.Workspace) -> int:
    """Connections this process holds to the platform, without those that the workspace keeps for a while on purpose."""
    bridge.run(ws._connection.close)
    port = int(ws.settings.host.rpartition(":")[2])
    found = psutil.Process().net_connections("tcp")
    return sum(bool(c.raddr) and c.raddr.port == port and c.status == psutil.CONN_ESTABLISHED for c in found)


def work_on_the_bridge() -> int:
    """Coroutines that run on the bridge now."""
    return len(bridge._running())


def contents(ws: dn.Workspace) -> dict[str, tuple[int, Any]]:
    """Name -> size and metadata of every file of the workspace."""
    return {row.name: (row.size, row.meta) for row in ws.list_files().itertuples(index=False)}
