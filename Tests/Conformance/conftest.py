import pytest

from showcase import Showcase


@pytest.fixture(params=["1", "2"], ids=["one loop", "two loops"])
def server(request):
    """A showcase; that it ends in order is part of each test."""
    showcase = Showcase("--threads", request.param)
    yield showcase
    log = showcase.stop()
    assert " error " not in log and "Fatal" not in log, log


@pytest.fixture
def one_loop():
    showcase = Showcase("--threads", "1")
    yield showcase
    showcase.stop()
