"""The service as its clients see it: HTTP/2 requests and a stream of events."""

import asyncio
import json
import re
from contextlib import AsyncExitStack, asynccontextmanager
from functools import wraps
from pathlib import PurePosixPath

import pytest

from service import Event, Session, code_of, open_http, sessions_on_two_loops


def run(test):
    """Runs an async test in a loop of its own."""

    @wraps(test)
    def wrapped(*arguments, **named):
        asyncio.run(test(*arguments, **named))

    return wrapped


@asynccontextmanager
async def one_session():
    async with open_http() as http:
        session = await Session.create(http)
        try:
            yield session
        finally:
            await session.bye()


@asynccontextmanager
async def two_peers(room):
    """Two sessions, each on a connection of its own, both in `room`, both with a stream."""
    async with open_http() as http_a, open_http() as http_b:
        a, b = await Session.create(http_a), await Session.create(http_b)
        async with a.stream(), b.stream():
            await a.join(room, name="Ada")
            await b.join(room, name="Bob")
            await a.wait("peer_joined", peer=b.sid)
            yield a, b
            await a.bye()
            await b.bye()


def offer(peer, room, **extra):
    return {"t": "offer", "to": {"peer": peer}, "room": room, "call": "k", "neg": 1, "body": {"sdp": "v=0"}, **extra}


# Sessions


@run
async def test_hello_gives_a_session_with_its_limits():
    async with open_http() as http:
        response = await http.post("/v1/sessions")
        assert response.status_code == 201
        assert response.http_version == "HTTP/2"
        hello = response.json()
        assert response.headers["location"].endswith(f"/v1/sessions/{hello['sid']}")
        assert hello["epoch"] == 1
        assert hello["limits"] == {"message": 65536, "batch": 64, "candidates": 64}
        assert hello["ping"] == 25000
        assert hello["transports"] == ["sse"]
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
@pytest.mark.parametrize("sid", ["0-" + "0" * 32, "1-" + "0" * 32, "zzzz-x", "-", "nonsense", "9" * 300, "%00", "0-%ff"])
@run
async def test_an_unknown_session_is_not_found(method, rest, sid):
    async with one_session() as session:
        response = await session.http.request(method, f"/v1/sessions/{sid}{rest}", headers=session.auth)
        assert code_of(response, 404) == "no_such_session"


# Requests that are wrong


@pytest.mark.parametrize("body", [b"", b"{", b"{}{}", b"[1,", b"nul", b'"text"', b"42", b'{"t":"ping"', b"\xff\xfe{}", b"[" * 9000])
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


@pytest.mark.parametrize("path", ["/nothing", "/v1", "/v1/sessions/a/b/c", "/app.js/", "/../Package.swift", "/%2e%2e/x"])
@run
async def test_another_path_is_not_found(path):
    async with open_http() as http:
        assert code_of(await http.get(path), 404) == "not_found"


@pytest.mark.parametrize("method, path, allow", [("PUT", "/", "GET"), ("GET", "/v1/sessions", "POST"), ("DELETE", "/app.js", "GET")])
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


# The stream of events


@run
async def test_the_stream_begins_at_once_with_a_comment():
    async with one_session() as session, session.stream() as reader:
        assert reader.response.headers["content-type"].split(";")[0] == "text/event-stream"
        assert reader.response.headers["cache-control"] == "no-store"
        assert reader.resumed == "no"
        async with asyncio.timeout(5):
            while not reader.comments:
                await asyncio.sleep(0.01)
        assert reader.comments[0] == "hello"


@run
async def test_events_are_numbered_from_one_without_gaps():
    async with one_session() as session, session.stream():
        await session.accept(*[{"t": "ping"}] * 20)
        events = [await session.wait("pong") for _ in range(20)]
        assert [event.seq for event in events] == list(range(1, 21))
        for event in events:
            assert event.epoch == 1
            assert event.message["seq"] == event.seq
            assert event.message["ts"] > 1_700_000_000_000


