"""Development mode for other machines: what `--dev-lan` prints, where it listens, and whom it lets in.

SIGNALING_PROGRAM is the program to test; without it, the release build of this package.
"""

import re
import shutil
import socket
import ssl
import subprocess

import httpx
import jwt
import pytest
from cryptography import x509
from playwright.sync_api import expect, sync_playwright
from test_process import PROGRAM


@pytest.fixture
def network(tmp_path):
    """A service for the network; gives its links and itself. What it logs stands in the file `log`."""
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [PROGRAM, "--dev-lan", "--port", "0", "--threads", "2"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={"XDG_CACHE_HOME": str(tmp_path)},
        )
    addresses = own_addresses()
    lines = [process.stdout.readline() for _ in range(1 + len(addresses))]
    links = [re.fullmatch(r"signaling: open (https://\S+):(\d+)/#([\w-]+)\?token=(\S+)\n", line) for line in lines]
    assert all(links), lines
    yield links, tmp_path
    process.terminate()
    assert process.wait(20) == 0
    process.stdout.close()


def own_addresses() -> list[str]:
    """Those of all interfaces, without loopback and what is good on one link only."""
    return sorted(subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=True).stdout.split())


def test_each_address_has_a_link_whose_token_opens_its_room_and_no_other(network):
    links, _ = network
    assert sorted(link[1].removeprefix("https://").strip("[]") for link in links) == sorted(
        ["localhost", *own_addresses()]
    )
    for _, (base, port, room, token) in ((link, link.groups()) for link in links):
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["rooms"] == [room] and 0 < claims["exp"] - claims["iat"] <= 3600
        with httpx.Client(http2=True, verify=False, base_url=f"{base}:{port}", timeout=10) as http:
            assert http.get("/").status_code == 200
            assert http.post("/v1/sessions").json()["code"] == "token_missing"
            hello = http.post("/v1/sessions", headers={"authorization": f"Bearer {token}"})
            assert hello.status_code == 201
            session = hello.json()
            auth = {"authorization": f"Bearer {session['token']}"}
            joins = [{"t": "join", "room": room}, {"t": "join", "room": "other"}]
            results = http.post(f"/v1/sessions/{session['sid']}/messages", headers=auth, json=joins).json()["results"]
            assert [result.get("error", {}).get("code", "ok") for result in results] == ["ok", "forbidden"]


def test_a_page_that_a_link_opens_enters_its_room(network):
    links, _ = network
    base, port, room, token = links[1].groups()
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        context = browser.new_context(ignore_https_errors=True, viewport={"width": 390, "height": 844})
        page = context.new_page()
        page.goto(f"{base}:{port}/#{room}?token={token}")
        page.get_by_label("Your name").fill("Ada")
        page.get_by_role("button", name="Enter room").click()
        expect(page.locator("#place-name")).to_have_text(room, timeout=20_000)
        assert "token" not in page.url, "it is not left where others read it"
        browser.close()


def test_the_certificate_has_the_addresses_and_the_log_warns_without_a_token(network):
    links, folder = network
    port = int(links[0][2])
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("localhost", port)) as plain, context.wrap_socket(plain) as secure:
        certificate = x509.load_der_x509_certificate(secure.getpeercert(True))
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    assert addresses >= set(own_addresses())
    log = (folder / "log").read_text()
    assert "DEVELOPMENT MODE ON THE NETWORK" in log
    assert not any(link[4] in log for link in links)


@pytest.mark.parametrize(
    "options, words",
    [
        (["--plaintext"], "--plaintext"),
        (["--host", "127.0.0.1"], "--host"),
        (["--token-secret-file", "secret"], "a key for each run"),
    ],
)
def test_it_goes_with_nothing_that_a_deployment_has(options, words, tmp_path):
    (tmp_path / "secret").write_text("x" * 32)
    result = subprocess.run(
        [PROGRAM, "--dev-lan", *options], capture_output=True, text=True, timeout=20, cwd=tmp_path
    )
    assert result.returncode == 64 and words in result.stderr and result.stderr.count("\n") == 1
