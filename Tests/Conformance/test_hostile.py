"""Peers that mean harm, or just go. A good client is served all the while, and nothing is left behind."""

import os
import random
import resource
import socket
import ssl
import struct
import subprocess
import time

import pytest

from showcase import Peer, connect_tls, readable, run

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


SETTINGS = frame(4, 0, 0)
GET = bytes([0x82, 0x87, 0x84, 0x41, 1]) + b"a"


def headers(stream, flags=5):
    return frame(1, flags, stream, GET)


def goaway_code(tls):
    """The error code of the GOAWAY that ends a connection; None when it ends without."""
    data = b""
    try:
        while chunk := tls.recv(65536):
            data += chunk
    except (ConnectionError, ssl.SSLError):
        pass
    code = None
    while len(data) >= 9:
        length, kind = int.from_bytes(data[:3], "big"), data[3]
        if kind == 7:
            code = int.from_bytes(data[13:17], "big")
        data = data[9 + length:]
    return code


def attack(port, payload):
    tls = connect_tls(port)
    try:
        tls.sendall(PREFACE + SETTINGS)
        for _ in range(40):
            tls.sendall(payload)
    except (ConnectionError, ssl.SSLError):
        pass
    return goaway_code(tls)


@pytest.mark.parametrize("name, payload", [
    ("ping flood", frame(6, 0, 0, bytes(8)) * 100),
    ("settings flood", SETTINGS * 100),
    ("priority flood", frame(2, 0, 1, bytes(5)) * 100),
    ("unknown frames", frame(77, 0, 0, bytes(8)) * 100),
])
def test_floods_are_told_to_calm_down(one_loop, name, payload):
    good = Peer(one_loop.port)
    assert attack(one_loop.port, payload) == 0xB
    assert good.response(good.request("GET", "/hello"))[1] == b"Hello, World!"
    good.close()


def test_rapid_reset_is_told_to_calm_down(one_loop):
    tls = connect_tls(one_loop.port)
    tls.sendall(PREFACE + SETTINGS)
    try:
        for stream in range(1, 6001, 2):
            tls.sendall(headers(stream) + frame(3, 0, stream, struct.pack(">I", 8)))
    except (ConnectionError, ssl.SSLError):
        pass
    assert goaway_code(tls) == 0xB


def test_a_flood_of_continuations_ends(one_loop):
    tls = connect_tls(one_loop.port)
    try:
        tls.sendall(PREFACE + SETTINGS + headers(1, flags=1) + frame(9, 0, 1, b"\0\1a\1b") * 200)
    except (ConnectionError, ssl.SSLError):
        pass
    assert goaway_code(tls) == 0xB


def test_garbage_is_survived(one_loop):
    chance = random.Random(20)
    before = one_loop.holdings()
    for number in range(300):
        if number % 2:
            with socket.create_connection(("127.0.0.1", one_loop.port)) as raw:
                raw.sendall(chance.randbytes(chance.randrange(1, 600)))
            continue
        script = bytearray(PREFACE + SETTINGS + headers(1) + headers(3) + frame(0, 1, 3, b"body") + frame(8, 0, 0, bytes([0, 0, 1, 0])))
        for _ in range(chance.randrange(1, 5)):
            script[chance.randrange(len(script))] = chance.randrange(256)
        tls = connect_tls(one_loop.port)
        tls.sendall(script)
        tls.close()
    assert one_loop.curl("/hello").stdout == "Hello, World!"
    one_loop.wait_until(before)


def test_those_who_wait_for_ever_do_not_stop_others(one_loop):
    before = one_loop.holdings()
    silent = [socket.create_connection(("127.0.0.1", one_loop.port)) for _ in range(500)]
    for raw in silent[:250]:
        raw.sendall(b"\x16\x03\x01\x02\x00\x01")
    stalled = []
    for _ in range(20):
        tls = connect_tls(one_loop.port)
        # A window of nothing: ten responses of a megabyte wait.
        tls.sendall(PREFACE + frame(4, 0, 0, struct.pack(">HI", 4, 0)) + b"".join(
            frame(1, 5, s, bytes([0x82, 0x87, 0x41, 1]) + b"a" + b"\x04\x0e/bytes/1048576") for s in range(1, 21, 2)))
        stalled.append(tls)
    assert one_loop.curl("/bytes/1000000", "-o", "/dev/null", "-w", "%{size_download}").stdout == "1000000"
    assert one_loop.resident() < 300
    for connection in silent + stalled:
        connection.close()
    one_loop.wait_until(before)


def test_killed_clients_leave_nothing_behind(one_loop):
    before = one_loop.holdings()
    for command in (
        ["h2load", "-n", "1000000", "-c", "200", "-m", "32", one_loop.url + "/hello"],
        ["h2load", "-n", "100000", "-c", "50", "-m", "10", one_loop.url + "/bytes/1000000"],
        ["curl", "-skN", "-o", "/dev/null", one_loop.url + "/events?n=100000"],
        ["curl", "-sk", "-o", "/dev/null", one_loop.url + "/slow?ms=60000"],
        ["curl", "-sk", "-T", "/dev/zero", "-o", "/dev/null", one_loop.url + "/echo"],
    ):
        client = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.7)
        client.kill()
        client.wait()
    one_loop.wait_until(before)


def test_ten_thousand_connections_at_once_each_answering_and_all_gone_at_once(one_loop):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = 10_000
    before = one_loop.holdings()
    # Six clients hold the connections: each opens its share, has it answered, says so, and waits to be killed.
    holder = os.path.join(os.path.dirname(__file__), "holder.py")
    share = count // 5
    holders = [
        subprocess.Popen(["python3", holder, str(one_loop.port), str(share)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(5)
    ]
    for client in holders:
        assert client.stdout.readline() == f"{share} answered\n"
    assert one_loop.loop()["connections"] >= count
    # Others come and go meanwhile, and those who stay are answered once more.
    run("h2load", "-n", "2000", "-c", "100", "-m", "4", one_loop.url + "/hello")
    for client in holders:
        client.stdin.write("again\n")
        client.stdin.flush()
    for client in holders:
        assert client.stdout.readline() == f"{share} answered\n"
    one_loop.loop()
    for client in holders:
        client.kill()
    for client in holders:
        client.wait()
    longest = 0
    while (state := one_loop.loop())["connections"] > 1:
        longest = max(longest, state["longestIteration"])
    longest = max(longest, state["longestIteration"])
    assert longest < 50_000, f"an iteration took {longest} µs"
    one_loop.wait_until(before)
