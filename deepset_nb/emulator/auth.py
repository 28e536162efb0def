"""Who may call what: one middleware ahead of everything, so that no body is read for a wrong key."""

from __future__ import annotations

import asyncio
import hmac

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from .platform import Platform

API, ADMIN = "/api/v1/", "/_sandbox/"
ADMIN_HEADER = "X-Sandbox-Admin-Key"  # not a header a form or a link can send: pages cannot call it unasked
OPEN_PATHS = ("/api/v1/health", "/api/v1/openapi.json")


class Gate:
    """Checks the key of the API and of the ``/_sandbox`` endpoints, then lets the API's faults act."""

    def __init__(self, app: ASGIApp, platform: Platform) -> None:
        """Wrap ``app``."""
        self._app, self._platform = app, platform

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it here."""
        try:
            await self._pass(scope, receive, send)
        except asyncio.CancelledError:
            if not self._platform.closing:
                raise  # else the server is going and has cut the connection: there is nobody to complain to

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        answer: ASGIApp | None = None
        if scope["type"] == "http" and path.startswith((API, ADMIN)) and path not in OPEN_PATHS:
            if path.startswith(API):
                answer = await self._platform.faults.on_request("api")
                answer = answer or self._refusal(*_bearer(scope), self._platform.api_key)
            else:
                given = Headers(scope=scope).get(ADMIN_HEADER)
                answer = self._refusal(given, "admin key", self._platform.admin_key)
        await (answer or self._app)(scope, receive, send)

    def _refusal(self, given: str | None, what: str, expected: str) -> JSONResponse | None:
        choices = self._platform.choices
        if given is None:
            status, text = choices.missing_key_status, f"No {what} was sent."
        elif not hmac.compare_digest(given.encode(), expected.encode()):
            status, text = choices.wrong_key_status, f"The {what} is invalid."
        else:
            return None
        return JSONResponse({"errors": [text]} if choices.error_wrapper == "errors" else {"detail": text}, status)


def _bearer(scope: Scope) -> tuple[str | None, str]:
    scheme, _, key = Headers(scope=scope).get("Authorization", "").partition(" ")
    return (key.strip() if scheme.lower() == "bearer" and key.strip() else None), "API key"
