"""The client, as the tool `fetch`, against servers of others: nghttpd, nginx, h2o, node, websockets, openssl."""

import hashlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

import pytest

FETCH = os.environ["FETCH"]
HERE = pathlib.Path(__file__).parent


def fetch(*arguments, check=True, stdin=None):
    done = subprocess.run([FETCH, *map(str, arguments)], capture_output=True, timeout=60, input=stdin)
    assert not check or done.returncode == 0, done.stderr.decode()
    return done


def needs(program):
    path = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if not path:
        pytest.fail(f"{program} is not installed; Tests/run installs it")
    return path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"nothing listens on {port}")


class Authority:
    """A certificate authority of the test's own, and certificates for names."""

    def __init__(self, directory):
        self.directory = directory
        self.file = directory / "ca.pem"
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
                 "/CN=Test Authority", "-keyout", directory / "ca.key", "-out", self.file)

    def run(self, *arguments):
        done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def certificate(self, name, *dates):
        key, request, chain = (self.directory / f"{name}.{end}" for end in ("key", "csr", "pem"))
        self.run("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                 "-addext", f"subjectAltName=DNS:{name}", "-keyout", key, "-out", request)
        if dates:
            (self.directory / "index").write_text("")
            (self.directory / "serial").write_text("10")
            (self.directory / "ca.conf").write_text(
                f"[ca]\ndefault_ca=d\n[d]\ndatabase={self.directory}/index\nserial={self.directory}/serial\n"
                f"new_certs_dir={self.directory}\ndefault_md=sha256\npolicy=p\ncopy_extensions=copy\n[p]\ncommonName=supplied\n")
            self.run("ca", "-batch", "-config", self.directory / "ca.conf", "-cert", self.file, "-keyfile",
                     self.directory / "ca.key", "-in", request, "-out", chain, "-startdate", dates[0], "-enddate", dates[1])
        else:
            self.run("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self.directory / "ca.key", "-CAcreateserial",
                     "-days", "30", "-copy_extensions", "copy", "-out", chain)
        return chain, key


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def localhost(authority):
    return authority.certificate("localhost")


@pytest.fixture
def start():
    """Starts servers, and ends them with the test."""
    running = []

    def run(*command, port=None, **options):
        process = subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **options)
        running.append(process)
        if port:
            wait_for(port)
        return process

    yield run
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture
def files(tmp_path):
    (tmp_path / "small").write_bytes(b"Hello, World!\n")
    (tmp_path / "large").write_bytes(os.urandom(5_000_000))
    (tmp_path / "style.css").write_bytes(b"body {}")
    return tmp_path


