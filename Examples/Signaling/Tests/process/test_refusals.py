"""Each refusal by its code over real connections: tokens that run out, rates, tokens in URLs, and limits of what is sent.

SIGNALING_PROGRAM is the program to test. Needs h2, wsproto, httpx[http2] and pytest.
"""

import json
import time

import httpx
import pytest
from test_auth import SECRET, files, token  # noqa: F401
from test_process import Client, start  # noqa: F401
from tunnel import LINES, PROTOCOL, WEBSOCKET, SocketIO, Tunnel, Upgraded

DUPLEX = {"websocket-h1": Upgraded, "websocket-h2": Tunnel.websocket, "stream": Tunnel.lines}
EVENTS = {"sse": "text/event-stream", "ndjson": "application/x-ndjson"}


def greeted(make, url, **hello):
    stream = make(url=url)
    stream.send({"t": "hello", **hello})
    stream.until("welcome")
    return stream


def refused(stream, code):
    """It says why, and ends with the code that goes with it."""
    assert stream.until("error")["code"] == code
    end = stream.end()
    stream.leave()
    return end


def test_a_token_that_runs_out_is_warned_of_and_ends_every_transport(start, files):  # noqa: F811
    options = ["--token-secret-file", files("secret", SECRET), "--token-leeway", "0", "--token-warning", "3s"]
    service = start(*options)
    good = token(exp=time.time() + 5)
    with service.http() as http:
        streams = {name: greeted(make, service.url, token=good) for name, make in DUPLEX.items()}
        streams["socketio"] = SocketIO({"token": good}, url=service.url)
        streams["socketio"].until("welcome")
        for name, accept in EVENTS.items():
            session = http.post("/v1/sessions", headers={"authorization": f"Bearer {good}"}).json()
            streams[name] = Tunnel.events(session, accept, url=service.url)
        polled = http.post("/v1/sessions", headers={"authorization": f"Bearer {good}"}).json()
        path, auth = f"/v1/sessions/{polled['sid']}", {"authorization": f"Bearer {polled['token']}"}
        for name, stream in streams.items():
            assert stream.until("token_expiring")["expires"] > time.time() * 1000, name
        for name, stream in streams.items():
            end = refused(stream, "token_expired")
            assert end == (("end", "") if name in EVENTS else (4401, "token_expired")), name
        gone = http.get(f"{path}/events", headers=auth | {"accept": "application/json"})
        assert gone.status_code in (401, 404)
        again = http.post("/v1/sessions", json={"resume": polled["resume"]})
        assert (again.status_code, again.json()["code"]) == (401, "token_expired")
        for name, make in DUPLEX.items():
            stream = make(url=service.url)
            stream.send({"t": "resume", "ticket": polled["resume"]})
            assert refused(stream, "token_expired") == (4401, "token_expired"), name
            stream = make(url=service.url)
            stream.send({"t": "hello"})
            assert refused(stream, "token_missing") == (4401, "token_missing"), name


def test_an_address_that_begins_too_many_sessions_is_refused_over_every_transport(start):  # noqa: F811
    service = start("--threads", "1", "--address-rate", "1/2")
    with service.http() as http:
        ticket = http.post("/v1/sessions").json()["resume"]
        for _ in range(20):
            answer = http.post("/v1/sessions")
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
        assert 1 <= int(answer.headers["retry-after"]) < 60
        # The bucket has room again every second.
        for message in ({"t": "hello"}, {"t": "resume", "ticket": ticket}):
            for name, make in DUPLEX.items():
                ends = []
                for _ in range(6):
                    stream = make(url=service.url)
                    stream.send(message)
                    stream.read()
                    if stream.messages[0]["t"] == "error":
                        ends.append(refused(stream, "rate_limited"))
                    else:
                        stream.leave()
                assert set(ends) == {(4429, "rate_limited")}, name
        ends = []
        for _ in range(6):
            stream = SocketIO({}, url=service.url)
            while not stream.messages and not stream.close:
                stream.read()
            ends += [stream.close] if stream.close else []
            stream.leave()
        assert set(ends) == {("refused", "rate_limited")}


@pytest.mark.parametrize("limit", ["session-rate", "subject-rate", "room-rate"])
def test_messages_over_a_rate_are_refused_one_by_one(start, files, limit):  # noqa: F811
    service = start("--threads", "1", "--token-secret-file", files("secret", SECRET), f"--{limit}", "1/8")
    good = token()
    messages = [{"t": "presence_set" if limit != "room-rate" else "msg", "room": "r", "id": str(n), "body": {}} for n in range(12)]
    for name, make in DUPLEX.items():
        stream = greeted(make, service.url, token=token(sub=name))
        stream.send({"t": "join", "room": name, "id": "j"})
        stream.until("ack", id="j")
        stream.send([message | {"room": name} for message in messages])
        assert "retry after" in stream.until("error", code="rate_limited")["detail"], name
        stream.send({"t": "leave", "room": name, "id": "l"})
        assert stream.until("ack", id="l"), "what ends something is always taken"
        stream.leave()
    with service.http() as http:
        session = http.post("/v1/sessions", headers={"authorization": f"Bearer {good}"}).json()
        auth = {"authorization": f"Bearer {session['token']}"}
        answer = http.post(f"/v1/sessions/{session['sid']}/messages", json=[{"t": "join", "room": "r"}, *messages], headers=auth)
        codes = [result.get("error", {}).get("code", "ok") for result in answer.json()["results"]]
        assert codes[0] == "ok" and codes[-1] == "rate_limited"


