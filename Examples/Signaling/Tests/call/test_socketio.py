"""Socket.IO: python-socketio's client by each transport, beside its own server, and the protocol by hand over HTTP/2.

SOCKETIO_ECHO is the program socketio-echo.
"""

import json
import os
import pathlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from socketio_client import SocketIOClient

PROGRAM = os.environ.get(
    "SOCKETIO_ECHO", str(pathlib.Path(__file__).parents[2] / ".build" / "debug" / "socketio-echo")
)
REFERENCE = str(pathlib.Path(__file__).with_name("socketio_reference.py"))
TRANSPORTS = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": None}


def started(*command: str):
    """Starts a server that prints its URL; yields it."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        url = process.stdout.readline().strip()
        assert url.startswith("http"), f"{command[0]} does not say where it is"
        yield url
        assert process.poll() is None, "the server has ended"
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def echo():
    yield from started(PROGRAM)


@pytest.fixture(scope="module")
def recovering():
    yield from started(PROGRAM, "--recovery")


class Client(SocketIOClient):
    """Events as the tests write them: several values, not a tuple of them."""

    def emit(self, event, *data):
        super().emit(event, data)

    def ask(self, event, *data):
        return super().ask(event, data)


VALUES = [1, "zwei €😀", None, True, 2.5, {"a": [{"b": []}]}, b"\x00\x01\xff", {"deep": [b"", {"x": b"yz"}]}]


def script(url: str, transports, namespace: str) -> list:
    """What two clients see, in order."""
    seen = []
    ada, bob = (Client(url, transports, {"name": name}, namespace) for name in ("Ada", "Bob"))
    try:
        seen += [ada.hear(), bob.hear()]
        ada.emit("message", *VALUES)
        seen.append(ada.hear())
        seen.append(ada.ask("message-with-ack", *VALUES))
        seen.append(ada.ask("message-with-ack", 1))
        seen.append(ada.ask("ask-me", "be?"))
        for number in range(12):
            ada.emit("message", number)
        seen.append([ada.hear() for _ in range(12)])
        seen.append(bob.ask("join", "room"))
        ada.ask("say", "room", {"bytes": b"123"})
        seen.append(bob.hear())
        bob.ask("leave", "room")
        ada.ask("say", "room", "nobody hears this")
        ada.emit("shout", "all")
        seen.append(bob.hear())
        ada.emit("go")
        seen.append(ada.ended.wait(20))
        seen.append(bob.transport)
    finally:
        ada.close()
        bob.close()
    return seen


NAMESPACES = ["/", "/custom"]


@pytest.fixture(scope="module")
def seen_of_reference():
    """What the reference's server shows, each case with one of its own, at once: some of its long polling takes half a minute."""

    def see(case):
        servers = started(sys.executable, REFERENCE)
        try:
            return script(next(servers), TRANSPORTS[case[0]], case[1])
        finally:
            servers.close()

    cases = [(transport, namespace) for transport in TRANSPORTS for namespace in NAMESPACES]
    with ThreadPoolExecutor(len(cases)) as pool:
        return dict(zip(cases, pool.map(see, cases)))


@pytest.mark.parametrize("namespace", NAMESPACES)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_client_sees_what_it_sees_of_the_reference(echo, seen_of_reference, transport, namespace):
    seen = script(echo, TRANSPORTS[transport], namespace)
    assert seen == seen_of_reference[transport, namespace]
    assert seen[-1] == ("polling" if transport == "polling" else "websocket")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_large_message_comes_back(echo, transport):
    # Not beside the reference, whose long polling waits for half a minute here.
    client = Client(echo, TRANSPORTS[transport])
    client.hear()
    client.emit("message", 200_000 * "x")
    assert client.hear() == ["message-back", 200_000 * "x"]
    client.close()


def test_all_of_a_room_are_asked(echo):
    clients = [Client(echo, TRANSPORTS[name], {}) for name in ("polling", "websocket", "websocket")]
    for client in clients:
        client.hear()
        assert client.ask("join", "asked") is True
    answers, missing = clients[0].ask("ask-room", "asked", {"a": [1]})
    assert answers == [["to", {"a": [1]}]] * 3 and missing == 0
    clients[2].abort()
    answers, missing = clients[0].ask("ask-room", "asked", "again")
    assert len(answers) == 2 and missing in (0, 1)
    for client in clients:
        client.close()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_refused_client_hears_why(echo, transport):
    client = Client(echo, TRANSPORTS[transport], {"refuse": "not today"})
    assert client.hear() == ["connect_error", {"message": "not today", "data": {"code": 7}}]
    client.close()


