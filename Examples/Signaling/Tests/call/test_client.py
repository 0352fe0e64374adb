"""The client module in pages of a real Chromium: calls that ring, offers that cross, a transport that is refused."""

import time
from random import Random

import pytest

from service import URL

# A call without media, in a page that does nothing else.
RIG = """async ([room, name, mesh]) => {
  const { Call, SignalingClient } = await import("/signaling.js");
  const client = new SignalingClient();
  const call = new Call({ client, room, mesh });
  const rig = (window.rig = { client, call, ended: [] });
  call.on("peer_ended", ({ reason }) => rig.ended.push(reason));
  rig.states = () => [...call.peers.values()].map(({ pc }) => `${pc.connectionState} ${pc.signalingState}`);
  await client.connect();
  await client.join(room, { name });
  return client.sid;
}"""


class Rig:
    def __init__(self, party, room: str, name: str, mesh: bool = False):
        self.party, self.page = party, party.page
        self.page.goto(URL)
        self.sid = self.page.evaluate(RIG, [room, name, mesh])

    def do(self, code: str):
        return self.page.evaluate(f"() => rig.{code}")

    def until(self, condition: str):
        for _ in range(300):
            if self.page.evaluate(f"() => Boolean({condition})"):
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"{self.party.name}: not {condition}: {self.do('states()')} {self.do('ended')}")

    def until_connected(self, peers: int = 1):
        self.until(f"rig.states().filter(state => state === 'connected stable').length === {peers}")


@pytest.fixture
def rigs(party, room):
    made = [Rig(party(name), room, name) for name in ("Ada", "Bob")]
    for rig in made:
        rig.until("[...rig.client.rooms.values()][0]?.size === 1")
    return made


def test_a_call_rings_is_answered_and_hung_up(rigs):
    ada, bob = rigs
    ada.do("call.start()")
    bob.until("rig.call.state === 'incoming'")
    bob.do("call.accept()")
    for rig in rigs:
        rig.until_connected()
    bob.do("call.hangup()")
    for rig in rigs:
        rig.until("rig.call.state === 'idle'")
    assert ada.do("ended") == ["hangup"]


def test_a_call_is_declined_or_taken_back_while_it_rings(rigs):
    ada, bob = rigs
    ada.do("call.start()")
    bob.until("rig.call.state === 'incoming'")
    bob.do("call.hangup()")
    ada.until("rig.call.state === 'idle'")
    assert ada.do("ended") == ["declined"]
    ada.do("call.start()")
    bob.until("rig.call.state === 'incoming'")
    ada.do("call.hangup()")
    bob.until("rig.call.state === 'idle'")


def test_of_several_devices_the_first_that_answers_gets_the_call(party, room):
    ada, phone, desk = (Rig(party(name), room, name) for name in ("Ada", "Phone", "Desk"))
    ada.until("[...rig.client.rooms.values()][0]?.size === 2")
    ada.page.evaluate("(sids) => rig.call.start(sids, { first: true })", [phone.sid, desk.sid])
    for rig in (phone, desk):
        rig.until("rig.call.state === 'incoming'")
    phone.do("call.accept()")
    for rig in (ada, phone):
        rig.until_connected()
    desk.until("rig.call.state === 'idle'")
    assert desk.do("ended") == ["answered_elsewhere"]
    assert ada.do("call.peers.size") == 1 and phone.do("ended") == []


def test_two_who_call_each_other_at_once_are_in_one_call_every_time(rigs):
    at_once = "() => void setTimeout(() => rig.call.start(), 400 - (Date.now() % 400))"
    for _ in range(5):
        for rig in rigs:
            rig.page.evaluate(at_once)
        for rig in rigs:
            rig.until_connected()
        rigs[0].do("call.hangup()")
        for rig in rigs:
            rig.until("rig.call.state === 'idle'")


RESTART_AT = """(at) => {
  const peer = [...rig.call.peers.values()][0];
  setTimeout(() => peer.restartIce(), Math.max(0, at - Date.now()));
}"""
# The names of the ICE sessions of the two sides, once nothing is open.
SETTLED = """async (seconds) => {
  const { pc } = [...rig.call.peers.values()][0];
  const name = (description) => /^a=ice-ufrag:(.*?)\\r?$/m.exec(description?.sdp ?? "")?.[1] ?? "";
  const end = Date.now() + seconds * 1000;
  while (pc.signalingState !== "stable" && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
  return [name(pc.localDescription), name(pc.remoteDescription)];
}"""


def test_a_hundred_races_of_offers_that_cross_converge(rigs):
    ada, bob = rigs
    ada.do("call.start()")
    bob.until("rig.call.state === 'incoming'")
    bob.do("call.accept()")
    for rig in rigs:
        rig.until_connected()
    random, agreed = Random(1), ada.page.evaluate(SETTLED, 10)
    for number in range(100):
        at = time.time() * 1000 + 30
        for rig in rigs:
            rig.page.evaluate(RESTART_AT, at + random.choice([0, 0, 0, 2, 5, 10]))
        deadline = time.monotonic() + 20
        while True:
            one, other = (rig.page.evaluate(SETTLED, 10) for rig in rigs)
            # Both have restarted ICE, and each has what the other says of itself.
            if one == other[::-1] and one[0] != agreed[0] and one[1] != agreed[1]:
                break
            assert time.monotonic() < deadline, f"race {number}: {one} {other} {[rig.do('states()') for rig in rigs]}"
        agreed = one
    for rig in rigs:
        rig.until_connected()
        assert rig.do("ended") == []
    crossed = [rig.page.evaluate("() => [...rig.call.peers.values()][0].glare") for rig in rigs]
    assert sum(crossed) >= 10, f"hardly any offers crossed: {crossed}"


def test_where_a_websocket_is_refused_events_come_as_a_stream(party, room):
    refuse = """{
      const Real = WebSocket;
      window.WebSocket = class extends Real {
        constructor(url, protocols) { super(url.replace("/v1/ws", "/v1/nothing"), protocols); }
      };
    }"""
    ada, bob = party("Ada"), party("Bob").enter(room)
    ada.page.add_init_script(refuse)
    ada.enter(room)
    assert ada.snapshot()["transport"] == "sse"
    ada.until_video()
    bob.until_video()
    ada.forgive("WebSocket")