def test_a_token_in_a_url_is_refused_whatever_the_transport(start):  # noqa: F811
    service = start()
    upgrade = {"connection": "upgrade", "upgrade": "websocket", "sec-websocket-version": "13",
               "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==", "sec-websocket-protocol": PROTOCOL}
    for name in ("token", "access_token"):
        with httpx.Client(verify=False, base_url=service.url) as http1, service.http() as http:
            answers = [
                http1.get(f"/v1/ws?{name}=x", headers=upgrade),
                http.post(f"/v1/stream?{name}=x", headers={"content-type": "application/x-ndjson"}),
                http.post(f"/v1/sessions?{name}=x"),
            ]
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(400, "token_in_url")] * 3
        for fields in (WEBSOCKET, LINES):
            named = [(field, f"{value}?{name}=x" if field == ":path" else value) for field, value in fields]
            tunnel = Tunnel(named, url=service.url)
            assert tunnel.head[":status"] == "400"
            tunnel.leave()


LIMITS = ["--message-size", "2KiB", "--message-batch", "4", "--message-depth", "8", "--message-hello-size", "512",
          "--hello-timeout", "300ms", "--room-capacity", "1", "--session-rooms", "2", "--message-identifier-size", "16"]


@pytest.fixture(scope="module")
def small():
    """A service whose limits are low."""
    from test_process import Service

    service = Service(*LIMITS)
    yield service
    service.process.kill()
    service.process.communicate()


def test_limits_of_requests_have_their_codes(small):
    with small.http() as http:
        client = Client(http)
        assert client.send({"t": "join", "room": "taken"}) == ["ok"]

        def post(body, path="/messages", **headers):
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            fields = {**client.auth, "content-type": "application/json", **headers}
            answer = http.post(client.path + path if path else "/v1/sessions", content=content, headers=fields)
            return answer.status_code, answer.json().get("code")

        assert post({"t": "msg", "body": "x" * 3000}) == (413, "too_large")
        assert post([{"t": "ping"}] * 5) == (413, "too_large")
        assert post(b"[" * 9 + b"]" * 9) == (400, "bad_json")
        assert post(b"{") == (400, "bad_json")
        assert post({"t": "ping"}, **{"content-type": "text/plain"}) == (415, "unsupported_media_type")
        assert post({"client": {"name": "x" * 600}}, path=None) == (413, "too_large")
        assert client.send({"t": "join", "room": "x" * 17}) == ["bad_message"]
        assert client.send({"t": "join", "room": "a"}, {"t": "join", "room": "b"}) == ["ok", "too_many_rooms"]
        assert Client(http).send({"t": "join", "room": "taken"}) == ["room_full"]


@pytest.mark.parametrize("name", DUPLEX)
def test_limits_of_streams_have_their_codes(small, name):
    make = DUPLEX[name]
    silent = make(url=small.url)
    stream = greeted(make, small.url)
    for message, code in [
        ([{"t": "ping"}] * 5, "too_large"),
        ({"t": "msg", "body": [[[[[[[[1]]]]]]]]}, "bad_json"),
        ({"t": "join", "id": "j", "room": "x" * 17}, "bad_message"),
        ({"t": "what", "id": "w"}, "unknown_type"),
    ]:
        stream.send(message)
        assert stream.until("error")["code"] == code
    # None of these ends a stream; one that is too large for a frame does.
    stream.send({"t": "ping", "id": "p"})
    stream.until("pong", id="p")
    stream.send({"t": "msg", "body": "x" * 3000})
    assert stream.end()[0] == (4413 if name == "stream" else 1009)
    stream.leave()
    large = make(url=small.url)
    large.send({"t": "hello", "client": "x" * 600})
    assert refused(large, "too_large") == (4413, "too_large")
    first = make(url=small.url)
    first.send({"t": "ping"})
    assert refused(first, "bad_hello") == (4400, "bad_hello")
    assert refused(silent, "hello_timeout") == (4408, "hello_timeout")


def test_a_service_that_is_full_says_so(start):  # noqa: F811
    service = start("--threads", "1", "--session-limit", "1")
    with service.http() as http:
        assert http.post("/v1/sessions").status_code == 201
        answer = http.post("/v1/sessions")
        assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "too_many_sessions", "5")
    for name, make in DUPLEX.items():
        stream = make(url=service.url)
        stream.send({"t": "hello"})
        assert refused(stream, "too_many_sessions") == (4503, "too_many_sessions"), name
