"""The API key in the one header it belongs in, on requests to the one host it is for."""

from __future__ import annotations

from collections.abc import Generator

import httpx

from ..settings import Settings


class BearerAuth(httpx.Auth):
    """Adds ``Authorization: Bearer ...`` to requests to the API, and to no other host."""

    def __init__(self, settings: Settings) -> None:
        """Keep the hidden key and whom it is for."""
        self._key = settings.api_key
        self._origin = _origin(httpx.URL(settings.api_url))

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Reveal the key, if this is the host it is for."""
        if _origin(request.url) == self._origin:
            request.headers["Authorization"] = f"Bearer {self._key.reveal()}"
        yield request


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
