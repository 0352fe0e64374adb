"""People with browsers: pages of a real Chromium that make calls over the service."""

import os
import shutil
import time

from playwright.sync_api import Browser, BrowserContext, Page, expect

from service import URL

CHROMIUM = os.environ.get("CHROMIUM", shutil.which("chromium") or "/usr/bin/chromium")
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
ARGUMENTS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    # Two contexts find each other by plain addresses; resolving .local names needs a multicast network.
    "--disable-features=WebRtcHideLocalIpsWithMdns",
]


class Party:
    """One person: a browser context of its own, with the page in it."""

    def __init__(self, browser: Browser, name: str, url: str = URL, transports: str | None = None, **options):
        options = {"viewport": DESKTOP, "permissions": ["camera", "microphone"], **options}
        self.name = name
        self.url = url
        self.context: BrowserContext = browser.new_context(ignore_https_errors=True, **options)
        self.page: Page = self.context.new_page()
        if transports:
            self.page.add_init_script(f"sessionStorage.setItem('transports', {transports!r})")
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type == "error" else None)

    def enter(self, room: str):
        self.page.goto(f"{self.url}/#{room}")
        self.page.get_by_label("Your name").fill(self.name)
        self.page.get_by_role("button", name="Enter room").click()
        self.until("s => s.view === 'stage' && s.signaling === 'open'")
        return self

    def snapshot(self) -> dict:
        return self.page.evaluate("heliograph.snapshot()")

    def until(self, condition: str, seconds: float = 30):
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

    def until_notice(self, text: str):
        expect(self.page.get_by_role("alert")).to_contain_text(text)

    def forgive(self, *words: str):
        """Errors that a test causes and the browser logs."""
        self.complaints = [text for text in self.complaints if not any(word in text for word in words)]
