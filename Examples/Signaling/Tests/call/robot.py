"""A peer without a browser, which answers whoever calls: aiortc for the media, the service for the rest."""

import asyncio
import threading

from aiortc import RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from aiortc.sdp import candidate_from_sdp
from av import VideoFrame

from service import Session, open_http


class Picture(VideoStreamTrack):
    async def recv(self) -> VideoFrame:
        timestamp, base = await self.next_timestamp()
        frame = VideoFrame(160, 120, "yuv420p")
        for plane, value in zip(frame.planes, (150, 90, 160)):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.pts, frame.time_base = timestamp, base
        return frame


class Robot:
    """In a thread of its own, as Playwright has the test's. `frames` counts the pictures that came, by party id."""

    def __init__(self, room: str):
        self.room = room
        self.frames: dict[str, int] = {}
        self.connections: dict[str, RTCPeerConnection] = {}
        self.sid = ""
        self.problem: BaseException | None = None
        self._entered = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        assert self._entered.wait(20) and not self.problem, self.problem
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(20)
        if self.problem:
            raise self.problem

    def _run(self):
        try:
            asyncio.run(self._live())
        except asyncio.CancelledError:
            pass
        except BaseException as problem:  # For the thread that waits.
            self.problem = problem
            self._entered.set()

    async def _live(self):
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        async with open_http() as http:
            self.session = await Session.create(http)
            self.sid = self.session.sid
            async with self.session.stream():
                await self.session.join(self.room, name="Robot")
                self._entered.set()
                try:
                    await asyncio.gather(self._answer(), self._trickle())
                finally:
                    for connection in self.connections.values():
                        await connection.close()
                    await self.session.bye()

    async def _answer(self):
        while True:
            offer = (await self.session.wait("offer", timeout=1000)).message
            peer = offer["from"]["peer"]
            connection = self.connections.get(peer) or self._connect(peer)
            await connection.setRemoteDescription(RTCSessionDescription(offer["body"]["sdp"], "offer"))
            await connection.setLocalDescription(await connection.createAnswer())
            about = {key: offer[key] for key in ("room", "call", "neg")}
            body = {"sdp": connection.localDescription.sdp}
            await self.session.accept({"t": "answer", "to": {"peer": peer}, **about, "body": body})

    async def _trickle(self):
        while True:
            message = (await self.session.wait("candidates", timeout=1000)).message
            connection = self.connections[message["from"]["peer"]]
            for found in message["body"]["candidates"]:
                candidate = candidate_from_sdp(found["candidate"].removeprefix("candidate:"))
                candidate.sdpMid, candidate.sdpMLineIndex = found["sdpMid"], found["sdpMLineIndex"]
                await connection.addIceCandidate(candidate)

    def _connect(self, peer: str) -> RTCPeerConnection:
        connection = self.connections[peer] = RTCPeerConnection()
        connection.addTrack(Picture())

        @connection.on("track")
        def on_track(track):
            if track.kind == "video":
                asyncio.ensure_future(self._count(peer, track))

        return connection

    async def _count(self, peer: str, track):
        while True:
            await track.recv()
            self.frames[peer] = self.frames.get(peer, 0) + 1
