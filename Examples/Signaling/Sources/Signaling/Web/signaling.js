/**
 * A client of the signaling service, for browsers. No dependency.
 *
 *     import { SignalingClient } from "./signaling.js";
 *
 *     const client = new SignalingClient();
 *     client.on("peer_joined", ({ peer, meta }) => console.log(meta.name, "came in"));
 *     await client.connect();
 *     const members = await client.join("lobby", { name: "Ada" });
 *     await client.send({ t: "invite", to: { peer: members[0].peer }, room: "lobby", call: "k1", body: {} });
 *
 * A session outlives its connections. The way down is a stream of server-sent events, read by `fetch` because
 * `EventSource` cannot carry a bearer token; the way up is one POST at a time, so that messages stay in order.
 */

import { Emitter, EventStreamParser, SignalingError, problem } from "./wire.js";

export { SignalingError };

const BACKOFF_FIRST = 500;
const BACKOFF_LIMIT = 10_000;
/** A stream that lived this long was healthy: the next drop starts at the shortest delay again. */
const HEALTHY_AFTER = 3_000;
/** Acknowledge after so many events, or this long after the first that was not acknowledged. */
const ACK_EVENTS = 64;
const ACK_DELAY = 10_000;

/**
 * One session on the service.
 *
 * Events: every message of the server under its `t` (`joined`, `peer_joined`, `peer_left`, `offer`, …) and under
 * `message`; and of the client itself:
 * - `state`: `{ state, retryIn }`, see `state`; `retryIn` is in milliseconds, for `reconnecting`.
 * - `session`: `{ sid, previous }` when a session begins. With `previous`, the service no longer knew that one: its
 *   peers saw it leave. Rooms have been entered again; calls have to be made again.
 * - `discontinuity`: some events were lost. Rosters are read again, the differences arrive as events.
 */
export class SignalingClient extends Emitter {
  /** `idle`, `connecting`, `open`, `reconnecting` or `closed`. */
  state = "idle";
  /** Room → `Map` of party id → metadata: the others who are in it now. */
  rooms = new Map();
  /** How many times a stream was opened. */
  streams = 0;

  #base;
  #info;
  #session = null;
  #epoch = 0;
  #seq = 0;
  #fresh = true;
  #previous = null;
  #attempt = 0;
  #abort = null;
  #sleepers = new Set();
  #ackTimer = 0;
  #unacked = 0;
  #queue = [];
  #pumping = false;
  #nextId = 1;
  #metas = new Map();
  #joins = new Map();
  #onHide = () => this.close();
  #onOnline = () => this.#wake();

  /**
   * - `url`: where the service is; the page's own origin if not given.
   * - `info`: an object about this client, for the operator.
   */
  constructor({ url = globalThis.location?.origin, info = {} } = {}) {
    super();
    this.#base = url.replace(/\/$/, "");
    this.#info = info;
  }

  /** The session's identifier, which is this peer's party id; null without a session. */
  get sid() {
    return this.#session?.sid ?? null;
  }

  /** STUN and TURN servers as RTCPeerConnection takes them. */
  get iceServers() {
    return this.#session?.ice_servers ?? [];
  }

