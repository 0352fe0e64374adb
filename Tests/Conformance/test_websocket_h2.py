"""WebSocket over HTTP/2 (RFC 8441): wsproto on h2, and a real Chromium."""

import shutil
import time

import h2.errors
import h2.events
import h2.settings
import pytest
from playwright.sync_api import sync_playwright

from showcase import Peer, Showcase
from websocket_h2 import BytesMessage, CloseConnection, Ping, Pong, TextMessage, WebSocketStream

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or "/usr/bin/chromium"


def test_the_setting_is_announced_and_an_echo_answers_with_200(server):
    peer = Peer(server.port)
    peer.until(h2.events.RemoteSettingsChanged)
    assert peer.http.remote_settings[h2.settings.SettingCodes.ENABLE_CONNECT_PROTOCOL] == 1
    ws = WebSocketStream(server.port, fields=[("sec-websocket-protocol", "other, echo")], peer=peer)
    assert ws.status == 200
    assert ws.fields["sec-websocket-protocol"] == "echo"
    assert not {"sec-websocket-accept", "upgrade", "connection"} & set(ws.fields)
    for message in ["hello", "", "h\u00e4l\u20aco \U0001f600", "x" * 126, "y" * 70_000]:
        ws.send(TextMessage(message))
        assert ws.next() == message
    ws.send(BytesMessage(bytes(range(256)) * 300))
    assert ws.next() == bytes(range(256)) * 300
    ws.close()


def test_fragments_pings_and_the_close_of_both_sides(server):
    ws = WebSocketStream(server.port)
    ws.send(TextMessage("one ", message_finished=False))
    ws.send(Ping(b"between"))
    ws.send(TextMessage("two", message_finished=True))
    assert ws.next() == Pong(b"between")
    assert ws.next() == "one two"
    ws.send(CloseConnection(code=4001, reason="enough"))
    closed = ws.next()
    assert isinstance(closed, CloseConnection) and closed.code == 4001
    assert ws.next() is None and ws.ended
    ws.close()


def test_the_server_closes_first(server):
    ws = WebSocketStream(server.port, "/ws/about", deflate=True)
    assert ws.next() == '{"version":"HTTP/2.0","status":200,"subprotocol":"","compressed":true}'
    closed = ws.next()
    assert (closed.code, closed.reason) == (1000, "that is all")
    ws.send(closed.response())
    assert ws.next() is None and ws.ended
    ws.close()


def test_compressed_messages(server):
    ws = WebSocketStream(server.port, deflate=True)
    assert "permessage-deflate" in ws.fields["sec-websocket-extensions"]
    for message in ["short", "again and again " * 10_000, ""]:
        ws.send(TextMessage(message))
        assert ws.next() == message
    ws.close()


def test_many_websockets_on_one_connection(one_loop):
    peer = Peer(one_loop.port)
    peer.until(h2.events.RemoteSettingsChanged)
    streams = [WebSocketStream(one_loop.port, peer=peer) for _ in range(50)]
    for number, ws in enumerate(streams):
        ws.send(TextMessage(f"number {number}"))
        assert ws.next() == f"number {number}"
    peer.close()


@pytest.mark.parametrize("fields,status", [
    ([("origin", "https://evil.example")], 403),
    ([("origin", "null")], 403),
    ([("sec-websocket-protocol", "a, a")], 400),
    ([("sec-websocket-extensions", "permessage-deflate; ;")], 400),
])
def test_bad_handshakes_are_refused(one_loop, fields, status):
    ws = WebSocketStream(one_loop.port, fields=fields)
    assert ws.status == status
    ws.close()


def test_a_plain_get_is_told_that_it_is_no_websocket(one_loop):
    assert one_loop.curl("/ws", "-w", "%{http_code}", "-o", "/dev/null").stdout == "400"


def held(showcase):
    """What is held for clients. Blocks of HTTP/2 sessions are not counted: how many the one that asks has is a matter of how
    its first bytes were cut."""
    return {name: value for name, value in showcase.holdings().items() if name != "blocks"}


def wait_until_held(showcase, holdings):
    deadline = time.monotonic() + 30
    while (now := held(showcase)) != holdings:
        assert time.monotonic() < deadline, f"left behind: {now}, at first {holdings}"


def frame(opcode, payload, flags=0x80):
    """A masked frame, by hand."""
    size = len(payload)
    head = bytes([flags | opcode])
    head += bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + size.to_bytes(2) if size < 65536 \
        else bytes([0x80 | 127]) + size.to_bytes(8)
    return head + bytes(4) + payload


@pytest.mark.parametrize("data,code", [
    (b"\x81\x02hi", 1002),
    (frame(3, b""), 1002),
    (frame(1, b"\xff"), 1007),
    (frame(1, b"\xed\xa0\x80"), 1007),
    (frame(8, b"\x03\xed"), 1002),
    (frame(8, b"\x00"), 1002),
    (b"\x82\xff" + (1 << 30).to_bytes(8) + bytes(4), 1009),
    (frame(2, b"", flags=0) + frame(0, b"", flags=0) * 5000, 1008),
    (frame(9, b"", flags=0), 1002),
    (frame(1, b"", flags=0xc0), 1002),
], ids=["unmasked", "opcode", "text", "surrogate", "close code", "close of one byte", "too big", "fragments",
        "fragmented ping", "reserved bit"])
