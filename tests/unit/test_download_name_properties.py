"""Names as strange as a machine can think of them: none leaves its folder, none meets another."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepset_nb.models import File
from deepset_nb.transfer.local_names import LocalNames, safe_name
from deepset_nb.transfer.parts import is_ours
from deepset_nb.transfer.plan import SIDECAR

RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{name}{number}" for name in ("COM", "LPT") for number in range(1, 10))}
STEPS = ("../", "..\\", "/", "\\", "C:", "~", ".", "..", " ", "%2e%2e%2f", "%", "\x00", "\n", "\x7f", *':*?"<>|')
LETTERS = ("\u202e", "\u200f", "א", "ع", "🦊", "👩‍👩‍👧", "e\u0301", "é", "ß", "ﬁ", "İ", "\ud800", "日" * 85, "x" * 255)
TAKEN = ("CON", "nul", "com1.txt", ".meta.json", "a.txt", "A.TXT", ".dnb-download.lock", f".dnb-{'0' * 16}.part")
AWKWARD = st.sampled_from([*STEPS, *LETTERS, *TAKEN])
NAMES = st.lists(st.one_of(AWKWARD, st.text(max_size=12)), max_size=6).map("".join)
MANY = 2000


@settings(max_examples=MANY, deadline=None, database=None)
@given(NAMES)
def test_a_name_stays_inside_its_folder_on_every_system(name: str) -> None:
    safe = safe_name(name)

    assert safe == Path(safe).name
    assert safe not in ("", ".", "..")
    assert not set(safe) & set('/\\:*?"<>|\x00')
    assert safe.partition(".")[0].strip().upper() not in RESERVED
    assert safe[-1] not in ". "
    assert len(f"{safe}_100000{SIDECAR}".encode()) <= 255
    assert not is_ours(safe)
    assert safe_name(safe) == safe  # what was fetched, uploaded and fetched again keeps its name


def on_a_mac(name: str) -> str:
    """Names that this makes equal are one file there."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


@settings(max_examples=100, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(NAMES, min_size=20, max_size=40))
def test_names_and_their_sidecars_are_distinct_and_can_be_written(tmp_path: Path, names: list[str]) -> None:
    folder = tmp_path / str(uuid4())
    folder.mkdir()
    places = LocalNames(folder)
    made = datetime(2026, 1, 2, tzinfo=UTC)
    paths = [places.place(File(uuid4(), "", name, 5, made, {}))[0] for name in names]
    both = [path.with_name(path.name + end) for path in paths for end in ("", SIDECAR)]
    for path in both:
        path.write_text("x")

    assert len({on_a_mac(path.name) for path in both}) == len(both)
    assert {path.resolve().parent for path in both} == {folder.resolve()}
    assert len(list(folder.iterdir())) == 2 * len(names)
