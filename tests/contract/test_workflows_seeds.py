"""Every example of the platform's documentation runs with the package's name changed, and nothing else.

The keys and names they leave open are filled in; where they come from is the environment's business, as it is there.
"""

from __future__ import annotations

import asyncio
import inspect
import shlex
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints
from uuid import UUID

import httpx
import pytest

import deepset_nb as dn
from deepset_nb import models
from deepset_nb.workflows.async_client import files as async_files
from deepset_nb.workflows.sync_client import files as sync_files
from tests.contract.rooms import PLAIN

LIST_SYNC = """
from deepset_cloud_sdk.workflows.sync_client.files import list_upload_sessions

for session_batch in list_upload_sessions(
  api_key="<deepset API key>",
  workspace_name="<your_workspace>",
  is_expired=False,  # Set to True if you want to list expired sessions
  batch_size=100,  # Adjust the batch size as needed
):
  for session in session_batch:  # List of length 100
    print(session.session_id)
"""

LIST_ASYNC = """
from deepset_cloud_sdk.workflows.async_client.files import list_upload_sessions

async def my_async_context() -> None:
    async for session_batch in list_upload_sessions(
        api_key="<deepset Cloud API key>",
        workspace_name="<your_workspace>",
        is_expired=False,  # Set to True if you want to list expired sessions
        batch_size=100,  # Adjust the batch size as needed
    ):
        for session in session_batch:  # List of length 100
            print(session.session_id)
"""

GET_SYNC = """
from deepset_cloud_sdk.workflows.async_client.files import get_upload_session
from uuid import UUID

session_id = UUID(
    "enter-your-session-id-here"
)  # Replace with your actual upload session ID returned by `list_upload_sessions`

session_details = get_upload_session(
  api_key="<deepset API key>",
  workspace_name="<your_workspace>",
  session_id=session_id,
)
print(session_details)
"""

GET_ASYNC = """
from deepset_cloud_sdk.workflows.async_client.files import get_upload_session
from uuid import UUID

session_id = UUID(
    "enter-your-session-id-here"
)  # Replace with your actual upload session ID returned by `list_upload_sessions`

async def my_async_context() -> None:
    session_details = await get_upload_session(
        api_key="<deepset Cloud API key>",
        workspace_name="<your_workspace>",
        session_id=session_id,
    )
    print(session_details)
"""

CLOSE = r"""
curl --request PUT \
     --url https://api.cloud.deepset.ai/api/v1/workspaces/<WORKSPACE_NAME>/upload_sessions/<SESSION_ID> \
     --header 'accept: application/json' \
     --header 'authorization: Bearer <deepset API key' \
     --header 'content-type: application/json' \
     --data '{"status":"CLOSED"}'
"""


