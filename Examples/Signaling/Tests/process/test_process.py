"""The program as its operator sees it: command line, signals, timeouts, and readers that are too slow.

SIGNALING_PROGRAM is the program to test; without it, the release build of this package. Needs httpx[http2] and pytest.
"""

import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import time

import h2.config
import h2.connection
import h2.events
import httpx
import pytest

PACKAGE = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("SIGNALING_PROGRAM", str(PACKAGE / ".build/release/signaling"))


class Service:
    """A running program; `port` is the one that it chose."""

    def __init__(self, *options: str):
        self.process = subprocess.Popen(
            [PROGRAM, "--port", "0", "--threads", "2", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        match = re.fullmatch(r"signaling: open (https://\S+:(\d+)/)\n", line)
        assert match, line + self.process.stderr.read()
        self.url, self.port = match[1], int(match[2])

    def http(self) -> httpx.Client:
        return httpx.Client(http2=True, verify=False, base_url=self.url, timeout=10)

    def stop(self, number=signal.SIGTERM, seconds: float = 10) -> tuple[int, str]:
        """Sends a signal; gives the exit code and the log."""
        self.process.send_signal(number)
        _, log = self.process.communicate(timeout=seconds)
        return self.process.returncode, log


@pytest.fixture
def start():
    services: list[Service] = []

    def make(*options: str) -> Service:
        services.append(Service(*options))
        return services[-1]

    yield make
    for service in services:
        if service.process.poll() is None:
            service.process.kill()
            service.process.communicate()


class Client:
    """A session and its requests."""

    def __init__(self, http: httpx.Client):
        self.http = http
        self.hello = http.post("/v1/sessions").json()
        self.path = f"/v1/sessions/{self.hello['sid']}"
        self.auth = {"authorization": f"Bearer {self.hello['token']}"}

    def send(self, *messages: dict) -> list:
        response = self.http.post(f"{self.path}/messages", json=list(messages), headers=self.auth)
        assert response.status_code == 202, response.text
        return [result.get("error", {}).get("code", "ok") for result in response.json()["results"]]

    def stream(self):
        return self.http.stream("GET", f"{self.path}/events", headers=self.auth)


def events(response: httpx.Response):
    rest = b""
    for piece in response.iter_bytes():
        *blocks, rest = (rest + piece).split(b"\n\n")
        for block in blocks:
            if b"\ndata: " in block:
                yield json.loads(block.split(b"\ndata: ")[1])


# The command line


@pytest.mark.parametrize(
    "options, words, code",
    [
        (["--bogus"], "--bogus", 64),
        (["--port", "x"], "--port", 64),
        (["--port", "70000"], "--port", 64),
        (["--threads", "0"], "--threads", 64),
        (["--session-grace", "0"], "--session-grace", 64),
        (["--host", "0.0.0.0"], "--certificate", 64),
        (["--host", "::"], "--certificate", 64),
        (["--host", "127.example.org"], "numeric", 1),
        (["--certificate", "x.pem"], "--private-key", 64),
        (["--certificate", "/missing.pem", "--private-key", "/missing.key"], "/missing.pem", 1),
    ],
)
def test_what_is_wrong_is_said_in_one_line(options, words, code):
    result = subprocess.run([PROGRAM, *options], capture_output=True, text=True, timeout=20)
    assert result.returncode == code
    assert result.stdout == ""
    assert words in result.stderr
    assert result.stderr.startswith("signaling: ") and result.stderr.count("\n") == 1, result.stderr


def test_a_taken_port_is_said_in_one_line(start):
    port = str(start().port)
    result = subprocess.run([PROGRAM, "--port", port], capture_output=True, text=True, timeout=20)
    assert result.returncode == 1
    assert "in use" in result.stderr and result.stderr.count("\n") == 1


def test_help_has_examples():
    result = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, timeout=20)
    assert result.returncode == 0
    assert "EXAMPLES" in result.stdout and "--session-grace" in result.stdout


def test_without_certificate_only_this_machine_is_served_and_the_log_says_so(start):
    service = start()
    for family, host in [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]:
        with socket.socket(family) as client:
            client.connect((host, service.port))
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        address, state = line.split()[1], line.split()[3]
        if state == "0A" and address.endswith(f":{service.port:04X}"):
            assert address.startswith("0100007F:")
    _, log = service.stop()
    assert "DEVELOPMENT MODE" in log


def test_the_development_certificate_is_kept(start):
    def certificate():
        return ssl.get_server_certificate(("localhost", start().port))

    assert certificate() == certificate()


# Signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_streams_and_the_program(start, number):
    service = start()
    with service.http() as http:
        client = Client(http)
        with client.stream() as response:
            service.process.send_signal(number)
            assert [event["t"] for event in events(response)] == ["goaway"]
    began = time.monotonic()
    code, log = service.process.wait(timeout=10), service.process.stderr.read()
    assert code == 0 and "stopped" in log
    assert time.monotonic() - began < 8, "it waited out its grace though nothing was left"


def test_a_second_signal_ends_it_at_once(start):
    service = start()
    with service.http() as http:
        client = Client(http)

        def endless():
            yield b"["
            service.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            assert service.process.poll() is None, "it waits for the request"
            service.process.send_signal(signal.SIGTERM)
            service.process.wait(timeout=5)
            yield b"]"

        headers = {**client.auth, "content-type": "application/json"}
        with pytest.raises(httpx.HTTPError):
            http.post(f"{client.path}/messages", content=endless(), headers=headers)
    assert service.process.returncode == 0


# Sessions


def test_who_vanishes_times_out(start):
    service = start("--session-grace", "1")
    with service.http() as http:
        ada, other = Client(http), service.http()
        bob = Client(other)
        with ada.stream() as response:
            assert ada.send({"t": "join", "room": "r"}) == ["ok"]
            with bob.stream():
                assert bob.send({"t": "join", "room": "r"}) == ["ok"]
                time.sleep(1.5)
                other.close()
            began = time.monotonic()
            heard = [next(stream) for stream in [events(response)] for _ in range(3)]
        assert [event["t"] for event in heard] == ["joined", "peer_joined", "peer_left"]
        assert heard[2]["reason"] == "timeout"
        assert 0.5 < time.monotonic() - began < 4


class Mute:
    """A client whose event stream takes nothing: it opens no window past the first."""

    def __init__(self, service: Service, client: Client):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        self.socket = context.wrap_socket(socket.create_connection(("localhost", service.port)))
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration())
        self.h2.initiate_connection()
        fields = [(":method", "GET"), (":scheme", "https"), (":authority", "localhost")]
        fields += [(":path", f"{client.path}/events"), *client.auth.items()]
        self.h2.send_headers(1, fields, end_stream=True)
        self.socket.sendall(self.h2.data_to_send())

    def read(self, seconds: float, takes: bool) -> tuple[bytes, bool]:
        """What comes in this time, and whether the stream has ended."""
        data, ended = b"", False
        deadline = time.monotonic() + seconds
        self.socket.settimeout(0.2)
        while time.monotonic() < deadline and not ended:
            try:
                received = self.socket.recv(65536)
            except TimeoutError:
                continue
            if not received:
                return data, True
            for event in self.h2.receive_data(received):
                if isinstance(event, h2.events.DataReceived):
                    data += event.data
                    if takes and event.flow_controlled_length:
                        self.h2.acknowledge_received_data(event.flow_controlled_length, 1)
                ended = ended or isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset))
            self.socket.sendall(self.h2.data_to_send())
        return data, ended


