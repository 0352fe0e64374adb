"""The tutorial does what it says: its code, as it stands there, makes a call."""

import re
import subprocess
import sys

from documents import FOLDER
from service import URL

TUTORIAL = (FOLDER.parent / "Tutorial.md").read_text()


def blocks(language: str, room: str) -> list[str]:
    """The code of one language, for the service under test and a room of its own."""
    host = URL.removeprefix("https://")
    found = re.findall(rf"^```{language}\n(.*?)^```$", TUTORIAL, re.MULTILINE | re.DOTALL)
    assert found and any("localhost:8443" in block for block in found)
    return [block.replace("localhost:8443", host).replace('"tutorial"', f'"{room}"') for block in found]


def test_a_session_by_hand(room, tmp_path):
    script = "set -e\n" + "\n".join(blocks("sh", room))
    result = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert result.returncode == 0, result.stderr
    assert '{"results":[{"id":"j1","ok":true}]}' in result.stdout
    assert f'"t":"joined","room":"{room}"' in result.stdout


def open_page(party, name: str, page: str):
    # A page that the test makes up is none of this machine's for the browser, and asks before it connects there.
    person = party(name, permissions=["camera", "microphone", "local-network-access"])
    person.context.route("**/call.html", lambda route: route.fulfill(body=page, content_type="text/html"))
    person.page.goto(f"{URL}/call.html")
    person.page.wait_for_function("document.getElementById('own').videoWidth > 0", timeout=30_000)
    return person


def see_another(person):
    person.page.wait_for_function("document.querySelector('#others video')?.videoWidth > 0", timeout=30_000)


def test_the_page_and_the_program_call_each_other(room, party, tmp_path):
    [page], [program] = blocks("html", room), blocks("python", room)
    assert page.count("\n") < 80 and program.count("\n") < 70, "they were to be short"
    ada = open_page(party, "Ada", page)
    (tmp_path / "peer.py").write_text(program)
    peer = subprocess.Popen([sys.executable, str(tmp_path / "peer.py")], stdout=subprocess.PIPE, text=True)
    try:
        assert peer.stdout.readline().startswith("in the room as ")
        see_another(ada)
        line = peer.stdout.readline()
        assert re.fullmatch(r"ten pictures of \d+x\d+ from \d+-[0-9a-f]{32}\n", line), line
    finally:
        peer.kill()
        peer.communicate()


def test_two_of_the_pages_call_each_other(room, party):
    [page] = blocks("html", room)
    people = [open_page(party, name, page) for name in ("Ada", "Bob")]
    for person in people:
        see_another(person)
