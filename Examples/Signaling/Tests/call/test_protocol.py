"""Requests to the service, right and wrong, and what it answers."""

import asyncio
import json
import re
from pathlib import PurePosixPath

import pytest

from service import Session, code_of, offer, one_session, open_http, run, two_peers


# Sessions


@run
async def test_hello_gives_a_session_with_its_limits():
    async with open_http() as http:
        response = await http.post("/v1/sessions")
        assert response.status_code == 201
        assert response.http_version == "HTTP/2"
        hello = response.json()
        assert response.headers["location"].endswith(f"/v1/sessions/{hello['sid']}")
        assert hello["epoch"] > 1_700_000_000
        assert hello["limits"] == {"message": 65536, "batch": 64, "candidates": 64}
        assert hello["ping"] == 25000
        assert hello["transports"] == ["websocket", "stream", "sse", "ndjson", "poll"]
        assert isinstance(hello["ice_servers"], list)
        assert len(hello["token"]) >= 43, "256 bits need 43 characters of base64url"
        assert hello["token"] not in hello["sid"]


@run
async def test_two_sessions_share_neither_id_nor_token():
    async with open_http() as http:
        a, b = await Session.create(http), await Session.create(http)
        assert a.sid != b.sid
        assert a.hello["token"] != b.hello["token"]


@run
async def test_bye_ends_the_session_and_its_stream():
    async with one_session() as session, session.stream() as reader:
        response = await session.bye()
        assert response.status_code == 204
        assert response.content == b""
        await asyncio.wait_for(reader.ended.wait(), 5)
        assert code_of(await session.post({"t": "ping"}), 404) == "no_such_session"


# Who gets in


UNKNOWN_SIDS = ["0-" + "0" * 32, "1-" + "0" * 32, "zzzz-x", "-", "nonsense", "9" * 300, "%00", "0-%ff"]
REQUESTS = [("GET", "/events"), ("POST", "/messages"), ("DELETE", "")]


@pytest.mark.parametrize("method, rest", REQUESTS)
@run
async def test_a_request_without_token_is_unauthorized(method, rest):
    async with one_session() as session:
        response = await session.http.request(method, session.path + rest)
        assert code_of(response, 401) == "unauthorized"


@pytest.mark.parametrize("method, rest", REQUESTS)
@pytest.mark.parametrize("credential", ["Bearer wrong", "Bearer ", "Bearer", "Basic dTpw", "Bearer {sid}"])
@run
async def test_a_request_with_a_wrong_token_is_unauthorized(method, rest, credential):
    async with one_session() as session:
        headers = {"authorization": credential.format(sid=session.sid)}
        response = await session.http.request(method, session.path + rest, headers=headers)
        assert code_of(response, 401) == "unauthorized"


@run
async def test_the_token_of_another_session_is_unauthorized():
    async with one_session() as mine, one_session() as other:
        response = await mine.http.get(f"{other.path}/events", headers=mine.auth)
        assert code_of(response, 401) == "unauthorized"


@pytest.mark.parametrize("method, rest", REQUESTS)
@pytest.mark.parametrize("sid", UNKNOWN_SIDS)
@run
async def test_an_unknown_session_is_not_found(method, rest, sid):
    async with one_session() as session:
        response = await session.http.request(method, f"/v1/sessions/{sid}{rest}", headers=session.auth)
        assert code_of(response, 404) == "no_such_session"


# Requests that are wrong


NO_JSON = [b"", b"{", b"{}{}", b"[1,", b"nul", b'"text"', b"42", b'{"t":"ping"', b"\xff\xfe{}", b"[" * 9000]


@pytest.mark.parametrize("body", NO_JSON)
@run
async def test_a_body_that_is_no_json_is_refused(body):
    async with one_session() as session:
        headers = {**session.auth, "content-type": "application/json"}
        response = await session.http.post(f"{session.path}/messages", content=body, headers=headers)
        assert code_of(response, 400) == "bad_json"


@run
async def test_a_body_of_another_type_is_refused():
    async with one_session() as session:
        headers = {**session.auth, "content-type": "text/plain"}
        response = await session.http.post(f"{session.path}/messages", content=b'{"t":"ping"}', headers=headers)
        assert code_of(response, 415) == "unsupported_media_type"


@run
async def test_a_charset_in_the_content_type_is_fine():
    async with one_session() as session:
        headers = {**session.auth, "content-type": "application/json; charset=utf-8"}
        response = await session.http.post(f"{session.path}/messages", content=b'{"t":"ping"}', headers=headers)
        assert response.status_code == 202


@run
async def test_a_body_over_the_limit_is_too_large():
    async with one_session() as session:
        limit = session.hello["limits"]["message"]
        response = await session.post({"t": "ping", "body": "x" * limit})
        assert code_of(response, 413) == "too_large"
        assert (await session.post({"t": "ping"})).status_code == 202, "the session goes on"


@run
async def test_a_body_just_under_the_limit_is_taken():
    async with one_session() as session:
        message = {"t": "ping", "body": ""}
        message["body"] = "x" * (session.hello["limits"]["message"] - len(json.dumps(message)) - 8)
        assert (await session.post(message)).status_code == 202


