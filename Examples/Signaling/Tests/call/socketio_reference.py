"""The events of the program socketio-echo on python-socketio's own server: `python socketio_reference.py`. Prints its URL."""

import asyncio

import socketio
from aiohttp import web

sio = socketio.AsyncServer(async_mode="aiohttp", namespaces=["/", "/custom"])


def serve(namespace):
    on = lambda event: sio.on(event, namespace=namespace)
    acks = {}

    @on("connect")
    async def connect(sid, environ, auth):
        if auth and "refuse" in auth:
            raise socketio.exceptions.ConnectionRefusedError(auth["refuse"], {"code": 7})
        await sio.emit("auth", auth or {}, to=sid, namespace=namespace)

    @on("message")
    async def message(sid, *data):
        await sio.emit("message-back", data, to=sid, namespace=namespace)

    @on("message-with-ack")
    async def message_with_ack(sid, *data):
        return data

    @on("ask-me")
    async def ask_me(sid, data):
        answer = await sio.call("question", data, to=sid, namespace=namespace, timeout=5)
        return "answered", answer

    @on("join")
    async def join(sid, room):
        await sio.enter_room(sid, room, namespace=namespace)
        return True

    @on("leave")
    async def leave(sid, room):
        await sio.leave_room(sid, room, namespace=namespace)
        return ()

    @on("say")
    async def say(sid, room, data):
        await sio.emit("said", data, room=room, skip_sid=sid, namespace=namespace)
        return ()

    @on("shout")
    async def shout(sid, data):
        await sio.emit("shouted", data, skip_sid=sid, namespace=namespace)

    @on("go")
    async def go(sid):
        await sio.disconnect(sid, namespace=namespace)


async def main():
    application = web.Application()
    sio.attach(application)
    for namespace in ("/", "/custom"):
        serve(namespace)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "localhost", 0)
    await site.start()
    print(f"http://localhost:{site._server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
