"""Uploads by curl, Python's email and requests-toolbelt; compressed responses by curl and node."""

import email.message
import email.mime.application
import email.mime.multipart
import email.mime.text
import email.policy
import gzip
import hashlib
import http.client
import json
import os
import re
import ssl
import subprocess
import time
import zlib

import h2.events
import pytest
import requests
import urllib3
from requests_toolbelt import MultipartEncoder

from showcase import Peer, run

urllib3.disable_warnings()


def checksum(data):
    return f"{zlib.crc32(data):08x}"


def upload(server, *options):
    done = server.curl("/upload", "-w", "\n%{http_code}", *options)
    body, code = done.stdout.rsplit("\n", 1)
    assert code == "200", done.stdout
    return json.loads(body)


def post(server, tmp_path, content_type, body):
    """Status and text for a body that was made elsewhere."""
    path = tmp_path / "body"
    path.write_bytes(body)
    done = server.curl("/upload", "-w", "\n%{http_code}", "-H", f"content-type: {content_type}", "--data-binary", f"@{path}")
    text, code = done.stdout.rsplit("\n", 1)
    return int(code), text


def test_curl_sends_fields_and_files(everywhere, tmp_path):
    small, large, named = tmp_path / "small.txt", tmp_path / "large.bin", tmp_path / "größe ü.txt"
    small.write_bytes(b"a text\r\n--not a boundary\r\n")
    large.write_bytes(os.urandom(3_000_000))
    named.write_bytes(b"")
    parts = upload(
        everywhere, "-F", "field=a value", "-F", f"small=@{small}", "-F", f"large=@{large};type=application/x-thing",
        "-F", f"named=@{named};type=text/plain; charset=utf-8", "-F", "typed={};type=application/json",
        "-F", f"renamed=@{small};filename=../../etc/x\\\"y")
    by_name = {part["name"]: part for part in parts}
    assert [part["index"] for part in parts] == list(range(6))
    assert by_name["field"]["size"] == 7 and by_name["field"]["type"] == "text/plain" and "filename" not in by_name["field"]
    assert by_name["small"]["crc32"] == checksum(small.read_bytes()) and by_name["small"]["storage"] == "memory"
    assert by_name["large"] | {"index": 0} == {
        "index": 0, "depth": 1, "type": "application/x-thing", "encoding": "binary", "name": "large", "filename": "large.bin",
        "safe_filename": "large.bin", "size": 3_000_000, "crc32": checksum(large.read_bytes()), "storage": "file"}
    assert by_name["named"]["filename"] == "größe ü.txt" and by_name["named"]["size"] == 0
    assert by_name["named"]["type"] == "text/plain; charset=utf-8"
    assert by_name["typed"]["type"] == "application/json"
    assert "/" not in by_name["renamed"]["safe_filename"]


def test_a_file_under_every_name_a_browser_may_send(server, tmp_path):
    for disposition, filename in [
            ('form-data; name="f"; filename="C:\\dir\\x.txt"', "C:\\dir\\x.txt"), ('form-data; name="f"; filename="a\\"b"', 'a"b'),
            ("form-data; name=f; filename*=UTF-8''%e2%82%ac", "€"), ('form-data; name="f"; filename="a%22b"', "a%22b"),
            ('form-data; name="f"; filename="日本"', "日本")]:
        code, text = post(server, tmp_path, "multipart/form-data; boundary=b",
                          f"--b\r\nContent-Disposition: {disposition}\r\n\r\nx\r\n--b--\r\n".encode())
        assert code == 200 and json.loads(text)[0]["filename"] == filename, text


