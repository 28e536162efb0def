"""What tests of the sandbox do in a workspace of it, over HTTP."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from deepset_nb.emulator import Connection, SandboxServer

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # no certificates to read: 40 ms less for each client


class Clock:
    """A time that moves when told to."""

    def __init__(self) -> None:
        self.now = 1_767_225_600.0  # 2026-01-01

    def __call__(self) -> float:
        return self.now


@dataclass
class Room:
    """A workspace, and what one does with it over HTTP."""

    api: httpx.Client
    name: str

    def url(self, path: str = "") -> str:
        return f"/workspaces/{self.name}{path}"

    def open(self, **options: Any) -> dict[str, Any]:
        response = self.api.post(self.url("/upload_sessions"), json=options)
        assert response.status_code == 201, response.text
        return response.json()

    def post(self, session: dict[str, Any], name: str, content: bytes = b"content", **extra: str) -> httpx.Response:
        form = session["aws_prefixed_request_config"]
        return post_form(form["url"], form["fields"] | extra, name, content)

    def close(self, session: dict[str, Any]) -> httpx.Response:
        return self.api.put(self.url(f"/upload_sessions/{session['session_id']}"), json={"status": "CLOSED"})

    def status(self, session: dict[str, Any]) -> dict[str, int]:
        response = self.api.get(self.url(f"/upload_sessions/{session['session_id']}"))
        return response.json()["ingestion_status"]

    def outcomes(self, session: dict[str, Any], **query: Any) -> list[tuple[str, str, str | None]]:
        path = self.url(f"/upload_sessions/{session['session_id']}/files")
        rows = self.api.get(path, params={"limit": 100} | query).json()["data"]
        return [(row["name"], row["ingestion_status"], row["ingestion_status_reason"]) for row in rows]

    def wait(self, session: dict[str, Any]) -> list[tuple[str, str, str | None]]:
        """Until nothing of the session is pending; its outcomes."""
        until(lambda: not self.outcomes(session, ingestion_status="PENDING"))
        return self.outcomes(session)

    def upload(self, files: dict[str, bytes], **options: Any) -> list[tuple[str, str, str | None]]:
        """Through one session, up to the outcomes."""
        session = self.open(**options)
        for name, content in files.items():
            assert self.post(session, name, content).status_code == 204
        assert self.close(session).status_code == 204
        return self.wait(session)

    def files(self, **query: Any) -> list[dict[str, Any]]:
        response = self.api.get(self.url("/files"), params={"limit": 100} | query)
        assert response.status_code == 200, response.text
        return response.json()["data"]

    def direct(self, name: str, content: bytes = b"content", *, meta: str = "{}", **query: str) -> httpx.Response:
        parts = {"file": (name, content), "meta": (None, meta)}
        return self.api.post(self.url("/files"), params=query, files=parts)

    def download(self, file: dict[str, Any]) -> bytes:
        return self.api.get(self.url(f"/files/{file['file_id']}")).content


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for something that is bound to happen."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def api_client(connection: Connection) -> httpx.Client:
    """A client with the sandbox's key."""
    headers = {"Authorization": f"Bearer {connection.api_key}"}
    return httpx.Client(base_url=connection.api_url, headers=headers, timeout=30, verify=PLAIN)


def post_form(url: str, fields: dict[str, str], name: str, content: bytes = b"content") -> httpx.Response:
    """Post one object as browsers and clients do."""
    return httpx.post(url, data=fields, files={"file": (name, content, "text/plain")}, verify=PLAIN)


@dataclass
class StartedRoom(Room):
    """The first workspace of a sandbox of one's own."""

    server: SandboxServer
    connection: Connection
