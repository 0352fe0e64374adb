"""The documents of the protocol are right in themselves, and say what really goes over the wire."""

import asyncio
import json
import re
from contextlib import asynccontextmanager

import httpx
import pytest
import websockets
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

import service
from documents import ADMIN, BASE, FOLDER, MESSAGES, SERVICE, STREAMS, Documents, Heard, read
from service import Session, offer, open_http, run
from test_transports import open_websocket
from test_whip import AUTH, Answerer, fragment, patch, post, sdp
from tunnel import Tunnel

DOCUMENTATION = FOLDER.parent
SID = "0-6f1c2a90d1b34c58a7e0f4b2c6d81735"


# The documents


def test_the_schema_of_messages_is_one_and_its_examples_are_right():
    documents = Documents()
    schema = documents.whole[MESSAGES]
    Draft202012Validator.check_schema(schema)
    for name, definition in schema["$defs"].items():
        for example in definition.get("examples", []):
            documents.check(example, f"/$defs/{name}")


@pytest.mark.parametrize("name", [SERVICE, ADMIN])
def test_the_documents_of_http_are_openapi(name):
    validate(read(name), base_uri=(FOLDER / name).as_uri())


def test_all_that_the_document_of_streams_refers_to_is_there():
    whole, documents = read(STREAMS), Documents()

    def follow(node, seen=()):
        if isinstance(node, list):
            return [follow(each) for each in node]
        if not isinstance(node, dict):
            return node
        if "$ref" not in node:
            return {key: follow(value) for key, value in node.items()}
        name, _, pointer = node["$ref"].partition("#")
        if name:
            return documents.registry.resolver(BASE).lookup(node["$ref"]).contents
        target = whole
        for part in pointer.split("/")[1:]:
            target = target[part.replace("~1", "/")]
        return follow(target)

    resolved = follow(whole)
    assert whole["asyncapi"].startswith("3.")
    for name, operation in resolved["operations"].items():
        assert operation["action"] in ("send", "receive"), name
        channel = whole["operations"][name]["channel"]["$ref"]
        answers = whole["operations"][name].get("reply", {}).get("messages", [])
        for message in whole["operations"][name]["messages"] + answers:
            assert message["$ref"].startswith(f"{channel}/messages/"), name
    # What goes both ways is what the schema has.
    for name in ("webSocket", "stream"):
        payloads = whole["components"]["messages"]
        said = {payloads[message["$ref"].rsplit("/", 1)[1]]["payload"]["$ref"].rsplit("/", 1)[1]
                for message in whole["channels"][name]["messages"].values()}
        assert said == {"hello", "resume", "clientMessages"} | {
            each["$ref"].rsplit("/", 1)[1] for each in documents.whole[MESSAGES]["$defs"]["serverMessage"]["anyOf"]}


def examples(name: str):
    """The whole messages that a text has in JSON, with its abbreviations written out."""
    text = (DOCUMENTATION / name).read_text()
    text = re.sub(r'"(\d)-[0-9a-f]*…"', lambda m: f'"{m[1]}{SID[1:]}"', text).replace('"peer":"…"', f'"peer":"{SID}"')
    text = re.sub(r"\n +(?=[\"{])", "", text).replace('"sid":"…"', f'"sid":"{SID}"').replace('"ts":…', '"ts":1')
    for found in re.findall(r'(?m)`(\{"(?:t|seq|from)":.*?\})`|^(\{"(?:t|seq|from)":.*\})$', text):
        if ",…" not in (example := found[0] or found[1]):
            yield example


@pytest.mark.parametrize("name", ["Messages.md", "Transports.md", "Operating.md"])
def test_the_examples_of_the_documents_are_messages(name):
    documents, found = Documents(), [json.loads(text) for text in examples(name)]
    assert len(found) >= 2, f"{name} has no examples any more"
    for message in found:
        # Tables leave out what all events have.
        numbered = {"seq": 1, "ts": 1, **message}
        problems = [*documents.problems(message), *documents.problems(numbered)]
        assert not all(problems), f"{message} is in {name}: {problems}"


