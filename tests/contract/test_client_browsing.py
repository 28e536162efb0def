"""Single pages, deletion by id alone, and a client that stays connected: what the browsers ask the platform through."""

from __future__ import annotations

import asyncio
import contextlib
from uuid import UUID, uuid4

import pytest

import deepset_nb as dn
from deepset_nb import bridge
from deepset_nb.client import AsyncClient
from deepset_nb.client.deletion import delete_each
from deepset_nb.client.kept import KeptClient
from deepset_nb.emulator.server import _Protocol
from deepset_nb.errors import FileNotFound, InputError


def ask(ws: dn.Workspace, call):
    async def run():
        async with AsyncClient(ws.settings) as client:
            return await call(client)

    return bridge.run(run)


def make_files(ws: dn.Workspace, count: int) -> list[UUID]:
    assert ws.sandbox is not None
    bridge.run(ws.sandbox._admin.add_files, ws.name, count)
    return [UUID(file_id) for file_id in ws.list_files()["file_id"]]


async def outcomes(client: AsyncClient, workspace: str, ids):
    found = []
    await delete_each(client, workspace, ids, lambda file_id, error: found.append((file_id, error)))
    return found


def test_a_page_is_found_by_its_number_or_by_what_comes_before(ws: dn.Workspace) -> None:
    ids = make_files(ws, 25)

    async def pages(client):
        third = await client.files.page(ws.name, number=3, rows=10)
        first = await client.files.page(ws.name, rows=10)
        return third, first, await client.files.page(ws.name, after=first.data[-1], rows=10)

    third, first, second = ask(ws, pages)
    assert [file.file_id for file in first.data + second.data + third.data] == ids
    assert (first.total, first.has_more, third.has_more) == (25, True, False)


def test_files_are_deleted_by_their_ids_and_no_others(ws: dn.Workspace) -> None:
    ids = make_files(ws, 30)
    found = ask(ws, lambda client: outcomes(client, ws.name, ids[5:15]))

    assert {file_id for file_id, error in found if error is None} == set(ids[5:15])
    assert [UUID(file_id) for file_id in ws.list_files()["file_id"]] == ids[:5] + ids[15:]


def test_each_file_has_an_outcome_of_its_own(ws: dn.Workspace) -> None:
    ids = make_files(ws, 3)
    stranger = uuid4()
    found = dict(ask(ws, lambda client: outcomes(client, ws.name, [*ids, stranger])))

    assert isinstance(found.pop(stranger), FileNotFound)
    assert found == dict.fromkeys(ids)


@pytest.mark.parametrize("ids", [[], [""], ["."], ["../files"], [None]])
def test_nothing_that_is_no_id_ever_reaches_the_call_that_deletes_everything(ws: dn.Workspace, ids) -> None:
    there = make_files(ws, 3)
    with pytest.raises(InputError, match="othing was deleted"):
        ask(ws, lambda client: outcomes(client, ws.name, ids))
    for one in ids:
        with pytest.raises(InputError, match="Nothing was deleted"):
            ask(ws, lambda client, one=one: client.files.delete(ws.name, one))

    assert [UUID(file_id) for file_id in ws.list_files()["file_id"]] == there


def test_a_deletion_that_a_proxy_refused_is_tried_again(ws: dn.Workspace) -> None:
    (first, *_) = make_files(ws, 3)
    assert ws.sandbox is not None
    ws.sandbox.fault("api_502_html:1")
    ask(ws, lambda client: client.files.delete(ws.name, first))

    assert len(ws.list_files()) == 2


def test_a_kept_client_stays_connected_for_a_while(ws: dn.Workspace) -> None:
    async def use():
        kept = KeptClient(ws.settings, idle_s=0.05)
        async with kept.use() as one:
            await one.workspaces.me()
        async with kept.use() as two, kept.use() as three:
            await two.workspaces.me()
        await asyncio.sleep(0.3)
        async with kept.use() as later:
            await later.workspaces.me()
        await kept.close()
        return one, two, three, later

    one, two, three, later = bridge.run(use)
    assert one is two is three
    assert later is not one
    assert one._http.is_closed
    assert later._http.is_closed


def test_who_looks_again_soon_is_answered_on_the_connections_that_are_there(
    ws: dn.Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    connection_made = _Protocol.connection_made
    monkeypatch.setattr(
        _Protocol, "connection_made", lambda self, transport: made.append(self) or connection_made(self, transport)
    )
    another = dn.Workspace(ws.name, api_key=ws.settings.api_key.reveal(), api_url=ws.settings.api_url)
    at_first = len(made)
    another.list_files()
    another.list_upload_sessions()
    for show in (another.file_browser, another.session_browser):
        with contextlib.closing(show()) as browser:
            browser._first.wait_for_end(30)  # two at a time, as it was made with, are as many as there are
            assert browser._first.done()
            another.list_files()

    assert 0 < len(made) == at_first
