"""The asynchronous client of the library websockets, for tests that block.

The library's own blocking client reads and writes a TLS connection on two threads at once, which OpenSSL forbids: it loses a
connection now and then. Here one thread drives all.
"""

import asyncio
import ssl
import threading

from websockets.asyncio.client import connect

LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, daemon=True).start()


def done(work, timeout=60):
    """What the work on the thread of all connections returns or raises."""

    async def bounded():
        async with asyncio.timeout(timeout):
            return await work

    return asyncio.run_coroutine_threadsafe(bounded(), LOOP).result()


class Dialed:
    """An open WebSocket."""

    def __init__(self, connection):
        self.connection = connection
        self.response, self.subprotocol = connection.response, connection.subprotocol

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def close_code(self):
        return self.connection.close_code

    def send(self, message):
        done(self.connection.send(message))

    def recv(self, timeout=60):
        return done(self.connection.recv(), timeout)

    def ping(self, payload):
        """Returns once the pong is there."""

        async def answered():
            await (await self.connection.ping(payload))

        done(answered())

    def close(self, code=1000, reason=""):
        done(self.connection.close(code, reason))


def dial(server, path="/ws", **options):
    context = None
    if server.is_secure:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    async def opened():
        url = server.url.replace("http", "ws", 1) + path
        return await connect(url, ssl=context, max_size=None, proxy=None, **options)

    return Dialed(done(opened()))
