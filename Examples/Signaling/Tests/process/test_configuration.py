"""The configuration as its operator sees it: the file, what the program says of it, SIGHUP, and what stands in the log.

SIGNALING_PROGRAM is the program to test. Needs httpx[http2] and pytest.
"""

import json
import pathlib
import re
import signal
import socket
import ssl
import subprocess

import httpx
import pytest
from cryptography import x509
from websockets.sync.client import connect
from test_process import PACKAGE, PROGRAM, Client, Service, events, start  # noqa: F401


def say(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=20)


@pytest.fixture
def file(tmp_path) -> pathlib.Path:
    return tmp_path / "signaling.yaml"


def test_check_config_says_each_fault_in_a_line(file):
    file.write_text("room: {capacity: 0}\nbogus: 1\n")
    result = say("check-config", "--config", str(file))
    assert result.returncode == 64 and result.stdout == ""
    first, second = result.stderr.splitlines()
    assert first.startswith(f"signaling: {file}:2: bogus: there is no such setting")
    assert second == f"signaling: {file}:1: room-capacity: '0' is not a whole number from 1 to 100000"
    file.write_text("room: {capacity: 5}\n")
    assert say("check-config", "--config", str(file)).returncode == 0


def test_print_config_shows_values_and_sources_but_no_secret(file, tmp_path):
    secret = tmp_path / "token"
    secret.write_text("hunter2-hunter2-hunter2\n")
    secret.chmod(0o644)
    file.write_text(f"admin: {{port: 0, token-file: {secret}}}\nwebhook-url: https://hooks.example/hunter2\n")
    secret2 = tmp_path / "other"
    secret2.write_text("x" * 16)
    result = say("--config", str(file), "--print-config", "--room-capacity", "9", "--webhook-secret-file", str(secret2))
    assert result.returncode == 0, result.stderr
    assert "room-capacity: 9  # --room-capacity\n" in result.stdout
    assert f"admin-port: 0  # {file}:1\n" in result.stdout
    assert "hunter2" not in result.stdout + result.stderr
    assert f'webhook-url: "[redacted]"  # {file}:2\n' in result.stdout
    checked = say("check-config", "--config", str(file), "--webhook-secret-file", str(secret2))
    assert f"everyone on this machine can read {secret}" in checked.stderr


def wait_for(service: Service, words: str) -> str:
    while words not in (line := service.process.stderr.readline()):
        assert line, "the log has ended"
    return line


def test_a_hang_up_takes_what_may_change_and_drops_nobody(start, file):
    file.write_text("room: {capacity: 1}\nport: 0\n")
    service = start("--config", str(file))
    with service.http() as http:
        ada, bob = Client(http), Client(http)
        with ada.stream() as response:
            assert ada.send({"t": "join", "room": "r"}) == ["ok"]
            heard = events(response)
            assert next(heard)["t"] == "joined"
            # A faulty file changes nothing.
            file.write_text("room: {capacity: many}\n")
            service.process.send_signal(signal.SIGHUP)
            assert "room-capacity" in wait_for(service, "the old one stays")
            # A right one does, but for the listeners.
            file.write_text("room: {capacity: 2}\nport: 0\ndrain-timeout: 3s\n")
            service.process.send_signal(signal.SIGHUP)
            wait_for(service, "next start")
            assert '"changed":"room-capacity"' in wait_for(service, "configuration read again")
            wait_for(service, "certificates replaced")
            assert bob.send({"t": "join", "room": "r2"}) == ["ok"]
            assert ada.send({"t": "join", "room": "r2"}) == ["ok"], "two have room now"
            assert next(heard)["room"] == "r2", "the stream is the same"
            assert http.get("/").status_code == 200


def test_a_hang_up_takes_another_certificate_and_another_token_of_operators(start, file, tmp_path):
    def site(name: str) -> dict[str, str]:
        paths = {"certificate": str(tmp_path / f"{name}.pem"), "private-key": str(tmp_path / f"{name}.key")}
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
            + ["-subj", f"/CN={name}", "-keyout", paths["private-key"], "-out", paths["certificate"]],
            check=True,
            capture_output=True,
        )
        return paths

    def configure(name: str, token: str, **more):
        (tmp_path / token).write_text(token)
        settings = {"port": 0, "admin-port": 0, "admin-token-file": str(tmp_path / token), **site(name), **more}
        file.write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))

    def shown() -> str:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with socket.create_connection(("localhost", service.port)) as plain, context.wrap_socket(plain) as secure:
            name = x509.load_der_x509_certificate(secure.getpeercert(True)).subject
        return name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value

    def admitted(token: str) -> int:
        return operator.get("/v1/status", headers={"authorization": f"Bearer {token}"}).status_code

    configure("first.example", "first-token-of-operators")
    service = start("--config", str(file))
    operator = httpx.Client(base_url=service.process.stdout.readline().split()[-1], timeout=10)
    with service.http() as http, operator:
        client = Client(http)
        with client.stream() as response:
            assert client.send({"t": "join", "room": "r"}) == ["ok"]
            heard = events(response)
            assert next(heard)["t"] == "joined" and shown() == "first.example"
            assert (admitted("first-token-of-operators"), admitted("other-token-of-operators")) == (200, 401)
            configure("second.example", "other-token-of-operators")
            service.process.send_signal(signal.SIGHUP)
            wait_for(service, "certificates replaced")
            assert shown() == "second.example"
            assert (admitted("first-token-of-operators"), admitted("other-token-of-operators")) == (401, 200)
            # Of two files that do not belong together neither counts, and those of before stay.
            configure("third.example", "other-token-of-operators", **{"private-key": str(tmp_path / "first.example.key")})
            service.process.send_signal(signal.SIGHUP)
            assert "does not match" in wait_for(service, "the old one stays")
            assert shown() == "second.example"
            assert client.send({"t": "join", "room": "r2"}) == ["ok"]
            assert next(heard)["room"] == "r2", "the stream is the same"


