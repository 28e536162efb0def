"""Names and metadata made to break a page, and every widget full of them.

The tests of states, of static forms and of the browser go through ``WIDGETS``, which must name every widget there is.
"""

from __future__ import annotations

import contextlib
import inspect
import itertools
import pkgutil
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import deepset_nb as dn
from deepset_nb import bridge, widgets
from deepset_nb.errors import DeepsetError

IMAGE = "<img src=x onerror=window.dnbHostile=1>"
SCRIPT = "</td></template><script>window.dnbHostile=2</script>"
REVERSED = "invoice\u202efdp.exe"
LONG = "n" * 10_000
WIDE = "\U0001f600" * 10_000  # four bytes each
SPELLED = "\x00\x1b]0;title\x07" * 1000  # six bytes each in JSON
FIELDS = "{count} {name} %s ${filename}"
NAMES = (IMAGE, SCRIPT, REVERSED, FIELDS, LONG, WIDE, SPELLED)
META = {IMAGE: IMAGE, REVERSED: REVERSED, "long": LONG, "nested": {SCRIPT: [SCRIPT]}}


def room(server_room: str = IMAGE) -> dn.Workspace:
    """A workspace of a hostile name, with files of hostile names and metadata."""
    ws = dn.sandbox(workspace=server_room)
    fill(ws)
    return ws


def fill(ws: dn.Workspace, copies: int = 1) -> None:
    """Put in every name and every key that the platform takes."""

    async def put() -> None:
        async with dn.AsyncClient(ws.settings) as client:
            for name in (*NAMES, "n" * 400, "\U0001f600" * 200) * copies:
                with contextlib.suppress(DeepsetError):  # the sandbox refuses names of more than 1,024 bytes
                    await client.files.upload(ws.name, f"{name}.txt".replace("/", "_"), b"x", meta=META)

    bridge.run(put)


def fill_sessions(ws: dn.Workspace) -> None:
    """More upload sessions than a state holds; in the newest, files of every name failed."""

    async def put() -> None:
        async with dn.AsyncClient(ws.settings) as client:
            for _ in range(50):
                session = await client.upload_sessions.create(ws.name)
                await client.upload_sessions.close(ws.name, session.session_id)
            session = await client.upload_sessions.create(ws.name)
            async with client.bucket(session.aws_prefixed_request_config) as bucket:
                for name in (*NAMES, "n" * 400, "\U0001f600" * 200):
                    with contextlib.suppress(DeepsetError):
                        await bucket.post(f"{name}.txt".replace("/", "_"), b"", 0)
            await client.upload_sessions.close(ws.name, session.session_id)

    bridge.run(put)


_people = itertools.cycle(NAMES)


def creator(platform: Any, _: str) -> dict[str, Any]:
    """In place of the sandbox's `_creator` of sessions: people of hostile names."""
    return {"user_id": platform.user_id, "given_name": next(_people), "family_name": REVERSED}


def failing(ws: dn.Workspace) -> Any:
    """An upload in which nothing makes it; more files than a panel names."""
    texts = {f"{name}{number}.txt": "" for number in range(10) for name in NAMES}
    return ws.upload_texts(texts, show=False).wait(60)


def _job_panel(ws: dn.Workspace) -> Any:
    from deepset_nb.widgets.job_panel import JobPanel

    return JobPanel(failing(ws))


def _uploader(ws: dn.Workspace) -> Any:
    uploader = ws.uploader()
    uploader.follow(failing(ws))
    return uploader


def _session_browser(ws: dn.Workspace) -> Any:
    fill_sessions(ws)
    return _loaded(ws.session_browser())


WIDGETS: dict[str, Callable[[dn.Workspace], Any]] = {
    "FileBrowser": lambda ws: _loaded(ws.file_browser()),
    "JobPanel": _job_panel,
    "SessionBrowser": _session_browser,
    "Uploader": _uploader,
}


def _loaded(widget: Any) -> Any:
    deadline = time.monotonic() + 30
    while widget.state["loading"]:
        assert time.monotonic() < deadline, "it is still loading"
        time.sleep(0.05)
    return widget


def all_widgets() -> set[str]:
    """The names of all classes that have a bundle of their own."""
    for module in pkgutil.iter_modules(widgets.__path__):
        import_module(f"{widgets.__name__}.{module.name}")
    from deepset_nb.widgets._base import Widget

    found, waiting = set(), [Widget]
    while waiting:
        cls = waiting.pop()
        waiting += [one for one in cls.__subclasses__() if one.__module__.startswith(widgets.__name__)]
        if "_bundle" in vars(cls) and not inspect.isabstract(cls):
            found.add(cls.__name__)
    return found