def test_a_reader_that_is_too_slow_is_bounded_and_gets_the_rest_when_it_reads_on(start):
    service = start("--session-stall", "60s")
    with service.http() as http, service.http() as other:
        ada, bob = Client(http), Client(other)
        slow = Mute(service, bob)
        for client in (ada, bob):
            assert client.send({"t": "join", "room": "r"}) == ["ok"]
        offer = {"t": "offer", "room": "r", "to": {"peer": bob.hello["sid"]}, "body": {"sdp": "x" * 30_000}}
        sent = 0
        while sent < 100 and ada.send({**offer, "id": f"m{sent}", "neg": sent}) == ["ok"]:
            sent += 1
        assert 8 <= sent < 25, "the log, one window of HTTP/2 and one queue"
        assert ada.send({**offer, "neg": 1000}) == ["queue_full"]
        slow.h2.increment_flow_control_window(1 << 30, 1)
        slow.h2.increment_flow_control_window(1 << 30)
        slow.socket.sendall(slow.h2.data_to_send())
        data, numbers = b"", []
        deadline = time.monotonic() + 20
        while len(numbers) < sent and time.monotonic() < deadline:
            more, ended = slow.read(0.3, takes=False)
            assert not ended
            data += more
            numbers = [int(number) for number in re.findall(rb'"neg":(\d+)', data)]
        assert numbers == list(range(sent))
        assert ada.send({**offer, "neg": 1001}) == ["ok"]


