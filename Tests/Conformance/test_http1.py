"""HTTP/1.1 and HTTP/1.0: curl, h2load, Python's http.client, node's http, and raw sockets for what clients do not send."""

import http.client
import re
import socket
import ssl
import subprocess
import time

import pytest

from showcase import Showcase, connect_tls, readable, run


@pytest.fixture(params=[[], ["--plaintext"]], ids=["TLS", "plaintext"])
def http1(request):
    showcase = Showcase("--threads", "1", *request.param, http="--http1.1")
    yield showcase
    log = showcase.stop()
    assert " error " not in log and "Fatal" not in log, log


class Raw:
    """A connection byte by byte; a line feed in a text is CRLF."""

    def __init__(self, server):
        self.socket = server.connect()
        self.buffer = b""

    def send(self, text):
        self.socket.sendall(text.replace("\n", "\r\n").encode("latin-1"))

    def response(self, has_body=True):
        """Status, fields and body of the next response."""
        while b"\r\n\r\n" not in self.buffer:
            self.fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines[1:])
        status = int(lines[0].split(" ")[1])
        if not has_body or status < 200:
            return status, fields, b""
        if fields.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self.line(), 16):
                body += self.take(size)
                assert self.take(2) == b"\r\n"
            while line := self.line():
                name, value = line.decode().split(": ")
                fields[f"trailer {name}"] = value
            return status, fields, body
        if "content-length" in fields:
            return status, fields, self.take(int(fields["content-length"]))
        return status, fields, self.rest()

    def fill(self):
        data = self.socket.recv(65536)
        assert data, f"the connection ended after {self.buffer}"
        self.buffer += data

    def line(self):
        while b"\r\n" not in self.buffer:
            self.fill()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def take(self, count):
        while len(self.buffer) < count:
            self.fill()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def rest(self):
        """All up to the end of the connection."""
        while data := self.socket.recv(65536):
            self.buffer += data
        data, self.buffer = self.buffer, b""
        return data

    def close(self):
        self.socket.close()


GET = "GET /hello HTTP/1.1\nHost: h\n\n"


# curl


def test_curl_uploads_and_is_told_to_go_on(http1, tmp_path):
    sent, got = tmp_path / "sent", tmp_path / "got"
    sent.write_bytes(bytes(range(256)) * 20_000)
    # Of itself curl asks for a body of this size.
    for options in ([], ["-H", "Transfer-Encoding: chunked"], ["-H", "Expect:"]):
        told = http1.curl("/echo", "-T", str(sent), "-o", str(got), "-v", *options).stderr
        assert got.read_bytes() == sent.read_bytes()
        assert ("HTTP/1.1 100 Continue" in told) == ("Expect:" not in options)


def test_curl_uses_one_connection_again(http1):
    told = run("curl", "-skv", "--http1.1", *[http1.url + "/hello"] * 3).stderr
    assert told.count("Re-using existing connection") == 2, told


def test_one_plaintext_port_speaks_both():
    server = Showcase("--plaintext")
    for option, version in [("--http1.1", "1.1"), ("--http2-prior-knowledge", "2"), ("--http1.0", "1.1"), ("--http2", "1.1")]:
        done = run("curl", "-s", option, "-w", "%{http_version} %{http_code}", "-o", "/dev/null", server.url + "/hello")
        # `--http2` asks to upgrade to h2c, which no server does any more (RFC 9113 section 3.1).
        assert done.stdout == f"{version} 200", option
    server.stop()


def test_the_version_is_the_clients_choice_by_alpn(one_loop):
    for options, version in [(["--http1.1"], "1.1"), (["--http2"], "2"), (["--no-alpn"], "1.1")]:
        done = run("curl", "-sk", *options, "-w", "%{http_version}", "-o", "/dev/null", one_loop.url + "/hello")
        assert done.stdout == version


def test_either_version_can_be_turned_off():
    server = Showcase("--no-http2")
    done = run("curl", "-sk", "--http2", "-w", "%{http_version}", "-o", "/dev/null", server.url + "/hello")
    assert done.stdout == "1.1"
    server.stop()
    server = Showcase("--no-http1")
    assert run("curl", "-sk", "--http1.1", server.url + "/hello", check=False).returncode != 0
    assert run("curl", "-sk", "--http2", server.url + "/hello").stdout == "Hello, World!"
    server.stop()
    server = Showcase("--plaintext", "--no-http1")
    raw = Raw(server)
    raw.send(GET)
    assert not raw.rest().startswith(b"HTTP/1.1")
    server.stop()


