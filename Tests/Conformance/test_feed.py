"""One message to many on all loops: WebSockets and readers of server-sent events."""

import contextlib
import subprocess

import pytest
from websockets.exceptions import ConnectionClosed

from dialing import dial


@contextlib.contextmanager
def readers(server, count):
    """Some `curl` that each have read the stream's first event."""
    started = [subprocess.Popen(["curl", "-skN", server.http, "-H", "accept: text/event-stream", server.url + "/feed"],
                                stdout=subprocess.PIPE, text=True) for _ in range(count)]
    try:
        for reader in started:
            assert reader.stdout.readline() == ": welcome\n"
            assert reader.stdout.readline() == "\n"
        yield started
    finally:
        for reader in started:
            reader.kill()
            reader.wait()
            reader.stdout.close()


def test_what_is_posted_reaches_all_readers_on_all_loops(server):
    with readers(server, 6) as started, dial(server, "/feed") as one, dial(server, "/feed") as other:
        assert "202" in server.curl("/feed", "-d", "all of you", "-w", "%{http_code}").stdout
        for reader in started:
            assert reader.stdout.readline() == "data: all of you\n"
        assert one.recv(timeout=10) == other.recv(timeout=10) == "all of you"


def test_what_a_websocket_sends_reaches_itself_and_the_others(server):
    with readers(server, 2) as started, dial(server, "/feed") as one, dial(server, "/feed") as other:
        for number in range(100):
            one.send(f"message {number}")
        for number in range(100):
            assert one.recv(timeout=10) == other.recv(timeout=10) == f"message {number}"
        for reader in started:
            for number in range(100):
                assert reader.stdout.readline() == f"data: message {number}\n"
                reader.stdout.readline()


@pytest.mark.parametrize("body", ["two\nlines", "x" * 70_000, b"\xff"])
def test_what_is_no_line_of_text_is_refused(server, body):
    data = body.encode() if isinstance(body, str) else body
    done = subprocess.run(["curl", "-sk", server.http, "-w", "%{http_code}", "--data-binary", "@-", server.url + "/feed"],
                          input=data, capture_output=True, timeout=60)
    assert done.stdout.endswith(b"400")
    with dial(server, "/feed") as socket, pytest.raises(ConnectionClosed):
        socket.send(data.decode() if data != b"\xff" else data)
        socket.recv(timeout=10)


def test_a_reader_that_does_not_read_keeps_nobody_waiting(server):
    with readers(server, 2) as started, dial(server, "/feed") as writer, dial(server, "/feed", max_queue=1) as sleeper:
        line = "y" * 60_000
        for _ in range(150):
            writer.send(line)
            assert writer.recv(timeout=10) == line
        assert started[0].stdout.readline().startswith("data: yyy")
        assert server.resident() < 200
        assert sleeper.recv(timeout=10) == line


def test_bytes_are_counted_and_an_async_answer_is_the_same(server):
    assert server.curl("/count", "--data-binary", "x" * 100_000).stdout == "100000"
    assert server.curl("/hello/async").stdout == server.curl("/hello").stdout
