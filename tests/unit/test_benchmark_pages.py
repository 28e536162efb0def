"""The benchmarks' rows about pages: what is measured together, and how it is judged."""

from __future__ import annotations

from typing import Any

import pytest

from tests.benchmarks.measure import Result
from tests.benchmarks.our_side import NotAvailable
from tests.benchmarks.page.measure import work_out
from tests.benchmarks.page.rows import ON_REQUEST, PAGE_ROWS, PageRow, chosen
from tests.benchmarks.page.shown import Shown
from tests.benchmarks.table import failed, rendered, verdict


def row_of(key: str, **wanted: Any) -> PageRow:
    return next(row for row in PAGE_ROWS if row.key == key and all(getattr(row, k) == v for k, v in wanted.items()))


def judged(row: PageRow, ours: list[dict], other: list[dict]) -> Result:
    result = Result(row, against=row.other, runs={"ours": ours, "other": other})
    work_out(row, result)
    return result


def sent(wall: float, kernel_mib: float = 50.0, page_mib: float = 185.0) -> dict[str, float]:
    return {"wall": wall, "kernel_mib": kernel_mib, "server_mib": 9.0, "page_mib": page_mib}


def test_a_lane_is_judged_by_its_share_of_the_others_speed_and_by_memory() -> None:
    lane = row_of("k", other="FileUpload")
    assert verdict(judged(lane, [sent(3.0), sent(60.0), sent(2.9)], [sent(2.0)])) == "met, and the aim"
    assert verdict(judged(lane, [sent(4.0)], [sent(2.0)])) == "met"
    wrong = judged(lane, [sent(5.0, kernel_mib=96.0, page_mib=900.0)], [sent(2.0)])
    assert failed(wrong)
    assert "900 MiB in the page is not <=320 MiB in the page" in verdict(wrong)
    assert "40% of its speed is not 45% of its speed" in verdict(wrong)
    assert "96 MiB in the kernel is not <=64 MiB in the kernel" in verdict(wrong)


def test_first_paint_is_judged_by_how_much_later_it_is() -> None:
    panel = row_of("m", subject="uploader")
    assert verdict(judged(panel, [{"wall": 0.31}], [{"wall": 0.2}])) == "met"
    assert verdict(judged(panel, [{"wall": 0.36}], [{"wall": 0.2}])) == "MISSED: 160 ms later is not <=150 ms later"


def test_the_table_shows_times_below_a_second_to_the_millisecond_and_memory_of_kernel_server_and_page() -> None:
    table = rendered(
        [
            judged(row_of("m", subject="uploader"), [{"wall": 0.1234}], [{"wall": 0.1}]),
            judged(row_of("k", other="FileUpload"), [sent(4.0)], [sent(2.0, kernel_mib=256)]),
        ]
    )
    assert "0.123" in table
    assert "50 + 9 + 185 / 256 + 9 + 185" in table


def test_rows_of_one_letter_are_measured_together_and_the_costly_one_only_when_asked_for() -> None:
    everything = {row.key for row in PAGE_ROWS} - ON_REQUEST
    groups = list(chosen(everything, quick=False))
    assert [group[0].key for group in groups] == ["k", "l", "m", "n"]
    assert all(len({row.group for row in group}) == 1 for group in groups)
    assert [row.key for group in chosen({"o"}, quick=False) for row in group] == ["o"]


def test_the_stand_ins_are_small() -> None:
    rows = [row for group in chosen({row.key for row in PAGE_ROWS}, quick=True) for row in group]
    assert max(row.size for row in rows) <= 64 << 20
    assert max(row.files for row in rows) <= 2000


def test_what_is_not_installed_is_called_not_available() -> None:
    with pytest.raises(NotAvailable, match="no_such_library is not installed"):
        Shown("", "", "", needs="no_such_library").check()
    with pytest.raises(NotAvailable, match=r"there is no ws\.no_such_browser"):
        Shown("", "", "", needs="ws.no_such_browser").check()
