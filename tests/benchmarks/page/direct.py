"""A file from the page to the bucket: our uploader's direct lane, and a form posted by hand."""

from __future__ import annotations

import inspect
from pathlib import Path

import deepset_nb as dn
from tests.benchmarks.our_side import NotAvailable
from tests.benchmarks.page.kernel_lane import FILE_INPUT, LIMIT_S, ROOM
from tests.benchmarks.page.lab import Lab
from tests.benchmarks.page.watching import Watched
from tests.benchmarks.processes import Failed, Measured

SHOW = 'uploader = ws.uploader(lane="direct")\nuploader'
UPLOAD = "document.querySelector('.jp-OutputArea .dnb-primary[aria-disabled=false]')"
BEGIN = f"""() => {{
    performance.clearResourceTimings();
    window.benchBegan = performance.now();
    {UPLOAD}.click();
}}"""
# The browser's own clock of the page's last request to the bucket; the one before it may have asked if it answers.
LAST_POST = """(origin) => {
    const posts = performance.getEntriesByType("resource").filter(({ name }) => name.startsWith(origin));
    const last = posts.at(-1);
    return last && { wall: (last.responseEnd - window.benchBegan) / 1000, post: last.duration / 1000 };
}"""
JOB = """
uploader.job.wait({limit})
receipt = uploader.job.receipt
print(json.dumps([*receipt["status"], *receipt["size"].astype(int)]))
"""
FORM = """
import httpx, json, os
told = json.loads(os.environ["DEEPSET_NB_SANDBOX"])
api = httpx.Client(headers={"Authorization": f"Bearer {told['api_key']}"}, trust_env=False)
sessions = f"{told['api_url']}/workspaces/{told['workspace']}/upload_sessions"
session = api.post(sessions, json={}).raise_for_status().json()
print(json.dumps(session["aws_prefixed_request_config"]))
"""
CLOSE = "api.put(f\"{sessions}/{session['session_id']}\", json={'status': 'CLOSED'}).raise_for_status()"
ADD_INPUT = "document.body.insertAdjacentHTML('beforeend', '<input type=file id=bench-file>')"
POST = """({ url, fields }) => new Promise((done, failed) => {
    const began = performance.now();
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", document.querySelector("#bench-file").files[0]);
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.onload = () => done([request.status, (performance.now() - began) / 1000]);
    request.onerror = () => failed(new Error("the bucket could not be reached"));
    request.send(form);
})"""


def uploader(lab: Lab, file: Path) -> Measured:
    """Our uploader, from the click on Upload until the bucket has answered, so with opening a session and probing."""
    if "lane" not in inspect.signature(dn.Workspace.uploader).parameters:
        raise NotAvailable("ws.uploader has no direct lane")
    with lab.notebook([ROOM, SHOW]):
        lab.run(0)
        lab.run(1)
        lab.page.until(FILE_INPUT)
        lab.page.choose(FILE_INPUT, [file])
        lab.page.until(UPLOAD)
        kernel = int(lab.ask("import json, os; print(os.getpid())"))
        origin = lab.ask("print(json.dumps(ws.settings.api_url.partition('/api')[0]))")
        with Watched(kernel=kernel, server=lab.server.pid) as watched:
            lab.page.call(BEGIN)
            lab.page.until("document.querySelector('.jp-OutputArea .dnb-job')")
            outcome = lab.ask(JOB.format(limit=LIMIT_S), LIMIT_S)
            figures = watched.figures()
        if outcome != ["ok", file.stat().st_size]:
            raise Failed(f"the upload ended {outcome}")
        if not (measured := lab.page.call(LAST_POST, origin)):
            raise Failed("the page posted nothing to the bucket")
    return measured | figures


def plain_form(lab: Lab, file: Path) -> Measured:
    """An XMLHttpRequest with the form and the file, in the same page, until the bucket has answered."""
    with lab.notebook([]):
        form = lab.ask(FORM)
        lab.page.evaluate(ADD_INPUT)
        lab.page.choose("document.querySelector('#bench-file')", [file])
        status, seconds = lab.page.call(POST, form, limit_s=LIMIT_S)
        lab.ask(CLOSE)
    if status not in (200, 201, 204):
        raise Failed(f"the bucket answered {status} to the plain form")
    return {"wall": seconds}
