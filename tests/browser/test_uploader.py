"""Files of the reader's own computer: dropped or chosen, received by the kernel, uploaded."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Locator, expect

from deepset_nb.emulator import Connection
from deepset_nb.emulator.config import BUCKET
from tests.browser.cells import END_MS, card, expect_tone, job_panel, join, stop
from tests.browser.lab import Lab
from tests.browser.server import JupyterServer


def uploader(lab: Lab, room: str, lane: str = "auto") -> Locator:
    lab.show(join(room), f"uploader = ws.uploader(lane={lane!r})\nuploader")
    shown = card(lab, "Upload files")
    expect(shown).to_be_visible()
    return shown


def listed(lab: Lab) -> list[str]:
    return lab.run("print(*sorted(ws.list_files()['name']), sep='\\n')").split()


def choose(shown: Locator, *paths: Path) -> None:
    """Choose files and wait until the kernel has said what would become of each."""
    shown.locator("input[data-dnb=files]").set_input_files(paths)
    expect(shown.locator("tbody tr")).not_to_have_count(0)
    expect(shown.locator("tbody tr", has_text=re.compile("Waiting|Checking"))).to_have_count(0, timeout=END_MS)


def upload(shown: Locator) -> None:
    button = shown.get_by_role("button", name="Upload", exact=True)
    expect(button).to_have_attribute("aria-disabled", "false", timeout=END_MS)
    button.click()


def form_of(lab: Lab) -> list[str]:
    """What of the last session's form nobody may see."""
    fields = json.loads(
        lab.run(
            "import json; form = uploader.job._transfer.sessions[0].opened.aws_prefixed_request_config\n"
            "print(json.dumps(form.fields))"
        )
    )
    return [fields["policy"], fields["x-amz-signature"]]


def test_a_folder_and_a_file_dropped_together_reach_the_platform(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "letters" / "old").mkdir(parents=True)
    (tmp_path / "letters" / "anna.txt").write_text("Dear Anna")
    (tmp_path / "letters" / "old" / "bert.txt").write_text("Dear Bert")
    (tmp_path / "notes.txt").write_bytes(b"n" * 3_000_000)
    shown = uploader(lab, "dropped")
    lab.drop(shown.locator(".dnb-drop"), [tmp_path / "letters", tmp_path / "notes.txt"])
    expect(shown.locator("tbody tr", has_text="Ready")).to_have_count(3, timeout=END_MS)
    expect(shown).to_contain_text("letters/old/bert.txt")
    upload(shown)
    expect_tone(job_panel(lab), "ok")

    expect(lab.page.locator(".dnb-lane")).to_have_text("Straight from this browser to the bucket.")
    assert {"anna.txt", "bert.txt", "notes.txt"} <= set(listed(lab))
    assert lab.run("print(uploader.job.receipt['status'].tolist())").strip() == "['ok', 'ok', 'ok']"
    assert lab.run("print(next(iter(ws.list_files(name='notes.txt')['size'])))").strip() == "3000000"


def test_files_and_folders_chosen_with_the_buttons_reach_the_platform(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "sea.txt").write_text("blue")
    (tmp_path / "one.txt").write_text("1")
    (tmp_path / "two.txt").write_text("2")
    shown = uploader(lab, "chosen")
    shown.locator("input[data-dnb=files]").set_input_files([tmp_path / "one.txt", tmp_path / "two.txt"])
    shown.locator("input[data-dnb=folder]").set_input_files(tmp_path / "photos")
    expect(shown.locator("tbody tr", has_text="Ready")).to_have_count(3, timeout=END_MS)
    shown.get_by_role("button", name="Remove two.txt").click()
    expect(shown.locator("tbody tr")).to_have_count(2)
    shown.get_by_role("button", name="Upload", exact=True).click()
    expect_tone(job_panel(lab), "ok")

    names = set(listed(lab))
    assert {"one.txt", "sea.txt"} <= names
    assert "two.txt" not in names


