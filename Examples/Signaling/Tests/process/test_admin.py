"""The service as its operators see it: the second listener, its metrics, webhooks, and draining.

As for test_process.py; needs prometheus_client too.
"""

import hashlib
import hmac
import http.server
import json
import socket
import ssl
import subprocess
import threading
import time

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from test_process import PROGRAM, Client, Service, events, start  # noqa: F401

SECRET = "a-secret-of-the-webhooks"
TOKEN = "a-token-of-the-operators"


class Operated(Service):
    """A running program with its listener for operators."""

    def __init__(self, *options: str):
        super().__init__("--admin-port", "0", *options)
        line = self.process.stdout.readline()
        assert line.startswith("signaling: operators http://127.0.0.1:"), line
        self.admin = httpx.Client(base_url=line.split()[2], timeout=10)


@pytest.fixture
def operated():
    services: list[Operated] = []

    def make(*options: str) -> Operated:
        services.append(Operated(*options))
        return services[-1]

    yield make
    for service in services:
        service.admin.close()
        if service.process.poll() is None:
            service.process.kill()
            service.process.communicate()


def within(seconds: float, condition):
    """Waits until the condition holds, and gives what it gave."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, "it did not come to it"
        time.sleep(0.05)


def problem(response: httpx.Response, status: int, code: str):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == code


# The listener


def test_a_taken_admin_port_is_said_in_one_line(operated):
    port = str(operated().admin.base_url.port)
    options = [PROGRAM, "--port", "0", "--admin-port", port]
    result = subprocess.run(options, capture_output=True, text=True, timeout=20)
    assert result.returncode == 1
    assert "in use" in result.stderr and port in result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("signaling: ")]
    assert len(lines) == 1


@pytest.mark.parametrize(
    "options, words",
    [
        (["--admin-port", "0", "--admin-host", "0.0.0.0"], "--admin-token-file"),
        (["--admin-port", "0", "--admin-token-file", "/missing"], "/missing"),
        (["--webhook-url", "http://localhost:1/"], "--webhook-secret-file"),
        (["--drain-timeout", "-1"], "--drain-timeout"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(options, words):
    result = subprocess.run([PROGRAM, "--port", "0", *options], capture_output=True, text=True, timeout=20)
    assert result.returncode != 0 and result.stdout == ""
    assert words in result.stderr and result.stderr.count("\n") == 1, result.stderr


def test_with_a_token_all_but_health_asks_for_it(operated, tmp_path):
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    admin = operated("--admin-token-file", str(file)).admin
    for path in ["/livez", "/readyz", "/startupz", "/"]:
        assert admin.get(path).status_code == 200
    for path in ["/metrics", "/v1/status", "/v1/rooms", "/v1/log-level"]:
        problem(admin.get(path), 401, "unauthorized")
        problem(admin.get(path, headers={"authorization": f"Bearer {TOKEN}x"}), 401, "unauthorized")
        assert admin.get(path, headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
    problem(admin.put("/v1/drain"), 401, "unauthorized")


def test_beyond_loopback_it_has_the_certificate_of_the_service(start, tmp_path):  # noqa: F811
    chain, key, token = (str(tmp_path / name) for name in ("chain.pem", "key.pem", "token"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        + ["-keyout", key, "-out", chain, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True,
        capture_output=True,
    )
    (tmp_path / "token").write_text(TOKEN)
    service = start(
        *("--certificate", chain, "--private-key", key),
        *("--admin-host", "0.0.0.0", "--admin-port", "0", "--admin-token-file", token),
    )
    line = service.process.stdout.readline()
    assert line.startswith("signaling: operators https://0.0.0.0:"), line
    port = line.strip().rstrip("/").rpartition(":")[2]
    with httpx.Client(base_url=f"https://localhost:{port}", verify=ssl.create_default_context(cafile=chain)) as admin:
        problem(admin.get("/v1/status"), 401, "unauthorized")
        assert admin.get("/v1/status", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_pages_of_other_sites_are_kept_out(operated):
    admin = operated().admin
    problem(admin.put("/v1/drain", headers={"origin": "https://example.org"}), 403, "forbidden")
    problem(admin.get("/v1/status", headers={"host": "example.org"}), 403, "forbidden")
    problem(admin.get("/v1/status", headers={"host": "127.0.0.1.example.org"}), 403, "forbidden")
    same = str(admin.base_url).rstrip("/")
    assert admin.get("/v1/status", headers={"origin": same}).status_code == 200
    assert admin.get("/readyz").text == "ok\n"


def test_what_is_wrong_is_a_problem(operated):
    admin = operated().admin
    problem(admin.get("/nothing"), 404, "not_found")
    problem(admin.post("/v1/status"), 405, "method_not_allowed")
    problem(admin.get("/v1/rooms?limit=0"), 400, "bad_request")
    problem(admin.get("/v1/rooms?limit=1001"), 400, "bad_request")
    problem(admin.get("/v1/rooms?cursor=x"), 400, "bad_request")
    problem(admin.get("/v1/rooms/none"), 404, "no_such_room")
    problem(admin.delete("/v1/sessions/none"), 404, "no_such_session")
    problem(admin.delete("/v1/rooms/none/members/x"), 404, "no_such_member")
    problem(admin.post("/v1/rooms/none/messages", content=b"{}"), 415, "unsupported_media_type")
    problem(admin.post("/v1/rooms/none/messages", json=[]), 400, "bad_json")
    problem(admin.post("/v1/rooms/none/messages", json={"text": "x" * 70_000}), 413, "too_large")
    problem(admin.put("/v1/log-level", json={"level": "loud"}), 400, "bad_request")


# Sessions and rooms


def test_rooms_and_sessions_are_listed_told_and_ended(operated):
    service = operated()
    admin = service.admin
    with service.http() as http, service.http() as other:
        ada, bob = Client(http), Client(other)
        for client in (ada, bob):
            for room in ("r/1", "r2", "r3"):
                assert client.send({"t": "join", "room": room}) == ["ok"]
        with ada.stream() as response:
            heard = events(response)
            rooms, cursor = [], ""
            while cursor is not None:
                page = admin.get(f"/v1/rooms?limit=1{cursor and '&cursor=' + cursor}").json()
                rooms += [room["room"] for room in page["rooms"]]
                cursor = page.get("cursor")
            assert sorted(rooms) == ["r/1", "r2", "r3"]
            sids = {session["sid"] for session in admin.get("/v1/sessions").json()["sessions"]}
            assert sids == {ada.hello["sid"], bob.hello["sid"]}
            assert set(admin.get("/v1/rooms/r%2F1").json()["peers"]) == sids
            path = f"/v1/sessions/{ada.hello['sid']}"
            detail = admin.get(path).json()
            assert detail["connected"] and detail["transport"] == "sse" and len(detail["joined"]) == 3
            flight = admin.get(path + "/flight").json()["events"]
            assert [event["event"] for event in flight][0] == "started"
            assert {"t": "join", "outcome": "ok"}.items() <= next(e for e in flight if e["event"] == "message").items()
            said = admin.post("/v1/rooms/r2/messages", json={"text": "hello"})
            assert said.json() == {"sessions": 2}
            assert next(event for event in heard if event["t"] == "msg")["body"] == {"text": "hello"}
            gone = admin.delete(f"/v1/rooms/r3/members/{ada.hello['sid']}")
            assert gone.status_code == 200
            left = next(event for event in heard if event["t"] == "peer_left")
            assert left["reason"] == "kicked" and left["room"] == "r3"
            assert admin.delete("/v1/rooms/r2").json() == {"sessions": 2}
            assert next(event for event in heard if event["t"] == "room_closed")["room"] == "r2"
            assert admin.delete(path).status_code == 200
            assert [event.get("code") for event in heard][-1] == "kicked"
        problem(admin.get(path), 404, "no_such_session")
        assert ada.http.post(f"{ada.path}/messages", json=[], headers=ada.auth).status_code == 404


def test_the_level_of_the_log_can_be_changed(operated):
    service = operated()
    assert service.admin.get("/v1/log-level").json() == {"level": "info"}
    assert service.admin.put("/v1/log-level", json={"level": "critical"}).json() == {"level": "critical"}
    _, log = service.stop()
    assert "stopped" not in log


# Metrics and the page


def test_metrics_are_what_prometheus_reads(operated):
    service = operated()
    with service.http() as http:
        client = Client(http)
        with client.stream():
            assert client.send({"t": "join", "room": "r"}, {"t": "ping"}, {"t": "bogus"}) == ["ok", "ok", "unknown_type"]
            response = service.admin.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in text_string_to_metric_families(response.text)}

    def value(family: str, **labels) -> float:
        return sum(
            sample.value
            for sample in families[family].samples
            if not sample.name.endswith("_created") and labels.items() <= sample.labels.items()
        )

    assert value("signaling_sessions", state="connected") == 1
    assert value("signaling_streams", transport="sse", http="2") == 1
    assert value("signaling_connections") == 1
    assert value("signaling_handshakes", outcome="full") == 1
    assert value("signaling_messages", type="join", outcome="ok") == 1
    assert value("signaling_messages", type="other", outcome="unknown_type") == 1
    assert value("signaling_rooms") == 1
    assert value("signaling_bytes_sent") > 0
    assert {sample.labels["loop"] for sample in families["signaling_loop_lag_seconds"].samples} == {"0", "1"}
    assert all(family.documentation for family in families.values())


def test_channels_and_users_are_listed_in_the_words_of_the_vocabulary(operated):
    service = operated()
    admin = service.admin

    def data(path: str):
        answer = admin.get(path).json()
        assert answer["type"] is True
        return answer["data"]

    assert data("/webrtc/details?version=5.3") == "5.3"
    assert data("/session/all-sessions") == {"response": "all", "channelinfo": [], "format": "json"}
    assert data("/session/getsession/none") == {"response": "channel", "channelinfo": None, "format": "json"}
    assert data("/session/clients/none") == {"response": "users", "clients": [], "format": "json"}
    assert data("/user/getuser/none") == {"response": "users", "users": "notfound", "format": "json"}
    with service.http() as http:
        peers = [Client(http) for _ in range(3)]
        for peer in peers:
            for room in ("a/b", "c"):
                peer.send({"t": "join", "room": room})
        sids = {peer.hello["sid"] for peer in peers}
        channel = data("/session/getsession/a%2Fb")["channelinfo"]
        assert set(channel.pop("users")) == sids
        assert channel == {"channel": "a/b", "status": "3 active members", "endtimestamp": 0}
        assert set(data("/session/clients/c")["clients"]) == sids
        assert sorted(data(f"/user/getuser/{min(sids)}")["users"]["joined"]) == ["a/b", "c"]
        for path, field, expected in [
            ("/session/all-sessions", "channelinfo", {"a/b", "c"}),
            ("/session/clients", "clients", sids),
            ("/user/all-users", "users", sids),
        ]:
            found, cursor = [], ""
            while cursor is not None:
                page = data(f"{path}?limit=1{cursor and '&cursor=' + cursor}")
                assert len(page[field]) <= 1
                found += page[field]
                cursor = page.get("cursor")
            assert len(found) == len(expected) and set(found) == expected
    problem(admin.get("/user/all-users?limit=1001"), 400, "bad_request")
    problem(admin.post("/session/all-sessions"), 405, "method_not_allowed")


def test_the_page_loads_nothing_from_elsewhere(operated):
    admin = operated().admin
    page = admin.get("/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert "//" not in page.text and "style=" not in page.text and "<script>" not in page.text
    for path in ["/dashboard.js", "/dashboard.css"]:
        assert admin.get(path).status_code == 200
    assert admin.get("/v1/status").json()["sessions"] == 0


# Webhooks


class Receiver:
    """Takes webhooks; refuses the first ones."""

    def __init__(self, failures: int):
        self.events: list[dict] = []
        self.refused: list[tuple[str, bytes]] = []
        self.faults: list[str] = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                parts = dict(part.split("=") for part in self.headers["signaling-signature"].split(","))
                signed = f"{parts['t']}.".encode() + body
                if parts["v1"] != hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest():
                    receiver.faults.append("the signature is wrong")
                if abs(time.time() - int(parts["t"])) > 60:
                    receiver.faults.append("the time is wrong")
                delivery = self.headers["signaling-delivery"]
                if json.loads(body)["id"] != delivery:
                    receiver.faults.append("the delivery has two names")
                if len(receiver.refused) < failures:
                    receiver.refused.append((delivery, body))
                    self.send_response(500)
                else:
                    receiver.events += json.loads(body)["events"]
                    self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver():
    made = Receiver(failures=2)
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_webhooks_are_signed_and_tried_again(operated, receiver, tmp_path):
    file = tmp_path / "secret"
    file.write_text(SECRET)
    service = operated("--threads", "1", "--webhook-url", receiver.url, "--webhook-secret-file", str(file))
    with service.http() as http:
        client = Client(http)
        assert client.send({"t": "join", "room": "r"}) == ["ok"]
        assert http.delete(client.path, headers=client.auth).status_code == 204
        within(20, lambda: len(receiver.events) == 6)
    kinds = ["session.started", "room.opened", "room.joined", "session.ended", "room.left", "room.closed"]
    assert [event["type"] for event in receiver.events] == kinds
    assert receiver.events[3]["reason"] == "bye" and receiver.events[0]["sid"] == client.hello["sid"]
    assert receiver.events[1]["room"] == "r" and abs(receiver.events[1]["at"] / 1000 - time.time()) < 60
    assert receiver.faults == []
    assert len(receiver.refused) == 2 and receiver.refused[0] == receiver.refused[1], "the same delivery came again"
    metrics = within(5, lambda: 'outcome="delivered"} 6\n' in (text := service.admin.get("/metrics").text) and text)
    assert "signaling_webhook_retries_total 2\n" in metrics


# Draining


def test_readiness_goes_first_and_draining_can_be_undone(operated):
    service = operated("--drain-lead", "1")
    admin = service.admin
    with service.http() as http:
        client = Client(http)
        with client.stream() as response:
            state = admin.put("/v1/drain").json()
            assert state == {"draining": True, "told": 0, "left": 1}
            assert admin.get("/readyz").status_code == 503 and admin.get("/livez").status_code == 200
            refusal = http.post("/v1/sessions")
            problem(refusal, 503, "draining")
            assert "retry-after" in refusal.headers
            (event,) = events(response)
        assert event["t"] == "goaway" and 0 <= event["reconnect_in"] < 3000
        last = f"{client.hello['epoch']}.{event['seq']}"
        problem(http.get(f"{client.path}/events", headers=client.auth), 503, "draining")
        assert admin.get("/v1/drain").json() == {"draining": True, "told": 1, "left": 0}
        assert admin.delete("/v1/drain").json()["draining"] is False
        assert admin.get("/readyz").status_code == 200
        headers = {**client.auth, "last-event-id": last}
        with http.stream("GET", f"{client.path}/events", headers=headers) as response:
            assert response.headers["signal-resumed"] == "yes"


def test_draining_under_load_moves_every_session_in_time(operated):
    old, new = operated("--drain-timeout", "8"), operated()
    count, moved, failures = 60, [], []
    ready = threading.Barrier(count + 1)

    def live(number: int):
        try:
            with old.http() as http:
                client = Client(http)
                with client.stream() as response:
                    client.send({"t": "join", "room": f"r{number % 10}"})
                    ready.wait(60)
                    for event in events(response):
                        if event["t"] == "goaway":
                            break
                    else:
                        raise AssertionError("the stream has ended without a goaway")
            time.sleep(event["reconnect_in"] / 1000)
            with new.http() as http:
                moved.append(Client(http).hello["sid"])
        except Exception as error:
            failures.append(repr(error))

    over, answered = threading.Event(), []

    def talk():
        """The load: messages all the time, as long as there is somebody to take them."""
        try:
            with old.http() as http:
                client = Client(http)
                while not over.is_set():
                    answered.append(client.send({"t": "join", "room": "r0"}, {"t": "leave", "room": "r0"}))
        except httpx.HTTPError:
            pass

    clients = [threading.Thread(target=live, args=(number,)) for number in range(count)]
    talkers = [threading.Thread(target=talk) for _ in range(2)]
    for client in clients + talkers:
        client.start()
    ready.wait(60)
    within(20, lambda: len(answered) > 20)
    code, log = old.stop(seconds=30)
    assert code == 0 and "stopped" in log
    over.set()
    for client in clients + talkers:
        client.join(30)
    assert failures == [] and len(moved) == count
    assert all(results == ["ok", "ok"] for results in answered)
    assert new.admin.get("/v1/status").json()["sessions"] == count


def test_a_second_signal_ends_a_drain_at_once(operated):
    service = operated("--drain-timeout", "60", "--drain-lead", "60")
    with service.http() as http:
        client = Client(http)
        with client.stream():
            service.process.terminate()
            within(10, lambda: service.admin.get("/readyz").status_code == 503)
            code, _ = service.stop(seconds=20)
    assert code == 0


def test_a_port_of_operators_speaks_no_tls_on_loopback(operated):
    url = operated().admin.base_url
    with socket.create_connection((url.host, url.port)) as raw:
        raw.sendall(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        assert raw.recv(4096).startswith(b"HTTP/1.1 200")
