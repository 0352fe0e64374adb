"""The tutorial does what it says: its code, as it stands there, makes a call."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from documents import FOLDER
from service import URL

TUTORIAL = (FOLDER.parent / "Tutorial.md").read_text()


def blocks(language: str, room: str) -> list[str]:
    """The code of one language, for the service under test and a room of its own."""
    host = URL.removeprefix("https://")
    found = re.findall(rf"^```{language}\n(.*?)^```$", TUTORIAL, re.MULTILINE | re.DOTALL)
    assert found and any("localhost:8443" in block for block in found)
    return [block.replace("localhost:8443", host).replace('"tutorial"', f'"{room}"') for block in found]


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_a_session_by_hand(room, tmp_path):
    script = "set -e\n" + "\n".join(blocks("sh", room))
    result = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert result.returncode == 0, result.stderr
    assert '{"results":[{"id":"j1","ok":true}]}' in result.stdout
    assert f'"t":"joined","room":"{room}"' in result.stdout


def test_the_page_and_the_program_call_each_other(room, party, tmp_path):
    [page], [program] = blocks("html", room), blocks("python", room)
    assert page.count("\n") < 80 and program.count("\n") < 70, "it was to be short"
    ada = party("Ada")
    ada.context.route("**/call.html", lambda route: route.fulfill(body=page, content_type="text/html"))
    ada.page.goto(f"{URL}/call.html")
    ada.page.wait_for_function("document.getElementById('own').videoWidth > 0")

    (tmp_path / "peer.py").write_text(program)
    peer = subprocess.Popen(
        [sys.executable, str(tmp_path / "peer.py")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        assert peer.stdout.readline().startswith("in the room as ")
        ada.page.wait_for_function("document.querySelector('#others video')?.videoWidth > 0", timeout=30_000)
        line = peer.stdout.readline()
        assert re.fullmatch(r"ten pictures of \d+x\d+ from \d+-[0-9a-f]{32}\n", line), line
    finally:
        peer.kill()
        peer.communicate()
    ada.page.wait_for_function("!document.querySelector('#others video')", timeout=60_000)


def test_two_of_the_pages_call_each_other(room, party):
    [page] = blocks("html", room)
    people = [party("Ada"), party("Bob")]
    for person in people:
        person.context.route("**/call.html", lambda route: route.fulfill(body=page, content_type="text/html"))
        person.page.goto(f"{URL}/call.html")
        person.page.wait_for_function("document.getElementById('own').videoWidth > 0")
    for person in people:
        person.page.wait_for_function("document.querySelector('#others video')?.videoWidth > 0", timeout=30_000)