def test_a_message_of_pythons_email_with_every_encoding(server, tmp_path):
    data, text = os.urandom(100_000), "Schöne Grüße = \t\nlast line with a blank \n" * 50
    inner = email.mime.multipart.MIMEMultipart("alternative")
    plain = email.message.MIMEPart(policy=email.policy.SMTP)
    plain.set_content(text, cte="quoted-printable")
    inner.attach(plain)
    inner.attach(email.mime.text.MIMEText("<p>7bit</p>", "html", "us-ascii"))
    outer = email.mime.multipart.MIMEMultipart("mixed")
    outer.preamble = "This is a multi-part message in MIME format.\n"
    outer.attach(inner)
    attachment = email.mime.application.MIMEApplication(data)
    attachment.add_header("Content-Disposition", "attachment", filename=("utf-8", "", "größe.bin"))
    outer.attach(attachment)
    head, body = outer.as_bytes(policy=email.policy.SMTP).split(b"\r\n\r\n", 1)
    content_type = email.message_from_bytes(head + b"\r\n\r\n")["content-type"]
    code, answer = post(server, tmp_path, content_type.replace("\n", "").replace("\r", ""), body)
    assert code == 200, answer
    parts = json.loads(answer)
    assert [part["depth"] for part in parts] == [1, 2, 2, 1]
    assert parts[0]["type"].startswith("multipart/alternative") and "size" not in parts[0]
    assert parts[1]["encoding"] == "quoted-printable"
    assert parts[1]["crc32"] == checksum(text.replace("\n", "\r\n").encode())
    assert parts[2]["encoding"] == "7bit" and parts[2]["size"] == len("<p>7bit</p>")
    assert parts[3]["encoding"] == "base64" and parts[3]["crc32"] == checksum(data)
    assert parts[3]["filename"] == "größe.bin"


def test_a_form_of_requests_toolbelt(one_loop):
    data = os.urandom(2_000_000)
    form = MultipartEncoder({"a": "text", "f": ("näme.bin", data, "application/octet-stream", {"X-Custom": "1"})})
    response = requests.post(
        one_loop.url + "/upload", data=form, headers={"content-type": form.content_type}, verify=False, timeout=60)
    assert response.status_code == 200, response.text
    parts = response.json()
    assert [part["name"] for part in parts] == ["a", "f"]
    assert parts[1]["crc32"] == checksum(data) and parts[1]["filename"] == "näme.bin"


def test_a_huge_upload_leaves_the_memory_flat(one_loop, tmp_path):
    size = 1 << 30
    huge = tmp_path / "huge"
    with open(huge, "wb") as file:
        file.truncate(size)
    upload(one_loop, "-F", "warm=up")
    descriptors, before = one_loop.descriptors(), one_loop.resident()
    peak = before
    process = subprocess.Popen(
        ["curl", "-sk", "--http2", "-F", f"huge=@{huge}", one_loop.url + "/upload"], stdout=subprocess.PIPE, text=True)
    while process.poll() is None:
        peak = max(peak, one_loop.resident())
        time.sleep(0.05)
    part = json.loads(process.stdout.read())[0]
    assert part["size"] == size and part["storage"] == "file"
    assert peak - before < 24, f"{before} MiB grew to {peak}"
    # The file is gone with its request.
    deadline = time.monotonic() + 10
    while one_loop.descriptors() > descriptors:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_body_that_drips_in_a_byte_at_a_time(server):
    peer = Peer(server.port)
    body = (b"--b\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n"
            b"--b\r\nContent-Disposition: form-data; name=\"z\"\r\n\r\n\r\n--\r\n--b--\r\n")
    stream = peer.http.get_next_available_stream_id()
    peer.http.send_headers(stream, [
        (":method", "POST"), (":scheme", "https"), (":authority", "localhost"), (":path", "/upload"),
        ("content-type", "multipart/form-data; boundary=b")])
    for index in range(len(body)):
        peer.http.send_data(stream, body[index:index + 1], end_stream=index == len(body) - 1)
        peer.flush()
    head, text, _ = peer.response(stream)
    assert head[":status"] == "200"
    parts = json.loads(text)
    assert [(part["name"], part["size"]) for part in parts] == [("a", 5), ("z", 4)]
    assert parts[0]["crc32"] == checksum(b"Hello")
    peer.close()


