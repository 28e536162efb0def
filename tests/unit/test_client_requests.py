"""How requests are made: headers, the key, quoting, attempts."""

from __future__ import annotations

import asyncio
import json
import time
from uuid import UUID, uuid4

import httpx
import pytest
import stamina
from stamina import instrumentation

from deepset_nb import errors
from deepset_nb.client import AsyncClient
from deepset_nb.client.network import proxy_for, ssl_context
from deepset_nb.client.retries import retry_after
from deepset_nb.settings import resolve

SETTINGS = resolve("w", api_key="api_secret-key", api_url="https://platform.example")
SESSION = UUID(int=7)
STATUS = {"session_id": str(SESSION), "expires_at": None, "documentation_url": "", "ingestion_status": {}}
OPENED = {
    "session_id": str(SESSION),
    "documentation_url": "",
    "expires_at": "2030-01-01T00:00:00Z",
    "aws_prefixed_request_config": {"url": "https://bucket.example/", "fields": {"key": "a/${filename}"}},
}
TRANSIENT = [408, 425, 429, 500, 502, 503, 504]


@pytest.fixture(autouse=True)
def without_waiting():
    """Retries happen at once."""
    with stamina.set_testing(True, attempts=5, cap=True):
        yield


class Platform:
    """Answers with what it is given, in order; then with ``last``."""

    def __init__(self, *answers: httpx.Response | Exception, last: httpx.Response | None = None) -> None:
        self.answers = list(answers)
        self.last = last or httpx.Response(200, json=STATUS)
        self.requests: list[httpx.Request] = []
        self.asked = asyncio.Event()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.asked.set()
        await request.aread()
        answer = self.answers.pop(0) if self.answers else self.last
        if isinstance(answer, Exception):
            raise answer
        return answer


def ask(platform: Platform, call, settings=SETTINGS):
    async def run():
        async with AsyncClient(settings, transport=httpx.MockTransport(platform)) as client:
            return await call(client)

    return asyncio.run(run())


def get_status(client):
    return client.upload_sessions.status("w", SESSION)


def create(client):
    return client.upload_sessions.create("w")


def close(client):
    return client.upload_sessions.close("w", SESSION)


def upload(client):
    return client.files.upload("w", "a.txt", b"text")


def test_requests_say_who_asks():
    platform = Platform()

    ask(platform, get_status)

    headers = platform.requests[0].headers
    assert headers["accept"] == "application/json"
    assert headers["x-client-source"] == "deepset_nb"
    assert headers["user-agent"].startswith("deepset-nb/")
    assert headers["authorization"] == "Bearer api_secret-key"


@pytest.mark.parametrize(
    "location", ["https://evil.example/api/v1/me", "http://platform.example/api/v1/me", "/elsewhere"]
)
def test_a_redirect_is_not_followed_so_the_key_stays_here(location):
    platform = Platform(httpx.Response(307, headers={"Location": location}))

    with pytest.raises(errors.ApiError, match="points elsewhere"):
        ask(platform, get_status)

    assert [request.url.host for request in platform.requests] == ["platform.example"]


@pytest.mark.parametrize(
    "url", ["https://other.example/x", "http://platform.example/x", "https://platform.example:444/x"]
)
def test_the_key_goes_to_no_other_address(url):
    platform = Platform()

    async def go_astray(client):
        await client._http.get(url)

    ask(platform, go_astray)

    assert "authorization" not in platform.requests[0].headers


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("plain", b"plain"),
        ("a/b ü", b"a%2Fb%20%C3%BC"),
        ("100%41?x#y", b"100%2541%3Fx%23y"),
        ("..", b"%2E%2E"),
        (".", b"%2E"),
        ("a..b", b"a..b"),
    ],
)
def test_workspace_names_are_quoted(name, path):
    platform = Platform()

    ask(platform, lambda client: client.upload_sessions.status(name, SESSION))

    assert platform.requests[0].url.raw_path == b"/api/v1/workspaces/%s/upload_sessions/%s" % (
        path,
        str(SESSION).encode(),
    )


def test_an_empty_workspace_name_is_refused_before_anything_is_sent():
    platform = Platform()

    with pytest.raises(errors.SettingsError, match="empty"):
        ask(platform, lambda client: client.upload_sessions.create(""))

    assert platform.requests == []


@pytest.mark.parametrize("session_id", ["", "../files", "123", 7, None])
def test_what_is_no_session_id_is_refused_before_anything_is_sent(session_id):
    platform = Platform()

    with pytest.raises(errors.InvalidSessionId):
        ask(platform, lambda client: client.upload_sessions.close("w", session_id))

    assert platform.requests == []


@pytest.mark.parametrize("status", TRANSIENT)
def test_reading_is_tried_again_after_a_transient_status(status):
    platform = Platform(httpx.Response(status), httpx.Response(status))

    assert ask(platform, get_status).session_id == SESSION
    assert len(platform.requests) == 3


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x")],
)
def test_reading_is_tried_again_after_a_broken_connection(error):
    platform = Platform(error)

    assert ask(platform, get_status).session_id == SESSION


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 501, 591])
def test_what_is_permanent_is_asked_once(status):
    platform = Platform(last=httpx.Response(status))

    with pytest.raises(errors.ApiError):
        ask(platform, get_status)

    same = [request for request in platform.requests if "upload_sessions" in request.url.path]
    assert len(same) == 1


