"""WebSocket over HTTP/1.1 (RFC 6455), with and without TLS: the client of the library websockets, raw bytes, and Chromium."""

import base64
import os
import shutil
import socket
import ssl

import pytest
from playwright.sync_api import sync_playwright
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidStatus

from dialing import dial
from showcase import Showcase
from test_websocket_h2 import frame, held, open_in, wait_until_held

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or "/usr/bin/chromium"


@pytest.fixture(params=[[], ["--plaintext"]], ids=["TLS", "plaintext"])
def server(request):
    showcase = Showcase("--threads", "1", *request.param, http="--http1.1")
    yield showcase
    log = showcase.stop()
    assert " error " not in log and "Fatal" not in log, log


def test_the_handshake_and_an_echo(server):
    with dial(server, subprotocols=["other", "echo"]) as ws:
        assert ws.response.status_code == 101
        assert ws.subprotocol == "echo"
        for message in ["hello", "", "h\u00e4l\u20aco \U0001f600", "x" * 126, "y" * 70_000, bytes(range(256)) * 4000]:
            ws.send(message)
            assert ws.recv(timeout=20) == message
    assert ws.close_code == 1000


def test_how_it_was_opened(server):
    with dial(server, "/ws/about") as ws:
        assert ws.recv() == '{"version":"HTTP/1.1","status":101,"subprotocol":"","compressed":true}'
        with pytest.raises(ConnectionClosedOK) as ended:
            ws.recv()
    assert (ended.value.rcvd.code, ended.value.rcvd.reason) == (1000, "that is all")


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_fragments_and_pings(server, compression):
    with dial(server, compression=compression) as ws:
        ws.send(["one ", "two ", "three"])
        assert ws.recv() == "one two three"
        ws.ping(b"payload")
        ws.send([b"\0" * 100_000] * 10)
        assert ws.recv() == b"\0" * 1_000_000


@pytest.mark.parametrize("code", [1000, 1001, 1011, 3000, 4999])
def test_close_codes_come_back(server, code):
    with dial(server) as ws:
        ws.close(code, "because")
        assert ws.close_code == code


def test_a_big_message_is_refused(server):
    with dial(server, compression=None) as ws:
        with pytest.raises(ConnectionClosedError) as ended:
            ws.send(b"x" * (1 << 20 | 1))
            ws.recv(timeout=10)
    assert ended.value.rcvd.code == 1009


def test_a_bomb_is_refused(server):
    before = server.resident()
    with dial(server, compression="deflate") as ws:
        with pytest.raises(ConnectionClosedError) as ended:
            ws.send(b"\0" * (200 << 20))
            ws.recv(timeout=30)
    assert ended.value.rcvd.code == 1009
    assert server.resident() < before + 16


@pytest.mark.parametrize("options,status", [
    ({"origin": "https://evil.example"}, 403),
    ({"additional_headers": {"Sec-WebSocket-Extensions": "permessage-deflate; ;"}, "compression": None}, 400),
    ({"additional_headers": {"Sec-WebSocket-Key": "twice"}}, 400),
])
def test_bad_handshakes_are_refused(server, options, status):
    with pytest.raises(InvalidStatus) as refused:
        dial(server, **options).close()
    assert refused.value.response.status_code == status


def handshake(server, version="13", method="GET", behind=b""):
    """A connection whose handshake was done by hand, with the bytes that came behind the answer's head."""
    tcp = server.connect()
    key = base64.b64encode(os.urandom(16)).decode()
    tcp.sendall(f"{method} /ws HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
                f"sec-websocket-key: {key}\r\nsec-websocket-version: {version}\r\n\r\n".encode() + behind)
    head = b""
    while b"\r\n\r\n" not in head:
        piece = tcp.recv(4096)
        assert piece
        head += piece
    return tcp, head


def rest(tcp):
    data = b""
    try:
        while piece := tcp.recv(65536):
            data += piece
    except (ConnectionError, ssl.SSLError):
        pass
    return data


