// @ts-self-types="./signaling.d.ts"
/**
 * A client of the signaling service, for browsers: sessions over WebSocket, server-sent events or long polling, calls
 * over `RTCPeerConnection`. One module, no dependency.
 *
 *     import { Call, SignalingClient } from "./signaling.js";
 *
 *     const client = new SignalingClient();
 *     await client.connect();
 *     const call = new Call({ client, room: "lobby", mesh: true, stream });
 *     call.on("stream", ({ peer, stream }) => show(peer, stream));
 *     await client.join("lobby", { name: "Ada" });
 *     call.start();
 *
 * It reads top-down: what all parts share, the pure parts (retries, the choice of a transport, what waits to be sent,
 * what has been received), the transports, the client, one connection to one peer, the call of a room.
 */

/** The first delay before a retry, and the longest, in milliseconds. */
const BACKOFF_FIRST = 500;
const BACKOFF_LIMIT = 15_000;
/** A stream that lived this long was healthy: the next drop starts at the shortest delay again. */
const HEALTHY_AFTER = 3_000;
/** A transport that has not opened within this time does not work here. */
const OPEN_LIMIT = 10_000;
/** How long the answer to a ping may take. */
const PONG_LIMIT = 10_000;
/** A transport that failed where another one worked rests for so long, then for twice as long, up to the limit. */
const RETRY_FIRST = 60_000;
const RETRY_LIMIT = 600_000;
/** Acknowledge after so many events, or this long after the first that was not acknowledged. */
const ACK_EVENTS = 64;
const ACK_DELAY = 5_000;
/** A sender who asked for a receipt waits for the acknowledgement. */
const ACK_RECEIPT_DELAY = 20;
/** Messages on the way over a WebSocket that are not answered yet. */
const WINDOW = 64;
/** How long a poll waits for an event, in seconds. */
const POLL_WAIT = 25;
/** After the service lost everything: how long a member of a room has to come back before it counts as gone. */
const RETURN_LIMIT = 20_000;
/** Candidates found within this time travel in one message. */
const CANDIDATE_DELAY = 40;
/** Candidates kept for a description that has not come. */
const HELD_CANDIDATES = 256;
/** A connection that is interrupted for this long restarts ICE, before the browser calls it failed. */
const INTERRUPTION_LIMIT = 4_000;
/** A connection that failed and does not come back within this time, ICE restarts included, is given up. */
const RECOVERY_LIMIT = 30_000;
/** How long after the other side has closed a connection its goodbye may come. */
const GONE_DELAY = 1_500;
/** How long an invitation rings. */
const INVITE_LIFETIME = 45_000;
/** Refusals after which the client does not come back by itself. */
const FINAL = new Set(["replaced", "kicked", "duplicate_identity"]);
/** Refusals that time alone mends. */
const RETRIED = new Set(["busy", "too_many_sessions", "draining", "rate_limited", "keys_unavailable"]);

// MARK: What all parts share

/** An error of the service or of the way to it. `code` is stable, `message` is for people. */
export class SignalingError extends Error {
  /**
   * @param {string} code
   * @param {string} [detail]
   * @param {number} [status]
   * @param {number} [retryAfter]
   */
  constructor(code, detail = "", status = 0, retryAfter = 0) {
    super(detail || code);
    this.name = "SignalingError";
    /** The service's code, or `session_lost`, `closed`, `superseded`, `unreachable`, `bad_response` of this client. */
    this.code = code;
    /** The HTTP status; 0 when there is none. */
    this.status = status;
    /** Milliseconds that the service asks to wait; 0 when it does not. */
    this.retryAfter = retryAfter;
  }

  /** Whether the service does not know the session, or not by this token. */
  get gone() {
    return this.status === 404 || this.status === 401;
  }

  /** Whether it is an answer of the service itself, which the way to it has nothing to do with. */
  get isAnswer() {
    return this.gone || this.status === 408 || this.status === 429 || this.status >= 500;
  }

  /** Whether asking again the same way is useless. */
  get refusal() {
    return this.status >= 400 && this.status < 500 && ![408, 425, 429].includes(this.status);
  }
}

/** Listeners by type of event. A listener that throws is reported and does not stop the others. */
export class Emitter {
  /** @type {Map<string, Set<(detail: any) => void>>} */
  #listeners = new Map();

  /**
   * Calls `listener(detail)` for each event of `type`. Returns a function that ends that.
   *
   * @param {string} type
   * @param {(detail: any) => void} listener
   * @returns {() => void}
   */
  on(type, listener) {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
    return () => this.off(type, listener);
  }

  /**
   * Ends what `on` began.
   *
   * @param {string} type
   * @param {(detail: any) => void} listener
   */
  off(type, listener) {
    this.#listeners.get(type)?.delete(listener);
  }