@pytest.fixture
def session_id(ws: dn.Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a session that has run; the environment names the sandbox."""
    monkeypatch.setenv("API_URL", ws.settings.api_url)
    return str(ws.upload(folder, show=False).wait(30).receipt["session_id"][0])


def ours(example: str, ws: dn.Workspace, session_id: str) -> str:
    filled = {
        "deepset_cloud_sdk": "deepset_nb",
        "<deepset API key>": ws.settings.api_key.reveal(),
        "<deepset Cloud API key>": ws.settings.api_key.reveal(),
        "<your_workspace>": ws.name,
        "enter-your-session-id-here": session_id,
    }
    for open_place, value in filled.items():
        example = example.replace(open_place, value)
    return example


def in_a_notebook(code: str) -> None:
    """As a cell: with a loop running below it."""

    async def cell() -> None:
        names: dict[str, Any] = {}
        exec(code, names)
        if "my_async_context" in names:
            await names["my_async_context"]()

    asyncio.run(cell())


def in_a_script(code: str) -> None:
    names: dict[str, Any] = {}
    exec(code, names)
    if "my_async_context" in names:
        asyncio.run(names["my_async_context"]())


everywhere = pytest.mark.parametrize("run", [in_a_script, in_a_notebook])


@everywhere
@pytest.mark.parametrize("example", [LIST_SYNC, LIST_ASYNC], ids=["sync", "async"])
def test_the_examples_that_list_all_sessions(
    ws: dn.Workspace, session_id: str, capsys: pytest.CaptureFixture[str], example: str, run: Callable[[str], None]
) -> None:
    run(ours(example, ws, session_id))

    assert capsys.readouterr().out.strip() == session_id


@everywhere
@pytest.mark.parametrize("example", [GET_SYNC.replace("async_client", "sync_client"), GET_ASYNC], ids=["sync", "async"])
def test_the_examples_that_look_at_one_session(
    ws: dn.Workspace, session_id: str, capsys: pytest.CaptureFixture[str], example: str, run: Callable[[str], None]
) -> None:
    run(ours(example, ws, session_id))

    shown = capsys.readouterr().out
    assert session_id in shown
    assert "finished_files=5" in shown


def test_the_request_that_closes_a_session(ws: dn.Workspace) -> None:
    async def open_one() -> UUID:
        async with dn.AsyncClient(ws.settings) as client:
            return (await client.upload_sessions.create(ws.name)).session_id

    opened = asyncio.run(open_one())
    command = CLOSE.replace("https://api.cloud.deepset.ai/api/v1", ws.settings.api_url)
    command = command.replace("<WORKSPACE_NAME>", ws.name).replace("<SESSION_ID>", str(opened))
    words = shlex.split(command.replace("<deepset API key", ws.settings.api_key.reveal()).replace("\\\n", " "))
    options = list(zip(words[1::2], words[2::2], strict=True))
    given = dict(options)
    headers = dict(value.split(": ", 1) for name, value in options if name == "--header")
    response = httpx.request(given["--request"], given["--url"], headers=headers, content=given["--data"], verify=PLAIN)

    assert response.status_code == 204
    assert ws.list_upload_sessions()["status"].tolist() == ["CLOSED"]


SIGNATURES = """
async def list_files(api_key: Optional[str] = None,
                     api_url: Optional[str] = None,
                     workspace_name: str = DEFAULT_WORKSPACE_NAME,
                     name: Optional[str] = None,
                     content: Optional[str] = None,
                     odata_filter: Optional[str] = None,
                     batch_size: int = 100,
                     timeout_s: int = 300) -> AsyncGenerator[List[File], None]: ...
async def list_upload_sessions(
        api_key: Optional[str] = None,
        api_url: Optional[str] = None,
        workspace_name: str = DEFAULT_WORKSPACE_NAME,
        is_expired: Optional[bool] = None,
        batch_size: int = 100,
        timeout_s: int = 300
) -> AsyncGenerator[List[UploadSessionDetail], None]: ...
async def get_upload_session(
        session_id: UUID,
        api_key: Optional[str] = None,
        api_url: Optional[str] = None,
        workspace_name: str = DEFAULT_WORKSPACE_NAME) -> UploadSessionStatus: ...
async def upload_file_paths(file_paths: List[Path],
                            api_key: Optional[str] = None,
                            api_url: Optional[str] = None,
                            workspace_name: str = DEFAULT_WORKSPACE_NAME,
                            write_mode: WriteMode = WriteMode.KEEP,
                            blocking: bool = True,
                            timeout_s: int = 300,
                            show_progress: bool = True) -> None: ...
async def upload(paths: List[Path],
                 api_key: Optional[str] = None,
                 api_url: Optional[str] = None,
                 workspace_name: str = DEFAULT_WORKSPACE_NAME,
                 write_mode: WriteMode = WriteMode.KEEP,
                 blocking: bool = True,
                 timeout_s: int = 300,
                 show_progress: bool = True,
                 recursive: bool = False) -> None: ...
async def upload_texts(files: List[DeepsetCloudFile],
                       api_key: Optional[str] = None,
                       api_url: Optional[str] = None,
                       workspace_name: str = DEFAULT_WORKSPACE_NAME,
                       write_mode: WriteMode = WriteMode.KEEP,
                       blocking: bool = True,
                       timeout_s: int = 300,
                       show_progress: bool = True) -> None: ...
"""


@pytest.mark.parametrize("module", [async_files, sync_files], ids=["async", "sync"])
def test_the_documented_signatures_are_the_beginnings_of_ours(module: Any) -> None:
    names: dict[str, Any] = {**vars(models), "DEFAULT_WORKSPACE_NAME": module.DEFAULT_WORKSPACE_NAME, "UUID": UUID}
    exec("from typing import *\nfrom pathlib import Path\n" + SIGNATURES, names)
    documented = [name for name in names if f"def {name}(" in SIGNATURES]

    assert len(documented) == 6
    for name in documented:
        theirs = list(inspect.signature(names[name]).parameters.values())
        own = list(inspect.signature(getattr(module, name)).parameters.values())
        assert [(p.name, p.default) for p in own[: len(theirs)]] == [(p.name, p.default) for p in theirs], name
        assert get_type_hints(getattr(module, name))["return"] is not None


def test_the_documented_upload_takes_a_folder_by_position(ws: dn.Workspace, session_id: str, folder: Path) -> None:
    key, url = ws.settings.api_key.reveal(), ws.settings.api_url
    (folder / "deep").mkdir()
    (folder / "deep" / "new.txt").write_text("x")
    sync_files.upload([folder], key, url, ws.name, models.WriteMode.OVERWRITE, True, 300, False, True)

    assert sorted(ws.list_files()["name"]) == ["new.txt", *(f"report-{n}.txt" for n in range(5))]


def test_the_documented_upload_of_texts_runs_in_both_forms(ws: dn.Workspace, session_id: str) -> None:
    code = """
    from deepset_nb.workflows.{kind}_client.files import upload_texts, DeepsetCloudFile

    {before}{call}(
        api_key={key!r},
        workspace_name={workspace!r},
        files=[
            DeepsetCloudFile(
                name="example-{kind}.txt",
                text="this is text",
                meta={{"key": "value"}},
            )
        ],
        blocking=True,
        timeout_s=300,
    )
    """
    fill = {"key": ws.settings.api_key.reveal(), "workspace": ws.name}
    in_a_notebook(textwrap.dedent(code).format(kind="sync", before="", call="upload_texts", **fill))
    in_a_notebook(
        textwrap.dedent(code).format(
            kind="async", before="async def my_async_context() -> None:\n  ", call="await upload_texts", **fill
        )
    )

    found = ws.list_files(name="example")
    assert sorted(found["name"]) == ["example-async.txt", "example-sync.txt"]
    assert found["meta"].tolist() == [{"key": "value"}] * 2
