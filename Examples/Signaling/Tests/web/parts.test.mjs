/** The parts of the client that need no network. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { signaling } from "./support.mjs";

const { EventCursor, EventStreamParser, Outbox, TransportChoice } = signaling;
const { backoff, candidateMessages, iceRoute, isPolite, retryAfter } = signaling;

test("events are the same wherever the stream is cut", () => {
  const text =
    ": hi\n\nid: 7.1\ndata: one\n\nid: 7.2\r\ndata: two\r\ndata:lines\r\n\r\n" + "event: x\nid: 7.3\n\ndata: ü\n\n";
  const wanted = [
    { id: "7.1", data: "one" },
    { id: "7.2", data: "two\nlines" },
    { id: "7.3", data: "ü" },
  ];
  for (let cut = 0; cut <= text.length; cut += 1) {
    const parser = new EventStreamParser();
    assert.deepEqual([...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut))], wanted);
  }
});

test("delays double, are spread, bounded, and never shorter than asked for", () => {
  assert.deepEqual([1, 2, 3].map((attempt) => backoff(attempt, 0, () => 1)), [600, 1100, 2100]);
  assert.equal(backoff(1, 0, () => 0), 100);
  assert.equal(backoff(1000, 0, () => 1), 15_100);
  assert.equal(backoff(1, 3000, () => 0), 3000);
  assert.equal(backoff(1, 3000, () => 1), 3500);
});

test("Retry-After is seconds or a date", () => {
  assert.equal(retryAfter("5"), 5000);
  assert.equal(retryAfter("Tue, 01 Jan 2030 00:00:10 GMT", Date.UTC(2030, 0, 1)), 10_000);
  assert.equal(retryAfter("Tue, 01 Jan 2030 00:00:10 GMT", Date.UTC(2031, 0, 1)), 0);
  assert.equal(retryAfter(null), 0);
  assert.equal(retryAfter("soon"), 0);
});

test("an event is taken once", () => {
  const cursor = new EventCursor();
  cursor.reset(7);
  assert.equal(cursor.position, "7.0");
  assert.deepEqual([1, 2, 2, 1, 3].map((seq) => cursor.take(7, seq)), [true, true, false, false, true]);
  assert.equal(cursor.position, "7.3");
  assert.equal(cursor.take(8, 1), true);
  assert.equal(cursor.take(8, NaN), false);
});

test("a transport that fails where another works rests, for longer each time", () => {
  const choice = new TransportChoice(["websocket", "sse", "poll"]);
  assert.equal(choice.pick(0), "websocket");
  assert.equal(choice.failed("websocket", 0), true);
  assert.equal(choice.pick(0), "sse");
  choice.opened("sse", 0);
  assert.equal(choice.pick(59_999), "sse");
  assert.equal(choice.retryAt("sse"), 60_000);
  assert.equal(choice.pick(60_000), "websocket");
  choice.failed("websocket", 60_000);
  choice.opened("sse", 60_000);
  assert.equal(choice.retryAt("sse"), 180_000);
  choice.opened("websocket", 180_000);
  assert.equal(choice.retryAt("websocket"), null);
});

test("while nothing works, no transport is to blame", () => {
  const choice = new TransportChoice(["websocket", "sse", "poll"]);
  assert.equal(choice.failed("websocket", 0), true);
  assert.equal(choice.failed("sse", 0), true);
  assert.equal(choice.failed("poll", 0), false);
  assert.equal(choice.pick(0), "websocket");
});

test("one failure does not speak against a transport that has worked", () => {
  const choice = new TransportChoice(["websocket", "sse"]);
  choice.opened("websocket", 0);
  assert.equal(choice.failed("websocket", 0), false);
  assert.equal(choice.pick(0), "websocket");
  assert.equal(choice.failed("websocket", 0), true);
  assert.equal(choice.pick(0), "sse");
});

test("what is not answered is sent again, in its order and under its id", async () => {
  const outbox = new Outbox();
  const answers = ["a", "b", "c"].map((t) => outbox.add({ t }));
  const first = outbox.next(2, Infinity).map(({ text }) => JSON.parse(text));
  assert.deepEqual(first, [{ t: "a", id: "c1" }, { t: "b", id: "c2" }]);
  assert.equal(outbox.underWay, 2);
  outbox.settle("c1");
  await answers[0];
  outbox.rewind();
  assert.deepEqual(outbox.next(9, Infinity).map(({ id }) => id), ["c2", "c3"]);
  outbox.settle("c3", new Error("no"));
  await assert.rejects(answers[2], /no/);
  outbox.rejectAll(new Error("over"));
  await assert.rejects(answers[1], /over/);
  assert.equal(outbox.count, 0);
});

test("a batch is bounded, but never empty", () => {
  const outbox = new Outbox();
  for (const size of [100, 100, 100]) outbox.add({ t: "x".repeat(size) });
  assert.equal(outbox.next(9, 250).length, 2);
  assert.equal(outbox.next(9, 10).length, 1);
  assert.equal(outbox.next(9, 10).length, 0);
});

test("candidates travel by ufrag, in bounded messages, the last of which says that it is the last", () => {
  const plain = (index) => ({ candidate: `c${index}`, sdpMid: "0", sdpMLineIndex: 0 });
  const from = (usernameFragment, index) => ({ ...plain(index), usernameFragment });
  const found = [from("new", 1), from("old", 2), from("new", 3), from("new", 4), null];
  assert.deepEqual(candidateMessages(found, "new", 2), [
    { candidates: [plain(1), plain(3)], ufrag: "new" },
    { candidates: [plain(4)], ufrag: "new", end: true },
    { candidates: [plain(2)], ufrag: "old" },
  ]);
  assert.deepEqual(candidateMessages([null], "u", 8), [{ candidates: [], ufrag: "u", end: true }]);
});

test("exactly one side is polite", () => {
  assert.notEqual(isPolite("0-aa", "1-aa"), isPolite("1-aa", "0-aa"));
  assert.equal(isPolite("0-aa", "1-aa"), true);
});

test("the route of media is read from the pair in use", () => {
  const reports = [
    { id: "T", type: "transport", selectedCandidatePairId: "P" },
    { id: "Q", type: "candidate-pair", nominated: true, state: "succeeded", localCandidateId: "x" },
    { id: "P", type: "candidate-pair", localCandidateId: "l", remoteCandidateId: "r", currentRoundTripTime: 0.012 },
    { id: "l", type: "local-candidate", candidateType: "relay", protocol: "udp", relayProtocol: "tcp" },
    { id: "r", type: "remote-candidate", candidateType: "srflx", protocol: "udp" },
  ];
  const route = { local: "relay", remote: "srflx", protocol: "tcp", relayed: true, rtt: 12 };
  assert.deepEqual(iceRoute(new Map(reports.map((report) => [report.id, report]))), route);
  assert.equal(iceRoute(new Map()), null);
});
