"""Keys, errors, workspaces and what is open to everybody: platform API reference."""

from __future__ import annotations

import httpx
import pytest

from deepset_nb.emulator import Choices
from tests.contract.rooms import PLAIN, Room


def _get(room: Room, path: str, **headers: str) -> httpx.Response:
    return httpx.get(str(room.api.base_url).rstrip("/") + path, headers=headers, verify=PLAIN)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer"}, {"Authorization": "Basic abc"}])
def test_a_missing_key_is_403(room, headers):
    response = _get(room, "/me", **headers)
    assert response.status_code == 403
    assert response.json() == {"errors": ["No API key was sent."]}


def test_a_wrong_key_is_401(room):
    response = _get(room, "/me", Authorization="Bearer api_wrong")
    assert response.status_code == 401
    assert response.json() == {"errors": ["The API key is invalid."]}


def test_a_key_that_is_not_ascii_is_just_wrong(room):
    headers = {"Authorization": "Bearer ключ".encode()}
    assert httpx.get(f"{room.api.base_url}me", headers=headers, verify=PLAIN).status_code == 401


def test_the_key_is_checked_before_anything_else(room):
    wrong = {"Authorization": "Bearer wrong"}
    url = f"{room.api.base_url}workspaces/nowhere"
    assert httpx.post(url + "/files", content=b"rubbish", headers=wrong, verify=PLAIN).status_code == 401
    assert httpx.get(url + "/files?limit=1000", headers=wrong, verify=PLAIN).status_code == 401
    assert httpx.get(url + "/no/such/place", headers=wrong, verify=PLAIN).status_code == 401


def test_the_statuses_of_refused_keys_and_the_wrapper_of_errors_are_choices(start):
    room = start(choices=Choices(missing_key_status=401, wrong_key_status=403, error_wrapper="detail"))
    assert _get(room, "/me").status_code == 401
    wrong = _get(room, "/me", Authorization="Bearer wrong")
    assert (wrong.status_code, wrong.json()) == (403, {"detail": "The API key is invalid."})
    assert room.api.get("/workspaces/nowhere").json() == {"detail": "Workspace 'nowhere' not found."}


def test_the_key_can_be_chosen_and_is_random_otherwise(start):
    assert start(api_key="api_mine").connection.api_key == "api_mine"
    first, second = start().connection, start().connection
    assert first.api_key != second.api_key
    assert first.admin_key != second.admin_key


def test_keys_are_in_no_repr(start):
    room = start(api_key="api_mine", admin_key="admin_mine")
    shown = repr(room.connection) + repr(room.server._config) + repr(room.server._platform.credentials)
    assert "mine" not in shown
    assert room.server._platform.credentials.secret not in shown
    assert room.server._platform.credentials.token not in shown


@pytest.mark.parametrize("path", ["/health", "/openapi.json"])
def test_health_and_schema_are_open_to_everybody_inside_the_api_and_outside(room, path):
    outside = httpx.get(str(room.api.base_url.copy_with(path=path)), verify=PLAIN)
    assert outside.status_code == _get(room, path).status_code == 200
    assert outside.json() == _get(room, path).json()


def test_the_schema_names_every_endpoint(room):
    paths = _get(room, "/openapi.json").json()["paths"]
    assert "post" in paths["/api/v1/workspaces/{workspace_name}/upload_sessions"]
    assert "put" in paths["/api/v1/workspaces/{workspace_name}/upload_sessions/{session_id}"]
    assert "get" in paths["/api/v1/workspaces/{workspace_name}/files/{file_id}/meta"]


def test_unknown_places_and_methods_are_wrapped_like_every_error(room):
    assert room.api.get("/nowhere").json() == {"errors": ["Not Found"]}
    assert room.api.patch("/me").status_code == 405
    assert room.api.patch("/me").json() == {"errors": ["Method Not Allowed"]}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/files"), ("POST", "/files"), ("GET", "/upload_sessions"), ("POST", "/upload_sessions"), ("GET", "")],
)
def test_an_unknown_workspace_is_404(room, method, path):
    response = room.api.request(method, f"/workspaces/no such one{path}")
    assert response.status_code == 404
    assert response.json() == {"errors": ["Workspace 'no such one' not found."]}


def test_workspaces_are_a_bare_list(start):
    room = start(workspace="Räume & mehr")
    (workspace,) = room.api.get("/workspaces").json()
    assert workspace["name"] == "Räume & mehr"
    assert room.api.get("/workspaces/R%C3%A4ume%20%26%20mehr").json() == workspace


def test_a_workspace_can_be_made_and_is_empty(start):
    room = start(corpus=True)
    made = room.api.post("/workspaces", json={"name": "anna"})
    assert made.status_code == 201
    assert room.api.get("/workspaces/anna").json() == made.json()
    assert room.api.get("/workspaces/anna/files").json()["total"] == 0


@pytest.mark.parametrize(("body", "status"), [({"name": "abc"}, 400), ({"name": "sandbox"}, 409), ({}, 422)])
def test_a_workspace_that_cannot_be_made_says_why(start, body, status):
    assert start().api.post("/workspaces", json=body).status_code == status


def test_the_eleventh_workspace_is_406(start):
    room = start()
    statuses = [room.api.post("/workspaces", json={"name": f"room {n}"}).status_code for n in range(10)]
    assert statuses == [201] * 9 + [406]


def test_stats_count_files(room):
    room.direct("a.txt")
    assert room.api.get(room.url("/stats")).json()["file_count"] == 1


def test_me_is_a_user_in_an_organisation_with_workspaces(start):
    me = start().api.get("/me").json()
    assert sorted(me["organization"]) == ["name", "organization_id", "role", "workspaces"]
    assert me["organization"]["workspaces"] == [{"name": "sandbox", "role": "Admin"}]
    assert "@" in me["email"]


def test_the_organisation_is_the_one_in_the_keys_of_objects(start):
    room = start()
    key = room.open()["aws_prefixed_request_config"]["fields"]["key"]
    workspace = room.api.get("/workspaces/sandbox").json()
    me = room.api.get("/me").json()
    assert key.split("/")[:2] == [me["organization"]["organization_id"], workspace["workspace_id"]]


@pytest.mark.parametrize("body", [rb'{"name": "ab\ud800cd"}', rb'{"name": ["\ud800"]}'])
def test_halves_of_characters_are_refused(start, body):
    response = start().api.post("/workspaces", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "name"]
