"""The servers that are compared. Each is started and configured here, answers the same work, and is pinned to one core."""
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

from .machine import LOAD_CORE, ROOT, SERVER_CORE, cpu_seconds, fail, have, memory_kib, output

BODY = "Hello, World!"
BENCHMARKS = ROOT / "Benchmarks"


class Peer:
    """A server that runs as long as a scenario does.

    `extra` says what its response carries that ours does not; `hello` and `body(size)` are the paths of the same work.
    """

    name = ""
    program = None
    extra = ""
    port = 0
    hello = "/hello"
    statistics = None

    def __init__(self, work):
        self.work, self.process = work, None

    def available(self):
        return self.program is None or have(self.program)

    def version(self):
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    def body(self, size):
        return f"/bytes/{size}"

    def start(self):
        self.log = open(self.work / f"{self.name}.log", "w+")
        self.process = subprocess.Popen(
            ["taskset", "-c", SERVER_CORE] + [str(part) for part in self.command()], stdout=self.log, stderr=self.log)
        for _ in range(200):
            if self.process.poll() is not None:
                self.log.seek(0)
                fail(f"{self.name} ended at its start:\n{self.log.read()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return
            except OSError:
                time.sleep(0.05)
        fail(f"{self.name} does not listen on port {self.port}")

    def cpu(self):
        return cpu_seconds(self.process.pid)

    def memory(self):
        return memory_kib(self.process.pid)

    def stop(self):
        if not self.process:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
        self.log.close()

    @property
    def certificate(self):
        return self.work / "cert.pem"

    @property
    def key(self):
        return self.work / "key.pem"


class Heliograph(Peer):
    name, port, statistics = "heliograph", 9700, "/loop"

    def version(self):
        return output("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")

    def command(self):
        return [ROOT / ".build/release/showcase", "--host", "127.0.0.1", "--port", self.port, "--threads", "1",
                "--certificate", self.certificate, "--private-key", self.key, "--root", self.work / "site"]

    def file(self, size):
        return f"/files/{size}"


class HeliographAsync(Heliograph):
    """Its answer by an async closure on the loop."""

    name, port, hello = "heliograph-async", 9711, "/hello/async"


class Signaling(Heliograph):
    """The example service, with rates that a load does not reach."""

    name, port, statistics = "signaling", 9713, None
    program = BENCHMARKS.parent / "Examples/Signaling/.build/release/signaling"

    def available(self):
        return self.program.exists()

    def command(self):
        most = "1000000000/1000000000"
        return [self.program, "--host", "127.0.0.1", "--port", self.port, "--threads", "1", "--certificate", self.certificate,
                "--private-key", self.key, "--session-rate", most, "--room-rate", most, "--address-rate", most,
                "--session-grace", "10s"]


class SocketIO(Heliograph):
    """The library of Socket.IO of the signaling service, with a handler that relays."""

    name, port, statistics = "heliograph-socketio", 9714, None
    program = BENCHMARKS.parent / "Examples/Signaling/.build/release/socketio-echo"

    def available(self):
        return self.program.exists()

    def command(self):
        return [self.program, f"--port={self.port}", "--threads=1"]


class PythonSocketIO(Peer):
    name, port = "python-socketio", 9715

    def version(self):
        import importlib.metadata
        return f"{importlib.metadata.version('python-socketio')} on aiohttp {importlib.metadata.version('aiohttp')}"

    def command(self):
        return [sys.executable, BENCHMARKS / "Peers/socketio_peer.py", self.port, self.certificate, self.key]


class HeliographHello(Heliograph):
    """The same without a route, for tools under which a process with tasks of Swift's does not run."""

    def command(self):
        return [BENCHMARKS / "Gates/.build/release/server", self.port, self.certificate, self.key]


class Floor(Peer):
    """What epoll and OpenSSL alone cost: it parses nothing, and answers fixed frames."""

    name, port = "floor", 9701

    def version(self):
        return "a C server that parses nothing"

    def command(self):
        return [self.work / "floor", self.port, self.certificate, self.key]


class Echo(Peer):
    """What a WebSocket echo costs on epoll and OpenSSL alone."""

    name, port = "c-echo", 9710

    def version(self):
        return "a C server that unmasks and answers"

    def command(self):
        return [self.work / "echo", self.port, self.certificate, self.key]


class Websockets(Peer):
    """Python's library of that name."""

    name, port = "python-websockets", 9712

    def version(self):
        import importlib.metadata
        return f"{importlib.metadata.version('websockets')} on Python {sys.version.split()[0]}"

    def command(self):
        return [sys.executable, BENCHMARKS / "Peers/websockets_peer.py", self.port, self.certificate, self.key]


class Nghttpd(Peer):
    name, program, port = "nghttpd", "nghttpd", 9702
    extra = "date, server, cache-control, last-modified; reads a file"

    def version(self):
        return output("nghttpd", "--version")

    def command(self):
        return ["nghttpd", "-n1", "--address=127.0.0.1", f"--htdocs={self.work / 'site'}", self.port, self.key,
                self.certificate]

    def body(self, size):
        return f"/{size}"

    file = body


class H2O(Peer):
    name, program, port = "h2o", "h2o", 9703
    extra = "date, server, etag, last-modified, accept-ranges; a file, cached open"

    def version(self):
        return output("h2o", "--version").splitlines()[0]

    def command(self):
        (self.work / "h2o.conf").write_text(f"""
num-threads: 1
listen: {{ host: 127.0.0.1, port: {self.port}, ssl: {{ certificate-file: {self.certificate}, key-file: {self.key} }} }}
max-connections: 30000
http2-idle-timeout: 600
hosts: {{ default: {{ paths: {{ "/": {{ file.dir: {self.work / 'site'} }} }} }} }}
user: root
""")
        return ["h2o", "-c", self.work / "h2o.conf"]

    def body(self, size):
        return f"/{size}"

    file = body


class Nginx(Peer):
    name, program, port = "nginx", "nginx", 9704
    extra = "date, server"

    def version(self):
        return output("nginx", "-v").split("/")[-1]

    def command(self):
        (self.work / "nginx.conf").write_text(f"""
worker_processes 1; daemon off; pid {self.work}/nginx.pid; error_log {self.work}/nginx.err; user root;
worker_rlimit_nofile 20000;
events {{ worker_connections 20000; }}
http {{ access_log off; keepalive_requests 1000000000; keepalive_timeout 600; http2_max_requests 1000000000;
  open_file_cache max=100; sendfile on; client_max_body_size 100m;
  server {{ listen 127.0.0.1:{self.port} ssl http2 backlog=4096; ssl_certificate {self.certificate};
    ssl_certificate_key {self.key}; root {self.work}/site;
    location = /count {{ default_type text/plain; return 200 "{BODY}"; }}
    location = /hello {{ default_type text/plain; return 200 "{BODY}"; }} }} }}
""")
        return ["nginx", "-c", self.work / "nginx.conf", "-e", self.work / "nginx.err"]

    def body(self, size):
        return f"/{size}"

    file = body


class HAProxy(Peer):
    name, program, port = "haproxy", "haproxy", 9705

    def version(self):
        return re.search(r"version (\S+)", output("haproxy", "-v"))[1]

    def command(self):
        pair = self.work / "haproxy.pem"
        pair.write_text(self.certificate.read_text() + self.key.read_text())
        (self.work / "haproxy.cfg").write_text(f"""
global
  maxconn 9900
  nbthread 1
defaults
  mode http
  timeout client 600s
  timeout http-keep-alive 600s
frontend hello
  bind 127.0.0.1:{self.port} ssl crt {pair} alpn h2,http/1.1
  http-request return status 200 content-type text/plain string "{BODY}"
""")
        return ["haproxy", "-db", "-f", self.work / "haproxy.cfg"]


class Node(Peer):
    name, program, port = "node", "node", 9706
    extra = "date"

    def version(self):
        return output("node", "--version")

    def command(self):
        return ["node", BENCHMARKS / "Peers/node.mjs", self.port, self.certificate, self.key]


class SwiftPeer(Peer):
    product = ""

    def available(self):
        return (BENCHMARKS / ".build/release" / self.product).exists()

    def command(self):
        return [BENCHMARKS / ".build/release" / self.product, self.port, self.certificate, self.key]

    def resolved(self, package):
        text = output("swift", "package", "--package-path", str(BENCHMARKS), "show-dependencies", "--format", "flatlist")
        del text  # The list has no versions; the file of resolved packages has.
        pins = (BENCHMARKS / "Package.resolved").read_text()
        found = re.search(rf'"identity" : "{package}".*?"version" : "([^"]+)"', pins, re.S)
        return found[1] if found else "?"


class SwiftNIO(SwiftPeer):
    name, port, product = "swift-nio", 9707, "nio-peer"

    def version(self):
        return f"{self.resolved('swift-nio')} (http2 {self.resolved('swift-nio-http2')}, ssl {self.resolved('swift-nio-ssl')})"


class Hummingbird(SwiftPeer):
    name, port, product = "hummingbird", 9708, "hummingbird-peer"
    extra = "date, server"

    def version(self):
        return self.resolved("hummingbird")


class Go(Peer):
    name, program, port = "go", "go", 9709
    extra = "date"

    def version(self):
        return output("go", "version").split()[2]

    def command(self):
        return [self.work / "go-server", self.port, self.certificate, self.key]


ALL = [Heliograph, Floor, Nghttpd, H2O, Nginx, HAProxy, Node, SwiftNIO, Hummingbird, Go, Echo, HeliographAsync, Websockets, Signaling, SocketIO, PythonSocketIO]
SIZES = [1024, 64 * 1024, 1024 * 1024]


def prepare(work, names):
    """Writes what the servers serve, and builds those that are one file."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", f"{work}/key.pem", "-out", f"{work}/cert.pem"], check=True, capture_output=True)
    site = work / "site"
    site.mkdir()
    (site / "hello").write_text(BODY)
    for size in SIZES:
        (site / str(size)).write_bytes(b"x" * size)
    sources = {"heliograph": ["websocket/load.c"], "floor": ["Peers/floor.c"], "c-echo": ["websocket/echo.c"]}
    for source in [source for name, group in sources.items() if name in names for source in group]:
        program = work / source.split("/")[1].removesuffix(".c")
        subprocess.run(["gcc", "-O2", "-o", str(program), str(BENCHMARKS / source), "-lssl", "-lcrypto"], check=True)
    if "go" in names and have("go"):
        built = subprocess.run(["go", "build", "-o", str(work / "go-server"), str(BENCHMARKS / "Peers/server.go")],
                               capture_output=True, text=True, env={"HOME": str(work), "PATH": "/usr/bin:/bin"})
        if built.returncode != 0:
            fail(f"go build failed:\n{built.stderr}")


def make(work, names):
    known = {peer.name: peer for peer in ALL}
    return [known[name](work) for name in names]
