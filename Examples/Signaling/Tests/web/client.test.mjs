/** The client against a service that answers as it is told. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { Service, json, problem, signaling, until } from "./support.mjs";

const { SignalingClient } = signaling;
const SESSIONS = "POST /v1/sessions";
const EVENTS = "GET /v1/sessions/s1/events";
const MESSAGES = "POST /v1/sessions/s1/messages";

let service;
let clients;

beforeEach(async () => {
  service = await new Service().start();
  clients = [];
});

afterEach(() => {
  for (const client of clients) client.close();
  service.stop();
});

function open(options = {}) {
  const client = new SignalingClient({ url: service.url, transports: ["sse", "poll"], ...options });
  clients.push(client);
  return client;
}

/** The messages that listeners hear of. */
function heard(client) {
  const messages = [];
  client.on("message", (message) => messages.push(message));
  return messages;
}

test("an event that is sent again is heard once", async () => {
  const client = open();
  const messages = heard(client);
  await client.connect();
  for (const seq of [1, 2, 2, 1, 3]) service.event(seq, { t: "offer", n: seq });
  await until(() => messages.length === 3);
  assert.deepEqual(messages.map(({ n }) => n), [1, 2, 3]);
});

test("after a drop the stream goes on behind the last event", async () => {
  const client = open();
  const messages = heard(client);
  await client.connect();
  service.event(1, { t: "offer" });
  await until(() => messages.length === 1);
  service.streams[0].destroy();
  await until(() => service.of(EVENTS).length === 2 && client.state === "open");
  assert.equal(service.of(EVENTS)[1].headers["last-event-id"], "7.1");
  assert.equal(service.of(SESSIONS).length, 1);
});

test("a message that was not answered is sent again under its id", async () => {
  const client = open();
  const answer = service.answers[MESSAGES];
  service.answers[MESSAGES] = ({ response }) => {
    service.answers[MESSAGES] = answer;
    response.destroy();
  };
  await client.connect();
  await client.send({ t: "offer" });
  const ids = service.messages.map(({ id }) => id);
  assert.deepEqual(ids, ["c1", "c1"]);
  assert.equal(client.pending, 0);
});

test("an error of one message is the sender's, and the others' is none", async () => {
  const client = open();
  const result = ({ id, t }) => (t === "offer" ? { id, error: { code: "no_such_peer" } } : { id, ok: true });
  service.answers[MESSAGES] = ({ body }) => json(202, { results: body.map(result) });
  await client.connect();
  const [offer, invite] = await Promise.allSettled([client.send({ t: "offer" }), client.send({ t: "invite" })]);
  assert.equal(offer.reason.code, "no_such_peer");
  assert.equal(invite.status, "fulfilled");
});

test("a service that is busy is asked again when it wants to be", async () => {
  const client = open();
  const answer = service.answers[SESSIONS];
  service.answers[SESSIONS] = () => {
    service.answers[SESSIONS] = answer;
    return problem(503, "busy", { "retry-after": "1" });
  };
  await client.connect();
  const [first, second] = service.of(SESSIONS);
  assert.ok(second.at - first.at >= 990, "Retry-After was one second");
});

test("where no stream passes, it polls", async () => {
  const client = open();
  const messages = heard(client);
  const polls = [{ epoch: 7, last: "7.0", events: [] }, { epoch: 7, last: "7.1", events: [{ t: "offer", seq: 1 }] }];
  service.answers[EVENTS] = ({ headers }) => {
    if (headers.accept !== "application/json") return problem(406, "not_acceptable");
    return polls.length > 0 ? json(200, polls.shift(), { "signal-resumed": "yes" }) : null;
  };
  await client.connect();
  assert.equal(client.transport, "poll");
  await until(() => service.of(EVENTS).length === 4);
  assert.deepEqual(messages.map(({ t }) => t), ["offer"]);
  const asked = service.of(EVENTS).slice(1).map(({ query }) => [query.get("since"), query.get("wait")]);
  assert.deepEqual(asked, [["7.0", "0"], ["7.0", "25"], ["7.1", "25"]]);
});

test("a session that is gone goes on by its ticket, and its rooms are entered again", async () => {
  const client = open();
  const begun = [];
  client.on("session", (detail) => begun.push(detail));
  await client.connect();
  client.join("r", { name: "Ada" }).catch(() => {});
  await until(() => service.messages.length === 1);
  service.event(1, { t: "joined", room: "r", members: [{ peer: "p2", meta: {} }] });
  await until(() => client.rooms.has("r"));
  service.answers[EVENTS] = (request) => {
    if (request.headers.authorization === "Bearer secret") return problem(404, "no_such_session");
    return service.stream(request);
  };
  const anew = { sid: "s1", token: "other", epoch: 8, resume: "ticket-2", resumed: "no" };
  service.answers[SESSIONS] = () => json(201, anew);
  service.streams[0].destroy();
  await until(() => service.messages.length === 2);
  assert.deepEqual(service.of(SESSIONS)[1].body, { resume: "ticket-1", last: "7.1" });
  assert.deepEqual(begun[1], { sid: "s1", previous: "s1", restarted: true });
  assert.equal(service.messages[1].t, "join");
  // Who has not come back yet has not left.
  const left = [];
  const back = [];
  client.on("peer_left", (message) => left.push(message));
  client.on("peer_returned", ({ peer }) => back.push(peer));
  service.event(1, { t: "joined", room: "r", members: [] }, 8);
  service.event(2, { t: "peer_joined", room: "r", peer: "p2", meta: {} }, 8);
  await until(() => back.length === 1);
  assert.deepEqual([left, back], [[], ["p2"]]);
});