def test_faults_are_answered_with_their_code(one_loop, data, code):
    holdings = held(one_loop)
    ws = WebSocketStream(one_loop.port)
    ws.send_bytes(data)
    closed = ws.next()
    assert isinstance(closed, CloseConnection) and closed.code == code
    assert ws.next() is None
    ws.close()
    wait_until_held(one_loop, holdings)


def test_a_bomb_is_refused(one_loop):
    ws = WebSocketStream(one_loop.port, deflate=True)
    before = one_loop.resident()
    ws.send(BytesMessage(bytes(200 << 20)))
    closed = ws.next()
    assert closed.code == 1009
    ws.close()
    assert one_loop.resident() < before + 16


def test_a_reader_that_reads_nothing_is_bounded_and_the_others_go_on(one_loop):
    holdings = held(one_loop)
    before = one_loop.resident()
    ws = WebSocketStream(one_loop.port)
    data = frame(2, bytes(60_000))
    # The echo is not taken; so what is sent has to stop, after the windows and buffers on the way.
    sent = 0
    while ws.peer.http.local_flow_control_window(ws.stream) >= 16384:
        ws.peer.http.send_data(ws.stream, data[:16384])
        ws.peer.socket.sendall(ws.peer.http.data_to_send())
        sent += 16384
        data = data[16384:] or frame(2, bytes(60_000))
        assert sent < 4 << 20
    other = WebSocketStream(one_loop.port)
    other.send(TextMessage("still here"))
    assert other.next() == "still here"
    assert one_loop.resident() < before + 16
    other.close()
    ws.close()
    wait_until_held(one_loop, holdings)


def test_a_client_that_dies_leaves_nothing(one_loop):
    holdings = held(one_loop)
    for _ in range(20):
        ws = WebSocketStream(one_loop.port)
        ws.send_bytes(frame(1, b"half of a message", flags=0))
        ws.close()
    wait_until_held(one_loop, holdings)


def test_one_that_closes_and_stays_is_reset(one_loop):
    ws = WebSocketStream(one_loop.port)
    ws.send_bytes(frame(8, b""))
    assert isinstance(ws.next(), CloseConnection)
    assert ws.next() is None and ws.ended
    started = time.monotonic()
    while ws.reset is None:
        ws.read()
    assert time.monotonic() - started > 4
    assert ws.reset == h2.errors.ErrorCodes.CANCEL
    ws.close()


def test_without_the_setting_there_is_none():
    showcase = Showcase("--threads", "1", "--no-connect-protocol")
    peer = Peer(showcase.port)
    peer.until(h2.events.RemoteSettingsChanged)
    assert peer.http.remote_settings.get(h2.settings.SettingCodes.ENABLE_CONNECT_PROTOCOL, 0) == 0
    peer.close()
    showcase.stop()


# A real browser.


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


ABOUT = """() => new Promise(done => {
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws/about`, ['echo'])
    const heard = []
    socket.onmessage = event => heard.push(JSON.parse(event.data))
    socket.onclose = event => done({ heard, code: event.code, reason: event.reason, clean: event.wasClean })
})"""

ECHO = """() => new Promise(done => {
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`)
    const sizes = []
    socket.binaryType = 'arraybuffer'
    socket.onopen = () => {
        for (const size of [0, 1, 125, 126, 65536, 500000]) socket.send('x'.repeat(size))
        socket.send(new Uint8Array(100000))
    }
    socket.onmessage = event => {
        sizes.push(event.data.length ?? event.data.byteLength)
        if (sizes.length === 7) socket.close(4000, 'done')
    }
    socket.onclose = event => done({ sizes, code: event.code, clean: event.wasClean, extensions: socket.extensions })
})"""


def open_in(browser, url):
    context = browser.new_context(ignore_https_errors=True)
    page = context.new_page()
    page.goto(url + "/hello")
    about, echo = page.evaluate(ABOUT), page.evaluate(ECHO)
    context.close()
    assert (about["code"], about["reason"], about["clean"]) == (1000, "that is all", True)
    assert echo["sizes"] == [0, 1, 125, 126, 65536, 500000, 100000]
    assert (echo["code"], echo["clean"]) == (4000, True)
    assert echo["extensions"].startswith("permessage-deflate")
    return about["heard"]


def test_chromium_opens_it_over_http2(browser, server):
    heard = open_in(browser, server.url)
    assert heard == [{"version": "HTTP/2.0", "status": 200, "subprotocol": "echo", "compressed": True}]


def test_chromium_of_another_origin_is_refused(browser, one_loop):
    context = browser.new_context(ignore_https_errors=True)
    page = context.new_page()
    page.goto("about:blank")
    code = page.evaluate("url => new Promise(done => { new WebSocket(url).onclose = event => done(event.code) })",
                         f"wss://127.0.0.1:{one_loop.port}/ws")
    assert code == 1006
    context.close()


def test_a_server_that_stops_says_1001(browser):
    showcase = Showcase("--threads", "1")
    context = browser.new_context(ignore_https_errors=True)
    page = context.new_page()
    page.goto(showcase.url + "/hello")
    page.evaluate("""() => new Promise(done => {
        const socket = new WebSocket(`wss://${location.host}/ws`)
        window.whenClosed = new Promise(told => { socket.onclose = event => told([event.code, event.wasClean]) })
        socket.onopen = done
    })""")
    showcase.process.terminate()
    assert page.evaluate("window.whenClosed") == [1001, True]
    # It ends by itself now: another signal would come after its handler has gone.
    _, log = showcase.process.communicate(timeout=10)
    assert showcase.process.returncode == 0, log
    context.close()
