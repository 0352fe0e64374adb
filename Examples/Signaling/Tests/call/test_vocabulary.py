"""Clients that speak the vocabulary of channels, rooms and users, among themselves and beside a session of another kind."""

import asyncio
import threading
from urllib.parse import urlencode

import pytest

from service import URL, one_session, run
from socketio_client import SocketIOClient

SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
CANDIDATE = {"candidate": "candidate:1 1 udp 1 192.0.2.7 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0}


class Client(SocketIOClient):
    """One that is let in without a word: the vocabulary has none for it."""

    def __init__(self, transports=("websocket",), **query):
        self.entered = threading.Event()
        super().__init__(f"{URL}/?{urlencode(query)}", list(transports))
        assert self.entered.wait(20)

    async def _made(self):
        client = await super()._made()
        client.on("connect", self.entered.set)
        return client


class User(Client):
    """A user with a connection for its calls."""

    def __init__(self, name: str, room: str, transports=("websocket",), **query):
        self.name = name
        fields = {"userid": name, "sessionid": room, "msgEvent": "call", "socketCustomEvent": "shout", **query}
        super().__init__(transports, **fields)

    @classmethod
    def entering(cls, event: str, name: str, room: str, **query) -> "User":
        user = cls(name, room, **query)
        assert user.ask(event, {"sessionid": room, "session": {"audio": True}, "extra": {"name": name.title()}}) is True
        return user

    def say(self, to: str, message):
        self.emit("call", {"remoteUserId": to, "message": message, "sender": self.name})

    def gets(self, sender: str, message, extra):
        expected = {"remoteUserId": self.name, "message": message, "sender": sender, "extra": extra}
        assert self.hear("call") == ["call", expected]


class Page(Client):
    """The other connection of a page: it has no query, and knows channels alone."""

    def says(self, event: str, channel: str, sender: str, answer: str, **more):
        self.emit(event, {"channel": channel, "sender": sender, **more})
        return self.hear(answer)[1]


@pytest.fixture
def clients():
    made: list[SocketIOClient] = []
    yield lambda client: made.append(client) or client
    for client in made:
        client.close()


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_two_users_exchange_offer_answer_and_candidates(clients, room, transport):
    ada = clients(User("ada", room, [transport]))
    nobody = {"_room": {"isFull": False, "isPasswordProtected": False}}
    assert ada.ask("check-presence", room) == (False, room, nobody)
    assert ada.ask("open-room", {"sessionid": room, "extra": {"name": "Ada"}, "password": ""}) is True
    bob = clients(User("bob", room, [transport]))
    assert bob.ask("check-presence", room) == (True, room, {"name": "Ada", **nobody})
    assert bob.ask("join-room", {"sessionid": room, "extra": {"name": "Bob"}}) is True
    assert bob.hear("user-connected") == ["user-connected", "ada"]
    assert ada.hear("user-connected") == ["user-connected", "bob"]

    bob.say(room, {"newParticipationRequest": True, "isDataOnly": False})
    ada.gets("bob", {"newParticipationRequest": True, "isDataOnly": False}, {"name": "Bob"})
    ada.say("bob", {"type": "offer", "sdp": SDP, "renegotiatingPeer": False})
    bob.gets("ada", {"type": "offer", "sdp": SDP, "renegotiatingPeer": False}, {"name": "Ada"})
    bob.say("ada", {"type": "answer", "sdp": SDP})
    ada.gets("bob", {"type": "answer", "sdp": SDP}, {"name": "Bob"})
    for number in range(3):
        bob.say("ada", {**CANDIDATE, "sdpMLineIndex": number})
    for number in range(3):
        ada.gets("bob", {**CANDIDATE, "sdpMLineIndex": number}, {"name": "Bob"})
    ada.say("nobody", {"type": "offer", "sdp": SDP})
    assert ada.hear("user-not-found") == ["user-not-found", "nobody"]

    bob.close()
    assert ada.hear("user-disconnected") == ["user-disconnected", "bob"]


@run
async def test_a_user_and_a_session_of_another_kind_meet_in_a_room(room):
    async with one_session() as plain, plain.stream():
        await plain.join(room, name="Plain")
        ada = await asyncio.to_thread(User.entering, "join-room", "ada", room)
        joined = (await plain.wait("peer_joined")).message
        assert joined["meta"] == {"userid": "ada", "extra": {"name": "Ada"}}
        assert await asyncio.to_thread(ada.hear, "user-connected") == ["user-connected", plain.sid]
        sid, place = joined["peer"], {"room": room, "to": {"peer": joined["peer"]}}

        ada.say(plain.sid, {"type": "offer", "sdp": SDP})
        heard = (await plain.wait("offer")).message
        assert heard["from"] == {"peer": sid} and heard["body"] == {"type": "offer", "sdp": SDP}
        await plain.accept({"t": "answer", **place, "body": {"sdp": SDP}})
        await asyncio.to_thread(ada.gets, plain.sid, {"sdp": SDP, "type": "answer"}, {"name": "Plain"})
        ada.say(plain.sid, CANDIDATE)
        assert (await plain.wait("candidates")).message["body"] == {"candidates": [CANDIDATE]}
        others = [{**CANDIDATE, "sdpMid": mid} for mid in "12"]
        await plain.accept({"t": "candidates", **place, "body": {"candidates": others}})
        for other in others:
            await asyncio.to_thread(ada.gets, plain.sid, other, {"name": "Plain"})
        await plain.accept({"t": "msg", "room": room, "body": ["to", "all"]})
        await asyncio.to_thread(ada.gets, plain.sid, ["to", "all"], {"name": "Plain"})
        await plain.accept({"t": "hangup", **place})
        assert await asyncio.to_thread(ada.hear, "user-disconnected") == ["user-disconnected", plain.sid]

        # It cannot come back, so it is gone at once.
        await asyncio.to_thread(ada.abort)
        assert (await plain.wait("peer_left", peer=sid)).message["reason"] == "bye"


def test_channels_are_opened_joined_and_full(clients, room):
    ada, bob, eve = (clients(Page()) for _ in range(3))
    ada.emit("presence", {"channel": room})
    assert ada.hear("presence") == ["presence", False]
    refused = {"status": False, "msgtype": "error", "msg": "Sorry cant join this channel"}
    assert bob.says("join-channel", room, "bob", "join-channel-resp") == refused
    assert ada.says("open-channel", room, "ada", "open-channel-resp", maxAllowed=2) == {"status": True, "channel": room}
    bob.emit("presence", {"channel": room})
    assert bob.hear("presence") == ["presence", True]
    users = {"status": True, "channel": room, "users": ["ada", "bob"]}
    assert bob.says("join-channel", room, "bob", "join-channel-resp", extra={"role": "participant"}) == users
    data = {"channel": room, "sender": "bob", "extra": {"role": "participant"}}
    event = {"status": True, "type": "new-join", "msgtype": "success", "data": data}
    assert ada.hear("channel-event") == ["channel-event", event]
    assert eve.says("join-channel", room, "eve", "join-channel-resp") == refused
    assert ada.hear("channel-event")[1]["msgtype"] == "error"

    # The connection for the calls of a user that has opened the channel by another.
    calls = clients(User("ada", room))
    assert calls.ask("check-presence", room)[0] is True
    assert calls.ask("open-room", {"sessionid": room}) is True
    bob.emit("update-channel", {"type": "change-userid", "channel": room, "extra": {"old": "bob", "new": "rob"}})
    assert [calls.hear("user-connected")[1] for _ in range(2)] == ["bob", "rob"]


def test_what_users_say_of_themselves(clients, room):
    ada = clients(User.entering("open-room", "ada", room))
    bob = clients(User.entering("join-room", "bob", room, extra='{"name":"B"}'))
    ada.emit("extra-data-updated", {"name": "Ada", "muted": True})
    assert bob.hear("extra-data-updated") == ["extra-data-updated", "ada", {"name": "Ada", "muted": True}]
    assert bob.ask("get-remote-user-extra-data", "ada") == {"name": "Ada", "muted": True}
    assert bob.ask("get-remote-user-extra-data", "eve") == "User ID does not exist"
    ada.emit("become-a-public-moderator")
    while not (moderators := bob.ask("get-public-moderators", "a")):
        pass
    assert moderators == [{"userid": "ada", "extra": {"name": "Ada", "muted": True}}]
    ada.emit("shout", {"hello": "all"})
    assert bob.hear("shout") == ["shout", {"hello": "all"}]
    assert ada.ask("disconnect-with", "bob") is None
    assert bob.hear("user-disconnected") == ["user-disconnected", "ada"]
    assert ada.hear("user-disconnected") == ["user-disconnected", "bob"]

    # A name is whose it was first.
    eve = clients(User.entering("join-room", "ada", room))
    taken, other = eve.hear("userid-already-taken")[1:]
    assert taken == "ada" and bob.hear("user-connected")[1] == "ada" and bob.hear("user-connected")[1] == other
    bob.say("ada", "hello")
    ada.gets("bob", "hello", {"name": "Bob"})
    eve.name = other
    bob.say(other, "you")
    eve.gets("bob", "you", {"name": "Bob"})


def test_a_user_that_takes_a_rooms_name_is_reached_by_it(clients, room):
    moderator = clients(User("ada", room))
    assert moderator.ask("changed-uuid", room) is None
    bob = clients(User("bob", room))
    assert bob.ask("check-presence", room)[:2] == (True, room)
    bob.say(room, {"newParticipationRequest": True})
    moderator.name = room
    moderator.gets("bob", {"newParticipationRequest": True}, {})
    moderator.say("bob", {"type": "offer", "sdp": SDP})
    bob.gets(room, {"type": "offer", "sdp": SDP}, {})
    bob.say(f"{room}-2", {"newParticipationRequest": True})
    assert bob.hear("user-not-found") == ["user-not-found", f"{room}-2"]


def test_a_locked_room_opens_by_its_password_alone(clients, room):
    ada = clients(User("ada", room))
    assert ada.ask("open-room", {"sessionid": room, "password": "sesame"}) is True
    bob, eve = clients(User("bob", room)), clients(User("eve", room))
    assert bob.ask("check-presence", room)[2]["_room"]["isPasswordProtected"] is True
    assert bob.ask("join-room", {"sessionid": room}) == (False, "Invalid password")
    request = {"remoteUserId": room, "message": {"newParticipationRequest": True}, "sender": "bob"}
    bob.emit("call", request)
    assert bob.hear("join-with-password") == ["join-with-password", room]
    bob.emit("call", {**request, "password": "x"})
    assert bob.hear("invalid-password") == ["invalid-password", room, "x"]
    bob.emit("call", {**request, "password": "sesame"})
    ada.gets("bob", {"newParticipationRequest": True}, {})
    for number in range(6):
        eve.emit("call", {**request, "sender": "eve", "password": f"{number}"})
    assert eve.hear("password-max-tries-over") == ["password-max-tries-over", room]

    assert bob.ask("set-password", "bobs") == (False, room, "Session permission denied")
    assert ada.ask("set-password", "") == (True, room, None)
    assert bob.ask("check-presence", room)[2]["_room"]["isPasswordProtected"] is False


def test_the_moderator_closes_the_room(clients, room):
    page = clients(Page())
    assert page.says("open-channel", room, "ada", "open-channel-resp")["status"] is True
    # The connection of the channel was there first, but it is the other that moderates.
    ada = clients(User.entering("open-room", "ada", room))
    bob = clients(User.entering("join-room", "bob", room))
    assert bob.ask("close-entire-session") == (False, "Session permission denied")
    assert ada.ask("close-entire-session") is True
    assert bob.hear("closed-entire-session")[:2] == ["closed-entire-session", room]
    assert ada.hear("user-disconnected") == ["user-disconnected", "bob"]
    assert ada.ask("check-presence", room)[0] is False
    assert ada.ask("close-entire-session") == (False, "Did not join any Session yet")


def test_channels_and_users_can_be_asked_for(clients, room):
    page = clients(Page())
    assert page.says("open-channel", room, "ada", "open-channel-resp")["status"] is True
    page.emit("admin_enquire", {"ask": "channels", "format": "list"})
    answer = page.hear("response_to_admin_enquire")[1]
    assert (answer["response"], answer["format"]) == ("all", "list") and isinstance(answer["channelinfo"], list)
    page.emit("admin_enquire", {"ask": "channels", "find": room})
    channel = page.hear("response_to_admin_enquire")[1]["channelinfo"]
    assert (channel["channel"], channel["status"], len(channel["users"])) == (room, "waiting", 1)
    page.emit("admin_enquire", {"ask": "nonsense"})
    assert page.hear("response_to_admin_enquire")[1] == "no case matched "
