"""Fixtures. The service to test runs already; SIGNALING_URL says where."""

import os
import pathlib
import uuid
from contextlib import contextmanager

import pytest
from playwright.sync_api import sync_playwright

from browser import ARGUMENTS, CHROMIUM, Party


@pytest.fixture
def room() -> str:
    """A room that nobody else uses."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory) -> pathlib.Path:
    """Where pictures of the page go: SCREENSHOTS, or a temporary folder."""
    chosen = os.environ.get("SCREENSHOTS")
    folder = pathlib.Path(chosen) if chosen else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def people(browser):
    """Makes parties, and checks at the end that no page had anything to complain about."""
    parties: list[Party] = []

    def make(name: str, **options) -> Party:
        parties.append(Party(browser, name, **options))
        return parties[-1]

    yield make
    complaints = {each.name: each.complaints for each in parties if each.complaints}
    for each in parties:
        # A context that closes its pages without a word leaves members behind.
        if not each.page.is_closed():
            each.page.close(run_before_unload=True)
        each.context.close()
    assert complaints == {}


@pytest.fixture
def party(browser):
    with people(browser) as make:
        yield make


def in_call(party, room):
    ada, bob = party("Ada").enter(room), party("Bob").enter(room)
    ada.until_video()
    bob.until_video()
    return ada, bob


@pytest.fixture
def call(party, room):
    """Ada and Bob in a call."""
    return in_call(party, room)


@pytest.fixture(scope="module")
def standing_call(browser):
    """Ada and Bob in a call, for tests that leave it as it was."""
    with people(browser) as make:
        yield in_call(make, f"test-{uuid.uuid4().hex[:12]}")