def test_health_asks_the_service_of_the_same_configuration(start):
    service = start("--admin-port", "0")
    operators = service.process.stdout.readline().rstrip("/\n").rsplit(":", 1)[1]
    questions = [("--port", str(service.port)), ("--admin-port", operators)]
    for question in questions:
        result = say("health", *question)
        assert result.returncode == 0, result.stderr
    service.stop()
    for question in questions:
        result = say("health", *question)
        assert result.returncode == 1 and question[1] in result.stderr and result.stderr.count("\n") == 1


@pytest.mark.parametrize("form", ["json", "text"])
def test_lines_name_the_session_and_the_connection(start, form):
    service = start("--log-level", "debug", "--log-format", form)
    with service.http() as http:
        client = Client(http)
        with client.stream() as response:
            assert client.send({"t": "join", "room": "r"}) == ["ok"]
            assert next(events(response))["t"] == "joined"
        assert http.delete(client.path, headers={"authorization": "Bearer wrong"}).status_code == 401
    url = service.url.replace("https", "wss") + "v1/ws"
    with connect(url, ssl=ssl._create_unverified_context(), subprotocols=["signal.v1.json"]) as web_socket:
        web_socket.send(json.dumps({"t": "hello"}))
        other = json.loads(web_socket.recv(10))["sid"]
    _, log = service.stop()
    assert client.hello["token"] not in log

    def lines(message: str) -> list[dict]:
        """Their metadata."""
        found = [line for line in log.splitlines() if message in line]
        return [json.loads(line) if form == "json" else dict(re.findall(r"(\w+)=(\S+)", line)) for line in found]

    carried = lines("a stream carries a session")
    assert [(line["session"], line["transport"]) for line in carried] == [(client.hello["sid"], "sse"), (other, "websocket")]
    assert all(re.fullmatch(r"[01]-[1-9]\d*", line["connection"]) for line in carried)
    refused = lines("a request is refused")
    assert [(line["code"], line["connection"]) for line in refused] == [("unauthorized", carried[0]["connection"])]
    assert [line["session"] for line in lines("session.started")] == [client.hello["sid"], other]
    assert [line["session"] for line in lines("room.joined")] == [client.hello["sid"]]


def test_no_secret_of_a_call_stands_in_the_log(start):
    service = start("--log-level", "trace", "--log-format", "json")
    sdp = "v=0\r\no=- 4611731400430051336 2 IN IP4 203.0.113.77\r\na=ice-pwd:topsecretpassword\r\n"
    candidate = "candidate:1 1 udp 2130706431 198.51.100.23 54321 typ host"
    with service.http() as http:
        ada, bob = Client(http), Client(http)
        with ada.stream(), bob.stream() as response:
            for client in (ada, bob):
                assert client.send({"t": "join", "room": "r", "body": {"name": "Ada Lovelace"}}) == ["ok"]
            to = {"room": "r", "to": {"peer": bob.hello["sid"]}, "call": "k", "neg": 1}
            assert ada.send({"t": "offer", **to, "body": {"sdp": sdp}}) == ["ok"]
            assert ada.send({"t": "candidates", **to, "body": {"candidates": [{"candidate": candidate}]}}) == ["ok"]
            heard = events(response)
            while next(heard)["t"] != "offer":
                pass
        tokens = [ada.hello["token"], bob.hello["token"]]
    code, log = service.stop(seconds=30)
    assert code == 0 and log
    for line in log.splitlines():
        assert json.loads(line)["level"], line
    for secret in [*tokens, "203.0.113.77", "198.51.100.23", "topsecretpassword", "4611731400430051336", "Lovelace"]:
        assert secret not in log
    # Where clients are is nobody's business either: the service's own addresses are all that there is.
    own = {f"127.0.0.1:{service.port}", f"[::1]:{service.port}"}
    addresses = {json.loads(line).get("address") for line in log.splitlines()} - {None}
    assert addresses <= own, addresses


def test_the_documentation_lists_every_setting():
    text = (PACKAGE / "Documentation/Configuration.md").read_text()
    listed = set(re.findall(r"^\| `([a-z-]+)` \|", text, re.M))
    shown = {line.split(":")[0] for line in say("--print-config").stdout.splitlines()}
    assert listed == shown
