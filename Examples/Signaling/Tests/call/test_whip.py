"""WHIP and WHEP: an offer by HTTP, answered by a peer of the room, a browser's page or a program."""

import asyncio
import re
from contextlib import asynccontextmanager

import httpx
import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from playwright.async_api import async_playwright

from service import URL, Session, code_of, open_http, run
from test_aiortc_call import PaintedTrack

FRAGMENT = "application/trickle-ice-sdpfrag"
AUTH = {"authorization": "Bearer of-the-publisher"}
CANDIDATE = "candidate:1 1 udp 2122260223 127.0.0.1 9 typ host"

# Answers every offer of a room with the picture that it gets, by the service's protocol alone.
ANSWERING_PAGE = """
async ({ room }) => {
  const json = { "content-type": "application/json" };
  const session = await (await fetch("/v1/sessions", { method: "POST", headers: json, body: "{}" })).json();
  const headers = { authorization: `Bearer ${session.token}` };
  const path = `/v1/sessions/${session.sid}`;
  let chain = Promise.resolve();
  const send = (message) => (chain = chain.then(() => fetch(`${path}/messages`,
    { method: "POST", headers: { ...json, ...headers }, body: JSON.stringify(message) })));
  const stream = await fetch(`${path}/events`, { headers: { ...headers, accept: "text/event-stream" } });
  const peer = (window.peer = new RTCPeerConnection());
  window.frames = 0;
  window.candidates = 0;
  const video = document.createElement("video");
  video.muted = true;
  document.body.append(video);
  peer.ontrack = async ({ track }) => {
    video.srcObject = new MediaStream([track]);
    const count = () => { window.frames += 1; video.requestVideoFrameCallback(count); };
    video.requestVideoFrameCallback(count);
    await video.play();
  };
  const take = async (message) => {
    if (message.t === "hangup") window.hungUp = true;
    if (message.t === "candidates") {
      for (const candidate of message.body.candidates) {
        window.candidates += 1;
        await peer.addIceCandidate(candidate);
      }
    }
    if (message.t !== "offer") return;
    const reply = { to: { peer: message.from.peer }, room, call: message.call, neg: message.neg };
    peer.onicecandidate = ({ candidate }) => send({ t: "candidates", ...reply,
      body: { candidates: candidate ? [candidate] : [], end: !candidate } });
    await peer.setRemoteDescription({ type: "offer", sdp: message.body.sdp });
    await peer.setLocalDescription(await peer.createAnswer());
    await send({ t: "answer", ...reply, body: { sdp: peer.localDescription.sdp } });
  };
  (async () => {
    const reader = stream.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\\n");
      rest = lines.pop();
      for (const line of lines) if (line.startsWith("data: ")) await take(JSON.parse(line.slice(6)));
    }
  })();
  await send({ t: "join", room, body: { name: "page", answers: true } });
}
"""


@asynccontextmanager
async def answering_page(room: str):
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            # A page without a camera hides its addresses behind names that aiortc cannot resolve here.
            args=["--no-sandbox", "--disable-features=WebRtcHideLocalIpsWithMdns", "--autoplay-policy=no-user-gesture-required"],
        )
        try:
            page = await (await browser.new_context(ignore_https_errors=True, bypass_csp=True)).new_page()
            await page.goto(f"{URL}/")
            await page.evaluate(ANSWERING_PAGE, {"room": room})
            yield page
        finally:
            await browser.close()


class Answerer:
    """A program in the room, which answers by hand."""

    def __init__(self, session: Session, room: str):
        self.session = session
        self.room = room

    async def offer(self) -> dict:
        return (await self.session.wait("offer")).message

    async def say(self, offer: dict, t: str, body: dict):
        to = {"peer": offer["from"]["peer"]}
        message = {"t": t, "to": to, "room": self.room, "call": offer["call"], "neg": offer["neg"], "body": body}
        await self.session.accept(message)

    async def answer(self, offer: dict, ufrag: str = "bbbb"):
        await self.say(offer, "answer", {"sdp": sdp(ufrag, "active") + "a=end-of-candidates\r\n"})


def sdp(ufrag: str = "aaaa", setup: str = "actpass") -> str:
    """A description that nobody means to connect by."""
    return (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"
        f"c=IN IP4 0.0.0.0\r\na=mid:0\r\na=setup:{setup}\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:{'p' * 22}\r\n"
    )


def fragment(ufrag: str = "aaaa", candidate: str = CANDIDATE) -> str:
    return f"a=ice-ufrag:{ufrag}\r\na=ice-pwd:{'q' * 22}\r\nm=video 9 RTP/AVP 0\r\na=mid:0\r\na={candidate}\r\n"


@asynccontextmanager
async def answerer(room: str):
    async with open_http() as http:
        session = await Session.create(http)
        async with session.stream():
            await session.join(room)
            yield Answerer(session, room)
            await session.bye()


