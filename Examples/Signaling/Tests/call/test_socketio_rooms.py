"""Socket.IO's clients in the rooms of all: python-socketio's client beside a session with server-sent events."""

import asyncio

import pytest

from service import URL, offer, one_session, run
from socketio_client import SocketIOClient

TRANSPORTS = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": None}


class Peer(SocketIOClient):
    """A session over Socket.IO."""

    def __init__(self, transports, auth=None):
        super().__init__(URL, transports, auth)
        self.hello = None

    def hear(self, event: str) -> dict:
        return super().hear(event)[1]

    @classmethod
    def enter(cls, transports, room: str, **meta) -> "Peer":
        peer = cls(transports)
        peer.hello = peer.hear("welcome")
        assert peer.ask("join", {"room": room, "body": meta}) == {"ok": True}
        return peer

    @property
    def sid(self) -> str:
        return self.hello["sid"]


async def to_thread(body, *arguments, **named):
    return await asyncio.to_thread(body, *arguments, **named)


@pytest.mark.parametrize("transport", TRANSPORTS)
@run
async def test_a_client_and_a_session_of_another_transport_meet_in_a_room(transport, room):
    async with one_session() as ada, ada.stream():
        await ada.join(room, name="Ada")
        bob = await to_thread(Peer.enter, TRANSPORTS[transport], room, name="Bob")
        members = (await to_thread(bob.hear, "joined"))["members"]
        assert [member["meta"]["name"] for member in members] == ["Ada"]
        assert (await ada.wait("peer_joined", peer=bob.sid)).message["meta"] == {"name": "Bob"}

        call = {"room": room, "call": "k", "neg": 1}
        await ada.accept(offer(bob.sid, room, note="ü€😀"))
        got = await to_thread(bob.hear, "offer")
        assert (got["t"], got["from"], got["body"], got["note"]) == (
            "offer", {"peer": ada.sid}, {"sdp": "v=0"}, "ü€😀")
        back = {**call, "to": {"peer": ada.sid}}
        assert await to_thread(bob.ask, "answer", {**back, "body": {"sdp": "v=1"}}) == {"ok": True}
        assert (await ada.wait("answer")).message["body"] == {"sdp": "v=1"}

        for number in range(30):
            bob.emit("msg", {"room": room, "body": number, "to": {"peer": ada.sid}})
        assert [(await ada.wait("msg")).message["body"] for _ in range(30)] == list(range(30))
        await ada.accept(*({"t": "msg", "room": room, "body": number} for number in range(30)))
        heard = [await to_thread(bob.hear, "msg") for _ in range(30)]
        assert [each["body"] for each in heard] == list(range(30))
        assert [each["seq"] for each in heard] == list(range(heard[0]["seq"], heard[0]["seq"] + 30))

        candidates = {"candidates": [{"candidate": ""}], "ufrag": "u"}
        await ada.accept({"t": "candidates", **call, "to": {"peer": bob.sid}, "body": candidates})
        assert (await to_thread(bob.hear, "candidates"))["body"] == candidates
        assert await to_thread(bob.ask, "candidates", {**back, "body": candidates}) == {"ok": True}
        assert (await ada.wait("candidates")).message["body"] == candidates

        if transport == "polling":
            await to_thread(bob.close)
        else:
            # This client's WebSocket closes before its disconnect is sent.
            assert await to_thread(bob.ask, "bye", {}) == {"ok": True}
            assert (await to_thread(bob.hear, "end"))["reason"] == "ended"
            assert await to_thread(bob.ended.wait, 20)
        assert (await ada.wait("peer_left", peer=bob.sid)).message["reason"] == "bye"


def test_the_acknowledgement_says_why_a_message_was_refused(room):
    peer = Peer.enter(["websocket"], room)
    try:
        for event, message, code in [
            ("msg", {"room": "elsewhere", "body": 1}, "not_in_room"),
            ("nonsense", {}, "unknown_type"),
            ("offer", {"room": room}, "bad_message"),
            ("msg", {"t": "msg", "room": room}, "bad_json"),
            ("msg", [1], "bad_message"),
            ("msg", {"bytes": b"1"}, "bad_message"),
        ]:
            error = peer.ask(event, message)["error"]
            assert error["code"] == code and error["detail"], event
        assert peer.ask("ping", {}) == {"ok": True}
        assert not peer.ended.is_set()
    finally:
        peer.close()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_bad_ticket_is_a_connect_error(transport):
    peer = Peer(TRANSPORTS[transport], {"resume": "nonsense"})
    error = peer.hear("connect_error")
    assert error["message"] == error["data"]["code"] == "bad_ticket" and error["data"]["detail"]
    peer.close()


@pytest.mark.parametrize("transport", ["polling", "websocket"])
@run
async def test_a_client_that_comes_back_with_its_ticket_has_missed_nothing(transport, room):
    async with one_session() as ada, ada.stream():
        await ada.join(room)
        bob = await to_thread(Peer.enter, [transport], room)
        await ada.accept({"t": "msg", "room": room, "body": "before"})
        seq = (await to_thread(bob.hear, "msg"))["seq"]
        # Cut off without a word of Socket.IO's.
        await to_thread(bob.abort)
        await ada.accept({"t": "msg", "room": room, "body": "meanwhile"})
        auth = {"resume": bob.hello["resume"], "last": f"{bob.hello['epoch']}.{seq}"}
        back = await to_thread(Peer, [transport], auth)
        resumed = await to_thread(back.hear, "resumed")
        assert (resumed["sid"], resumed["resumed"]) == (bob.sid, "yes")
        got = await to_thread(back.hear, "msg")
        assert (got["body"], got["seq"]) == ("meanwhile", seq + 1)
        assert await to_thread(back.ask, "msg", {"room": room, "body": "here"}) == {"ok": True}
        assert (await ada.wait("msg")).message["from"] == {"peer": bob.sid}
        assert not [each for each in ada.events if each.message["t"] == "peer_left"]
        await to_thread(back.close)
