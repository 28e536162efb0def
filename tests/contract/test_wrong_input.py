"""Every wrong input is a short error of our own: what happened, to what, and what to do next."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

import deepset_nb as dn
from deepset_nb import cli, errors
from deepset_nb.emulator.server import Connection


class Bench:
    """What the wrong inputs of the table need at hand."""

    def __init__(self, ws: dn.Workspace, connection: Connection, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ws, self.connection, self.folder, self.monkeypatch = ws, connection, folder, monkeypatch

    def workspace(self, name: str = "sandbox", **options: str) -> dn.Workspace:
        return dn.Workspace(name, **{"api_key": self.connection.api_key, "api_url": self.connection.api_url} | options)

    def closed_port(self) -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    def without_sandbox(self) -> None:
        self.monkeypatch.setitem(sys.modules, "deepset_nb.emulator.config", None)
        dn.sandbox(port=self.closed_port())

    def old_data(self) -> None:
        import sqlite3

        data = self.folder / "data"
        server = dn.connect._server(dn.connect._Setup(data=data))
        server.stop()
        dn.connect._servers.clear()
        database = next(path for path in data.iterdir() if path.suffix in (".sqlite", ".db", ".sqlite3"))
        with sqlite3.connect(database) as connection:
            connection.execute("PRAGMA user_version = 99")
        connection.close()
        dn.sandbox(data=data)

    def setting(self, name: str, value: str) -> None:
        self.monkeypatch.setenv(name, value)
        dn.Workspace("w", api_key="k", region="eu")

    def file(self) -> Path:
        (self.folder / "a.txt").write_text("x")
        return self.folder / "a.txt"

    def bad_sidecar(self) -> None:
        (self.folder / "a.txt").write_text("x")
        (self.folder / "a.txt.meta.json").write_text("{topic: news}")
        self.ws.upload(self.folder, show=False).wait(30).raise_for_failures()


Case = tuple[str, Callable[[Bench], object], type[errors.DeepsetError], list[str]]

TABLE: list[Case] = [
    ("wrong key", lambda b: b.workspace(api_key="wrong"), errors.Unauthorized, ["127.0.0.1", "key"]),
    ("unknown workspace", lambda b: b.workspace("sandbos"), errors.WorkspaceNotFound, ["'sandbos'", "sandbox"]),
    (
        "unreachable url",
        lambda b: b.workspace(api_url=f"http://127.0.0.1:{b.closed_port()}"),
        errors.ConnectionFailed,
        ["127.0.0.1", "URL"],
    ),
    ("no url at all", lambda b: b.workspace(api_url="not a url"), errors.SettingsError, ["https://"]),
    ("key in clear text", lambda b: b.workspace(api_url="http://example.org"), errors.SettingsError, ["https"]),
    ("no key", lambda b: dn.Workspace("sandbox", api_url=b.connection.api_url), errors.SettingsError, ["API_KEY"]),
    ("no workspace", lambda b: b.workspace(""), errors.SettingsError, ["workspaces()"]),
    ("unknown region", lambda b: b.workspace(api_url="", region="mars"), errors.SettingsError, ["eu", "us"]),
    ("missing folder", lambda b: b.ws.upload(b.folder / "nowhere"), errors.PathNotFound, ["nowhere", "exists"]),
    ("empty folder", lambda b: b.ws.upload(b.folder), errors.NothingToUpload, ["holds no files", "subfolders"]),
    ("a text for a path", lambda b: b.ws.upload("word " * 1000), errors.InputError, ["'word word", "too long", "file"]),
    ("half a character", lambda b: b.ws.upload_texts({"a.txt": "\ud83d"}), errors.InputError, ["'a.txt'", "decode"]),
    ("glob for nothing", lambda b: b.ws.upload(b.folder / "*.pdf"), errors.PathNotFound, ["No file matches", "**"]),
    ("a dict for paths", lambda b: b.ws.upload({"a.txt": "x"}), errors.InputError, ["upload_texts"]),
    ("a number for a path", lambda b: b.ws.plan(5), errors.InputError, ["5", "file or a folder"]),
    ("an empty path", lambda b: b.ws.plan([""]), errors.InputError, ["''", "file or a folder"]),
    ("an empty list", lambda b: b.ws.plan([]), errors.NothingToUpload, ["empty", "Name a file"]),
    ("frame without a name", lambda b: b.ws.plan(pd.DataFrame({"x": [1]})), errors.InputError, ["x", "name and text"]),
    ("frame without rows", lambda b: b.ws.upload(pd.DataFrame({"path": []})), errors.NothingToUpload, ["no rows"]),
    (
        "row of a frame without a text",
        lambda b: b.ws.upload(pd.DataFrame({"name": ["a", "b"], "text": ["x", None]})),
        errors.InputError,
        ["Row 1", "'b'", "neither a text nor a path"],
    ),
    (
        "unknown action",
        lambda b: b.ws.upload(b.ws.plan(b.file()).assign(action="ignore")),
        errors.InputError,
        ["Row 0", "'ignore'", "skip"],
    ),
    ("rules for a frame", lambda b: b.ws.upload(b.ws.plan(b.file()), hidden=True), errors.InputError, ["hidden="]),
    ("pattern no text", lambda b: b.ws.plan(b.file(), include=5), errors.InputError, ["include=", "*.pdf"]),
    ("meta no dict", lambda b: b.ws.plan(b.file(), meta="news"), errors.InputError, ["meta=", "str", "dict"]),
    (
        "meta of nobody",
        lambda b: b.ws.plan(b.file(), meta=pd.DataFrame({"topic": ["news"]})),
        errors.InputError,
        ["meta=", "'name'"],
    ),
    ("write mode of a plan", lambda b: b.ws.plan(b.file(), write_mode="MOVE"), errors.InputError, ["'MOVE'", "KEEP"]),
    ("no texts but one", lambda b: b.ws.upload_texts("a text"), errors.InputError, ["'a'", "dict"]),
    (
        "no certificates",
        lambda b: b.setting("SSL_CERT_FILE", "/no.pem"),
        errors.SettingsError,
        ["SSL_CERT_FILE", "/no"],
    ),
    ("proxy no URL", lambda b: b.setting("HTTPS_PROXY", "ftp://me:secret@a"), errors.SettingsError, ["HTTPS_PROXY"]),
    ("sidecar no JSON", lambda b: b.bad_sidecar(), errors.UploadFailed, ["a.txt.meta.json", "not JSON", "JSON object"]),
    ("id no UUID", lambda b: b.ws.get_upload_session("17"), errors.InvalidSessionId, ["'17'", "UUID"]),
    ("close id no UUID", lambda b: b.ws.close_upload_session("x"), errors.InvalidSessionId, ["'x'"]),
    ("id not there", lambda b: b.ws.get_upload_session(uuid4()), errors.SessionNotFound, ["list_upload_sessions"]),
    (
        "port in use",
        lambda b: dn.sandbox(port=int(b.connection.api_url.split(":")[2].split("/")[0])),
        errors.SandboxError,
        ["port", "another port"],
    ),
    ("data of another version", lambda b: b.old_data(), errors.SandboxError, ["data", "99"]),
    ("extra missing", lambda b: b.without_sandbox(), errors.MissingExtra, ["pip install", "deepset-nb[sandbox]"]),
    ("filter no OData", lambda b: b.ws.list_files(odata_filter="topic is"), errors.Unprocessable, ["filter"]),
    ("unknown fault", lambda b: b.ws.sandbox and b.ws.sandbox.fault("nonsense"), errors.SandboxError, ["nonsense"]),
]


@pytest.fixture
def bench(ws: dn.Workspace, connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = tmp_path / "input"
    made.mkdir()
    return Bench(ws, connection, made, monkeypatch)


@pytest.mark.parametrize(("act", "kind", "words"), [case[1:] for case in TABLE], ids=[case[0] for case in TABLE])
def test_a_wrong_input_is_a_short_error_of_our_own(
    bench: Bench, act: Callable[[Bench], object], kind: type[errors.DeepsetError], words: list[str]
) -> None:
    with pytest.raises(kind) as caught:
        act(bench)
    error = caught.value

    assert type(error) is kind
    for word in words:
        assert word in str(error)
    assert error.remedy, "it says what to do next"
    assert len(str(error)) < 600
    assert bench.connection.api_key not in str(error)


@pytest.mark.parametrize(("act", "kind", "words"), [case[1:] for case in TABLE], ids=[case[0] for case in TABLE])
def test_in_a_cell_it_is_a_few_lines_without_the_key(
    bench: Bench,
    act: Callable[[Bench], object],
    kind: type[errors.DeepsetError],
    words: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    shell = InteractiveShell.instance()
    shell.user_ns["act"] = lambda: act(bench)
    shell.run_line_magic("xmode", "Verbose")
    capsys.readouterr()
    shell.run_cell("act()")
    shown = capsys.readouterr().out

    assert kind.__name__ in shown
    assert len(shown.strip().splitlines()) <= 6, shown
    assert bench.connection.api_key not in shown


def test_a_command_says_it_on_stderr_and_fails(capsys: pytest.CaptureFixture[str], connection: Connection) -> None:
    port = connection.api_url.split(":")[2].split("/")[0]

    assert cli.main(["sandbox", "--port", port]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith("deepset-nb: ")
    assert len(said) == 2


def test_an_unauthorized_key_names_the_other_region() -> None:
    """Against the regions' own names there is no network here: the words are made where responses are mapped."""
    import httpx

    from deepset_nb.client.responses import Asked, error_of
    from deepset_nb.settings import resolve

    settings = resolve("w", api_key="k", region="eu")
    response = httpx.Response(401, request=httpx.Request("GET", settings.api_url))
    error = error_of(response, settings, Asked())

    assert "api.cloud.deepset.ai" in str(error)
    assert "region='us'" in str(error).replace('"', "'")