async def post(http: httpx.AsyncClient, path: str, body: str, **headers) -> httpx.Response:
    headers = {"content-type": "application/sdp", **AUTH, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await http.post(path, content=body, headers=headers)


async def patch(http: httpx.AsyncClient, resource: str, body: str, if_match: str | None, **headers) -> httpx.Response:
    headers = {"content-type": FRAGMENT, **AUTH, **{name.replace("_", "-"): value for name, value in headers.items()}}
    if if_match is not None:
        headers["if-match"] = if_match
    return await http.patch(resource, content=body, headers=headers)


@asynccontextmanager
async def established(room: str, path: str = "whip"):
    """A client, the response to its offer, and who has answered it."""
    async with answerer(room) as peer, open_http() as http:
        request = asyncio.create_task(post(http, f"/{path}/{room}", sdp()))
        await peer.answer(await peer.offer())
        response = await request
        assert response.status_code == 201, response.text
        yield http, response, peer


@run
async def test_a_program_publishes_to_a_page_by_whip(room):
    connection = RTCPeerConnection()
    connection.addTrack(PaintedTrack(128))
    try:
        async with answering_page(room) as page, open_http() as http:
            await connection.setLocalDescription(await connection.createOffer())
            whole = connection.localDescription.sdp
            found = re.findall(r"^a=(candidate:.*?)\r?$", whole, re.MULTILINE)
            assert found, "aiortc found no candidate"
            # Its candidates trickle, so that the page must get them by PATCH.
            bare = re.sub(r"^a=(candidate:.*|end-of-candidates)\r?\n", "", whole, flags=re.MULTILINE)
            response = await post(http, f"/whip/{room}", bare)
            assert response.status_code == 201, response.text
            assert response.headers["content-type"] == "application/sdp"
            assert "a=candidate:" in response.text, "the page's candidates are in the answer"
            resource, etag = response.headers["location"], response.headers["etag"]
            await connection.setRemoteDescription(RTCSessionDescription(response.text, "answer"))

            ufrag = re.search(r"^a=ice-ufrag:(\S+)", whole, re.MULTILINE).group(1)
            lines = "".join(f"a={line}\r\n" for line in found)
            body = f"a=ice-ufrag:{ufrag}\r\nm=video 9 RTP/AVP 0\r\na=mid:0\r\n{lines}a=end-of-candidates\r\n"
            response = await patch(http, resource, body, etag)
            assert response.status_code == 204 and "etag" not in response.headers
            await page.wait_for_function("window.candidates > 0 && window.frames >= 10", timeout=30_000)

            response = await patch(http, resource, fragment("newfragment", found[0]), "*")
            assert response.status_code == 200, response.text
            assert response.headers["content-type"] == FRAGMENT
            assert response.headers["etag"].startswith('"newfragment-') and response.headers["etag"] != etag
            assert re.search(r"^a=ice-ufrag:\S+\r\na=ice-pwd:\S+\r\n", response.text)
            remote = await page.evaluate("window.peer.remoteDescription.sdp")
            assert "a=ice-ufrag:newfragment" in remote

            response = await http.delete(resource, headers=AUTH)
            assert response.status_code == 200
            await page.wait_for_function("window.hungUp === true", timeout=10_000)
            assert code_of(await http.delete(resource, headers=AUTH), 404) == "no_such_resource"
    finally:
        await connection.close()


@run
async def test_a_program_watches_another_by_whep(room):
    viewer, source = RTCPeerConnection(), RTCPeerConnection()
    source.addTrack(PaintedTrack(200))
    viewer.addTransceiver("video", direction="recvonly")
    tracks = []
    viewer.on("track", tracks.append)
    try:
        async with answerer(room) as peer, open_http() as http:
            await viewer.setLocalDescription(await viewer.createOffer())
            request = asyncio.create_task(post(http, f"/whep/{room}", viewer.localDescription.sdp))
            offer = await peer.offer()
            assert offer["body"]["client"] == "whep"
            await source.setRemoteDescription(RTCSessionDescription(offer["body"]["sdp"], "offer"))
            await source.setLocalDescription(await source.createAnswer())
            await peer.say(offer, "answer", {"sdp": source.localDescription.sdp})
            response = await request
            assert response.status_code == 201, response.text
            assert response.headers["location"].startswith(f"/whep/{room}/")
            await viewer.setRemoteDescription(RTCSessionDescription(response.text, "answer"))
            for _ in range(10):
                frame = await asyncio.wait_for(tracks[0].recv(), 20)
            assert abs(bytes(frame.planes[0])[80] - 200) < 12
    finally:
        await asyncio.gather(viewer.close(), source.close())


@run
async def test_a_peer_that_refuses_is_406(room):
    async with answerer(room) as peer, open_http() as http:
        request = asyncio.create_task(post(http, f"/whip/{room}", sdp()))
        offer = await peer.offer()
        await peer.say(offer, "reject", {"reason": "busy"})
        assert code_of(await request, 406) == "rejected"


@run
async def test_a_peer_that_goes_is_503_with_a_time_to_come_back(room):
    async with open_http() as http:
        async with answerer(room) as peer:
            request = asyncio.create_task(post(http, f"/whip/{room}", sdp()))
            await peer.offer()
        response = await request
        assert code_of(response, 503) == "no_answer"
        assert int(response.headers["retry-after"]) > 0


@pytest.mark.parametrize("path", ["whip", "whep"])
@run
async def test_offers_that_are_none_are_refused(room, path):
    async with open_http() as http:
        response = await post(http, f"/{path}/{room}", "v=0", content_type="text/plain")
        assert code_of(response, 415) == "unsupported_media_type"
        assert response.headers["accept-post"] == "application/sdp"
        response = await http.post(f"/{path}/{room}", headers=AUTH)
        assert code_of(response, 415) == "unsupported_media_type", "no offer of the server's"
        assert code_of(await post(http, f"/{path}/{room}", sdp(), accept="text/html"), 406) == "not_acceptable"
        assert code_of(await post(http, f"/{path}/{room}", "v=0\r\n"), 400) == "bad_sdp"
        assert code_of(await post(http, f"/{path}/{room}", sdp(setup="passive")), 400) == "bad_sdp"
        assert code_of(await post(http, f"/{path}/{room}", sdp() + "a=x\r\n" * 20_000), 413) == "too_large"


@run
async def test_other_methods_are_405_and_options_say_what_there_is(room):
    async with open_http() as http:
        for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE"):
            response = await http.request(method, f"/whip/{room}", headers=AUTH)
            assert response.status_code == 405 and "POST" in response.headers["allow"]
        for method in ("GET", "POST", "PUT"):
            response = await http.request(method, f"/whip/{room}/0-x", headers=AUTH)
            assert code_of(response, 405) == "method_not_allowed"
        response = await http.options(f"/whip/{room}")
        assert response.status_code == 200
        assert response.headers["accept-post"] == "application/sdp" and "POST" in response.headers["allow"]
        assert "PATCH" in (await http.options(f"/whip/{room}/0-x")).headers["allow"]
        foreign = await http.options(f"/whip/{room}", headers={"origin": "https://a.example"})
        assert code_of(foreign, 403) == "origin_not_allowed"


@run
async def test_a_patch_names_its_ice_session(room):
    async with established(room) as (http, response, peer):
        resource, etag = response.headers["location"], response.headers["etag"]
        assert code_of(await patch(http, resource, fragment(), None), 428) == "precondition_required"
        assert code_of(await patch(http, resource, fragment(), '"old"'), 412) == "precondition_failed"
        assert code_of(await patch(http, resource, fragment("zzzz"), etag), 422) == "bad_fragment"
        assert code_of(await patch(http, resource, "v=0", etag), 422) == "bad_fragment"
        wrong = await patch(http, resource, fragment(), etag, content_type="application/sdp")
        assert code_of(wrong, 415) == "unsupported_media_type" and wrong.headers["accept-patch"] == FRAGMENT
        assert code_of(await patch(http, resource, "a=x\r\n" * 4000, etag), 413) == "too_large"
        assert code_of(await patch(http, resource, fragment(), etag, authorization="Bearer other"), 401) == "unauthorized"
        assert code_of(await patch(http, f"/whip/{room}/0-{'0' * 32}", fragment(), etag), 404) == "no_such_resource"
        assert code_of(await patch(http, resource.replace("/whip/", "/whep/x"), fragment(), etag), 404) == "no_such_resource"
        assert (await patch(http, resource, fragment(), etag)).status_code == 204
        trickled = await peer.session.wait("candidates")
        assert [c["candidate"] for c in trickled.message["body"]["candidates"]] == [CANDIDATE]


@run
async def test_one_restart_at_a_time(room):
    async with established(room) as (http, response, peer):
        resource = response.headers["location"]
        first = asyncio.create_task(patch(http, resource, fragment("cccc"), "*"))
        offer = await peer.offer()
        assert offer["neg"] == 2 and "a=ice-ufrag:cccc" in offer["body"]["sdp"]
        assert code_of(await patch(http, resource, fragment("dddd"), "*"), 409) == "restart_pending"
        await peer.answer(offer, "eeee")
        answer = await first
        assert answer.status_code == 200 and answer.headers["etag"] == '"cccc-eeee"'
        assert answer.text.startswith("a=ice-ufrag:eeee\r\n")
        assert code_of(await patch(http, resource, fragment("cccc"), "*"), 422) == "bad_fragment"


@run
async def test_the_peer_that_hangs_up_ends_the_session(room):
    async with established(room) as (http, response, peer):
        left = asyncio.create_task(peer.session.wait("peer_left"))
        offer_from = response.headers["location"]
        sender = next(event.message["peer"] for event in peer.session.events if event.message["t"] == "peer_joined")
        call = "whip-" + offer_from[-16:]
        message = {"t": "hangup", "to": {"peer": sender}, "room": room, "call": call, "body": {}}
        await peer.session.accept(message)
        assert (await left).message["peer"] == sender
        assert code_of(await http.delete(offer_from, headers=AUTH), 404) == "no_such_resource"
