"""The PROXY protocol by a real haproxy in front, curl and raw sockets; certificates of clients."""

import json
import re
import socket
import struct
import subprocess
import time

import pytest

from showcase import Showcase, connect_tls, run

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def identity(folder, name, *options):
    """A certificate and its key."""
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
        f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", f"{folder}/{name}.key",
        "-out", f"{folder}/{name}.pem", *options)
    return f"{folder}/{name}.pem", f"{folder}/{name}.key"


class HAProxy:
    """A haproxy in TCP mode between a port of its own and a server."""

    def __init__(self, folder, server_port, server_options, bind_options=""):
        self.port = free_port()
        config = folder / "haproxy.cfg"
        config.write_text(f"""
defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend in
    bind 127.0.0.1:{self.port} {bind_options}
    unique-id-format %[rand(1000000)]-%pid
    default_backend out
backend out
    server showcase 127.0.0.1:{server_port} {server_options}
""")
        self.process = subprocess.Popen(["haproxy", "-db", "-f", str(config)], stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except ConnectionRefusedError:
                assert self.process.poll() is None and time.monotonic() < deadline, self.process.stderr.read()
                time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        self.process.communicate(timeout=10)


@pytest.fixture(params=["tls", "plaintext"])
def behind(request):
    """A showcase that takes connections from proxies of this machine."""
    options = [] if request.param == "tls" else ["--plaintext"]
    showcase = Showcase("--threads", "2", "--proxy-protocol", *options)
    yield showcase
    showcase.stop()


def info(url, *options):
    return json.loads(run("curl", "-sk", "--max-time", "20", *options, url + "/proxyinfo").stdout)


@pytest.mark.parametrize("kind,version", [("send-proxy", 1), ("send-proxy-v2", 2)])
@pytest.mark.parametrize("http", ["--http1.1", "--http2"])
def test_haproxy_passes_the_client_on(behind, tmp_path, kind, version, http):
    if not behind.is_secure and http == "--http2":
        http = "--http2-prior-knowledge"
    proxy = HAProxy(tmp_path, behind.port, kind)
    url = behind.url.replace(str(behind.port), str(proxy.port))
    seen = info(url, http, "--interface", "127.0.0.9")
    proxy.stop()
    assert seen["peer"].startswith("127.0.0.9:") and seen["proxy"].startswith("127.0.0.1:")
    assert seen["header"]["version"] == version and seen["header"]["source"] == seen["peer"]
    assert seen["header"]["destination"] == f"127.0.0.1:{proxy.port}"
    assert (seen["tls"] is not None) == behind.is_secure


def test_haproxy_says_what_it_knows_of_tls(tmp_path):
    behind = Showcase("--threads", "1", "--proxy-protocol", "--plaintext")
    server, client = identity(tmp_path, "site.example"), identity(tmp_path, "alice")
    both = tmp_path / "site.both"
    both.write_text(open(server[0]).read() + open(server[1]).read())
    proxy = HAProxy(
        tmp_path, behind.port,
        "send-proxy-v2 proxy-v2-options ssl,cert-cn,ssl-cipher,cert-sig,cert-key,crc32c,unique-id,authority",
        f"ssl crt {both} alpn h2,http/1.1 ca-file {client[0]} verify optional")
    url = f"https://site.example:{proxy.port}"
    resolve = ("--resolve", f"site.example:{proxy.port}:127.0.0.1")
    seen = info(url, *resolve, "--cert", client[0], "--key", client[1])["header"]
    assert seen["authority"] == "site.example" and seen["alpn"] == "h2"
    assert re.fullmatch(r"\d+-\d+", seen["uniqueID"])
    assert seen["tls"] == {
        "isUsed": True, "isClientVerified": True, "version": "TLSv1.3", "cipher": seen["tls"]["cipher"], "commonName": "alice"}
    without = info(url, *resolve)["header"]["tls"]
    assert without["isUsed"] and not without["isClientVerified"] and without["commonName"] is None
    proxy.stop()
    behind.stop()


def test_haproxy_finds_the_server_well(tmp_path):
    """Its checks are LOCAL connections without a request."""
    behind = Showcase("--threads", "1", "--proxy-protocol", "--plaintext")
    proxy = HAProxy(tmp_path, behind.port, "send-proxy-v2 check check-send-proxy inter 100ms")
    time.sleep(1)
    assert info(f"http://127.0.0.1:{proxy.port}")["header"]["isLocal"] is False
    proxy.stop()
    assert "should be a proxy's" not in behind.stop()


@pytest.mark.parametrize("http", ["--http1.1", "--http2"])
def test_curl_sends_a_header_itself(behind, http):
    if not behind.is_secure and http == "--http2":
        http = "--http2-prior-knowledge"
    seen = info(behind.url, http, "--haproxy-protocol")
    assert seen["peer"] == seen["header"]["source"] and seen["header"]["version"] == 1


def ask(sock):
    sock.sendall(b"GET /proxyinfo HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    answer = b""
    while chunk := sock.recv(65536):
        answer += chunk
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def v2(command, family, body):
    return SIGNATURE + bytes([command, family]) + struct.pack(">H", len(body)) + body


IPV6 = socket.inet_pton(socket.AF_INET6, "2001:db8::7") + socket.inet_pton(socket.AF_INET6, "::1") + struct.pack(">HH", 7, 8)


IPV4 = bytes([192, 0, 2, 7, 192, 0, 2, 8]) + struct.pack(">HH", 1234, 443)
# As large as it may be.
PADDING = b"\x04" + struct.pack(">H", 4096 - len(IPV4) - 3) + bytes(4096 - len(IPV4) - 3)
HEADERS = {
    "TCP4": (b"PROXY TCP4 192.0.2.7 192.0.2.8 1234 443\r\n", "192.0.2.7:1234"),
    "TCP6": (b"PROXY TCP6 2001:db8::7 ::1 1234 443\r\n", "[2001:db8::7]:1234"),
    "UNKNOWN": (b"PROXY UNKNOWN\r\n", None),
    "binary IPv4": (v2(0x21, 0x11, IPV4), "192.0.2.7:1234"),
    "binary IPv6": (v2(0x21, 0x21, IPV6), "[2001:db8::7]:7"),
    "LOCAL": (v2(0x20, 0x00, b""), None),
    "largest": (v2(0x21, 0x11, IPV4 + PADDING), "192.0.2.7:1234"),
}


@pytest.fixture(scope="module")
def plain():
    showcase = Showcase("--threads", "1", "--proxy-protocol", "--plaintext")
    yield showcase
    showcase.stop()


@pytest.mark.parametrize("kind", HEADERS)
@pytest.mark.parametrize("cut", [1, 5, 10_000])
def test_a_header_by_hand_in_any_cut(plain, kind, cut):
    header, peer = HEADERS[kind]
    with socket.create_connection(("127.0.0.1", plain.port), timeout=10) as sock:
        own = "127.0.0.1:%d" % sock.getsockname()[1]
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        step = cut if len(header) < 200 else max(cut, 500)
        for start in range(0, len(header), step):
            sock.sendall(header[start:start + step])
        seen = ask(sock)
    assert seen["peer"] == (peer or own) and seen["proxy"] == own


@pytest.mark.parametrize("first", [
    b"GET / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\n",
    b"PROXY " + b"x" * 200, SIGNATURE + b"\x31\x11\x00\x00", v2(0x21, 0x11, b"\x00" * 11), SIGNATURE + b"\x21\x11\xff\xff",
    b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n",
], ids=range(9))
def test_anything_else_is_closed_without_an_answer(behind, first):
    with socket.create_connection(("127.0.0.1", behind.port), timeout=10) as sock:
        sock.sendall(first)
        try:
            assert sock.recv(100) == b""
        except ConnectionResetError:
            pass
    # And those who come rightly are served.
    assert info(behind.url, "--haproxy-protocol")["header"]["version"] == 1


def test_a_header_that_does_not_come_is_not_waited_for(behind):
    with socket.create_connection(("127.0.0.1", behind.port), timeout=60) as sock:
        sock.sendall(b"PROXY TCP4 192.0.2.7")
        start = time.monotonic()
        assert sock.recv(100) == b""
        assert time.monotonic() - start > 4


def test_networks_that_are_not_trusted_say_nothing():
    behind = Showcase("--threads", "1", "--proxy-protocol", "--plaintext", "--trusted-proxy", "192.0.2.0/24", "--trusted-proxy", "127.0.0.9")
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", behind.port), timeout=10) as sock:
            try:
                sock.sendall(b"PROXY TCP4 192.0.2.7 192.0.2.8 1234 443\r\n")
                assert sock.recv(100) == b""
            except (ConnectionResetError, BrokenPipeError):
                pass
    seen = info(behind.url, "--haproxy-protocol", "--interface", "127.0.0.9")
    assert seen["proxy"].startswith("127.0.0.9:")
    assert behind.stop().count("not trusted") == 1


def test_a_client_proves_who_it_is(tmp_path):
    alice, mallory = identity(tmp_path, "alice"), identity(tmp_path, "mallory")
    server = Showcase("--threads", "1", "--client-authorities", alice[0])
    for http in ("--http1.1", "--http2"):
        seen = info(server.url, http, "--cert", alice[0], "--key", alice[1])
        certificate = seen["certificate"]
        assert certificate["subject"] == "CN=alice" and certificate["isVerified"] is True
        assert certificate["pem"] == open(alice[0]).read()
        printed = run("openssl", "x509", "-in", alice[0], "-noout", "-fingerprint", "-sha256").stdout
        assert certificate["fingerprint"] == printed.split("=")[1].strip().replace(":", "").lower()
        serial = run("openssl", "x509", "-in", alice[0], "-noout", "-serial").stdout.split("=")[1].strip().lower()
        assert certificate["serialNumber"] == serial
        assert seen["tls"] == {"version": "TLSv1.3", "cipher": seen["tls"]["cipher"], "serverName": None,
                               "alpn": "h2" if http == "--http2" else "http/1.1"}
        assert info(server.url, http)["certificate"] is None
    refused = run("curl", "-sk", "--cert", mallory[0], "--key", mallory[1], server.url + "/hello", check=False)
    assert refused.returncode != 0 and refused.stdout == ""
    server.stop()


def test_the_name_that_a_client_asks_for_is_known():
    server = Showcase("--threads", "1")
    sock = connect_tls(server.port, "http/1.1")
    assert ask(sock)["tls"]["serverName"] == "localhost"
    server.stop()
