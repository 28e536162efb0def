"""The client itself: one request, its retries, and what becomes of the answer."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType
from typing import Any

import httpx

from .._version import __version__
from ..errors import ApiError, ConnectionFailed, DeepsetError
from ..models import AWSPrefixedRequestConfig
from ..settings import Settings, is_loopback
from . import retries
from .auth import BearerAuth
from .bucket import Bucket
from .files import Files
from .network import TIMEOUT, connection_failed, ssl_context, usable_proxy
from .responses import Asked, error_of, workspace_not_found
from .retries import Again, Worth, retrying
from .upload_sessions import UploadSessions
from .workspaces import Workspaces

KEEP_ALIVE_S = 5.0  # of an idle connection
CONNECTIONS = 20  # httpx's pool slows down above some 30 (its work grows with connections times waiting requests)

HEADERS = {
    "Accept": "application/json",
    "User-Agent": f"deepset-nb/{__version__}",
    "X-Client-Source": "deepset_nb",
}
# A compressed body has another length than the file, and its ranges are not the file's.
_AS_IT_IS = {"Accept": "*/*", "Accept-Encoding": "identity"}


class AsyncClient:
    """The platform's API, for those who ``await``.

    Example:
        async with AsyncClient(settings) as client:
            me = await client.workspaces.me()

    Args:
        settings: Whose key, which platform.
        transport: Takes the place of the network, for tests.
        keep_alive_s: Seconds for which an idle connection is kept open.

    Attributes:
        workspaces: Who am I, which workspaces are there.
        upload_sessions: Open, list, look at and close upload sessions.
        files: List, send directly, and fetch files.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        keep_alive_s: float = KEEP_ALIVE_S,
    ) -> None:
        """Prepare; nothing is sent yet."""
        self.settings = settings
        self._transport = transport
        with usable_proxy():
            self._http = httpx.AsyncClient(
                auth=BearerAuth(settings),
                headers=HEADERS,
                timeout=TIMEOUT,
                transport=transport,
                verify=ssl_context(),
                limits=httpx.Limits(
                    max_connections=CONNECTIONS,
                    max_keepalive_connections=CONNECTIONS,
                    keepalive_expiry=keep_alive_s,
                ),
                # A proxy cannot reach the sandbox of this machine.
                trust_env=not is_loopback(httpx.URL(settings.api_url).host),
            )
        self.workspaces = Workspaces(self)
        self.upload_sessions = UploadSessions(self)
        self.files = Files(self)

    def __repr__(self) -> str:
        return f"<AsyncClient of {self.settings.host}>"

    async def __aenter__(self) -> AsyncClient:
        """Ready to be used."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all connections."""
        await self._http.aclose()

    def bucket(self, form: AWSPrefixedRequestConfig, *, connections: int | None = None) -> Bucket:
        """The bucket of an upload session, a context manager.

        Args:
            form: From the answer to opening the session.
            connections: How many objects may be on their way at a time, 1 in safe mode. None: as many as turns out to
                be good for this host, together with everybody else who posts to it.
        """
        return Bucket(form, connections=connections, transport=self._transport)

    async def request(
        self,
        method: str,
        path: str,
        asked: Asked,
        *,
        worth: Worth = retries.NEVER,
        prepare: Callable[[], contextlib.AbstractContextManager[dict[str, Any]]] | None = None,
        on_retry: Callable[[DeepsetError], None] | None = None,
        **options: Any,
    ) -> httpx.Response:
        """Send a request until it is answered, or is not worth another attempt.

        Args:
            method: HTTP method.
            path: Below the API's URL, quoted.
            asked: What it is about, for the words of an error.
            worth: Which failures are worth another attempt.
            prepare: Opens further options for each attempt, such as a body that can be sent only once.
            on_retry: Told why, each time another attempt is made.
            options: What httpx takes: ``params``, ``json``, ``headers``, ``timeout``.

        Returns:
            The answer, read, with a status below 300.

        Raises:
            ApiError: The platform answered with an error.
            ConnectionFailed: Nobody answered.
        """

        async def attempt() -> httpx.Response:
            with prepare() if prepare else contextlib.nullcontext({}) as prepared:
                request = self._http.build_request(method, self._url(path), **options, **prepared)
                response = await self._send(request, path, worth)
                await self._raise_error(response, asked, worth)
                return response

        return await retrying(attempt, on_retry=on_retry)

    @contextlib.asynccontextmanager
    async def stream(
        self, path: str, asked: Asked, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[httpx.Response]:
        """GET an answer whose body is read by the caller, piece by piece.

        Raises:
            ApiError: The platform answered with an error.
            ConnectionFailed: Nobody answered, or the connection broke while reading.
        """

        async def attempt() -> httpx.Response:
            request = self._http.build_request("GET", self._url(path), headers=_AS_IT_IS | dict(headers or {}))
            response = await self._send(request, path, retries.REPEATABLE, stream=True)
            try:
                await self._raise_error(response, asked, retries.REPEATABLE)
            except BaseException:
                await response.aclose()
                raise
            return response

        response = await retrying(attempt)
        try:
            yield response
        except httpx.HTTPError as error:
            raise connection_failed(error, self.settings.host, f"GET {path}") from None
        finally:
            await response.aclose()

    def _url(self, path: str) -> str:
        return f"{self.settings.api_url}{path}"

    async def _send(self, request: httpx.Request, path: str, worth: Worth, *, stream: bool = False) -> httpx.Response:
        try:
            return await self._http.send(request, stream=stream)
        except httpx.HTTPError as error:
            failed = connection_failed(error, self.settings.host, f"{request.method} {path}")
            if worth.after_error(error):
                raise Again(failed) from None
            raise failed from None

    async def _raise_error(self, response: httpx.Response, asked: Asked, worth: Worth) -> None:
        if response.is_success:
            return
        try:
            await response.aread()
        except httpx.HTTPError:
            response = httpx.Response(response.status_code, headers=_without_body(response.headers))
        error = error_of(response, self.settings, asked)
        if worth.after_answer(response):
            raise Again(error, retries.retry_after(response))
        if error.status == 404 and asked.workspace:
            error = await self._what_is_missing(error, asked.workspace)
        raise error

    async def _what_is_missing(self, error: ApiError, workspace: str) -> ApiError:
        # A 404 does not say whether the workspace or something in it is missing. The list of workspaces does.
        try:
            known = [info.name for info in await self.workspaces.list()]
        except (ApiError, ConnectionFailed):
            return error
        return error if workspace in known else workspace_not_found(workspace, self.settings, known)


def _without_body(headers: httpx.Headers) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name == "retry-after"}
