"""Holds many connections, each with a request answered: holder.py PORT COUNT. Each further line on stdin asks once more."""

import socket
import ssl
import struct
import sys

port, count = int(sys.argv[1]), int(sys.argv[2])
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
context.set_alpn_protocols(["h2"])
PATH = b"/hello"


def request(stream):
    block = bytes([0x82, 0x87, 0x04, len(PATH)]) + PATH + b"\x01\x01a"
    return struct.pack(">I", len(block))[1:] + b"\x01\x05" + struct.pack(">I", stream) + block


def ask(tls, stream, before=b""):
    tls.sendall(before + request(stream))
    data = b""
    while b"Hello, World!" not in data:
        chunk = tls.recv(65536)
        if not chunk:
            sys.exit("a connection was closed")
        data += chunk


held = []
for _ in range(count):
    tls = context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="localhost")
    ask(tls, 1, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
    held.append(tls)
print(count, "answered", flush=True)
stream = 3
for _ in sys.stdin:
    for tls in held:
        ask(tls, stream)
    stream += 2
    print(count, "answered", flush=True)
