"""Calls between two pages of a real Chromium, over HTTP/2 to the service."""

import os
import shutil
import time

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from service import URL

CHROMIUM = os.environ.get("CHROMIUM", shutil.which("chromium") or "/usr/bin/chromium")
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser():
    arguments = [
        "--no-sandbox",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        # Two contexts find each other by plain addresses; resolving .local names needs a multicast network.
        "--disable-features=WebRtcHideLocalIpsWithMdns",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


class Party:
    """One person: a browser context of its own, with the page in it."""

    def __init__(self, browser: Browser, name: str, **options):
        options = {"viewport": DESKTOP, "permissions": ["camera", "microphone"], **options}
        self.name = name
        self.context: BrowserContext = browser.new_context(ignore_https_errors=True, **options)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)

    def enter(self, room: str):
        self.page.goto(f"{URL}/#{room}")
        self.page.get_by_label("Your name").fill(self.name)
        self.page.get_by_role("button", name="Enter room").click()
        self.until("s => s.view === 'stage' && s.signaling === 'open'")
        return self

    def snapshot(self) -> dict:
        return self.page.evaluate("heliograph.snapshot()")

    def until(self, condition: str, seconds: float = 20):
        """Waits until the function `condition` of the page's state is true. The page's policy forbids it to poll."""
        deadline = time.monotonic() + seconds
        while not self.page.evaluate(f"!!window.heliograph && ({condition})(heliograph.snapshot())"):
            assert time.monotonic() < deadline, f"{self.name}: not {condition}: {self.snapshot()} {self.complaints}"
            self.page.wait_for_timeout(100)

    def click(self, name: str):
        self.page.get_by_role("button", name=name, exact=True).click()

    def sees(self, count: int):
        self.until(f"s => s.others.length === {count}")

    def until_video(self, peers: int = 1):
        """Waits for connected connections whose decoded frames grow."""
        self.until(
            f"s => Object.values(s.peers).filter(p => p.connection === 'connected' && p.frames > 0).length === {peers}"
        )
        before = {peer: state["frames"] for peer, state in self.snapshot()["peers"].items()}
        for peer, frames in before.items():
            self.until(f"s => s.peers[{peer!r}].frames > {frames + 5}")

    def until_idle(self, reason: str):
        self.until("s => s.call === 'idle' && Object.keys(s.peers).length === 0")
        assert self.snapshot()["lastEnd"] == reason

    def until_notice(self, text: str):
        expect(self.page.get_by_role("alert")).to_contain_text(text)


@pytest.fixture
def party(browser):
    """Makes parties, and checks at the end that no page had anything to complain about."""
    parties: list[Party] = []

    def make(name: str, **options) -> Party:
        parties.append(Party(browser, name, **options))
        return parties[-1]

    yield make
    complaints = {each.name: each.complaints for each in parties if each.complaints}
    for each in parties:
        each.context.close()
    assert complaints == {}


@pytest.fixture
def call(party, room):
    """Ada and Bob in a call."""
    ada, bob = party("Ada").enter(room), party("Bob").enter(room)
    ada.sees(1)
    ada.click("Call")
    bob.click("Answer")
    ada.until_video()
    bob.until_video()
    return ada, bob


def test_two_pages_call_each_other_over_http2_and_hang_up(call):
    ada, bob = call
    for each in call:
        assert each.page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol") == "h2"
        assert each.snapshot()["protocols"] == {"page": "h2", "service": "h2"}
        [peer] = each.snapshot()["peers"].values()
        assert (peer["ice"], peer["signaling"]) == ("connected", "stable")
        assert peer["width"] > 0 and peer["height"] > 0
        assert each.page.locator("figure[data-own=false] video").evaluate("video => video.videoWidth") > 0
    ada.click("Hang up")
    ada.until_idle("hangup")
    bob.until_idle("hangup")
    bob.until_notice("Ada hung up.")
    ada.sees(1)


def test_the_event_stream_comes_over_http2(party, room):
    ada = party("Ada").enter(room)
    # A request is measured when it ends: closing the client ends its stream.
    ada.page.evaluate("heliograph.app.client.close()")
    events = "performance.getEntriesByType('resource').filter(entry => entry.name.endsWith('/events'))"
    ada.until(f"() => {events}.length > 0")
    assert set(ada.page.evaluate(f"{events}.map(entry => entry.nextHopProtocol)")) == {"h2"}


def test_the_one_who_was_called_can_hang_up_and_call_back(call):
    ada, bob = call
    bob.click("Hang up")
    ada.until_idle("hangup")
    bob.until_idle("hangup")
    bob.click("Call")
    ada.click("Answer")
    ada.until_video()
    bob.until_video()