def test_an_unknown_namespace_is_refused(echo):
    client = Client(echo, ["websocket"], namespace="/unknown")
    assert "Invalid namespace" in str(client.hear())
    client.close()


# By hand, over HTTP/2.


class Polling:
    """A session of long polling on an HTTP/2 connection of its own."""

    def __init__(self, url: str):
        self.http = httpx.Client(http2=True, verify=False, base_url=url, timeout=20, trust_env=False)
        self.sid = None
        [opened] = self.poll()
        self.sid = json.loads(opened[1:])["sid"]

    @property
    def path(self) -> str:
        return "/socket.io/?EIO=4&transport=polling" + (f"&sid={self.sid}" if self.sid else "")

    def get(self) -> httpx.Response:
        return self.http.get(self.path)

    def poll(self) -> list[str]:
        response = self.get()
        assert response.status_code == 200 and response.http_version == "HTTP/2", response.text
        return response.text.split("\x1e")

    def post(self, *packets: str) -> httpx.Response:
        return self.http.post(self.path, content="\x1e".join(packets))


def test_polling_goes_on_over_any_connection_and_loop(echo):
    session = Polling(echo)
    for number in range(8):
        # A new connection may land on another loop than the session's.
        session.http = httpx.Client(http2=True, verify=False, base_url=echo, timeout=20, trust_env=False)
        if number == 0:
            assert session.post("40").text == "ok"
            assert session.poll()[0].startswith("40{")
        session.post(f'42{number}["message-with-ack",{number}]')
        assert f"43{number}[{number}]" in session.poll()


@pytest.mark.parametrize(
    "query, code",
    [
        ("transport=polling", 5),
        ("EIO=3&transport=polling", 5),
        ("EIO=4", 0),
        ("EIO=4&transport=abc", 0),
        ("EIO=4&transport=polling&sid=nonsense", 1),
        ("EIO=4&transport=polling&sid=0-" + 32 * "0", 1),
        ("EIO=4&transport=polling&sid=zz-" + 32 * "0", 1),
    ],
)
def test_bad_requests_have_the_codes_of_the_reference(echo, query, code):
    with httpx.Client(http2=True, verify=False, trust_env=False) as http:
        response = http.get(f"{echo}/socket.io/?{query}")
        assert response.status_code == 400 and response.json()["code"] == code
        assert http.post(f"{echo}/socket.io/?EIO=4&transport=polling").json()["code"] == 2
        assert http.put(f"{echo}/socket.io/?EIO=4&transport=polling").status_code == 400


def test_a_page_of_another_origin_is_refused_and_a_body_over_the_bound_too(echo):
    with httpx.Client(http2=True, verify=False, trust_env=False) as http:
        target = f"{echo}/socket.io/?EIO=4&transport=polling"
        assert http.get(target, headers={"origin": "https://elsewhere.example"}).status_code == 403
        own = http.get(target, headers={"origin": echo})
        assert own.status_code == 200 and own.headers["access-control-allow-origin"] == echo
    session = Polling(echo)
    assert session.post("4" + 1_000_000 * "x").status_code == 413
    assert session.get().status_code == 400


@pytest.mark.parametrize("lost", ["closed", "cut off while it waits"])
def test_a_client_whose_connection_is_lost_has_its_state_again(recovering, lost):
    session = Polling(recovering)
    session.post("40")
    state = json.loads(session.poll()[0][2:])
    session.post('421["join","r"]', '42["message",1]')
    heard = session.poll()
    offset = json.loads(next(packet for packet in heard if "message-back" in packet)[2:])[-1]
    if lost != "closed":
        with pytest.raises(httpx.ReadTimeout):
            session.http.get(session.path, timeout=0.3)
    session.http.close()

    other = Client(recovering, ["websocket"])
    other.hear()
    other.ask("say", "r", "missed")
    back = Polling(recovering)
    back.post("40" + json.dumps({"pid": state["pid"], "offset": offset}))
    heard = back.poll()
    while len(heard) < 3:
        heard += back.poll()
    assert json.loads(heard[0][2:]) == state
    events = [json.loads(packet[2:])[:-1] for packet in heard[1:]]
    assert events == [["said", "missed"], ["auth", {"recovered": True}]]
    other.ask("say", "r", "not missed")
    assert "not missed" in back.poll()[0]
    other.close()
