"""The call that two pages make, between two programs: aiortc for the media, the service for the rest."""

import asyncio
import re
from contextlib import asynccontextmanager

from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription, VideoStreamTrack
from av import VideoFrame

from service import Session, open_http

CALL = "k1"
CANDIDATE = re.compile(r"^a=(candidate:.*)$", re.MULTILINE)


class PaintedTrack(VideoStreamTrack):
    """A picture of one grey, so that the other side can tell whose it is."""

    def __init__(self, grey: int):
        super().__init__()
        self.grey = grey

    async def recv(self) -> VideoFrame:
        timestamp, base = await self.next_timestamp()
        frame = VideoFrame(160, 120, "yuv420p")
        for plane, value in zip(frame.planes, (self.grey, 128, 128)):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.pts, frame.time_base = timestamp, base
        return frame


class Party:
    """One side of the call."""

    def __init__(self, session: Session, room: str, grey: int):
        self.session = session
        self.room = room
        self.connection = RTCPeerConnection()
        self.connection.addTrack(PaintedTrack(grey))
        self.connected = asyncio.Event()
        self.track: asyncio.Future[MediaStreamTrack] = asyncio.get_running_loop().create_future()
        self.lines: asyncio.Queue[str] = asyncio.Queue()
        self.connection.on("track", self.track.set_result)
        self.connection.on("datachannel", self.listen)
        self.connection.on("connectionstatechange", self.changed)

    def changed(self):
        if self.connection.connectionState == "connected":
            self.connected.set()

    def listen(self, channel):
        self.channel = channel
        channel.on("message", self.lines.put_nowait)

    async def say(self, peer: str, t: str, **fields):
        await self.session.accept({"t": t, "to": {"peer": peer}, "room": self.room, "call": CALL, **fields})

    async def describe(self, peer: str, neg: int):
        """Sends the local description, then its candidates apart, as a browser that trickles does."""
        description = self.connection.localDescription
        await self.say(peer, description.type, neg=neg, body={"sdp": description.sdp})
        ufrag = re.search(r"^a=ice-ufrag:(\S+)", description.sdp, re.MULTILINE).group(1)
        lines = [line.strip() for line in CANDIDATE.findall(description.sdp)]
        found = [{"candidate": line, "sdpMid": "0", "sdpMLineIndex": 0} for line in lines]
        assert found, "aiortc found no candidate"
        await self.say(peer, "candidates", neg=neg, body={"candidates": found, "ufrag": ufrag, "end": True})

    async def understand(self, t: str, peer: str, neg: int):
        """Takes the other side's description, and checks that its candidates follow it."""
        event = await self.session.wait(t, call=CALL, neg=neg)
        assert event.message["from"]["peer"] == peer
        await self.connection.setRemoteDescription(RTCSessionDescription(event.message["body"]["sdp"], t))
        candidates = await self.session.wait("candidates", call=CALL, neg=neg)
        assert candidates.seq == event.seq + 1, "candidates follow their description"
        assert candidates.message["body"]["ufrag"] in event.message["body"]["sdp"]
        assert candidates.message["body"]["end"] is True

    async def sees(self, grey: int):
        """Waits for ten frames, the last of which is the other side's."""
        track = await asyncio.wait_for(self.track, 10)
        for _ in range(10):
            frame = await asyncio.wait_for(track.recv(), 10)
        assert abs(bytes(frame.planes[0])[frame.width // 2] - grey) < 12


@asynccontextmanager
async def party(room: str, name: str, grey: int):
    async with open_http() as http:
        session = await Session.create(http)
        async with session.stream():
            await session.join(room, name=name)
            side = Party(session, room, grey)
            try:
                yield side
            finally:
                await side.connection.close()
                await session.bye()


def test_two_programs_call_each_other_and_hang_up(room):
    asyncio.run(make_call(room))


async def make_call(room: str):
    async with party(room, "Ada", grey=64) as ada, party(room, "Bob", grey=192) as bob:
        await ada.session.wait("peer_joined", peer=bob.session.sid)

        await ada.say(bob.session.sid, "invite", body={"lifetime": 30000})
        invite = await bob.session.wait("invite", call=CALL)
        caller = invite.message["from"]["peer"]
        assert caller == ada.session.sid

        # Who accepts makes the offer.
        bob.listen(bob.connection.createDataChannel("chat"))
        await bob.connection.setLocalDescription(await bob.connection.createOffer())
        await bob.describe(caller, neg=1)
        await ada.understand("offer", bob.session.sid, neg=1)
        await ada.connection.setLocalDescription(await ada.connection.createAnswer())
        await ada.describe(bob.session.sid, neg=1)
        await bob.understand("answer", caller, neg=1)

        await asyncio.wait_for(asyncio.gather(ada.connected.wait(), bob.connected.wait()), 20)
        await asyncio.gather(ada.sees(192), bob.sees(64))
        bob.channel.send("the sun is up")
        assert await asyncio.wait_for(ada.lines.get(), 10) == "the sun is up"
        ada.channel.send("seen")
        assert await asyncio.wait_for(bob.lines.get(), 10) == "seen"

        await ada.say(bob.session.sid, "hangup", body={"reason": "hangup"})
        ended = await bob.session.wait("hangup", call=CALL)
        assert ended.message["from"]["peer"] == ada.session.sid
        assert ended.message["body"] == {"reason": "hangup"}
        await ada.session.accept({"t": "leave", "room": room})
        left = await bob.session.wait("peer_left", peer=ada.session.sid)
        assert left.message["reason"] == "left"