def test_both_call_at_once(party, room):
    ada, bob = party("Ada").enter(room), party("Bob").enter(room)
    ada.sees(1)
    bob.sees(1)
    # In each page before either has heard of the other's invitation.
    click = "() => { setTimeout(() => document.getElementById('start').click(), 1000 - Date.now() % 1000) }"
    for each in (ada, bob):
        each.page.evaluate(click)
    ada.until_video()
    bob.until_video()
    for each in (ada, bob):
        assert each.snapshot()["call"] == "active"
    ada.click("Hang up")
    bob.until_idle("hangup")


def test_offers_that_cross_are_settled_by_politeness(call):
    # Both restart ICE in the same moment, again and again: the offers cross.
    for _ in range(5):
        for each in call:
            each.page.evaluate(
                "() => { setTimeout(() => { for (const { pc } of heliograph.app.call.peers.values()) pc.restartIce() },"
                " 500 - Date.now() % 500) }"
            )
        call[0].page.wait_for_timeout(800)
    for each in call:
        each.until("s => Object.values(s.peers).every(p => p.signaling === 'stable' && p.connection === 'connected')")
        each.until_video()
    assert sum(peer["glare"] for each in call for peer in each.snapshot()["peers"].values()) > 0, "no offers crossed"


def test_a_call_can_be_declined(party, room):
    ada, bob = party("Ada").enter(room), party("Bob").enter(room)
    ada.sees(1)
    ada.click("Call")
    bob.click("Decline")
    ada.until_idle("declined")
    ada.until_notice("Bob declined the call.")


def test_a_call_can_be_taken_back_while_it_rings(party, room):
    ada, bob = party("Ada").enter(room), party("Bob").enter(room)
    ada.sees(1)
    ada.click("Call")
    expect(bob.page.get_by_role("alertdialog")).to_contain_text("Ada is calling")
    ada.click("Cancel")
    expect(bob.page.get_by_role("alertdialog")).to_be_hidden()


def test_who_leaves_the_room_leaves_the_call(call):
    ada, bob = call
    bob.click("Leave")
    ada.until_idle("left")
    ada.until_notice("Bob left the room.")
    ada.sees(0)
    assert bob.snapshot()["view"] == "lobby"


def test_a_page_that_is_loaded_again_leaves_the_call_and_comes_back_to_the_room(call):
    ada, bob = call
    old = bob.snapshot()["sid"]
    bob.page.reload()
    ada.until_idle("bye")
    ada.until_notice("Bob left.")
    bob.until("s => s.view === 'stage' && s.signaling === 'open'")
    assert bob.snapshot()["sid"] != old
    ada.sees(1)
    bob.click("Call")
    ada.click("Answer")
    ada.until_video()
    bob.until_video()


def test_a_page_that_is_closed_leaves_the_call(call):
    ada, bob = call
    bob.page.close(run_before_unload=True)
    ada.until_idle("bye")
    ada.sees(0)


def test_switching_off_is_seen_on_the_other_side(call):
    ada, bob = call
    ada.click("Mute")
    ada.click("Stop video")
    bob.until("s => Object.values(s.peers)[0].remoteState.audio === false")
    bob.until("s => Object.values(s.peers)[0].remoteState.video === false")
    expect(bob.page.locator("figure[data-own=false] video")).to_be_hidden()
    ada.click("Start video")
    ada.click("Unmute")
    bob.until("s => Object.values(s.peers)[0].remoteState.video === true")
    bob.until_video()


def test_without_camera_one_joins_to_see_and_hear(party, room, screenshots):
    deny = "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))"
    ada, bob = party("Ada"), party("Bob").enter(room)
    ada.page.add_init_script(deny)
    ada.enter(room)
    ada.until_notice("Camera and microphone are blocked")
    ada.page.set_viewport_size(PHONE)
    ada.page.screenshot(path=screenshots / "phone-no-camera.png")
    bob.sees(1)
    bob.click("Call")
    ada.click("Answer")
    ada.until_video()
    bob.until("s => Object.values(s.peers)[0].connection === 'connected'")


def test_who_cannot_send_can_call(party, room):
    deny = "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))"
    ada, bob = party("Ada"), party("Bob").enter(room)
    ada.page.add_init_script(deny)
    ada.enter(room)
    bob.sees(1)
    ada.click("Call")
    bob.click("Answer")
    ada.until_video()


