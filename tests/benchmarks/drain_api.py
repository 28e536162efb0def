"""The REST side of the drain: what an upload and a listing ask, answered from memory.

What it does not know it refuses, with 404 or 422, rather than answer it wrongly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote

from tests.benchmarks.platform_memory import FIELDS, MOST_ROWS, Memory, Session, made_id

WORKSPACE = "bench"
_ORGANISATION, _WORKSPACE = made_id(8, 1), made_id(9, 1)
_ME = {"user_id": made_id(7, 1), "organization": {"name": "Bench", "organization_id": _ORGANISATION}}
_INFO = {"name": WORKSPACE, "workspace_id": _WORKSPACE}

Reply = tuple[int, bytes]


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.reply: Reply = status, json.dumps({"errors": [message]}).encode()


def answer(memory: Memory, address: str, method: str, target: str, body: bytes) -> Reply:
    """Status and JSON body for one request below ``/api/v1``; ``address`` is where the bucket is."""
    path, _, query = target.removeprefix("/api/v1").partition("?")
    params = dict(parse_qsl(query))
    try:
        match method, *map(unquote, path.strip("/").split("/")):
            case "GET", "me":
                return _json(_ME)
            case "GET", "workspaces":
                return _json([_INFO])
            case "GET", "workspaces", name if name == WORKSPACE:
                return _json(_INFO)
            case "GET", "workspaces", name, "files" if name == WORKSPACE:
                return _listing(memory, params)
            case _, "workspaces", name, "upload_sessions", *rest if name == WORKSPACE:
                return _sessions(memory, address, method, rest, params, body)
            case _:
                raise Refused(404, f"The drain has no {method} {path}.")
    except Refused as refused:
        return refused.reply


def _sessions(memory: Memory, address: str, method: str, rest: list[str], params: dict[str, str], body: bytes) -> Reply:
    match method, *rest:
        case ("POST",):
            if json.loads(body or b"{}").get("write_mode", "KEEP") != "KEEP":
                raise Refused(422, "The drain keeps what it has: write_mode must be KEEP.")
            return _opened(memory.open_session(), address)
        case ("GET",):
            newest = [session.detail() for session in reversed(memory.sessions.values())]
            _only(params, "limit", "page_number", "is_expired")
            return _page(newest if params.get("is_expired") != "true" else [], *_numbered(params))
    session = memory.sessions.get(rest[0])
    if session is None:
        raise Refused(404, "There is no such session.")
    match method, *rest[1:]:
        case ("GET",):
            done = session.outcomes if session.closed else []
            failed = sum(b'"FAILED"' in row for row in done) if session.closed else 0
            counts = {"failed_files": failed, "finished_files": len(done) - failed}
            return _json(_described(session) | {"ingestion_status": counts})
        case ("PUT",):
            if session.closed:
                raise Refused(409, "The session is closed.")
            memory.close(session)
            return 204, b""
        case "GET", "files":
            _only(params, "limit", "page_number", "ingestion_status")
            rows = session.outcomes if session.closed else []
            if wanted := params.get("ingestion_status"):
                rows = [row for row in rows if f'"{wanted}"'.encode() in row]
            return _page(rows, *_numbered(params))
    raise Refused(405, f"The drain has no {method} of a session.")


def _described(session: Session) -> dict[str, Any]:
    where = {"session_id": session.id, "expires_at": session.expires}
    return where | {"documentation_url": "http://127.0.0.1/"}


def _opened(session: Session, address: str) -> Reply:
    ids = {"organisation": _ORGANISATION, "workspace": _WORKSPACE, "session": session.id}
    fields = {name: value.format(**ids) for name, value in FIELDS.items()}
    form = {"url": f"{address}/bucket/{session.id}", "fields": fields}
    return _json(_described(session) | {"aws_prefixed_request_config": form}, 201)


def _listing(memory: Memory, params: dict[str, str]) -> Reply:
    _only(params, "limit", "page_number", "after_value", "after_file_id", "field", "order", "name")
    by, descending = params.get("field", "created_at"), params.get("order", "DESC") == "DESC"
    if by not in ("created_at", "name"):
        raise Refused(422, f"There is no field {by!r} to sort by.")
    numbers: Sequence[int] = memory.view(by)
    numbers = numbers[::-1] if descending else numbers
    if part := params.get("name"):
        numbers = [number for number in numbers if part in memory.names[number]]
    start, limit = _numbered(params)
    if last := params.get("after_file_id"):
        if "after_value" not in params or "page_number" in params:
            raise Refused(422, "after_file_id goes with after_value, and not with page_number.")
        start = numbers.index(int(last.rpartition("-")[2], 16)) + 1
    return _page(numbers, start, limit, memory.rows.__getitem__)


def _only(params: dict[str, str], *known: str) -> None:
    if unknown := set(params) - set(known):
        raise Refused(422, f"The drain does not know {sorted(unknown)}.")


def _numbered(params: dict[str, str]) -> tuple[int, int]:
    limit, page = int(params.get("limit", 10)), int(params.get("page_number", 1))
    if not 1 <= limit <= MOST_ROWS or page < 1:
        raise Refused(422, f"limit must be 1 to {MOST_ROWS} and page_number at least 1.")
    return (page - 1) * limit, limit


def _page(rows: Sequence[bytes] | Sequence[int], start: int, limit: int, row: Callable[..., bytes] = bytes) -> Reply:
    data = b",".join(map(row, rows[start : start + limit]))
    more = b"true" if start + limit < len(rows) else b"false"
    return 200, b'{"data":[%b],"has_more":%b,"total":%d}' % (data, more, len(rows))


def _json(value: object, status: int = 200) -> Reply:
    return status, json.dumps(value).encode()
