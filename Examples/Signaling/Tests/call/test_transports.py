"""One session over every transport, by clients that others wrote: websockets, h2 with wsproto, and httpx."""

import asyncio
import json

import pytest
import websockets
from wsproto.events import BytesMessage

from service import URL, Session, code_of, offer, one_session, open_http, run
from tunnel import PROTOCOL, Tunnel, tls


def open_websocket(*more):
    address = URL.replace("https", "wss") + "/v1/ws"
    return websockets.connect(address, ssl=tls("http/1.1"), subprotocols=[PROTOCOL, *more])


async def until(websocket, t, **wanted):
    """The next message of type `t`; those before it are left out."""
    async with asyncio.timeout(10):
        while True:
            message = json.loads(await websocket.recv())
            if message["t"] == t and all(message.get(key) == value for key, value in wanted.items()):
                return message


async def say(websocket, *messages):
    for message in messages:
        await websocket.send(json.dumps(message))


@run
async def test_a_websocket_says_hello_and_is_answered(room):
    async with open_websocket() as websocket:
        assert websocket.subprotocol == PROTOCOL
        await say(websocket, {"t": "hello", "client": {"name": "Ada"}})
        welcome = await until(websocket, "welcome")
        assert welcome["transports"] == ["websocket", "stream", "sse", "ndjson", "poll"]
        await say(websocket, [{"t": "join", "id": "j", "room": room}, {"t": "ping", "id": "p"}])
        await until(websocket, "ack", id="j")
        assert "seq" not in await until(websocket, "pong", id="p")
        await say(websocket, {"t": "what", "id": "w"})
        assert (await until(websocket, "error", id="w"))["code"] == "unknown_type"


@pytest.mark.parametrize("make", [Tunnel.websocket, Tunnel.lines], ids=["websocket", "stream"])
def test_streams_of_http2_say_hello_and_are_answered(make, room):
    tunnel = make()
    assert tunnel.head[":status"] == "200"
    tunnel.send({"t": "hello"})
    assert tunnel.until("welcome")["sid"]
    tunnel.send([{"t": "join", "id": "j", "room": room}, {"t": "ping", "id": "p"}])
    assert tunnel.until("joined", room=room)["seq"] == 1
    tunnel.until("ack", id="j")
    tunnel.until("pong", id="p")
    tunnel.leave()


@pytest.mark.parametrize("make", [Tunnel.websocket, Tunnel.lines], ids=["websocket", "stream"])
@pytest.mark.parametrize("first, end", [
    ({"t": "ping"}, (4400, "bad_hello")),
    ({"t": "resume", "ticket": "a.b"}, (4401, "bad_ticket")),
], ids=["no-hello", "bad-ticket"])
def test_a_stream_that_begins_wrong_ends_with_its_code(make, first, end):
    tunnel = make()
    tunnel.send(first)
    assert tunnel.until("error")["code"] == end[1]
    assert tunnel.end() == end
    tunnel.leave()


def test_a_binary_frame_and_a_long_line_are_refused():
    websocket, lines = Tunnel.websocket(), Tunnel.lines()
    websocket.send_bytes(websocket.frames.send(BytesMessage(b"{}")))
    assert websocket.end() == (4415, "unsupported_media_type")
    for _ in range(5):
        lines.send_bytes(b"x" * 16_000)
    assert lines.end() == (4413, "too_large")
    websocket.leave()
    lines.leave()


@run
async def test_a_token_may_come_as_a_subprotocol_and_one_must_be_offered():
    async with open_websocket("bearer.secret") as websocket:
        assert websocket.subprotocol == PROTOCOL
    with pytest.raises(websockets.InvalidStatus) as refused:
        await websockets.connect(URL.replace("https", "wss") + "/v1/ws", ssl=tls("http/1.1"))
    assert refused.value.response.status_code == 400


@run
async def test_a_stream_both_ways_needs_its_media_type():
    async with open_http() as http:
        assert code_of(await http.post("/v1/stream", json={}), 415) == "unsupported_media_type"


@run
async def test_a_poll_waits_for_events(room):
    async with one_session() as session:
        async def poll(since, wait):
            headers = {**session.auth, "accept": "application/json"}
            response = await session.http.get(f"{session.path}/events?since={since}&wait={wait}", headers=headers)
            assert response.status_code == 200, response.text
            return response
        start = f"{session.hello['epoch']}.0"
        first = await poll(start, 0)
        assert first.json() == {"epoch": session.hello["epoch"], "last": start, "events": []}
        assert first.headers["signal-resumed"] == "yes"
        waiting = asyncio.create_task(poll(start, 20))
        await session.accept({"t": "join", "room": room})
        answer = (await waiting).json()
        assert [event["t"] for event in answer["events"]] == ["joined"]
        assert (await poll(answer["last"], 0)).json()["events"] == []


@run
async def test_a_session_walks_over_every_transport_with_nothing_lost_or_doubled(room):
    async with open_http() as http, one_session() as talker:
        await talker.accept({"t": "join", "room": room})
        session = await Session.create(http)
        await session.accept({"t": "join", "room": room})
        epoch, ticket, last, heard, number = session.hello["epoch"], session.hello["resume"], 0, [], 0
        events = f"{session.path}/events"

        async def talk():
            nonlocal number
            for _ in range(3):
                number += 1
                await talker.accept(offer(session.sid, room, call=f"k{number}", neg=number))

        def take(message):
            nonlocal last
            if "seq" not in message:
                return
            assert message["seq"] == last + 1, "something is lost or came twice"
            last = message["seq"]
            if message["t"] == "offer":
                heard.append(message["neg"])

        def since():
            return f"{epoch}.{last}"

        for _ in range(2):
            async with open_websocket() as websocket:
                await say(websocket, {"t": "resume", "ticket": ticket, "last": since()})
                assert (await until(websocket, "resumed"))["resumed"] == "yes"
                await talk()
                while number not in heard:
                    take(json.loads(await websocket.recv()))
                await talk()
            for make in [Tunnel.websocket, Tunnel.lines]:
                tunnel = await asyncio.to_thread(make)
                tunnel.send({"t": "resume", "ticket": ticket, "last": since()})
                assert (await asyncio.to_thread(tunnel.until, "resumed"))["resumed"] == "yes"
                await talk()
                while number not in heard:
                    while not tunnel.messages:
                        await asyncio.to_thread(tunnel.read)
                    take(tunnel.messages.pop(0))
                tunnel.leave()
                await talk()
            for accept in ["application/x-ndjson", "text/event-stream"]:
                headers = {**session.auth, "accept": accept, "last-event-id": since()}
                async with open_http() as other, other.stream("GET", events, headers=headers) as response:
                    assert response.headers["signal-resumed"] == "yes"
                    await talk()
                    rest = b""
                    async for chunk in response.aiter_raw():
                        *lines, rest = (rest + chunk).split(b"\n")
                        for line in lines:
                            line = line.removeprefix(b"data: ")
                            if line.startswith(b"{"):
                                take(json.loads(line))
                        if number in heard:
                            break
                await talk()
            headers = {**session.auth, "accept": "application/json"}
            while number not in heard:
                response = await http.get(f"{events}?since={since()}&wait=5", headers=headers)
                assert response.headers["signal-resumed"] == "yes"
                for message in response.json()["events"]:
                    take(message)
        assert heard == list(range(1, number + 1))
        await session.bye()
