"""Streams both ways by clients that others wrote, which read when they are told to: h2, with wsproto for WebSockets."""

import json
import socket
import ssl
from contextlib import suppress
from urllib.parse import urlsplit

import h2.config
import h2.connection
import h2.events
from wsproto import ConnectionType, WSConnection
from wsproto.connection import Connection
from wsproto.events import AcceptConnection, CloseConnection, Ping, RejectConnection, Request, TextMessage

from service import URL

PROTOCOL = "signal.v1.json"
WEBSOCKET = [(":method", "CONNECT"), (":protocol", "websocket"), (":path", "/v1/ws"),
             ("sec-websocket-version", "13"), ("sec-websocket-protocol", PROTOCOL)]
LINES = [(":method", "POST"), (":path", "/v1/stream"), ("content-type", "application/x-ndjson")]


def tls(*protocols) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # The development certificate is signed by nobody.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(list(protocols))
    return context


class Stream:
    """What came is in `messages`; `close` is the code and name of its end, of whichever kind."""

    def __init__(self, url: str, protocol: str):
        address = urlsplit(url)
        self.authority = address.netloc
        # So little that who does not read is noticed soon.
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        plain.settimeout(20)
        plain.connect(("127.0.0.1", address.port))
        self.socket = tls(protocol).wrap_socket(plain, server_hostname=address.hostname)
        self.messages, self.close = [], None

    def until(self, t, **wanted):
        while True:
            for index, message in enumerate(self.messages):
                if message["t"] == t and all(message.get(key) == value for key, value in wanted.items()):
                    return self.messages.pop(index)
            self.read()

    def end(self):
        while self.close is None:
            self.read()
        return self.close

    def leave(self):
        """Also wakes who reads in another thread."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def received(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the connection has ended")
        return data


class Tunnel(Stream):
    """A stream of an HTTP/2 connection whose request stays open: a WebSocket (RFC 8441), lines, or events."""

    def __init__(self, fields, *, url: str = URL, takes: bool = True):
        super().__init__(url, "h2")
        # Whether it lets the other side send more than the first windows.
        self.takes, self.withheld = takes, 0
        self.http = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.http.initiate_connection()
        self.flush()
        websocket = fields[0][1] == "CONNECT"
        self.frames = Connection(ConnectionType.CLIENT) if websocket else None
        self.head, self.trailers, self.data = None, None, b""
        while not websocket or not self.http.remote_settings.enable_connect_protocol:
            self.read()
            if not websocket:
                break
        self.stream = self.http.get_next_available_stream_id()
        fields = [*fields[:1], (":scheme", "https"), (":authority", self.authority), *fields[1:]]
        self.http.send_headers(self.stream, fields, end_stream=fields[0][1] == "GET")
        self.flush()
        while self.head is None:
            self.read()

    @classmethod
    def websocket(cls, **options):
        return cls(WEBSOCKET, **options)

    @classmethod
    def lines(cls, **options):
        return cls(LINES, **options)

    @classmethod
    def events(cls, session: dict, accept: str, **options):
        path = f"/v1/sessions/{session['sid']}/events"
        last = [("last-event-id", session["last"])] if "last" in session else []
        return cls([(":method", "GET"), (":path", path), ("accept", accept),
                    ("authorization", f"Bearer {session['token']}"), *last], **options)

    def flush(self):
        self.socket.sendall(self.http.data_to_send())

    def read(self):
        for event in self.http.receive_data(self.received()):
            if isinstance(event, h2.events.ResponseReceived):
                self.head = dict(event.headers)
            elif isinstance(event, h2.events.TrailersReceived):
                self.trailers = dict(event.headers)
                self.close = int(self.trailers["signal-status"]), self.trailers["signal-code"]
            elif isinstance(event, h2.events.DataReceived):
                self.withheld += event.flow_controlled_length
                self.take(event.data)
            elif isinstance(event, h2.events.StreamEnded):
                self.close = self.close or ("end", "")
            elif isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
                self.close = self.close or ("reset", event.error_code)
        if self.takes:
            self.resume()
        self.flush()

    def resume(self):
        """Lets the other side send more."""
        self.takes = True
        if self.withheld:
            self.http.increment_flow_control_window(self.withheld)
            if self.close is None:
                self.http.increment_flow_control_window(self.withheld, self.stream)
            self.withheld = 0
        self.flush()

    def take(self, data):
        if self.frames is None:
            *lines, self.data = (self.data + data).split(b"\n")
            lines = [line.removeprefix(b"data: ") for line in lines]
            self.messages += [json.loads(line) for line in lines if line.startswith((b"{", b"["))]
        elif data:
            self.frames.receive_data(data)
            for event in self.frames.events():
                if isinstance(event, TextMessage):
                    self.data += event.data.encode()
                    if event.message_finished:
                        self.messages.append(json.loads(self.data))
                        self.data = b""
                elif isinstance(event, CloseConnection):
                    self.close = event.code, event.reason

    def send(self, message):
        text = json.dumps(message)
        data = text.encode() + b"\n" if self.frames is None else self.frames.send(TextMessage(text))
        self.send_bytes(data)

    def send_bytes(self, data):
        self.http.send_data(self.stream, data)
        self.flush()


class Upgraded(Stream):
    """A WebSocket by HTTP/1.1. It takes nothing while nobody reads."""

    def __init__(self, path: str = "/v1/ws", subprotocols=(PROTOCOL,), *, url: str = URL, takes: bool = True):
        super().__init__(url, "http/1.1")
        self.frames, self.text, self.isOpen = WSConnection(ConnectionType.CLIENT), "", False
        self.write(Request(host=self.authority, target=path, subprotocols=list(subprotocols)))
        while not self.isOpen:
            self.read()

    def write(self, event):
        self.socket.sendall(self.frames.send(event))

    def read(self):
        self.frames.receive_data(self.received())
        for event in self.frames.events():
            if isinstance(event, AcceptConnection):
                self.isOpen = True
            elif isinstance(event, RejectConnection):
                raise AssertionError(f"refused with {event.status_code}")
            elif isinstance(event, Ping):
                self.write(event.response())
            elif isinstance(event, CloseConnection):
                self.close = self.close or (event.code, event.reason)
            elif isinstance(event, TextMessage):
                self.text += event.data
                if event.message_finished:
                    self.take(self.text)
                    self.text = ""

    def take(self, text):
        self.messages.append(json.loads(text))

    def send(self, message):
        self.write(TextMessage(json.dumps(message)))

    def resume(self):
        pass


class SocketIO(Upgraded):
    """A client of Socket.IO, by WebSocket alone."""

    def __init__(self, auth: dict, *, url: str = URL, takes: bool = True):
        super().__init__("/socket.io/?EIO=4&transport=websocket", (), url=url)
        self.write(TextMessage("40" + json.dumps(auth)))

    def take(self, text):
        if text == "2":
            self.write(TextMessage("3"))
        elif text.startswith("42"):
            name, message = json.loads(text[2:])
            if name == "end":
                self.close = message["code"], message["reason"]
            else:
                self.messages.append({"t": name, **message})
        elif text.startswith("44"):
            self.close = "refused", json.loads(text[2:])["message"]

    def send(self, message):
        self.write(TextMessage("42" + json.dumps([message.pop("t"), message])))