def test_another_version_is_told_the_right_one(server):
    tcp, head = handshake(server, version="8")
    assert head.startswith(b"HTTP/1.1 426 ") and b"sec-websocket-version: 13\r\n" in head
    assert b"upgrade: websocket\r\n" in head and b"connection: upgrade\r\n" in head
    tcp.close()


def test_a_plain_get_is_told_to_upgrade(server):
    assert server.curl("/ws", "-w", "%{http_code}", "-o", "/dev/null").stdout == "426"


def test_a_frame_right_behind_the_handshake(server):
    tcp, data = handshake(server, behind=frame(1, b"early"))
    while not data.endswith(b"\r\n\r\n\x81\x05early"):
        piece = tcp.recv(4096)
        assert piece, data
        data += piece
    tcp.close()


def test_another_method_opens_none(server):
    _, data = handshake(server, method="DELETE")
    assert data.startswith(b"HTTP/1.1 405 ")


def test_a_frame_one_byte_at_a_time(server):
    tcp, _ = handshake(server)
    for byte in frame(1, "h\u00e9".encode()):
        tcp.sendall(bytes([byte]))
    answer = b""
    while len(answer) < 5:
        answer += tcp.recv(100)
    assert answer == b"\x81\x03h\xc3\xa9"
    tcp.sendall(frame(8, b"\x03\xe8"))
    assert rest(tcp) == b"\x88\x02\x03\xe8"


@pytest.mark.parametrize("data,code", [
    (b"\x81\x02hi", 1002), (frame(3, b""), 1002), (frame(1, b"\xff"), 1007), (frame(8, b"\x03\xed"), 1002),
    (b"\x82\xff" + (1 << 30).to_bytes(8) + bytes(4), 1009),
], ids=["unmasked", "opcode", "text", "close code", "too big"])
def test_faults_are_answered_with_their_code_and_the_end(server, data, code):
    holdings = held(server)
    tcp, _ = handshake(server)
    tcp.sendall(data)
    assert rest(tcp) == b"\x88\x02" + code.to_bytes(2)
    tcp.close()
    wait_until_held(server, holdings)


def test_a_reader_that_reads_nothing_is_bounded_and_the_others_go_on(server):
    holdings = held(server)
    before = server.resident()
    tcp, _ = handshake(server)
    tcp.settimeout(1)
    sent = 0
    with pytest.raises(TimeoutError):
        while True:
            sent += len(frame(2, bytes(60_000)))
            tcp.sendall(frame(2, bytes(60_000)))
            assert sent < 64 << 20
    with dial(server) as ws:
        ws.send("still here")
        assert ws.recv() == "still here"
    assert server.resident() < before + 16
    tcp.close()
    wait_until_held(server, holdings)


def test_half_open_clients_leave_nothing(server):
    holdings = held(server)
    for last_words in [b"", frame(1, b"half", flags=0), b"\x81", frame(8, b"")]:
        tcp, _ = handshake(server)
        tcp.sendall(last_words)
        if not server.is_secure:
            tcp.shutdown(socket.SHUT_WR)
        else:
            tcp.close()
    wait_until_held(server, holdings)


def test_a_server_that_stops_says_1001():
    showcase = Showcase("--threads", "1", http="--http1.1")
    with dial(showcase) as ws:
        ws.send("here")
        assert ws.recv() == "here"
        showcase.process.terminate()
        with pytest.raises((ConnectionClosedOK, ConnectionClosedError)) as ended:
            ws.recv(timeout=10)
    assert ended.value.rcvd.code == 1001
    # It ends by itself now: another signal would come after its handler has gone.
    _, log = showcase.process.communicate(timeout=10)
    assert showcase.process.returncode == 0, log


def test_chromium_opens_it_over_http1():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for options in (["--no-http2"], ["--plaintext"], ["--no-connect-protocol"]):
            showcase = Showcase("--threads", "1", *options, http="--http1.1")
            heard = open_in(browser, showcase.url)
            assert heard == [{"version": "HTTP/1.1", "status": 101, "subprotocol": "echo", "compressed": True}], options
            showcase.stop()
        browser.close()
