"""Fixtures. The service to test runs already; SIGNALING_URL says where."""

import os
import pathlib
import uuid

import pytest


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
