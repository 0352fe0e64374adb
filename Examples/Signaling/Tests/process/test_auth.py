"""Who may come in: tokens of all algorithms against the program, its `token` command, origins, and relays.

SIGNALING_PROGRAM is the program to test; without it, the release build of this package.
"""

import base64
import hashlib
import hmac
import json
import re
import shutil
import socket
import ssl
import subprocess
import time

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from test_process import PROGRAM, start  # noqa: F401

SECRET = "0123456789abcdef0123456789abcdef"
PREVIOUS = "fedcba9876543210fedcba9876543210"


def claims(**changes) -> dict:
    all_claims = {"iss": "signaling", "aud": "signaling", "sub": "ada", "exp": time.time() + 600, "rooms": ["*"]}
    all_claims |= changes
    return {name: value for name, value in all_claims.items() if value is not None}


def token(key=SECRET, algorithm="HS256", headers=None, **changes) -> str:
    return jwt.encode(claims(**changes), key, algorithm, headers)


def public(key) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def private(key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


KEYS = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


@pytest.fixture
def files(tmp_path):
    def write(name: str, contents: str | bytes) -> str:
        path = tmp_path / name
        path.write_bytes(contents.encode() if isinstance(contents, str) else contents)
        return str(path)

    return write


def hello(service, bearer: str | None, **options) -> tuple[int, dict]:
    headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
    with service.http() as http:
        answer = http.post("/v1/sessions", headers=headers | options.pop("headers", {}), **options)
        return answer.status_code, answer.json()


def test_each_refusal_of_a_token_has_its_code(start, files):  # noqa: F811
    service = start("--token-secret-file", files("secret", SECRET), "--token-leeway", "5")
    assert hello(service, token())[0] == 201
    now = time.time()
    refused = {
        "token_missing": [None],
        "token_malformed": ["x", "a.b.c", token(headers={"crit": ["exp"]}), "x" * 9000],
        "token_key": [token(KEYS["ES256"], "ES256"), jwt.encode(claims(), "", "none")],
        "token_signature": [token("y" * 32), token()[:-4] + "AAAA"],
        "token_expired": [token(exp=now - 10)],
        "token_not_yet_valid": [token(nbf=now + 60)],
        "token_issuer": [token(iss="who"), token(iss=None)],
        "token_audience": [token(aud="other"), token(aud=None)],
        "token_claims": [
            token(exp=None),
            token(exp="soon"),
            token(exp=1e300),
            token(sub=None),
            token(sub=""),
            token(sub="a" * 129),
            token(rooms="r"),
            token(rooms=["r"] * 65),
            token(rooms=[""]),
            token(grants=["fly"]),
            token(max_peers=0),
            token(name=""),
            token(fingerprints=["f"] * 17),
        ],
    }
    for code, tokens in refused.items():
        for bad in tokens:
            status, problem = hello(service, bad)
            assert (status, problem["code"]) == (401, code), bad
    assert hello(service, token(exp=now - 2))[0] == 201, "within the leeway"
    assert hello(service, token(aud=["x", "signaling"]))[0] == 201
    status, problem = hello(service, token(), params={"token": "x"})
    assert (status, problem["code"]) == (400, "token_in_url")


def test_a_token_in_a_url_counts_where_the_operator_allows_it(start, files):  # noqa: F811
    secret = files("secret", SECRET)
    strict = start("--token-secret-file", secret, "--log-level", "trace")
    lenient = start("--token-secret-file", secret, "--log-level", "trace", "--tokens-in-urls")
    good, bad = token(), token("y" * 32)
    used = [good, bad]

    def socket_says(service, query: str) -> str:
        """What a WebSocket is told after its hello, or the code of what refuses it."""
        url = service.url.replace("https", "wss") + f"v1/ws?{query}"
        context = ssl._create_unverified_context()
        try:
            with connect(url, ssl=context, subprotocols=["signal.v1.json"]) as web_socket:
                web_socket.send(json.dumps({"t": "hello"}))
                said = json.loads(web_socket.recv(10))
                return said.get("code") or said["t"]
        except InvalidStatus as refusal:
            return json.loads(refusal.response.body)["code"]

    assert socket_says(strict, f"access_token={good}") == "token_in_url"
    assert socket_says(lenient, f"access_token={good}") == "welcome"
    assert socket_says(lenient, f"access_token={bad}") == "token_signature"
    assert socket_says(lenient, f"token={good}") == "token_in_url"
    assert socket_says(lenient, f"access_token={good}&access_token={good}") == "token_in_url"
    for service in (strict, lenient):
        _, session = hello(service, good)
        used.append(session["token"])
        query = {"access_token": session["token"], "wait": "0"}
        with service.http() as http:
            path = f"/v1/sessions/{session['sid']}/events"
            poll = http.get(path, params=query, headers={"accept": "application/json"})
            assert (poll.json().get("code") if service is strict else poll.status_code) in ("token_in_url", 200)
            if service is lenient:
                assert http.get(path, params={"access_token": "x", "wait": "0"}).json()["code"] == "unauthorized"
        assert hello(service, good, params={"access_token": good})[1]["code"] == "token_in_url"
        _, log = service.stop()
        assert not any(secret in log for secret in used)


def test_tokens_of_all_algorithms_and_of_the_previous_secret_are_good(start, files):  # noqa: F811
    options = ["--token-secret-file", files("secret", SECRET + "\n")]
    options += ["--token-previous-secret-file", files("previous", PREVIOUS)]
    for name, key in KEYS.items():
        options += ["--token-key-file", files(name, public(key))]
    service = start(*options)
    for good in [token(), token(PREVIOUS), *(token(key, name) for name, key in KEYS.items())]:
        assert hello(service, good)[0] == 201
    stranger = ec.generate_private_key(ec.SECP256R1())
    assert hello(service, token(stranger, "ES256"))[1]["code"] == "token_signature"
    # The public key is no secret, whatever a token says of its algorithm.
    head, body = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "HS256"}, claims()))
    code = hmac.new(public(KEYS["RS256"]), head + b"." + body, hashlib.sha256).digest()
    forged = b".".join([head, body, base64.urlsafe_b64encode(code).rstrip(b"=")]).decode()
    assert hello(service, forged)[1]["code"] == "token_signature"


