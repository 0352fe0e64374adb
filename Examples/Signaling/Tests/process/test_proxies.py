"""The program behind nginx and HAProxy, with the configurations of Deploy/: a session by events and by WebSocket through each.

SIGNALING_PROGRAM is the program to test. Needs nginx, haproxy, h2, httpx[http2], websockets and pytest.
"""

import json
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import time

import h2.config
import h2.connection
import h2.events
import httpx
import pytest
from websockets.sync.client import connect
from test_process import PACKAGE, PROGRAM, Client, Service, events

CERTIFICATE = "localhost.pem"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@pytest.fixture(scope="module")
def pem(tmp_path_factory) -> pathlib.Path:
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        + ["-subj", "/CN=localhost", "-keyout", folder / "site.key", "-out", folder / "chain.pem"],
        check=True,
        capture_output=True,
    )
    (folder / "site.pem").write_text((folder / "chain.pem").read_text() + (folder / "site.key").read_text())
    return folder


@pytest.fixture(params=["nginx", "haproxy"])
def proxied(request, pem, tmp_path):
    """A service behind a proxy; gives the proxy's port."""
    binary = shutil.which(request.param, path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if binary is None:
        pytest.skip(f"{request.param} is missing; install it with: apt-get install {request.param}")
    port = free_port()
    options = ["--proxy-protocol", "--proxy-protocol-from", "127.0.0.1"] if request.param == "haproxy" else []
    process = subprocess.Popen(
        [PROGRAM, "--plaintext", "--host", "127.0.0.1", "--port", "0", "--threads", "2", *options],
        stdout=subprocess.PIPE,
        text=True,
    )
    behind = re.search(r":(\d+)/", process.stdout.readline())[1]
    if request.param == "nginx":
        site = (PACKAGE / "Deploy/nginx.conf").read_text()
        site = re.sub(r"listen \[::\].*\n", "", site).replace("listen 443", f"listen 127.0.0.1:{port}")
        site = site.replace("127.0.0.1:8080", f"127.0.0.1:{behind}").replace("/etc/nginx/", f"{pem}/")
        site = site.replace("site.pem", "chain.pem")
        (tmp_path / "nginx.conf").write_text(
            f"daemon off; pid {tmp_path}/pid; error_log stderr; events {{}}\n"
            f"http {{ access_log off; client_body_temp_path {tmp_path}/b; proxy_temp_path {tmp_path}/p;"
            f" fastcgi_temp_path {tmp_path}/f; uwsgi_temp_path {tmp_path}/u; scgi_temp_path {tmp_path}/s;\n{site}}}\n"
        )
        command = [binary, "-c", tmp_path / "nginx.conf", "-p", tmp_path]
    else:
        text = (PACKAGE / "Deploy/haproxy.cfg").read_text()
        text = text.replace(":::443 v4v6", f"127.0.0.1:{port}").replace("127.0.0.1:8080", f"127.0.0.1:{behind}")
        text = text.replace("/etc/haproxy/", f"{pem}/").replace("maxconn 100000", "maxconn 100")
        (tmp_path / "haproxy.cfg").write_text(text)
        command = [binary, "-db", "-f", tmp_path / "haproxy.cfg"]
    proxy = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 15
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            assert proxy.poll() is None and time.monotonic() < deadline, proxy.stderr.read()
            time.sleep(0.05)
    yield request.param, port
    for running in (proxy, process):
        running.terminate()
    for running in (proxy, process):
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
        for pipe in (running.stdout, running.stderr):
            if pipe:
                pipe.close()


def test_a_session_comes_through(proxied):
    name, port = proxied

    def http() -> httpx.Client:
        return httpx.Client(http2=True, verify=False, base_url=f"https://127.0.0.1:{port}", timeout=10)

    with http() as first, http() as second:
        assert first.get("/").http_version == "HTTP/2"
        ada, bob = Client(first), Client(second)
        with bob.stream() as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            heard = events(response)
            for client in (ada, bob):
                assert client.send({"t": "join", "room": "r"}) == ["ok"]
            assert next(heard)["t"] == "joined", "events come as they happen"
            offer = {"t": "offer", "room": "r", "to": {"peer": bob.hello["sid"]}, "call": "k", "neg": 1}
            assert ada.send({**offer, "body": {"sdp": "x"}}) == ["ok"]
            assert next(heard)["t"] == "offer"


def test_a_session_comes_through_by_websocket(proxied):
    _, port = proxied
    context = ssl._create_unverified_context()
    with connect(f"wss://127.0.0.1:{port}/v1/ws", ssl=context, subprotocols=["signal.v1.json"]) as web_socket:

        def hear() -> dict:
            return json.loads(web_socket.recv(10))

        web_socket.send(json.dumps({"t": "hello"}))
        assert hear()["t"] == "welcome" and web_socket.subprotocol == "signal.v1.json"
        web_socket.send(json.dumps({"t": "join", "id": "c1", "room": "r"}))
        assert {hear()["t"], hear()["t"]} == {"ack", "joined"}


@pytest.mark.parametrize("proxied", ["haproxy"], indirect=True)
def test_a_websocket_over_http_2_comes_through(proxied):
    """By the extended CONNECT of RFC 8441, which the proxy passes on as an upgrade."""
    _, port = proxied
    context = ssl._create_unverified_context()
    context.set_alpn_protocols(["h2"])
    plain = socket.create_connection(("127.0.0.1", port), 10)
    with plain, context.wrap_socket(plain) as connection:
        http = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        http.initiate_connection()
        received = b""
        status = None

        def read_on():
            nonlocal received, status
            connection.sendall(http.data_to_send())
            data = connection.recv(65536)
            assert data, "the connection has ended"
            for event in http.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    status = dict(event.headers)[":status"]
                elif isinstance(event, h2.events.DataReceived):
                    received += event.data
                    http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            connection.sendall(http.data_to_send())

        def say(message: dict):
            """One frame, masked with zeros (RFC 6455 section 5.3)."""
            text = json.dumps(message).encode()
            assert len(text) < 126
            http.send_data(stream, bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)

        def hear() -> dict:
            nonlocal received
            while True:
                if len(received) >= 4:
                    assert received[0] == 0x81
                    size, start = received[1], 2
                    if size == 126:
                        size, start = int.from_bytes(received[2:4], "big"), 4
                    if len(received) >= start + size:
                        text, received = received[start : start + size], received[start + size :]
                        return json.loads(text)
                read_on()

        while not http.remote_settings.enable_connect_protocol:
            read_on()
        stream = http.get_next_available_stream_id()
        http.send_headers(
            stream,
            [
                (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":path", "/v1/ws"),
                (":authority", f"127.0.0.1:{port}"), ("sec-websocket-version", "13"),
                ("sec-websocket-protocol", "signal.v1.json"),
            ],
        )
        while status is None:
            read_on()
        assert status == "200"
        say({"t": "hello"})
        assert hear()["t"] == "welcome"
        say({"t": "join", "id": "c1", "room": "r"})
        assert {hear()["t"], hear()["t"]} == {"ack", "joined"}
