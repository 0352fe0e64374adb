"""The types of messages, and what the service promises of them."""

from contextlib import AsyncExitStack

import pytest

from service import Session, offer, open_http, run, two_peers

RELAYED = ["invite", "offer", "answer", "pranswer", "candidates", "reject", "hangup", "restart_ice", "msg"]


@pytest.mark.parametrize("t", RELAYED)
@run
async def test_every_relayed_type_arrives(room, t):
    async with two_peers(room) as (a, b):
        message = {"t": t, "to": {"peer": b.sid}, "room": room, "body": {"x": [1]}}
        await a.accept(message)
        got = (await b.wait(t)).message
        assert got["from"] == {"peer": a.sid} and got["body"] == message["body"]


@run
async def test_a_message_to_the_room_reaches_all_others(room):
    async with two_peers(room) as (a, b), AsyncExitStack() as stack:
        c = await Session.create(await stack.enter_async_context(open_http()))
        await stack.enter_async_context(c.stream())
        await c.join(room)
        await a.accept({"t": "msg", "room": room, "body": {"text": "hi"}})
        for peer in (b, c):
            assert (await peer.wait("msg")).message["body"] == {"text": "hi"}
        await c.bye()


@run
async def test_presence_is_updated(room):
    async with two_peers(room) as (a, b):
        await a.accept({"t": "presence_set", "room": room, "body": {"muted": True}})
        assert (await b.wait("peer_updated", peer=a.sid)).message["meta"] == {"muted": True}


@run
async def test_bye_as_a_message_ends_the_session(room):
    async with two_peers(room) as (a, b):
        await b.accept(offer(a.sid, room, t="hangup"), {"t": "bye"})
        await a.wait("hangup")
        assert (await a.wait("peer_left", peer=b.sid)).message["reason"] == "bye"
        assert (await b.post({"t": "ping"})).status_code == 404


@run
async def test_of_crossing_offers_the_polite_one_gives_way(room):
    async with two_peers(room) as (a, b):
        polite, other = sorted((a, b), key=lambda session: session.sid)
        await polite.accept(offer(other.sid, room))
        await other.accept(offer(polite.sid, room))
        glare = (await polite.wait("glare")).message
        assert glare["to"] == {"peer": other.sid} and glare["neg"] == 1 and glare["of"] == "offer"
        await polite.wait("offer")
        await polite.accept(offer(other.sid, room, t="answer"))
        await other.wait("answer")


@run
async def test_candidates_wait_for_their_description(room):
    async with two_peers(room) as (a, b):
        body = {"candidates": [{"candidate": "c"}], "ufrag": "u"}
        await a.accept(offer(b.sid, room, t="candidates", body=body))
        await a.accept(offer(b.sid, room, body={"sdp": "v=0\r\na=ice-ufrag:u\r\n"}))
        await b.wait("candidates")
        assert [event.message["t"] for event in b.events if event.message["t"] == "offer"] == ["offer"]
        await a.accept(offer(b.sid, room, neg=2, body={"sdp": "v=0\r\na=ice-ufrag:w\r\n"}))
        assert await a.refuse(offer(b.sid, room, t="candidates", body=body)) == "stale"


@run
async def test_a_message_expires_and_a_newer_offer_takes_the_place_of_an_older_one(room):
    async with open_http() as http:
        a, b = await Session.create(http), await Session.create(http)
        async with a.stream():
            async with b.stream():
                await a.join(room)
                await b.join(room)
            await a.accept(
                {**offer(b.sid, room, t="msg", ttl=1), "id": "late"},
                {**offer(b.sid, room, neg=1), "id": "old"},
                {**offer(b.sid, room, neg=2), "id": "new"},
            )
            assert (await a.wait("superseded")).message["id"] == "old"
            assert (await a.wait("expired")).message["id"] == "late"
            async with b.stream(last=f"{b.hello['epoch']}.1"):
                assert (await b.wait("offer")).message["id"] == "new"
                assert b.events == []


@run
async def test_a_receipt_follows_the_ack(room):
    async with two_peers(room) as (a, b):
        await a.accept({**offer(b.sid, room, t="msg", receipt=True), "id": "r"})
        event = await b.wait("msg")
        await b.accept({"t": "ack", "seq": event.seq})
        assert (await a.wait("delivered")).message["id"] == "r"