def test_keys_pressed_in_the_widget_stay_there_and_the_focus_is_kept(lab: Lab, tmp_path: Path) -> None:
    for name in ("one.txt", "two.txt"):
        (tmp_path / name).write_text(name)
    shown = uploader(lab, "keyboard")
    shown.locator("input[data-dnb=files]").set_input_files([tmp_path / "one.txt", tmp_path / "two.txt"])
    expect(shown.locator("tbody tr", has_text="Ready")).to_have_count(2, timeout=END_MS)

    mode = shown.get_by_label("If a name is taken")
    mode.press("ArrowDown")  # in command mode JupyterLab would go to the next cell
    expect(mode).to_have_value("OVERWRITE")
    expect(mode).to_be_focused()
    for _ in "dd":  # and delete this one
        shown.get_by_role("button", name="Upload", exact=True).press("d")
    shown.get_by_role("button", name="Remove one.txt").press("Enter")
    expect(shown.get_by_role("button", name="Remove two.txt")).to_be_focused()


def test_a_file_arrives_byte_for_byte(lab: Lab, tmp_path: Path) -> None:
    content = bytes(range(256)) * 20_000  # more than one message
    (tmp_path / "bytes.txt").write_bytes(content)
    shown = uploader(lab, "bytes", "kernel")
    shown.locator("input[data-dnb=files]").set_input_files([tmp_path / "bytes.txt"])
    expect(shown.locator("tbody tr", has_text="Ready")).to_have_count(1, timeout=END_MS)

    digest = lab.run("import zlib; print(zlib.crc32(uploader.files[0].path.read_bytes()))").strip()
    assert digest == lab.run("print(zlib.crc32(bytes(range(256)) * 20_000))").strip()


def test_an_upload_cancelled_in_the_widget_says_what_stays(
    lab: Lab, tmp_path: Path, fault: Callable[[str], None]
) -> None:
    fault("bandwidth:200000")
    (tmp_path / "large.txt").write_bytes(b"x" * 6_000_000)
    shown = uploader(lab, "uploader-cancelled")
    shown.locator("input[data-dnb=files]").set_input_files([tmp_path / "large.txt"])
    expect(shown.locator("tbody tr", has_text="Ready")).to_have_count(1, timeout=END_MS)
    shown.get_by_role("button", name="Upload", exact=True).click()
    panel = job_panel(lab)
    expect(panel.locator("code").first).to_be_visible()  # the session is open
    stop(panel)
    expect_tone(panel, "warn")

    expect(panel).to_contain_text("Not finished")
    assert lab.run("print(uploader.job.receipt['status'].tolist())").strip() == "['cancelled']"
    assert "large.txt" not in listed(lab)


def test_the_browser_follows_redirects_and_a_busy_bucket_is_asked_again(
    lab: Lab, tmp_path: Path, fault: Callable[[str], None]
) -> None:
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text("x" * 1000)
    shown = uploader(lab, "direct-troubles")
    choose(shown, *tmp_path.glob("*.txt"))
    for spec in ("slow_down:3", "redirect:2", "policy_expired:1"):
        fault(spec)
    upload(shown)
    expect_tone(job_panel(lab), "ok")

    expect(lab.page.locator(".dnb-lane")).to_have_text("Straight from this browser to the bucket.")
    assert lab.run("print(uploader.receipt['status'].tolist())").strip() == "['ok', 'ok', 'ok']"
    assert {"0.txt", "1.txt", "2.txt"} <= set(listed(lab))


