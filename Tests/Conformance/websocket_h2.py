"""A WebSocket over HTTP/2 (RFC 8441) of the libraries h2 and wsproto."""

import h2.events
import h2.settings
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Message, Ping, Pong, TextMessage
from wsproto.extensions import PerMessageDeflate

from showcase import Peer


class WebSocketStream:
    """One WebSocket on a stream of an HTTP/2 connection."""

    def __init__(self, port, path="/ws", fields=(), deflate=False, peer=None):
        self.peer = peer or Peer(port)
        if peer is None:
            self.peer.until(h2.events.RemoteSettingsChanged)
        offer = [PerMessageDeflate()] if deflate else []
        extra = [("sec-websocket-extensions", f"permessage-deflate; {offer[0].offer()}")] if deflate else []
        http = self.peer.http
        self.stream = http.get_next_available_stream_id()
        http.send_headers(self.stream, [
            (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":authority", "localhost"),
            (":path", path), ("sec-websocket-version", "13"), *extra, *fields])
        self.peer.flush()
        self.offer, self.frames, self.fields = offer, None, {}
        self.ended, self.reset = False, None
        self.waiting = []
        while not self.fields:
            self.read()
        self.status = int(self.fields[":status"])

    def answered(self, fields):
        self.fields = fields
        if self.offer and "sec-websocket-extensions" in fields:
            self.offer[0].finalize(fields["sec-websocket-extensions"])
        self.frames = Connection(ConnectionType.CLIENT, extensions=self.offer)

    def send(self, event):
        self.send_bytes(self.frames.send(event))

    def send_bytes(self, data):
        while data:
            room = min(self.peer.http.local_flow_control_window(self.stream), 16384)
            if room == 0:
                self.read()
                continue
            self.peer.http.send_data(self.stream, data[:room])
            self.peer.flush()
            data = data[room:]

    def read(self):
        """Takes what comes next."""
        for event in self.peer.events():
            if getattr(event, "stream_id", None) != self.stream:
                continue
            if isinstance(event, h2.events.ResponseReceived):
                self.answered(dict(event.headers))
            elif isinstance(event, h2.events.DataReceived):
                self.peer.http.acknowledge_received_data(event.flow_controlled_length, self.stream)
                # The last frame of a stream may be empty, which to wsproto would be the end before the close.
                if event.data:
                    self.frames.receive_data(event.data)
                self.waiting += self.frames.events()
            elif isinstance(event, h2.events.StreamEnded):
                self.ended = True
            elif isinstance(event, h2.events.StreamReset):
                self.reset = event.error_code
        self.peer.flush()

    def next(self):
        """The next event of the WebSocket; messages are put together. None at the end of the stream."""
        text, data = "", b""
        while True:
            while self.waiting:
                event = self.waiting.pop(0)
                if not isinstance(event, Message):
                    return event
                if isinstance(event, TextMessage):
                    text += event.data
                else:
                    data += event.data
                if event.message_finished:
                    return text if isinstance(event, TextMessage) else data
            if self.ended or self.reset is not None:
                return None
            self.read()

    def close(self):
        self.peer.close()


__all__ = ["BytesMessage", "CloseConnection", "Ping", "Pong", "TextMessage", "WebSocketStream"]
