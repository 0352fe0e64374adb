"""Socket.IO at the edges of the service: tokens, and its end."""

import signal

import pytest
import requests
import socketio

from test_auth import SECRET, files, token  # noqa: F401
from test_process import start  # noqa: F401


def connected(service, transports, auth, heard: list, headers=None) -> socketio.Client:
    session = requests.Session()
    session.verify = session.trust_env = False
    client = socketio.Client(ssl_verify=False, http_session=session, reconnection=False)
    client.on("*", lambda event, *data: heard.append((event, *data)))
    client.on("connect_error", lambda data: heard.append(("connect_error", data)))
    client.on("disconnect", lambda reason: heard.append(("disconnect", reason)))
    client.connect(service.url, transports=transports, auth=auth, headers=headers or {}, wait=False)
    return client


def until(client, heard: list, name: str):
    for _ in range(1000):
        found = [each for each in heard if each[0] == name]
        if found:
            return found[0][1]
        client.sleep(0.01)
    raise AssertionError(f"no {name}, but {heard}")


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_a_client_without_a_good_token_hears_the_code(start, files, transport):  # noqa: F811
    service = start("--token-secret-file", files("secret", SECRET))
    for auth, code in [
        (None, "token_missing"),
        ({"token": "x"}, "token_malformed"),
        ({"token": token("y" * 32)}, "token_signature"),
        ({"token": token(aud="other")}, "token_audience"),
    ]:
        heard: list = []
        client = connected(service, [transport], auth, heard)
        error = until(client, heard, "connect_error")
        assert error["message"] == error["data"]["code"] == code and error["data"]["detail"]
        client.disconnect()
    for auth, headers in [({"token": token()}, None), (None, {"authorization": f"Bearer {token()}"})]:
        heard = []
        client = connected(service, [transport], auth, heard, headers)
        assert until(client, heard, "welcome")["resume"]
        client.disconnect()


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_a_service_that_goes_away_says_so_and_closes(start, transport):  # noqa: F811
    service = start()
    heard: list = []
    client = connected(service, [transport], None, heard)
    until(client, heard, "welcome")
    service.process.send_signal(signal.SIGTERM)
    assert until(client, heard, "goaway")["reason"] == "draining"
    until(client, heard, "disconnect")
    assert service.process.wait(timeout=15) == 0


def test_a_client_that_sends_more_than_may_wait_is_put_out(start):  # noqa: F811
    service = start("--stream-socketio-backlog", "4KiB")
    heard: list = []
    client = connected(service, ["polling"], None, heard)
    until(client, heard, "welcome")
    # One request: all of it comes before the loop of the room has answered. Some room is on the other loop.
    for number in range(8):
        client.call("join", {"room": f"r{number}"})
    packets = [f'42["msg",{{"room":"r{number % 8}","body":"{400 * "x"}"}}]' for number in range(120)]
    with service.http() as http:
        http.post(f"/socket.io/?EIO=4&transport=polling&sid={client.eio.sid}", content="\x1e".join(packets))
    assert until(client, heard, "error")["code"] == "busy"
    assert until(client, heard, "end")["reason"] == "busy"
    until(client, heard, "disconnect")
