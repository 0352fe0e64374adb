import pytest

from showcase import Showcase


@pytest.fixture(params=["1", "2"], ids=["one loop", "two loops"])
def server(request):
    """A showcase; that it ends in order is part of each test."""
    showcase = Showcase("--threads", request.param)
    yield showcase
    log = showcase.stop()
    assert " error " not in log and "Fatal" not in log, log


# How a server is reached: the options of the showcase, and of curl.
TRANSPORTS = {
    "h2 over TLS": ([], "--http2"),
    "h2c": (["--plaintext"], "--http2-prior-knowledge"),
    "HTTP/1.1 over TLS": ([], "--http1.1"),
    "HTTP/1.1": (["--plaintext"], "--http1.1"),
}


@pytest.fixture(params=TRANSPORTS)
def everywhere(request):
    """A showcase and a curl that speak one version of HTTP, with TLS or without: what a handler does is the same over all."""
    options, http = TRANSPORTS[request.param]
    showcase = Showcase("--threads", "1", *options, http=http)
    yield showcase
    log = showcase.stop()
    assert " error " not in log and "Fatal" not in log, log


@pytest.fixture
def one_loop():
    showcase = Showcase("--threads", "1")
    yield showcase
    showcase.stop()