def test_keys_of_a_set_are_told_apart_by_kid(start, files):  # noqa: F811
    makers = {"RS256": jwt.algorithms.RSAAlgorithm, "ES256": jwt.algorithms.ECAlgorithm, "EdDSA": jwt.algorithms.OKPAlgorithm}
    keys = [makers[name].to_jwk(key.public_key(), as_dict=True) | {"kid": name} for name, key in KEYS.items()]
    keys.append({"kty": "new", "kid": "unknown"})
    service = start("--token-jwks", files("jwks.json", json.dumps({"keys": keys})))
    for name, key in KEYS.items():
        assert hello(service, token(key, name, {"kid": name}))[0] == 201, name
        assert hello(service, token(key, name, {"kid": "other"}))[1]["code"] == "token_key"


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([PROGRAM, "token", *arguments], capture_output=True, text=True, timeout=60)


def test_the_command_makes_and_checks_tokens(start, files):  # noqa: F811
    secret = files("secret", SECRET)
    made = run("mint", "--secret-file", secret, "--subject", "ada", "--room", "team-*", "--max-peers", "3")
    minted = made.stdout.strip()
    read = jwt.decode(minted, SECRET, ["HS256"], audience="signaling", issuer="signaling")
    assert (read["sub"], read["rooms"], read["max_peers"]) == ("ada", ["team-*"], 3)
    checked = run("check", "--secret-file", secret, minted)
    assert "subject: ada\nrooms: team-*\ngrants: join call publish\nmax_peers: 3\n" in checked.stdout
    refused = run("check", "--secret-file", files("other", PREVIOUS), minted)
    assert refused.returncode == 64 and "token_signature" in refused.stderr
    for name, key in KEYS.items():
        made = run("mint", "--key-file", files(f"{name}.pem", private(key)), "--kid", name, "--subject", "bob")
        assert jwt.get_unverified_header(made.stdout.strip()) == {"alg": name, "kid": name, "typ": "JWT"}
        jwt.decode(made.stdout.strip(), key.public_key(), [name], audience="signaling")
    assert run("mint", "--secret-file", files("short", "short"), "--subject", "x").returncode == 64
    assert run("mint", "--key-file", files("public", public(KEYS["ES256"])), "--subject", "x").returncode == 64


def test_grants_hold_and_a_token_is_refreshed_in_band(start, files):  # noqa: F811
    service = start("--token-secret-file", files("secret", SECRET))
    _, session = hello(service, token(rooms=["red"], grants=["join"]))
    with service.http() as http:
        def send(message: dict) -> str:
            answer = http.post(
                f"/v1/sessions/{session['sid']}/messages", json=message,
                headers={"authorization": f"Bearer {session['token']}"},
            )
            result = answer.json()["results"][0]
            return result["error"]["code"] if "error" in result else "ok"

        assert send({"t": "join", "room": "red"}) == "ok"
        assert send({"t": "join", "room": "blue"}) == "forbidden"
        assert send({"t": "msg", "room": "red", "body": {}}) == "forbidden"
        assert send({"t": "token_refresh", "token": token("y" * 32)}) == "token_signature"
        assert send({"t": "token_refresh", "token": token(sub="eve")}) == "token_subject"
        assert send({"t": "token_refresh", "token": token(rooms=["blue"])}) == "ok"
        assert send({"t": "join", "room": "blue"}) == "ok"