@pytest.mark.parametrize("content_type, body, code, reason", [
    ("text/plain", b"x", 415, "the content is not multipart"),
    ("multipart/form-data", b"x", 400, "no valid boundary"),
    ("multipart/form-data; boundary=" + "x" * 71, b"x", 400, "no valid boundary"),
    ("multipart/mixed; boundary=b", b"--bx\r\n", 400, "a boundary's line goes on as none"),
    ("multipart/mixed; boundary=b", b"--b\n\nx\n--b--\n", 400, "a boundary's line goes on as none"),
    ("multipart/mixed; boundary=b", b"--b\r\n\r\nx", 400, "the closing boundary is missing"),
    ("multipart/mixed; boundary=b", b"--b\r\nno field\r\n\r\n", 400, "the fields of a part are malformed"),
    ("multipart/form-data; boundary=b", b"--b\r\n\r\n\r\n--b--", 400, "a part of the form has no name"),
    ("multipart/mixed; boundary=b", b"--b\r\ncontent-transfer-encoding: base64\r\n\r\n????\r\n--b--", 400, "wrongly encoded"),
    ("multipart/mixed; boundary=b", b"--b\r\nx: " + b"y" * 9000, 413, "over 8192 bytes"),
    ("multipart/mixed; boundary=b", b"--b\r\n\r\n\r\n" * 1001 + b"--b--", 413, "more than 1000 parts"),
    ("multipart/mixed; boundary=b", b"x" * 20_000, 413, "outside of the parts"),
])
def test_what_is_malformed_is_refused_with_a_reason(one_loop, tmp_path, content_type, body, code, reason):
    # curl gives up a stream of HTTP/2 that is answered before its body is sent.
    one_loop.http = "--http1.1"
    status, text = post(one_loop, tmp_path, content_type, body)
    assert (status, reason in text) == (code, True), text
    peer = Peer(one_loop.port)
    stream = peer.http.get_next_available_stream_id()
    peer.http.send_headers(stream, [
        (":method", "POST"), (":scheme", "https"), (":authority", "localhost"), (":path", "/upload"),
        ("content-type", content_type)])
    for start in range(0, len(body), 16_384):
        peer.http.send_data(stream, body[start:start + 16_384], end_stream=start + 16_384 >= len(body))
    peer.flush()
    head, text, _ = peer.response(stream)
    assert (head[":status"], reason in text.decode()) == (str(code), True), text
    peer.close()


def test_a_response_of_parts_is_read_by_pythons_email(everywhere):
    done = everywhere.curl("/parts", "-i")
    head, body = done.stdout.split("\n\n", 1) if "\n\n" in done.stdout else done.stdout.split("\r\n\r\n", 1)
    message = email.message_from_string(head.split("\n", 1)[1].replace("\r", "") + "\n\n" + body, policy=email.policy.default)
    assert message["mime-version"] == "1.0" and not message.defects
    leaves = [part for part in message.walk() if not part.is_multipart()]
    assert leaves[0].get_content() == "Parts follow.\n"
    assert "filename*=UTF-8''gr%C3%B6%C3%9Fe.bin" in str(body) and leaves[1].get_content() == bytes(range(256))
    assert leaves[2].get_content().strip() == "Schöne Grüße = best wishes"
    assert leaves[3].get_content_type() == "application/json"


def fetched(server, path, *options):
    """Status, fields and body as curl has them, decoded where it decodes."""
    done = server.curl(path, "-D-", *options)
    head, body = done.stdout.replace("\r\n", "\n").split("\n\n", 1)
    fields = {name.lower(): value for name, value in (line.split(": ", 1) for line in head.split("\n")[1:])}
    return fields, body


def test_curl_decodes_what_is_compressed(everywhere):
    plain_fields, plain = fetched(everywhere, "/compressed")
    fields, body = fetched(everywhere, "/compressed", "--compressed")
    assert body == plain and len(json.loads(body)) == 10_000
    assert fields["content-encoding"] in ("gzip", "deflate") and fields["vary"] == "accept-encoding"
    assert fields["etag"] == 'W/"10000"' and plain_fields["etag"] == '"10000"'
    assert "content-encoding" not in plain_fields and plain_fields["vary"] == "accept-encoding"
    for coding in ("gzip", "deflate"):
        fields, body = fetched(everywhere, "/compressed", "--compressed", "-H", f"accept-encoding: {coding}")
        assert fields["content-encoding"] == coding and body == plain


def test_small_content_and_head(everywhere):
    fields, _ = fetched(everywhere, "/compressed?n=1", "--compressed")
    assert "content-encoding" not in fields
    head = everywhere.curl("/compressed", "--compressed", "-I").stdout.lower()
    assert re.search("content-encoding: (gzip|deflate)", head) and "content-length" not in head


