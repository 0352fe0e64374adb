"""Python's `websockets`: `/ws` sends each message back, `/feed` passes it on to all.

    websockets_peer.py PORT CERTIFICATE KEY
"""
import asyncio
import ssl
import sys

from websockets.asyncio.server import broadcast, serve
from websockets.exceptions import ConnectionClosed

readers = set()


async def handle(connection):
    try:
        if connection.request.path == "/feed":
            readers.add(connection)
            async for message in connection:
                broadcast(readers, message)
        else:
            async for message in connection:
                await connection.send(message)
    except ConnectionClosed:
        pass
    finally:
        readers.discard(connection)


async def main():
    port, certificate, key = sys.argv[1:]
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    async with serve(handle, "127.0.0.1", int(port), ssl=context, compression=None, ping_interval=None, backlog=4096):
        await asyncio.get_running_loop().create_future()


asyncio.run(main())
