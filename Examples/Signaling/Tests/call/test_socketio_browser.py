"""Socket.IO in Chromium on one HTTP/2 connection: the page, long polling, WebSocket, a call; and the connection killed."""

import pathlib

import pytest

from outage import Proxy
from service import URL

# Ends in a value that is no function: else it would be called.
CLIENT = pathlib.Path(__file__).with_name("socketio_client.js").read_text() + "\nundefined"


class CountingProxy(Proxy):
    """Knows what clients have sent on each connection."""

    def __init__(self, url: str):
        self.sent: dict[int, int] = {}
        super().__init__(url)

    async def _carry(self, reader, writer):
        if writer.get_extra_info("peername")[1] == self.target.port:
            read, key = reader.read, len(self.sent)
            self.sent[key] = 0

            async def counted(limit):
                data = await read(limit)
                self.sent[key] += len(data)
                return data

            reader.read = counted
        await super()._carry(reader, writer)

    @property
    def used(self) -> int:
        """Connections that carried more than a handshake: browsers open some that they do not use."""
        return sum(sent > 3000 for sent in self.sent.values())


@pytest.fixture
def relay():
    proxy = CountingProxy(URL)
    yield proxy
    proxy.cut()
    proxy.loop.call_soon_threadsafe(proxy.loop.stop)


def test_one_http2_connection_carries_all_and_after_it_is_killed_the_session_is_recovered(browser, relay, room):
    context = browser.new_context(ignore_https_errors=True)
    try:
        pages = [context.new_page() for _ in range(2)]
        for page in pages:
            page.goto(relay.url + "/")
            page.evaluate(CLIENT)
            page.evaluate(
                """async (room) => {
                    window.sio = await connectSocketIO();
                    await sio.ask("join", { room });
                    window.rtc = makePeer(sio, room);
                }""",
                room,
            )
        ada, bob = pages
        ada.evaluate("id => rtc.call(id)", bob.evaluate("sio.state.sid"))
        for page in pages:
            page.wait_for_function("() => rtc.connectionState === 'connected'", timeout=20_000)
            protocols = page.evaluate(
                "performance.getEntriesByType('resource').map(each => each.nextHopProtocol).filter(Boolean)"
            )
            assert set(protocols) == {"h2"}, protocols
        assert relay.used == 1, relay.sent

        before = [page.evaluate("sio.state.sid") for page in pages]
        relay.cut()
        for page in pages:
            page.evaluate("sio.ended")
        relay.restore()
        # Bob is back first, and tells Ada something while she is away.
        bob.evaluate("async () => { window.sio = await connectSocketIO(sio.state); }")
        told = bob.evaluate(
            "([room, peer]) => sio.ask('msg', { to: { peer }, room, body: 'are you there?' })", [room, before[0]]
        )
        assert told == {"ok": True}
        ada.evaluate("async () => { window.sio = await connectSocketIO(sio.state); }")
        ada.wait_for_function("() => sio.log.includes('msg')", timeout=10_000)
        assert [page.evaluate("[sio.recovered, sio.state.sid]") for page in pages] == [
            [True, sid] for sid in before
        ]
        # The rooms came back as well, and media never went through the service.
        assert ada.evaluate("room => sio.ask('msg', { room, body: 'yes' })", room) == {"ok": True}
        bob.wait_for_function("() => sio.log.includes('msg')", timeout=10_000)
        assert ada.evaluate("rtc.connectionState") == "connected"
    finally:
        context.close()
