"""The program behind nginx and HAProxy, with the configurations of Deploy/: a session by events and by WebSocket through each.

SIGNALING_PROGRAM is the program to test. Needs nginx, haproxy, httpx[http2], websockets and pytest.
"""

import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import time

import httpx
import pytest
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