  /**
   * Calls the listeners of `type`, in the order in which they came.
   *
   * @param {string} type
   * @param {any} detail
   */
  emit(type, detail) {
    for (const listener of [...(this.#listeners.get(type) ?? [])]) {
      try {
        listener(detail);
      } catch (error) {
        report(error);
      }
    }
  }
}

/**
 * As an exception that nobody caught, which does not end what goes on here.
 *
 * @param {unknown} error
 */
function report(error) {
  if (typeof globalThis.reportError === "function") globalThis.reportError(error);
  else console.error(error);
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

// MARK: Pure parts

/**
 * The delay before retry number `attempt`, from 1 on: exponential, and anywhere between nothing and all of it, so that
 * the clients of a service that restarts do not come back all at once. What the service asks for is the least.
 *
 * @param {number} attempt
 * @param {number} [asked] what the service asked for, in milliseconds
 * @param {() => number} [random]
 * @returns {number} milliseconds
 */
export function backoff(attempt, asked = 0, random = Math.random) {
  const spread = Math.min(BACKOFF_LIMIT, BACKOFF_FIRST * 2 ** Math.min(attempt - 1, 16));
  return asked > 0 ? asked + random() * Math.min(spread, asked) : 100 + random() * spread;
}

/**
 * The value of a `Retry-After` field (RFC 9110 section 10.2.3), seconds or a date, in milliseconds; 0 without one.
 *
 * @param {string | null} field
 * @param {number} [now]
 */
export function retryAfter(field, now = Date.now()) {
  if (!field) return 0;
  const wait = /^\d+$/.test(field.trim()) ? Number(field) * 1000 : Date.parse(field) - now;
  return Number.isFinite(wait) ? Math.max(0, wait) : 0;
}

/** Splits a stream of server-sent events (HTML standard, section 9.2.6) into `{ id, data }`. */
export class EventStreamParser {
  #rest = "";
  #id = "";
  /** @type {string[]} */
  #data = [];

  /**
   * Takes a piece of text, cut anywhere, and returns the events that it completes.
   *
   * @param {string} text
   * @returns {{ id: string, data: string }[]}
   */
  push(text) {
    const events = [];
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const raw of lines) {
      const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
      if (line === "") {
        if (this.#data.length > 0) events.push({ id: this.#id, data: this.#data.join("\n") });
        this.#data = [];
        continue;
      }
      const colon = line.indexOf(":");
      if (colon === 0) continue;
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "data") this.#data.push(value);
      if (field === "id") this.#id = value;
    }
    return events;
  }
}

/**
 * Which transport to use: the first that works. One that fails where another one works is left alone for a while; while
 * none works, that is the service's fault and no transport's.
 */
export class TransportChoice {
  #names;
  /**
   * Those that failed since the last one opened.
   *
   * @type {Set<string>}
   */
  #failed = new Set();
  /**
   * Those that have opened once: one failure does not speak against them.
   *
   * @type {Set<string>}
   */
  #proven = new Set();
  #strikes = 0;
  /** @type {Map<string, { until: number, penalty: number }>} */
  #rests = new Map();

  /** @param {string[]} names the best first */
  constructor(names) {
    this.#names = names;
  }

  /**
   * @param {number} now milliseconds
   * @returns {string}
   */
  pick(now) {
    const rested = this.#names.filter((name) => (this.#rests.get(name)?.until ?? 0) <= now);
    const last = this.#names[this.#names.length - 1];
    return rested.find((name) => !this.#failed.has(name)) ?? rested[0] ?? last;
  }

  /**
   * @param {string} name
   * @param {number} now milliseconds
   */
  opened(name, now) {
    for (const other of this.#failed) {
      if (other === name) continue;
      const penalty = Math.min(RETRY_LIMIT, (this.#rests.get(other)?.penalty ?? RETRY_FIRST / 2) * 2);
      this.#rests.set(other, { until: now + penalty, penalty });
    }
    this.#rests.delete(name);
    this.#failed.clear();
    this.#proven.add(name);
    this.#strikes = 0;
  }

  /**
   * @param {string} name one that did not open
   * @param {number} now milliseconds
   * @returns {boolean} whether another one is to be tried at once
   */
  failed(name, now) {
    this.#strikes += 1;
    if (this.#proven.has(name) && this.#strikes < 2) return false;
    this.#failed.add(name);
    this.#strikes = 0;
    if (!this.#failed.has(this.pick(now))) return true;
    this.#failed.clear();
    return false;
  }

  /**
   * When a transport that is better than `name` may be tried again; null when `name` is the best.
   *
   * @param {string} name
   * @returns {number | null}
   */
  retryAt(name) {
    const better = this.#names.slice(0, this.#names.indexOf(name));
    return better.length === 0 ? null : Math.min(...better.map((other) => this.#rests.get(other)?.until ?? 0));
  }
}

/** Takes each event once, in order, however often it is sent. */
export class EventCursor {
  epoch = 0;
  seq = 0;

  /**
   * Begins anew: nothing of `epoch` was received.
   *
   * @param {number} epoch
   */
  reset(epoch) {
    this.epoch = epoch;
    this.seq = 0;
  }

  /** The last event received, as the service takes it. */
  get position() {
    return `${this.epoch}.${this.seq}`;
  }

  /**
   * Whether the event is new: false for a repeat.
   *
   * @param {number} epoch
   * @param {number} seq
   */
  take(epoch, seq) {
    if (!Number.isInteger(epoch) || !Number.isInteger(seq)) return false;
    if (epoch === this.epoch && seq <= this.seq) return false;
    this.epoch = epoch;
    this.seq = seq;
    return true;
  }
}

/**
 * Messages that the service has not answered. They stay until it does, and are sent again over whatever connection
 * comes next: their ids make repeats harmless.
 */
export class Outbox {
  /**
   * @type {{ id: string, text: string, size: number, sent: boolean, resolve: () => void,
   *   reject: (error: Error) => void }[]}
   */
  #entries = [];
  #nextId = 1;

  get count() {
    return this.#entries.length;
  }

  /**
   * Adds a message, which gets an `id`. The promise settles with the service's answer.
   *
   * @param {object} message
   * @returns {Promise<void>}
   */
  add(message) {
    return new Promise((resolve, reject) => {
      const id = `c${this.#nextId++}`;
      const text = JSON.stringify({ ...message, id });
      this.#entries.push({ id, text, size: new TextEncoder().encode(text).length, sent: false, resolve, reject });
    });
  }

  /**
   * The next messages that are not on the way, which they are from now on, within the bounds, but at least one.
   *
   * @param {number} maxCount
   * @param {number} maxSize bytes of all, with what JSON puts between them
   */
  next(maxCount, maxSize) {
    const batch = [];
    let size = 2;
    for (const entry of this.#entries) {
      if (entry.sent) continue;
      size += entry.size + 1;
      if (batch.length > 0 && (batch.length >= maxCount || size > maxSize)) break;
      entry.sent = true;
      batch.push(entry);
    }
    return batch;
  }

  /** How many are on the way. */
  get underWay() {
    return this.#entries.filter((entry) => entry.sent).length;
  }

  /** The connection is gone: nothing is on the way. */
  rewind() {
    for (const entry of this.#entries) entry.sent = false;
  }

  /**
   * The service's answer to a message: `error` is null when it was accepted.
   *
   * @param {string} id
   * @param {Error | null} [error]
   */
  settle(id, error = null) {
    const index = this.#entries.findIndex((entry) => entry.id === id);
    if (index < 0) return;
    const [entry] = this.#entries.splice(index, 1);
    if (error) entry.reject(error);
    else entry.resolve();
  }

  /**
   * Gives all up.
   *
   * @param {Error} error
   */
  rejectAll(error) {
    for (const entry of this.#entries.splice(0)) entry.reject(error);
  }
}

/**
 * The messages for candidates as they were found, null for the end: one for each `ufrag`, which names the description
 * that they belong to, and none with more than `limit`.
 *
 * @param {(RTCIceCandidate | null)[]} found
 * @param {string | undefined} ufrag that of the description, for candidates which do not say
 * @param {number} limit
 * @returns {{ candidates: object[], ufrag: string | undefined, end?: true }[]}
 */
export function candidateMessages(found, ufrag, limit) {
  /** @type {Map<string | undefined, { candidates: object[], end: boolean }>} */
  const groups = new Map();
  let last = ufrag;
  for (const candidate of found) {
    last = candidate?.usernameFragment ?? last;
    const group = groups.get(last) ?? { candidates: [], end: false };
    groups.set(last, group);
    if (!candidate?.candidate) group.end = true;
    else group.candidates.push(plainCandidate(candidate));
  }
  const messages = [];
  for (const [name, { candidates, end }] of groups) {
    do {
      const some = candidates.splice(0, limit);
      const isLast = end && candidates.length === 0;
      messages.push({ candidates: some, ufrag: name, ...(isLast && { end: /** @type {true} */ (true) }) });
    } while (candidates.length > 0);
  }
  return messages;
}

/**
 * What of a candidate goes over the wire.
 *
 * @param {RTCIceCandidate} candidate
 */
function plainCandidate({ candidate, sdpMid, sdpMLineIndex }) {
  return { candidate, sdpMid, sdpMLineIndex };
}

/**
 * Whether this side takes its offer back when offers cross: the one with the smaller party id does, compared byte by
 * byte, as the service does.
 *
 * @param {string} own
 * @param {string} other
 */
export function isPolite(own, other) {
  return own < other;
}

/**
 * The way that media takes: the types of both candidates (`host`, `srflx`, `prflx` or `relay`) and the protocol; null
 * while there is none.
 *
 * @param {RTCStatsReport | Map<string, any>} stats
 * @returns {{ local: string, remote: string, protocol: string, relayed: boolean, rtt: number | null } | null}
 */
export function iceRoute(stats) {
  const reports = [...stats.values()];
  const transport = reports.find(({ type }) => type === "transport");
  const pair =
    (transport?.selectedCandidatePairId && stats.get(transport.selectedCandidatePairId)) ||
    reports.find(({ type, nominated, state }) => type === "candidate-pair" && nominated && state === "succeeded");
  const local = pair && stats.get(pair.localCandidateId);
  const remote = pair && stats.get(pair.remoteCandidateId);
  if (!local || !remote) return null;
  return {
    local: local.candidateType,
    remote: remote.candidateType,
    protocol: local.relayProtocol ?? local.protocol,
    relayed: local.candidateType === "relay" || remote.candidateType === "relay",
    rtt: typeof pair.currentRoundTripTime === "number" ? Math.round(pair.currentRoundTripTime * 1000) : null,
  };
}

// MARK: Transports

/**
 * What a transport knows of its client.
 *
 * @typedef {object} Link
 * @property {string} base
 * @property {typeof fetch} fetch
 * @property {any} WebSocket
 * @property {Outbox} outbox
 * @property {EventCursor} cursor
 * @property {() => any} session the session, null before the first hello
 * @property {() => Promise<string | null>} token
 * @property {object} info
 * @property {(session: any, resumed: string) => void} begin
 * @property {(resumed: string) => void} opened
 * @property {(message: any, epoch: number) => void} receive
 * @property {() => { t: string, seq: number } | null} takeAck
 * @property {(error: SignalingError) => SignalingError} refused hello or resume was refused
 * @property {() => { message: number, batch: number }} limits
 */

/** One WebSocket: hello or resume in its first frame, then messages both ways. */
class WebSocketTransport {
  #link;
  /** @type {any} */
  #socket = null;
  #isOpen = false;
  #began = 0;
  #heard = 0;
  /** When a ping went out that is not answered; 0 for none. */
  #pinged = 0;
  #patience = PONG_LIMIT;

  /** @param {Link} link */
  constructor(link) {
    this.#link = link;
  }

  /**
   * Lives as long as the socket. Rejects when it did not open, or was refused.
   *
   * @param {AbortSignal} signal
   */
  async run(signal) {
    const greeting = await this.#greeting();
    if (signal.aborted) return;
    const url = `${this.#link.base.replace(/^http/, "ws")}/v1/ws`;
    const socket = (this.#socket = new this.#link.WebSocket(url, ["signal.v1.json"]));
    let timer = 0;
    try {
      await new Promise((resolve, reject) => {
        this.#began = performance.now();
        const silent = new SignalingError("unreachable", "The service is silent.");
        timer = setInterval(() => this.#beat() || reject(silent), 1000);
        signal.addEventListener("abort", () => resolve(undefined));
        socket.onopen = () => socket.send(JSON.stringify(greeting));
        socket.onclose = (/** @type {CloseEvent} */ event) => {
          const error = closeError(event, this.#isOpen);
          if (error && event.code >= 4000) reject(this.#link.refused(error));
          else if (error) reject(error);
          else resolve(undefined);
        };
        socket.onmessage = (/** @type {MessageEvent} */ { data }) => {
          this.#heard = performance.now();
          this.#pinged = 0;
          for (const message of [parse(data)].flat()) {
            const error = message && this.#take(message);
            if (error) reject(error);
          }
        };
      });
    } finally {
      clearInterval(timer);
      this.#isOpen = false;
      socket.onopen = socket.onclose = socket.onmessage = null;
      socket.close();
    }
  }

  /** Sends what waits. */
  flush() {
    if (!this.#isOpen || this.#socket.readyState !== 1) return;
    const { outbox, takeAck, limits } = this.#link;
    const ack = takeAck();
    if (ack) this.#socket.send(JSON.stringify(ack));
    const room = WINDOW - outbox.underWay;
    if (room <= 0 || outbox.count === 0) return;
    for (const { text } of outbox.next(room, Infinity)) this.#socket.send(text);
  }

  /** Finds out soon whether the other side is there. Returns whether it can. */
  probe() {
    if (!this.#isOpen) return false;
    this.#ping(3_000);
    return true;
  }

  /** Ends the session. Returns whether it could say so. */
  bye() {
    if (!this.#isOpen) return false;
    this.#socket.send('{"t":"bye"}');
    return true;
  }

  async #greeting() {
    const { session, cursor, token, info } = this.#link;
    const ticket = session()?.resume;
    if (ticket) return { t: "resume", ticket, last: cursor.position };
    const jwt = await token();
    return { t: "hello", ...(jwt && { token: jwt }), client: info };
  }

  /** @param {number} patience */
  #ping(patience) {
    this.#patience = patience;
    this.#pinged ||= performance.now();
    this.#socket.send('{"t":"ping"}');
  }

  /** Pings a silent connection; false when it stays silent. */
  #beat() {
    const now = performance.now();
    if (!this.#isOpen) return now - this.#began < OPEN_LIMIT;
    if (this.#pinged > 0) return now - this.#pinged < this.#patience;
    if (now - this.#heard > (this.#link.session()?.ping ?? 25_000)) this.#ping(PONG_LIMIT);
    return true;
  }

  /**
   * @param {any} message
   * @returns {SignalingError | undefined} why the connection is of no use
   */
  #take(message) {
    if (!this.#isOpen) return this.#takeFirst(message);
    const { outbox, receive, session } = this.#link;
    // Answers to what was sent have no number; events have, those about the fate of a message too.
    if (message.seq !== undefined) receive(message, session().epoch);
    else if (message.t === "ack") outbox.settle(message.id);
    else if (message.t === "error" && message.id !== undefined) outbox.settle(message.id, messageError(message));
    else if (message.t !== "pong") receive(message, session().epoch);
    this.flush();
    return undefined;
  }

  /** @param {any} message */
  #takeFirst(message) {
    if (message.t === "error") return this.#link.refused(messageError(message));
    if (message.t !== "welcome" && message.t !== "resumed") return undefined;
    const resumed = message.t === "welcome" ? "new" : (message.resumed ?? "no");
    this.#link.begin(message, resumed);
    this.#isOpen = true;
    this.#link.opened(resumed);
    this.flush();
    return undefined;
  }
}

/** @param {any} message */
function messageError({ code = "bad_response", detail = "", retry_after = 0 }) {
  return new SignalingError(code, detail, 0, retry_after * 1000);
}

/** Requests: a session begins by POST, messages go up by POST, one request at a time, so that they stay in order. */
class HTTPTransport {
  /** @type {Link} */
  link;
  #isOpen = false;
  #isPumping = false;
  /** @type {AbortController | null} */
  #stop = null;

  /** @param {Link} link */
  constructor(link) {
    this.link = link;
  }

  /** @param {AbortSignal} signal */
  async run(signal) {
    const stop = (this.#stop = new AbortController());
    const end = () => stop.abort();
    signal.addEventListener("abort", end);
    try {
      if (!this.link.session()) await this.#begin({ client: this.link.info }, "new", signal);
      if (signal.aborted) return;
      try {
        await this.listen(stop);
      } catch (error) {
        if (!(error instanceof SignalingError) || !error.gone) throw error;
        await this.#revive(error, signal);
        if (!signal.aborted) await this.listen(stop);
      }
    } finally {
      this.#isOpen = false;
      signal.removeEventListener("abort", end);
    }
  }

  /** Sends what waits. */
  flush() {
    if (this.#isOpen && !this.#isPumping) this.#pump();
  }

  probe() {
    return false;
  }

  bye() {
    return false;
  }

  /**
   * @param {AbortController} _stop
   * @returns {Promise<void>}
   */
  async listen(_stop) {}

  /** @param {string} resumed */
  opened(resumed) {
    this.#isOpen = true;
    this.link.opened(resumed);
    this.flush();
  }

  /** @param {string} rest */
  path(rest) {
    return `${this.link.base}/v1/sessions/${encodeURIComponent(this.link.session().sid)}${rest}`;
  }

  /** @returns {Record<string, string>} */
  get authorization() {
    return { authorization: `Bearer ${this.link.session().token}` };
  }

  /**
   * @param {object} body
   * @param {string} resumed
   * @param {AbortSignal} signal
   */
  async #begin(body, resumed, signal) {
    /** @type {Record<string, string>} */
    const headers = { "content-type": "application/json" };
    const jwt = "client" in body ? await this.link.token() : null;
    if (jwt) headers.authorization = `Bearer ${jwt}`;
    const response = await this.link.fetch(`${this.link.base}/v1/sessions`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
      signal,
    });
    if (!response.ok) throw this.link.refused(await problem(response));
    const session = await response.json();
    const told = session.resumed ?? response.headers.get("signal-resumed") ?? "no";
    if (!signal.aborted) this.link.begin(session, resumed === "new" ? "new" : told);
  }

  /** The service does not know the session, or not by its token: the ticket gives it another try. */
  async #revive(/** @type {SignalingError} */ error, /** @type {AbortSignal} */ signal) {
    const ticket = this.link.session()?.resume;
    if (!ticket) throw this.link.refused(error);
    await this.#begin({ resume: ticket, last: this.link.cursor.position }, "no", signal);
  }

  /** A batch stays in the outbox until it is answered. */
  async #pump() {
    this.#isPumping = true;
    const { outbox } = this.link;
    let failures = 0;
    let bound = this.link.limits().batch;
    while (this.#isOpen) {
      const ack = this.link.takeAck();
      const batch = outbox.next(bound - (ack ? 1 : 0), this.link.limits().message - 64);
      if (batch.length === 0 && !ack) break;
      try {
        const texts = [...(ack ? [JSON.stringify(ack)] : []), ...batch.map(({ text }) => text)];
        for (const result of await this.#post(`[${texts.join(",")}]`)) {
          if (result.id !== undefined) outbox.settle(result.id, result.error ? messageError(result.error) : null);
        }
        failures = 0;
      } catch (error) {
        for (const entry of batch) entry.sent = false;
        const asked = error instanceof SignalingError ? error : null;
        if (asked?.gone) this.#stop?.abort();
        else if (asked?.status === 413 && batch.length > 1) bound = 1;
        else if (asked?.refusal) for (const { id } of batch) outbox.settle(id, asked);
        else await new Promise((awake) => setTimeout(awake, backoff((failures += 1), asked?.retryAfter)));
        if (asked?.gone) break;
      }
    }
    this.#isPumping = false;
  }

  /** @param {string} body */
  async #post(body) {
    const headers = { "content-type": "application/json", ...this.authorization };
    const response = await this.link.fetch(this.path("/messages"), { method: "POST", headers, body });
    if (!response.ok) throw await problem(response);
    return (await response.json()).results;
  }
}

/** Server-sent events, read by `fetch`, because `EventSource` cannot carry a bearer token. */
class EventStreamTransport extends HTTPTransport {
  /** @param {AbortController} stop */
  async listen(stop) {
    const { link } = this;
    // Two missed pings: the connection is dead, though nobody said so.
    const patience = (link.session().ping ?? 25_000) * 2 + 5_000;
    let watchdog = setTimeout(() => stop.abort(), OPEN_LIMIT);
    const headers = { accept: "text/event-stream", ...this.authorization, "last-event-id": link.cursor.position };
    try {
      const response = await link.fetch(this.path("/events"), { headers, cache: "no-store", signal: stop.signal });
      if (!response.ok) throw await problem(response);
      if (!response.body) throw new SignalingError("bad_response", "A stream without a body.");
      this.opened(response.headers.get("signal-resumed") ?? "no");
      const parser = new EventStreamParser();
      const decoder = new TextDecoder();
      const reader = response.body.getReader();
      for (;;) {
        clearTimeout(watchdog);
        watchdog = setTimeout(() => stop.abort(), patience);
        const { value, done } = await reader.read();
        if (done || stop.signal.aborted) return;
        for (const { id, data } of parser.push(decoder.decode(value, { stream: true }))) {
          const [epoch, seq] = id.split(".").map(Number);
          const message = parse(data);
          if (message) link.receive({ ...message, seq }, epoch);
        }
      }
    } catch (error) {
      if (!stop.signal.aborted || error instanceof SignalingError) throw error;
    } finally {
      clearTimeout(watchdog);
    }
  }
}

/** Long polling, for networks that let no stream pass. */
class PollTransport extends HTTPTransport {
  /** @param {AbortController} stop */
  async listen(stop) {
    const { link } = this;
    let wait = 0;
    while (!stop.signal.aborted) {
      const watchdog = setTimeout(() => stop.abort(), wait * 1000 + OPEN_LIMIT);
      try {
        const query = `/events?since=${link.cursor.position}&wait=${wait}`;
        const headers = { accept: "application/json", ...this.authorization };
        const response = await link.fetch(this.path(query), { headers, cache: "no-store", signal: stop.signal });
        if (!response.ok) throw await problem(response);
        const { epoch, last, events } = await response.json();
        const resumed = response.headers.get("signal-resumed") ?? "yes";
        if (wait === 0 || resumed !== "yes") this.opened(resumed);
        for (const message of events) link.receive(message, epoch);
        link.cursor.take(epoch, Number(String(last).split(".")[1]));
        wait = POLL_WAIT;
      } catch (error) {
        if (!stop.signal.aborted || error instanceof SignalingError) throw error;
      } finally {
        clearTimeout(watchdog);
      }
    }
  }
}

/** @type {Record<string, new (link: Link) => WebSocketTransport | HTTPTransport>} */
const TRANSPORTS = { websocket: WebSocketTransport, sse: EventStreamTransport, poll: PollTransport };

/**
 * The error that a response with `application/problem+json` stands for.
 *
 * @param {Response} response
 */
async function problem(response) {
  const body = await response.json().catch(() => ({}));
  const wait = retryAfter(response.headers.get("retry-after"));
  return new SignalingError(body.code ?? "bad_response", body.detail ?? response.statusText, response.status, wait);
}

/** Codes with which the service closes a WebSocket: a refusal's is 4000 and the status that HTTP has for it. */
const CLOSED_REPLACED = 4001;
const CLOSED_REFUSED = 4400;

/**
 * What the end of a WebSocket means: null when it is to be opened again, by the session's ticket.
 *
 * @param {{ code: number, reason: string }} event
 * @param {boolean} wasOpen
 */
function closeError({ code, reason }, wasOpen) {
  if (code >= CLOSED_REFUSED && code < CLOSED_REFUSED + 200) return new SignalingError(reason, "", code - 4000);
  if (code === CLOSED_REPLACED) return new SignalingError("replaced", "The session goes on elsewhere.");
  return wasOpen ? null : new SignalingError("unreachable", reason || `The WebSocket closed with ${code}.`);
}

// MARK: The client

/**
 * One session on the service. It outlives its connections: what is sent while there is none goes out over the next, and
 * what was missed comes over it.
 *
 * Events: every message of the server under its `t` (`joined`, `peer_joined`, `peer_left`, `offer`, …) and under
 * `message`; and of the client itself:
 * - `state`: `{ state, retryIn, error }`, see `state`; `retryIn` is in milliseconds, for `reconnecting`.
 * - `session`: `{ sid, previous, restarted }` when a session begins. With `previous`, the service no longer knew that
 *   one. Rooms are entered again. `restarted` says that it lost everything, so others come back as well.
 * - `transport`: `{ transport }` when another one is in use.
 * - `discontinuity`: some events were lost. Rosters are read again, the differences arrive as events.
 * - `peer_returned`: `{ room, peer, meta }`: a member is back after the service lost everything.
 * - `join_failed`: `{ room, error }`: a room could not be entered again.
 * - `network`: this machine's network has changed.
 */
export class SignalingClient extends Emitter {
  /** @type {"idle" | "connecting" | "open" | "reconnecting" | "closed"} */
  state = "idle";
  /**
   * Room → `Map` of party id → metadata: the others who are in it now.
   *
   * @type {Map<string, Map<string, any>>}
   */
  rooms = new Map();
  /**
   * Room → party ids of those who moderate it, this peer among them or not. A change is told by `peer_updated`.
   *
   * @type {Map<string, Set<string>>}
   */
  moderators = new Map();
  /** How many times a stream was opened. */
  streams = 0;
  /**
   * The transport in use: `websocket`, `sse` or `poll`; null while there is none.
   *
   * @type {string | null}
   */
  transport = null;

  #options;
  /** @type {any} */
  #session = null;
  #cursor = new EventCursor();
  #outbox = new Outbox();
  #choice;
  /** @type {WebSocketTransport | HTTPTransport | null} */
  #running = null;
  /** @type {AbortController | null} */
  #abort = null;
  /**
   * The session before this one.
   *
   * @type {{ sid: string, epoch: number } | null}
   */
  #previous = null;
  #isFresh = false;
  /**
   * Why hello or resume was refused.
   *
   * @type {SignalingError | null}
   */
  #refusal = null;
  /** A new token was asked for because the one before was refused. */
  #refreshed = false;
  #asked = 0;
  /** @type {Set<() => void>} */
  #sleepers = new Set();
  #unacked = 0;
  #isAckDue = false;
  #ackTimer = 0;
  #upgradeTimer = 0;
  #goawayTimer = 0;
  /**
   * What is said on entering each room.
   *
   * @type {Map<string, { meta: object, extra: object }>}
   */
  #entered = new Map();
  /** @type {Map<string, { resolve: (members: any[]) => void, reject: (error: Error) => void }>} */
  #joins = new Map();
  /**
   * Rooms that are entered again after the service lost everything.
   *
   * @type {Set<string>}
   */
  #returning = new Set();
  /**
   * Room → members that have not come back yet.
   *
   * @type {Map<string, Set<string>>}
   */
  #absent = new Map();
  /** @type {(() => void)[]} */
  #stops = [];

  /**
   * - `url`: where the service is; the page's own origin if not given.
   * - `token`: a JWT, or a function that gives one, also asked when the one in use expires. None in development mode.
   * - `info`: an object about this client, for the operator.
   * - `transports`: those to use, the best first.
   * - `fetch`, `WebSocket`: in place of the global ones.
   *
   * @param {{ url?: string, token?: string | ((reason: string) => string | Promise<string>), info?: object,
   *   transports?: string[], fetch?: typeof fetch, WebSocket?: any }} [options]
   */
  constructor(options = {}) {
    super();
    this.#options = {
      base: (options.url ?? globalThis.location?.origin ?? "").replace(/\/$/, ""),
      token: options.token ?? null,
      info: options.info ?? {},
      fetch: options.fetch ?? globalThis.fetch.bind(globalThis),
      WebSocket: options.WebSocket ?? globalThis.WebSocket,
    };
    const usable = (options.transports ?? ["websocket", "sse", "poll"]).filter(
      (name) => name in TRANSPORTS && (name !== "websocket" || this.#options.WebSocket),
    );
    if (usable.length === 0) throw new SignalingError("unreachable", "None of the transports can be used here.");
    this.#choice = new TransportChoice(usable);
  }

  /**
   * The session's identifier, which is this peer's party id; null without a session.
   *
   * @returns {string | null}
   */
  get sid() {
    return this.#session?.sid ?? null;
  }

  /**
   * STUN and TURN servers as RTCPeerConnection takes them.
   *
   * @returns {RTCIceServer[]}
   */
  get iceServers() {
    return this.#session?.ice_servers ?? [];
  }

  /** The service's bounds: `message` bytes, messages of a `batch`, `candidates` of one message. */
  get limits() {
    return { message: 65_536, batch: 64, candidates: 64, ...this.#session?.limits };
  }

  get #isClosed() {
    return this.state === "closed";
  }

  /** Messages that the service has not answered. */
  get pending() {
    return this.#outbox.count;
  }

  /** Begins a session and keeps it connected until `close`. Resolves when events flow; rejects when refused. */
  connect() {
    if (this.state !== "idle") throw new SignalingError("closed", "A client connects once.");
    this.#setState("connecting");
    this.#watch();
    return /** @type {Promise<void>} */ (
      new Promise((resolve, reject) => {
        const stop = this.on("state", ({ state, error }) => {
          if (state === "open") resolve();
          else if (state === "closed") reject(error ?? new SignalingError("closed", "The client was closed."));
          else return;
          stop();
        });
        this.#run();
      })
    );
  }

  /**
   * Enters a room and resolves with the others in it. `extra` holds further fields of the message, such as `password`,
   * which opens the room, or is set when nobody is in it yet. Rejects with `password_required`, `wrong_password` or
   * `too_many_guesses`, and with `kicked` for a while after a moderator has put this peer out.
   *
   * @param {string} room
   * @param {object} [meta]
   * @param {object} [extra]
   * @returns {Promise<{ peer: string, meta: any }[]>}
   */
  async join(room, meta = {}, extra = {}) {
    this.#entered.set(room, { meta, extra });
    const members = new Promise((resolve, reject) => {
      this.#joins.get(room)?.reject(new SignalingError("superseded", "The room was asked for again."));
      this.#joins.set(room, { resolve, reject });
    });
    this.#enter(room);
    return members;
  }

  /**
   * Leaves a room.
   *
   * @param {string} room
   */
  async leave(room) {
    this.#forget(room);
    await this.send({ t: "leave", room });
  }

  /**
   * Changes what the others of a room know of this peer.
   *
   * @param {string} room
   * @param {object} meta
   */
  async setPresence(room, meta) {
    const entered = this.#entered.get(room);
    if (entered) entered.meta = meta;
    await this.send({ t: "presence_set", room, body: meta });
  }

  /**
   * Whether this peer moderates the room, and may kick, close and set a password.
   *
   * @param {string} room
   */
  isModerator(room) {
    return this.sid !== null && this.moderators.get(room)?.has(this.sid) === true;
  }

  /**
   * Puts somebody out of a room.
   *
   * @param {string} room
   * @param {string} peer
   */
  kick(room, peer) {
    return this.send({ t: "kick", room, to: { peer } });
  }

  /**
   * Puts everybody out of a room.
   *
   * @param {string} room
   */
  closeRoom(room) {
    return this.send({ t: "close_room", room });
  }

  /**
   * Sets the password of a room; with null, there is none any more.
   *
   * @param {string} room
   * @param {string | null} password
   */
  async setPassword(room, password) {
    await this.send({ t: "room_password", room, password });
    const entered = this.#entered.get(room);
    if (entered) entered.extra = { ...entered.extra, password };
  }

  /**
   * Queues a message. Resolves when the service took it, rejects with its error. The `id` is added here.
   *
   * @param {{ t: string, [field: string]: any }} message
   * @returns {Promise<void>}
   */
  send(message) {
    if (this.state === "closed") return Promise.reject(new SignalingError("closed", "The client was closed."));
    const answered = this.#outbox.add(message);
    // After this turn of the event loop, so that what is sent together travels together.
    queueMicrotask(() => this.#running?.flush());
    return answered;
  }

  /** Drops the connection and opens it again, as after a change of networks. */
  reconnect() {
    this.#abort?.abort();
    this.#wake();
  }

  /**
   * Says goodbye and stops. The request outlives the page.
   *
   * @param {Error | null} [error]
   */
  close(error = null) {
    if (this.state === "closed") return;
    for (const stop of this.#stops.splice(0)) stop();
    for (const timer of [this.#ackTimer, this.#upgradeTimer, this.#goawayTimer]) clearTimeout(timer);
    const session = this.#session;
    if (session && !error && !this.#running?.bye()) {
      const url = `${this.#options.base}/v1/sessions/${encodeURIComponent(session.sid)}`;
      const headers = { authorization: `Bearer ${session.token}` };
      this.#options.fetch(url, { method: "DELETE", keepalive: true, headers }).catch(() => {});
    }
    const reason = error ?? new SignalingError("closed", "The client was closed.");
    this.#setState("closed", { error });
    this.#outbox.rejectAll(reason);
    for (const { reject } of this.#joins.values()) reject(reason);
    this.#joins.clear();
    this.#session = null;
    this.rooms.clear();
    this.moderators.clear();
    this.#abort?.abort();
    this.#wake();
  }

  /**
   * @param {"connecting" | "open" | "reconnecting" | "closed"} state
   * @param {object} [detail]
   */
  #setState(state, detail = {}) {
    this.state = state;
    this.emit("state", { state, ...detail });
  }

  /** Pages that go, networks that come and change. */
  #watch() {
    const listen = (/** @type {any} */ target, /** @type {string} */ type, /** @type {() => void} */ listener) => {
      target?.addEventListener?.(type, listener);
      this.#stops.push(() => target?.removeEventListener?.(type, listener));
    };
    let settled = 0;
    const changed = () => {
      clearTimeout(settled);
      settled = setTimeout(() => this.#networkChanged(), 500);
    };
    const document = globalThis.document;
    listen(globalThis, "pagehide", () => this.close());
    listen(globalThis, "online", changed);
    listen(/** @type {any} */ (globalThis.navigator)?.connection, "change", changed);
    listen(document, "visibilitychange", () => document.visibilityState === "visible" && this.#running?.probe());
    this.#stops.push(() => clearTimeout(settled));
  }

  #networkChanged() {
    if (this.state === "closed") return;
    this.emit("network", {});
    if (this.state !== "open") this.#wake();
    else if (!this.#running?.probe()) this.reconnect();
  }

  // The connection.

  async #run() {
    let attempt = 0;
    while (!this.#isClosed) {
      const began = performance.now();
      const opened = this.streams;
      const name = this.#choice.pick(began);
      const { error, isOwn } = await this.#connectBy(name);
      if (this.#isClosed) return;
      if (this.#refusal && !this.#mayGoOn()) return this.close(this.#refusal);
      this.#refusal = null;
      const isFailure = this.streams === opened && !isOwn && !error?.isAnswer;
      if (isFailure && this.#choice.failed(name, performance.now())) continue;
      attempt = performance.now() - began > HEALTHY_AFTER || isOwn ? 1 : attempt + 1;
      const retryIn = isOwn ? 0 : backoff(attempt, Math.max(this.#asked, error?.retryAfter ?? 0));
      this.#asked = 0;
      this.#setState(this.streams === 0 ? "connecting" : "reconnecting", { retryIn });
      await this.#sleep(retryIn);
    }
  }

  /**
   * Until the connection ends. `isOwn` says that this side wanted it to.
   *
   * @param {string} name
   */
  async #connectBy(name) {
    const abort = (this.#abort = new AbortController());
    const running = (this.#running = new TRANSPORTS[name](this.#link(name)));
    this.#outbox.rewind();
    /** @type {SignalingError | null} */
    let error = null;
    try {
      await running.run(abort.signal);
    } catch (reason) {
      error = reason instanceof SignalingError ? reason : null;
    }
    this.#running = null;
    clearTimeout(this.#upgradeTimer);
    return { error, isOwn: abort.signal.aborted };
  }

  /**
   * @param {string} name
   * @returns {Link}
   */
  #link(name) {
    const { base, fetch, WebSocket, info } = this.#options;
    return {
      base,
      fetch,
      WebSocket,
      info,
      outbox: this.#outbox,
      cursor: this.#cursor,
      session: () => this.#session,
      limits: () => this.limits,
      token: () => this.#token(this.#refreshed ? "refused" : "hello"),
      begin: (session, resumed) => this.#begin(session, resumed),
      opened: (resumed) => this.#opened(name, resumed),
      receive: (message, epoch) => this.#receive(message, epoch),
      takeAck: () => this.#takeAck(),
      refused: (error) => {
        this.#refusal = error;
        return error;
      },
    };
  }

  /** After a refusal: whether another try makes sense. */
  #mayGoOn() {
    const error = /** @type {SignalingError} */ (this.#refusal);
    if (FINAL.has(error.code)) return false;
    if (RETRIED.has(error.code) || (error.isAnswer && !error.gone)) return true;
    if (this.#session) {
      this.#lose();
      return true;
    }
    // A token that has run out meanwhile, perhaps.
    if (typeof this.#options.token !== "function" || this.#refreshed) return false;
    this.#refreshed = true;
    return true;
  }

  /**
   * @param {string} reason
   * @returns {Promise<string | null>}
   */
  async #token(reason) {
    const { token } = this.#options;
    return typeof token === "function" ? token(reason) : token;
  }

  /**
   * @param {any} session
   * @param {string} resumed
   */
  #begin(session, resumed) {
    const before = this.#session ?? this.#previous;
    this.#session = { ...this.#session, ...session };
    const goesOn = resumed !== "new" && before?.sid === session.sid && before?.epoch === session.epoch;
    if (resumed === "yes" || resumed === "partial" || goesOn) return;
    const restarted = before !== null && before.epoch !== session.epoch;
    this.#cursor.reset(session.epoch);
    this.#previous = null;
    this.#isFresh = true;
    if (before) this.#outbox.rejectAll(lost());
    if (restarted) this.#returning = new Set(this.rooms.keys());
    this.emit("session", { sid: session.sid, previous: before?.sid ?? null, restarted });
    for (const room of this.#entered.keys()) if (before) this.#enter(room);
  }

  /**
   * @param {string} name
   * @param {string} resumed
   */
  #opened(name, resumed) {
    const isFresh = this.#isFresh;
    this.#isFresh = false;
    this.#refreshed = false;
    this.#choice.opened(name, performance.now());
    this.streams += 1;
    if (this.transport !== name) {
      this.transport = name;
      this.emit("transport", { transport: name });
    }
    this.#setState("open");
    if (!isFresh && resumed !== "yes") this.#reread();
    const at = this.#choice.retryAt(name);
    clearTimeout(this.#upgradeTimer);
    if (at !== null) this.#upgradeTimer = setTimeout(() => this.reconnect(), at - performance.now());
  }

  /** The service forgot the session: what was under way in it fails, and another one begins. */
  #lose() {
    this.#previous = { sid: this.#session.sid, epoch: this.#session.epoch };
    this.#session = null;
    clearTimeout(this.#ackTimer);
    this.#unacked = 0;
    this.#isAckDue = false;
    this.#outbox.rejectAll(lost());
  }

  /** @param {number} delay */
  #sleep(delay) {
    return /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        const awake = () => {
          clearTimeout(timer);
          this.#sleepers.delete(awake);
          resolve();
        };
        const timer = setTimeout(awake, delay);
        this.#sleepers.add(awake);
      })
    );
  }

  #wake() {
    for (const awake of [...this.#sleepers]) awake();
  }

  // What comes.

  /**
   * @param {any} message
   * @param {number} epoch
   */
  #receive(message, epoch) {
    if (message.seq !== undefined) {
      if (!this.#cursor.take(epoch, message.seq)) return;
      this.#countForAck(message.receipt === true);
    }
    if (message.t === "token_expiring") this.#refreshToken();
    if (message.t === "goaway") this.#goAway(message);
    if (message.t === "error" && !message.of && FINAL.has(message.code)) return this.close(messageError(message));
    if (this.#updateRoster(message)) this.emit(message.t, message);
    this.emit("message", message);
  }

  /**
   * The service asks to come back later, here or elsewhere.
   *
   * @param {any} message
   */
  #goAway({ reconnect_in: delay = 0 }) {
    clearTimeout(this.#goawayTimer);
    this.#asked = delay;
    this.#goawayTimer = setTimeout(() => this.reconnect(), delay);
  }

  async #refreshToken() {
    try {
      const token = await this.#token("expiring");
      if (token) await this.send({ t: "token_refresh", token });
    } catch (error) {
      report(error);
    }
  }

  /** Events were lost: entering a room again gives its roster as it is. */
  #reread() {
    this.emit("discontinuity", {});
    for (const room of this.#entered.keys()) this.#enter(room);
  }

  /** @param {string} room */
  #enter(room) {
    const { meta, extra } = this.#entered.get(room) ?? { meta: {}, extra: {} };
    this.send({ ...extra, t: "join", room, body: meta }).catch((error) => {
      // The next session enters every room again, this one too.
      if (error.code === "session_lost") return;
      this.#entered.delete(room);
      const join = this.#joins.get(room);
      this.#joins.delete(room);
      if (join) join.reject(error);
      else this.emit("join_failed", { room, error });
    });
  }

  /**
   * Returns whether listeners are to hear of the message as it is.
   *
   * @param {any} message
   */
  #updateRoster({ t, room, peer, meta = {}, members = [], moderator = false }) {
    if (t === "joined") {
      const moderators = [{ peer, moderator }, ...members].filter((member) => member.moderator);
      this.moderators.set(room, new Set(moderators.map((member) => member.peer)));
      this.#readRoster(room, members);
    }
    if (t === "peer_joined" || t === "peer_updated" || t === "peer_left") this.#noteModerator(room, peer, moderator);
    const roster = this.rooms.get(room);
    if (t === "room_closed" || (t === "peer_left" && peer === this.sid)) this.#forget(room);
    if (!roster || peer === this.sid) return true;
    if (t === "peer_left") this.#absent.get(room)?.delete(peer);
    if (t === "peer_left") return roster.delete(peer);
    if (t !== "peer_joined" && t !== "peer_updated") return true;
    roster.set(peer, meta);
    if (t === "peer_updated" || !this.#absent.get(room)?.delete(peer)) return true;
    this.emit("peer_returned", { t: "peer_returned", room, peer, meta });
    return false;
  }

  /**
   * @param {string} room
   * @param {string} peer
   * @param {boolean} moderates
   */
  #noteModerator(room, peer, moderates) {
    if (moderates) this.moderators.get(room)?.add(peer);
    else this.moderators.get(room)?.delete(peer);
  }

  /**
   * @param {string} room
   * @param {any[]} members
   */
  #readRoster(room, members) {
    if (!this.#entered.has(room)) return;
    const others = new Map(members.filter((m) => m.peer !== this.sid).map((m) => [m.peer, m.meta ?? {}]));
    const before = this.rooms.get(room);
    const isReturn = this.#returning.delete(room);
    this.rooms.set(room, others);
    this.#joins.get(room)?.resolve([...others].map(([peer, meta]) => ({ peer, meta })));
    this.#joins.delete(room);
    for (const [peer, meta] of before ?? []) {
      if (others.has(peer)) continue;
      if (isReturn) this.#await(room, peer, meta);
      else this.emit("peer_left", { t: "peer_left", room, peer, reason: "unknown" });
    }
    for (const [peer, meta] of before ? others : []) {
      if (this.#absent.get(room)?.has(peer)) continue;
      const isKnown = before?.has(peer);
      if (isKnown && isReturn) this.emit("peer_returned", { t: "peer_returned", room, peer, meta });
      else if (!isKnown) this.emit("peer_joined", { t: "peer_joined", room, peer, meta });
    }
  }

  /**
   * A member that has not come back yet keeps its place for a while.
   *
   * @param {string} room
   * @param {string} peer
   * @param {any} meta
   */
  #await(room, peer, meta) {
    const absent = this.#absent.get(room) ?? new Set();
    this.#absent.set(room, absent.add(peer));
    this.rooms.get(room)?.set(peer, meta);
    const timer = setTimeout(() => {
      if (!absent.delete(peer) || !this.rooms.get(room)?.delete(peer)) return;
      this.emit("peer_left", { t: "peer_left", room, peer, reason: "timeout" });
    }, RETURN_LIMIT);
    this.#stops.push(() => clearTimeout(timer));
  }

  /**
   * @param {string} room one that is not to be entered again
   */
  #forget(room) {
    this.#entered.delete(room);
    this.#absent.delete(room);
    this.rooms.delete(room);
    this.moderators.delete(room);
  }

  // Acknowledgements.

  /** @param {boolean} isUrgent */
  #countForAck(isUrgent) {
    this.#unacked += 1;
    if (this.#unacked === 1 || isUrgent) {
      clearTimeout(this.#ackTimer);
      this.#ackTimer = setTimeout(() => this.#dueAck(), isUrgent ? ACK_RECEIPT_DELAY : ACK_DELAY);
    } else if (this.#unacked >= ACK_EVENTS) this.#dueAck();
  }

  #dueAck() {
    clearTimeout(this.#ackTimer);
    this.#isAckDue = this.#unacked > 0;
    this.#running?.flush();
  }

  #takeAck() {
    if (!this.#isAckDue) return null;
    this.#isAckDue = false;
    this.#unacked = 0;
    return { t: "ack", seq: this.#cursor.seq };
  }
}

function lost() {
  return new SignalingError("session_lost", "The service no longer knows this session.");
}

// MARK: One connection

/**
 * The connection to one party, as the W3C's "perfect negotiation" (WebRTC 1.0, section 10.7): any change may be
 * made on either side at any time; when offers cross, the polite side takes its own back. The party with the
 * smaller id is the polite one.
 *
 * Events: `stream` (a MediaStream of the other side), `change` (some state changed, see `pc`), `remote_state`
 * (what the other side has switched on), `chat` (a text), `failed`, `gone`, `problem` (an Error that ended nothing).
 */
export class PeerConnection extends Emitter {
  /**
   * The party id of the other side.
   *
   * @type {string}
   */
  peer;
  /**
   * The ids under which the two sides know this call: two, if both called at the same time.
   *
   * @type {Set<string>}
   */
  calls;
  /**
   * The browser's RTCPeerConnection.
   *
   * @type {RTCPeerConnection}
   */
  pc = /** @type {any} */ (null);
  /**
   * What the other side sends, by the id of the stream.
   *
   * @type {Map<string, MediaStream>}
   */
  streams = new Map();
  /** What the other side has switched on, as far as it said so; `screen` is the id of the stream with its screen. */
  remoteState = { audio: true, video: true, screen: /** @type {string | null} */ (null) };
  /** How often offers crossed. */
  glare = 0;
  /** Whether the other side has closed its end. */
  isGone = false;

  #client;
  #room;
  #polite;
  #configuration;
  /** @type {MediaStream | null} */
  #stream;
  /** @type {MediaStream | null} */
  #screen = null;
  /** @type {RTCRtpTransceiver | null} */
  #screenTransceiver = null;
  #makingOffer = false;
  #chain = Promise.resolve();
  #neg = 0;
  #offerNeg = 0;
  #remoteNeg = 0;
  #localNeg = 0;
  /** @type {any[]} */
  #held = [];
  /** @type {(RTCIceCandidate | null)[]} */
  #found = [];
  #foundTimer = 0;
  #interruptionTimer = 0;
  #recoveryTimer = 0;
  /** @type {RTCDataChannel | null} */
  #stateChannel = null;
  /** @type {RTCDataChannel | null} */
  #chatChannel = null;
  #localState = { audio: true, video: true };

  /**
   * - `calls`: the ids of the call, the own one first.
   * - `stream`: what to send; null to receive only. `screen`: another stream to send.
   * - `offers`: whether this side makes the first offer. One that answers takes the media sections as they come.
   *
   * @param {{ client: SignalingClient, room: string, peer: string, calls: string[], configuration?: RTCConfiguration,
   *   stream?: MediaStream | null, screen?: MediaStream | null, offers?: boolean }} options
   */
  constructor({ client, room, peer, calls, configuration = {}, stream = null, screen = null, offers = true }) {
    super();
    this.peer = peer;
    this.calls = new Set(calls);
    this.#client = client;
    this.#room = room;
    this.#polite = isPolite(client.sid ?? "", peer);
    this.#configuration = /** @type {RTCConfiguration} */ ({ bundlePolicy: "max-bundle", ...configuration });
    this.#stream = stream;
    this.#screen = screen;
    this.#open(offers);
  }

  /** @param {boolean} offers */
  #open(offers) {
    const pc = new RTCPeerConnection({ iceServers: this.#client.iceServers, ...this.#configuration });
    this.pc = pc;
    this.streams.clear();
    pc.onnegotiationneeded = () => this.#offer();
    pc.onicecandidate = ({ candidate }) => this.#collect(candidate);
    pc.ontrack = ({ track, streams }) => this.#receiveTrack(track, streams[0] ?? new MediaStream([track]));
    pc.onconnectionstatechange = () => this.#watch();
    pc.oniceconnectionstatechange = () => this.emit("change", {});
    pc.onsignalingstatechange = () => this.emit("change", {});
    this.#openChannels();
    for (const kind of ["audio", "video"]) {
      const track = trackOf(this.#stream, kind);
      if (track && this.#stream) pc.addTrack(track, this.#stream);
      else if (offers) pc.addTransceiver(kind, { direction: "recvonly" });
    }
    this.#screenTransceiver = null;
    this.#sendScreen();
  }

  /**
   * Takes a message of the other side. Messages are handled one after the other.
   *
   * @param {any} message
   */
  receive(message) {
    this.#next(() => this.#handle(message));
  }

  /**
   * Sends the tracks of `stream` in place of those sent before. Without one, only receives.
   *
   * @param {MediaStream | null} stream
   */
  setStream(stream) {
    this.#stream = stream;
    for (const kind of ["audio", "video"]) {
      const track = trackOf(stream, kind);
      const transceivers = this.pc.getTransceivers().filter((t) => t !== this.#screenTransceiver);
      const transceiver = transceivers.find((t) => t.receiver.track.kind === kind);
      if (transceiver) {
        transceiver.sender.replaceTrack(track).catch((error) => this.#report(error));
        if (stream) transceiver.sender.setStreams?.(stream);
        transceiver.direction = track ? "sendrecv" : "recvonly";
      } else if (track && stream) this.pc.addTrack(track, stream);
    }
  }

  /**
   * Sends the picture of a screen beside the rest; null to stop.
   *
   * @param {MediaStream | null} screen
   */
  setScreen(screen) {
    this.#screen = screen;
    this.#sendScreen();
    this.#sendState();
  }

  /**
   * Tells the other side what is switched on here.
   *
   * @param {{ audio: boolean, video: boolean }} state
   */
  setLocalState(state) {
    this.#localState = state;
    this.#sendState();
  }

  /**
   * Sends a line of text. Returns whether the other side can get it.
   *
   * @param {string} text
   */
  sendChat(text) {
    if (this.#chatChannel?.readyState !== "open") return false;
    this.#chatChannel.send(text);
    return true;
  }

  /** Finds another way for the media, as after a change of networks. */
  restartIce() {
    if (this.#isClosed || !this.pc.remoteDescription) return;
    this.pc.setConfiguration({ ...this.pc.getConfiguration(), iceServers: this.#client.iceServers });
    this.pc.restartIce();
  }

  /**
   * Goes on where the service lost what was under way: says the own offer again, or finds out by another one what the
   * other side has. `leads` is true on one of the two sides.
   *
   * @param {boolean} leads
   */
  recover(leads) {
    this.#next(async () => {
      if (this.#isClosed) return;
      if (this.pc.signalingState === "have-local-offer") this.#sendDescription();
      else if (this.pc.connectionState !== "connected" && leads) this.restartIce();
    });
  }

  /** Ends the connection. Nothing is sent about it. */
  close() {
    for (const timer of [this.#foundTimer, this.#interruptionTimer, this.#recoveryTimer]) clearTimeout(timer);
    this.pc.close();
  }

  get #isClosed() {
    return this.pc.signalingState === "closed";
  }

  /** @param {() => Promise<void>} step */
  #next(step) {
    this.#chain = this.#chain.then(step).catch((error) => this.#report(error));
  }

  /**
   * @param {string} t
   * @param {number} neg
   * @param {object} body
   */
  #send(t, neg, body) {
    const [call] = this.calls;
    const message = { t, to: { peer: this.peer }, room: this.#room, call, neg, body };
    this.#client.send(message).catch((error) => this.#report(error));
  }

  /** @param {any} error */
  #report(error) {
    if (!this.#isClosed) this.emit("problem", error);
  }

  // Offers and answers.

  async #offer() {
    const { pc } = this;
    try {
      this.#makingOffer = true;
      await pc.setLocalDescription();
      if (pc === this.pc && pc.signalingState === "have-local-offer") this.#sendDescription();
    } catch (error) {
      if (pc === this.pc) this.#report(error);
    } finally {
      if (pc === this.pc) this.#makingOffer = false;
    }
  }

  #sendDescription() {
    const description = this.pc.localDescription;
    if (!description) return;
    const { type, sdp } = description;
    if (type === "offer") this.#offerNeg = this.#neg += 1;
    this.#localNeg = type === "offer" ? this.#offerNeg : this.#remoteNeg;
    this.#send(type, this.#localNeg, { sdp });
  }

  /** @param {any} message */
  async #handle({ t, neg = 0, call, body = {} }) {
    if (this.#isClosed) return;
    if (call) this.calls.add(call);
    this.#neg = Math.max(this.#neg, neg);
    if (t === "offer") await this.#handleOffer(neg, body.sdp, call);
    else if (t === "answer" || t === "pranswer") await this.#handleAnswer(t, neg, body.sdp);
    else if (t === "candidates") await this.#handleCandidates(body);
    else if (t === "glare") await this.#takeBack(neg);
    else if (t === "restart_ice") this.restartIce();
  }

  /**
   * @param {number} neg
   * @param {string} sdp
   * @param {string} [call]
   */
  async #handleOffer(neg, sdp, call) {
    if (neg < this.#remoteNeg) return;
    const collision = this.#makingOffer || this.pc.signalingState !== "stable";
    if (collision) {
      this.glare += 1;
      if (!this.#polite) return;
      if (!this.pc.currentRemoteDescription) this.#startOver();
    }
    this.#remoteNeg = neg;
    // An answer belongs to the call of its offer, and so does what follows.
    if (call) this.calls = new Set([call, ...this.calls]);
    // Takes an own offer back first, if there is one: the rollback is implicit.
    await this.pc.setRemoteDescription({ type: "offer", sdp });
    await this.#addHeld();
    await this.pc.setLocalDescription();
    if (!this.#isClosed) this.#sendDescription();
  }

  /**
   * The service dropped this side's offer for the other's, which is on its way.
   *
   * @param {number} neg
   */
  async #takeBack(neg) {
    if (this.pc.signalingState !== "have-local-offer" || (neg && neg !== this.#offerNeg)) return;
    this.glare += 1;
    if (!this.pc.currentRemoteDescription) this.#startOver();
    else await this.pc.setLocalDescription({ type: "rollback" });
  }

  /**
   * Takes the very first offer back by a new RTCPeerConnection. Chromium (156) sometimes finds no candidates ever
   * after a rollback that comes before it found the first; with nothing agreed yet, nothing is lost.
   */
  #startOver() {
    clearTimeout(this.#foundTimer);
    this.#found = [];
    this.#makingOffer = false;
    this.pc.onicecandidate = this.pc.onnegotiationneeded = this.pc.onconnectionstatechange = null;
    this.pc.close();
    this.#open(false);
  }

  /**
   * @param {"answer" | "pranswer"} type
   * @param {number} neg
   * @param {string} sdp
   */
  async #handleAnswer(type, neg, sdp) {
    // An answer to an offer that was taken back meanwhile.
    const isWanted = ["have-local-offer", "have-remote-pranswer"].includes(this.pc.signalingState);
    if (neg !== this.#offerNeg || !isWanted) return;
    await this.pc.setRemoteDescription({ type, sdp });
    await this.#addHeld();
  }

  // Candidates.

  /**
   * They wait for the description with their `ufrag`; those of an offer that was ignored wait in vain.
   *
   * @param {any} body
   */
  async #handleCandidates({ candidates = [], ufrag, end = false }) {
    for (const candidate of candidates) this.#held.push({ ...candidate, usernameFragment: ufrag });
    if (end) this.#held.push({ candidate: "", sdpMid: "0", usernameFragment: ufrag });
    this.#held.splice(0, this.#held.length - HELD_CANDIDATES);
    await this.#addHeld();
  }

  async #addHeld() {
    const sdp = this.pc.remoteDescription?.sdp;
    if (!sdp) return;
    const known = new Set([...sdp.matchAll(/^a=ice-ufrag:(.*?)\r?$/gm)].map((match) => match[1]));
    const ready = this.#held.filter((c) => !c.usernameFragment || known.has(c.usernameFragment));
    this.#held = this.#held.filter((c) => !ready.includes(c));
    for (const candidate of ready) {
      // One that does not parse, or names no media section, must not cost the others.
      await this.pc.addIceCandidate(candidate).catch((error) => this.#report(error));
    }
  }

  /** @param {RTCIceCandidate | null} candidate */
  #collect(candidate) {
    this.#found.push(candidate);
    if (candidate === null) this.#sendFound();
    else if (this.#found.length === 1) this.#foundTimer = setTimeout(() => this.#sendFound(), CANDIDATE_DELAY);
  }

  #sendFound() {
    clearTimeout(this.#foundTimer);
    const ufrag = /^a=ice-ufrag:(.*?)\r?$/m.exec(this.pc.localDescription?.sdp ?? "")?.[1];
    for (const body of candidateMessages(this.#found.splice(0), ufrag, this.#client.limits.candidates)) {
      this.#send("candidates", this.#localNeg, body);
    }
  }

  // The state of the connection.

  #watch() {
    const state = this.pc.connectionState;
    clearTimeout(this.#interruptionTimer);
    if (state === "connected") {
      clearTimeout(this.#recoveryTimer);
      this.#recoveryTimer = 0;
      this.#sendState();
    } else if (state === "disconnected" || state === "failed") {
      this.#recoveryTimer ||= setTimeout(() => this.emit("failed", {}), RECOVERY_LIMIT);
      const patience = state === "failed" ? 0 : INTERRUPTION_LIMIT;
      // The polite side leaves the first try to the other, so that the two restarts do not cross.
      this.#interruptionTimer = setTimeout(() => this.restartIce(), patience + (this.#polite ? 1500 : 0));
    }
    this.emit("change", {});
  }

  /**
   * @param {MediaStreamTrack} track
   * @param {MediaStream} stream
   */
  #receiveTrack(track, stream) {
    this.streams.set(stream.id, stream);
    stream.onremovetrack = () => {
      if (stream.getTracks().length === 0) this.streams.delete(stream.id);
      this.emit("change", {});
    };
    track.onunmute = () => this.emit("change", {});
    this.emit("stream", stream);
  }

  #sendScreen() {
    const track = trackOf(this.#screen, "video");
    if (track && this.#screen && !this.#screenTransceiver) {
      const options = { direction: /** @type {const} */ ("sendonly"), streams: [this.#screen] };
      this.#screenTransceiver = this.pc.addTransceiver(track, options);
    } else if (!track && this.#screenTransceiver) {
      this.#screenTransceiver.stop();
      this.#screenTransceiver = null;
    }
  }

  /** Both sides open the channels by agreement, without asking. */
  #openChannels() {
    const state = (this.#stateChannel = this.pc.createDataChannel("state", { negotiated: true, id: 0 }));
    state.onopen = () => this.#sendState();
    state.onclose = () => this.#ended(state);
    state.onmessage = ({ data }) => this.#receiveState(parse(data));
    const chat = (this.#chatChannel = this.pc.createDataChannel("chat", { negotiated: true, id: 1 }));
    chat.onopen = () => this.emit("change", {});
    chat.onmessage = ({ data }) => typeof data === "string" && this.emit("chat", data);
  }

  /** @param {RTCDataChannel} channel */
  #ended(channel) {
    if (channel !== this.#stateChannel || this.#isClosed) return;
    this.isGone = true;
    this.emit("gone", {});
  }

  #sendState() {
    if (this.#stateChannel?.readyState !== "open") return;
    this.#stateChannel.send(JSON.stringify({ ...this.#localState, screen: this.#screen?.id ?? null }));
  }

  /** @param {any} state */
  #receiveState(state) {
    if (!state) return;
    const screen = typeof state.screen === "string" ? state.screen : null;
    this.remoteState = { audio: state.audio === true, video: state.video === true, screen };
    this.emit("remote_state", this.remoteState);
  }
}

/**
 * @param {MediaStream | null} stream
 * @param {string} kind
 */
function trackOf(stream, kind) {
  return stream?.getTracks().find((track) => track.kind === kind) ?? null;
}

// MARK: The call of a room

/** Messages that belong to calls. */
const CALL_MESSAGES = [
  ...["invite", "offer", "answer", "pranswer", "candidates", "hangup", "reject", "select", "restart_ice"],
  ...["glare", "expired"],
];

/**
 * The call of one room: a connection to each other party of it. Whoever is in it takes in a newcomer who calls, so that
 * a room has one call, not many.
 *
 * With `mesh`, who has started is in a call with everybody in the room who has: the later one to come offers. Without,
 * an `invite` rings and carries no description; who accepts sends the first offer, so that nobody's camera is on the
 * wire before a person said yes. Two who invite each other both offer, and perfect negotiation settles it.
 *
 * Events: `state` (`{ state, reason }`), `incoming` (`{ peer }`), `stream` (`{ peer, stream }`), `chat`
 * (`{ peer, text }`), `change`, `peer_ended` (`{ peer, reason }`), `problem` (an Error that did not end the call).
 */
export class Call extends Emitter {
  /**
   * `idle`, `incoming` (somebody invites), `calling` (nobody accepted yet), `waiting` (in a mesh, alone) or `active`.
   *
   * @type {"idle" | "incoming" | "calling" | "waiting" | "active"}
   */
  state = "idle";
  /**
   * By party id.
   *
   * @type {Map<string, PeerConnection>}
   */
  peers = new Map();
  /**
   * Those who invite and wait, by party id.
   *
   * @type {Map<string, { call: string, inbox: any[] }>}
   */
  callers = new Map();
  /**
   * Party ids that were invited and have not accepted.
   *
   * @type {Set<string>}
   */
  invited = new Set();

  #client;
  #room;
  #mesh;
  #started = false;
  #takesFirst = false;
  /** @type {MediaStream | null} */
  #stream;
  /** @type {MediaStream | null} */
  #screen = null;
  #configuration;
  #call = "";
  #timer = 0;
  /** @type {Record<string, boolean>} */
  #switches = { audio: true, video: true };
  /** @type {(() => void)[]} */
  #stops = [];

  /**
   * @param {{ client: SignalingClient, room: string, mesh?: boolean, stream?: MediaStream | null,
   *   configuration?: RTCConfiguration }} options
   */
  constructor({ client, room, mesh = false, stream = null, configuration = {} }) {
    super();
    this.#client = client;
    this.#room = room;
    this.#mesh = mesh;
    this.#stream = stream;
    this.#configuration = configuration;
    const listen = (/** @type {string} */ type, /** @type {(detail: any) => void} */ listener) =>
      this.#stops.push(client.on(type, listener));
    for (const t of CALL_MESSAGES) listen(t, (message) => this.#receive(message));
    listen("joined", (message) => message.room === room && this.#meet());
    listen("peer_left", (message) => message.room === room && this.#end(message.peer, message.reason));
    listen("peer_returned", (message) => message.room === room && this.#returned(message.peer));
    listen("session", (detail) => this.#sessionBegan(detail));
    listen("network", () => this.#eachConnection((connection) => connection.restartIce()));
  }

  /**
   * In a mesh: calls all who are in the room, and from now on takes part with whoever comes. Otherwise: invites
   * `peers`, all others of the room if not given; while somebody invites, accepts. With `first`, the first who accepts
   * gets the call, and the others, the devices of one person for example, stop ringing.
   *
   * @param {string[]} [peers]
   * @param {{ first?: boolean }} [options]
   */
  start(peers, options = {}) {
    if (this.#mesh) {
      this.#started = true;
      this.#meet();
      return this.#update("started");
    }
    if (this.state === "incoming") return this.accept();
    const others = peers ?? [...(this.#client.rooms.get(this.#room)?.keys() ?? [])];
    const asked = others.filter((peer) => !this.peers.has(peer));
    if (asked.length === 0) return;
    if (this.state === "idle") this.#call = crypto.randomUUID();
    this.#takesFirst = options.first === true;
    for (const peer of asked) {
      this.invited.add(peer);
      this.#send("invite", peer, this.#call, { lifetime: INVITE_LIFETIME }, INVITE_LIFETIME);
    }
    this.#ring(() => this.#giveUp());
    this.#update("invited");
  }

  /** Accepts those who invite. */
  accept() {
    const callers = [...this.callers];
    this.callers.clear();
    this.#call ||= callers[0]?.[1].call ?? "";
    for (const [peer, { call, inbox }] of callers) this.#connect(peer, [call], inbox);
    this.#update("accepted");
  }

  /**
   * Ends the call with everybody, or declines it. `reason` is told to the others.
   *
   * @param {string} [reason]
   */
  hangup(reason = "hangup") {
    for (const peer of new Set([...this.peers.keys(), ...this.invited])) this.#sendHangup(peer, reason);
    for (const [peer, { call }] of this.callers) this.#send("reject", peer, call, { reason: "declined" });
    this.#finish(reason);
  }

  /**
   * Switches the tracks of `kind` on or off, and says so to the others.
   *
   * @param {"audio" | "video"} kind
   * @param {boolean} enabled
   */
  setEnabled(kind, enabled) {
    this.#switches[kind] = enabled;
    this.#applySwitches();
  }

  /**
   * Sends another stream from now on; null for none.
   *
   * @param {MediaStream | null} stream
   */
  setStream(stream) {
    this.#stream = stream;
    this.#eachConnection((connection) => connection.setStream(stream));
    this.#applySwitches();
  }

  /**
   * Shares a screen from now on; null for none.
   *
   * @param {MediaStream | null} screen
   */
  setScreen(screen) {
    this.#screen = screen;
    this.#eachConnection((connection) => connection.setScreen(screen));
  }

  /**
   * Sends a line of text to all. Returns how many can get it.
   *
   * @param {string} text
   */
  sendChat(text) {
    return [...this.peers.values()].filter((connection) => connection.sendChat(text)).length;
  }

  /** Ends the call without a word and stops listening: for who leaves the room, which tells the others. */
  close() {
    this.#finish("left");
    for (const stop of this.#stops.splice(0)) stop();
  }

  /** @param {(connection: PeerConnection) => void} body */
  #eachConnection(body) {
    for (const connection of this.peers.values()) body(connection);
  }

  #applySwitches() {
    /** @type {Record<string, boolean>} */
    const state = { audio: false, video: false };
    for (const track of this.#stream?.getTracks() ?? []) {
      track.enabled = this.#switches[track.kind];
      state[track.kind] = track.enabled && track.readyState === "live";
    }
    this.#eachConnection((connection) => connection.setLocalState({ audio: state.audio, video: state.video }));
  }

  // What goes out.

  /**
   * @param {string} t
   * @param {string} peer
   * @param {string} call
   * @param {object} body
   * @param {number} [ttl]
   */
  #send(t, peer, call, body, ttl) {
    const message = { t, to: { peer }, room: this.#room, call, ...(ttl && { ttl }), body };
    this.#client.send(message).catch((error) => this.#unsent(peer, error));
  }

  /**
   * @param {string} peer
   * @param {any} error
   */
  #unsent(peer, error) {
    if (error.code === "session_lost" || error.code === "closed") return;
    const isGone = error.code === "no_such_peer" || error.code === "not_in_room";
    // A member that has not come back yet may still do so; the roster says when it has not.
    if (!isGone) this.emit("problem", error);
    else if (!this.#client.rooms.get(this.#room)?.has(peer)) this.#end(peer, "unreachable");
  }

  /**
   * @param {string} peer
   * @param {string} reason
   */
  #sendHangup(peer, reason) {
    const [call] = this.peers.get(peer)?.calls ?? [this.#call];
    this.#send("hangup", peer, call, { reason });
  }

  // What comes in.

  /** @param {any} message */
  #receive(message) {
    const { t, room, call } = message;
    const peer = message.from?.peer ?? message.peer ?? message.to?.peer;
    if (room !== this.#room || !peer || typeof call !== "string") return;
    const waiting = this.callers.get(peer);
    if (t === "invite") this.#receiveInvite(peer, call);
    else if (t === "offer") this.#receiveOffer(peer, message);
    else if (t === "select") this.#receiveSelect(peer, message);
    else if (t === "expired") this.invited.has(peer) && call === this.#call && this.#end(peer, "no_answer");
    else if (t === "reject") this.invited.has(peer) && this.#end(peer, message.body?.reason ?? "declined");
    else if (t === "hangup") this.#knows(peer, call) && this.#end(peer, message.body?.reason ?? "hangup");
    else if (waiting?.call === call) waiting.inbox.push(message);
    else if (this.peers.get(peer)?.calls.has(call)) this.peers.get(peer)?.receive(message);
  }

  /**
   * @param {string} peer
   * @param {string} call
   */
  #knows(peer, call) {
    const connection = this.peers.get(peer);
    if (connection) return connection.calls.has(call);
    return this.callers.get(peer)?.call === call || (this.invited.has(peer) && call === this.#call);
  }

  get #takesAll() {
    return this.#started || this.state === "active" || this.state === "calling";
  }

  /**
   * @param {string} peer
   * @param {string} call
   */
  #receiveInvite(peer, call) {
    const connection = this.peers.get(peer);
    if (connection?.calls.has(call)) return;
    if (connection) this.#drop(peer);
    if (!this.#takesAll) return this.#wait(peer, call, []);
    this.#connect(peer, this.invited.has(peer) ? [this.#call, call] : [call], []);
    this.#update("accepted");
  }

  /**
   * @param {string} peer
   * @param {any} message
   */
  #receiveOffer(peer, message) {
    const connection = this.peers.get(peer);
    const settling = connection && connection.pc.connectionState === "new";
    if (connection?.calls.has(message.call) || settling) return connection.receive(message);
    if (connection) this.#drop(peer);
    const waiting = this.callers.get(peer);
    if (waiting) waiting.inbox.push(message);
    else if (!this.#takesAll) this.#wait(peer, message.call, [message]);
    else this.#accepted(peer, message);
  }

  /**
   * @param {string} peer
   * @param {any} message
   */
  #accepted(peer, message) {
    const wasAsked = this.invited.has(peer) && message.call === this.#call;
    this.#connect(peer, [message.call], [message]);
    if (wasAsked && this.#takesFirst) this.#select(peer);
    this.#update("accepted");
  }

  /**
   * Somebody has the call: the others stop ringing.
   *
   * @param {string} chosen
   */
  #select(chosen) {
    for (const peer of [chosen, ...this.invited]) this.#send("select", peer, this.#call, { party: chosen });
    this.invited.clear();
  }

  /**
   * @param {string} peer
   * @param {any} message
   */
  #receiveSelect(peer, { call, body }) {
    const chosen = body?.party;
    if (typeof chosen === "string" && chosen !== this.#client.sid && this.#knows(peer, call)) {
      this.#end(peer, "answered_elsewhere");
    }
  }

  /**
   * @param {string} peer
   * @param {string} call
   * @param {any[]} inbox
   */
  #wait(peer, call, inbox) {
    if (this.#mesh) return;
    this.callers.set(peer, { call, inbox });
    this.#ring(() => this.#finish("missed"));
    this.#update("invited");
    this.emit("incoming", { peer });
  }

  // Connections.

  /** In a mesh: calls those in the room that are not in the call. */
  #meet() {
    if (!this.#mesh || !this.#started) return;
    for (const peer of this.#client.rooms.get(this.#room)?.keys() ?? []) {
      if (!this.peers.has(peer)) this.#connect(peer, [crypto.randomUUID()], []);
    }
    this.#update("met");
  }

  /**
   * @param {string} peer
   * @param {string[]} calls
   * @param {any[]} inbox
   */
  #connect(peer, calls, inbox) {
    const offers = !inbox.some(({ t }) => t === "offer");
    this.invited.delete(peer);
    const connection = new PeerConnection({
      client: this.#client,
      room: this.#room,
      peer,
      calls,
      configuration: this.#configuration,
      stream: this.#stream,
      screen: this.#screen,
      offers,
    });
    this.peers.set(peer, connection);
    connection.on("stream", (stream) => this.emit("stream", { peer, stream }));
    connection.on("chat", (text) => this.emit("chat", { peer, text }));
    connection.on("change", () => this.emit("change", { peer }));
    connection.on("remote_state", () => this.emit("change", { peer }));
    connection.on("problem", (error) => this.#unsent(peer, error));
    connection.on("failed", () => {
      this.#sendHangup(peer, "ice_failed");
      this.#end(peer, "ice_failed");
    });
    connection.on("gone", () => {
      // A message that says why may be on its way.
      setTimeout(() => this.peers.get(peer) === connection && this.#end(peer, "closed"), GONE_DELAY);
    });
    for (const message of inbox) connection.receive(message);
    this.#applySwitches();
  }

  /** A session that others saw leave has no calls left; one that everybody lost goes on where its peers come back. */
  #sessionBegan(/** @type {any} */ { sid, previous, restarted }) {
    if (previous === null || (restarted && sid === previous)) return;
    this.#finish("session_lost");
  }

  /** @param {string} peer */
  #returned(peer) {
    const connection = this.peers.get(peer);
    if (connection?.isGone) this.#drop(peer);
    if (this.peers.has(peer)) connection?.recover(isPolite(this.#client.sid ?? "", peer));
    else this.#meet();
  }

  /**
   * @param {string} peer
   * @param {string} reason
   */
  #end(peer, reason) {
    const known = [this.#drop(peer), this.callers.delete(peer), this.invited.delete(peer)].includes(true);
    if (!known) return;
    this.emit("peer_ended", { peer, reason });
    this.#update(reason);
  }

  /** @param {string} peer */
  #drop(peer) {
    this.peers.get(peer)?.close();
    return this.peers.delete(peer);
  }

  /** Nobody, or not everybody, accepted in time. */
  #giveUp() {
    for (const peer of [...this.invited]) {
      this.#sendHangup(peer, "invite_timeout");
      this.#end(peer, "no_answer");
    }
  }

  /** @param {() => void} late */
  #ring(late) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(late, INVITE_LIFETIME);
  }

  /** @param {string} reason */
  #finish(reason) {
    for (const peer of [...this.peers.keys()]) this.#drop(peer);
    this.invited.clear();
    this.callers.clear();
    if (reason !== "session_lost") this.#started = false;
    this.#update(reason);
  }

  /** @param {string} reason */
  #update(reason) {
    const state = this.#currentState();
    if (this.callers.size === 0 && this.invited.size === 0) clearTimeout(this.#timer);
    if (state === "idle") this.#call = "";
    const before = this.state;
    this.state = state;
    if (before !== state) this.emit("state", { state, before, reason });
    else this.emit("change", {});
  }

  #currentState() {
    if (this.peers.size > 0) return "active";
    if (this.invited.size > 0) return "calling";
    if (this.callers.size > 0) return "incoming";
    return this.#started ? "waiting" : "idle";
  }
}
