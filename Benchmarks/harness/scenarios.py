"""What is measured: each scenario with the two to five peers that matter for it."""
import statistics
import time
from dataclasses import dataclass, field

from . import load as loads
from .machine import fail
from .peers import SIZES

REQUEST_PEERS = ["heliograph", "floor", "h2o", "nghttpd", "nginx", "swift-nio", "node"]
FEW_PEERS = ["heliograph", "h2o", "nghttpd", "nginx"]


@dataclass
class Result:
    """What a scenario found: for each peer its samples, and how the table shows them."""

    title: str
    unit: str
    rows: list = field(default_factory=list)  # (peer, median, low, high, ratio or None, note)
    columns: tuple = ()
    extra: list = field(default_factory=list)  # further columns of each row
    lower_is_better: bool = True
    comment: str = ""


def ratio_of(ours, theirs):
    """The median of the rounds' ratios: both were measured within seconds of each other."""
    pairs = [(a, b) for a, b in zip(ours, theirs) if b]
    return statistics.median(a / b for a, b in pairs) if pairs else None


def rounds(scenario, servers, context, sample):
    """Samples of each peer, the peers in turn within each round."""
    samples = {peer.name: [] for peer in servers}
    for number in range(context.rounds or scenario.rounds):
        for peer in servers:
            context.progress(f"{scenario.title}: round {number + 1}, {peer.name}")
            samples[peer.name].append(sample(peer))
    return samples


def problem_of(samples):
    return next((sample.problem for sample in samples if sample.problem), "")


def latencies(samples, names, scale=1, digits=0):
    """Columns of the medians of percentiles, which come in microseconds."""
    return tuple(f"{statistics.median(sample.latency[name] for sample in samples) / scale:,.{digits}f}" for name in names)


