"""Routes and what stands in front of handlers, by curl over each version of HTTP."""

import json
import os
import re
import signal
import time

import pytest

from showcase import Showcase


def response(server, path, *options):
    """Status, fields and body."""
    head, _, body = server.curl(path, "-i", *options).stdout.replace("\r\n", "\n").partition("\n\n")
    lines = head.split("\n")
    fields = [tuple(line.split(": ", 1)) for line in lines[1:] if ": " in line]
    return int(lines[0].split()[1]), dict(fields), body


def test_methods_without_a_route_are_told_what_is_allowed(everywhere):
    status, fields, _ = response(everywhere, "/hello", "-X", "DELETE")
    assert (status, fields["allow"]) == (405, "GET, HEAD, OPTIONS")
    status, fields, _ = response(everywhere, "/hello", "-X", "OPTIONS")
    assert (status, fields["allow"]) == (204, "GET, HEAD, OPTIONS")
    status, fields, body = response(everywhere, "/hello", "-I")
    assert (status, fields["content-length"], body) == (200, "13", "")
    assert response(everywhere, "/nothing", "-X", "DELETE")[0] == 404


def test_parameters_are_decoded_and_literals_are_not(everywhere):
    assert response(everywhere, "/status/%32%30%31")[0] == 201
    for path in ("/h%65llo", "/hello/", "//hello", "/hello/../hello", "/status/", "/status/2%2F01", "/HELLO"):
        assert response(everywhere, path, "--path-as-is")[0] == 404, path


def test_a_request_has_an_id(everywhere):
    _, fields, body = response(everywhere, "/request-id")
    assert re.fullmatch(r"[0-9a-f]{32}", fields["x-request-id"]) and body.strip() == fields["x-request-id"]
    _, fields, body = response(everywhere, "/request-id", "-H", "x-request-id: mine-1")
    assert fields["x-request-id"] == "mine-1" and body.strip() == "mine-1"
    assert response(everywhere, "/request-id", "-H", 'x-request-id: "><script>')[1]["x-request-id"] != '"><script>'


def test_other_origins_are_asked_about(everywhere):
    status, fields, _ = response(
        everywhere, "/cors", "-X", "OPTIONS", "-H", "origin: https://app.example", "-H", "access-control-request-method: PUT")
    assert (status, fields["access-control-allow-origin"]) == (204, "https://app.example")
    assert fields["access-control-allow-credentials"] == "true" and "PUT" in fields["access-control-allow-methods"]
    status, fields, _ = response(everywhere, "/cors", "-H", "origin: https://evil.example")
    assert status == 200 and "access-control-allow-origin" not in fields and fields["vary"] == "origin"


def test_a_deadline_is_kept(everywhere):
    assert response(everywhere, "/deadline?ms=1")[0] == 200
    assert response(everywhere, "/deadline?ms=5000")[0] == 504
    # A response that has begun cannot change its mind: it is cut off, and the next request is served.
    assert everywhere.curl("/hello").stdout == "Hello, World!"


def test_a_response_that_has_begun_is_cut_off_at_its_deadline(one_loop):
    import subprocess
    done = subprocess.run(
        ["curl", "-sk", "--http2", one_loop.url + "/deadline?begun&ms=5000"], capture_output=True, timeout=20)
    assert done.returncode == 92, done  # CURLE_HTTP2_STREAM
    assert one_loop.curl("/hello").stdout == "Hello, World!"


@pytest.fixture(params=["combined", "json"])
def logged(request, tmp_path):
    path = tmp_path / "access.log"
    showcase = Showcase("--threads", "2", "--log-format", request.param, "--log-file", str(path))
    showcase.format, showcase.path = request.param, path
    yield showcase
    if showcase.process.poll() is None:
        showcase.stop()


COMBINED = re.compile(
    r'(?P<peer>\S+) - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000\] "(?P<method>\S+) (?P<target>\S+) (?P<protocol>\S+)" '
    r'(?P<status>\d+|-) (?P<bytes>\d+) "(?P<referer>[^"]*)" "(?P<user_agent>[^"]*)" (?P<duration>\d+\.\d{6}) '
    r'"(?P<request_id>[^"]*)"')


def lines(server, text):
    """The log's lines, each as a dictionary."""
    if server.format == "json":
        return [json.loads(line) for line in text.splitlines()]
    return [COMBINED.fullmatch(line).groupdict() for line in text.splitlines()]


def test_each_request_is_a_line_with_all_that_there_is_to_say(logged):
    logged.curl("/bytes/100000", "-o", "/dev/null", "-A", 'a"b\\c', "-e", "https://from.example/")
    logged.curl("/slow?ms=100")
    logged.curl("/hello", "--http1.1", "-X", "PUT")
    logged.stop()
    # Each loop writes its own lines, so those of two connections may stand in either order.
    written = {line["target"]: line for line in lines(logged, logged.path.read_text())}
    first, slow, put = (written[target] for target in ("/bytes/100000", "/slow?ms=100", "/hello"))
    assert (first["method"], first["target"], first["protocol"]) == ("GET", "/bytes/100000", "HTTP/2.0")
    assert (int(first["status"]), int(first["bytes"]), first["peer"]) == (200, 100_000, "127.0.0.1")
    assert first["referer"] == "https://from.example/"
    assert first["user_agent"] == ('a"b\\c' if logged.format == "json" else "a\\x22b\\x5cc")
    assert 0.1 <= float(slow["duration"]) < 5
    assert (put["method"], put["protocol"], int(put["status"])) == ("PUT", "HTTP/1.1", 405)
    ids = {line["request_id"] for line in (first, slow, put)}
    assert len(ids) == 3 and all(re.fullmatch(r"[0-9a-f]{32}", one) for one in ids)


def test_ten_thousand_requests_are_ten_thousand_lines(logged):
    import subprocess
    subprocess.run(["h2load", "-n", "10000", "-c", "20", "-m", "20", logged.url + "/hello"], check=True, capture_output=True)
    logged.stop()
    assert len(lines(logged, logged.path.read_text())) == 10_000


def test_the_log_is_opened_again_at_hang_up(logged):
    logged.curl("/hello")
    deadline = time.monotonic() + 10
    while not logged.path.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    moved = logged.path.with_suffix(".1")
    os.rename(logged.path, moved)
    logged.process.send_signal(signal.SIGHUP)
    while not logged.path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    logged.curl("/status/204")
    logged.stop()
    assert [line["target"] for line in lines(logged, moved.read_text())] == ["/hello"]
    assert [line["target"] for line in lines(logged, logged.path.read_text())] == ["/status/204"]
