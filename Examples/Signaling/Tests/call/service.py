"""A client of the service for tests: HTTP/2 by httpx, server-sent events by streaming."""

import asyncio
import itertools
import json
import os
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import wraps

import httpx

URL = os.environ.get("SIGNALING_URL", "https://localhost:8443").rstrip("/")


def open_http() -> httpx.AsyncClient:
    """A client with its own HTTP/2 connection, so that the kernel may put it on another loop of the service."""
    # The development certificate is signed by nobody.
    return httpx.AsyncClient(http2=True, verify=False, base_url=URL, timeout=httpx.Timeout(10, read=60))


def code_of(response: httpx.Response, status: int) -> str:
    """The `code` of an error, after checking that it is a whole problem document (RFC 9457)."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].split(";")[0] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert isinstance(body["title"], str) and body["title"]
    assert isinstance(body["type"], str)
    return body["code"]


@dataclass
class Event:
    """One server-sent event."""

    id: str
    message: dict

    @property
    def epoch(self) -> int:
        return int(self.id.split(".")[0])

    @property
    def seq(self) -> int:
        return int(self.id.split(".")[1])


@dataclass
class Session:
    """One session. `events` fills while a stream is open; `wait` looks through it."""

    http: httpx.AsyncClient
    hello: dict
    events: list[Event] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    ids: itertools.count = field(default_factory=lambda: itertools.count(1))

    @classmethod
    async def create(cls, http: httpx.AsyncClient) -> "Session":
        response = await http.post("/v1/sessions", json={"client": {"name": "test"}})
        assert response.status_code == 201, response.text
        assert response.http_version == "HTTP/2"
        return cls(http, response.json())

    @property
    def sid(self) -> str:
        return self.hello["sid"]

    @property
    def loop(self) -> str:
        """The part of the sid that names its loop."""
        return self.sid.split("-")[0]

    @property
    def path(self) -> str:
        return f"/v1/sessions/{self.sid}"

    @property
    def auth(self) -> dict:
        return {"authorization": f"Bearer {self.hello['token']}"}

    def after(self, seq: int) -> str:
        """The id of an event."""
        return f"{self.hello['epoch']}.{seq}"

    async def post(self, body, **extra) -> httpx.Response:
        return await self.http.post(f"{self.path}/messages", json=body, headers=self.auth, **extra)

    async def send(self, *messages: dict) -> list[dict]:
        """Sends messages in one batch, gives each an id, and returns the results in their order."""
        batch = [{"id": f"m{next(self.ids)}", **message} for message in messages]
        response = await self.post(batch)
        assert response.status_code == 202, response.text
        results = {result["id"]: result for result in response.json()["results"]}
        return [results[message["id"]] for message in batch]

    async def accept(self, *messages: dict) -> None:
        """Sends messages that must all be accepted."""
        for result in await self.send(*messages):
            assert result.get("ok") is True, result

    async def refuse(self, message: dict) -> str:
        """Sends a message that must be refused, and returns the code."""
        [result] = await self.send(message)
        assert "ok" not in result and isinstance(result["error"]["detail"], str), result
        return result["error"]["code"]

    async def join(self, room: str, **meta) -> list[dict]:
        await self.accept({"t": "join", "room": room, "body": meta})
        joined = await self.wait("joined", room=room)
        return [member for member in joined.message["members"] if member["peer"] != self.sid]

    async def bye(self) -> httpx.Response:
        return await self.http.delete(self.path, headers=self.auth)

    async def wait(self, t: str, timeout: float = 10, **wanted) -> Event:
        """The first event of type `t`, and with the fields of `wanted`, that was not handed out before."""

        def take():
            for index, event in enumerate(self.events):
                message = event.message
                if message["t"] == t and all(message.get(key) == value for key, value in wanted.items()):
                    return self.events.pop(index)
            return None

        deadline = time.monotonic() + timeout
        async with self.arrived:
            while (event := take()) is None:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"no {t} {wanted}; there were {[e.message['t'] for e in self.events]}")
                try:
                    await asyncio.wait_for(self.arrived.wait(), left)
                except asyncio.TimeoutError:
                    continue
            return event

    @asynccontextmanager
    async def stream(self, last: str | None = None):
        """Reads events while the block runs. Yields an object with `response`, `comments` and `ended`.

        On a connection of its own: two idle streams on one would keep each other, and every request beside them, from
        reading in httpcore, whose readers wait in line for one lock.
        """
        headers = {**self.auth, "accept": "text/event-stream"}
        if last is not None:
            headers["last-event-id"] = last
        events = f"{self.path}/events"
        async with open_http() as http, http.stream("GET", events, headers=headers) as response:
            assert response.status_code == 200, await response.aread()
            assert response.http_version == "HTTP/2"
            reader = Reader(response, self)
            task = asyncio.create_task(reader.run())
            try:
                yield reader
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


class Reader:
    """Takes a stream of events apart (HTML standard, section 9.2)."""

    def __init__(self, response: httpx.Response, session: Session):
        self.response = response
        self.session = session
        self.comments: list[str] = []
        self.ended = asyncio.Event()

    @property
    def resumed(self) -> str:
        return self.response.headers["signal-resumed"]

    async def lines(self):
        """The stream's lines. Not httpx's: those end at U+2028 too, which is a character like any other in an event."""
        rest = b""
        async for chunk in self.response.aiter_raw():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield line.decode()

    async def run(self):
        id, data = "", []
        try:
            async for line in self.lines():
                if line.startswith(":"):
                    self.comments.append(line[1:].strip())
                elif line.startswith("id: "):
                    id = line[4:]
                elif line.startswith("data: "):
                    data.append(line[6:])
                elif line == "" and data:
                    message, data = json.loads("\n".join(data)), []
                    async with self.session.arrived:
                        self.session.events.append(Event(id, message))
                        self.session.arrived.notify_all()
        except httpx.HTTPError:
            pass
        finally:
            self.ended.set()


async def sessions_on_two_loops(http: httpx.AsyncClient, stack) -> tuple[Session, Session]:
    """Two sessions that live on different loops. Connections are opened until the service used a second loop."""
    first = await Session.create(http)
    for _ in range(64):
        other = await Session.create(await stack.enter_async_context(open_http()))
        if other.loop != first.loop:
            return first, other
        await other.bye()
    raise AssertionError(f"64 connections, and all of them on loop {first.loop}: start the service with --threads 2")


def run(test):
    """Runs an async test in a loop of its own."""

    @wraps(test)
    def wrapped(*arguments, **named):
        asyncio.run(test(*arguments, **named))

    return wrapped


@asynccontextmanager
async def one_session():
    async with open_http() as http:
        session = await Session.create(http)
        try:
            yield session
        finally:
            await session.bye()


@asynccontextmanager
async def two_peers(room):
    """Two sessions, each on a connection of its own, both in `room`, both with a stream."""
    async with open_http() as http_a, open_http() as http_b:
        a, b = await Session.create(http_a), await Session.create(http_b)
        async with a.stream(), b.stream():
            await a.join(room, name="Ada")
            await b.join(room, name="Bob")
            await a.wait("peer_joined", peer=b.sid)
            yield a, b
            await a.bye()
            await b.bye()


def offer(peer, room, **extra):
    return {"t": "offer", "to": {"peer": peer}, "room": room, "call": "k", "neg": 1, "body": {"sdp": "v=0"}, **extra}