def test_clients_that_vanish_leave_nothing_behind(start):
    service = start("--session-grace", "1")

    def descriptors() -> int:
        return len(os.listdir(f"/proc/{service.process.pid}/fd"))

    before = descriptors()
    for _ in range(3):
        clients = [service.http() for _ in range(20)]
        streams = [Client(http).stream() for http in clients]
        for stream in streams:
            stream.__enter__()
        assert descriptors() >= before + 20
        for http in clients:
            http.close()
    deadline = time.monotonic() + 10
    while descriptors() > before and time.monotonic() < deadline:
        time.sleep(0.1)
    assert descriptors() == before


# Restarts


def resume(http: httpx.Client, ticket: str, last: str) -> httpx.Response:
    return http.post("/v1/sessions", json={"resume": ticket, "last": last})


def test_a_ticket_survives_a_kill_and_tells_that_all_is_lost(start, tmp_path):
    keys = tmp_path / "tickets.key"
    keys.write_text("a" * 64 + "\n")
    first = start("--ticket-secret-file", str(keys))
    with first.http() as http:
        client = Client(http)
        last = f"{client.hello['epoch']}.0"
        assert resume(http, client.hello["resume"], last).json()["resumed"] == "yes"
    first.process.kill()
    first.process.wait()
    # A new key comes in front of the old one.
    keys.write_text("b" * 64 + "\n" + "a" * 64 + "\n")
    with start("--ticket-secret-file", str(keys)).http() as http:
        answer = resume(http, client.hello["resume"], last)
        assert answer.status_code == 201
        assert answer.headers["signal-resumed"] == answer.json()["resumed"] == "no"
        assert answer.json()["sid"] == client.hello["sid"]
        assert answer.json()["epoch"] > client.hello["epoch"]
        assert answer.json()["token"] != client.hello["token"]
    keys.write_text("b" * 64 + "\n")
    with start("--ticket-secret-file", str(keys)).http() as http:
        refused = resume(http, client.hello["resume"], last)
        assert (refused.status_code, refused.json()["code"]) == (401, "bad_ticket")


@pytest.mark.parametrize("contents, word", [(None, "cannot be read"), ("short\n", "32 characters"), ("", "32 characters")])
def test_ticket_keys_that_are_of_no_use_end_the_start(tmp_path, contents, word):
    keys = tmp_path / "tickets.key"
    if contents is not None:
        keys.write_text(contents)
    result = subprocess.run([PROGRAM, "--port", "0", "--ticket-secret-file", str(keys)], capture_output=True, text=True, timeout=20)
    assert result.returncode == 1
    assert word in result.stderr and str(keys) in result.stderr
