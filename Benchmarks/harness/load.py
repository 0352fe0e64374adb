"""The load generators: h2load, which is not ours, and `load`, which is."""
import json
import re
import resource
import subprocess
import time
from dataclasses import dataclass, field

from .machine import LOAD_CORE, ROOT

LOAD = ROOT / "Benchmarks/.build/release/load"


@dataclass
class Sample:
    """One run against one peer."""

    operations: int = 0
    seconds: float = 0
    server_cpu: float = 0
    client_cpu: float = 0
    latency: dict = field(default_factory=dict)  # microseconds by percentile
    problem: str = ""

    @property
    def cpu_per_operation(self):
        return self.server_cpu / self.operations * 1e6

    @property
    def per_second(self):
        return self.operations / self.seconds

    @property
    def client_bound(self):
        """The load's core was full and the server's was not: what was reached is the load's limit."""
        return self.client_cpu / self.seconds > 0.95 and self.server_cpu / self.seconds < 0.9


def children_cpu():
    """Seconds of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measured(peer, command, read):
    """Runs a command on the load's core; `read` makes a sample of what it printed."""
    children = children_cpu()
    server, started = peer.cpu(), time.monotonic()
    done = subprocess.run(["taskset", "-c", LOAD_CORE] + command, capture_output=True, text=True)
    seconds, server = time.monotonic() - started, peer.cpu() - server
    text = done.stdout + done.stderr
    if done.returncode != 0:
        return Sample(seconds=seconds, problem=f"the load ended with {done.returncode}: {text[-300:].strip()}")
    sample = read(text)
    sample.seconds = sample.seconds or seconds
    sample.server_cpu = server
    sample.client_cpu = children_cpu() - children
    return sample


def announced(peer, command, read):
    """As `measured`, of a program that says `begin` and `end`: the server's time is counted between the two."""
    marks, lines = {}, []
    children = children_cpu()
    process = subprocess.Popen(["taskset", "-c", LOAD_CORE] + command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in process.stdout:
        if line.strip() in ("begin", "end"):
            marks[line.strip()] = peer.cpu()
        else:
            lines.append(line)
    errors = process.stderr.read()
    process.wait()
    if not lines:
        return Sample(problem=f"the load ended with {process.returncode}: {errors[-300:].strip()}")
    sample = read("".join(lines))
    sample.server_cpu = marks.get("end", 0) - marks.get("begin", 0)
    sample.client_cpu = children_cpu() - children
    if sample.operations == 0 and not sample.problem:
        sample.problem = "nothing succeeded"
    return sample


def h2load(peer, path, requests, connections, streams, protocol="h2", headers=(), upload=None):
    command = ["h2load", "-n", str(requests), "-c", str(connections), "-m", str(streams)]
    if protocol == "http/1.1":
        command.append("--h1")
    for name, value in headers:
        command += ["-H", f"{name}: {value}"]
    if upload:
        command += ["-d", str(upload)]

    def read(text):
        seconds = re.search(r"finished in ([\d.]+)(us|ms|s|m)", text)
        sample = Sample(operations=requests)
        if seconds:
            sample.seconds = float(seconds[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}[seconds[2]]
        if f"{requests} succeeded, 0 failed, 0 errored" not in text:
            sample.problem = "requests failed: " + (re.search(r"requests: .*", text) or ["?"])[0]
        elif f"Application protocol: {protocol}" not in text:
            sample.problem = "negotiated " + (re.search(r"Application protocol: (.*)", text) or ["", "nothing"])[1]
        return sample

    return measured(peer, command + [f"https://127.0.0.1:{peer.port}{path}"], read)


def load(peer, *arguments):
    """Runs `load`, whose last line is JSON."""

    def read(text):
        result = json.loads(text.strip().splitlines()[-1])
        sample = Sample(operations=result["operations"], seconds=result["seconds"], latency=result.get("latency", {}))
        if result["failed"]:
            sample.problem = f"{result['failed']} failed: {result.get('error', '')}"
        return sample

    return announced(peer, [str(LOAD)] + [str(part) for part in arguments] + ["--format", "json"], read)


def websocket(peer, work, connections, depth, size, messages):
    """Messages over WebSockets of HTTP/1.1 that come back; by the load generator in C."""

    def read(text):
        result = json.loads(text.strip().splitlines()[-1])
        return Sample(operations=result["operations"], seconds=result["seconds"], latency=result["latency"])

    return measured(peer, [str(work / "load"), *map(str, (peer.port, "/ws", connections, depth, size, messages))], read)