def digest(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(params=["nghttpd", "nginx", "h2o"])
def server(request, start, files, localhost):
    """A file server over TLS; its port."""
    program = needs(request.param)
    port = free_port()
    chain, key = localhost
    if request.param == "nghttpd":
        start(program, "-d", files, "-a", "127.0.0.1", port, key, chain, port=port)
    elif request.param == "nginx":
        (files / "nginx.conf").write_text(
            f"daemon off; user root; pid {files}/pid; error_log /dev/null; events {{}} http {{ access_log off; "
            f"client_body_temp_path {files}/b; proxy_temp_path {files}/p; fastcgi_temp_path {files}/f; uwsgi_temp_path {files}/u; "
            f"scgi_temp_path {files}/s; server {{ listen 127.0.0.1:{port} ssl http2; ssl_certificate {chain}; "
            f"ssl_certificate_key {key}; root {files}; }} }}")
        os.chmod(files, 0o755)
        start(program, "-p", files, "-c", files / "nginx.conf", port=port)
    else:
        (files / "h2o.conf").write_text(
            f"listen: {{host: 127.0.0.1, port: {port}, ssl: {{certificate-file: {chain}, key-file: {key}}}}}\n"
            f"hosts: {{default: {{paths: {{/: {{file.dir: {files}}}}}}}}}\nuser: root\n")
        start(program, "-c", files / "h2o.conf", port=port)
    return request.param, port


def test_files_come_whole_over_either_version(server, files, authority):
    name, port = server
    versions = ["--http2"] if name == "nghttpd" else ["--http2", "--http1"]
    for version in versions:
        trusted = ("--cacert", authority.file, version)
        done = fetch("-i", *trusted, f"https://localhost:{port}/small")
        assert done.stdout == b"Hello, World!\n"
        assert done.stderr.decode().startswith("HTTP/2.0 200" if version == "--http2" else "HTTP/1.1 200")
        large = fetch(*trusted, f"https://localhost:{port}/large").stdout
        assert digest(large) == digest((files / "large").read_bytes())
        assert b" 404" in fetch("-i", "--silent", *trusted, f"https://localhost:{port}/none").stderr
        many = fetch("--repeat", 200, "--concurrent", 50, *trusted, f"https://localhost:{port}/small").stdout
        assert many == b"Hello, World!\n" * 200


def test_pushes_of_nghttpd_are_taken_where_they_are_wanted(start, files, localhost, authority):
    port = free_port()
    chain, key = localhost
    start(needs("nghttpd"), "-d", files, "-a", "127.0.0.1", "-p", "/small=/style.css", port, key, chain, port=port)
    url = f"https://localhost:{port}/small"
    assert b"pushed /style.css 200" in fetch("--push", "--cacert", authority.file, url).stderr
    assert fetch("--cacert", authority.file, url).stderr == b""


def test_plaintext_by_prior_knowledge(start, files):
    port = free_port()
    start(needs("nghttpd"), "--no-tls", "-d", files, "-a", "127.0.0.1", port, port=port)
    assert fetch("--http2", f"http://127.0.0.1:{port}/small").stdout == b"Hello, World!\n"
    refused = fetch(f"http://127.0.0.1:{port}/small", check=False)
    assert refused.returncode == 1 and refused.stderr


@pytest.fixture
def node(start, localhost):
    process = start(needs("node"), HERE / "http2_server.js", *localhost)
    return f"https://localhost:{process.stdout.readline().strip()}"


@pytest.mark.parametrize("version", ["--http2", "--http1"])
def test_bodies_are_echoed_by_node(node, files, authority, version):
    trusted = ("--cacert", authority.file, version)
    assert fetch(*trusted, "-d", "text", node + "/").stdout == b"text"
    large = (files / "large").read_bytes()
    assert digest(fetch(*trusted, "-T", files / "large", node + "/").stdout) == digest(large)
    assert digest(fetch(*trusted, "-T", "-", node + "/", stdin=large).stdout) == digest(large)
    assert fetch(*trusted, node + "/trailers").stdout == b"body"


def test_alpn_prefers_http2(node, authority):
    assert fetch("--cacert", authority.file, node + "/").stdout == b"node over 2.0"
    assert fetch("--cacert", authority.file, "--http1", node + "/").stdout == b"node over 1.1"


def test_what_node_refuses_is_sent_again(node, authority):
    assert fetch("--cacert", authority.file, node + "/refuse").stdout == b"node over 2.0"


def test_a_goaway_is_followed_by_another_connection(node, authority):
    assert fetch("--cacert", authority.file, "--repeat", 10, node + "/goaway").stdout == b"goaway" * 10


def test_pushes_of_node(node, authority):
    assert b"pushed /pushed 200" in fetch("--push", "--cacert", authority.file, node + "/push").stderr


@pytest.mark.parametrize("version", ["--http2", "--http1"])
def test_a_stream_that_is_destroyed_is_told_of(node, authority, version):
    done = fetch("--cacert", authority.file, version, node + "/destroy", check=False)
    assert done.returncode == 1 and done.stderr


def test_a_websocket_of_websockets(start, tmp_path, localhost):
    port = free_port()
    script = tmp_path / "server.py"
    script.write_text(
        "import asyncio, sys, websockets\nasync def echo(s):\n    async for m in s: await s.send(m)\n"
        "async def main():\n    async with websockets.serve(echo, '127.0.0.1', int(sys.argv[1])): await asyncio.Future()\n"
        "asyncio.run(main())\n")
    start(sys.executable, script, port, port=port)
    assert fetch("--websocket", "hello", f"ws://127.0.0.1:{port}/").stdout == b"hello\n"


def test_a_server_that_opens_no_websocket(node, authority):
    done = fetch("--cacert", authority.file, "--websocket", "x", node.replace("https", "wss"), check=False)
    assert done.returncode == 1 and b"no WebSocket" in done.stderr or b"ended" in done.stderr


def test_certificates_are_verified(start, authority, localhost):
    openssl = needs("openssl")
    cases = [
        (localhost, [], b"certificate"),
        (authority.certificate("other.test"), ["--cacert", authority.file], b"hostname mismatch"),
        (authority.certificate("localhost", "20200101000000Z", "20210101000000Z"), ["--cacert", authority.file],
         b"certificate has expired"),
    ]
    for (chain, key), options, reason in cases:
        port = free_port()
        start(openssl, "s_server", "-quiet", "-www", "-accept", f"127.0.0.1:{port}", "-cert", chain, "-key", key, port=port)
        url = f"https://localhost:{port}/"
        refused = fetch(*options, url, check=False)
        assert refused.returncode == 1
        assert b"does not verify" in refused.stderr and reason in refused.stderr, refused.stderr
        assert fetch("--insecure", "--http1", "--silent", url).returncode == 0


def test_what_cannot_be_reached_is_told_of():
    port = free_port()
    assert b"refused" in fetch(f"http://127.0.0.1:{port}/", check=False).stderr.lower()
    assert b"cannot resolve" in fetch("http://no-such-host.invalid/", check=False).stderr
    assert b"is no URL" in fetch("nonsense", check=False).stderr
    assert b"fetch --websocket hello" in fetch("--help").stdout
