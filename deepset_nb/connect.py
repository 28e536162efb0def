"""Ways to a workspace: log in once, list what the key can see, or start the local platform."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import bridge, frames, settings
from .client import AsyncClient
from .client.sandbox_admin import SandboxAdmin
from .errors import ConnectionFailed, MissingExtra, SandboxError, SettingsError
from .models import Me, WorkspaceInfo
from .settings import Settings
from .workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

    from .emulator.server import SandboxServer

JOIN = "DEEPSET_NB_SANDBOX"  # names a running sandbox: the JSON line that `deepset-nb sandbox` prints
COLAB_SECRET = "DEEPSET_API_KEY"  # noqa: S105 - the name of a secret, not one

_servers: dict[tuple[int, _Setup], SandboxServer] = {}


@dataclass(frozen=True)
class Login:
    """Whose key this kernel uses now, and where."""

    user: str
    organisation: str | None
    host: str
    saved_to: str | None = None

    def __repr__(self) -> str:
        of = f" of {self.organisation}" if self.organisation else ""
        kept = f"saved in {self.saved_to}" if self.saved_to else "kept in this kernel only"
        return f"Logged in at {self.host} as {self.user}{of}; the key is {kept}."


def login(
    api_key: str | None = None, *, region: str | None = None, api_url: str | None = None, save: bool = False
) -> Login:
    """Ask for the API key, check it, and use it in this kernel.

    The key is typed into a hidden prompt, or comes from the Colab secret ``DEEPSET_API_KEY``; it is not part of the
    notebook. An argument is for scripts.

    Example:
        >>> import deepset_nb as dn
        >>> dn.login(region="eu")  # doctest: +SKIP
        Logged in at api.cloud.deepset.ai as Ada Lovelace of Example Ltd; the key is kept in this kernel only.

    Args:
        api_key: The key, if it is not to be asked for.
        region: ``"eu"`` (default) or ``"us"``.
        api_url: Base URL of a platform of one's own, instead of a region.
        save: Also write it to ``~/.deepset-cloud/.env``, readable by you only.

    Returns:
        Who you are there.

    Raises:
        Unauthorized: The key is wrong; names the host asked and the other region.
        ConnectionFailed: Nobody answered.
    """
    key = api_key or _colab_secret() or _ask()
    resolved = settings.resolve(api_key=key, api_url=api_url, region=region, need_workspace=False)
    me = bridge.run(_check, resolved)
    settings.remember(resolved)
    path = settings.save(resolved) if save else None
    user = " ".join(filter(None, (me.given_name, me.family_name))) or me.email or str(me.user_id)
    organisation = me.organization.name if me.organization else None
    return Login(user, organisation, resolved.host, "~/.deepset-cloud/.env" if path else None)


def _ask() -> str:
    try:
        return getpass.getpass("deepset API key: ").strip()
    except (EOFError, NotImplementedError, RuntimeError):  # no terminal, or a front end without input prompts
        raise SettingsError(
            "This front end cannot ask for a key.",
            "Set the environment variable API_KEY, or write it to a .env file beside the notebook.",
        ) from None


def _colab_secret() -> str | None:
    """The secret of this name in Colab's key panel, if we are there and may read it."""
    if "google.colab" not in sys.modules:
        return None
    from google.colab import userdata

    try:
        return str(userdata.get(COLAB_SECRET))
    except Exception:  # not set, access not granted, or timed out: the prompt comes next
        return None


async def _check(resolved: Settings) -> Me:
    async with AsyncClient(resolved) as client:
        return await client.workspaces.me()


def workspaces(*, api_key: str | None = None, api_url: str | None = None, region: str | None = None) -> pd.DataFrame:
    """The workspaces your key can see.

    Example:
        >>> import deepset_nb as dn
        >>> dn.workspaces()["name"].tolist()  # doctest: +SKIP
        ['default', 'my-workspace']

    Args:
        api_key: By default what ``dn.login()`` was given, or the environment.
        api_url: Base URL.
        region: ``"eu"`` or ``"us"``, instead of a URL.

    Returns:
        Columns ``name workspace_id`` (string).

    Raises:
        Unauthorized: The key is wrong.
    """
    resolved = settings.resolve(api_key=api_key, api_url=api_url, region=region, need_workspace=False)
    return frames.workspaces(bridge.run(_workspaces, resolved))


async def _workspaces(resolved: Settings) -> list[WorkspaceInfo]:
    async with AsyncClient(resolved) as client:
        return await client.workspaces.list()


