"""Socket.IO at the edges of the service: tokens, and its end."""

import signal

import pytest

from socketio_client import SocketIOClient
from test_auth import SECRET, files, token  # noqa: F401
from test_process import start  # noqa: F401


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_a_client_without_a_good_token_hears_the_code(start, files, transport):  # noqa: F811
    service = start("--token-secret-file", files("secret", SECRET))
    for auth, code in [
        (None, "token_missing"),
        ({"token": "x"}, "token_malformed"),
        ({"token": token("y" * 32)}, "token_signature"),
        ({"token": token(aud="other")}, "token_audience"),
    ]:
        client = SocketIOClient(service.url, [transport], auth)
        _, error = client.hear("connect_error")
        assert error["message"] == error["data"]["code"] == code and error["data"]["detail"]
        client.close()
    for auth, headers in [({"token": token()}, None), (None, {"authorization": f"Bearer {token()}"})]:
        client = SocketIOClient(service.url, [transport], auth, headers=headers)
        assert client.hear("welcome")[1]["resume"]
        client.close()


def test_channels_and_users_are_told_to_those_whose_token_says_so(start, files):  # noqa: F811
    service = start("--token-secret-file", files("secret", SECRET))
    for grants, answer in [
        (["join"], {"response": "error", "code": "forbidden"}),
        (["join", "list"], {"response": "users", "users": [], "format": "list"}),
    ]:
        client = SocketIOClient(service.url, ["websocket"], {"token": token(grants=grants)})
        sid = client.hear("welcome")[1]["sid"]
        client.emit("admin_enquire", {"ask": "users", "format": "list"})
        heard = client.hear("response_to_admin_enquire")[1]
        # That of before may still be there.
        if users := heard.get("users"):
            assert sid in users
            heard["users"] = []
        assert heard == answer
        client.close()


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_a_service_that_goes_away_says_so_and_closes(start, transport):  # noqa: F811
    service = start()
    client = SocketIOClient(service.url, [transport])
    client.hear("welcome")
    service.process.send_signal(signal.SIGTERM)
    assert client.hear("goaway")[1]["reason"] == "draining"
    client.hear("disconnect")
    assert service.process.wait(timeout=15) == 0


def test_a_client_that_sends_more_than_may_wait_is_put_out(start):  # noqa: F811
    service = start("--stream-socketio-backlog", "4KiB")
    client = SocketIOClient(service.url, ["polling"])
    client.hear("welcome")
    # One request: all of it comes before the loop of the room has answered. Some room is on the other loop.
    for number in range(8):
        client.ask("join", {"room": f"r{number}"})
    packets = [f'42["msg",{{"room":"r{number % 8}","body":"{400 * "x"}"}}]' for number in range(120)]
    with service.http() as http:
        http.post(f"/socket.io/?EIO=4&transport=polling&sid={client.engine_sid}", content="\x1e".join(packets))
    assert client.hear("error")[1]["code"] == "busy"
    assert client.hear("end")[1]["reason"] == "busy"
    client.hear("disconnect")