# h2load, http.client, node


def test_h2load_has_every_request_answered(http1):
    text = run("h2load", "--h1", "-n", "50000", "-c", "50", http1.url + "/hello").stdout
    assert "50000 succeeded, 0 failed, 0 errored, 0 timeout" in text
    assert re.search(r"status codes: 50000 2xx", text)


def test_pythons_client(http1):
    context = ssl._create_unverified_context()
    if http1.is_secure:
        client = http.client.HTTPSConnection("127.0.0.1", http1.port, context=context, timeout=30)
    else:
        client = http.client.HTTPConnection("127.0.0.1", http1.port, timeout=30)
    opened = None
    for _ in range(50):
        client.request("GET", "/hello")
        response = client.getresponse()
        assert (response.status, response.read()) == (200, b"Hello, World!")
        opened = opened or client.sock
        assert client.sock is opened
        client.request("HEAD", "/bytes/1000")
        response = client.getresponse()
        assert (response.getheader("content-length"), response.read()) == ("1000", b"")
    client.request("POST", "/echo", body=iter([b"one ", b"two ", b"three"]), encode_chunked=True,
                   headers={"Transfer-Encoding": "chunked"})
    response = client.getresponse()
    assert response.getheader("transfer-encoding") == "chunked"
    assert response.read() == b"one two three"
    client.request("GET", "/bytes/10000000")
    assert len(client.getresponse().read()) == 10_000_000
    client.close()


NODE = """
const [url, count] = [process.argv[1], 200];
const http = require(url.startsWith('https') ? 'https' : 'http');
const agent = new http.Agent({ keepAlive: true, maxSockets: 4, rejectUnauthorized: false });
function ask(path, options = {}, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(url + path, { agent, ...options }, response => {
      const parts = [];
      response.on('data', part => parts.push(part));
      response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(parts).toString(),
                                         trailers: response.trailers, told: request.told }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.on('continue', () => { request.told = true; if (options.waits) request.end(body); });
    if (options.trailers) request.addTrailers(options.trailers);
    if (options.waits) request.flushHeaders(); else request.end(body);
  });
}
(async () => {
  const all = await Promise.all(Array.from({ length: count }, () => ask('/hello')));
  if (!all.every(answer => answer.body === 'Hello, World!')) throw new Error('hello');
  const trailing = await ask('/trailers');
  if (!/^[0-9a-f]+$/.test(trailing.trailers['x-checksum'])) throw new Error('trailers');
  const echoed = await ask('/echo', { method: 'POST', headers: { 'transfer-encoding': 'chunked', trailer: 'x-sum' },
                                      trailers: { 'x-sum': '1' } }, 'x'.repeat(1e6));
  if (echoed.body !== 'x'.repeat(1e6)) throw new Error('echo');
  const waited = await ask('/echo', { method: 'POST', waits: true, headers: { expect: '100-continue',
                                      'content-length': 5 } }, 'hello');
  if (!waited.told || waited.body !== 'hello') throw new Error('continue');
  console.log('all is well');
  agent.destroy();
})().catch(error => { console.error(error); process.exit(1); });
"""


def test_nodes_client(http1):
    assert run("node", "-e", NODE, http1.url).stdout == "all is well\n"


# Raw sockets


def test_the_fields_are_those_that_are_needed(http1):
    raw = Raw(http1)
    raw.send(GET)
    assert raw.response() == (200, {"content-type": "text/plain", "content-length": "13"}, b"Hello, World!")
    raw.close()


def test_trailers_come_after_the_body(http1):
    raw = Raw(http1)
    raw.send("GET /trailers HTTP/1.1\nHost: h\n\n" + GET)
    status, fields, body = raw.response()
    assert status == 200 and body and re.fullmatch("[0-9a-f]+", fields["trailer x-checksum"])
    assert raw.response()[2] == b"Hello, World!"
    raw.close()


def test_a_pipeline_is_answered_in_order(http1):
    raw = Raw(http1)
    raw.send("".join(f"GET /slow?ms={ms} HTTP/1.1\nHost: h\n\n" for ms in (150, 50, 1)) + GET)
    for ms in (150, 50, 1):
        assert raw.response()[2] == f"waited {ms} ms\n".encode()
    assert raw.response()[2] == b"Hello, World!"
    raw.send("".join(f"GET /bytes/{count} HTTP/1.1\nHost: h\n\n" for count in range(3000)))
    for count in range(3000):
        assert len(raw.response()[2]) == count
    raw.close()


