"""What a cell gets back: frames, sessions, and words that say where one is."""

from __future__ import annotations

import pickle
import time
from pathlib import Path
from uuid import UUID

import pandas as pd
import pytest

import deepset_nb as dn
from deepset_nb import connect, file_frames, frames, settings
from deepset_nb.emulator.server import Connection
from deepset_nb.errors import Unauthorized


def columns(frame: pd.DataFrame) -> dict[str, str]:
    return {str(name): str(dtype) for name, dtype in frame.dtypes.items()}


def test_a_workspace_says_where_it_is(ws: dn.Workspace) -> None:
    assert repr(ws) == f"<Workspace {ws.name!r} of Sandbox at {ws.settings.host}>"
    assert ws.target == {"workspace": ws.name, "host": ws.settings.host, "organisation": "Sandbox"}


def test_the_url_may_come_with_or_without_its_version(connection: Connection) -> None:
    bare = connection.api_url.removesuffix("/api/v1")

    for url in (bare, bare + "/", connection.api_url, connection.api_url + "/"):
        assert dn.Workspace("sandbox", api_key=connection.api_key, api_url=url).settings.api_url == connection.api_url


def test_settings_come_from_the_environment(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", connection.api_key)
    monkeypatch.setenv("API_URL", connection.api_url)
    monkeypatch.setenv("DEFAULT_WORKSPACE_NAME", "sandbox")

    assert dn.Workspace().name == "sandbox"


def test_listings_of_an_empty_workspace_have_their_columns(ws: dn.Workspace) -> None:
    assert columns(ws.list_files()) == file_frames.FILES
    assert columns(ws.list_upload_sessions()) == frames.SESSIONS


def test_files_are_listed_newest_first_and_found_by_name(ws: dn.Workspace, folder: Path) -> None:
    ws.upload(folder, show=False).wait(30)
    ws.upload_texts({"later.txt": "x"}, show=False).wait(30)

    assert ws.list_files()["name"][0] == "later.txt"
    assert ws.list_files(name="report-3")["name"].tolist() == ["report-3.txt"]
    assert ws.list_files(name="report-0")["meta"].tolist() == [{"number": 0}]


def test_files_are_found_by_metadata(ws: dn.Workspace) -> None:
    files = [dn.DeepsetCloudFile("x", f"{topic}.txt", {"topic": topic}) for topic in ("news", "sport")]
    ws.upload_texts(files, show=False).wait(30)

    assert ws.list_files(odata_filter="topic eq 'news'")["name"].tolist() == ["news.txt"]


def test_a_listing_of_several_pages_holds_every_file_once(ws: dn.Workspace) -> None:
    ws.upload_texts({f"{n:03}.txt": "x" for n in range(230)}, show=False).wait(60)
    listed = ws.list_files()

    assert sorted(listed["name"]) == [f"{n:03}.txt" for n in range(230)]
    assert listed["file_id"].is_unique


def test_a_session_tells_its_state_its_counts_and_each_files_outcome(ws: dn.Workspace, folder: Path) -> None:
    assert ws.sandbox is not None
    ws.sandbox.fault("fail:report-2.txt=UNKNOWN_ERROR")
    receipt = ws.upload(folder, show=False).wait(30).receipt
    session = ws.get_upload_session(receipt["session_id"][0])

    assert (session.status, session.finished_files, session.failed_files) == ("CLOSED", 4, 1)
    assert session.created_at is not None
    assert session.expires_at is not None
    assert columns(session.files) == frames.SESSION_FILES
    failed = session.files[session.files["status"] == "FAILED"]
    assert failed[["name", "reason"]].values.tolist() == [["report-2.txt", "UNKNOWN_ERROR"]]


def test_a_session_is_found_by_uuid_or_text(ws: dn.Workspace, folder: Path) -> None:
    session_id = ws.upload(folder, show=False).wait(30).receipt["session_id"][0]

    assert ws.get_upload_session(UUID(session_id)).session_id == ws.get_upload_session(session_id).session_id


def test_closing_a_session_returns_it_as_it_is_then(ws: dn.Workspace, tmp_path: Path) -> None:
    (tmp_path / "big.bin").write_bytes(bytes(400_000))
    assert ws.sandbox is not None
    ws.sandbox.fault("bandwidth:40000")
    job = ws.upload(tmp_path, show=False)
    while job.state()["session_id"] is None:
        pass
    job.cancel().wait(10)
    open_sessions = ws.list_upload_sessions().query("status == 'OPEN'")

    assert ws.close_upload_session(open_sessions["session_id"].iloc[0]).status == "CLOSED"
    assert ws.list_upload_sessions().query("status == 'OPEN'").empty


def test_dates_are_utc(ws: dn.Workspace) -> None:
    ws.upload_texts({"a.txt": "x"}, show=False).wait(30)

    assert abs((ws.list_files()["created_at"][0] - pd.Timestamp.now("UTC")).total_seconds()) < 60


# --- connecting ---------------------------------------------------------------------------------------------------


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, connection: Connection) -> None:
    """The key of the sandbox, typed into the hidden prompt."""
    monkeypatch.setattr("getpass.getpass", lambda prompt: f" {connection.api_key}\n")