def test_what_the_bucket_refuses_is_refused_in_the_kernels_words(
    lab: Lab, tmp_path: Path, fault: Callable[[str], None]
) -> None:
    (tmp_path / "small.txt").write_text("x" * 100)
    (tmp_path / "large.txt").write_text("x" * 5000)
    shown = uploader(lab, "direct-refused")
    choose(shown, tmp_path / "small.txt", tmp_path / "large.txt")
    fault("too_large:1000")
    upload(shown)
    panel = job_panel(lab)
    expect_tone(panel, "fail")

    expect(panel).to_contain_text("EntityTooLarge")
    expect(panel).to_contain_text("split the file")
    assert lab.run("print(dict(uploader.receipt[['name', 'status']].values))").strip() in (
        "{'small.txt': 'ok', 'large.txt': 'failed'}",
        "{'large.txt': 'failed', 'small.txt': 'ok'}",
    )


def test_the_form_of_the_direct_lane_is_in_no_saved_notebook(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("1")
    path = lab.open([join("direct-saved"), "uploader = ws.uploader()\nuploader", "uploader.job, uploader.receipt"])
    lab.run_all()
    shown = card(lab, "Upload files")
    choose(shown, tmp_path / "one.txt")
    upload(shown)
    expect_tone(job_panel(lab), "ok")
    secrets = form_of(lab)
    lab.command("@jupyter-widgets/jupyterlab-manager:saveWidgetState")
    try:
        lab.save()
    finally:
        lab.command("@jupyter-widgets/jupyterlab-manager:saveWidgetState")
    saved = path.read_text()

    assert '"lanes"' in saved  # the widget's state is in it
    assert all(len(secret) > 60 for secret in secrets)
    assert [secret for secret in secrets if secret in saved] == []
    held = lab.run("print(repr((uploader.get_state(), vars(uploader), vars(uploader._courier))))")
    assert [secret for secret in secrets if secret in held] == []
    page = lab.evaluate(
        """() => [document.documentElement.outerHTML, ...Object.values(localStorage), ...Object.values(sessionStorage)]
            .join()"""
    )
    assert [secret for secret in secrets if secret in page] == []


def test_a_page_reloaded_while_it_sends_says_which_files_to_choose_again(
    lab: Lab, tmp_path: Path, fault: Callable[[str], None]
) -> None:
    (tmp_path / "quick.txt").write_text("x" * 100)
    for number in range(2):
        (tmp_path / f"slow-{number}.txt").write_bytes(b"x" * 16_000_000)  # more than lies in sockets
    path = lab.open([join("reloaded"), "uploader = ws.uploader()\nuploader"])
    lab.run_all()
    shown = card(lab, "Upload files")
    choose(shown, *sorted(tmp_path.glob("*.txt")))
    fault("bandwidth:300000")
    upload(shown)
    expect(job_panel(lab)).to_contain_text("1 of 3 files", timeout=END_MS)
    lab.save()
    lab.page.once("dialog", lambda dialog: dialog.accept())  # it warns before it is left
    lab.start()
    lab.open_again(path)
    panel = job_panel(lab)
    expect_tone(panel, "fail")

    expect(panel).to_contain_text("2 of 3 files did not make it")
    expect(panel).to_contain_text("The page that held this file was reloaded or closed")
    expect(panel).to_contain_text("Choose it again")
    assert lab.run("print(sorted(uploader.receipt['status']))").strip() == "['failed', 'failed', 'ok']"


def test_a_websocket_that_drops_loses_nothing(lab: Lab, tmp_path: Path) -> None:
    content = bytes(range(256)) * 131_072  # 32 MiB
    (tmp_path / "large.bin").write_bytes(content)
    shown = uploader(lab, "dropped-socket", "kernel")
    lab.evaluate(
        """() => {
            const socket = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel._ws;
            const send = socket.send.bind(socket);
            let pieces = 0;
            socket.send = (message) => {
                if (message.byteLength > 1e6) pieces += 1;
                if (pieces < 3) return send(message);
                window.wasCut = true;
                socket.close();
            };
        }"""
    )
    shown.locator("input[data-dnb=files]").set_input_files([tmp_path / "large.bin"])
    expect(shown.locator("tbody tr", has_text="Ready")).to_have_count(1, timeout=END_MS)

    assert lab.evaluate("() => window.wasCut") is True
    digest = lab.run("import zlib; print(zlib.crc32(uploader.files[0].path.read_bytes()))").strip()
    assert digest == str(zlib.crc32(content))


def test_hazards_and_metadata_are_settled_before_the_upload(lab: Lab, tmp_path: Path) -> None:
    for name in ("a.txt", "old/a.txt", "b[1].txt"):
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / name).write_text(name)
    (tmp_path / "folder" / "empty.txt").touch()
    (tmp_path / "folder" / "lost.txt.meta.json").write_text("{}")
    shown = uploader(lab, "hazards")
    shown.locator("input[data-dnb=folder]").set_input_files(tmp_path / "folder")
    expect(shown).to_contain_text("the platform refuses empty files", timeout=END_MS)
    for words in ("both go up as 'a.txt'", "Goes up as 'b_1_.txt'", "there is no 'lost.txt' beside it"):
        expect(shown).to_contain_text(words)
    shown.get_by_role("button", name="Leave them out").click()
    expect(shown).not_to_contain_text("the platform refuses empty files")

    shown.get_by_role("button", name="Metadata of all files").click()
    editor = shown.get_by_label("Metadata of all files")
    expect(editor.last).to_be_focused()
    lab.page.keyboard.type('{"topic": "news",\n "id": 7}')
    expect(shown).to_contain_text("Line 2, column 2 The metadata key 'id' is reserved by the platform.")
    expect(shown.get_by_role("button", name="Upload", exact=True)).to_have_attribute("aria-disabled", "true")
    for _ in ',\n "id": 7}':
        lab.page.keyboard.press("Backspace")
    lab.page.keyboard.type("}")
    upload(shown)
    expect_tone(job_panel(lab), "ok")

    found = lab.run("print({row.name: row.meta for row in ws.list_files().itertuples()})").strip()
    assert found.count("{'topic': 'news'}") == 2
    assert "'b_1_.txt'" in found
    assert "meta={" in lab.run("print(uploader.code)")