def test_pages_of_other_origins_are_kept_out(start, files):  # noqa: F811
    service = start("--allow-origin", "https://app.example")
    for origin, status in [
        ("https://app.example", 201),
        (service.url.rstrip("/"), 201),
        ("https://evil.example", 403),
        ("https://app.example.evil.example", 403),
        ("null", 403),
    ]:
        answer, body = hello(service, None, headers={"origin": origin})
        assert answer == status, origin
        if status == 403:
            assert body["code"] == "origin_not_allowed"
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    with service.http() as http:
        allowed = http.options("/v1/sessions", headers=asked | {"origin": "https://app.example"})
        assert allowed.status_code == 204
        assert allowed.headers["access-control-allow-origin"] == "https://app.example"
        assert "authorization" in allowed.headers["access-control-allow-headers"]
        assert http.options("/v1/sessions", headers=asked | {"origin": "https://evil.example"}).status_code == 403


# --- Relays


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture
def relay(tmp_path):
    """coturn, with a secret of its own."""
    assert shutil.which("turnserver"), "coturn is missing; install it with: apt-get install coturn"
    port = free_port()
    log = tmp_path / "turn.log"
    process = subprocess.Popen(
        ["turnserver", "-n", "--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1", "-p", str(port),
         "--use-auth-secret", "--static-auth-secret", SECRET, "--realm", "example.org", "--no-tls", "--no-dtls",
         "--no-cli", "--allow-loopback-peers", "--log-file", str(log), "--simple-log", "--pidfile", str(tmp_path / "pid"),
         "--userdb", str(tmp_path / "db")],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    for _ in range(200):
        if log.exists() and "initialization" in log.read_text().lower():
            break
        time.sleep(0.05)
    yield port
    process.kill()
    process.wait()


def allocates(port: int, username: str, password: str) -> bool:
    """Sends packets through a relay of coturn's own client."""
    result = subprocess.run(
        ["turnutils_uclient", "-y", "-n", "1", "-c", "-u", username, "-w", password, "-p", str(port), "127.0.0.1"],
        capture_output=True, text=True, timeout=60,
    )
    return result.returncode == 0 and "Total lost packets 0" in result.stdout


def test_whip_names_relays_with_credentials_that_allocate(start, files, relay):  # noqa: F811
    url = f"turn:127.0.0.1:{relay}?transport=udp"
    service = start(
        "--token-secret-file", files("secret", SECRET),
        "--turn", f"here {files('turn', SECRET)} 600 {url} turn:192.0.2.1",
    )
    def auth(**changes) -> dict:
        return {"authorization": f"Bearer {token(**changes)}"}

    def links(response) -> list[str]:
        return response.headers.get_list("link")

    with service.http() as http:
        offered = links(http.options("/whip/r", headers=auth(sub='"a\\b')))
        assert len(offered) == 2
        expected = r'<(turn:\S+)>; rel="ice-server"; username="(.+)"; credential="(\S+)"; credential-type="password"'
        found = [re.fullmatch(expected, link) for link in offered]
        assert all(found), offered
        assert [match[1] for match in found] == [url, "turn:192.0.2.1"]
        assert found[0][2].endswith(r':\"a\\b'), "a quoted string"
        username, credential = re.fullmatch(expected, links(http.options("/whep/r", headers=auth()))[0]).group(2, 3)
        assert allocates(relay, username, credential)
        for headers in ({}, auth(rooms=["other"]), {"authorization": "Bearer x"}):
            assert links(http.options("/whip/r", headers=headers)) == [], headers


def test_credentials_allocate_a_relay(start, files, relay):  # noqa: F811
    secret = files("turn", SECRET)
    service = start(
        "--token-secret-file", files("secret", SECRET),
        "--turn", f"here {secret} 600 turn:127.0.0.1:{relay}?transport=udp",
        "--turn", f"there {secret} 60 turn:192.0.2.1 turns:192.0.2.1",
    )
    headers = {"authorization": f"Bearer {token()}"}
    with service.http() as http:
        here = http.get("/v1/ice", headers=headers).json()
        there = http.get("/v1/ice", params={"region": "there"}, headers=headers).json()
        nowhere = http.get("/v1/ice", params={"region": "nowhere"}, headers=headers)
        assert http.get("/v1/ice").json()["code"] == "token_missing"
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "no_such_region")
    assert (there["region"], there["ttl"], len(there["ice_servers"][0]["urls"])) == ("there", 60, 2)
    server = here["ice_servers"][0]
    assert server["urls"] == [f"turn:127.0.0.1:{relay}?transport=udp"]
    expiry, subject = server["username"].split(":")
    assert subject == "ada" and abs(int(expiry) - time.time() - 600) < 60
    _, session = hello(service, token())
    assert session["ice_servers"][0]["urls"] == server["urls"]
    assert allocates(relay, server["username"], server["credential"])
    assert not allocates(relay, server["username"], "wrong")
