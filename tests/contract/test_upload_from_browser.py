"""The direct lane: a page posts its files to the bucket itself, and all that holds of other uploads holds of these."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import comm
import pytest

import deepset_nb as dn
from deepset_nb.widgets import courier
from deepset_nb.widgets.uploader import Uploader
from tests.contract.posting_page import PostingPage
from tests.unit.widget_page import eventually

FILES = {"letters/anna.txt": b"Dear Anna", "letters/old/bert.txt": b"Dear Bert" * 50_000, "c.txt": b"Dear C."}


@pytest.fixture(autouse=True)
def _pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comm, "create_comm", PostingPage)
    monkeypatch.setattr(courier, "RELOAD_CALL_S", 0.1)
    monkeypatch.setattr(Uploader, "_answers", {})


@pytest.fixture
def uploader(ws: dn.Workspace) -> Iterator[Uploader]:
    uploader = ws.uploader()
    yield uploader
    uploader.close()


@pytest.fixture
def page(uploader: Uploader) -> PostingPage:
    return uploader.comm  # type: ignore[no-any-return]


def fault(ws: dn.Workspace, spec: str) -> None:
    assert ws.sandbox is not None
    ws.sandbox.fault(spec)


def ended(uploader: Uploader) -> dict[str, str]:
    """Wait for the end of the upload; the status of each path."""
    assert uploader.job is not None
    uploader.job.wait(60)  # type: ignore[attr-defined]
    return dict(uploader.receipt[["path", "status"]].itertuples(index=False))


def on_the_platform(ws: dn.Workspace) -> dict[str, tuple[int, dict[str, object]]]:
    return {row.name: (row.size, row.meta) for row in ws.list_files().itertuples()}


def test_files_of_a_page_arrive_and_the_kernel_has_seen_none_of_their_bytes(
    ws: dn.Workspace, uploader: Uploader, page: PostingPage
) -> None:
    page.choose(FILES)
    page.upload("OVERWRITE")

    assert set(ended(uploader).values()) == {"ok"}
    assert uploader.receipt["file_id"].notna().all()
    assert {name: size for name, (size, _) in on_the_platform(ws).items()} == {
        "anna.txt": 9,
        "bert.txt": 450_000,
        "c.txt": 7,
    }
    assert uploader.files == []
    assert page.told("fetch") == []
    eventually(lambda: uploader.state["lanes"] == {"direct": 3, "kernel": 0, "page": 0})
    assert ws.list_upload_sessions()["write_mode"].tolist() == ["OVERWRITE"]
    assert uploader.job.state()["phases"][1]["bytes_done"] == 450_016


def test_metadata_beside_a_file_of_all_and_of_its_own_arrive_together(
    ws: dn.Workspace, uploader: Uploader, page: PostingPage
) -> None:
    ids = page.choose({"a.txt": b"A", "a.txt.meta.json": b'{"year": 2024, "topic": "old"}', "b.txt": b"B"})
    assert page.ask("meta", {"file": None, "text": '{"topic": "news"}'})["result"] == {"problem": None}
    assert page.ask("meta", {"file": ids["b.txt"], "text": '{"topic": "mine"}'})["result"] == {"problem": None}
    page.upload()
    ended(uploader)

    assert {name: meta for name, (_, meta) in on_the_platform(ws).items()} == {
        "a.txt": {"year": 2024, "topic": "news"},
        "b.txt": {"topic": "mine"},
    }


def test_what_the_bucket_refuses_for_good_is_refused_once_with_reason_and_remedy(
    ws: dn.Workspace, uploader: Uploader, page: PostingPage
) -> None:
    fault(ws, "too_large:1000")
    ids = page.choose(FILES)
    page.upload()

    assert ended(uploader) == {"letters/anna.txt": "ok", "letters/old/bert.txt": "failed", "c.txt": "ok"}
    [row] = uploader.receipt.query("status == 'failed'").itertuples()
    assert "EntityTooLarge" in row.reason
    assert "split the file" in row.remedy
    assert len([one for one in page.told("order") if one["file"] == ids["letters/old/bert.txt"]]) == 1


@pytest.mark.parametrize("spec", ["slow_down:3", "request_timeout:2", "reset:1"])
def test_what_may_fare_better_is_tried_again(
    ws: dn.Workspace, uploader: Uploader, page: PostingPage, spec: str
) -> None:
    fault(ws, spec)
    page.choose(FILES)
    page.upload()

    assert set(ended(uploader).values()) == {"ok"}
    assert len(page.told("order")) > 3
    assert uploader.receipt["attempts"].max() > 1


def test_a_form_that_has_expired_is_followed_by_a_fresh_one(
    ws: dn.Workspace, uploader: Uploader, page: PostingPage
) -> None:
    fault(ws, "policy_expired:1")
    page.choose(FILES)
    page.upload()

    assert set(ended(uploader).values()) == {"ok"}
    assert len(ws.list_upload_sessions()) == 2
    assert set(ws.list_upload_sessions()["status"]) == {"CLOSED"}


def test_where_the_page_cannot_reach_the_bucket_the_bytes_come_through_the_kernel(
    ws: dn.Workspace, uploader: Uploader, page: PostingPage
) -> None:
    page.barred = True
    page.choose(FILES)
    page.upload()

    assert set(ended(uploader).values()) == {"ok"}
    assert page.told("order") == []
    assert on_the_platform(ws)["bert.txt"][0] == 450_000
    eventually(lambda: uploader.state["lanes"] == {"direct": 0, "kernel": 3, "page": 0})
    assert uploader.files == []  # the copies are gone

    page.ask("clear")
    ids = page.choose({"next.txt": b"next"})  # now it is known, and nothing waits for the button
    assert [file.id for file in uploader.files] == [ids["next.txt"]]


@pytest.mark.parametrize(("loopback", "lane"), [(False, "auto"), (True, "kernel")])
def test_files_go_through_the_kernel_where_the_direct_way_is_not_to_be_expected_or_not_wanted(
    ws: dn.Workspace, loopback: bool, lane: str
) -> None:
    uploader = ws.uploader(lane=lane)  # type: ignore[arg-type]
    uploader.comm.choose(FILES, loopback=loopback)
    assert len(uploader.files) == 3
    uploader.comm.upload()

    assert set(ended(uploader).values()) == {"ok"}
    assert uploader.comm.orders == []
    assert uploader.state["lanes"] == {"direct": 0, "kernel": 3, "page": 0}
    uploader.close()


def test_a_cancel_stops_the_page_and_going_on_brings_the_rest_into_the_same_session(
    ws: dn.Workspace, uploader: Uploader, page: PostingPage
) -> None:
    page.held.clear()
    page.choose(FILES)
    page.upload()
    eventually(lambda: len(page.told("order")) == 3)
    page.ask("cancel")
    assert set(ended(uploader).values()) == {"cancelled"}
    assert page.withdrawn == {one["order"] for one in page.told("order")}

    page.held.set()
    page.ask("retry")
    assert set(ended(uploader).values()) == {"ok"}
    assert ws.list_upload_sessions()["status"].tolist() == ["CLOSED"]
    assert len(ws.list_files()) == 3


def test_what_a_page_had_not_sent_when_it_was_reloaded_is_named_and_the_rest_arrives(
    ws: dn.Workspace, uploader: Uploader, page: PostingPage
) -> None:
    page.close_after = 12
    page.choose({f"{number:02}.txt": b"x" * 100 for number in range(40)})
    page.upload()
    eventually(lambda: page.gone)
    page.ask("list", {"page": "f" * 32})  # the reloaded page
    ended(uploader)

    counts = uploader.receipt["status"].value_counts()
    lost = uploader.receipt.query("status == 'failed'")
    assert counts["ok"] >= 12
    assert counts["ok"] + counts["failed"] == 40
    assert lost["reason"].str.contains("reloaded or closed").all()
    assert lost["remedy"].str.contains("Choose it again").all()
    assert len(ws.list_files()) == counts["ok"]
    assert ws.list_upload_sessions()["status"].tolist() == ["CLOSED"]

    # What arrived is not sent again when the same files are chosen once more.
    page.ask("clear")
    page.gone, page.close_after, page.id = False, None, "f" * 32
    page.choose({f"{number:02}.txt": b"x" * 100 for number in range(40)})
    assert page.plan()["send"] == counts["failed"]
    page.upload()
    ended(uploader)
    assert sorted(ws.list_files()["name"]) == [f"{number:02}.txt" for number in range(40)]


def test_a_page_that_is_there_but_has_lost_its_files_says_so_at_once(uploader: Uploader, page: PostingPage) -> None:
    page.choose(FILES)
    page.contents.clear()
    page.upload()

    assert set(ended(uploader).values()) == {"failed"}
    assert uploader.receipt["reason"].str.contains("reloaded or closed").all()


def test_a_closed_widget_ends_its_upload(ws: dn.Workspace, uploader: Uploader, page: PostingPage) -> None:
    page.held.clear()
    page.choose(FILES)
    page.upload()
    eventually(lambda: len(page.told("order")) == 3)
    uploader.close()

    assert set(ended(uploader).values()) == {"failed"}
    assert ws.list_upload_sessions()["status"].tolist() == ["CLOSED"]
    page.held.set()


def test_the_form_is_in_no_trait_no_repr_and_no_log(
    uploader: Uploader, page: PostingPage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    page.choose(FILES)
    page.held.clear()
    page.upload()
    eventually(lambda: len(page.told("order")) == 3)
    while_sending = repr((uploader.get_state(), uploader.job, vars(uploader), vars(uploader._courier)))
    page.held.set()
    ended(uploader)
    fields = page.told("order")[0]["fields"]
    secrets = [fields["policy"], fields["x-amz-signature"]]
    shown = [
        while_sending,
        json.dumps(uploader.get_state(), default=str),
        uploader.static_html() + uploader.static_text() + repr(uploader),
        repr(uploader.job) + uploader.receipt.to_csv(),
        caplog.text,
        uploader.code,
    ]

    assert len(secrets[0]) > 100
    assert [text for text in shown for secret in secrets if secret in text] == []
