"""The client module in pages of a real Chromium: calls that ring, offers that cross, a transport that is refused."""

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


def test_offers_that_cross_are_settled(rigs):
    ada, bob = rigs
    ada.do("call.start()")
    bob.until("rig.call.state === 'incoming'")
    bob.do("call.accept()")
    for rig in rigs:
        rig.until_connected()
    restart = "() => void setTimeout(() => [...rig.call.peers.values()][0].restartIce(), 300 - (Date.now() % 300))"
    for _ in range(8):
        for rig in rigs:
            rig.page.evaluate(restart)
        ada.page.wait_for_timeout(450)
    for rig in rigs:
        rig.until_connected()
    crossed = [rig.page.evaluate("() => [...rig.call.peers.values()][0].glare") for rig in rigs]
    assert sum(crossed) > 0, "no offers crossed"


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
