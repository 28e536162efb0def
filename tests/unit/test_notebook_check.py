"""What a teacher hears of a notebook before it goes to a class: every secret is found, and none is shown."""

from __future__ import annotations

import base64
import json
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
import pytest

import deepset_nb as dn
from deepset_nb import settings
from deepset_nb.errors import InputError, PathNotFound

KEY = "api_" + secrets.token_urlsafe(32)
SIGNATURE = secrets.token_hex(32)
POLICY = base64.b64encode(
    json.dumps({"expiration": "2026-01-01T00:00:00Z", "conditions": [["a", "b"]]}).encode()
).decode()
CREDENTIAL = "SANDBOX0123456789ABCDEF/20260101/eu-central-1/s3/aws4_request"
TOKEN = secrets.token_urlsafe(90)
LINUX, MAC = "/home", "/Users"  # apart from the name: this repository may not hold such a path


def cell(source: str | list[str] = "", outputs: Any = (), **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "outputs": list(outputs), "metadata": {}, **more}


def stream(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def data(**forms: Any) -> dict[str, Any]:
    named = {name.replace("_", "/"): value for name, value in forms.items()}
    return {"output_type": "display_data", "data": named, "metadata": {}}


@pytest.fixture
def check(tmp_path: Path) -> Any:
    """Saves these cells and checks the file; whatever is found, no secret may be shown."""

    def saved(*cells: Any, metadata: Any = None) -> pd.DataFrame:
        notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata or {}, "cells": list(cells)}
        path = tmp_path / "lesson.ipynb"
        path.write_text(json.dumps(notebook))
        found = dn.check_notebook(path)
        shown = found.to_csv() + found.to_html() + repr(found)
        assert not [secret for secret in (KEY, SIGNATURE, POLICY, CREDENTIAL, TOKEN) if secret[5:] in shown]
        return found

    return saved


def kinds(found: pd.DataFrame) -> list[tuple[int, str, str]]:
    return list(zip(found["cell"], found["where"], found["kind"], strict=True))


def test_a_clean_notebook_gives_an_empty_frame_with_its_columns(check: Any) -> None:
    found = check(
        cell("import deepset_nb as dn\nws = dn.sandbox()\njob = ws.upload('documents/')"),
        cell("dn.login()", [stream("Mail a@example.org. It has an x-amz-signature, a policy, an api_key.")]),
        cell("ws.list_files(name='api_reference_documentation_page')", [data(image_png="iVBORw0KGgo" * 40)]),
    )

    assert found.empty
    assert found.dtypes.astype(str).to_dict() == {
        "cell": "Int64",
        **dict.fromkeys(["where", "kind", "excerpt", "remedy"], "string"),
    }


def test_a_key_is_found_wherever_it_is(check: Any) -> None:
    found = check(
        cell(f"ws = dn.Workspace('w', api_key='{KEY}')"),
        cell(outputs=[stream(f"Authorization: Bearer {KEY}")]),
        cell(metadata={"tags": [KEY]}),
        cell(cell_type="markdown", attachments={"note.txt": {"text/plain": KEY}}),
        metadata={"widgets": {"w": {"state": {"1": {"state": {"key": KEY}}}}}, "author": KEY},
    )

    assert kinds(found)[:4] == [
        (1, "source", "API key"), (2, "output", "API key"), (3, "metadata", "API key"), (4, "attachment", "API key")
    ]  # fmt: skip
    assert set(found["where"][4:]) == {"widget state", "metadata"}
    assert found["cell"][4:].isna().all()
    assert found["remedy"].str.len().min() > 40
    assert found["excerpt"][1] == "Authorization: Bearer ***"


