"""Streams of events, rooms, and what peers send each other."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from service import Event, Session, offer, one_session, open_http, run, sessions_on_two_loops, two_peers


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
            assert event.epoch > 1_700_000_000
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
        async with session.stream(last=session.after(2)) as reader:
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
        async with session.stream(last=session.after(1)) as reader:
            assert reader.resumed == "partial"
            assert [(await session.wait("pong")).seq for _ in range(2)] == [4, 5]


@pytest.mark.parametrize("last", ["nonsense", "{}.999999", "2.1", "{}.-1", "{}.", "{}.99999999999999999999999999"])
@run
async def test_a_last_event_id_that_is_of_no_use_does_not_resume(last):
    async with one_session() as session:
        async with session.stream(last=last.format(session.hello["epoch"])) as reader:
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
            assert await b.join(room, name="Bob") == [
                {"peer": a.sid, "moderator": True, "meta": {"name": "Ada", "color": "blue"}}
            ]
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
        kinds = ["invite", "msg", "restart_ice", "hangup"]
        sent = [offer(b.sid, room, t=kinds[n % 4], neg=n) for n in range(200)]
        for start in range(0, 200, 50):
            await a.accept(*sent[start : start + 50])
        await a.accept({"t": "leave", "room": room})
        await b.wait("peer_left")
        assert [event.message["neg"] for event in b.events if "neg" in event.message] == list(range(200))


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
            await a.accept(*[offer(b.sid, room, t="msg", neg=n) for n in range(5)])
            async with b.stream(last=b.after(1)) as reader:
                assert reader.resumed == "yes"
                assert [(await b.wait("msg")).message["neg"] for _ in range(5)] == list(range(5))


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
                await there.accept(*[offer(back.sid, room, t="msg", neg=n) for n in range(60)])
                assert [(await back.wait("msg")).message["neg"] for _ in range(60)] == list(range(60))
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