def sandbox(
    *,
    workspace: str | None = None,
    data: str | os.PathLike[str] | None = None,
    port: int = 0,
    ingest_delay_s: float = 0.0,
    ingest_rate: float | None = None,
    faults: Iterable[str] = (),
    seed: int | None = None,
    files: int = 0,
) -> Workspace:
    """A workspace of the local platform: no account, no network, the same behaviour.

    Joins the sandbox named by the variable ``DEEPSET_NB_SANDBOX`` (``deepset-nb demo`` sets it), else starts one for
    this kernel, with a few example documents in it; it is gone when the kernel ends.

    Example:
        >>> import deepset_nb as dn
        >>> ws = dn.sandbox()
        >>> len(ws.list_files()) > 0
        True

    Args:
        workspace: A room of one's own by this name, made if need be.
        data: Folder that keeps everything for the next time.
        port: TCP port on 127.0.0.1; 0 takes a free one.
        ingest_delay_s: Seconds before the platform begins to ingest a closed session.
        ingest_rate: Files ingested per second; None is at once.
        faults: Misbehaviour to see, such as ``"latency:300ms"`` or ``"fail:b.pdf=FAILED_TO_PARSE_META"``;
            ``deepset-nb sandbox --faults`` lists them all, with what each does and what you should see.
        seed: The same seed gives the same ids, times and failures on every laptop.
        files: Bring the workspace to at least so many files, made up in seconds, to try large listings on.

    Returns:
        The workspace, ready for uploads.

    Raises:
        MissingExtra: The sandbox is not installed.
        SandboxError: The port is taken, or the folder is of another version.
    """
    named = os.environ.get(JOIN)
    named_faults = (faults,) if isinstance(faults, str) else tuple(faults)
    setup = _Setup(Path(data) if data is not None else None, port, ingest_delay_s, ingest_rate, named_faults, seed)
    if named and setup == _Setup():
        return _join(named, workspace, files)
    return _enter(asdict(_server(setup).start()), workspace, files)


def _join(line: str, workspace: str | None, files: int) -> Workspace:
    remedy = f"Unset {JOIN} to start a sandbox of your own, or start the named one again: deepset-nb sandbox."
    try:
        return _enter(json.loads(line), workspace, files)
    except (ValueError, KeyError, TypeError):
        raise SandboxError(f"{JOIN} does not name a sandbox: it is not the line one prints.", remedy) from None
    except ConnectionFailed as error:
        raise SandboxError(f"The sandbox that {JOIN} names does not answer: {error.message}", remedy) from None


def _enter(connection: dict[str, str], room: str | None, files: int = 0) -> Workspace:
    admin = SandboxAdmin(connection["api_url"], connection["admin_key"])
    if room and room != connection["workspace"]:
        bridge.run(admin.add_workspace, room)
    name = room or connection["workspace"]
    workspace = Workspace(name, api_key=connection["api_key"], api_url=connection["api_url"])
    workspace.sandbox = Sandbox(admin, name)
    if files:
        bridge.run(admin.add_files, name, files)
    return workspace


class Sandbox:
    """The local platform behind a workspace: ``ws.sandbox``.

    Example:
        >>> ws = dn.sandbox()  # doctest: +SKIP
        >>> ws.sandbox.fault("slow_down:3")  # doctest: +SKIP
        >>> ws.sandbox.clear_faults()  # doctest: +SKIP
    """

    def __init__(self, admin: SandboxAdmin, room: str) -> None:
        """Hold the way to its own endpoints, and the name of the workspace."""
        self._admin, self._room = admin, room

    def reset(self) -> None:
        """Put this workspace back to its first day: all files and upload sessions go, the example documents return.

        Between two groups of a course, or at the top of a notebook that is to run the same each time. Other rooms of
        the sandbox, and its faults, stay as they are.

        Example:
            >>> ws = dn.sandbox(workspace="anna")  # doctest: +SKIP
            >>> ws.sandbox.reset()  # doctest: +SKIP
        """
        bridge.run(self._admin.reset_workspace, self._room)

    def fault(self, *faults: str) -> None:
        """Misbehave from now on, as named: ``"latency:300ms"``, ``"slow_down:3"``, ``"fail:b.pdf=EMPTY_FILE"``.

        Raises:
            SandboxError: There is no such fault; the message lists those there are.
        """
        bridge.run(self._admin.add_faults, faults)

    def clear_faults(self) -> None:
        """Behave again."""
        bridge.run(self._admin.clear_faults)


@dataclass(frozen=True)
class _Setup:
    """How a sandbox of this kernel is set up; the same setup is the same sandbox."""

    data: Path | None = None
    port: int = 0
    ingest_delay_s: float = 0.0
    ingest_rate: float | None = None
    faults: tuple[str, ...] = ()
    seed: int | None = None


def _server(setup: _Setup) -> SandboxServer:
    """The sandbox of this kernel that is set up like this, started at first use."""
    try:
        from .emulator.config import SandboxConfig
        from .emulator.server import SandboxServer
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"The sandbox is not installed: there is no module {error.name!r}.",
            "Run: pip install 'deepset-nb[sandbox]'",
        ) from None
    key = os.getpid(), setup  # a forked child has none of its parent's
    if key not in _servers:
        server = SandboxServer(SandboxConfig(**vars(setup)))
        server.start()
        _servers[key] = server
    return _servers[key]


def sandbox_keys() -> list[str]:
    """The keys of this kernel's sandboxes and of the one it would join."""
    connections = [asdict(server.start()) for (process, _), server in _servers.items() if process == os.getpid()]
    with contextlib.suppress(ValueError):
        named = json.loads(os.environ.get(JOIN, "{}"))
        connections += [named] if isinstance(named, dict) else []
    keys = [connection.get(name) for connection in connections for name in ("api_key", "admin_key")]
    return [key for key in keys if isinstance(key, str)]
