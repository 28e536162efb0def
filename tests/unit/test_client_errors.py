"""What an answer of the platform becomes."""

from __future__ import annotations

import asyncio
import json
from uuid import UUID, uuid4

import httpx
import pytest
import stamina

from deepset_nb import errors
from deepset_nb.client import AsyncClient
from deepset_nb.client.details import details_of
from deepset_nb.settings import resolve

SETTINGS = resolve("w", api_key="api_secret-key", api_url="https://platform.example")
SESSION = UUID(int=7)

PROXY_PAGE = """<!DOCTYPE html><html><head><title>502 Bad Gateway</title><style>b{color:red}</style></head>
<body><script>alert(1)</script><h1>Oops</h1><p>nginx</p></body></html>"""


@pytest.fixture(autouse=True)
def without_waiting():
    """Retries happen at once."""
    with stamina.set_testing(True, attempts=5, cap=True):
        yield


def client_for(answer: httpx.Response | Exception, settings=SETTINGS, workspaces=("w",)) -> AsyncClient:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/workspaces"):
            return httpx.Response(200, json=[{"name": name, "workspace_id": str(uuid4())} for name in workspaces])
        if isinstance(answer, Exception):
            raise answer
        return answer

    return AsyncClient(settings, transport=httpx.MockTransport(handle))


def status_error(answer: httpx.Response | Exception, settings=SETTINGS) -> errors.DeepsetError:
    async def ask() -> None:
        async with client_for(answer, settings) as client:
            await client.upload_sessions.status("w", SESSION)

    with pytest.raises(errors.DeepsetError) as caught:
        asyncio.run(ask())
    return caught.value


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"errors": ["First.", "Second."]}, "First.; Second."),
        ({"errors": ["Plain", {"msg": "too long", "type": "value_error", "loc": ["body", "name"]}]}, "name: too long"),
        ({"details": [{"code": "E1", "message": "Pipeline is broken"}]}, "Pipeline is broken"),
        ({"detail": [{"loc": ["query", "limit"], "msg": "at most 100", "type": "x"}]}, "limit: at most 100"),
        ({"detail": [{"loc": ["body", "fields", 0], "msg": "bad", "input": "hunter2"}]}, "fields.0: bad"),
        ({"detail": "Not authenticated"}, "Not authenticated"),
        ({"message": "Forbidden"}, "Forbidden"),
        ("just a text", "just a text"),
    ],
)
def test_the_words_of_every_json_shape_are_found(body, text):
    found = details_of(httpx.Response(400, json=body))

    assert text in found
    assert "hunter2" not in found


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("upstream timed out\n", "upstream timed out"),
        (PROXY_PAGE, "502 Bad Gateway"),
        ("<html><body><h1>Sign in</h1> to the <b>hotel</b></body></html>", "Sign in to the hotel"),
        ("{broken json", "{broken json"),
        ("", ""),
        (b"\xff\xfe\x00", None),
    ],
)
def test_other_bodies_give_their_text_and_never_a_page_of_html(content, text):
    found = details_of(httpx.Response(502, content=content))

    assert text is None or found == text
    assert "<" not in found


@pytest.mark.parametrize("body", [{"errors": ["x" * 9_000]}, {"errors": [f"e{i}" for i in range(9_000)]}, "y" * 9_000])
def test_long_texts_are_cut(body):
    assert len(details_of(httpx.Response(400, json=body))) <= 500


def test_nested_or_odd_json_does_not_break_the_error():
    for body in ({"errors": {"a": 1}}, [], [1, None], {"detail": None}, {"errors": [[["deep"]]]}, 7):
        assert isinstance(details_of(httpx.Response(400, content=json.dumps(body))), str)


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (400, errors.Unprocessable, "did not accept"),
        (401, errors.Unauthorized, "platform.example does not know this API key"),
        (403, errors.Forbidden, "administrator"),
        (404, errors.SessionNotFound, f"no upload session {SESSION}"),
        (409, errors.Conflict, "closed already"),
        (413, errors.TooLarge, "200 MB"),
        (415, errors.Unprocessable, "did not accept"),
        (418, errors.ApiError, "refused"),
        (422, errors.Unprocessable, "did not accept"),
        (429, errors.TooManyRequests, "slow down"),
        (500, errors.ServerError, "not your doing"),
        (502, errors.ServerError, "not your doing"),
        (591, errors.ServerError, "not your doing"),
        (302, errors.ApiError, "check it"),
    ],
)
def test_each_status_has_its_error(status, kind, says):
    error = status_error(httpx.Response(status, json={"errors": ["The platform's words."]}))

    assert type(error) is kind
    assert error.status == status
    assert error.details == "The platform's words."
    assert says in str(error)
    assert str(status) in str(error)


@pytest.mark.parametrize("status", [400, 401, 403, 409, 422, 500])
def test_the_platforms_own_words_are_in_the_message(status):
    error = status_error(httpx.Response(status, json={"detail": [{"loc": ["body", "x"], "msg": "is wrong"}]}))

    assert "x: is wrong" in str(error)
    assert error.remedy


