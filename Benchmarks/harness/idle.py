"""Connections that are open and silent: TLS, HTTP/2, one request, then nothing."""
import socket
import ssl

from .peers import BODY

# A connection has an address of its own of 127.0.0.0/8 for each block of so many, so that ports do not run out.
BLOCK = 10_000


class IdleConnections:
    def __init__(self, peer):
        self.peer, self.held = peer, []
        self.context = ssl.create_default_context()
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE
        self.context.set_alpn_protocols(["h2"])

    def __enter__(self):
        return self

    def open(self, count):
        """Opens connections until there are so many."""
        while len(self.held) < count:
            source = f"127.0.0.{2 + len(self.held) // BLOCK}"
            raw = socket.create_connection(("127.0.0.1", self.peer.port), source_address=(source, 0))
            tls = self.context.wrap_socket(raw, server_hostname="localhost")
            tls.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0" + request(self.peer.hello))
            data = b""
            while BODY.encode() not in data:
                piece = tls.recv(65536)
                if not piece:
                    raise ConnectionError(f"{self.peer.name} closed connection {len(self.held)}")
                data += piece
            self.held.append(tls)

    def __exit__(self, *_):
        for tls in self.held:
            tls.close()
        self.held.clear()


def request(path):
    """HEADERS of a GET: entries of RFC 7541's static table, and two literals."""
    path, host = path.encode(), b"localhost"
    block = bytes([0x82, 0x87, 0x04, len(path)]) + path + bytes([0x01, len(host)]) + host
    return len(block).to_bytes(3, "big") + b"\x01\x05\0\0\0\x01" + block
