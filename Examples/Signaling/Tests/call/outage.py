"""What goes wrong between a client and the service: connections that are cut, a service that is killed."""

import asyncio
import os
import pathlib
import re
import socket
import subprocess
import threading
from contextlib import contextmanager
from urllib.parse import urlsplit

PROGRAM = os.environ.get("SIGNALING_PROGRAM", pathlib.Path(__file__).parents[2] / ".build/release/signaling")


class Proxy:
    """Carries bytes to the service, until it is cut."""

    def __init__(self, url: str):
        self.target = urlsplit(url)
        self.isCut = False
        self.writers: set[asyncio.StreamWriter] = set()
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        server = self._call(asyncio.start_server(self._accept, "localhost", 0))
        self.url = f"https://localhost:{server.sockets[0].getsockname()[1]}"

    def cut(self):
        """Resets all connections, and every one that comes."""
        self.isCut = True
        self._call(self._reset())

    def restore(self):
        self.isCut = False

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    async def _reset(self):
        for writer in list(self.writers):
            writer.transport.abort()

    async def _accept(self, reader, writer):
        if self.isCut:
            return writer.transport.abort()
        there, back = await asyncio.open_connection(self.target.hostname, self.target.port)
        pair = {writer, back}
        self.writers |= pair
        await asyncio.gather(self._carry(reader, back), self._carry(there, writer))
        self.writers -= pair

    async def _carry(self, reader, writer):
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()


@contextmanager
def connections_to(url: str):
    proxy = Proxy(url)
    yield proxy
    proxy.restore()
    proxy._call(proxy._reset())
    proxy.loop.call_soon_threadsafe(proxy.loop.stop)


class OwnService:
    """A service to kill, always on one port."""

    def __init__(self, *options: str):
        with socket.create_server(("localhost", 0)) as free:
            self.port = free.getsockname()[1]
        self.options = options
        self.url = f"https://localhost:{self.port}"

    def start(self):
        command = [PROGRAM, "--port", str(self.port), "--threads", "2", *self.options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        assert re.search(rf"https://\S+:{self.port}/", line), line

    def kill(self):
        self.process.kill()
        self.process.wait(10)


@contextmanager
def own_service(*options: str):
    service = OwnService(*options)
    service.start()
    yield service
    service.kill()
