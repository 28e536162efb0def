"""``ws.plan`` sends nothing, and ``ws.upload`` of a plan does what the plan says."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pandas as pd
import pytest

import deepset_nb as dn
from deepset_nb import bridge, frames


def on_the_platform(ws: dn.Workspace) -> dict[str, dict[str, object]]:
    return dict(ws.list_files().set_index("name")["meta"])


def test_a_plan_sends_nothing(ws: dn.Workspace, folder: Path) -> None:
    plan = ws.plan(folder)

    assert type(plan) is pd.DataFrame
    assert {name: str(dtype) for name, dtype in plan.dtypes.items()} == frames.PLAN
    assert plan["action"].tolist() == ["send"] * 5
    assert plan["meta"].tolist() == [{"number": 0}, {"number": 1}, None, None, None]
    assert ws.list_files().empty
    assert ws.list_upload_sessions().empty


def test_an_edited_plan_is_what_is_uploaded(ws: dn.Workspace, folder: Path) -> None:
    (folder / ".env").write_text("KEY=1")
    plan = ws.plan(folder)
    plan.loc[plan["name"] == "report-2.txt", "action"] = "skip"
    plan.loc[plan["name"] == "report-3.txt", "name"] = "third.txt"
    plan = plan[plan["name"] != "report-4.txt"]
    receipt = ws.upload(plan, meta={"lot": 7}, show=False).wait(60).receipt.set_index("name")

    assert receipt["status"].to_dict() == {
        ".env": "skipped",
        "report-0.txt": "ok",
        "report-1.txt": "ok",
        "report-2.txt": "skipped",
        "third.txt": "ok",
    }
    assert receipt.loc["report-2.txt", "reason"] == "Left out of the plan by hand."
    assert on_the_platform(ws) == {
        "report-0.txt": {"number": 0, "lot": 7},
        "report-1.txt": {"number": 1, "lot": 7},
        "third.txt": {"lot": 7},
    }


def test_documents_of_a_frame_arrive_with_their_metadata(ws: dn.Workspace, folder: Path) -> None:
    documents = pd.DataFrame(
        {
            "name": ["note.txt", "copy.txt"],
            "text": ["A note.", None],
            "path": [None, str(folder / "report-0.txt")],
            "meta": [{"when": pd.Timestamp("2024-05-06")}, None],
        }
    )
    ws.upload(documents, show=False).wait(60).raise_for_failures()

    assert on_the_platform(ws) == {"note.txt": {"when": "2024-05-06T00:00:00"}, "copy.txt": {"number": 0}}


def test_a_glob_with_rules_and_a_table_of_metadata(ws: dn.Workspace, folder: Path) -> None:
    (folder / "drafts").mkdir()
    (folder / "drafts" / "x.txt").write_text("x")
    table = pd.DataFrame({"name": ["report-0.txt", "report-9.txt"], "year": [2024, 2025]})
    job = ws.upload(f"{folder}/**/*.txt", exclude=["drafts/", "report-[34]*"], meta=table, show=False).wait(60)

    assert on_the_platform(ws) == {
        "report-0.txt": {"number": 0, "year": 2024},
        "report-1.txt": {"number": 1},
        "report-2.txt": {},
    }
    left_out = job.receipt.query("status == 'skipped'")["name"].tolist()
    assert left_out == ["drafts", "report-3.txt", "report-4.txt", "report-9.txt"]


def test_a_refused_file_of_a_plan_is_a_failed_row_with_its_remedy(ws: dn.Workspace, folder: Path) -> None:
    (folder / "report-0.txt").write_text("")
    receipt = ws.upload(ws.plan(folder), show=False).wait(60).failed

    assert receipt["name"].tolist() == ["report-0.txt"]
    assert receipt["remedy"].notna().all()


def test_the_loop_goes_on_while_a_plan_is_made(ws: dn.Workspace, folder: Path) -> None:
    """A function given as meta= may ask us something itself, and may be slow."""
    ticked: list[int] = []

    async def tick() -> None:
        await asyncio.sleep(0)
        ticked.append(1)

    def meta(path: Path) -> dict[str, object]:
        bridge.submit(tick).result(5)
        return {"stem": path.stem}

    assert ws.plan(folder, meta=meta)["meta"].str["stem"].tolist() == [f"report-{number}" for number in range(5)]
    assert len(ticked) == 5


@pytest.mark.parametrize("name", ["50%.txt", "a#b.txt", "naïve [1].txt"])
def test_a_renamed_file_is_listed_under_the_name_the_plan_says(ws: dn.Workspace, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("x")
    plan = ws.plan(tmp_path / name)
    ws.upload(plan, show=False).wait(60).raise_for_failures()

    assert plan["state"].tolist() == ["renamed"]
    assert list(on_the_platform(ws)) == plan["stored_name"].tolist()


def test_texts_have_the_hazards_of_files(ws: dn.Workspace) -> None:
    texts = [
        dn.DeepsetCloudFile("x", "a.txt", {"score": float("nan")}),
        dn.DeepsetCloudFile("x", "b" * 1000),
        dn.DeepsetCloudFile("x", "c.txt", {"when": pd.Timestamp("2024-05-06")}),
    ]
    receipt = ws.upload_texts(texts, show=False).wait(60).receipt

    assert receipt["status"].tolist() == ["failed", "failed", "ok"]
    assert "'score'" in receipt["reason"][0]
    assert on_the_platform(ws) == {"c.txt": {"when": "2024-05-06T00:00:00"}}
