"""The operator's mistakes and wishes."""

import signal
import socket
import subprocess

import pytest

from showcase import PROGRAM, Peer, Showcase, connect_tls, run


def refused(*options):
    """The one line that a start which fails prints."""
    done = subprocess.run([PROGRAM, *options], capture_output=True, text=True, timeout=20)
    assert done.returncode != 0 and done.stdout == ""
    assert "Fatal error" not in done.stderr
    return done.stderr


def certificate(folder, name):
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
        f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem")
    return f"{folder}/{name}.pem", f"{folder}/{name}.key"


def test_a_taken_port_is_an_error_also_for_a_second_instance():
    first = Showcase("--threads", "2")
    message = refused("--host", "127.0.0.1", "--port", str(first.port), "--threads", "2")
    assert message.count("\n") == 1 and "in use" in message
    first.stop()
    with socket.create_server(("127.0.0.1", 0)) as other:
        assert "in use" in refused("--host", "127.0.0.1", "--port", str(other.getsockname()[1]))


def test_a_missing_certificate_is_named():
    message = refused("--certificate", "/nowhere/a.pem", "--private-key", "/nowhere/a.key")
    assert "/nowhere/a.pem" in message and "No such file" in message


def test_a_key_of_another_certificate_is_told(tmp_path):
    one, _ = certificate(tmp_path, "one.test")
    _, other = certificate(tmp_path, "other.test")
    assert "does not match" in refused("--port", "0", "--certificate", one, "--private-key", other)


@pytest.mark.parametrize("options", [["--certificate", "x"], ["--port", "99999"], ["--nonsense"], ["--threads", "0"]])
def test_bad_flags_are_told(options):
    assert options[0].lstrip("-") in refused(*options)


def test_a_host_that_is_no_address_is_told():
    assert "numeric address" in refused("--host", "example.invalid", "--port", "0")


def test_its_own_certificate_is_served_and_replaced_while_running(tmp_path):
    chain, key = certificate(tmp_path, "site.test")
    server = Showcase("--certificate", chain, "--private-key", key)
    peer = Peer(server.port)
    subject = lambda: run("openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", input="").stdout
    assert "CN = site.test" in subject()
    replaced, other = certificate(tmp_path, "next.test")
    run("cp", replaced, chain)
    run("cp", other, key)
    server.process.send_signal(signal.SIGHUP)
    for _ in range(50):
        if "CN = next.test" in subject():
            break
    else:
        pytest.fail("the certificate is not replaced")
    assert peer.response(peer.request("GET", "/hello"))[1] == b"Hello, World!"
    peer.close()
    server.stop()


def test_sigterm_says_goodbye_twice_and_lets_a_stream_finish():
    # By hand: the library h2 takes no frame after a GOAWAY, as if it ended streams that are open.
    server = Showcase()
    tls = connect_tls(server.port)
    block = bytes([0x82, 0x87, 0x41, 1]) + b"a" + b"\x04\x0c/slow?ms=800"
    tls.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0" + len(block).to_bytes(3, "big")
                + b"\1\5\0\0\0\1" + block)
    data = tls.recv(65536)
    server.process.send_signal(signal.SIGTERM)
    frames = []
    while chunk := tls.recv(65536):
        data += chunk
        while len(data) >= 9 and len(data) >= 9 + int.from_bytes(data[:3], "big"):
            length, kind, flags = int.from_bytes(data[:3], "big"), data[3], data[4]
            frames.append((kind, flags, data[9:9 + length]))
            if kind == 6 and not flags & 1:
                tls.sendall(b"\0\0\10\6\1\0\0\0\0" + data[9:17])
            data = data[9 + length:]
    goaways = [(int.from_bytes(p[:4], "big"), int.from_bytes(p[4:8], "big")) for kind, _, p in frames if kind == 7]
    assert goaways == [(2**31 - 1, 0), (1, 0)]
    assert b"".join(p for kind, _, p in frames if kind == 0) == b"waited 800 ms\n"
    tls.close()
    assert server.process.wait(10) == 0