@run
async def test_what_came_before_the_stream_is_delivered_by_it():
    async with one_session() as session:
        await session.accept({"t": "ping"}, {"t": "ping"})
        async with session.stream():
            assert (await session.wait("pong")).seq == 1
            assert (await session.wait("pong")).seq == 2


@run
async def test_a_second_stream_replaces_the_first():
    async with one_session() as session, session.stream() as first:
        async with session.stream():
            await asyncio.wait_for(first.ended.wait(), 5)
            await session.accept({"t": "ping"})
            await session.wait("pong")
            assert session.events == []


@run
async def test_a_resume_replays_what_follows_the_last_event_id():
    async with one_session() as session:
        async with session.stream():
            await session.accept(*[{"t": "ping"}] * 3)
            for _ in range(3):
                last: Event = await session.wait("pong")
        await session.accept(*[{"t": "ping"}] * 4)
        async with session.stream(last=last.id) as reader:
            assert reader.resumed == "yes"
            assert [(await session.wait("pong")).seq for _ in range(4)] == [4, 5, 6, 7]
            assert session.events == []


@run
async def test_a_resume_from_an_earlier_event_sends_again_what_was_not_acked():
    async with one_session() as session:
        async with session.stream():
            await session.accept(*[{"t": "ping"}] * 5)
            for _ in range(5):
                await session.wait("pong")
        async with session.stream(last="1.2") as reader:
            assert reader.resumed == "yes"
            assert [(await session.wait("pong")).seq for _ in range(3)] == [3, 4, 5]


@run
async def test_a_resume_from_before_what_is_kept_is_partial():
    async with one_session() as session:
        async with session.stream():
            await session.accept(*[{"t": "ping"}] * 5)
            for _ in range(5):
                await session.wait("pong")
            await session.accept({"t": "ack", "seq": 3})
        async with session.stream(last="1.1") as reader:
            assert reader.resumed == "partial"
            assert [(await session.wait("pong")).seq for _ in range(2)] == [4, 5]


@pytest.mark.parametrize("last", ["nonsense", "1.999999", "2.1", "1.-1", "1.", "1.99999999999999999999999999"])
@run
async def test_a_last_event_id_that_is_of_no_use_does_not_resume(last):
    async with one_session() as session:
        async with session.stream(last=last) as reader:
            assert reader.resumed == "no"
            await session.accept({"t": "ping"})
            await session.wait("pong")


# Rooms


@run
async def test_a_room_has_a_roster_with_metadata(room):
    async with open_http() as http:
        a, b = await Session.create(http), await Session.create(http)
        async with a.stream(), b.stream():
            assert await a.join(room, name="Ada", color="blue") == []
            assert await b.join(room, name="Bob") == [{"peer": a.sid, "meta": {"name": "Ada", "color": "blue"}}]
            come = await a.wait("peer_joined", room=room)
            assert come.message["peer"] == b.sid
            assert come.message["meta"] == {"name": "Bob"}


@run
async def test_leaving_and_saying_goodbye_are_told_apart(room):
    async with two_peers(room) as (a, b):
        await b.accept({"t": "leave", "room": room})
        assert (await a.wait("peer_left", peer=b.sid)).message["reason"] == "left"
        await b.join(room)
        await a.wait("peer_joined", peer=b.sid)
        await b.bye()
        assert (await a.wait("peer_left", peer=b.sid)).message["reason"] == "bye"


@run
async def test_joining_again_gives_the_roster_and_disturbs_nobody(room):
    async with two_peers(room) as (a, b):
        assert [member["peer"] for member in await b.join(room, name="Bob")] == [a.sid]
        await b.accept(offer(a.sid, room))
        await a.wait("offer")
        assert a.events == [], "no second peer_joined came before the offer"


# Relaying


