"""The demo page, as people use it: in a real Chromium, over HTTP/2 to the service."""

import re

import pytest
from playwright.sync_api import expect

from browser import DESKTOP, PHONE
from service import URL

DENIED = "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))"


def test_two_who_enter_a_room_are_in_a_call_over_http2(standing_call):
    for each in standing_call:
        assert each.page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol") == "h2"
        [peer] = each.snapshot()["peers"].values()
        assert (peer["ice"], peer["signaling"]) == ("connected", "stable")
        assert peer["width"] > 0 and peer["height"] > 0
        assert peer["route"]["local"] in ("host", "prflx") and peer["route"]["relayed"] is False
        assert each.page.locator("figure[data-own=false] video").evaluate("video => video.videoWidth") > 0
        assert each.snapshot()["problems"] == []
    expect(standing_call[0].page.locator("figure[data-own=false] .route")).to_contain_text("Direct")


def test_switching_off_is_seen_on_the_other_side(standing_call):
    ada, bob = standing_call
    ada.click("Mute")
    ada.click("Stop video")
    bob.until("s => Object.values(s.peers)[0].remoteState.audio === false")
    bob.until("s => Object.values(s.peers)[0].remoteState.video === false")
    expect(bob.page.locator("figure[data-own=false] video")).to_be_hidden()
    ada.click("Start video")
    ada.click("Unmute")
    bob.until("s => Object.values(s.peers)[0].remoteState.video === true")
    bob.until_video()


def test_a_screen_is_shared_beside_the_camera_and_taken_away(standing_call):
    ada, bob = standing_call
    ada.click("Share")
    screen = bob.page.get_by_label("Ada’s screen")
    expect(screen).to_be_visible(timeout=20_000)
    bob.until("() => document.querySelector('[data-kind=screen] video').videoWidth > 0")
    bob.until_video()
    ada.click("Stop sharing")
    expect(screen).to_have_count(0, timeout=20_000)
    bob.until_video()


def test_people_chat_by_keyboard_alone(standing_call):
    ada, bob = standing_call
    for each in standing_call:
        each.until("() => heliograph.app.call.sendChat('') === 1")
    ada.page.get_by_role("button", name="Chat").focus()
    ada.page.keyboard.press("Enter")
    expect(ada.page.get_by_label("Message to everybody")).to_be_focused()
    ada.page.keyboard.type("Good <b>morning</b>!")
    ada.page.keyboard.press("Enter")
    bob.until("s => s.lines.includes('Ada: Good <b>morning</b>!')")
    unread = bob.page.get_by_role("button", name=re.compile("Chat, . unread"))
    expect(unread).to_be_visible()
    unread.click()
    expect(bob.page.get_by_role("log")).to_contain_text("Good <b>morning</b>!")
    ada.page.keyboard.press("Escape")
    expect(ada.page.get_by_role("button", name="Chat")).to_be_focused()
    bob.page.keyboard.press("Escape")


def test_everything_that_can_be_pressed_has_a_name_and_a_place_on_a_phone(party, room):
    ada = party("Ada", viewport=PHONE, has_touch=True, is_mobile=True).enter(room)
    for button in ada.page.get_by_role("button").all():
        name = button.evaluate("b => b.ariaLabel || b.innerText.trim() || b.textContent.trim()")
        assert name, button.evaluate("b => b.outerHTML")
        box = button.bounding_box()
        assert box and box["width"] >= 44 and box["height"] >= 44, f"{name}: {box}"
        assert 0 <= box["x"] and box["x"] + box["width"] <= PHONE["width"], f"{name}: {box}"


def test_the_link_of_the_room_is_copied(party, room):
    ada = party("Ada", permissions=["camera", "microphone", "clipboard-read", "clipboard-write"]).enter(room)
    ada.page.get_by_role("button", name="Copy link").first.click()
    ada.until_notice("The link was copied.")
    assert ada.page.evaluate("navigator.clipboard.readText()") == f"{URL}/#{room}"


def test_who_loads_the_page_again_comes_back_to_the_room(call):
    ada, bob = call
    old = bob.snapshot()["sid"]
    bob.page.reload()
    bob.until(f"s => s.view === 'stage' && s.sid !== {old!r}")
    for each in call:
        each.sees(1)
        each.until_video()


def test_who_closes_the_page_is_gone(call):
    ada, bob = call
    bob.page.close(run_before_unload=True)
    ada.sees(0)
    ada.until("s => s.call === 'waiting' && s.lastEnd === 'bye'")


def test_without_camera_one_joins_to_see_and_hear(party, room):
    ada, bob = party("Ada"), party("Bob").enter(room)
    ada.page.add_init_script(DENIED)
    ada.enter(room)
    ada.until_notice("Camera and microphone are blocked")
    ada.until_video()
    bob.until("s => Object.values(s.peers)[0].connection === 'connected'")


def test_a_service_that_does_not_answer_is_said_and_asked_again(party, room):
    ada = party("Ada", transports="sse,poll")
    ada.page.route("**/v1/sessions", lambda route: route.abort())
    ada.page.goto(f"{URL}/#{room}")
    ada.click("Enter room")
    ada.until_notice("The service does not answer. Trying again…")
    ada.page.unroute("**/v1/sessions")
    ada.until("s => s.view === 'stage' && s.signaling === 'open'")
    expect(ada.page.get_by_role("alert")).to_be_hidden()
    ada.forgive("ERR_FAILED")


def test_a_room_that_is_full_is_said(party, room):
    ada = party("Ada", transports="sse")
    full = {"id": "c1", "error": {"code": "room_full", "detail": "The room is full."}}
    ada.page.route("**/messages", lambda route: route.fulfill(status=202, json={"results": [full]}))
    ada.page.goto(f"{URL}/#{room}")
    ada.click("Enter room")
    ada.until_notice("This room is full.")
    expect(ada.page.get_by_role("button", name="Enter room")).to_be_enabled()


@pytest.mark.parametrize("size, scheme", [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
def test_pictures_of_the_page(party, room, screenshots, scheme, size):
    options = {"viewport": size, "color_scheme": scheme, "device_scale_factor": 1 if size is DESKTOP else 2}
    kind = f"{'desktop' if size is DESKTOP else 'phone'}-{scheme}"
    ada, bob = party("Ada Lovelace", **options), party("Bob")

    def shoot(name: str):
        ada.page.wait_for_timeout(200)
        ada.page.screenshot(path=screenshots / f"{kind}-{name}.png")
        wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not ada.page.evaluate(wider), f"{name}: the page is wider than the screen"

    ada.page.goto(URL)
    shoot("1-lobby")
    ada.enter(room)
    shoot("2-alone")
    bob.enter(room)
    ada.until_video()
    shoot("3-two")
    ada.page.locator("#talk").click()
    shoot("4-chat")
    ada.page.keyboard.press("Escape")
    ada.page.locator("#status summary").click()
    shoot("5-facts")