@pytest.mark.parametrize(
    ("region", "other"), [("eu", "api.us.deepset.ai, use region='us'"), ("us", "api.cloud.deepset.ai, use region='eu'")]
)
def test_a_key_refused_in_one_region_may_be_of_the_other(region, other):
    settings = resolve("w", api_key="k", region=region)

    assert other in str(status_error(httpx.Response(401), settings))


def test_a_key_refused_elsewhere_is_no_matter_of_regions():
    error = status_error(httpx.Response(401))

    assert "region" not in str(error)
    assert SETTINGS.source in error.remedy


@pytest.mark.parametrize("value", ["7", "Wed, 21 Oct 2099 07:28:00 GMT", "soon"])
def test_any_retry_after_is_survived(value):
    error = status_error(httpx.Response(429, headers={"Retry-After": value}))

    assert isinstance(error, errors.TooManyRequests)


def test_an_echoed_key_is_not_repeated():
    error = status_error(httpx.Response(400, json={"errors": ["bad header: Bearer api_secret-key"]}))

    assert "api_secret-key" not in f"{error} {error.details} {error.remedy}"


def not_found(call, workspaces) -> errors.NotFound:
    async def ask() -> None:
        async with client_for(httpx.Response(404, json={"detail": "Not Found"}), workspaces=workspaces) as client:
            await call(client)

    with pytest.raises(errors.NotFound) as caught:
        asyncio.run(ask())
    return caught.value


async def first_page_of_files(client: AsyncClient) -> None:
    async for _ in client.files.list("my-workspce"):
        break


async def download(client: AsyncClient) -> None:
    async for _ in client.files.download("my-workspce", SESSION):
        break


WORKSPACE_CALLS = [
    lambda client: client.workspaces.get("my-workspce"),
    lambda client: client.upload_sessions.create("my-workspce"),
    lambda client: client.upload_sessions.status("my-workspce", SESSION),
    lambda client: client.upload_sessions.close("my-workspce", SESSION),
    lambda client: client.files.upload("my-workspce", "a.txt", b"x"),
    lambda client: client.files.meta("my-workspce", SESSION),
    first_page_of_files,
    download,
]


@pytest.mark.parametrize("call", WORKSPACE_CALLS)
def test_a_misspelt_workspace_is_told_with_names_like_it(call):
    error = not_found(call, ["My-Workspace", "another"])

    assert type(error) is errors.WorkspaceNotFound
    assert "Did you mean 'My-Workspace'?" in str(error)


def test_a_workspace_like_no_other_gets_no_suggestion():
    error = not_found(WORKSPACE_CALLS[0], ["entirely different"])

    assert "Did you mean" not in str(error)
    assert "workspaces()" in error.remedy


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda client: client.upload_sessions.status("w", SESSION), errors.SessionNotFound),
        (lambda client: client.upload_sessions.close("w", SESSION), errors.SessionNotFound),
        (lambda client: client.files.meta("w", SESSION), errors.FileNotFound),
        (lambda client: client.upload_sessions.create("w"), errors.WorkspaceNotFound),
    ],
)
def test_in_a_workspace_that_is_there_the_thing_itself_is_missing(call, kind):
    assert type(not_found(call, ["w"])) is kind


def test_without_a_list_of_workspaces_the_error_stays_what_it_is():
    async def ask() -> None:
        refuse_all = httpx.MockTransport(lambda request: httpx.Response(404))
        async with AsyncClient(SETTINGS, transport=refuse_all) as client:
            await client.workspaces.get("w")

    with pytest.raises(errors.WorkspaceNotFound, match="no workspace 'w'"):
        asyncio.run(ask())


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("[Errno -2] Name or service not known"),
        httpx.ConnectTimeout(""),
        httpx.ReadTimeout(""),
        httpx.WriteTimeout(""),
        httpx.ReadError(""),
        httpx.RemoteProtocolError("Server disconnected without sending a response."),
        httpx.ProxyError("407 Proxy Authentication Required"),
        httpx.UnsupportedProtocol("no"),
        httpx.DecodingError("bad gzip"),
    ],
)
def test_every_broken_connection_names_the_host_and_a_remedy(error):
    failed = status_error(error)

    assert type(failed) is errors.ConnectionFailed
    assert "platform.example" in failed.message
    assert "API_URL" in failed.remedy
    assert failed.__suppress_context__


def test_a_certificate_nobody_knows_has_a_remedy_of_its_own():
    failed = status_error(httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate"))

    assert "SSL_CERT_FILE" in failed.remedy


@pytest.mark.parametrize("content", [b"<html>Welcome to our hotel</html>", b"[]", b'{"session_id": "no uuid"}', b""])
def test_a_good_status_with_a_strange_body_is_an_error(content):
    error = status_error(httpx.Response(200, content=content))

    assert type(error) is errors.ApiError
    assert "not as the platform does" in str(error)
