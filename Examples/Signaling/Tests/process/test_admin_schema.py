"""The document of the operators' listener says what it really answers, and what sessions hear of operators."""

import asyncio
import pathlib
import sys

import httpx
from test_admin import TOKEN, operated  # noqa: F401

sys.path.append(str(pathlib.Path(__file__).parents[1] / "call"))
import service as client  # noqa: E402
from documents import ADMIN, Documents, Heard  # noqa: E402

NOBODY = "0-" + "0" * 32


def test_operators_get_what_their_document_says(operated, tmp_path, monkeypatch):  # noqa: F811
    token = tmp_path / "token"
    token.write_text(TOKEN)
    service = operated("--admin-token-file", str(token))
    monkeypatch.setattr(client, "URL", service.url.rstrip("/"))
    documents = Documents()
    asyncio.run(asyncio.wait_for(operate(service, documents), 60))

    responses = {entry[2] for entry in documents.seen if entry[0] == "http"}
    for path, item in documents.whole[ADMIN]["paths"].items():
        for method in item.keys() - {"parameters"}:
            for status in item[method]["responses"]:
                # Nothing is slow or too much here.
                if status not in ("503", "504") or path == "/readyz":
                    assert f"{method.upper()} {path} {status}" in responses


async def operate(service, documents):
    http = httpx.AsyncClient(
        base_url=str(service.admin.base_url), headers={"authorization": f"Bearer {TOKEN}"}, timeout=20,
        event_hooks={"response": [documents.hook(ADMIN)]})
    async with http, client.open_http() as up:
        sessions = [await client.Session.create(up) for _ in range(2)]
        for session in sessions:
            session.events = Heard(lambda event: documents.check_event(event.message))
        a, b = sessions
        async with a.stream(), b.stream():
            for room in ("r", "s"):
                await a.join(room)
                await b.join(room)
            await look(http, a)
            await tell(http, a, b)
            await refusals(http, a)
            await http.put("/v1/drain")
            await http.get("/readyz")
            await b.wait("goaway")
            await http.delete("/v1/drain")


async def look(http, a):
    for path in ["/livez", "/startupz", "/readyz", "/metrics", "/v1/status", "/v1/drain", "/v1/log-level"]:
        assert (await http.get(path)).status_code == 200
    for path in ["/v1/sessions?limit=1", "/v1/rooms", f"/v1/sessions/{a.sid}", f"/v1/sessions/{a.sid}/flight", "/v1/rooms/r"]:
        assert (await http.get(path)).status_code == 200
    listed = ["/webrtc/details?version=1", "/session/all-sessions?limit=1", "/session/clients", "/user/all-users?limit=1"]
    for path in [*listed, "/session/getsession/r", "/session/clients/r", f"/user/getuser/{a.sid}", "/user/getuser/x"]:
        assert (await http.get(path)).status_code == 200
    assert (await http.put("/v1/log-level", json={"level": "info"})).status_code == 200


async def tell(http, a, b):
    await http.post(f"/v1/sessions/{a.sid}/messages", json={"text": "one"})
    await a.wait("msg")
    await http.post("/v1/rooms/r/messages", json={"text": "all"})
    await a.wait("msg", room="r")
    await http.delete(f"/v1/rooms/s/members/{a.sid}")
    assert (await a.wait("peer_left", peer=a.sid)).message["reason"] == "kicked"
    await http.delete("/v1/rooms/s")
    await b.wait("room_closed")


async def refusals(http, a):
    paths = ["/metrics", "/v1/status", "/v1/sessions", "/v1/rooms", "/v1/drain", "/v1/log-level"]
    pages = ["/session/all-sessions", "/session/clients", "/user/all-users"]
    paths += ["/webrtc/details", *pages, "/session/getsession/r", "/session/clients/r", "/user/getuser/x"]
    calls = [("GET", path) for path in paths] + [("PUT", "/v1/drain"), ("DELETE", "/v1/drain"), ("PUT", "/v1/log-level")]
    for base in (f"/v1/sessions/{NOBODY}", "/v1/rooms/nowhere"):
        calls += [("GET", base), ("DELETE", base), ("POST", f"{base}/messages")]
    calls += [("GET", f"/v1/sessions/{NOBODY}/flight"), ("DELETE", f"/v1/rooms/nowhere/members/{NOBODY}")]
    for method, path in calls:
        assert (await http.request(method, path, headers={"authorization": "Bearer wrong"})).status_code == 401
        assert (await http.request(method, path, headers={"origin": "https://a.example"})).status_code == 403
        if NOBODY in path or "nowhere" in path:
            assert (await http.request(method, path, json={} if method == "POST" else None)).status_code == 404
    for path in ("/v1/sessions?limit=0", "/v1/rooms?cursor=x", *(f"{page}?limit=1001" for page in pages)):
        assert (await http.get(path)).status_code == 400
    assert (await http.put("/v1/log-level", json={"level": "loud"})).status_code == 400
    for path in (f"/v1/sessions/{a.sid}/messages", "/v1/rooms/r/messages"):
        assert (await http.post(path, content=b"{}")).status_code == 415
        assert (await http.post(path, headers={"content-type": "application/json"}, content=b"{")).status_code == 400
        assert (await http.post(path, json={"text": "x" * 70_000})).status_code == 413
    assert (await http.delete(f"/v1/sessions/{a.sid}")).status_code == 200
    assert (await a.wait("error")).message["code"] == "kicked"
    assert (await http.get("/v1/nothing")).status_code == 404
    assert (await http.post("/v1/status")).status_code == 405