@pytest.mark.parametrize(
    "error", [httpx.UnsupportedProtocol("x"), httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] bad")]
)
def test_a_connection_that_cannot_work_is_tried_once(error):
    platform = Platform(error)

    with pytest.raises(errors.ConnectionFailed):
        ask(platform, get_status)

    assert len(platform.requests) == 1


def test_attempts_are_bounded_and_the_last_error_is_shown():
    platform = Platform(last=httpx.Response(503, text="busy"))

    with pytest.raises(errors.ServerError, match="busy") as caught:
        ask(platform, get_status)

    assert len(platform.requests) == 5
    assert caught.value.__suppress_context__


def test_the_wait_a_server_asks_for_is_obeyed():
    platform = Platform(httpx.Response(429, headers={"Retry-After": "1"}))
    began = time.monotonic()

    with stamina.set_testing(False):
        ask(platform, get_status)

    assert time.monotonic() - began > 0.9


def test_a_server_that_asks_for_an_hour_is_not_waited_for():
    platform = Platform(httpx.Response(429, headers={"Retry-After": "3600"}))

    with pytest.raises(errors.TooManyRequests, match="in 3600 s"):
        ask(platform, get_status)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0", 0.0), ("17", 17.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("soon", None), ("-1", None), ("", None)],
)
def test_retry_after_is_read_in_both_its_forms(value, seconds):
    assert retry_after(httpx.Response(503, headers={"Retry-After": value})) == seconds


@pytest.mark.parametrize("call", [create, upload])
@pytest.mark.parametrize("failure", [httpx.ConnectError("x"), httpx.ConnectTimeout("x")])
def test_making_something_is_tried_again_if_nobody_was_reached(call, failure):
    platform = Platform(failure, last=httpx.Response(201, json={**OPENED, "file_id": str(uuid4())}))

    ask(platform, call)

    assert len(platform.requests) == 2


@pytest.mark.parametrize("call", [create, upload])
@pytest.mark.parametrize("status", [429, 503])
def test_making_something_is_tried_again_if_the_server_names_the_wait(call, status):
    wait = httpx.Response(status, headers={"Retry-After": "1"})
    platform = Platform(wait, last=httpx.Response(201, json={**OPENED, "file_id": str(uuid4())}))

    ask(platform, call)

    assert len(platform.requests) == 2


@pytest.mark.parametrize("call", [create, upload])
@pytest.mark.parametrize(
    "failure",
    [httpx.ReadTimeout("x"), httpx.ReadError("x"), httpx.Response(500), httpx.Response(502), httpx.Response(503)],
)
def test_making_something_is_tried_once_if_it_may_have_been_made(call, failure):
    platform = Platform(failure)

    with pytest.raises(errors.DeepsetError):
        ask(platform, call)

    assert len(platform.requests) == 1


@pytest.mark.parametrize(
    "failure", [httpx.ConnectError("x"), httpx.ReadTimeout("x"), httpx.Response(500), httpx.Response(502)]
)
def test_closing_is_tried_again(failure):
    platform = Platform(failure, last=httpx.Response(204))

    ask(platform, close)

    assert [json.loads(request.content) for request in platform.requests] == [{"status": "CLOSED"}] * 2


def test_a_session_closed_by_an_attempt_whose_answer_was_lost_counts_as_closed():
    platform = Platform(httpx.ReadTimeout("x"), httpx.Response(409))

    ask(platform, close)

    assert len(platform.requests) == 2


def test_a_session_closed_before_is_a_conflict():
    with pytest.raises(errors.Conflict, match="closed already"):
        ask(Platform(httpx.Response(409)), close)


def test_our_retries_leave_the_cell_quiet_and_those_of_others_alone(capfd, caplog):
    ask(Platform(httpx.Response(503)), get_status)
    assert "retry_scheduled" not in "".join(capfd.readouterr()) + caplog.text

    told = []
    hooks = instrumentation.get_on_retry_hooks()
    instrumentation.set_on_retry_hooks([*hooks, told.append])
    try:
        for attempt in stamina.retry_context(on=ValueError, attempts=2):
            with attempt:
                if attempt.num == 1:
                    raise ValueError
    finally:
        instrumentation.set_on_retry_hooks(hooks)

    assert len(told) == 1


def test_cancelling_during_a_wait_ends_at_once():
    platform = Platform(last=httpx.Response(503, headers={"Retry-After": "50"}))

    async def cancelled(client):
        task = asyncio.ensure_future(get_status(client))
        await platform.asked.wait()
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    began = time.monotonic()
    with stamina.set_testing(False):
        ask(platform, cancelled)

    assert time.monotonic() - began < 20
    assert len(platform.requests) == 1


def test_the_tls_context_is_made_once():
    assert ssl_context() is ssl_context()


def test_a_proxy_is_used_for_other_machines_only(monkeypatch):
    for name in ("no_proxy", "NO_PROXY", "https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "proxy.example:3128")
    monkeypatch.setenv("no_proxy", "inside.example")

    assert proxy_for(httpx.URL("https://bucket.example/")) == "http://proxy.example:3128"
    assert proxy_for(httpx.URL("https://inside.example/")) is None
    assert proxy_for(httpx.URL("https://127.0.0.1:9/")) is None
    assert proxy_for(httpx.URL("http://bucket.example/")) is None
