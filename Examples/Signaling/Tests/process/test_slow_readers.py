"""Clients that stop reading, by every transport at once: each is bounded and closed as documented, others go on.

SIGNALING_PROGRAM is the program to test. Needs h2, wsproto, httpx[http2] and pytest.
"""

import time

import pytest
from documents import Documents
from test_process import Client, start  # noqa: F401
from tunnel import SocketIO, Tunnel, Upgraded

ROOM = "r"
BODY = {"sdp": "x" * 40_000}


def duplex(make, url):
    stream = make(url=url, takes=False)
    if not isinstance(stream, SocketIO):
        stream.send({"t": "hello"})
    welcome = stream.until("welcome")
    stream.send({"t": "join", "room": ROOM, "id": "j"})
    return stream, welcome["sid"]


def reader(accept):
    def make(url, http):
        client = Client(http)
        stream = Tunnel.events(client.hello, accept, url=url, takes=False)
        assert client.send({"t": "join", "room": ROOM}) == ["ok"]
        return stream, client.hello["sid"]

    return make


KINDS = {
    "websocket-h1": lambda url, http: duplex(Upgraded, url),
    "websocket-h2": lambda url, http: duplex(Tunnel.websocket, url),
    "stream": lambda url, http: duplex(Tunnel.lines, url),
    "socketio": lambda url, http: duplex(lambda **options: SocketIO({}, **options), url),
    "sse": reader("text/event-stream"),
    "ndjson": reader("application/x-ndjson"),
}


@pytest.fixture
def scene(start):  # noqa: F811
    service = start("--session-stall", "500ms", "--session-rate", "5000/5000")
    with service.http() as http, service.http() as other:
        talker = Client(http)
        quick = Client(other)
        for client in (talker, quick):
            assert client.send({"t": "join", "room": ROOM}) == ["ok"]
        ears = Tunnel.events(quick.hello, "text/event-stream", url=service.url)
        yield service, http, talker, quick, ears
        ears.leave()


def offer(to, n):
    return {"t": "offer", "room": ROOM, "to": {"peer": to}, "id": f"{to}-{n}", "neg": n, "body": BODY}


def test_a_client_that_stops_reading_is_bounded_and_closed_and_others_are_not(scene):
    service, http, talker, quick, ears = scene
    documents = Documents()
    slow = {name: make(service.url, http) for name, make in KINDS.items()}
    for _, sid in slow.values():
        ears.until("peer_joined", peer=sid)
    accepted = {}
    for n, (name, (_, sid)) in enumerate(slow.items()):
        count = 0
        while (result := talker.send(offer(sid, count))) == ["ok"]:
            count += 1
            # What the kernel keeps for a connection beside what the service does is some megabytes at most.
            assert count < 300, f"{name}: the service keeps more and more"
        assert result == ["queue_full"], name
        accepted[name] = count
        assert talker.send({**offer(quick.hello["sid"], n), "body": {}}) == ["ok"]
        assert ears.until("offer", neg=n), f"held up by {name}"
    told = Tunnel.events(talker.hello, "application/x-ndjson", url=service.url)
    for name, (stream, sid) in slow.items():
        left = ears.until("peer_left", peer=sid)
        assert left["reason"] == "slow", name
        documents.check(left, "/$defs/event")
        stream.resume()
        end = stream.end()
        if name in ("sse", "ndjson"):
            assert end == ("end", ""), name
        else:
            assert end == (4408, "slow_consumer"), name
        (error,) = [m for m in stream.messages if m["t"] == "error" and "seq" not in m]
        assert error["code"] == "slow_consumer", name
        documents.check(error, "/$defs/streamRefused")
        # Nothing of what was accepted is lost in silence: it has come, or its sender hears that it has not.
        came = [m["neg"] for m in stream.messages if m["t"] == "offer"]
        assert came == list(range(len(came))), name
        for n in range(len(came), accepted[name]):
            told.until("expired", id=f"{sid}-{n}")
        stream.leave()
    assert not [m for m in told.messages if m["t"] == "expired"]
    told.leave()


def test_a_client_that_is_away_keeps_its_session(scene):
    service, http, talker, _, ears = scene
    away = Client(http)
    assert away.send({"t": "join", "room": ROOM}) == ["ok"]
    sid = away.hello["sid"]
    count = 0
    while talker.send(offer(sid, count)) == ["ok"]:
        count += 1
    assert 5 <= count <= 6, "256 KiB"
    time.sleep(1.5)
    back = Tunnel.events(away.hello | {"last": f"{away.hello['epoch']}.0"}, "text/event-stream", url=service.url)
    assert back.head["signal-resumed"] == "yes"
    for n in range(count):
        back.until("offer", neg=n)
    back.leave()