  /** The service's bounds: `message` bytes, messages of a `batch`, `candidates` of one message. */
  get limits() {
    return { message: 65_536, batch: 64, candidates: 64, ...this.#session?.limits };
  }

  /** Begins a session and keeps it connected until `close`. Resolves when events flow; rejects when refused. */
  connect() {
    if (this.state !== "idle") throw new SignalingError("closed", "A client connects once.");
    this.#setState("connecting");
    globalThis.addEventListener?.("pagehide", this.#onHide);
    globalThis.addEventListener?.("online", this.#onOnline);
    return new Promise((resolve, reject) => {
      const stop = this.on("state", ({ state, error }) => {
        if (state === "open") resolve();
        else if (state === "closed") reject(error ?? new SignalingError("closed", "The client was closed."));
        else return;
        stop();
      });
      this.#run();
    });
  }

  /** Enters a room and resolves with the others in it, `[{ peer, meta }]`. */
  async join(room, meta = {}) {
    this.#metas.set(room, meta);
    const members = new Promise((resolve, reject) => {
      this.#joins.get(room)?.reject(new SignalingError("superseded", "The room was asked for again."));
      this.#joins.set(room, { resolve, reject });
    });
    this.send({ t: "join", room, body: meta }).catch((error) => {
      // The next session enters every room again, this one too.
      if (error.code === "session_lost") return;
      this.#metas.delete(room);
      this.#joins.get(room)?.reject(error);
      this.#joins.delete(room);
    });
    return members;
  }

  /** Leaves a room. */
  async leave(room) {
    this.#metas.delete(room);
    this.rooms.delete(room);
    await this.send({ t: "leave", room });
  }

  /** Queues a message. Resolves when the service took it, rejects with its error. The `id` is added here. */
  send(message) {
    if (this.state === "closed") return Promise.reject(new SignalingError("closed", "The client was closed."));
    return new Promise((resolve, reject) => {
      const id = `c${this.#nextId++}`;
      const text = JSON.stringify({ ...message, id });
      this.#queue.push({ id, text, size: new TextEncoder().encode(text).length, resolve, reject });
      // After this turn of the event loop, so that what is sent together travels together.
      queueMicrotask(() => this.#pump());
    });
  }

  /** Drops the stream of events and opens it again, as after a change of networks. */
  reconnect() {
    this.#abort?.abort();
    this.#wake();
  }

  /** Says goodbye and stops. The request outlives the page. */
  close(error = null) {
    if (this.state === "closed") return;
    globalThis.removeEventListener?.("pagehide", this.#onHide);
    globalThis.removeEventListener?.("online", this.#onOnline);
    clearTimeout(this.#ackTimer);
    const session = this.#session;
    if (session && !error) {
      const headers = { authorization: `Bearer ${session.token}` };
      fetch(this.#path(""), { method: "DELETE", keepalive: true, headers }).catch(() => {});
    }
    const reason = error ?? new SignalingError("closed", "The client was closed.");
    for (const entry of [...this.#queue.splice(0), ...this.#joins.values()]) entry.reject(reason);
    this.#joins.clear();
    this.#session = null;
    this.rooms.clear();
    this.#setState("closed", { error });
    this.#abort?.abort();
    this.#wake();
  }

  #setState(state, detail = {}) {
    this.state = state;
    this.emit("state", { state, ...detail });
  }

  #path(rest) {
    return `${this.#base}/v1/sessions/${encodeURIComponent(this.#session.sid)}${rest}`;
  }

  // The way down.

  async #run() {
    while (this.state !== "closed") {
      const began = performance.now();
      let retryAfter = 0;
      try {
        if (!this.#session) await this.#hello();
        if (this.#session) await this.#listen();
      } catch (error) {
        if (this.#session && error.gone) this.#lose();
        else if (error.refusal) this.close(error);
        retryAfter = error.retryAfter ?? 0;
      }
      if (this.state === "closed") return;
      this.#attempt = performance.now() - began > HEALTHY_AFTER ? 1 : this.#attempt + 1;
      const retryIn = Math.max(retryAfter, jitter(this.#attempt));
      this.#setState(this.streams === 0 ? "connecting" : "reconnecting", { retryIn });
      await this.#sleep(retryIn);
    }
  }

  async #hello() {
    const response = await fetch(`${this.#base}/v1/sessions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ client: this.#info }),
    });
    if (!response.ok) throw await problem(response);
    const session = await response.json();
    if (this.state === "closed") return;
    this.#session = session;
    this.#epoch = session.epoch;
    this.#seq = 0;
    this.#fresh = true;
    this.emit("session", { sid: session.sid, previous: this.#previous });
    this.#enterRooms();
    this.#pump();
  }

  async #listen() {
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    const headers = { accept: "text/event-stream", authorization: `Bearer ${this.#session.token}` };
    const fresh = this.#fresh;
    if (!fresh) headers["last-event-id"] = `${this.#epoch}.${this.#seq}`;
    this.#fresh = false;
    // Two missed pings: the connection is dead, though nobody said so.
    const patience = this.#session.ping * 2 + 5_000;
    let watchdog = setTimeout(() => this.#abort.abort(), patience);
    try {
      const response = await fetch(this.#path("/events"), { headers, cache: "no-store", signal });
      if (!response.ok) throw await problem(response);
      this.streams += 1;
      this.#setState("open");
      if (!fresh && response.headers.get("signal-resumed") !== "yes") this.#reread();
      const parser = new EventStreamParser();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done || signal.aborted) return;
        clearTimeout(watchdog);
        watchdog = setTimeout(() => this.#abort.abort(), patience);
        for (const event of parser.push(value)) this.#receive(event);
      }
    } finally {
      clearTimeout(watchdog);
    }
  }

  #receive({ id, data }) {
    const [epoch, seq] = id.split(".").map(Number);
    if (!Number.isInteger(epoch) || !Number.isInteger(seq)) return;
    if (epoch === this.#epoch && seq <= this.#seq) return;
    const gap = epoch !== this.#epoch || seq !== this.#seq + 1;
    this.#epoch = epoch;
    this.#seq = seq;
    this.#scheduleAck();
    if (gap) this.#reread();
    const message = parse(data);
    if (!message) return;
    this.#updateRoster(message);
    this.emit(message.t, message);
    this.emit("message", message);
  }

  #updateRoster({ t, room, peer, meta = {}, members = [] }) {
    if (t === "peer_joined" && peer !== this.sid) this.rooms.get(room)?.set(peer, meta);
    if (t === "peer_left") this.rooms.get(room)?.delete(peer);
    if (t !== "joined" || !this.#metas.has(room)) return;
    const others = new Map(members.filter((m) => m.peer !== this.sid).map((m) => [m.peer, m.meta ?? {}]));
    const before = this.rooms.get(room);
    this.rooms.set(room, others);
    this.#joins.get(room)?.resolve([...others].map(([id, about]) => ({ peer: id, meta: about })));
    this.#joins.delete(room);
    if (!before) return;
    for (const gone of before.keys()) {
      if (!others.has(gone)) this.emit("peer_left", { t: "peer_left", room, peer: gone, reason: "unknown" });
    }
    for (const [come, about] of others) {
      if (!before.has(come)) this.emit("peer_joined", { t: "peer_joined", room, peer: come, meta: about });
    }
  }

  /** Events were lost: entering a room again gives its roster as it is. */
  #reread() {
    this.emit("discontinuity", {});
    this.#enterRooms();
  }

  #enterRooms() {
    for (const [room, meta] of this.#metas) this.send({ t: "join", room, body: meta }).catch(() => {});
  }

  #scheduleAck() {
    this.#unacked += 1;
    if (this.#unacked >= ACK_EVENTS) this.#sendAck();
    else if (this.#unacked === 1) this.#ackTimer = setTimeout(() => this.#sendAck(), ACK_DELAY);
  }

  #sendAck() {
    clearTimeout(this.#ackTimer);
    this.#unacked = 0;
    this.send({ t: "ack", seq: this.#seq }).catch(() => {});
  }

  /** The service forgot the session: what was under way in it fails, and the next turn begins another. */
  #lose() {
    this.#previous = this.sid;
    this.#session = null;
    clearTimeout(this.#ackTimer);
    this.#unacked = 0;
    const reason = new SignalingError("session_lost", "The service no longer knows this session.");
    for (const entry of this.#queue.splice(0)) entry.reject(reason);
    this.#abort?.abort();
    this.#wake();
  }

  #sleep(delay) {
    const { promise, resolve } = Promise.withResolvers();
    this.#sleepers.add(resolve);
    setTimeout(resolve, delay);
    return promise.finally(() => this.#sleepers.delete(resolve));
  }

  #wake() {
    for (const awake of this.#sleepers) awake();
  }

  // The way up.

  /** Sends what is queued. A batch stays in the queue until it is answered: ids make repeats harmless. */
  async #pump() {
    if (this.#pumping) return;
    this.#pumping = true;
    let failures = 0;
    let bound = this.limits.batch;
    while (this.#session && this.#queue.length > 0) {
      const session = this.#session;
      const batch = this.#nextBatch(bound);
      try {
        settle(batch, await this.#post(batch));
        if (session === this.#session) this.#queue.splice(0, batch.length);
        failures = 0;
      } catch (error) {
        if (session !== this.#session) continue;
        if (error.gone) this.#lose();
        else if (error.status === 413 && batch.length > 1) bound = 1;
        else if (error.refusal) for (const entry of this.#queue.splice(0, batch.length)) entry.reject(error);
        else await this.#sleep(Math.max(error.retryAfter ?? 0, jitter((failures += 1))));
      }
    }
    this.#pumping = false;
  }

  #nextBatch(bound) {
    let size = 2;
    let count = 0;
    for (const entry of this.#queue) {
      size += entry.size + 1;
      if (count > 0 && (count === bound || size > this.limits.message)) break;
      count += 1;
    }
    return this.#queue.slice(0, count);
  }

  async #post(batch) {
    const response = await fetch(this.#path("/messages"), {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${this.#session.token}` },
      body: `[${batch.map((entry) => entry.text).join(",")}]`,
    });
    if (!response.ok) throw await problem(response);
    return (await response.json()).results;
  }
}

function settle(batch, results) {
  const byId = new Map(results.map((result) => [result.id, result]));
  for (const entry of batch) {
    const error = byId.get(entry.id)?.error;
    if (error) entry.reject(new SignalingError(error.code, error.detail));
    else entry.resolve();
  }
}

/** Jitter, so that the clients of a service that restarts do not come back all at once. */
function jitter(attempt) {
  return 100 + Math.random() * Math.min(BACKOFF_LIMIT, BACKOFF_FIRST * 2 ** (attempt - 1));
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