# The wire


class Watch:
    """Opens clients whose every message and response is held against the documents."""

    def __init__(self):
        self.documents = Documents()

    @asynccontextmanager
    async def http(self, **options):
        async with open_http(**options) as http:
            http.event_hooks["response"].append(self.documents.hook(SERVICE))
            yield http

    @asynccontextmanager
    async def session(self):
        async with self.http() as http:
            session = await Session.create(http)
            session.events = Heard(lambda event: self.documents.check_event(event.message))
            yield session
            await session.bye()

    @asynccontextmanager
    async def peers(self, room):
        async with self.session() as a, self.session() as b, a.stream() as reader, b.stream():
            self.documents.check_response(reader.response, SERVICE, None)
            await a.join(room, name="Ada")
            await b.join(room, name="Bob")
            yield a, b

    @asynccontextmanager
    async def tunnel(self, make):
        tunnel = await asyncio.to_thread(make)
        tunnel.messages = Heard(self.documents.check_down)
        try:
            yield Talk(tunnel, self.documents)
        finally:
            tunnel.leave()


class Talk:
    """A stream both ways, of whichever kind."""

    def __init__(self, tunnel, documents):
        self.tunnel, self.documents = tunnel, documents

    async def say(self, body, isRight=True):
        if isRight:
            self.documents.check_up(body)
        await asyncio.to_thread(self.tunnel.send, body)

    async def hear(self, t, **wanted):
        return await asyncio.to_thread(self.tunnel.until, t, **wanted)

    async def end(self):
        code, name = await asyncio.to_thread(self.tunnel.end)
        return code, name


async def calls(watch, room):
    """Every message of a call, by server-sent events and POST, and what may become of one."""
    async with watch.peers(room) as (a, b):
        found = {"candidates": [{"candidate": "c", "sdpMid": "0"}], "ufrag": "u", "end": True}
        for t in ["invite", "offer", "candidates", "answer", "pranswer", "restart_ice", "reject", "hangup"]:
            call = "offer" if t == "candidates" else t
            body = found if t == "candidates" else {"sdp": "v=0\r\na=ice-ufrag:u\r\n"}
            await a.accept({**offer(b.sid, room, t=t, call=call, body=body), "receipt": True, "x-own": [1]})
            got = await b.wait(t)
            await b.accept({"t": "ack", "seq": got.seq})
        await a.accept(offer(b.sid, room, t="select", call="s", body={"party": b.sid}))
        await a.wait("delivered", of="offer")
        await a.accept({"t": "msg", "room": room, "body": "to all"}, {"t": "ping"}, {"t": "token_refresh", "token": "any"})
        await a.wait("pong")
        await b.wait("msg")
        await a.accept({"t": "presence_set", "room": room, "body": {"muted": True}})
        await b.wait("peer_updated")
        polite, other = sorted((a, b), key=lambda session: session.sid)
        await polite.accept(offer(other.sid, room, call="g"))
        await other.accept(offer(polite.sid, room, call="g"))
        await polite.wait("glare")
        await a.accept({"t": "leave", "room": room})
        await b.wait("peer_left", peer=a.sid)


async def fates(watch, room):
    """Messages to one who does not listen."""
    async with watch.session() as a, watch.session() as b, a.stream():
        await a.join(room)
        await b.accept({"t": "join", "room": room})
        await a.accept(offer(b.sid, room), offer(b.sid, room, neg=2))
        await a.wait("superseded", neg=1)
        await a.accept(offer(b.sid, room, call="x", ttl=1))
        await a.wait("expired", call="x")
        assert await a.refuse(offer(b.sid, room, neg=1)) == "stale"
        await a.accept(offer(b.sid, room, t="invite", call="i", body={"lifetime": 1}))
        await a.wait("expired", call="i")
        assert await b.refuse(offer(a.sid, room, t="reject", call="i")) == "call_ended"
        other = f"{a.loop}-{'0' * 32}"
        await a.accept(offer(b.sid, room, t="select", call="s", body={"party": other}))
        assert await b.refuse(offer(a.sid, room, call="s")) == "not_selected"
        for _ in range(5):
            await a.send(*[{"t": "msg", "room": room, "body": n} for n in range(64)])
        await a.wait("error", code="queue_full")
        assert await a.refuse(offer(b.sid, room, t="hangup")) == "queue_full"