test("a session that was ended as its client took nothing begins anew, and its rooms are entered again", async () => {
  const client = open();
  const messages = heard(client);
  await client.connect();
  client.join("r").catch(() => {});
  await until(() => service.messages.length === 1);
  service.event(1, { t: "joined", room: "r", members: [] });
  await until(() => client.rooms.has("r"));
  const tokens = [];
  service.answers[EVENTS] = (request) => {
    tokens.push(request.headers.authorization);
    return tokens.length === 1 ? problem(404, "no_such_session") : service.stream(request, "no");
  };
  const anew = { sid: "s1", token: "other", epoch: 8, resume: "ticket-2", resumed: "no" };
  service.answers[SESSIONS] = () => json(201, anew);
  service.streams[0].end('data: {"t":"error","code":"slow_consumer"}\n\n');
  await until(() => service.messages.length === 2);
  assert.equal(service.messages[1].t, "join");
  assert.deepEqual(messages.map(({ t, code }) => code ?? t), ["joined", "slow_consumer"]);
  assert.deepEqual(tokens, ["Bearer secret", "Bearer other"]);
});

test("events that were lost are said, and rosters are read again", async () => {
  const client = open();
  let lost = 0;
  client.on("discontinuity", () => (lost += 1));
  await client.connect();
  client.join("r").catch(() => {});
  await until(() => service.messages.length === 1);
  service.answers[EVENTS] = (request) => service.stream(request, "partial");
  service.streams[0].destroy();
  await until(() => service.messages.length === 2);
  assert.equal(lost, 1);
  assert.equal(service.messages[1].t, "join");
});

test("a token that is refused is asked for once more, then it is over", async () => {
  const reasons = [];
  const client = open({ token: async (reason) => `jwt-${reasons.push(reason)}` });
  service.answers[SESSIONS] = () => problem(401, "unauthorized");
  await assert.rejects(client.connect(), { code: "unauthorized" });
  assert.deepEqual(reasons, ["hello", "refused"]);
  assert.deepEqual(service.of(SESSIONS).map(({ headers }) => headers.authorization), ["Bearer jwt-1", "Bearer jwt-2"]);
  assert.equal(client.state, "closed");
});

test("a token that expires is replaced in band", async () => {
  const client = open({ token: (reason) => `jwt-${reason}` });
  await client.connect();
  service.event(1, { t: "token_expiring" });
  await until(() => service.messages.length === 1);
  assert.deepEqual([service.messages[0].t, service.messages[0].token], ["token_refresh", "jwt-expiring"]);
});

test("events are acknowledged, at once when the sender waits for it", async () => {
  const client = open();
  await client.connect();
  service.event(1, { t: "offer" });
  service.event(2, { t: "offer", receipt: true });
  await until(() => service.messages.length === 1);
  assert.deepEqual(service.messages, [{ t: "ack", seq: 2 }]);
});

test("who is thrown out does not come back, and a room that was closed is not entered again", async () => {
  const client = open();
  const messages = heard(client);
  await client.connect();
  client.join("r").catch(() => {});
  await until(() => service.messages.length === 1);
  service.event(1, { t: "joined", room: "r", members: [] });
  service.event(2, { t: "room_closed", room: "r" });
  await until(() => messages.length === 2);
  assert.equal(client.rooms.has("r"), false);
  service.event(3, { t: "error", code: "kicked" });
  await until(() => client.state === "closed");
  assert.equal(service.of(SESSIONS).length, 1);
});

test("a moderator is known, and does what it may", async () => {
  const client = open();
  const messages = heard(client);
  await client.connect();
  client.join("r", {}, { password: "sesame" }).catch(() => {});
  await until(() => service.messages.length === 1);
  assert.equal(service.messages[0].password, "sesame");
  service.event(1, { t: "joined", room: "r", peer: "s1", members: [{ peer: "p2", moderator: true, meta: {} }] });
  await until(() => messages.length === 1);
  assert.deepEqual([[...client.moderators.get("r")], client.isModerator("r")], [["p2"], false]);
  service.event(2, { t: "peer_left", room: "r", peer: "p2", reason: "left" });
  service.event(3, { t: "peer_updated", room: "r", peer: "s1", moderator: true, meta: {} });
  await until(() => messages.length === 3);
  assert.deepEqual([[...client.moderators.get("r")], client.isModerator("r")], [["s1"], true]);
  assert.equal(client.rooms.get("r").has("s1"), false, "who is in the room itself is not one of the others");
  client.kick("r", "p3").catch(() => {});
  client.closeRoom("r").catch(() => {});
  client.setPassword("r", null).catch(() => {});
  await until(() => service.messages.length === 4);
  assert.deepEqual(
    service.messages.slice(1).map(({ id, ...rest }) => rest),
    [
      { t: "kick", room: "r", to: { peer: "p3" } },
      { t: "close_room", room: "r" },
      { t: "room_password", room: "r", password: null },
    ],
  );
  service.event(4, { t: "peer_left", room: "r", peer: "s1", reason: "kicked" });
  await until(() => messages.length === 4);
  assert.deepEqual([client.isModerator("r"), client.rooms.has("r"), client.state], [false, false, "open"]);
});

test("a service that goes away is come back to when it says", async () => {
  const client = open();
  await client.connect();
  const began = performance.now();
  service.event(1, { t: "goaway", reason: "draining", reconnect_in: 900 });
  service.streams[0].end();
  await until(() => service.of(EVENTS).length === 2);
  assert.ok(service.of(EVENTS)[1].at - began >= 890, "it was asked to stay away for 900 ms");
});

test("a client says goodbye", async () => {
  const client = open();
  await client.connect();
  const late = client.send({ t: "offer" });
  client.close();
  await assert.rejects(late, { code: "closed" });
  await until(() => service.of("DELETE /v1/sessions/s1").length === 1);
});
