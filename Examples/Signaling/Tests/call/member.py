"""A session that goes from transport to transport, and from one service to another, by its ticket."""

import itertools
from functools import cached_property

import httpx

from tunnel import SocketIO, Tunnel, Upgraded, tls

NOBODY = tls("h2", "http/1.1")

DUPLEX = {"websocket-h1": Upgraded, "websocket-h2": Tunnel.websocket, "stream": Tunnel.lines}
EVENTS = {"sse": "text/event-stream", "ndjson": "application/x-ndjson"}
KINDS = [*DUPLEX, "socketio", *EVENTS, "poll"]


class Member:
    """`heard` has its events in their order; that none comes twice or is left out is checked as they come."""

    def __init__(self, kind: str, url: str):
        self.hello, self.seq, self.heard, self.looked = {}, 0, [], 0
        self.ids = itertools.count()
        self.open(kind, url)

    def open(self, kind: str, url: str):
        """Begins, or comes back with its ticket: `resumed` says what became of it."""
        self.kind, self.url, self.stream = kind, url, None
        self.__dict__.pop("http", None)
        ticket, last = self.hello.get("resume"), f"{self.hello.get('epoch')}.{self.seq}"
        epoch = self.hello.get("epoch")
        if kind in DUPLEX:
            self.stream = DUPLEX[kind](url=url)
            self.stream.send({"t": "resume", "ticket": ticket, "last": last} if ticket else {"t": "hello"})
        elif kind == "socketio":
            self.stream = SocketIO({"resume": ticket, "last": last} if ticket else {}, url=url)
        else:
            answer = self.http.post("/v1/sessions", json={"resume": ticket, "last": last} if ticket else {})
            assert answer.status_code in (200, 201), answer.text
            self.hello = answer.json()
            if kind in EVENTS:
                session = self.hello | ({"last": last} if self.hello["epoch"] == epoch else {})
                self.stream = Tunnel.events(session, EVENTS[kind], url=url)
                if ticket:
                    assert self.stream.head["signal-resumed"] == self.resumed
        if kind in DUPLEX or kind == "socketio":
            self.hello = self.stream.until("resumed" if ticket else "welcome")
        if self.hello["epoch"] != epoch:
            self.seq = 0

    @cached_property
    def http(self) -> httpx.Client:
        return httpx.Client(http2=True, verify=NOBODY, base_url=self.url, timeout=20)

    @property
    def sid(self) -> str:
        return self.hello["sid"]

    @property
    def resumed(self) -> str:
        return self.hello["resumed"]

    @property
    def path(self) -> str:
        return f"/v1/sessions/{self.sid}"

    @property
    def auth(self) -> dict:
        return {"authorization": f"Bearer {self.hello['token']}"}

    def close(self):
        if self.stream:
            self.stream.leave()
        if "http" in self.__dict__:
            self.http.close()

    def send(self, message: dict):
        """By its stream, if that carries messages, else by POST. It must be accepted."""
        message = {"id": f"{self.sid}-{next(self.ids)}-{self.hello['epoch']}", **message}
        if self.kind in DUPLEX:
            self.stream.send(message)
            self.stream.until("ack", id=message["id"])
            return
        answer = self.http.post(f"{self.path}/messages", json=message, headers=self.auth)
        assert answer.json()["results"][0].get("ok") is True, answer.text

    def hear(self, t: str, **wanted) -> dict:
        """The next event of this type."""
        while True:
            while self.looked < len(self.heard):
                self.looked += 1
                event = self.heard[self.looked - 1]
                if event["t"] == t and all(event.get(key) == value for key, value in wanted.items()):
                    return event
            self.take()

    def take(self):
        if self.kind == "poll":
            headers = self.auth | {"accept": "application/json"}
            since = f"{self.hello['epoch']}.{self.seq}"
            try:
                answer = self.http.get(f"{self.path}/events?since={since}&wait=5", headers=headers)
            except httpx.TransportError:
                # The connection was told for it.
                answer = None
            if answer is None or answer.status_code == 503:
                # It was not told, as it was between two polls.
                self.heard.append({"t": "goaway"})
                return
            messages = answer.json()["events"]
        else:
            while not self.stream.messages:
                self.stream.read()
            messages, self.stream.messages = self.stream.messages, []
        for message in messages:
            if "seq" in message:
                assert message["seq"] == self.seq + 1, f"{self.kind}: {message} after {self.seq}"
                self.seq = message["seq"]
                self.heard.append(message)
