"""Push, early hints, priorities and the frames of a connection, by nghttp, curl, node's http2 client, h2load and h2."""

import contextlib
import json
import pathlib
import re

import h2.events
import h2.exceptions
import h2.settings
import pytest

from showcase import Peer, run

NODE = str(pathlib.Path(__file__).parent / "http2_client.js")


def node(server, what):
    return json.loads(run("node", NODE, server.url, what).stdout)


# Push


def test_nghttp_shows_the_pushed_streams(server):
    text = run("nghttp", "-v", "--no-verify-peer", server.url + "/push?n=3").stdout
    assert len(re.findall(r"recv PUSH_PROMISE frame", text)) == 3
    assert len(re.findall(r"recv \(stream_id=\d+\) :path: /push/style.css", text)) == 3
    assert len(re.findall(r"p \{ font-family", text)) == 3
    assert "x-pushed: 3" in text
    assert not re.search(r"recv RST_STREAM", text), text


def test_nghttp_that_takes_no_pushes_gets_none(server):
    text = run("nghttp", "-v", "--no-push", "--no-verify-peer", server.url + "/push").stdout
    assert "PUSH_PROMISE" not in text and "x-pushed: 0" in text


def test_a_client_bounds_the_pushes(server):
    text = run("nghttp", "-v", "--max-concurrent-streams=2", "--no-verify-peer", server.url + "/push?n=50").stdout
    assert "x-pushed: 2" in text
    assert len(re.findall(r"recv PUSH_PROMISE frame", text)) == 2


def test_the_server_bounds_the_pushes(server):
    text = run("nghttp", "-v", "--no-verify-peer", server.url + "/push?n=500").stdout
    assert "x-pushed: 16" in text
    assert len(re.findall(r"recv PUSH_PROMISE frame", text)) == 16


def test_node_gets_a_push_with_its_request(server):
    seen = node(server, "push")
    assert seen["answer"]["status"] == 200 and seen["answer"]["pushed"] == "1"
    assert seen["pushes"] == [{
        "path": "/push/style.css", "method": "GET", "accept": "text/css", "status": 200, "ended": True,
        "body": "p { font-family: sans-serif }\n"}]


def test_node_refuses_a_push_and_goes_on(server):
    seen = node(server, "refuse")
    assert len(seen["pushes"]) == 1 and seen["again"]["body"] == "Hello, World!"


def test_node_without_push_gets_none(server):
    seen = node(server, "nopush")
    assert seen["pushes"] == [] and seen["answer"]["pushed"] == "0"


def test_node_with_few_streams_gets_no_more_pushes(server):
    # It counts its own request among the two, and refuses the second push.
    seen = node(server, "few")
    assert seen["answer"]["pushed"] == "2" and [push["status"] for push in seen["pushes"]] == [200]


def test_curl_takes_no_push_and_is_served(server):
    text = server.curl("/push", "-D-").stdout
    assert "x-pushed: 0" in text and "style.css" in text


def test_refused_pushes_leave_nothing_behind(one_loop):
    before = one_loop.holdings()
    peer = Peer(one_loop.port)
    for _ in range(200):
        stream = peer.request("GET", "/push?n=4")
        ended, refused = False, 0
        while not ended or refused < 4:
            for event in peer.events():
                if isinstance(event, h2.events.PushedStreamReceived):
                    refused += 1
                    # Its response may be here already.
                    with contextlib.suppress(h2.exceptions.StreamClosedError):
                        peer.http.reset_stream(event.pushed_stream_id, error_code=7)
                ended = ended or isinstance(event, h2.events.StreamEnded) and event.stream_id == stream
                assert not isinstance(event, h2.events.ConnectionTerminated)
            peer.flush()
    peer.close()
    one_loop.wait_until(before)


# Early hints


@pytest.mark.parametrize("version", ["--http2", "--http1.1"])
def test_curl_shows_the_hints_before_the_answer(server, version):
    text = run("curl", "-skv", version, server.url + "/early-hints").stderr
    lines = re.findall(r"< (HTTP/\S+ \d+|link: [^\r\n]*)", text)
    shown = "HTTP/2" if version == "--http2" else "HTTP/1.1"
    assert lines == [f"{shown} 103", "link: </push/style.css>; rel=preload; as=style", f"{shown} 200"]