@pytest.mark.parametrize("shift", range(4))
def test_a_configured_key_is_found_however_it_is_written(
    check: Any, monkeypatch: pytest.MonkeyPatch, shift: int
) -> None:
    key = "Zebra/crossing+9"  # looks like no key
    monkeypatch.setenv("API_KEY", key)
    encoded = base64.b64encode(b"." * shift + key.encode() + b"...").decode()
    found = check(*(cell(text) for text in (f"it is {key}!", f"https://host/?k={quote(key, safe='')}", encoded)))

    assert kinds(found) == [(number, "source", "API key") for number in (1, 2, 3)]


def test_keys_of_login_of_env_files_and_of_sandboxes_are_known(check: Any, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("API_KEY=beside-the-notebook\n")
    settings.global_file().parent.mkdir()
    settings.global_file().write_text("DEEPSET_API_KEY=in-the-home-folder\nAPI_KEY=the-second-one-there\n")
    settings.remember(settings.resolve("w", api_key="from-the-login"))
    words = ["beside-the-notebook", "in-the-home-folder", "the-second-one-there", "from-the-login"]

    found = check(*(cell(f"print('{word}')") for word in words))
    assert kinds(found) == [(number, "source", "API key") for number in (1, 2, 3, 4)]
    assert not any(word in found.to_csv() for word in words)


def test_the_running_sandboxs_own_keys_are_known(check: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    line = {"api_url": "http://127.0.0.1:1/api/v1", "api_key": "sandbox-key-1", "admin_key": "sandbox-admin-1"}
    monkeypatch.setenv("DEEPSET_NB_SANDBOX", json.dumps(line))

    assert len(check(cell("'sandbox-key-1'"), cell("'sandbox-admin-1'"))) == 2


@pytest.mark.parametrize(
    "text",
    [
        "{{'x-amz-signature': '{signature}'}}",
        '<input name="X-Amz-Signature" value="{signature}">',
        "https://bucket/?X-Amz-Signature={signature}&a=b",
        "x-amz-signature      {signature}",
        "policy={policy}",
        "{policy}",
        "{policy_at_another_place}",
        "{credential}",
        "'x-amz-security-token', '{token}'",
        "{signature_as_base64}",
    ],
)
def test_a_presigned_forms_fields_are_found_in_every_notation(check: Any, text: str) -> None:
    encoded = base64.b64encode(f'{{"x-amz-signature": "{SIGNATURE}"}}'.encode()).decode()
    filled = text.format(
        signature=SIGNATURE,
        policy=POLICY,
        policy_at_another_place=base64.urlsafe_b64encode(b'  {"conditions": [{"bucket": "reports"}]}').decode(),
        credential=CREDENTIAL,
        token=TOKEN,
        signature_as_base64=encoded,
    )

    assert set(kinds(check(cell(outputs=[data(text_plain=filled)])))) == {(1, "output", "presigned field")}


def test_a_field_is_known_by_the_name_of_its_value(check: Any) -> None:
    fields = {"x-amz-signature": SIGNATURE, "policy": POLICY}
    found = check(cell(outputs=[{"output_type": "display_data", "data": {"application/json": {"fields": fields}}}]))

    assert kinds(found) == [(1, "output", "presigned field")] * 2


def test_what_a_form_of_the_sandbox_holds_is_found(check: Any, ws: dn.Workspace) -> None:
    async def form() -> Any:
        async with dn.AsyncClient(ws.settings) as client:
            return (await client.upload_sessions.create(ws.name)).aws_prefixed_request_config.fields

    from deepset_nb import bridge

    fields = bridge.run(form)
    for name in ("policy", "x-amz-signature", "x-amz-credential", "x-amz-security-token"):
        assert "presigned field" in set(check(cell(repr({name: fields[name]})))["kind"]), name


def test_home_folders_mail_addresses_and_the_users_name_are_found(check: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ada-l")
    monkeypatch.setenv("HOME", "/srv/people/ada")
    found = check(
        cell(f"open('{LINUX}/anna/thesis.txt')"),
        cell("open(r'C:\\Users\\Anna\\thesis.txt')"),
        cell("open('/srv/people/ada/thesis.txt')"),
        cell(outputs=[stream(f"File {MAC}/anna/x.py and {LINUX}/jovyan/x.py")]),
        cell(outputs=[stream("created by Ada <ada@lovelace.eu> (ada-l)")]),
    )

    assert kinds(found) == [
        *[(number, "source", "home folder") for number in (1, 2, 3)],
        (4, "output", "home folder"), (5, "output", "e-mail address"), (5, "output", "user name"),
    ]  # fmt: skip
    assert not found["excerpt"].str.contains("nna|/srv|ada").any()


def test_the_same_finding_is_told_once_a_cell(check: Any) -> None:
    found = check(cell(outputs=[stream(f"{LINUX}/anna/a\n" * 500)]), cell(outputs=[stream(f"{LINUX}/anna/a")]))

    assert found["cell"].tolist() == [1, 2]


def test_a_text_split_into_lines_and_an_image_in_base64_are_read_whole(check: Any) -> None:
    image = base64.encodebytes(b"\x89PNG tEXt\0" + KEY.encode() + b"\x00" * 99).decode()
    found = check(cell([f"key = '{KEY[:20]}", f"{KEY[20:]}'"]), cell(outputs=[data(image_png=image)]))

    assert kinds(found) == [(1, "source", "API key"), (2, "output", "API key")]


def test_what_json_hides_is_found_in_the_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "first-of-two")
    (tmp_path / "twice.ipynb").write_text('{"cells": [], "metadata": {"a": "first-of-two", "a": "second"}}')

    assert dn.check_notebook(tmp_path / "twice.ipynb")["where"].tolist() == ["file"]


def test_older_notebooks_with_worksheets_are_read(tmp_path: Path) -> None:
    (tmp_path / "old.ipynb").write_text(json.dumps({"worksheets": [{"cells": [{"input": f"'{KEY}'"}]}], "nbformat": 3}))

    assert kinds(dn.check_notebook(tmp_path / "old.ipynb")) == [(1, "source", "API key")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no Jupyter notebook"),
        (b"\x89PNG\r\n\xff", "not UTF-8"),
        (b"[" * 200_000, "no Jupyter notebook"),
        (b'{"cells": {}}', "no Jupyter notebook"),
        (b'"cells"', "no Jupyter notebook"),
    ],
)
def test_what_is_no_notebook_is_said_to_be_none(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "x.ipynb").write_bytes(content)
    with pytest.raises(InputError, match=said):
        dn.check_notebook(tmp_path / "x.ipynb")


def test_odd_shapes_inside_a_notebook_are_read_all_the_same(check: Any) -> None:
    found = check(None, 7, KEY, [KEY], {"outputs": {KEY: None}}, {"source": {"deep": [[[{"x": KEY}]]]}}, metadata=[KEY])

    assert [number for number in found["cell"].dropna()] == [3, 4, 5, 6]
    assert found["cell"].isna().sum() == 1


def test_a_missing_file_a_folder_and_a_huge_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(PathNotFound, match=r"no file gone\.ipynb"):
        dn.check_notebook(tmp_path / "gone.ipynb")
    with pytest.raises(InputError, match="is a folder"):
        dn.check_notebook(tmp_path)
    with (tmp_path / "huge.ipynb").open("wb") as huge:
        huge.truncate(300 * 2**20)
    with pytest.raises(InputError, match="300 MiB, more than the 256 MiB"):
        dn.check_notebook(tmp_path / "huge.ipynb")


@pytest.mark.parametrize(
    "unit", ["a", "eyJ", "x-amz-signature ", "a.", "@", "/home/", "api_", "bearer ", "a@b.", " ", "{", "AB/"]
)
def test_a_long_hostile_text_is_read_in_linear_time(check: Any, unit: str) -> None:
    """A pattern that went back over it would take hours; the step's own limit ends this test then."""
    check(cell(unit * (300_000 // len(unit))))
