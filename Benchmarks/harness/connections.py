"""Connections that something else is done with than loading them: kept open, killed, resumed."""
import json
import socket
import ssl
import subprocess
import time

from .load import LOAD, Sample
from .machine import LOAD_CORE
from .peers import BODY

# A connection has an address of its own of 127.0.0.0/8 for each block of so many, so that ports do not run out.
BLOCK = 10_000


def client_context():
    """Trusts anyone, and speaks HTTP/2."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context


class IdleConnections:
    """Connections that are open and silent: TLS, HTTP/2, one request, then nothing."""

    def __init__(self, peer):
        self.peer, self.held, self.context = peer, [], client_context()

    def __enter__(self):
        return self

    def open(self, count):
        """Opens connections until there are so many."""
        while len(self.held) < count:
            source = f"127.0.0.{2 + len(self.held) // BLOCK}"
            raw = socket.create_connection(("127.0.0.1", self.peer.port), source_address=(source, 0))
            tls = self.context.wrap_socket(raw, server_hostname="localhost")
            ask(tls, self.peer)
            self.held.append(tls)

    def __exit__(self, *_):
        for tls in self.held:
            tls.close()
        self.held.clear()


def ask(tls, peer):
    """Makes it an HTTP/2 connection, and has one request answered."""
    tls.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0" + request(peer.hello))
    data = b""
    while BODY.encode() not in data:
        piece = tls.recv(65536)
        if not piece:
            raise ConnectionError(f"{peer.name} closed a connection")
        data += piece


def resumed(peer, connections):
    """CPU of the server for connections that each continue the session of the one before."""
    context, session, fresh = client_context(), None, 0
    for number in range(connections + 1):
        with socket.create_connection(("127.0.0.1", peer.port)) as raw:
            with context.wrap_socket(raw, server_hostname="localhost", session=session) as tls:
                ask(tls, peer)
                fresh += not tls.session_reused
                session = tls.session
        if number == 0:
            started, before = time.monotonic(), peer.cpu()
    # The last connection's end is the server's work too.
    time.sleep(0.1)
    sample = Sample(operations=connections, seconds=time.monotonic() - started - 0.1, server_cpu=peer.cpu() - before)
    if fresh > 1 + connections // 100:
        sample.problem = f"{fresh - 1} of {connections} handshakes were full ones"
    return sample


def longest_iteration(peer):
    """Since the last call, in milliseconds; nil where the server does not tell."""
    if not peer.statistics:
        return None
    told = subprocess.run(["curl", "-sk", f"https://127.0.0.1:{peer.port}{peer.statistics}"], capture_output=True, text=True)
    return json.loads(told.stdout)["longestIteration"] / 1000


class Holder:
    """A process that keeps connections open until it is killed."""

    def __init__(self, peer, connections):
        self.peer, self.connections = peer, connections

    def killed(self):
        """Kills it among requests of others.

        Returns the longest time that one of those took and the longest iteration of the server's loop, where it tells, in
        milliseconds, and its CPU per close, in microseconds.
        """
        url = f"https://127.0.0.1:{self.peer.port}{self.peer.hello}"
        idle = subprocess.Popen(["taskset", "-c", LOAD_CORE, str(LOAD), "idle", url, "--connections", str(self.connections)],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if idle.stdout.readline().strip() != "ready":
            idle.kill()
            raise ConnectionError(f"{self.connections:,} connections: {idle.stderr.read()[-200:].strip()}")
        probe = subprocess.Popen(
            ["taskset", "-c", LOAD_CORE, str(LOAD), "http", url, "--connections", "8", "--streams", "16", "--rate", "1000",
             "--duration", "5", "--warm-up", "1", "--format", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        probe.stdout.readline()
        before = self.peer.cpu()
        time.sleep(1)
        quiet = self.peer.cpu() - before
        longest_iteration(self.peer)
        before = self.peer.cpu()
        idle.kill()
        idle.wait()
        time.sleep(2)
        closing = self.peer.cpu() - before - 2 * quiet
        result = json.loads(probe.communicate()[0].strip().splitlines()[-1])
        if result["failed"]:
            raise ConnectionError(f"{result['failed']} requests failed meanwhile: {result['error']}")
        return result["latency"]["max"] / 1000, longest_iteration(self.peer), max(0, closing) / self.connections * 1e6


def request(path):
    """HEADERS of a GET: entries of RFC 7541's static table, and two literals."""
    path, host = path.encode(), b"localhost"
    block = bytes([0x82, 0x87, 0x04, len(path)]) + path + bytes([0x01, len(host)]) + host
    return len(block).to_bytes(3, "big") + b"\x01\x05\0\0\0\x01" + block
