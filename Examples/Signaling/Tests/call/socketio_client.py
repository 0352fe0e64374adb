"""python-socketio's asynchronous client, for tests that block.

Its own blocking client reads and writes one TLS connection on two threads at once, which OpenSSL forbids: it loses a connection now
and then. Here one thread drives all.
"""

import asyncio
import threading

import socketio

LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, daemon=True).start()


def done(work, timeout: float = 60):
    """What the work on the thread of all clients returns or raises."""
    return asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, timeout), LOOP).result()


class SocketIOClient:
    """A client that keeps what it hears, `connect_error` and `disconnect` among it, each as `[event, *data]`."""

    def __init__(self, url: str, transports=None, auth=None, namespace: str = "/", headers=None):
        self.namespace = namespace
        self.heard: list[list] = []
        self.arrived = threading.Condition()
        self.ended = threading.Event()
        self.io = done(self._made())
        for event in ("*", "connect_error", "disconnect"):
            self.io.on(event, self._taker(event), namespace=namespace)
        self.io.on("question", lambda data: ["to", data], namespace=namespace)
        done(self.io.connect(url, headers=headers or {}, transports=transports, namespaces=[namespace], auth=auth, wait=False))

    async def _made(self):
        return socketio.AsyncClient(ssl_verify=False, reconnection=False)

    def _taker(self, name: str):
        def take(*data):
            with self.arrived:
                self.heard.append(list(data) if name == "*" else [name, *data])
                self.arrived.notify_all()
            if name == "disconnect":
                self.ended.set()

        return take

    def hear(self, event: str | None = None) -> list:
        """The first, of that name if one is given, that was not handed out before."""
        with self.arrived:
            find = lambda: next((each for each in self.heard if event in (None, each[0])), None)
            assert self.arrived.wait_for(find, 20), f"no {event or 'event'}, but {self.heard}"
            found = find()
            self.heard.remove(found)
            return found

    def emit(self, event: str, data=None):
        done(self.io.emit(event, data, namespace=self.namespace))

    def ask(self, event: str, data=None):
        """What the server acknowledges with."""
        return done(self.io.call(event, data, namespace=self.namespace, timeout=20))

    def close(self):
        # The other end may keep a long poll until its next ping.
        done(self.io.disconnect(), 90)

    def abort(self):
        """Closes the connection without a word of Socket.IO's."""
        done(self.io.eio.disconnect(abort=True))

    @property
    def transport(self) -> str:
        return self.io.transport()

    @property
    def engine_sid(self) -> str:
        return self.io.eio.sid