def test_node_gets_the_hints(server):
    seen = node(server, "hints")
    assert seen["hints"] == [{"status": 103, "link": "</push/style.css>; rel=preload; as=style"}]
    assert seen["answer"]["status"] == 200


# Priorities


class Order(Peer):
    """A client with wide windows that tells in which order the bodies come."""

    def __init__(self, port, window=1 << 24):
        super().__init__(port)
        self.http.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.http.increment_flow_control_window(1 << 24)
        self.flush()
        # The server has to follow our settings before the first response is begun.
        self.until(h2.events.SettingsAcknowledged)

    def all(self, requests):
        """Asks for all of them at once; gives the streams, each once for a run of its frames, and their numbers."""
        streams = []
        for path, priority in requests:
            stream = self.http.get_next_available_stream_id()
            fields = [(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", path)]
            self.http.send_headers(stream, fields + ([("priority", priority)] if priority else []), end_stream=True)
            streams.append(stream)
        self.flush()
        runs, ended = [], set()
        while ended != set(streams):
            for event in self.events():
                if isinstance(event, h2.events.DataReceived) and event.data:
                    if not runs or runs[-1] != event.stream_id:
                        runs.append(event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    ended.add(event.stream_id)
        return [streams.index(stream) for stream in runs]


@pytest.mark.parametrize("path", ["/bytes/1000000", "/priority?bytes=1000000"], ids=["pulled", "whole"])
def test_what_is_urgent_comes_first_and_the_rest_in_order(server, path):
    peer = Order(server.port)
    assert peer.all([(path, "u=5"), (path, None), (path, None), ("/hello", "u=0")]) == [3, 1, 2, 0]
    peer.close()


def test_an_urgent_response_overtakes_one_that_is_under_way(server):
    # 12 MiB do not fit into the sockets between the two: most of them are still to be sent when the second is asked for.
    peer = Order(server.port)
    bulk = peer.request("GET", "/bytes/12000000")
    peer.until(h2.events.DataReceived, bulk, acknowledge=False)
    urgent = peer.request("GET", "/hello", fields=[("priority", "u=0")])
    got = 0
    while True:
        events = peer.events()
        got += sum(event.flow_controlled_length for event in events if isinstance(event, h2.events.DataReceived))
        if any(isinstance(event, h2.events.StreamEnded) and event.stream_id == urgent for event in events):
            break
    assert got < 10_000_000, "it came behind the bulk"
    peer.close()


@pytest.mark.parametrize("path", ["/bytes/400000", "/priority?bytes=400000"], ids=["pulled", "whole"])
def test_what_is_of_use_in_pieces_is_interleaved(server, path):
    peer = Order(server.port)
    runs = peer.all([(path, "u=3, i"), (path, "u=3, i"), (path, "u=3, i")])
    assert len(runs) > 30 and all(set(runs[n:n + 3]) == {0, 1, 2} for n in range(0, 30, 3)), runs
    peer.close()


def test_a_handler_sets_a_priority(server):
    peer = Order(server.port)
    bulk = "/priority?bytes=500000"
    assert peer.all([(bulk, None), (bulk + "&urgency=1", "u=7")]) == [1, 0]
    peer.close()


def test_a_priority_update_comes_before_its_request(server):
    peer = Order(server.port)
    # RFC 9218 section 7.1: type 0x10 on stream 0; the stream, the value.
    stream = peer.http.get_next_available_stream_id() + 2
    value = b"u=1"
    peer.socket.sendall(bytes([0, 0, 4 + len(value), 0x10, 0, 0, 0, 0, 0]) + stream.to_bytes(4, "big") + value)
    assert peer.all([("/bytes/400000", None), ("/bytes/400000", "u=6")]) == [1, 0]
    peer.close()


@pytest.mark.parametrize(("field", "answer"), [
    (None, {"urgency": 3, "incremental": False}),
    ("u=1, i", {"urgency": 1, "incremental": True}),
    ("u=9", {"urgency": 3, "incremental": False})])
@pytest.mark.parametrize("version", ["--http2", "--http1.1"])
def test_a_handler_reads_the_priority(server, version, field, answer):
    options = ["-H", f"priority: {field}"] if field else []
    assert json.loads(run("curl", "-sk", version, *options, server.url + "/priority").stdout) == answer


# The connection


def test_node_is_told_of_other_places(server):
    seen = node(server, "elsewhere")
    assert seen["origins"] == ["https://static.example", "https://localhost:8443"]
    assert {"value": 'h2="alt.example:443"; ma=60', "origin": "https://localhost", "stream": 0} in seen["services"]
    assert any(service["value"] == "clear" and service["stream"] == 1 for service in seen["services"])


def test_ping_both_ways(server):
    seen = node(server, "ping")
    assert 0 < seen["time"] < 10_000
    assert 0 <= seen["connection"]["pingMicroseconds"] < 10_000_000
    assert seen["connection"]["peerWindow"] == 123456 and seen["connection"]["peerStreams"] == 100
    assert seen["connection"]["streams"] == 1 and seen["connection"]["peerTakesPush"] == 1


def test_settings_and_windows_change(server):
    seen = node(server, "settings")
    assert seen["settings"]["maxConcurrentStreams"] == 7 and seen["settings"]["initialWindowSize"] == 70000
    assert seen["state"]["remoteWindowSize"] == 2_000_000


def test_a_goodbye_has_its_code_and_data_and_lets_the_others_finish(server):
    seen = node(server, "goaway")
    assert seen["goaway"] == {"code": 0, "last": 3, "data": "as you asked"}
    assert seen["slow"]["body"] == "waited 400 ms\n"


def test_nghttp_shows_the_goodbye(server):
    text = run("nghttp", "-v", "--no-verify-peer", server.url + "/connection/goaway?code=2").stdout
    assert re.search(r"recv GOAWAY frame.*\n.*error_code=INTERNAL_ERROR\(0x02\), opaque_data\(12\)=\[as you asked\]", text), text


@pytest.mark.parametrize("path", ["/connection", "/connection/goaway", "/connection/settings", "/connection/elsewhere"])
def test_http1_has_none_of_it(server, path):
    assert run("curl", "-sk", "--http1.1", "-o", "/dev/null", "-w", "%{http_code}", server.url + path).stdout == "404"


def test_node_connects_through_a_tunnel(server):
    seen = node(server, "connect")
    assert seen["status"] == 200 and seen["tunnel"] == "through the tunnel"


@pytest.mark.parametrize("fields", [
    [(":method", "CONNECT"), (":authority", "other.example:7")],
    [(":method", "CONNECT"), (":authority", "echo.example:7"), (":path", "/"), (":scheme", "https")]],
    ids=["elsewhere", "with a path"])
def test_other_tunnels_are_refused(server, fields):
    peer = Peer(server.port)
    stream = peer.http.get_next_available_stream_id()
    peer.http.config.validate_outbound_headers = False
    peer.http.send_headers(stream, fields)
    peer.flush()
    seen = []
    while not any(isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)) for event in seen):
        seen += [event for event in peer.events() if getattr(event, "stream_id", None) == stream]
    if len(fields) == 2:
        assert dict(seen[0].headers)[":status"] == "404"
    else:
        assert isinstance(seen[0], h2.events.StreamReset) and seen[0].error_code == 1
    peer.close()


def test_h2load_takes_the_hints_and_the_pages(server):
    text = run("h2load", "-n", "2000", "-c", "20", "-m", "10", server.url + "/early-hints", server.url + "/push").stdout
    assert "2000 succeeded, 0 failed, 0 errored, 0 timeout" in text


def test_split_cookies_are_no_trouble(server):
    peer = Peer(server.port)
    fields = [("cookie", f"n{number}={'v' * 50}") for number in range(50)]
    head, body, _ = peer.response(peer.request("GET", "/hello", fields=fields))
    assert head[":status"] == "200" and body == b"Hello, World!"
    peer.close()
