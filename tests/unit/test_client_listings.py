"""Paging through files and upload sessions, and what the platform may do on the way."""

from __future__ import annotations

import asyncio
import gc
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from deepset_nb import errors
from deepset_nb.client import AsyncClient, cursor
from deepset_nb.models import IngestionStatus, UploadSessionState, WriteMode
from deepset_nb.settings import resolve

SETTINGS = resolve("w", api_key="k", api_url="https://platform.example")
START = datetime(2024, 5, 1, 12, tzinfo=UTC)


def file_row(number: int, **changes) -> dict:
    return {
        "file_id": str(UUID(int=number)),
        "url": f"/files/{number}",
        "name": f"file{number:04}.txt",
        "size": number,
        "characters": 0,
        "created_at": (START + timedelta(seconds=number)).isoformat(),
        "meta": {},
        "languages": None,
        **changes,
    }


def session_row(number: int, **changes) -> dict:
    return {
        "session_id": str(UUID(int=number)),
        "created_by": {"user_id": str(uuid4()), "given_name": "Anna", "family_name": "Z"},
        "created_at": "2024-05-01T12:00:00Z",
        "expires_at": "2024-05-02T12:00:00.5+00:00",
        "write_mode": "KEEP",
        "status": "OPEN",
        **changes,
    }


class Pages:
    """Serves ``rows`` as the platform does, by cursor or by page number."""

    def __init__(self, rows: list[dict], *, overlap: int = 0) -> None:
        self.rows = rows
        self.overlap = overlap
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        params = request.url.params
        limit = int(params["limit"])
        start = (int(params.get("page_number", 1)) - 1) * limit
        if "after_file_id" in params:
            ids = [row["file_id"] for row in self.rows]
            start = ids.index(params["after_file_id"]) + 1 - self.overlap
        page = self.rows[start : start + limit]
        more = start + limit < len(self.rows)
        return httpx.Response(200, json={"data": page, "has_more": more, "total": len(self.rows)})


def listed(server, listing) -> list[list]:
    async def collect() -> list[list]:
        async with AsyncClient(SETTINGS, transport=httpx.MockTransport(server)) as client:
            return [page async for page in listing(client)]

    return asyncio.run(collect())


def test_files_come_page_by_page_until_there_are_no_more():
    server = Pages([file_row(number) for number in range(25)])

    pages = listed(server, lambda client: client.files.list("w", batch_size=10))

    assert [len(page) for page in pages] == [10, 10, 5]
    assert [file.size for page in pages for file in page] == list(range(25))
    assert len(server.requests) == 3


def test_the_cursor_is_the_last_row_and_its_plus_sign_is_encoded():
    server = Pages([file_row(number) for number in range(3)])

    listed(server, lambda client: client.files.list("w", batch_size=2))

    first, second = server.requests
    assert not {"after_value", "after_file_id", "page_number"} & set(first.url.params)
    assert second.url.params["after_value"] == "2024-05-01T12:00:01+00:00"
    assert second.url.params["after_file_id"] == str(UUID(int=1))
    assert b"%2B00" in second.url.raw_path
    assert b"+" not in second.url.raw_path


def test_a_listing_by_name_has_the_name_as_its_cursor():
    server = Pages([file_row(number) for number in range(3)])

    listed(server, lambda client: client.files.list("w", batch_size=2, field="name", order="DESC"))

    assert server.requests[1].url.params["after_value"] == "file0001.txt"
    assert server.requests[0].url.params["order"] == "DESC"


def test_a_page_holds_at_most_a_hundred_rows():
    server = Pages([file_row(number) for number in range(150)])

    pages = listed(server, lambda client: client.files.list("w", batch_size=1_000))

    assert [len(page) for page in pages] == [100, 50]
    assert {request.url.params["limit"] for request in server.requests} == {"100"}


@pytest.mark.parametrize("batch_size", [0, -1])
def test_a_page_of_no_rows_is_refused(batch_size):
    with pytest.raises(errors.InputError, match="batch_size"):
        listed(Pages([]), lambda client: client.files.list("w", batch_size=batch_size))


def test_a_file_that_comes_on_two_pages_is_listed_once():
    server = Pages([file_row(number) for number in range(9)], overlap=2)

    pages = listed(server, lambda client: client.files.list("w", batch_size=4))

    assert [file.size for page in pages for file in page] == list(range(9))


def test_a_listing_that_does_not_move_on_is_an_error_not_an_endless_loop():
    page = {"data": [file_row(1)], "has_more": True, "total": 2}

    with pytest.raises(errors.ApiError, match="more files after 1"):
        listed(lambda request: httpx.Response(200, json=page), lambda client: client.files.list("w"))