@run
async def test_a_batch_over_the_limit_is_too_large():
    async with one_session() as session:
        batch = session.hello["limits"]["batch"]
        assert (await session.post([{"t": "ping"}] * batch)).status_code == 202
        assert code_of(await session.post([{"t": "ping"}] * (batch + 1)), 413) == "too_large"


@run
async def test_another_accept_for_events_is_not_acceptable():
    async with one_session() as session:
        headers = {**session.auth, "accept": "application/xml"}
        response = await session.http.get(f"{session.path}/events", headers=headers)
        assert code_of(response, 406) == "not_acceptable"


NO_PATHS = ["/nothing", "/v1", "/v1/sessions/a/b/c", "/app.js/", "/../Package.swift", "/%2e%2e/x"]


@pytest.mark.parametrize("path", NO_PATHS)
@run
async def test_another_path_is_not_found(path):
    async with open_http() as http:
        assert code_of(await http.get(path), 404) == "not_found"


WRONG_METHODS = [("PUT", "/", "GET"), ("GET", "/v1/sessions", "POST"), ("DELETE", "/app.js", "GET")]


@pytest.mark.parametrize("method, path, allow", WRONG_METHODS)
@run
async def test_a_wrong_method_says_which_are_right(method, path, allow):
    async with open_http() as http:
        response = await http.request(method, path)
        assert code_of(response, 405) == "method_not_allowed"
        assert allow in response.headers["allow"]


# Messages that are wrong: the request is right, the result of the message says what is not


@run
async def test_an_unknown_type_is_refused():
    async with one_session() as session:
        assert await session.refuse({"t": "teleport"}) == "unknown_type"
        assert await session.refuse({"t": "peer_joined", "room": "r"}) == "unknown_type"


@pytest.mark.parametrize(
    "message",
    [
        {"t": 7},
        {"t": None},
        {},
        {"t": "join"},
        {"t": "join", "room": 5},
        {"t": "join", "room": ""},
        {"t": "leave"},
        {"t": "offer", "room": "r", "body": {"sdp": "v=0"}},
        {"t": "offer", "room": "r", "to": "text", "body": {"sdp": "v=0"}},
        {"t": "offer", "room": "r", "to": {"peer": 3}, "body": {"sdp": "v=0"}},
        {"t": "ack", "seq": "many"},
    ],
)
@run
async def test_a_message_with_wrong_fields_is_refused(message):
    async with one_session() as session:
        assert await session.refuse(message) == "bad_message"


@run
async def test_one_bad_message_does_not_cost_the_others_of_its_batch():
    async with one_session() as session, session.stream():
        first, second, third = await session.send({"t": "ping"}, {"t": "teleport"}, {"t": "ping"})
        assert first["ok"] and third["ok"]
        assert second["error"]["code"] == "unknown_type"
        await session.wait("pong")
        await session.wait("pong")


@run
async def test_an_element_that_is_no_object_is_a_bad_message():
    async with one_session() as session:
        response = await session.post([17, {"t": "ping", "id": "p"}])
        assert response.status_code == 202
        first, second = response.json()["results"]
        assert first["error"]["code"] == "bad_message"
        assert second == {"id": "p", "ok": True}


@run
async def test_relaying_needs_a_room_that_both_are_in(room):
    async with two_peers(room) as (a, b), one_session() as outsider:
        assert await outsider.refuse(offer(a.sid, room)) == "not_in_room"
        assert await a.refuse(offer(outsider.sid, room)) == "not_in_room"
        assert await a.refuse(offer(b.sid, f"{room}-other")) == "not_in_room"
        assert await a.refuse(offer("0-" + "0" * 32, room)) in ("no_such_peer", "not_in_room")


@run
async def test_leaving_a_room_one_is_not_in_is_refused(room):
    async with one_session() as session:
        assert await session.refuse({"t": "leave", "room": room}) == "not_in_room"


# The page


async def linked_from(http, path, seen):
    """Everything that the page loads, followed through its modules."""
    seen[path] = response = await http.get(path)
    for link in re.findall(r'(?:href|src)="(/[^"]+)"|from "\.(/[^"]+)"', response.text):
        if (target := link[0] or link[1]) not in seen:
            await linked_from(http, target, seen)
    return seen


@run
async def test_the_page_and_all_that_it_loads_are_served():
    kinds = {"": "text/html", ".css": "text/css", ".js": "text/javascript"}
    async with open_http() as http:
        files = await linked_from(http, "/", {})
        assert {"/", "/style.css", "/app.js", "/signaling.js"} <= set(files)
        for path, response in files.items():
            assert response.status_code == 200, path
            assert response.http_version == "HTTP/2"
            assert response.headers["content-type"].split(";")[0] == kinds[PurePosixPath(path).suffix]
            assert response.headers["x-content-type-options"] == "nosniff"
            assert response.headers["cache-control"] == "no-cache"
            policy = response.headers["content-security-policy"]
            assert "default-src" in policy and "unsafe-inline" not in policy and "unsafe-eval" not in policy
            assert len(response.content) == int(response.headers["content-length"])
            head = await http.head(path)
            assert head.status_code == 200 and head.content == b""
