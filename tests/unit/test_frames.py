"""DataFrames have the same columns and dtypes whatever came, also when nothing did."""

from datetime import UTC, datetime
from uuid import uuid4

import pandas as pd
import pytest

from deepset_nb import file_frames, frames
from deepset_nb.models import File, SessionFile, UploadSessionDetail, UserInfo, WorkspaceInfo

FILE = File(uuid4(), "/f", "a.txt", 5, datetime(2026, 1, 2, 3, 4, 5, 6, UTC), {"k": 1})
SESSION = UploadSessionDetail(
    uuid4(),
    UserInfo(uuid4(), "Ada", "Lovelace"),
    FILE.created_at,
    None,
    "KEEP",
    "OPEN",  # type: ignore[arg-type]
)
ROW = dict.fromkeys(frames.RECEIPT) | {"path": "a.txt", "size": 3, "seconds": 0.5}


@pytest.mark.parametrize(
    ("make", "item", "dtypes"),
    [
        (file_frames.files, FILE, file_frames.FILES),
        (frames.sessions, SESSION, frames.SESSIONS),
        (frames.session_files, SessionFile("a", "FAILED", "EMPTY_FILE"), frames.SESSION_FILES),  # type: ignore[arg-type]
        (frames.workspaces, WorkspaceInfo("w", uuid4()), frames.WORKSPACES),
        (frames.receipt, ROW, frames.RECEIPT),
    ],
)
def test_columns_and_dtypes_do_not_depend_on_the_content(make, item, dtypes) -> None:  # type: ignore[no-untyped-def]
    for frame in (make([]), make([item]), make([item, item])):
        assert type(frame) is pd.DataFrame
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == dict(dtypes)


def test_ids_are_text_times_are_utc_and_meta_is_a_dict() -> None:
    row = file_frames.files([FILE]).iloc[0]

    assert row["file_id"] == str(FILE.file_id)
    assert row["created_at"] == pd.Timestamp("2026-01-02T03:04:05.000006Z")
    assert row["meta"] == {"k": 1}


def test_a_missing_time_is_missing_not_an_error() -> None:
    assert frames.sessions([SESSION])["expires_at"].isna().all()


def test_the_person_behind_a_session_is_one_name() -> None:
    assert frames.sessions([SESSION])["created_by"].tolist() == ["Ada Lovelace"]