@run
async def test_a_message_arrives_whole_with_its_sender_added(room):
    async with two_peers(room) as (a, b):
        body = {"sdp": "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\n", "extra": [1, 2.5, None, True, {"ü": "\u2028😀\u0000"}]}
        message = offer(b.sid, room, id="mine", body=body, ttl=30000, unknown={"kept": "yes"}, big=2**53 - 1)
        await a.accept({**message, "from": {"peer": "forged"}, "seq": 4711, "ts": 1})
        event = await b.wait("offer")
        got = event.message
        assert got["from"]["peer"] == a.sid
        assert got["seq"] == event.seq != 4711
        assert got["ts"] != 1
        for key in ("room", "call", "neg", "body", "ttl", "unknown", "big"):
            assert got[key] == message[key]


@run
async def test_between_two_peers_first_in_is_first_out(room):
    async with two_peers(room) as (a, b):
        kinds = ["invite", "offer", "candidates", "answer", "hangup", "reject"]
        sent = [offer(b.sid, room, t=kinds[n % 6], neg=n) for n in range(200)]
        for start in range(0, 200, 50):
            await a.accept(*sent[start : start + 50])
        await a.accept({"t": "leave", "room": room})
        await b.wait("peer_left")
        assert [event.message["neg"] for event in b.events] == list(range(200))


@run
async def test_a_message_with_the_same_id_is_relayed_once(room):
    async with two_peers(room) as (a, b):
        once = {**offer(b.sid, room), "id": "same"}
        for _ in range(3):
            response = await a.post(once)
            assert response.json()["results"] == [{"id": "same", "ok": True}]
        await a.accept(offer(b.sid, room, t="hangup"))
        await b.wait("hangup")
        assert [event.message["t"] for event in b.events] == ["offer"]


@run
async def test_messages_for_a_peer_without_a_stream_wait_for_it(room):
    async with open_http() as http:
        a, b = await Session.create(http), await Session.create(http)
        async with a.stream():
            async with b.stream():
                await a.join(room)
                await b.join(room)
            await a.accept(*[offer(b.sid, room, neg=n) for n in range(5)])
            async with b.stream(last="1.1") as reader:
                assert reader.resumed == "yes"
                assert [(await b.wait("offer")).message["neg"] for _ in range(5)] == list(range(5))


# Loops


@run
async def test_peers_on_different_loops_meet_in_one_room(room):
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(open_http())
        a, b = await sessions_on_two_loops(http, stack)
        assert a.loop != b.loop
        async with a.stream(), b.stream():
            await a.join(room, name="Ada")
            assert [member["peer"] for member in await b.join(room, name="Bob")] == [a.sid]
            await a.wait("peer_joined", peer=b.sid)
            for there, back in [(a, b), (b, a)]:
                await there.accept(*[offer(back.sid, room, neg=n) for n in range(60)])
                assert [(await back.wait("offer")).message["neg"] for _ in range(60)] == list(range(60))
            await b.bye()
            assert (await a.wait("peer_left", peer=b.sid)).message["reason"] == "bye"


@run
async def test_a_session_is_reached_from_a_connection_of_another_loop():
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(open_http())
        a, b = await sessions_on_two_loops(first, stack)
        # Each session by the other's connection: whichever loop that is on, the session's own loop must do the work.
        a.http, b.http = b.http, a.http
        for session in (a, b):
            async with session.stream():
                await session.accept({"t": "ping"})
                await session.wait("pong")
            assert (await session.bye()).status_code == 204


@run
async def test_a_crowd_on_all_loops_sees_one_roster(room):
    async with AsyncExitStack() as stack:
        crowd = []
        for _ in range(12):
            session = await Session.create(await stack.enter_async_context(open_http()))
            await stack.enter_async_context(session.stream())
            crowd.append(session)
        await asyncio.gather(*(session.accept({"t": "join", "room": room}) for session in crowd))
        for session in crowd:
            joined = await session.wait("joined")
            seen = {member["peer"] for member in joined.message["members"]} - {session.sid}
            while len(seen) < len(crowd) - 1:
                seen.add((await session.wait("peer_joined")).message["peer"])
            assert seen == {other.sid for other in crowd} - {session.sid}


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
        assert {"/", "/style.css", "/app.js", "/signaling.js", "/call.js"} <= set(files)
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