class Requests:
    """CPU per request and requests per second, closed loop."""

    quick = False

    def __init__(self, name, title, peers, connections, streams, requests, path="hello", size=0, protocol="h2",
                 headers=(), upload=0, generator="h2load", quick=False, rounds=5):
        self.name, self.title, self.peers = name, title, peers
        self.connections, self.streams, self.requests = connections, streams, requests
        self.path, self.size, self.protocol, self.headers, self.upload = path, size, protocol, headers, upload
        self.generator, self.quick, self.rounds = generator, quick, rounds

    def target(self, peer):
        if self.path == "hello":
            return peer.hello
        if self.path == "count":
            return "/count"
        return peer.body(self.size) if self.path == "body" else peer.file(self.size)

    def sample(self, peer, requests, work):
        if self.generator == "load":
            return loads.load(peer, "http", f"https://127.0.0.1:{peer.port}{self.target(peer)}", "--operations", requests,
                              "--connections", self.connections, "--streams", self.streams)
        upload = None
        if self.upload:
            upload = work / f"upload-{self.upload}"
            upload.exists() or upload.write_bytes(b"u" * self.upload)
        return loads.h2load(peer, self.target(peer), requests, self.connections, self.streams, self.protocol,
                            self.headers, upload)

    def run(self, servers, context):
        for peer in servers:
            self.sample(peer, max(self.requests // 10, self.connections), context.work)
        samples = rounds(self, servers, context, lambda peer: self.sample(peer, self.requests, context.work))
        return summary(self.title, samples, servers,
                       f"{self.connections} connections x {self.streams} streams, {self.requests} requests a round, {self.generator}")


def summary(title, samples, servers, comment):
    result = Result(title, "CPU µs per operation", columns=("operations/s",), comment=comment)
    ours = samples[servers[0].name]
    for peer in servers:
        theirs = samples[peer.name]
        problem = problem_of(theirs)
        if problem:
            result.rows.append((peer.name, None, None, None, None, problem))
            result.extra.append(("–",))
            continue
        cpu = [sample.cpu_per_operation for sample in theirs]
        ratio = None
        if not any(sample.problem for sample in ours):
            ratio = ratio_of([sample.cpu_per_operation for sample in ours], cpu)
        rate = statistics.median(sample.per_second for sample in theirs)
        bound = any(sample.client_bound for sample in theirs)
        result.rows.append((peer.name, statistics.median(cpu), min(cpu), max(cpu), ratio, peer.extra))
        result.extra.append((f"{rate:,.0f}" + (" (client-bound)" if bound else ""),))
    return result


class Handshakes:
    """TLS handshakes per second of CPU: one request on each new connection."""

    def __init__(self, name, title, peers, connections, quick=False, rounds=5):
        self.name, self.title, self.peers, self.connections = name, title, peers, connections
        self.quick, self.rounds = quick, rounds

    def run(self, servers, context):
        samples = rounds(self, servers, context,
                         lambda peer: loads.h2load(peer, peer.hello, self.connections, self.connections, 1))
        result = summary(self.title, samples, servers,
                         f"{self.connections} new connections a round, full handshakes, one request each, h2load")
        result.unit = "CPU µs per connection"
        return result


class ResumedHandshakes:
    """TLS handshakes that continue an earlier session, per second of CPU: one request on each connection."""

    def __init__(self, name, title, peers, connections, quick=False, rounds=5):
        self.name, self.title, self.peers, self.connections = name, title, peers, connections
        self.quick, self.rounds = quick, rounds

    def run(self, servers, context):
        from .connections import resumed
        samples = rounds(self, servers, context, lambda peer: resumed(peer, self.connections))
        result = summary(self.title, samples, servers,
                         f"{self.connections} new connections a round, each by a ticket of the one before, one request each, OpenSSL by Python")
        result.unit = "CPU µs per connection"
        return result


class WebSockets:
    """CPU per message that a WebSocket over TLS sends back, closed loop; RFC 6455 by a C program, RFC 8441 by `load`."""

    sizes = (128, 32, 1024, 16384)

    def __init__(self, name, title, peers, connections, messages, depth=1, version="HTTP/1.1", quick=False, rounds=5):
        self.name, self.title, self.peers, self.quick, self.rounds = name, title, peers, quick, rounds
        self.connections, self.messages, self.depth, self.version = connections, messages, depth, version

    def sample(self, peer, size, messages, work):
        if self.version == "HTTP/1.1":
            return loads.websocket(peer, work, self.connections, self.depth, size, messages)
        return loads.load(peer, "websocket", f"https://127.0.0.1:{peer.port}/ws", "--connections", self.connections,
                          "--size", size, "--operations", messages, "--depth", self.depth)

    def run(self, servers, context):
        samples = {size: {peer.name: [] for peer in servers} for size in self.sizes}
        for number in range(context.rounds or self.rounds):
            for size in self.sizes:
                messages = self.messages // (8 if size > 4096 else 1)
                for peer in servers:
                    context.progress(f"{self.title}: round {number + 1}, {size} bytes, {peer.name}")
                    slow = 10 if peer.name.startswith("python") else 1
                    samples[size][peer.name].append(self.sample(peer, size, messages // slow, context.work))
        result = summary(self.title, samples[self.sizes[0]], servers,
                         f"{self.connections} connections over {self.version}, {self.depth} message(s) on their way on each; "
                         f"{self.sizes[0]} bytes, and in the columns other sizes with ours : theirs")
        result.unit = "CPU µs per message"
        result.columns += tuple(f"{size:,} bytes" for size in self.sizes[1:])
        ours = servers[0].name
        for place, peer in enumerate(servers):
            for size in self.sizes[1:]:
                theirs = samples[size][peer.name]
                problem = problem_of(theirs)
                if problem:
                    result.extra[place] += (problem[:60],)
                    continue
                cpu = [sample.cpu_per_operation for sample in theirs]
                ratio = ratio_of([sample.cpu_per_operation for sample in samples[size][ours]], cpu)
                result.extra[place] += (f"{statistics.median(cpu):.2f} ({ratio:.2f})",)
        return result


class Feed:
    """CPU per message that a subscriber gets, of messages that go to all subscribers, at a fixed rate."""

    def __init__(self, name, title, peers, subscribers, rate, events=False, quick=False, rounds=3):
        self.name, self.title, self.peers, self.quick, self.rounds = name, title, peers, quick, rounds
        self.subscribers, self.rate, self.events = subscribers, rate, events

    def run(self, servers, context):
        samples = rounds(self, servers, context, lambda peer: loads.load(
            peer, "feed", f"https://127.0.0.1:{peer.port}/feed", "--connections", self.subscribers, "--rate", self.rate,
            "--duration", 3, "--warm-up", 0.5, "--size", 128, "--events" if self.events else "--http1"))
        result = summary(self.title, samples, servers,
                         f"{self.rate} messages of 128 bytes a second to {self.subscribers:,} subscribers, "
                         + ("server-sent events over HTTP/2" if self.events else "WebSockets over HTTP/1.1") + ", for 3 s, `load`")
        result.unit = "CPU µs per delivery"
        result.columns += ("p50 ms", "p99 ms")
        for place, peer in enumerate(servers):
            theirs = samples[peer.name]
            result.extra[place] += ("–", "–") if problem_of(theirs) else latencies(theirs, ("p50", "p99"), 1000, 1)
        return result


class SignalingWork:
    """What sessions of the signaling service do, each variant a row of its own."""

    unit, columns, operations, comment = "", (), 1, ""

    def variants(self):
        """Pairs of a title and of what `load signaling` is told."""
        raise NotImplementedError

    def extra(self, samples):
        raise NotImplementedError

    def run(self, servers, context):
        result = Result(self.title, self.unit, columns=self.columns, comment=self.comment)
        [server] = servers
        for title, arguments in self.variants():
            samples = []
            for number in range(context.rounds or self.rounds):
                context.progress(f"{self.title}: round {number + 1}, {title}")
                samples.append(loads.load(server, "signaling", f"https://127.0.0.1:{server.port}", *arguments))
            if problem := problem_of(samples):
                result.rows.append((title, None, None, None, None, problem[:120]))
                result.extra.append(("–",) * len(self.columns))
                continue
            cpu = [sample.cpu_per_operation / self.operations for sample in samples]
            result.rows.append((title, statistics.median(cpu), min(cpu), max(cpu), None, ""))
            result.extra.append(self.extra(samples))
        return result


class Calls(SignalingWork):
    """How long calls take to be set up, and what a relayed message costs."""

    unit, columns = "CPU µs per relayed message", ("p50 ms", "p99 ms", "p99.9 ms")
    # An offer, an answer, candidates of both sides, and the end.
    operations = 5

    def __init__(self, name, title, peers, places, rate, quick=False, rounds=3):
        self.name, self.title, self.peers, self.places, self.rate = name, title, peers, places, rate
        self.quick, self.rounds = quick, rounds
        self.comment = (f"{rate:,} calls a second for 5 s after 1 s of warm-up, each of {self.operations} relayed messages; the time "
                        "counts from when the offer was due until the answer is there, `load`")

    def variants(self):
        common = ["calls", "--rate", self.rate, "--duration", 5, "--warm-up", 1]
        return [(title, common + options) for title, options in self.places]

    def extra(self, samples):
        return latencies(samples, ("p50", "p99", "p99.9"), 1000, 2)


class Storms(SignalingWork):
    """Sessions that come, go and come back, as fast as they end."""

    unit, columns = "CPU µs per operation", ("operations/s",)
    comment = ("WebSockets over HTTP/2: sessions that begin and join a room on 100 connections; members of rooms of ten that leave "
               "and join again, and sessions that drop and resume, 1,000 of them")

    def __init__(self, name, title, peers, quick=False, rounds=3):
        self.name, self.title, self.peers, self.quick, self.rounds = name, title, peers, quick, rounds

    def variants(self):
        return [(work, [work, "--connections", connections, "--operations", operations]) for work, connections, operations in
                (("connect", 100, 5_000), ("presence", 1_000, 20_000), ("reconnect", 1_000, 5_000))]

    def extra(self, samples):
        return (f"{statistics.median(sample.per_second for sample in samples):,.0f}",)


class Relays:
    """CPU per event of Socket.IO that one client sends another, at a fixed rate."""

    def __init__(self, name, title, peers, clients, rate, quick=False, rounds=3):
        self.name, self.title, self.peers, self.clients, self.rate = name, title, peers, clients, rate
        self.quick, self.rounds = quick, rounds

    def run(self, servers, context):
        samples = rounds(self, servers, context, lambda peer: loads.load(
            peer, "socketio", f"https://127.0.0.1:{peer.port}", "--connections", self.clients, "--rate", self.rate,
            "--duration", 3, "--warm-up", 1, "--http1"))
        result = summary(self.title, samples, servers,
                         f"{self.rate:,} events of 128 bytes a second between {self.clients:,} clients, WebSockets over HTTP/1.1, `load`")
        result.unit = "CPU µs per relayed event"
        return result


class MassClose:
    """What it is for a server, and for those who stay, that very many connections vanish at once."""

    def __init__(self, name, title, peers, connections, quick=False, rounds=3):
        self.name, self.title, self.peers, self.connections = name, title, peers, connections
        self.quick, self.rounds = quick, rounds

    def run(self, servers, context):
        from .connections import Holder
        result = Result(self.title, "CPU µs per close", columns=("longest iteration, ms", "longest wait, ms"),
                        comment=f"{self.connections:,} idle connections whose process is killed, among 1,000 requests a second on 8 other "
                                "connections: the longest iteration as the server's loop tells it, and the longest time of one of those "
                                "requests, for which the kernel's work on the dead process is to blame too")
        for peer in servers:
            found = []
            try:
                for number in range(context.rounds or self.rounds):
                    context.progress(f"{self.title}: round {number + 1}, {peer.name}")
                    found.append(Holder(peer, self.connections).killed())
            except OSError as error:
                result.rows.append((peer.name, None, None, None, None, str(error)))
                result.extra.append(("–", "–"))
                continue
            waits, iterations, costs = zip(*found)
            cost = statistics.median(costs)
            ratio = result.rows[0][1] / cost if result.rows and result.rows[0][1] and cost else None
            result.rows.append((peer.name, cost, min(costs), max(costs), ratio if result.rows else 1.0, ""))
            told = f"{statistics.median(iterations):.1f}" if iterations[0] is not None else "–"
            result.extra.append((told, f"{statistics.median(waits):.0f}"))
        return result


class Latency:
    """How long requests take at a fixed rate, from when each was due: a stall is charged for all that it kept waiting."""

    def __init__(self, name, title, peers, rate, quick=False, rounds=5):
        self.name, self.title, self.peers, self.rate, self.quick, self.rounds = name, title, peers, rate, quick, rounds

    def run(self, servers, context):
        result = Result(self.title, "p99, µs", columns=("p50", "p99.9", "max"),
                        comment=f"{self.rate:,} requests a second for 3 s after 1 s of warm-up, 32 connections x 8 streams, `load`; "
                                "each time counts from when the request was due")
        samples = rounds(self, servers, context, lambda peer: loads.load(
            peer, "http", f"https://127.0.0.1:{peer.port}{peer.hello}", "--connections", 32, "--streams", 8,
            "--rate", self.rate, "--duration", 3, "--warm-up", 1))
        for peer in servers:
            theirs = samples[peer.name]
            problem = problem_of(theirs)
            slow = next((sample for sample in theirs if sample.per_second < 0.98 * self.rate), None)
            if problem or slow:
                result.rows.append((peer.name, None, None, None, None, problem or "does not keep up with the rate"))
                result.extra.append(("–", "–", "–"))
                continue
            values = [sample.latency["p99"] for sample in theirs]
            ratio = ratio_of([sample.latency.get("p99", 0) for sample in samples[servers[0].name]], values)
            result.rows.append((peer.name, statistics.median(values), min(values), max(values), ratio, peer.extra))
            result.extra.append(latencies(theirs, ("p50", "p99.9", "max")))
        return result


class IdleMemory:
    """Memory (PSS) for each idle connection after one request."""

    rounds = 1

    def __init__(self, name, title, peers, counts, quick=False):
        self.name, self.title, self.peers, self.counts, self.quick = name, title, peers, counts, quick

    def run(self, servers, context):
        from .connections import IdleConnections
        result = Result(self.title, "KiB per connection", columns=tuple(f"at {count:,}" for count in self.counts[:-1]),
                        comment="TLS and HTTP/2, one request each, then silence; proportional set size of all processes")
        for peer in servers:
            found = []
            with IdleConnections(peer) as idle:
                idle.open(50)
                before = peer.memory()
                for count in self.counts:
                    context.progress(f"{self.title}: {peer.name}, {count:,}")
                    try:
                        idle.open(50 + count)
                    except OSError:
                        found.append(None)
                        continue
                    time.sleep(0.5)
                    found.append((peer.memory() - before) / count)
            time.sleep(1)
            note = "" if found[-1] else f"takes fewer than {self.counts[-1]:,} connections here"
            result.rows.append([peer.name, found[-1], found[-1], found[-1], None, note])
            result.extra.append(tuple(f"{value:.1f}" if value else "–" for value in found[:-1]))
        for row in result.rows:
            row[4] = result.rows[0][1] / row[1] if row[1] else None
        result.rows = [tuple(row) for row in result.rows]
        return result


class Growth:
    """CPU per request of 32 busy connections among idle ones."""

    rounds = 3

    def __init__(self, name, title, peers, counts, quick=False):
        self.name, self.title, self.peers, self.counts, self.quick = name, title, peers, counts, quick

    def run(self, servers, context):
        from .connections import IdleConnections
        result = Result(self.title, f"CPU µs per request at {self.counts[-1]:,} idle",
                        columns=tuple(f"at {count:,}" for count in self.counts[:-1]) + ("growth",),
                        comment="32 connections x 8 streams, among connections that are open and silent, h2load")
        for peer in servers:
            found = []
            with IdleConnections(peer) as idle:
                for count in self.counts:
                    context.progress(f"{self.title}: {peer.name}, {count:,}")
                    idle.open(count)
                    runs = [loads.h2load(peer, peer.hello, 40_000, 32, 8) for _ in range(self.rounds)]
                    if runs[0].problem:
                        fail(f"{peer.name}: {runs[0].problem}")
                    found.append(statistics.median(run.cpu_per_operation for run in runs))
            result.rows.append((peer.name, found[-1], found[-1], found[-1], None, ""))
            result.extra.append(tuple(f"{value:.2f}" for value in found[:-1]) + (f"{found[-1] / found[0]:.2f} ×",))
        return result


SCENARIOS = [
    Requests("32x32", "Small requests, 32 × 32", REQUEST_PEERS + ["haproxy", "hummingbird", "go"], 32, 32, 100_000, quick=True),
    Requests("16x16", "Small requests, 16 × 16", FEW_PEERS, 16, 16, 100_000),
    Requests("64x1", "Small requests, 64 × 1", REQUEST_PEERS + ["haproxy", "hummingbird", "go"], 64, 1, 40_000, quick=True),
    Requests("1000x1", "Small requests, 1000 × 1", FEW_PEERS, 1000, 1, 40_000),
    Requests("h1", "Small requests over HTTP/1.1, 64 connections", ["heliograph", "nginx", "h2o", "node"], 64, 1, 40_000,
             protocol="http/1.1", quick=True),
    Requests("32x32-load", "Small requests, 32 × 32, by our own load generator", FEW_PEERS, 32, 32, 200_000, generator="load"),
    Requests("async", "An async handler beside a synchronous one, 32 × 32", ["heliograph", "heliograph-async"], 32, 32, 100_000),
    WebSockets("websocket-64", "WebSocket echo, 64 connections", ["heliograph", "c-echo", "python-websockets"], 64, 100_000),
    WebSockets("websocket-1000", "WebSocket echo, 1,000 connections", ["heliograph", "c-echo", "python-websockets"], 1_000, 50_000),
    WebSockets("websocket-h2-64", "WebSocket echo over HTTP/2, 64 connections", ["heliograph"], 64, 100_000, version="HTTP/2"),
    WebSockets("websocket-h2-1000", "WebSocket echo over HTTP/2, 1,000 connections", ["heliograph"], 1_000, 50_000, version="HTTP/2"),
    Feed("broadcast-1000", "WebSocket broadcast to 1,000", ["heliograph", "python-websockets"], 1_000, 20),
    Feed("broadcast-10000", "WebSocket broadcast to 10,000", ["heliograph", "python-websockets"], 10_000, 2),
    Feed("sse-1000", "Server-sent events to 1,000", ["heliograph", "node", "go"], 1_000, 20, events=True),
    Feed("sse-10000", "Server-sent events to 10,000", ["heliograph", "node", "go"], 10_000, 2, events=True),
    Requests("upload-64k", "Uploads of 64 KiB, 16 × 4", ["heliograph", "swift-nio", "node", "go"], 16, 4, 4_000, path="count", upload=64 * 1024),
    Requests("upload-1m", "Uploads of 1 MiB, 16 × 1", ["heliograph", "swift-nio", "node", "go"], 16, 1, 500, path="count", upload=1024 * 1024),
    Requests("fields", "Requests of 40 fields, 32 × 32", FEW_PEERS, 32, 32, 50_000,
             headers=[(f"x-field-{number}", f"value-{number}") for number in range(40)]),
    Requests("1k", "1 KiB from memory, 32 × 32", FEW_PEERS, 32, 32, 50_000, path="body", size=SIZES[0]),
    Requests("64k", "64 KiB from memory, 16 × 4", FEW_PEERS, 16, 4, 5_000, path="body", size=SIZES[1]),
    Requests("1m", "1 MiB from memory, 16 × 1", FEW_PEERS, 16, 1, 1_000, path="body", size=SIZES[2], quick=True),
    Requests("file-1k", "1 KiB from a file, 32 × 32", FEW_PEERS, 32, 32, 50_000, path="file", size=SIZES[0]),
    Requests("file-1m", "1 MiB from a file, 16 × 1", FEW_PEERS, 16, 1, 1_000, path="file", size=SIZES[2]),
    Handshakes("handshakes", "Handshake storm", FEW_PEERS + ["haproxy", "swift-nio"], 1_000, quick=True),
    ResumedHandshakes("resumed", "Resumed handshakes", FEW_PEERS, 500),
    Latency("latency", "Latency at 10,000 requests a second", FEW_PEERS + ["swift-nio"], 10_000, quick=True),
    IdleMemory("idle", "Memory of idle connections", REQUEST_PEERS + ["haproxy", "go"], [100, 1_000, 10_000, 19_000]),
    IdleMemory("idle-quick", "Memory of 1,000 idle connections", REQUEST_PEERS, [1_000], quick=True),
    Growth("growth", "CPU per request among idle connections", ["heliograph", "h2o", "nginx"], [0, 1_000, 10_000, 19_000]),
    MassClose("mass-close", "Closing 19,000 connections at once", ["heliograph", "h2o", "nginx"], 19_000),
    Calls("calls", "Calls over each transport, 1,000 sessions", ["signaling"],
          [("WebSocket", ["--connections", 1_000]), ("lines on a stream", ["--connections", 1_000, "--transport", "stream"]),
           ("server-sent events and POST", ["--connections", 1_000, "--transport", "events"])], 1_000),
    Calls("calls-idle", "Calls among idle sessions", ["signaling"],
          [(f"{idle:,} idle", ["--connections", 500 + idle, "--active", 500]) for idle in (0, 1_000, 10_000)], 500),
    Storms("storms", "Sessions that come, go and come back", ["signaling"]),
    Relays("socketio", "Socket.IO events among 1,000 clients", ["heliograph-socketio", "python-socketio"], 1_000, 2_000),
]
