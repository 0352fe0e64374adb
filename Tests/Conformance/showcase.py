"""The showcase as a process, and clients for it."""

import json
import os
import re
import select
import signal
import socket
import ssl
import subprocess
import time

import h2.config
import h2.connection
import h2.events

PROGRAM = os.environ["SHOWCASE"]


def run(*command, check=True, **options):
    """A command's output; it fails the test when the command does."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, **options)
    assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


class Showcase:
    """A running showcase on a port of its own."""

    def __init__(self, *options, http="--http2"):
        """`http` is curl's option for the version of HTTP that it is asked by."""
        self.http = http
        self.process = subprocess.Popen(
            [PROGRAM, "--host", "127.0.0.1", "--port", "0", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        match = re.search(r"(https?)://127\.0\.0\.1:(\d+)", line)
        assert match, line + self.process.stderr.read()
        self.port = int(match[2])
        self.is_secure = match[1] == "https"
        self.url = f"{match[1]}://127.0.0.1:{self.port}"

    def curl(self, path, *options):
        return run("curl", "-sk", self.http, "--max-time", "60", *options, self.url + path)

    def connect(self, alpn="http/1.1"):
        """A connection to it, over TLS where it speaks TLS."""
        if self.is_secure:
            return connect_tls(self.port, alpn)
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    @property
    def status_line(self):
        """That of a response 200, as curl shows it."""
        return "HTTP/1.1 200 OK" if self.http == "--http1.1" else "HTTP/2 200"

    def loop(self):
        """What one of its loops holds, and how long its longest iteration was since the last question."""
        return json.loads(self.curl("/loop").stdout)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def resident(self):
        """MiB of memory."""
        status = open(f"/proc/{self.process.pid}/status").read()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def holdings(self):
        """What one loop holds while it answers this question, and the process' descriptors after it."""
        held = {name: value for name, value in self.loop().items()
                if name in ("connections", "streams", "timers", "descriptors", "blocks")}
        time.sleep(0.2)
        return held | {"open files": self.descriptors()}

    def wait_until(self, holdings):
        """Until nothing is left of the clients that came since: what is held is again what was held then."""
        deadline = time.monotonic() + 30
        while (now := self.holdings()) != holdings:
            assert time.monotonic() < deadline, f"left behind: {now}, at first {holdings}"

    def stop(self):
        """Ends it as an operator does; gives its log."""
        self.process.send_signal(signal.SIGTERM)
        _, log = self.process.communicate(timeout=40)
        assert self.process.returncode == 0, log
        return log


def connect_tls(port, alpn="h2"):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols([alpn])
    raw = socket.create_connection(("127.0.0.1", port), timeout=30)
    return context.wrap_socket(raw, server_hostname="localhost")


class Peer:
    """An HTTP/2 connection by the library h2, one event at a time."""

    def __init__(self, port):
        self.socket = connect_tls(port)
        self.http = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.http.initiate_connection()
        self.flush()

    def flush(self):
        self.socket.sendall(self.http.data_to_send())

    def request(self, method, path, end=True, fields=()):
        stream = self.http.get_next_available_stream_id()
        head = [(":method", method), (":scheme", "https"), (":authority", "localhost"), (":path", path), *fields]
        self.http.send_headers(stream, head, end_stream=end)
        self.flush()
        return stream

    def events(self):
        """The next events; an empty list at the end of the connection."""
        data = self.socket.recv(65536)
        events = self.http.receive_data(data) if data else []
        self.flush()
        return events

    def until(self, kind, stream=None, acknowledge=True):
        """The first event of a kind; bodies on the way are acknowledged and gathered."""
        while True:
            events = self.events()
            assert events is not None
            for event in events:
                if isinstance(event, h2.events.DataReceived) and acknowledge:
                    self.http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    self.flush()
                if isinstance(event, kind) and (stream is None or getattr(event, "stream_id", None) == stream):
                    return event

    def response(self, stream):
        """Status, fields, body and trailers of a whole response."""
        head, body, trailers, ended = {}, b"", {}, False
        while not ended:
            for event in self.events():
                if getattr(event, "stream_id", None) != stream:
                    continue
                if isinstance(event, h2.events.ResponseReceived):
                    head = dict(event.headers)
                elif isinstance(event, h2.events.DataReceived):
                    body += event.data
                    self.http.acknowledge_received_data(event.flow_controlled_length, stream)
                elif isinstance(event, h2.events.TrailersReceived):
                    trailers = dict(event.headers)
                elif isinstance(event, h2.events.StreamEnded):
                    ended = True
            self.flush()
        return head, body, trailers

    def close(self):
        self.socket.close()


def readable(sock, seconds):
    return bool(select.select([sock], [], [], seconds)[0])
