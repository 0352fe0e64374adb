"""What does not drift: instructions, system calls and allocations of a request, by the difference of a long and a short run."""
import collections
import re
import signal
import socket
import struct
import subprocess
import time

from . import load as loads
from .machine import ROOT, fail, family
from .peers import HeliographHello
from .scenarios import Result

FEW, MANY = 2_000, 12_000


class Counts:
    """Per request at 32 x 32: instructions in user space and where, system calls, allocations."""

    quick = False

    def __init__(self, name, title, peers):
        self.name, self.title, self.peers = name, title, peers

    def run(self, servers, context):
        result = Result(
            self.title, "instructions per request", columns=("where", "system calls", "allocations", "in Swift"),
            comment="32 connections x 32 streams; callgrind, strace and a counting allocator, each in a run of its own; the "
                    "difference of two runs, so that start and handshakes do not count")
        for peer in servers:
            peer.stop()
        servers = [HeliographHello(context.work) if peer.name == "heliograph" else peer for peer in servers]
        for peer in servers:
            context.progress(f"{self.title}: {peer.name}, instructions")
            where = instructions(peer, context.work)
            context.progress(f"{self.title}: {peer.name}, system calls and allocations")
            calls, allocations, objects = system_calls(peer, context.work), *allocated(peer, context.work)
            total = sum(where.values())
            top = ", ".join(f"{name} {count:,.0f}" for name, count in where.most_common(4))
            result.rows.append((peer.name, total, total, total, None, ""))
            result.extra.append((top, f"{calls:.2f}", f"{allocations:.2f}", f"{objects:.2f}" if objects else "–"))
        first = result.rows[0][1]
        result.rows = [(*row[:4], first / row[1], row[5]) for row in result.rows]
        return result


def requests(peer, count):
    sample = loads.h2load(peer, peer.hello, count, 32, 32)
    if sample.problem:
        fail(f"{peer.name}: {sample.problem}")


def started(peer, prefix=(), environment=None):
    """Starts a peer under a tool: without its own core, and with patience."""
    command = [*prefix, *(str(part) for part in peer.command())]
    log = open(peer.work / f"{peer.name}.tool.log", "w")
    peer.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    peer.log = log
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", peer.port), 0.2).close()
            return
        except OSError:
            time.sleep(0.1)
    fail(f"{peer.name} does not start under {prefix[0] if prefix else 'its tool'}; see {log.name}")


def instructions(peer, work):
    """Instructions of one request by library."""
    totals = []
    for count in (FEW, MANY):
        out = work / f"{peer.name}.{count}.callgrind"
        started(peer, ["valgrind", "--tool=callgrind", "--trace-children=yes", f"--callgrind-out-file={out}.%p"])
        requests(peer, count)
        peer.process.send_signal(signal.SIGTERM)
        try:
            peer.process.wait(30)
        except subprocess.TimeoutExpired:
            peer.process.kill()
            peer.process.wait()
        totals.append(collections.Counter())
        for file in work.glob(f"{out.name}.*"):
            totals[-1].update(by_library(file))
    difference = collections.Counter()
    for library in totals[1]:
        difference[library] = (totals[1][library] - totals[0][library]) / (MANY - FEW)
    return +difference


def by_library(file):
    """Sums the costs of a profile by object; the cost behind `calls=` is the callee's, which has lines of its own."""
    names, found, current, is_call = {}, collections.Counter(), "?", False
    for line in file.open():
        if line.startswith(("ob=", "cob=")):
            number, name = re.match(r"c?ob=\((\d+)\)(?: (.*))?", line).groups()
            names.setdefault(number, (name or "?").split("/")[-1].split(".so")[0])
            if line.startswith("ob="):
                current = names[number]
        elif line.startswith("calls="):
            is_call = True
        elif line[0] in "+-*0123456789":
            if not is_call:
                found[current] += int(line.split()[1])
            is_call = False
    return found


def system_calls(peer, work):
    totals = []
    peer.start()
    for count in (FEW, MANY):
        out = work / f"{peer.name}.strace"
        tracer = subprocess.Popen(["strace", "-f", "-c", "-o", str(out), *sum((["-p", str(pid)] for pid in family(peer.process.pid)), [])],
                                  stderr=subprocess.DEVNULL)
        time.sleep(1)
        requests(peer, count)
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
        total = re.search(r"^\s*100\.00\s+\S+\s+\S*\s+(\d+)", out.read_text(), re.M)
        totals.append(int(total[1]) if total else 0)
    peer.stop()
    return (totals[1] - totals[0]) / (MANY - FEW)


def allocated(peer, work):
    """Allocations of one request, and objects of Swift among them."""
    library, counts = work / "allocations.so", work / f"{peer.name}.allocations"
    if not library.exists():
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", str(library),
                        str(ROOT / "Benchmarks/Peers/allocations.c"), "-ldl"], check=True)
    counts.write_bytes(bytes(16))
    started(peer, environment={"LD_PRELOAD": str(library), "HELIOGRAPH_ALLOCATIONS": str(counts), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                               "HOME": str(work)})
    seen = []
    for count in (FEW, MANY):
        before = struct.unpack("<2Q", counts.read_bytes())
        requests(peer, count)
        time.sleep(0.5)
        after = struct.unpack("<2Q", counts.read_bytes())
        seen.append([b - a for a, b in zip(before, after)])
    peer.stop()
    return tuple((seen[1][which] - seen[0][which]) / (MANY - FEW) for which in (0, 1))


SCENARIOS = [Counts("counts", "Instructions, system calls and allocations", ["heliograph", "floor", "h2o", "nghttpd"])]
