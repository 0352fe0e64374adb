"""Calls that go on whatever happens to the connections to the service, and to the service."""

import pytest

from member import KINDS
from outage import connections_to, own_service
from robot import RoamingRobot
from service import URL

# Makes an offer although nothing has changed.
NEGOTIATE = "() => heliograph.app.call.peers.values().next().value.pc.onnegotiationneeded()"

RESTART_ICE = "() => heliograph.app.call.peers.values().next().value.restartIce()"
# The name of the ICE session of one side, as it has it and as the other side has it.
UFRAGS = """() => {
  const { pc } = heliograph.app.call.peers.values().next().value;
  const of = (description) => /^a=ice-ufrag:(.*?)\\r?$/m.exec(description.sdp)[1];
  return [of(pc.localDescription), of(pc.remoteDescription)];
}"""
LISTEN = """() => {
  heliograph.heard = [];
  heliograph.app.client.on("hangup", ({ call }) => heliograph.heard.push(call));
}"""
# Messages of a call that nobody knows: they arrive, and change nothing.
TELL = """([from, to]) => {
  const { client, room } = heliograph.app;
  const [peer] = client.rooms.get(room).keys();
  for (let n = from; n < to; n += 1) client.send({ t: "hangup", to: { peer }, room, call: `test-${n}`, body: {} });
}"""


@pytest.mark.parametrize("transports", [("websocket", "poll"), ("sse", "websocket")], ids="-".join)
def test_a_call_survives_cut_connections_in_the_middle_of_negotiation(party, room, transports):
    with connections_to(URL) as network:
        pair = ada, bob = [party(n, url=network.url, transports=t) for n, t in zip(("Ada", "Bob"), transports)]
        for each, transport in zip(pair, transports):
            each.enter(room)
            assert each.snapshot()["transport"] == transport
        for each in pair:
            each.until_video()
            each.page.evaluate(LISTEN)
        sids = [each.snapshot()["sid"] for each in pair]
        before = ada.page.evaluate(UFRAGS)
        streams = [each.snapshot()["streams"] for each in pair]
        for each in pair:
            each.page.evaluate(TELL, [0, 20])
        ada.page.evaluate(RESTART_ICE)
        network.cut()
        for each in pair:
            each.page.evaluate(TELL, [20, 40])
        ada.page.wait_for_timeout(600)
        network.restore()
        for each, count in zip(pair, streams):
            each.until(f"s => s.signaling === 'open' && s.streams > {count} && s.pending === 0")
            each.until("() => heliograph.heard.length >= 40")
            assert each.page.evaluate("heliograph.heard") == [f"test-{n}" for n in range(40)]
        assert [each.snapshot()["sid"] for each in pair] == sids
        ada.until("s => Object.values(s.peers)[0].signaling === 'stable'")
        for each in pair:
            each.until_video()
        own, other = ada.page.evaluate(UFRAGS)
        assert [other, own] == bob.page.evaluate(UFRAGS) and own != before[0]
        for each in pair:
            assert each.snapshot()["problems"] == []
            each.forgive("ERR_", "WebSocket")


def test_a_call_survives_cuts_of_every_transport_in_turn_in_the_middle_of_negotiation(party, room):
    """Of a native client, which has them all; a page's own are cut above."""
    with connections_to(URL) as network, RoamingRobot(room, network.url) as robot:
        ada = party("Ada").enter(room)
        ada.until_video()

        def until(condition):
            for _ in range(400):
                assert not robot.problem, robot.problem
                if condition():
                    return
                ada.page.wait_for_timeout(25)
            raise AssertionError(f"{robot.kinds} {robot.answered} {robot.hung_up}")

        count = 0
        for turn, kind in enumerate(KINDS, 1):
            assert robot.kinds[-1] == kind
            answered = robot.answered
            ada.page.evaluate(TELL, [count, count + 5])
            ada.page.evaluate(NEGOTIATE)
            network.cut()
            ada.page.evaluate(TELL, [count + 5, count + 10])
            count += 10
            ada.page.wait_for_timeout(100)
            network.restore()
            until(lambda: len(robot.kinds) > turn and len(robot.hung_up) >= count and robot.answered > answered)
            assert robot.hung_up == [f"test-{n}" for n in range(count)], f"after {kind}"
            ada.until("s => Object.values(s.peers)[0].signaling === 'stable' && s.pending === 0")
        assert robot.kinds == [*KINDS, KINDS[0]]
        frames = robot.frames[ada.snapshot()["sid"]]
        until(lambda: robot.frames[ada.snapshot()["sid"]] > frames)
        ada.until_video()
        assert ada.snapshot()["problems"] == []


def test_calls_recover_when_the_service_was_killed_in_the_middle_of_negotiation(party, room):
    with own_service() as service:
        pair = [party(name, url=service.url).enter(room) for name in ("Ada", "Bob")]
        for each in pair:
            each.until_video()
            each.page.evaluate(
                "() => { heliograph.begun = [];"
                " heliograph.app.client.on('session', (detail) => heliograph.begun.push(detail)) }"
            )
        pair[0].page.evaluate(RESTART_ICE)
        service.kill()
        # Media needs no service.
        pair[0].until("s => s.signaling === 'reconnecting'")
        pair[0].until_video()
        service.start()
        for each in pair:
            each.until("() => heliograph.begun.length === 1")
            [begun] = each.page.evaluate("heliograph.begun")
            assert begun["restarted"] and begun["previous"]
            each.until("s => s.signaling === 'open' && s.others.length === 1 && s.pending === 0")
        for each in pair:
            each.until("s => Object.values(s.peers).some(p => p.connection === 'connected' && p.signaling === 'stable')")
            each.until_video()
        # And negotiation works again.
        before = pair[0].page.evaluate(UFRAGS)
        pair[0].page.evaluate(RESTART_ICE)
        pair[0].until(f"() => ({UFRAGS})()[0] !== {before[0]!r}")
        for each in pair:
            each.until_video()
            each.forgive("ERR_", "WebSocket", "404")
