"""Files under --root by curl, node, h2load and raw sockets."""

import email
import hashlib
import os
import re
import subprocess
import threading
import time

import pytest

from conftest import TRANSPORTS
from showcase import Peer, Showcase, run

BIG = 1 << 30


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A site, old enough for its entity tags to be strong ones; beside it what must not be served."""
    outer = tmp_path_factory.mktemp("files")
    root = outer / "site"
    (root / "docs").mkdir(parents=True)
    (outer / "secret").write_text("secret")
    (root / "hello.txt").write_text("Hello, files!\n")
    (root / "docs" / "index.html").write_text("<h1>docs</h1>")
    (root / "body.bin").write_bytes(os.urandom(5_000_000))
    (root / "code.js").write_text("let answer = 42;\n" * 1000)
    (root / "code.js.gz").write_bytes(subprocess.run(["gzip", "-9c", root / "code.js"], capture_output=True, check=True).stdout)
    (root / "out").symlink_to("../secret")
    os.mkfifo(root / "pipe")
    with open(root / "big", "wb") as file:
        file.truncate(BIG)
    for path in root.rglob("*"):
        if not path.is_symlink() and not path.is_fifo():
            os.utime(path, (1_700_000_000, 1_700_000_000))
    return root


@pytest.fixture(params=TRANSPORTS)
def files(request, root):
    options, http = TRANSPORTS[request.param]
    showcase = Showcase("--threads", "2", "--root", str(root), *options, http=http)
    yield showcase
    log = showcase.stop()
    assert " error " not in log and "Fatal" not in log, log


@pytest.fixture
def secure(root):
    showcase = Showcase("--threads", "1", "--root", str(root))
    yield showcase
    showcase.stop()


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def status(server, path, *options):
    return server.curl(path, "-o", "/dev/null", "-w", "%{http_code}", *options).stdout


def head(server, path, *options):
    """The fields of a response."""
    lines = server.curl(path, "-o", "/dev/null", "-D-", *options).stdout.strip().split("\n\n")[-1].splitlines()
    return dict(line.strip().lower().split(": ", 1) for line in lines if ": " in line)


def test_without_a_root_there_are_no_files(one_loop):
    assert status(one_loop, "/files/hello.txt") == "404"
    assert "--root" in one_loop.process.stdout.readline()


def test_a_root_that_is_none_is_said_at_once():
    done = run(os.environ["SHOWCASE"], "--root", "/nonexistent", check=False)
    assert done.returncode != 0 and "/nonexistent" in done.stderr


def test_files_by_curl(files, root, tmp_path):
    assert files.curl("/files/hello.txt").stdout == "Hello, files!\n"
    fields = head(files, "/files/hello.txt")
    assert fields["content-type"] == "text/plain; charset=utf-8"
    assert fields["last-modified"] == "tue, 14 nov 2023 22:13:20 gmt"
    assert head(files, "/files/hello.txt", "-I")["content-length"] == "14"
    files.curl("/files/body.bin", "-o", str(tmp_path / "got"))
    assert digest(tmp_path / "got") == digest(root / "body.bin")
    assert head(files, "/files/docs?a=1")["location"] == "./docs/?a=1"
    if files.http != "--http2-prior-knowledge":  # curl 7.88 ends such a connection itself when it follows a redirect.
        assert files.curl("/files/docs", "-L").stdout == "<h1>docs</h1>"
    assert status(files, "/files/hello.txt", "-X", "DELETE") == "405"


def test_a_download_is_resumed(files, root, tmp_path):
    got = tmp_path / "got"
    got.write_bytes((root / "body.bin").read_bytes()[:1_234_567])
    files.curl("/files/body.bin", "-C", "-", "-o", str(got))
    assert digest(got) == digest(root / "body.bin")


def test_conditions(files):
    tag = re.search(r"etag: (\S+)", files.curl("/files/hello.txt", "-D-").stdout)[1]
    assert status(files, "/files/hello.txt", "-H", f"if-none-match: {tag}") == "304"
    assert status(files, "/files/hello.txt", "-z", "Tue, 14 Nov 2023 22:13:20 GMT") == "304"
    assert status(files, "/files/hello.txt", "-z", "Tue, 14 Nov 2023 22:13:19 GMT") == "200"
    assert status(files, "/files/hello.txt", "-H", 'if-match: "other"') == "412"
    assert status(files, "/files/body.bin", "-r", "0-9", "-H", f"if-range: {tag}") == "200"


def test_ranges(files, root):
    body = (root / "body.bin").read_bytes()
    done = subprocess.run(
        ["curl", "-sk", files.http, "-r", "100-199,1000-1009,-5", "-D-", files.url + "/files/body.bin"],
        capture_output=True, timeout=60, check=True).stdout
    headers, content = done.split(b"\r\n\r\n", 1)
    kind = re.search(rb"content-type: (multipart/byteranges[^\r]*)", headers)[1]
    parts = email.message_from_bytes(b"content-type: " + kind + b"\r\n\r\n" + content).get_payload()
    assert [part["content-range"] for part in parts] == [
        "bytes 100-199/5000000", "bytes 1000-1009/5000000", "bytes 4999995-4999999/5000000"]
    assert body[1000:1010] in content
    assert status(files, "/files/body.bin", "-r", "5000000-") == "416"
    assert status(files, "/files/body.bin", "-r", ",".join(f"{n}000-{n}001" for n in range(17))) == "200"


def test_a_compressed_sibling(files, root):
    packed = head(files, "/files/code.js", "-H", "accept-encoding: gzip")
    assert packed["content-encoding"] == "gzip" and packed["vary"] == "accept-encoding"
    assert files.curl("/files/code.js", "--compressed").stdout == (root / "code.js").read_text()
    assert "content-encoding" not in head(files, "/files/code.js")


PATHS = [
    "/files/../secret", "/files/%2e%2e/secret", "/files/..%2fsecret", "/files/%2e%2e%2fsecret", "/files/..%5csecret",
    "/files/..\\secret", "/files/docs/../../secret", "/files/.../secret", "/files//secret", "/files/%00", "/files/secret%00.txt",
    "/files/out", "/files/pipe", "/files/%252e%252e/secret", "/files/%c0%ae%c0%ae/secret", "/files/./../secret",
    "//files/../secret", "/files/%", "/files/" + "../" * 20 + "etc/passwd", "/files/" + "a/" * 2000 + "b",
]


@pytest.mark.parametrize("path", PATHS)
def test_no_path_leads_out(secure, path):
    peer = Peer(secure.port)
    fields, body, _ = peer.response(peer.request("GET", path))
    assert fields[":status"] in ("400", "404") and b"secret" not in body and b"root:" not in body
    peer.close()


NODE = """
const http2 = require('http2');
const crypto = require('crypto');
const client = http2.connect(process.argv[1], {rejectUnauthorized: false});
const ask = (path, headers = {}) => new Promise((done, fail) => {
  const stream = client.request({':path': path, ...headers});
  const hash = crypto.createHash('sha256');
  let fields, count = 0;
  stream.on('response', h => fields = h);
  stream.on('data', chunk => { hash.update(chunk); count += chunk.length; });
  stream.on('end', () => done({status: fields[':status'], etag: fields.etag, count, hash: hash.digest('hex')}));
  stream.on('error', fail);
});
(async () => {
  const all = await Promise.all(Array.from({length: 20}, () => ask('/files/body.bin')));
  const first = all[0];
  if (!all.every(one => one.hash === first.hash)) throw new Error('they differ');
  const again = await ask('/files/body.bin', {'if-none-match': first.etag});
  const part = await ask('/files/body.bin', {range: 'bytes=10-19'});
  console.log(first.hash, again.status, part.status, part.count);
  client.close();
})();
"""


def test_files_by_node(files, root):
    if files.http == "--http1.1":
        pytest.skip("node's http2 speaks no HTTP/1.1")
    assert run("node", "-e", NODE, files.url).stdout.split() == [digest(root / "body.bin"), "304", "206", "10"]


def test_files_by_h2load(files):
    version = ["--h1"] if files.http == "--http1.1" else []
    for path, count in [("body.bin", 200), ("hello.txt", 2000)]:
        done = run("h2load", *version, f"-n{count}", "-c10", "-m10", f"{files.url}/files/{path}")
        assert f"{count} succeeded" in done.stdout, done.stdout


def test_a_gibibyte_costs_no_memory(files):
    files.curl("/files/hello.txt")
    before = files.resident()
    peak = [before]
    over = threading.Event()

    def watch():
        while not over.wait(0.05):
            peak[0] = max(peak[0], files.resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    done = files.curl("/files/big", "-o", "/dev/null", "-w", "%{http_code} %{size_download}")
    over.set()
    watcher.join()
    assert done.stdout == f"200 {BIG}"
    assert peak[0] - before < 16, f"{before} MiB before, {peak[0]} MiB at most"


def test_readers_that_stop_cost_no_memory(secure):
    secure.curl("/files/hello.txt")
    before = secure.resident()
    peers = [Peer(secure.port) for _ in range(50)]
    for peer in peers:
        peer.http.increment_flow_control_window(1 << 30)
        peer.http.update_settings({4: 1 << 30})
        for _ in range(10):
            peer.request("GET", "/files/big")
    time.sleep(2)
    grown = secure.resident() - before
    assert grown < 64, f"{grown} MiB for 500 responses to peers that do not read"
    assert secure.curl("/files/hello.txt").stdout == "Hello, files!\n"
    for peer in peers:
        peer.close()


def test_two_hundred_downloads_at_once(files, root, tmp_path):
    want = digest(root / "body.bin")
    config = tmp_path / "urls"
    config.write_text("".join(f'url = "{files.url}/files/body.bin"\noutput = "{tmp_path}/{n}"\n' for n in range(200)))
    run("curl", "-sk", files.http, "--parallel", "--parallel-immediate", "--parallel-max", "200", "-K", str(config))
    assert all(digest(tmp_path / str(n)) == want for n in range(200))


def test_a_file_that_is_cut_short_is_never_taken_for_whole(files, root, tmp_path):
    path = root / "victim"
    with open(path, "wb") as file:
        file.truncate(200 << 20)
    process = subprocess.Popen(
        ["curl", "-sk", files.http, "--limit-rate", "20M", "-o", str(tmp_path / "got"), files.url + "/files/victim"])
    time.sleep(1)
    os.truncate(path, 1 << 20)
    assert process.wait(timeout=60) != 0
    assert status(files, "/files/hello.txt") == "200"


def test_a_file_that_is_replaced_is_sent_as_it_was(files, root, tmp_path):
    path = root / "replaced"
    path.write_bytes(b"a" * (40 << 20))
    process = subprocess.Popen(
        ["curl", "-sk", files.http, "--limit-rate", "20M", "-o", str(tmp_path / "got"), files.url + "/files/replaced"])
    time.sleep(1)
    (root / "new").write_bytes(b"b" * 100)
    os.replace(root / "new", path)
    assert process.wait(timeout=60) == 0
    assert (tmp_path / "got").read_bytes() == b"a" * (40 << 20)
    time.sleep(1.1)
    assert files.curl("/files/replaced").stdout == "b" * 100


def test_descriptors_are_given_back(secure):
    secure.curl("/files/hello.txt")
    for _ in range(3):
        process = subprocess.Popen(
            ["curl", "-sk", "--limit-rate", "1M", "-o", "/dev/null", secure.url + "/files/big"])
        time.sleep(0.5)
        process.kill()
        process.wait()
    held = secure.holdings()["open files"]
    for _ in range(10):
        process = subprocess.Popen(
            ["curl", "-sk", "--limit-rate", "1M", "-o", "/dev/null", secure.url + "/files/big"])
        time.sleep(0.3)
        process.kill()
        process.wait()
    deadline = time.monotonic() + 10
    while secure.holdings()["open files"] > held:
        assert time.monotonic() < deadline
