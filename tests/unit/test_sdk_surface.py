"""The functions of the platform's own SDK: names, parameters, order, defaults, as its two releases have them."""

from __future__ import annotations

import inspect
from types import ModuleType

import msgspec
import pytest

from deepset_nb import models
from deepset_nb.workflows.async_client import files as async_files
from deepset_nb.workflows.sync_client import files as sync_files
from tests import rules

ACCOUNT = {"api_key": None, "api_url": None, "workspace_name": ""}
SENDING = ACCOUNT | {"write_mode": models.WriteMode.KEEP, "blocking": True, "timeout_s": 300, "show_progress": True}
NEEDED = inspect.Parameter.empty

SURFACE = {
    "list_files": ACCOUNT | {"name": None, "content": None, "odata_filter": None, "batch_size": 100, "timeout_s": 300},
    "list_upload_sessions": ACCOUNT | {"is_expired": None, "batch_size": 100, "timeout_s": 300},
    "get_upload_session": {"session_id": NEEDED} | ACCOUNT,
    "close_upload_session": {"session_id": NEEDED} | ACCOUNT,
    "upload_file_paths": {"file_paths": NEEDED} | SENDING,
    "upload": {"paths": NEEDED}
    | SENDING
    | {"recursive": False, "desired_file_types": None, "enable_parallel_processing": False, "safe_mode": False},
    "upload_texts": {"files": NEEDED} | SENDING | {"enable_parallel_processing": False},
    "upload_bytes": {"files": NEEDED} | SENDING | {"enable_parallel_processing": False},
    "download": {
        "workspace_name": "",
        "file_dir": None,
        "name": None,
        "odata_filter": None,
        "include_meta": True,
        "batch_size": 50,
        "api_key": None,
        "api_url": None,
        "show_progress": True,
        "timeout_s": None,
        "safe_mode": False,
    },
}
LISTINGS = {"list_files", "list_upload_sessions"}

FIELDS = {
    "DeepsetCloudFile": ("text", "name", "meta"),
    "DeepsetCloudFileBytes": ("file_bytes", "name", "meta"),
    "File": ("file_id", "url", "name", "size", "created_at", "meta"),
    "UserInfo": ("user_id", "given_name", "family_name"),
    "UploadSessionDetail": ("session_id", "created_by", "created_at", "expires_at", "write_mode", "status"),
    "UploadSessionStatus": ("session_id", "expires_at", "documentation_url", "ingestion_status"),
    "UploadSessionIngestionStatus": ("failed_files", "finished_files"),
    "S3UploadResult": ("file_name", "success", "exception"),
    "S3UploadSummary": ("total_files", "successful_upload_count", "failed_upload_count", "failed"),
}

both = pytest.mark.parametrize("module", [async_files, sync_files], ids=["async", "sync"])


@both
@pytest.mark.parametrize("name", SURFACE)
def test_a_function_takes_the_parameters_in_their_order(module: ModuleType, name: str) -> None:
    parameters = inspect.signature(getattr(module, name)).parameters

    assert [(key, parameter.default) for key, parameter in parameters.items()] == list(SURFACE[name].items())


@pytest.mark.parametrize("name", SURFACE)
def test_one_module_awaits_and_the_other_does_not(name: str) -> None:
    ours, twin = getattr(async_files, name), getattr(sync_files, name)

    assert inspect.isasyncgenfunction(ours) if name in LISTINGS else inspect.iscoroutinefunction(ours)
    assert inspect.isgeneratorfunction(twin) == (name in LISTINGS)
    assert not inspect.iscoroutinefunction(twin)


@both
@pytest.mark.parametrize("name", SURFACE)
def test_every_function_says_what_it_does_and_shows_a_cell(module: ModuleType, name: str) -> None:
    text = inspect.getdoc(getattr(module, name)) or ""

    assert rules.has_example(text)
    for parameter in SURFACE[name]:
        assert f"    {parameter}: " in text


@both
@pytest.mark.parametrize("name", ["DeepsetCloudFile", "DeepsetCloudFileBytes", "File", "WriteMode", "S3UploadSummary"])
def test_data_classes_are_importable_from_the_functions_module(module: ModuleType, name: str) -> None:
    assert getattr(module, name) is getattr(models, name)


@pytest.mark.parametrize("name", FIELDS)
def test_a_data_class_has_the_sdks_attributes_first(name: str) -> None:
    fields = [field.name for field in msgspec.structs.fields(getattr(models, name))]

    assert tuple(fields[: len(FIELDS[name])]) == FIELDS[name]


def test_the_write_modes_are_the_sdks() -> None:
    assert {mode.name: mode.value for mode in models.WriteMode} == {
        "KEEP": "KEEP",
        "OVERWRITE": "OVERWRITE",
        "FAIL": "FAIL",
    }


@pytest.mark.parametrize("name", ["files", "download", "workflows"])
def test_no_module_is_hidden_by_a_function_of_its_name(name: str) -> None:
    import deepset_nb

    assert name not in deepset_nb.__all__
    assert inspect.ismodule(async_files)
    assert inspect.ismodule(sync_files)
