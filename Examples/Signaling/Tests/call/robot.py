"""A peer without a browser, which answers whoever calls: aiortc for the media, the service for the rest."""

import asyncio
import threading

import httpx
from aiortc import RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from aiortc.sdp import candidate_from_sdp
from av import VideoFrame

from member import KINDS, Member
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
            await self.session.accept(await self._answer_to((await self.session.wait("offer", timeout=1000)).message))

    async def _trickle(self):
        while True:
            await self._add((await self.session.wait("candidates", timeout=1000)).message)

    async def _answer_to(self, offer: dict) -> dict:
        peer = offer["from"]["peer"]
        connection = self.connections.get(peer) or self._connect(peer)
        await connection.setRemoteDescription(RTCSessionDescription(offer["body"]["sdp"], "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        about = {key: offer[key] for key in ("room", "call", "neg")}
        return {"t": "answer", "to": {"peer": peer}, **about, "body": {"sdp": connection.localDescription.sdp}}

    async def _add(self, message: dict):
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


class RoamingRobot(Robot):
    """The same, with a session that takes the next transport whenever a connection breaks. Nothing may be missing then."""

    LOST = (OSError, httpx.TransportError)

    def __init__(self, room: str, url: str):
        super().__init__(room)
        self.url = url
        # What carried the session, how many offers it answered, and the calls that others hung up.
        self.kinds: list[str] = []
        self.answered, self.hung_up = 0, []
        self._looked = 0
        self._isOver = False

    async def _live(self):
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self.member = await asyncio.to_thread(Member, KINDS[0], self.url)
        self.kinds.append(KINDS[0])
        self.sid = self.member.sid
        await self._send({"t": "join", "room": self.room, "body": {"name": "Robot"}, "id": "join"})
        self._entered.set()
        try:
            while True:
                await self._see_to(await self._next())
        finally:
            self._isOver = True
            self.member.close()
            for connection in self.connections.values():
                await connection.close()

    async def _see_to(self, event: dict):
        if event["t"] == "offer":
            answer = await self._answer_to(event)
            self.answered += 1
            await self._send(answer | {"id": f"answer-{self.answered}"})
        elif event["t"] == "candidates":
            await self._add(event)
        elif event["t"] == "hangup":
            self.hung_up.append(event["call"])
        elif event["t"] == "goaway":
            # A poll could not be made.
            await self._come_back()

    async def _next(self) -> dict:
        while self._looked == len(self.member.heard):
            await self._despite_cuts(self.member.take)
        self._looked += 1
        return self.member.heard[self._looked - 1]

    async def _send(self, message: dict):
        """It has an id: sent again, it has no effect when it had one."""
        await self._despite_cuts(self.member.send, message)

    async def _despite_cuts(self, work, *arguments):
        while True:
            try:
                return await asyncio.to_thread(work, *arguments)
            except self.LOST:
                if self._isOver:
                    raise
                await self._come_back()

    async def _come_back(self):
        kind = KINDS[len(self.kinds) % len(KINDS)]
        while True:
            self.member.close()
            try:
                await asyncio.to_thread(self.member.open, kind, self.url)
            except self.LOST:
                await asyncio.sleep(0.05)
                continue
            assert self.member.resumed == "yes", f"{kind} has lost something"
            return self.kinds.append(kind)