@pytest.mark.usefixtures("typed")
def test_login_checks_the_key_and_keeps_it_in_this_kernel(connection: Connection) -> None:
    said = dn.login(api_url=connection.api_url)

    assert "kept in this kernel only" in repr(said)
    assert connection.api_key not in repr(said)
    assert dn.Workspace("sandbox").name == "sandbox"
    assert "sandbox" in dn.workspaces()["name"].tolist()
    assert columns(dn.workspaces()) == frames.WORKSPACES


@pytest.mark.usefixtures("typed")
def test_a_saved_key_is_readable_by_its_owner_only_and_found_again(connection: Connection) -> None:
    said = dn.login(api_url=connection.api_url, save=True)
    settings.forget()
    file = Path.home() / ".deepset-cloud" / ".env"

    assert "~/.deepset-cloud/.env" in repr(said)
    assert file.stat().st_mode & 0o777 == 0o600
    assert dn.Workspace("sandbox").name == "sandbox"


def test_a_wrong_key_is_not_remembered(connection: Connection) -> None:
    with pytest.raises(Unauthorized):
        dn.login("wrong", api_url=connection.api_url, save=True)

    assert settings._remembered is None
    assert not (Path.home() / ".deepset-cloud").exists()


def test_login_takes_colabs_secret(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    from types import ModuleType, SimpleNamespace

    colab = ModuleType("google.colab")
    colab.userdata = SimpleNamespace(get={"DEEPSET_API_KEY": connection.api_key}.__getitem__)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "google", ModuleType("google"))
    monkeypatch.setitem(sys.modules, "google.colab", colab)

    assert dn.login(api_url=connection.api_url).host in connection.api_url


def test_a_room_of_ones_own_in_a_joined_sandbox(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    import json

    monkeypatch.setenv(connect.JOIN, json.dumps(vars(connection)))
    ws = dn.sandbox(workspace="anna")

    assert ws.name == "anna"
    assert ws.settings.api_url == connection.api_url
    assert dn.sandbox().name == connection.workspace


def test_a_sandbox_of_ones_own_has_documents_in_it_and_is_one_per_kernel() -> None:
    first, second = dn.sandbox(), dn.sandbox()

    assert len(first.list_files()) > 5
    assert first.settings.api_url == second.settings.api_url


def test_a_data_folder_keeps_what_was_uploaded(tmp_path: Path) -> None:
    data = tmp_path / "data"
    ws = dn.sandbox(data=data)
    ws.upload_texts({"kept.txt": "x"}, show=False).wait(30)
    setup, server = connect._servers.popitem()
    server.stop()
    again = dn.sandbox(data=data)

    assert again.list_files(name="kept")["name"].tolist() == ["kept.txt"]
    connect._servers.popitem()[1].stop()
    del setup


# --- secrets ------------------------------------------------------------------------------------------------------


def test_nothing_a_user_can_print_holds_the_key(ws: dn.Workspace, folder: Path) -> None:
    job = ws.upload(folder, show=False).wait(30)
    key = ws.settings.api_key.reveal()
    session = ws.get_upload_session(job.receipt["session_id"][0])
    shown = [repr(thing) for thing in (ws, job, session, ws.settings, vars(ws), ws.sandbox, job.state(), job._transfer)]
    shown += [job.receipt.to_string(), repr(vars(job._transfer)), repr(job._transfer.sessions)]  # type: ignore[attr-defined]

    for text in shown:
        assert key not in text
        assert "x-amz-signature" not in text.lower()
        assert '"policy"' not in text


def test_a_workspace_cannot_be_pickled_with_its_key(ws: dn.Workspace) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(ws)


def test_a_room_of_the_sandbox_is_put_back_to_its_first_day(start) -> None:
    room = start(corpus=True)
    connection = vars(room.connection)
    anna, eva = connect._enter(connection, "anna"), connect._enter(connection, "eva")
    assert anna.sandbox
    before = anna.list_files()["name"].tolist()
    for ws in (anna, eva):
        ws.upload_texts([dn.DeepsetCloudFile("x", "note.txt", {"season": "a text"})], show=False).wait(30)

    anna.sandbox.reset()

    assert anna.list_files()["name"].tolist() == before
    assert anna.list_upload_sessions()["created_by"].tolist() == ["The Sandbox"]
    assert "note.txt" in eva.list_files()["name"].tolist()
    # What was sent before is sent again, and its metadata meets none of before.
    texts = [dn.DeepsetCloudFile("x", "note.txt", {"season": 3})]
    assert anna.upload_texts(texts, show=False).wait(30).receipt["status"].tolist() == ["ok"]


def test_a_reset_room_takes_up_no_session_of_before(ws: dn.Workspace, folder: Path) -> None:
    assert ws.sandbox
    ws.sandbox.fault("bandwidth:100")
    job = ws.upload(folder, show=False)
    while job.state()["phases"][1]["state"] != "active":
        time.sleep(0.01)
    job.cancel().wait(30)
    ws.sandbox.clear_faults()
    ws.sandbox.reset()

    again = ws.upload(folder, show=False).wait(30)

    assert again.receipt["status"].tolist() == ["ok"] * 5
    assert job.state()["session_id"] not in again.receipt["session_id"].tolist()
    assert again.state()["note"] is None
