"""Sessions that have to move: a drain that is undone, one that ends the service, and a service that is killed.

SIGNALING_PROGRAM is the program to test. Needs h2, wsproto, httpx[http2] and pytest.
"""

import signal
import threading
import time
from contextlib import contextmanager

import pytest
from member import KINDS, Member
from test_admin import operated, within  # noqa: F401
from test_process import Client, start  # noqa: F401

ROOM = "r"


@pytest.fixture
def keys(tmp_path):
    path = tmp_path / "tickets"
    path.write_text("k" * 40 + "\n")
    return ["--ticket-secret-file", str(path), "--drain-spread", "100ms"]


def members(url, of_each=2):
    made = [Member(kind, url) for kind in KINDS for _ in range(of_each)]
    for member in made:
        member.send({"t": "join", "room": ROOM})
        member.hear("joined", room=ROOM)
    return made


@contextmanager
def talk(url):
    """Numbers for all members, all the time."""
    over, sent = threading.Event(), []

    def run(client):
        while not over.wait(0.05):
            assert client.send({"t": "msg", "room": ROOM, "body": len(sent)}) == ["ok"]
            sent.append(len(sent))

    talker = Member("websocket-h2", url)
    talker.send({"t": "join", "room": ROOM})
    client = Client(talker.http)
    client.path, client.auth = talker.path, talker.auth
    thread = threading.Thread(target=run, args=(client,))
    thread.start()
    try:
        yield sent
    finally:
        over.set()
        thread.join(30)
        talker.close()


def numbers(member):
    return [event["body"] for event in member.heard if event["t"] == "msg"]


def until_number(member, number):
    while number not in numbers(member)[-1:]:
        member.take()


def test_a_drain_that_is_undone_loses_nothing_on_any_transport(operated, keys):  # noqa: F811
    service = operated("--drain-timeout", "8", *keys)
    everyone = members(service.url)
    with talk(service.url) as sent:
        within(20, lambda: len(sent) > 5)
        began = time.monotonic()
        assert service.admin.put("/v1/drain").json()["draining"]
        for member in everyone:
            member.hear("goaway")
        assert time.monotonic() - began < 8, "the deadline"
        during = len(sent)
        assert service.admin.get("/v1/drain").json()["left"] == 0
        within(20, lambda: len(sent) > during + 5)
        service.admin.delete("/v1/drain")
        for member, kind in zip(everyone, KINDS[1:] * len(everyone)):
            member.close()
            member.open(kind, service.url)
            assert member.resumed == "yes", kind
        after = len(sent)
        within(20, lambda: len(sent) > after + 5)
    for member in everyone:
        until_number(member, sent[-1])
        assert numbers(member) == sent, member.kind
        member.close()


def moved(everyone, url):
    """All come back to a service that does not know them, with what they know of themselves."""
    for member in everyone:
        before = member.hello
        member.close()
        member.open(member.kind, url)
        assert member.resumed == "no", "the other service has nothing of it"
        assert member.sid == before["sid"] and member.hello["epoch"] > before["epoch"]
        assert member.hello["token"] != before["token"]
    for member in everyone:
        member.send({"t": "join", "room": ROOM})
        member.hear("joined", room=ROOM)


def negotiate(one, other, call):
    about = {"room": ROOM, "call": call, "neg": 1, "body": {"sdp": "v=0\r\na=ice-ufrag:u\r\n"}}
    one.send({"t": "offer", "to": {"peer": other.sid}, **about})
    other.hear("offer", call=call)
    other.send({"t": "answer", "to": {"peer": one.sid}, **about})
    one.hear("answer", call=call)


def test_a_drain_under_load_moves_every_session_of_every_transport_to_another_service(operated, keys):  # noqa: F811
    old, new = operated("--drain-timeout", "8", *keys), operated(*keys)
    everyone = members(old.url)
    over, rounds = threading.Event(), []

    def load():
        """Rooms that come and go, until the service does."""
        with old.http() as http:
            client = Client(http)
            try:
                while not over.is_set():
                    rounds.append(client.send({"t": "join", "room": "x"}, {"t": "leave", "room": "x"}))
            except Exception:
                over.set()

    thread = threading.Thread(target=load)
    thread.start()
    within(20, lambda: len(rounds) > 10)
    old.process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    for member in everyone:
        member.hear("goaway")
    assert time.monotonic() - began < 8, "the deadline"
    moved(everyone, new.url)
    for one, other in zip(everyone, everyone[1:]):
        negotiate(one, other, f"{one.sid[:8]}{other.sid[:8]}"[:100])
    assert old.process.wait(30) == 0
    over.set()
    thread.join(30)
    for member in everyone:
        member.close()


def test_after_a_kill_in_the_middle_of_negotiation_every_client_learns_that_all_is_lost(start, keys):  # noqa: F811
    service = start(*keys)
    everyone = members(service.url, of_each=1)
    pairs = list(zip(everyone, [*everyone[1:], everyone[0]]))
    for number, (one, other) in enumerate(pairs):
        about = {"room": ROOM, "call": f"c{number}", "neg": 1, "body": {"sdp": "v=0"}}
        one.send({"t": "offer", "to": {"peer": other.sid}, **about})
    service.process.kill()
    service.process.wait()
    again = start(*keys, "--port", str(service.port))
    moved(everyone, again.url)
    for number, (one, other) in enumerate(pairs):
        negotiate(one, other, f"c{number}")
    for member in everyone:
        member.close()
