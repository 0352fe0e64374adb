"""What the kernel tells of processes, and of the machine."""
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SERVER_CORE, LOAD_CORE = "0", "1"


def fail(message):
    sys.exit(f"Benchmarks/run: {message}")


def output(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip()


def have(program):
    return shutil.which(program) is not None


def family(pid):
    """A process and its descendants."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
    found = [pid]
    for child in sorted(parents):
        ancestor = child
        while ancestor in parents and ancestor != pid:
            ancestor = parents[ancestor]
        if ancestor == pid and child != pid:
            found.append(child)
    return found


def cpu_seconds(pid):
    """User and system time of all threads of a process and its descendants, as the scheduler accounts it."""
    total = 0
    for member in family(pid):
        try:
            for task in pathlib.Path(f"/proc/{member}/task").iterdir():
                # schedstat counts nanoseconds; stat counts ticks of 10 ms.
                total += int((task / "schedstat").read_text().split()[0])
        except OSError:
            continue
    return total / 1e9


def memory_kib(pid):
    """Proportional set size (PSS) of a process and its descendants."""
    total = 0
    for member in family(pid):
        try:
            rollup = pathlib.Path(f"/proc/{member}/smaps_rollup").read_text()
        except OSError:
            continue
        total += int(re.search(r"^Pss:\s+(\d+)", rollup, re.M)[1])
    return total


def description():
    cpuinfo = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", cpuinfo)
    openssl = output("openssl", "version").split(" (")[0]
    return (f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}, {openssl}; "
            f"server on core {SERVER_CORE}, load on core {LOAD_CORE}")