async def moderation(watch, room):
    """A room with a password, and what its moderator may do."""
    async with watch.session() as a, watch.session() as b, a.stream(), b.stream():
        await a.accept({"t": "join", "room": room, "password": "sesame"})
        assert (await a.wait("joined")).message["moderator"] is True
        assert await b.refuse({"t": "join", "room": room}) == "password_required"
        await b.accept({"t": "join", "room": room, "password": "sesame"})
        assert (await b.wait("joined")).message["locked"] is True
        assert await b.refuse({"t": "kick", "room": room, "to": {"peer": a.sid}}) == "forbidden"
        await a.accept({"t": "kick", "room": room, "to": {"peer": b.sid}})
        assert (await b.wait("peer_left", peer=b.sid)).message["reason"] == "kicked"
        assert await b.refuse({"t": "join", "room": room}) == "kicked"
        await a.accept({"t": "room_password", "room": room, "password": "other"})
        await a.accept({"t": "close_room", "room": room})
        await a.wait("room_closed")
        await b.accept({"t": "join", "room": room, "password": "mine"})
        for _ in range(5):
            assert await a.refuse({"t": "join", "room": room, "password": "sesame"}) == "wrong_password"
        assert await a.refuse({"t": "join", "room": room, "password": "mine"}) == "too_many_guesses"
        await b.accept({"t": "room_password", "room": room})
        await a.accept({"t": "join", "room": room})
        await b.accept({"t": "leave", "room": room})
        await a.wait("peer_updated", peer=a.sid, moderator=True)


async def mistakes(watch, room):
    """Messages and requests that are refused."""
    async with watch.session() as a:
        assert await a.refuse({"t": "teleport"}) == "unknown_type"
        assert await a.refuse({"t": "join"}) == "bad_message"
        assert await a.refuse({"t": "leave", "room": room}) == "not_in_room"
        assert await a.refuse(offer("0-none", room)) == "no_such_peer"
        results = await a.send(*[{"t": "join", "room": f"{room}-{n}"} for n in range(17)])
        assert results[16]["error"]["code"] == "too_many_rooms"
        http, events, messages = a.http, f"{a.path}/events", f"{a.path}/messages"
        await http.post("/v1/sessions", content=b"{")
        await http.post("/v1/sessions", json={"resume": "none"})
        await http.post("/v1/sessions", json={"client": "x" * 20_000})
        await http.post("/v1/sessions", json={"resume": a.hello["resume"]})
        for path, method in [(events, "GET"), (messages, "POST"), (a.path, "DELETE")]:
            await http.request(method, path)
            await http.request(method, path.replace(a.sid, SID), headers=a.auth)
        await http.request("GET", events, headers={**a.auth, "accept": "application/xml"})
        await http.request("DELETE", a.path, headers=a.auth, content=b"x")
        await http.post(messages, headers={**a.auth, "content-type": "text/plain"}, content=b"{}")
        await http.post(messages, headers={**a.auth, "content-type": "application/json"}, content=b"{")
        await http.post(messages, headers=a.auth, json="x" * 70_000)
        await http.get("/nothing")
        await http.get("/v1/sessions")
        await http.post("/v1/stream", json={})
        await http.get("/v1/ice")
        await http.get("/v1/ice?region=nowhere")
        for method, path in [("GET", "/v1/ice"), ("POST", "/v1/stream"), ("GET", "/v1/ws"), ("POST", "/v1/sessions"), ("GET", events)]:
            assert (await http.request(method, f"{path}?token=x")).json()["code"] == "token_in_url"
        for path, method in [(events, "GET"), (messages, "POST"), (a.path, "DELETE"), ("/v1/sessions", "POST"), ("/v1/ice", "GET"),
                             ("/v1/ws", "GET"), ("/v1/stream", "POST"), ("/whip/r", "POST"), ("/whep/r", "POST"),
                             *((f"/{kind}/r/{SID}", method) for kind in ("whip", "whep") for method in ("PATCH", "DELETE"))]:
            response = await http.request(method, path, headers={**a.auth, "origin": "https://a.example"})
            assert response.json()["code"] == "origin_not_allowed"
    async with httpx.AsyncClient(verify=False, base_url=service.URL, event_hooks={"response": [watch.documents.hook(SERVICE)]}) as old:
        await old.post("/v1/stream", headers={"content-type": "application/x-ndjson"})
        handshake = {"connection": "upgrade", "upgrade": "websocket", "sec-websocket-version": "13",
                     "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="}
        await old.get("/v1/ws", headers=handshake)
        await old.get("/v1/ws")


