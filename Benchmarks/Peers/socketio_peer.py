"""python-socketio on aiohttp: passes the argument of an event `relay` on to the socket that its field `to` names.

    socketio_peer.py PORT CERTIFICATE KEY
"""
import ssl
import sys

import socketio
from aiohttp import web

server = socketio.AsyncServer(async_mode="aiohttp", cors_allowed_origins="*")


@server.on("relay")
async def relay(sid, data):
    await server.emit("relay", data, to=data["to"])


def main():
    port, certificate, key = sys.argv[1:]
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    application = web.Application()
    server.attach(application)
    web.run_app(application, host="127.0.0.1", port=int(port), ssl_context=context, backlog=4096, print=None)


main()