def test_every_cut_of_a_request_is_the_same_to_the_server(http1):
    text = "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nX-T: v\r\n\r\n"
    raw = Raw(http1)
    for cut in range(1, len(text)):
        raw.socket.sendall(text[:cut].encode())
        time.sleep(0.002)
        raw.socket.sendall(text[cut:].encode())
        assert raw.response()[2] == b"abc", cut
    raw.close()


POST = "POST /echo HTTP/1.1\nHost: h\n"
SHAPES = {
    "both framings": (POST + "Content-Length: 5\nTransfer-Encoding: chunked\n\n0\n\nG", 400),
    "the other way round": (POST + "Transfer-Encoding: chunked\nContent-Length: 5\n\n0\n\nG", 400),
    "two lengths": (POST + "Content-Length: 5\nContent-Length: 5\n\nhello", 400),
    "a list of lengths": (POST + "Content-Length: 5, 5\n\nhello", 400),
    "a signed length": (POST + "Content-Length: +5\n\nhello", 400),
    "a length without end": (POST + "Content-Length: 99999999999999999999\n\n", 413),
    "chunked twice": (POST + "Transfer-Encoding: chunked, chunked\n\n0\n\n", 400),
    "chunked and more": (POST + "Transfer-Encoding: chunked, identity\n\n0\n\n", 400),
    "another coding": (POST + "Transfer-Encoding: gzip, chunked\n\n0\n\n", 501),
    "a disguised coding": (POST + "Transfer-Encoding: \x0bchunked\n\n0\n\n", 400),
    "a blank before the colon": (POST + "Transfer-Encoding : chunked\n\n0\n\n", 400),
    "a folded line": (POST + "X: y\n Transfer-Encoding: chunked\n\n0\n\n", 400),
    "chunks of HTTP/1.0": ("POST /echo HTTP/1.0\nTransfer-Encoding: chunked\n\n0\n\n", 400),
    "a chunk size with a sign": (POST + "Transfer-Encoding: chunked\n\n+5\nhello\n0\n\n", 400),
    "a chunk that is longer than it says": (POST + "Transfer-Encoding: chunked\n\n5\nhelloo\n0\n\n", 400),
    "a chunk size over 60 bits": (POST + "Transfer-Encoding: chunked\n\n10000000000000000\n", 400),
    "an endless chunk extension": (POST + "Transfer-Encoding: chunked\n\n5;" + "a" * 5000, 400),
    "no host": ("GET /hello HTTP/1.1\n\n", 400),
    "two hosts": ("GET /hello HTTP/1.1\nHost: a\nHost: b\n\n", 400),
    "a host with a path": ("GET /hello HTTP/1.1\nHost: a/b\n\n", 400),
    "NUL in a value": ("GET /hello HTTP/1.1\nHost: h\nX: a\0b\n\n", 400),
    "two spaces": ("GET  /hello HTTP/1.1\nHost: h\n\n", 400),
    "no version": ("GET /hello\n\n", 400),
    "another version": ("GET /hello HTTP/3.0\nHost: h\n\n", 505),
    "an unknown expectation": ("GET /hello HTTP/1.1\nHost: h\nExpect: tea\n\n", 417),
    "a long target": (f"GET /{'a' * 9000} HTTP/1.1\nHost: h\n\n", 414),
    "a large head": (f"GET / HTTP/1.1\nHost: h\nX: {'a' * 20000}\n\n", 431),
    "many fields": ("GET / HTTP/1.1\nHost: h\n" + "X: y\n" * 200 + "\n", 431),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_what_could_smuggle_is_refused_and_the_connection_ends(http1, shape):
    text, status = SHAPES[shape]
    raw = Raw(http1)
    # What follows is never answered: nobody knows where it begins.
    raw.send(text + "GET /status/299 HTTP/1.1\nHost: h\n\n")
    answers = raw.rest()
    assert b" 299 " not in answers
    # The echo of a body that turns out to be damaged may have begun.
    if not answers.startswith(b"HTTP/1.1 200 OK\r\n"):
        assert answers.startswith(f"HTTP/1.1 {status} ".encode()), answers
        assert b"\r\nconnection: close\r\n" in answers
        assert answers.count(b"HTTP/1.1 ") == 1
    else:
        assert not answers.endswith(b"0\r\n\r\n")
    raw.close()


@pytest.mark.parametrize("line", range(4))
def test_a_line_feed_alone_ends_no_line(http1, line):
    lines = ["GET /hello HTTP/1.1", "Host: h", "X: y", ""]
    raw = Raw(http1)
    raw.socket.sendall("".join(text + ("\n" if i == line else "\r\n") for i, text in enumerate(lines)).encode())
    assert raw.response()[0] == 400
    raw.close()


def test_a_head_byte_by_byte_has_its_time(http1):
    raw = Raw(http1)
    raw.send("GET /hello HTTP/1.1\nHost: h\nX: ")
    began = time.monotonic()
    while not readable(raw.socket, 0.5):
        raw.socket.sendall(b"y")
        assert time.monotonic() - began < 60
    assert raw.response()[0] == 408 and raw.rest() == b""
    assert time.monotonic() - began > 9
    raw.close()


def test_http10_closes_unless_it_is_asked_not_to(http1):
    raw = Raw(http1)
    raw.send("GET /hello HTTP/1.0\nConnection: keep-alive\n\n")
    status, fields, body = raw.response()
    assert (fields["connection"], body) == ("keep-alive", b"Hello, World!")
    raw.send("GET /events?n=2 HTTP/1.0\n\n")
    status, fields, body = raw.response()
    assert "transfer-encoding" not in fields and fields["connection"] == "close"
    assert body.count(b"data:") == 2
    raw.close()


def test_a_client_that_ends_its_side_gets_what_it_has_asked_for(http1):
    if http1.is_secure:
        pytest.skip("Python's ssl cannot end one side of a connection")
    for count in (10, 5_000_000):
        raw = Raw(http1)
        raw.send(f"GET /bytes/{count} HTTP/1.1\nHost: h\n\n" * 2)
        raw.socket.shutdown(socket.SHUT_WR)
        assert len(raw.response()[2]) == count and len(raw.response()[2]) == count
        assert raw.rest() == b""
        raw.close()


def test_the_reader_sets_the_pace_of_the_echo(http1):
    raw = Raw(http1)
    raw.send("POST /echo HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n")
    raw.socket.setblocking(False)
    piece, sent, since = b"10000\r\n" + b"x" * 65536 + b"\r\n", 0, time.monotonic()
    pending = piece
    while time.monotonic() - since < 1:
        try:
            count = raw.socket.send(pending)
        except (BlockingIOError, ssl.SSLWantWriteError):
            time.sleep(0.01)
            continue
        since, sent, pending = time.monotonic(), sent + count, pending[count:] or piece
        assert sent < 64 << 20, "nothing stops the sender"
    assert http1.resident() < 100
    raw.close()


def test_an_early_answer_does_not_break_the_connection(http1):
    raw = Raw(http1)
    raw.send("POST /hello HTTP/1.1\nHost: h\nContent-Length: 30000\n\n")
    assert raw.response()[0] == 405
    raw.send("x" * 30000 + GET)
    assert raw.response()[2] == b"Hello, World!"
    # More than the server is willing to throw away: it says so, and closes.
    raw.send("POST /hello HTTP/1.1\nHost: h\nContent-Length: 30000000\n\n")
    status, fields, _ = raw.response()
    assert (status, fields["connection"]) == (405, "close") and raw.rest() == b""
    raw.close()


def test_a_stop_ends_idle_connections_at_once_and_lets_answers_finish():
    server = Showcase("--plaintext", "--threads", "1")
    idle, busy = Raw(server), Raw(server)
    idle.send(GET)
    idle.response()
    busy.send("GET /slow?ms=1000 HTTP/1.1\nHost: h\n\n" + GET)
    time.sleep(0.2)
    server.process.terminate()
    assert idle.rest() == b""
    status, fields, body = busy.response()
    assert (fields["connection"], body) == ("close", b"waited 1000 ms\n") and busy.rest() == b""
    idle.close(), busy.close()
    assert server.process.wait(10) == 0


def test_clients_that_die_leave_nothing_behind(http1):
    before = http1.holdings()
    for text in ("", "GET /he", GET, "GET /events?n=1000 HTTP/1.1\nHost: h\n\n", POST + "Content-Length: 10\n\nhe",
                 POST + "Transfer-Encoding: chunked\n\n5\nhello\n", "GET /slow?ms=50000 HTTP/1.1\nHost: h\n\n"):
        raws = [Raw(http1) for _ in range(20)]
        for raw in raws:
            raw.send(text)
        time.sleep(0.1)
        for index, raw in enumerate(raws):
            if index % 2:
                raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            raw.close()
    http1.wait_until(before)
