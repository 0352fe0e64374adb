"""Every route of the showcase by curl, nghttp, h2load and h2."""

import re

import h2.events
import pytest

from showcase import Peer, run


def test_hello_has_only_the_fields_that_it_needs(everywhere):
    lines = everywhere.curl("/hello", "-D-").stdout.splitlines()
    assert [line.strip() for line in lines] == [
        everywhere.status_line, "content-type: text/plain", "content-length: 13", "", "Hello, World!"]


def test_head_is_answered_without_a_body(everywhere):
    assert "content-length: 13" in everywhere.curl("/hello", "-I").stdout


@pytest.mark.parametrize("count", [0, 1, 16_384, 1_048_576, 100_000_000])
def test_bytes(everywhere, count):
    done = everywhere.curl(f"/bytes/{count}", "-o", "/dev/null", "-w", "%{http_code} %{size_download}")
    assert done.stdout == f"200 {count}"


def test_echo_gives_back_what_it_gets(everywhere, tmp_path):
    sent, got = tmp_path / "sent", tmp_path / "got"
    sent.write_bytes(bytes(range(256)) * 20_000)
    everywhere.curl("/echo", "-T", str(sent), "-o", str(got))
    assert got.read_bytes() == sent.read_bytes()


def test_echo_streams_both_ways_at_once_and_the_reader_sets_the_pace(server):
    peer = Peer(server.port)
    stream = peer.request("POST", "/echo", end=False)
    for part in (b"one", b"two"):
        peer.http.send_data(stream, part)
        peer.flush()
        assert peer.until(h2.events.DataReceived, stream).data == part
    # Nothing is acknowledged from here on: our window fills, then the server's.
    sent = 0
    while True:
        room = min(peer.http.local_flow_control_window(stream), 16_384)
        if room == 0:
            peer.socket.settimeout(1)
            try:
                if not any(isinstance(e, h2.events.WindowUpdated) for e in peer.events()):
                    continue
            except TimeoutError:
                break
            continue
        peer.http.send_data(stream, b"x" * room)
        sent += room
        peer.flush()
        assert sent < 8 << 20, "nothing stops the sender"
    peer.close()


def test_trailers_come_after_the_body(server):
    peer = Peer(server.port)
    head, body, trailers = peer.response(peer.request("GET", "/trailers"))
    assert head[":status"] == "200" and body and re.fullmatch(r"[0-9a-f]+", trailers["x-checksum"])
    peer.close()


def test_slow_waits_and_others_do_not(server):
    peer = Peer(server.port)
    slow = peer.request("GET", "/slow?ms=500")
    quick = peer.request("GET", "/hello")
    assert peer.until(h2.events.StreamEnded).stream_id == quick
    assert peer.until(h2.events.StreamEnded).stream_id == slow
    peer.close()


def test_events_come_in_order(everywhere):
    text = everywhere.curl("/events?n=4", "-N").stdout
    assert re.findall(r"^id: (\d)$", text, re.M) == ["1", "2", "3", "4"]


@pytest.mark.parametrize("code", [200, 204, 304, 404, 500, 503])
def test_status(everywhere, code):
    assert everywhere.curl(f"/status/{code}", "-o", "/dev/null", "-w", "%{http_code}").stdout == str(code)


@pytest.mark.parametrize("path", ["/", "/nothing", "/status/42", "/bytes/x", "/bytes/-1", "/hello/"])
def test_anything_else_is_not_found(everywhere, path):
    assert everywhere.curl(path, "-o", "/dev/null", "-w", "%{http_code}").stdout == "404"


def test_nghttp_sees_the_frames(server):
    text = run("nghttp", "-v", "--no-verify-peer", server.url + "/trailers", check=False).stdout
    for frame in ("recv SETTINGS", "recv HEADERS", "recv DATA", "x-checksum", "MAX_CONCURRENT_STREAMS"):
        assert frame in text, text


def test_h2load_has_every_request_answered(server):
    text = run("h2load", "-n", "100000", "-c", "100", "-m", "32", server.url + "/hello").stdout
    assert "100000 succeeded, 0 failed, 0 errored, 0 timeout" in text


def test_a_ping_comes_back_and_a_reset_ends_one_stream_only(server):
    peer = Peer(server.port)
    stream = peer.request("GET", "/events?n=1000")
    peer.until(h2.events.DataReceived, stream)
    peer.http.reset_stream(stream)
    peer.http.ping(b"12345678")
    peer.flush()
    assert peer.until(h2.events.PingAckReceived).ping_data == b"12345678"
    head, body, _ = peer.response(peer.request("GET", "/hello"))
    assert body == b"Hello, World!"
    peer.close()