async def polls(watch, room):
    """The same session by polls and by lines."""
    async with watch.session() as a:
        await a.accept({"t": "join", "room": room})
        since, headers = a.after(0), {**a.auth, "accept": "application/json"}
        answer = (await a.http.get(f"{a.path}/events?since={since}&wait=5", headers=headers)).json()
        assert [event["t"] for event in answer["events"]] == ["joined"]
        async with watch.http() as other:
            waiting = asyncio.create_task(other.get(f"{a.path}/events?since={answer['last']}&wait=20", headers=headers))
            await asyncio.sleep(0)
            while not waiting.done():
                await a.http.get(f"{a.path}/events?since={answer['last']}&wait=0", headers=headers)
                await asyncio.sleep(0.05)
            assert (await waiting).status_code == 409
            await a.accept({"t": "ping"})
            lines = {**a.auth, "accept": "application/x-ndjson", "last-event-id": since}
            async with other.stream("GET", f"{a.path}/events", headers=lines) as response:
                async for line in response.aiter_lines():
                    if line:
                        watch.documents.check_event(json.loads(line))
                        break


async def streams(watch, room):
    """Both kinds of streams both ways: from hello to the end, and back by the ticket."""
    for make in (Tunnel.websocket, Tunnel.lines):
        async with watch.tunnel(make) as talk:
            await talk.say({"t": "hello", "client": {"name": "Ada"}})
            welcome = await talk.hear("welcome")
            await talk.say([{"t": "join", "id": "j", "room": room}, {"t": "ping", "id": "p"}, {"t": "ping"}])
            await talk.hear("ack", id="j")
            await talk.hear("pong", id="p")
            joined = await talk.hear("joined")
            await talk.say({"t": "ack", "seq": joined["seq"], "id": "a"})
            await talk.hear("ack", id="a")
            await talk.say({"t": "leave", "id": "l", "room": "elsewhere"})
            await talk.hear("error", id="l", code="not_in_room")
            async with watch.tunnel(make) as newer:
                await newer.say({"t": "resume", "ticket": welcome["resume"], "last": f"{welcome['epoch']}.{joined['seq']}"})
                assert (await newer.hear("resumed"))["resumed"] == "yes"
                assert await talk.end() == (4001, "replaced")
                await newer.say({"t": "bye", "id": "b"})
                assert await newer.end() == (4000, "ended")
        for first, end in [({"t": "ping"}, (4400, "bad_hello")), ({"t": "resume", "ticket": "a.b"}, (4401, "bad_ticket"))]:
            async with watch.tunnel(make) as talk:
                await talk.say(first, isRight=False)
                await talk.hear("error", code=end[1])
                assert await talk.end() == end
    async with open_websocket() as websocket:
        for message in ({"t": "hello"}, {"t": "bye", "id": "b"}):
            watch.documents.check_up(message)
            await websocket.send(json.dumps(message))
        with pytest.raises(websockets.ConnectionClosed) as closed:
            while True:
                watch.documents.check_down(json.loads(await websocket.recv()))
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4000, "ended")


async def establish(http, path, peer):
    asked = asyncio.create_task(post(http, path, sdp()))
    await peer.answer(await peer.offer())
    response = await asked
    return response.headers["location"], response.headers["etag"]


