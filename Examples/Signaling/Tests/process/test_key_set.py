"""Keys of tokens from a URL: an issuer that publishes them over HTTPS, rotates them, goes away, and answers nonsense.

SIGNALING_PROGRAM is the program to test; without it, the release build of this package.
"""

import json
import re
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from test_auth import hello, token
from test_process import PROGRAM


class Issuer:
    """Publishes what `answer` says: a list of keys, bytes, a status, or None to say nothing."""

    def __init__(self, folder, port: int = 0):
        issuer = self
        self.answer: object = []
        self.cache = "max-age=3600"
        self.asked = 0
        self.gone = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked += 1
                answer = issuer.answer
                if answer is None:
                    issuer.gone.wait(30)
                    return
                body = answer if isinstance(answer, bytes) else json.dumps({"keys": answer}).encode()
                self.send_response(answer if isinstance(answer, int) else 200)
                self.send_header("cache-control", issuer.cache)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "issuer.pem", folder / "issuer.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.url = f"https://localhost:{self.port}/jwks.json"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.gone.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the issuer's certificate is, which is the only authority that programs trust."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        + ["-keyout", tmp_path / "issuer.key", "-out", tmp_path / "issuer.pem"],
        check=True,
        capture_output=True,
    )
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "issuer.pem"))
    return tmp_path


@pytest.fixture
def issuer(folder):
    made = Issuer(folder)
    yield made
    made.stop()


class Key:
    def __init__(self, kid: str):
        self.kid = kid
        self.key = ec.generate_private_key(ec.SECP256R1())
        public = jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        self.public = public | {"kid": kid, "use": "sig"}

    def token(self) -> str:
        return token(self.key, "ES256", {"kid": self.kid})


OLD, NEW, MADE_UP = Key("old"), Key("new"), Key("made-up")


class Guarded:
    """A service whose keys are an issuer's, and its operator."""

    def __init__(self, url: str, *options: str):
        self.process = subprocess.Popen(
            [PROGRAM, "--port", "0", "--threads", "2", "--admin-port", "0", "--token-jwks", url, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.url = re.search(r"https://\S+", self.process.stdout.readline())[0]
        self.admin = httpx.Client(base_url=re.search(r"http://\S+", self.process.stdout.readline())[0], timeout=10)

    def http(self) -> httpx.Client:
        return httpx.Client(http2=True, verify=False, base_url=self.url, timeout=20)

    def fetches(self, outcome: str) -> int:
        text = self.admin.get("/metrics").text
        return int(re.search(rf'signaling_key_set_fetches_total{{outcome="{outcome}"}} (\d+)', text)[1])

    def says(self, key: Key) -> str:
        status, body = hello(self, key.token())
        return "in" if status == 201 else body["code"]

    def stop(self) -> str:
        self.admin.close()
        self.process.terminate()
        _, log = self.process.communicate(timeout=20)
        assert self.process.returncode == 0
        return log


@pytest.fixture
def guard():
    services: list[Guarded] = []

    def make(*arguments: str) -> Guarded:
        services.append(Guarded(*arguments))
        return services[-1]

    yield make
    for service in services:
        if service.process.poll() is None:
            service.process.kill()
            service.process.communicate()


def until(condition, seconds: float = 30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_rotated_key_is_found_when_a_token_names_it(issuer, guard):
    issuer.answer = [OLD.public]
    service = guard(issuer.url, "--token-jwks-interval", "100ms")
    until(lambda: service.admin.get("/readyz").status_code == 200)
    assert service.says(OLD) == "in" and issuer.asked == 1
    issuer.answer = [NEW.public]
    time.sleep(0.2)
    assert service.says(NEW) == "in"
    assert service.says(OLD) == "token_key", "what the issuer has taken back is good no longer"
    service.stop()


def test_made_up_names_cost_the_issuer_nothing(issuer, guard):
    issuer.answer = [OLD.public]
    service = guard(issuer.url, "--token-jwks-interval", "1h")
    until(lambda: service.admin.get("/readyz").status_code == 200)
    assert [service.says(MADE_UP) for _ in range(5)] == ["token_key"] * 5
    assert service.says(OLD) == "in" and issuer.asked == 1
    service.stop()


def test_keys_are_fetched_again_before_they_are_old(issuer, guard):
    issuer.answer, issuer.cache = [OLD.public], "public, max-age=1"
    service = guard(issuer.url, "--token-jwks-interval", "100ms")
    until(lambda: service.fetches("ok") >= 3)
    assert "signaling_key_set_keys 1\n" in service.admin.get("/metrics").text
    service.stop()


@pytest.mark.parametrize(
    "answer, reason",
    [
        (500, "status 500"),
        (b"<html>", "no JSON Web Key Set"),
        (b"[" * 300_000, "over 262144 bytes"),
        ([OLD.public] * 101, "over 100 keys"),
        (None, "request_timeout"),
    ],
    ids=["error", "garbage", "too large", "too many", "silence"],
)
def test_the_old_keys_stay_while_the_issuer_fails(issuer, guard, answer, reason):
    issuer.answer, issuer.cache = [OLD.public], "no-cache"
    service = guard(issuer.url, "--token-jwks-interval", "200ms", "--token-jwks-timeout", "500ms")
    until(lambda: service.admin.get("/readyz").status_code == 200)
    issuer.answer = answer
    until(lambda: service.fetches("failed") >= 2)
    assert service.says(OLD) == "in" and service.admin.get("/readyz").status_code == 200
    issuer.gone.set()
    issuer.answer = [NEW.public]
    fetched = service.fetches("ok")
    until(lambda: service.fetches("ok") > fetched)
    assert service.says(NEW) == "in"
    log = service.stop()
    assert "the old ones stay" in log and reason in log, log


def test_a_service_waits_for_an_issuer_that_is_away_and_is_not_ready(folder, guard):
    away = Issuer(folder)
    away.stop()
    service = guard(away.url, "--token-jwks-interval", "100ms")
    for path in ("/readyz", "/startupz"):
        answer = service.admin.get(path)
        assert (answer.status_code, answer.text) == (503, "waiting for the keys of tokens\n")
    assert service.admin.get("/livez").status_code == 200
    with service.http() as http:
        refused = http.post("/v1/sessions", headers={"authorization": f"Bearer {OLD.token()}"})
        assert (refused.status_code, refused.json()["code"]) == (503, "keys_unavailable")
        assert int(refused.headers["retry-after"]) > 0
        assert http.post("/v1/sessions").json()["code"] == "token_missing"
    back = Issuer(folder, away.port)
    back.answer = [OLD.public]
    until(lambda: service.admin.get("/readyz").status_code == 200)
    assert service.admin.get("/startupz").status_code == 200 and service.says(OLD) == "in"
    assert "nobody gets in" in service.stop()
    back.stop()


def test_an_issuer_that_nobody_vouches_for_is_not_believed(issuer, guard, monkeypatch):
    issuer.answer = [OLD.public]
    monkeypatch.delenv("SSL_CERT_FILE")
    service = guard(issuer.url, "--token-jwks-interval", "100ms")
    until(lambda: service.fetches("failed") >= 1)
    assert service.says(OLD) == "keys_unavailable" and issuer.asked == 0
    assert "does not verify" in service.stop()
