"""A browser of files or sessions of the real sandbox, and what a page asks it."""

from __future__ import annotations

from typing import Any, TypeVar

import deepset_nb as dn
from deepset_nb import bridge
from deepset_nb.widgets._browser import Browser
from tests.unit.widget_page import Page, eventually

B = TypeVar("B", bound=Browser)


def page(browser: Browser) -> Page:
    assert isinstance(browser.comm, Page)
    return browser.comm


def ready(browser: B) -> B:
    """Once its first rows have come."""
    eventually(lambda: not browser.state["loading"])
    return browser


def ask(browser: Browser, action: str, **payload: Any) -> Any:
    """A request's result; what was refused fails the test."""
    answer = page(browser).ask(action, payload)
    assert answer["ok"], answer
    return answer["result"]


def refused(browser: Browser, action: str, **payload: Any) -> dict[str, str]:
    answer = page(browser).ask(action, payload)
    assert not answer["ok"], answer
    return answer["error"]


def make_files(ws: dn.Workspace, count: int) -> None:
    assert ws.sandbox is not None
    bridge.run(ws.sandbox._admin.add_files, ws.name, count)


def open_session(ws: dn.Workspace) -> str:
    async def opened() -> str:
        async with dn.AsyncClient(ws.settings) as client:
            return str((await client.upload_sessions.create(ws.name)).session_id)

    return bridge.run(opened)