def test_three_in_a_room_are_one_call(party, room):
    ada, bob, cy = (party(name).enter(room) for name in ("Ada", "Bob", "Cy"))
    for each in (ada, bob, cy):
        each.sees(2)
    ada.click("Call")
    bob.click("Answer")
    ada.until_video(1)
    cy.click("Answer")
    for each in (ada, cy):
        each.until_video(len(each.snapshot()["peers"]))
    # Who is in a call takes in whoever of the room calls.
    bob.page.get_by_role("button", name="Call Cy").click()
    for each in (ada, bob, cy):
        each.until_video(2)
    bob.click("Hang up")
    for each in (ada, cy):
        each.until_video(1)
    bob.until_idle("hangup")


def test_a_dropped_connection_is_resumed_and_the_call_goes_on(call):
    ada, bob = call
    streams = ada.snapshot()["streams"]
    ada.context.set_offline(True)
    ada.page.evaluate("heliograph.app.client.reconnect()")
    expect(ada.page.get_by_text("Reconnecting…").first).to_be_visible()
    bob.click("Mute")
    ada.page.wait_for_timeout(1000)
    ada.context.set_offline(False)
    ada.until(f"s => s.signaling === 'open' && s.streams > {streams}")
    ada.until_video()
    bob.click("Hang up")
    ada.until_idle("hangup")
    ada.complaints = [text for text in ada.complaints if "ERR_INTERNET_DISCONNECTED" not in text]


def test_a_session_that_the_service_forgot_is_begun_again(party, room):
    ada, bob = party("Ada"), party("Bob").enter(room)
    with ada.page.expect_request("**/messages") as request:
        ada.enter(room)
    ada.sees(1)
    old = ada.snapshot()["sid"]
    headers = {"authorization": request.value.headers["authorization"]}
    # By a page: Playwright's own requests do not speak HTTP/2.
    bye = "([path, headers]) => fetch(path, { method: 'DELETE', headers }).then(response => response.status)"
    assert bob.page.evaluate(bye, [f"/v1/sessions/{old}", headers]) == 204
    ada.until(f"s => s.signaling === 'open' && s.sid && s.sid !== {old!r}")
    ada.sees(1)
    bob.sees(1)
    bob.click("Call")
    ada.click("Answer")
    bob.until_video()
    # The browser logs the 404 by which the client learns of it.
    ada.complaints = [text for text in ada.complaints if "404" not in text]


def test_a_service_that_does_not_answer_is_said_and_asked_again(party, room):
    ada = party("Ada")
    ada.page.route("**/v1/sessions", lambda route: route.abort())
    ada.page.goto(f"{URL}/#{room}")
    ada.click("Enter room")
    ada.until_notice("The service does not answer. Trying again…")
    ada.page.unroute("**/v1/sessions")
    ada.until("s => s.view === 'stage' && s.signaling === 'open'")
    expect(ada.page.get_by_role("alert")).to_be_hidden()
    ada.complaints = [text for text in ada.complaints if "ERR_FAILED" not in text]


def test_a_room_that_is_full_is_said(party, room):
    ada = party("Ada")
    full = {"id": "c1", "error": {"code": "room_full", "detail": "The room is full."}}
    ada.page.route("**/messages", lambda route: route.fulfill(status=202, json={"results": [full]}))
    ada.page.goto(f"{URL}/#{room}")
    ada.click("Enter room")
    ada.until_notice("This room is full.")
    expect(ada.page.get_by_role("button", name="Enter room")).to_be_enabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_pictures_of_the_page(party, room, screenshots, scheme, size):
    options = {"viewport": size, "color_scheme": scheme, "device_scale_factor": 1 if size is DESKTOP else 2}
    kind = f"{'desktop' if size is DESKTOP else 'phone'}-{scheme}"
    ada, bob = party("Ada Lovelace", **options), party("Bob")

    def shoot(name: str):
        ada.page.wait_for_timeout(400)
        ada.page.screenshot(path=screenshots / f"{kind}-{name}.png")
        wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not ada.page.evaluate(wider), f"{name}: the page is wider than the screen"

    ada.page.goto(URL)
    shoot("1-lobby")
    ada.enter(room)
    ada.page.wait_for_timeout(600)
    shoot("2-alone")
    bob.enter(room)
    ada.sees(1)
    shoot("3-together")
    bob.click("Call")
    expect(ada.page.get_by_role("alertdialog")).to_be_visible()
    shoot("4-ringing")
    ada.click("Answer")
    ada.until_video()
    shoot("5-call")
    ada.page.locator("#status summary").click()
    shoot("6-facts")
    ada.page.locator("#status summary").click()
    ada.click("Mute")
    bob.click("Stop video")
    shoot("7-switched-off")
    bob.click("Hang up")
    ada.until_idle("hangup")
    shoot("8-ended")
    party("Cy").enter(room)
    ada.sees(2)
    ada.page.evaluate("heliograph.app.client.reconnect()")
    shoot("9-three")