def test_compressed_content_is_smaller_and_whole(everywhere, tmp_path):
    path = tmp_path / "body"
    everywhere.curl("/compressed?n=200000", "-H", "accept-encoding: gzip", "-o", str(path))
    plain = gzip.decompress(path.read_bytes())
    assert len(json.loads(plain)) == 200_000 and path.stat().st_size < len(plain) / 3


def test_events_are_not_kept_back(server):
    peer = Peer(server.port)
    stream = peer.http.get_next_available_stream_id()
    peer.http.send_headers(stream, [
        (":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", "/compressed/events?n=5"),
        ("accept-encoding", "gzip")], end_stream=True)
    peer.flush()
    inflater, text, seen = zlib.decompressobj(31), b"", []
    ended = False
    while not ended:
        for event in peer.events():
            if isinstance(event, h2.events.DataReceived):
                text += inflater.decompress(event.data)
                seen.append(text.count(b"\n\n"))
            ended = ended or isinstance(event, h2.events.StreamEnded)
    assert text.count(b"\n\n") == 5
    # Each came by itself.
    assert set(seen) >= {1, 2, 3, 4, 5}
    peer.close()


def test_events_are_not_kept_back_over_http1(one_loop):
    connection = http.client.HTTPSConnection("127.0.0.1", one_loop.port, context=ssl._create_unverified_context(), timeout=30)
    connection.request("GET", "/compressed/events?n=5", headers={"accept-encoding": "deflate"})
    response = connection.getresponse()
    assert response.getheader("content-encoding") == "deflate"
    inflater, text, seen = zlib.decompressobj(), b"", set()
    while piece := response.read1():
        text += inflater.decompress(piece)
        seen.add(text.count(b"\n\n"))
    assert seen >= {1, 2, 3, 4, 5} and inflater.eof
    connection.close()


@pytest.mark.parametrize("coding, decoder", [("gzip", "gunzipSync"), ("deflate", "inflateSync")])
def test_node_decodes_it(server, coding, decoder):
    script = f"""
        const http2 = require('node:http2'), zlib = require('node:zlib'), crypto = require('node:crypto');
        const client = http2.connect('{server.url}', {{ rejectUnauthorized: false }});
        const request = client.request({{ ':path': '/compressed', 'accept-encoding': '{coding}' }});
        const chunks = []; let head;
        request.on('response', (fields) => head = fields);
        request.on('data', (chunk) => chunks.push(chunk));
        request.on('end', () => {{
            const body = zlib.{decoder}(Buffer.concat(chunks));
            console.log(head['content-encoding'], crypto.createHash('sha256').update(body).digest('hex'));
            client.close();
        }});"""
    plain = server.curl("/compressed").stdout.encode()
    assert run("node", "-e", script).stdout.split() == [coding, hashlib.sha256(plain).hexdigest()]


@pytest.mark.parametrize("coding", ["gzip", "deflate", "gzip, deflate, br", "identity"])
def test_the_fetch_of_node_decodes_it(server, coding):
    script = f"""
        const response = await fetch('{server.url}/compressed', {{ headers: {{ 'accept-encoding': '{coding}' }} }});
        console.log(response.headers.get('content-encoding'), (await response.json()).length);"""
    done = run("node", "--input-type=module", "-e", script, env=os.environ | {"NODE_TLS_REJECT_UNAUTHORIZED": "0"})
    assert done.stdout.split() == ["null" if coding == "identity" else coding.split(",")[0], "10000"]


def test_the_form_data_of_node(server):
    script = f"""
        const form = new FormData();
        form.set('text', 'größe');
        form.set('file', new Blob(['x'.repeat(2_000_000)], {{ type: 'text/x' }}), 'na"me ü.txt');
        const response = await fetch('{server.url}/upload', {{ method: 'POST', body: form }});
        console.log(JSON.stringify(await response.json()));"""
    done = run("node", "--input-type=module", "-e", script, env=os.environ | {"NODE_TLS_REJECT_UNAUTHORIZED": "0"})
    text, file = json.loads(done.stdout)
    assert text["size"] == len("größe".encode())
    assert file["filename"] == "na%22me ü.txt" and file["size"] == 2_000_000 and file["type"] == "text/x"