async def rendezvous(watch, room):
    """Clients of WHIP and WHEP, whom a program in the room answers."""
    async with watch.session() as answering, answering.stream(), watch.http() as http:
        await answering.join(room)
        peer = Answerer(answering, room)
        for kind in ("whip", "whep"):
            path = f"/{kind}/{room}"
            resource, etag = await establish(http, path, peer)
            await patch(http, resource, fragment(), etag)
            for tag in (None, '"old"'):
                await patch(http, resource, fragment(), tag)
            await patch(http, resource, "v=0", etag)
            await patch(http, resource, fragment(), etag, content_type="text/plain")
            await patch(http, resource, "a=x\r\n" * 4000, etag)
            asked = asyncio.create_task(patch(http, resource, fragment("cccc"), "*"))
            again = await peer.offer()
            await patch(http, resource, fragment("dddd"), "*")
            await peer.answer(again, "eeee")
            await asked
            for wrong in (resource, f"{path}/{SID}"):
                await patch(http, wrong, fragment(), etag, authorization="Bearer other")
                await http.delete(wrong, headers={"authorization": "Bearer other"})
            await http.request("DELETE", resource, headers=AUTH, content=b"x")
            await http.delete(resource, headers=AUTH)
            resource, _ = await establish(http, path, peer)
            asked = asyncio.create_task(patch(http, resource, fragment("cccc"), "*"))
            await peer.say(await peer.offer(), "reject", {})
            assert (await asked).status_code == 406
            await post(http, path, "v=0")
            await post(http, path, sdp() + "a=x\r\n" * 20_000)
            await post(http, path, sdp(), content_type="text/plain")
            await post(http, path, sdp(), accept="text/html")
            await post(http, f"/{kind}/{'x' * 200}", sdp())


# What this service, as it runs here, does not come to: limits that are large, tokens and policies that it does not have.
ELSEWHERE = {"room_full", "sdp_policy", "rate_limited"}
# What operators cause, large rooms, and tokens.
EVENTS_ELSEWHERE = {"kicked", "goaway", "announcement", "occupancy", "token_expiring"}
RESPONSES_ELSEWHERE = {"GET /v1/ws 101", "GET /v1/ws 200", "POST /v1/stream 200", "POST /v1/sessions 409", "POST /v1/sessions 429",
                       "GET /v1/ice 401",
                       *(f"POST /{kind}/{{room}} {status}" for kind in ("whip", "whep") for status in (401, 409, 422, 429))}


@run
async def test_what_goes_over_the_wire_is_what_the_documents_say(room):
    watch = Watch()
    scenes = [calls, fates, moderation, mistakes, polls, streams, rendezvous]
    async with asyncio.TaskGroup() as group:
        for scene in scenes:
            group.create_task(scene(watch, f"{room}-{scene.__name__}"))

    documents, seen = watch.documents, watch.documents.seen
    definitions = documents.whole[MESSAGES]["$defs"]
    for union, direction in [("clientMessage", "up"), ("serverMessage", "down")]:
        for name in documents.definitions(union):
            if name in EVENTS_ELSEWHERE or name == "relayed":
                continue
            properties = definitions[name]["properties"]
            key = (direction, properties["t"]["const"], direction == "down" and "seq" in properties)
            assert key in seen, f"{name} is in the document, and was not seen"
    assert {(f, t) for f, t, *_ in seen if f == "up"} >= {("up", "hello"), ("up", "resume")}
    codes = {entry[1] for entry in seen if entry[0] == "code"}
    assert {code for code in definitions["errorCode"]["enum"] if not code.startswith("token_")} - ELSEWHERE <= codes
    responses = {entry[2] for entry in seen if entry[0] == "http"}
    for path, item in documents.whole[SERVICE]["paths"].items():
        for method, operation in item.items():
            for status in operation["responses"] if method != "parameters" else []:
                where = f"{method.upper()} {path} {status}"
                if status != "503" and where not in RESPONSES_ELSEWHERE:
                    assert where in responses, f"{where} is in the document, and was not seen"