def test_filters_are_sent_only_if_given():
    server = Pages([])

    listed(server, lambda client: client.files.list("w", name="a b", odata_filter="topic eq 'x & y'"))
    listed(server, lambda client: client.files.list("w"))

    assert dict(server.requests[0].url.params) == {"name": "a b", "filter": "topic eq 'x & y'", "limit": "100"}
    assert dict(server.requests[1].url.params) == {"limit": "100"}


def test_an_empty_workspace_has_no_pages():
    assert listed(Pages([]), lambda client: client.files.list("w")) == []


@pytest.mark.parametrize(
    "stamp", ["2022-06-21T16:40:00.634653+00:00", "2022-06-21T16:40:00Z", "2022-06-21T16:40:00.5Z"]
)
def test_times_in_all_their_spellings_are_read(stamp):
    server = Pages([file_row(1, created_at=stamp, new_field="ignored", meta=None)])

    [[file]] = listed(server, lambda client: client.files.list("w"))

    assert file.created_at.tzinfo is not None


def test_a_listing_can_be_left_anywhere():
    server = Pages([file_row(number) for number in range(50)])

    async def leave() -> None:
        async with AsyncClient(SETTINGS, transport=httpx.MockTransport(server)) as client:
            async for _ in client.files.list("w", batch_size=10):
                break
            pages = client.files.list("w", batch_size=10)
            await anext(pages)
            await pages.aclose()
            unused = client.files.list("w")
            del pages, unused
            gc.collect()

    asyncio.run(leave())

    assert len(server.requests) == 2


def all_rows(server, **options) -> list:
    async def collect() -> list:
        async with AsyncClient(SETTINGS, transport=httpx.MockTransport(server)) as client:
            return [row async for rows, _ in client.files.rows("w", **options) for row in rows]

    return asyncio.run(collect())


class Generous(Pages):
    """Gives as many rows a page as it is asked for, or refuses what the reference does not allow."""

    def __init__(self, rows: list[dict], *, refuses_with: int | None) -> None:
        super().__init__(rows)
        self.refuses_with = refuses_with

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.refuses_with and int(request.url.params["limit"]) > 100:
            self.requests.append(request)
            detail = [{"loc": ["query", "limit"], "msg": "at most 100"}]
            return httpx.Response(self.refuses_with, json={"detail": detail})
        return super().__call__(request)


@pytest.fixture
def forgotten(monkeypatch):
    monkeypatch.setattr(cursor, "_takes_many", {})


@pytest.mark.usefixtures("forgotten")
def test_a_long_listing_takes_pages_as_large_as_the_platform_gives_them():
    server = Generous([file_row(number) for number in range(3_000)], refuses_with=None)

    assert [row.size for row in all_rows(server)] == list(range(3_000))
    assert [request.url.params["limit"] for request in server.requests] == ["100", "1000", "1000", "100"] + ["100"] * 8


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize("status", [400, 422])
def test_a_platform_that_refuses_large_pages_is_asked_for_one_once(status):
    server = Generous([file_row(number) for number in range(2_000)], refuses_with=status)

    assert [row.size for row in all_rows(server)] == list(range(2_000))
    assert len(all_rows(server)) == 2_000
    assert [request.url.params["limit"] for request in server.requests].count("1000") == 1


def test_the_next_page_is_on_its_way_while_one_is_worked_on():
    server = Pages([file_row(number) for number in range(300)])

    async def look() -> int:
        async with AsyncClient(SETTINGS, transport=httpx.MockTransport(server)) as client:
            pages = client.files.rows("w")
            await anext(pages)
            await asyncio.sleep(0.05)  # the work
            asked = len(server.requests)
            await pages.aclose()
            return asked

    assert asyncio.run(look()) == 2


def test_no_more_is_asked_for_than_the_rows_that_are_wanted():
    server = Pages([file_row(number) for number in range(300)])

    async def look() -> None:
        async with AsyncClient(SETTINGS, transport=httpx.MockTransport(server)) as client:
            async for rows, total in client.files.rows("w", most=5):
                assert (len(rows), total) == (5, 300)
                break
            await asyncio.sleep(0.05)

    asyncio.run(look())
    assert [request.url.params["limit"] for request in server.requests] == ["5"]


