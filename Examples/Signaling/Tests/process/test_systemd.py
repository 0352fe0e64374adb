"""The program under a service manager: sockets handed over and signs of life, as systemd does it (sd_listen_fds(3), sd_notify(3)).

SIGNALING_PROGRAM is the program to test. Needs httpx and pytest.
"""

import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

import httpx
import pytest

PACKAGE = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("SIGNALING_PROGRAM", str(PACKAGE / ".build/release/signaling"))


class Manager:
    """Starts the program as systemd would: sockets from descriptor 3 on, and a socket for what it tells."""

    def __init__(self, notify: str, listeners: list[socket.socket], *options: str, **extra: str):
        self.told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.told.bind("\0" + notify[1:] if notify.startswith("@") else notify)
        self.told.settimeout(15)
        # LISTEN_PID is the program's own number, which only its shell knows before it becomes it; the shell moves the sockets too.
        moves = " ".join(f"{3 + i}<&{100 + i} {100 + i}<&-" for i in range(len(listeners)))
        for index, listener in enumerate(listeners):
            os.dup2(listener.fileno(), 100 + index, inheritable=True)
        environment = {
            **os.environ,
            "NOTIFY_SOCKET": notify,
            "LISTEN_FDS": str(len(listeners)),
            "LISTEN_FDNAMES": ":".join(["https"] * len(listeners)),
            **extra,
        }
        self.process = subprocess.Popen(
            ["bash", "-c", f'LISTEN_PID=$$ exec "$0" "$@" {moves}', PROGRAM, "--threads", "2", *options],
            pass_fds=range(100, 100 + len(listeners)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for index in range(len(listeners)):
            os.close(100 + index)

    def next(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.told.recv(4096).decode().splitlines())

    def wait(self, key: str) -> dict[str, str]:
        """The next message with this key."""
        while key not in (message := self.next()):
            pass
        return message

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        self.told.close()


def listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


@pytest.fixture
def manage():
    managers: list[Manager] = []

    def make(*arguments, **extra) -> Manager:
        managers.append(Manager(*arguments, **extra))
        return managers[-1]

    yield make
    for manager in managers:
        manager.kill()


def answers(port: int) -> bool:
    with httpx.Client(verify=False, timeout=10) as http:
        return http.get(f"https://127.0.0.1:{port}/").status_code == 200


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_it_serves_a_handed_over_socket_and_tells_its_life(manage, kind, tmp_path):
    notify = str(tmp_path / "notify") if kind == "path" else f"@signaling-{os.getpid()}-{time.monotonic_ns()}"
    with listener() as handed:
        port = handed.getsockname()[1]
        # A connection that comes before the program is there waits in the socket.
        with socket.create_connection(("127.0.0.1", port)):
            manager = manage(notify, [handed])
            ready = manager.wait("READY")
            assert ready["READY"] == "1" and ready["STATUS"]
            assert answers(port)
        manager.process.send_signal(signal.SIGHUP)
        reloading = manager.wait("RELOADING")
        assert reloading["RELOADING"] == "1" and int(reloading["MONOTONIC_USEC"]) > 0
        assert manager.wait("READY")["READY"] == "1"
        manager.process.send_signal(signal.SIGTERM)
        assert manager.wait("STOPPING")["STOPPING"] == "1"
        assert manager.process.wait(timeout=15) == 0


def test_two_sockets_are_both_served(manage, tmp_path):
    with listener() as one, listener() as two:
        manager = manage(str(tmp_path / "notify"), [one, two])
        manager.wait("READY")
        assert answers(one.getsockname()[1]) and answers(two.getsockname()[1])


def test_a_watchdog_hears_of_it_until_a_loop_hangs(manage, tmp_path):
    with listener() as handed:
        manager = manage(str(tmp_path / "notify"), [handed], WATCHDOG_USEC="400000")
        for _ in range(3):
            assert manager.wait("WATCHDOG")["WATCHDOG"] == "1"
        manager.process.send_signal(signal.SIGSTOP)
        manager.told.settimeout(1)
        with pytest.raises(TimeoutError):
            while True:
                manager.next()
        manager.process.send_signal(signal.SIGCONT)
        manager.told.settimeout(15)
        manager.wait("WATCHDOG")


def test_a_handed_over_socket_that_others_reach_needs_a_certificate(manage, tmp_path):
    with socket.create_server(("0.0.0.0", 0)) as handed:
        manager = manage(str(tmp_path / "notify"), [handed])
        _, log = manager.process.communicate(timeout=15)
        assert manager.process.returncode == 64 and "--certificate" in log


def test_sockets_for_another_process_are_not_taken(tmp_path):
    with listener() as handed, tempfile.TemporaryFile() as output:
        environment = {**os.environ, "LISTEN_FDS": "1", "LISTEN_PID": "1"}
        process = subprocess.Popen([PROGRAM, "--port", "0"], stdout=subprocess.PIPE, stderr=output, env=environment, text=True)
        try:
            assert f":{handed.getsockname()[1]}/" not in process.stdout.readline()
        finally:
            process.kill()
            process.communicate()
