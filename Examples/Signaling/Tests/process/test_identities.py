"""How many sessions a token's subject may have, over every transport.

SIGNALING_PROGRAM is the program to test. Needs h2, wsproto, httpx[http2] and pytest.
"""

from test_auth import SECRET, files, hello, token  # noqa: F401
from test_process import start  # noqa: F401
from test_refusals import DUPLEX, EVENTS, greeted, refused
from tunnel import Tunnel


def test_one_session_too_many_is_refused_by_every_transport(start, files):  # noqa: F811
    options = ["--token-secret-file", files("secret", SECRET), "--duplicate-identity", "reject", "--threads", "2"]
    service = start(*options)
    status, session = hello(service, token())
    assert status == 201
    status, problem = hello(service, token())
    assert (status, problem["code"]) == (409, "duplicate_identity")
    for name, make in DUPLEX.items():
        stream = make(url=service.url)
        stream.send({"t": "hello", "token": token()})
        assert refused(stream, "duplicate_identity") == (4409, "duplicate_identity"), name
    assert hello(service, None, json={"resume": session["resume"]})[0] == 200
    assert hello(service, token(sub="bob"))[0] == 201
    with service.http() as http:
        http.delete(f"/v1/sessions/{session['sid']}", headers={"authorization": f"Bearer {session['token']}"})
    assert hello(service, token())[0] == 201


def test_the_session_before_ends_on_every_transport(start, files):  # noqa: F811
    options = ["--token-secret-file", files("secret", SECRET), "--duplicate-identity", "replace", "--threads", "2"]
    service = start(*options)
    for name, make in DUPLEX.items():
        stream = greeted(make, service.url, token=token())
        assert hello(service, token())[0] == 201
        assert refused(stream, "replaced") == (4409, "replaced"), name
    for name, accept in EVENTS.items():
        status, session = hello(service, token())
        stream = Tunnel.events(session, accept, url=service.url)
        assert hello(service, token())[0] == 201
        assert refused(stream, "replaced") == ("end", ""), name
        status, problem = hello(service, None, json={"resume": session["resume"]})
        assert (status, problem["code"]) == (409, "replaced")