def test_files_that_come_and_go_meanwhile_hide_no_other_one():
    rows = [file_row(number) for number in range(1_000, 0, -1)]
    here = [row["file_id"] for row in rows]

    def server(request: httpx.Request) -> httpx.Response:
        # By the cursor's place in the order, whether or not that file is still there.
        after = request.url.params.get("after_value")
        left = [row for row in rows if after is None or row["created_at"] < after]
        answer = {"data": left[:100], "has_more": len(left) > 100, "total": len(rows)}
        rows.insert(0, file_row(5_000 + len(rows)))  # newest first: pages by number would shift
        rows.remove(next(row for row in rows if row["size"] == left[0]["size"]))
        return httpx.Response(200, json=answer)

    found = [row.file_id for row in all_rows(server)]

    assert len(found) == len(set(found))
    assert set(found) == set(here)


def test_sessions_are_turned_by_page_number():
    server = Pages([session_row(number) for number in range(5)])

    pages = listed(server, lambda client: client.upload_sessions.list("w", batch_size=2))

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [request.url.params["page_number"] for request in server.requests] == ["1", "2", "3"]


@pytest.mark.parametrize(("is_expired", "sent"), [(None, None), (True, "true"), (False, "false")])
def test_whether_sessions_are_expired_can_be_asked_in_both_directions(is_expired, sent):
    server = Pages([])

    listed(server, lambda client: client.upload_sessions.list("w", is_expired=is_expired))

    assert server.requests[0].url.params.get("is_expired") == sent


def test_a_session_opened_while_pages_are_turned_brings_no_row_twice():
    rows = [session_row(number) for number in range(4)]

    def server(request: httpx.Request) -> httpx.Response:
        answer = Pages(rows)(request)
        rows.insert(0, session_row(100 + len(rows)))
        return answer

    pages = listed(server, lambda client: client.upload_sessions.list("w", batch_size=2))

    ids = [row.session_id for page in pages for row in page]
    assert len(ids) == len(set(ids))
    assert {UUID(int=number) for number in range(4)} <= set(ids)


def test_states_modes_and_gaps_of_a_newer_platform_are_kept():
    row = session_row(1, status="ARCHIVED", write_mode="TEMPORARY", expires_at=None, created_by=None, extra=1)

    [[session]] = listed(Pages([row]), lambda client: client.upload_sessions.list("w"))

    assert (session.status, session.write_mode, session.expires_at) == ("ARCHIVED", "TEMPORARY", None)
    assert isinstance(session.status, UploadSessionState)
    assert isinstance(session.write_mode, WriteMode)


def test_the_files_of_a_session_come_with_their_reasons():
    rows = [
        {"file_ingestion_id": str(uuid4()), "name": "a.txt", "ingestion_status": "FINISHED"},
        {"name": "b.txt", "ingestion_status": "FAILED", "ingestion_status_reason": "EMPTY_FILE"},
        {"name": "c.txt", "ingestion_status": "FAILED", "ingestion_status_reason": "A_NEW_REASON"},
        {"name": "d.txt", "ingestion_status": "PARKED", "ingestion_status_reason": None},
    ]
    server = Pages(rows)

    [files] = listed(
        server, lambda client: client.upload_sessions.files("w", uuid4(), ingestion_status=IngestionStatus.FAILED)
    )

    assert [file.ingestion_status for file in files] == ["FINISHED", "FAILED", "FAILED", "PARKED"]
    assert files[2].ingestion_status_reason == "A_NEW_REASON"
    assert server.requests[0].url.params["ingestion_status"] == "FAILED"


def test_a_page_of_sessions_without_rows_ends_the_listing():
    answer = {"data": [], "has_more": True, "total": 7}

    assert listed(lambda _: httpx.Response(200, json=answer), lambda client: client.upload_sessions.list("w")) == []


def test_the_account_and_its_workspaces_are_read():
    me = {
        "user_id": str(uuid4()),
        "given_name": "Anna",
        "email": None,
        "organization": {"name": "Org", "organization_id": str(uuid4()), "role": "ADMIN", "workspaces": []},
    }

    def server(request: httpx.Request) -> httpx.Response:
        info = {"name": "w", "workspace_id": str(uuid4()), "languages": None}
        by_path = {"/api/v1/me": me, "/api/v1/workspaces": [info], "/api/v1/workspaces/w": info}
        return httpx.Response(200, json=by_path[request.url.path])

    async def read() -> tuple:
        async with AsyncClient(SETTINGS, transport=httpx.MockTransport(server)) as client:
            return await client.workspaces.me(), await client.workspaces.list(), await client.workspaces.get("w")

    who, workspaces, workspace = asyncio.run(read())

    assert (who.given_name, who.organization.name) == ("Anna", "Org")
    assert [info.name for info in workspaces] == ["w"] == [workspace.name]