def test_the_keyboard_reaches_the_browsers_own_dialog(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("1")
    shown = uploader(lab, "dialog")
    button = shown.get_by_role("button", name="Choose files")
    with lab.page.expect_file_chooser() as chooser:
        button.focus()  # meanwhile the browser hears that it is not to open a window of its own
        button.press("Enter")
    chooser.value.set_files(tmp_path / "one.txt")
    expect(shown.locator("tbody tr", has_text="Ready")).to_have_count(1, timeout=END_MS)


def test_a_page_of_another_place_gets_nothing_from_the_platform_or_its_bucket(
    lab: Lab, sandbox: Connection, jupyter: JupyterServer
) -> None:
    bucket = sandbox.api_url.removesuffix("api/v1") + f"bucket/{BUCKET}/"
    foreign = lab.page.context.new_page()
    try:
        foreign.goto(jupyter.url.replace("127.0.0.1", "localhost") + "/login", wait_until="domcontentloaded")
        asked = """async ([url, options]) => {
            try { const said = await fetch(url, options); return `${said.status} ${await said.text()}`; }
            catch { return "blocked"; }
        }"""
        key = {"headers": {"Authorization": f"Bearer {sandbox.api_key}"}}
        assert foreign.evaluate(asked, [f"{sandbox.api_url}/workspaces", {}]) == "blocked"
        assert foreign.evaluate(asked, [f"{sandbox.api_url}/workspaces", key]) == "blocked"
        assert "405" in foreign.evaluate(asked, [bucket, {}])  # no listing, no object
        said = foreign.evaluate(
            """async (url) => {
                const form = new FormData();
                form.append("key", "a/b/c/${filename}");
                form.append("file", new Blob(["x"]), "x.txt");
                const said = await fetch(url, { method: "POST", body: form });
                return `${said.status} ${await said.text()}`;
            }""",
            bucket,
        )
        assert said.startswith("403")
        assert sandbox.api_key not in said
    finally:
        foreign.close()
