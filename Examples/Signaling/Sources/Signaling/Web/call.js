/**
 * Calls over a `SignalingClient`: one `Call` for each room, one `PeerConnection` for each other party of it.
 *
 *     const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
 *     const call = new Call({ client, room: "lobby", stream });
 *     call.on("stream", ({ peer, stream }) => { video.srcObject = stream; });
 *     call.on("incoming", () => call.accept());
 *     call.start();
 *
 * An `invite` rings and carries no description. Who accepts sends the first offer, so that nobody's camera is on the
 * wire before a person said yes. Two who invite each other both offer, and perfect negotiation settles it.
 */

import { PeerConnection } from "./peer.js";
import { Emitter } from "./wire.js";

export { PeerConnection };

/** How long an invitation rings. */
const INVITE_LIFETIME = 45_000;
/**
 * The call of one room. Whoever is in it takes in a newcomer who invites, so that a room has one call, not many.
 *
 * Events: `state` (`{ state, reason }`), `incoming` (`{ peer }`), `stream` (`{ peer, stream }`), `change`,
 * `peer_ended` (`{ peer, reason }`), `problem` (an Error that did not end the call).
 */
export class Call extends Emitter {
  /** `idle`, `incoming` (somebody invites), `calling` (nobody accepted yet) or `active`. */
  state = "idle";
  /** Party id → `PeerConnection`. */
  peers = new Map();
  /** Party id → `{ call, inbox }`: those who invite and wait. */
  callers = new Map();
  /** Party ids that were invited and have not accepted. */
  invited = new Set();

  #client;
  #room;
  #stream;
  #configuration;
  #call = "";
  #timer = 0;
  #switches = { audio: true, video: true };
  #stops = [];

  constructor({ client, room, stream = null, configuration = {} }) {
    super();
    this.#client = client;
    this.#room = room;
    this.#stream = stream;
    this.#configuration = configuration;
    for (const t of ["invite", "offer", "answer", "candidates", "hangup", "reject"]) {
      this.#stops.push(client.on(t, (message) => this.#receive(message)));
    }
    this.#stops.push(client.on("peer_left", ({ room, peer, reason }) => this.#left(room, peer, reason)));
    this.#stops.push(client.on("session", ({ previous }) => previous && this.#finish("session_lost")));
  }

  /** Invites `peers`, all others of the room if not given. While somebody invites, accepts. */
  start(peers = [...(this.#client.rooms.get(this.#room)?.keys() ?? [])]) {
    if (this.state === "incoming") return this.accept();
    const asked = peers.filter((peer) => !this.peers.has(peer));
    if (asked.length === 0) return;
    if (this.state === "idle") this.#call = crypto.randomUUID();
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

  /** Ends the call with everybody, or declines it. `reason` is told to the others. */
  hangup(reason = "hangup") {
    for (const peer of new Set([...this.peers.keys(), ...this.invited])) this.#sendHangup(peer, reason);
    for (const [peer, { call }] of this.callers) this.#send("reject", peer, call, { reason: "declined" });
    this.#finish(reason);
  }

  /** Switches the tracks of `kind`, `audio` or `video`, on or off, and says so to the others. */
  setEnabled(kind, enabled) {
    this.#switches[kind] = enabled;
    this.#applySwitches();
  }

  /** Sends another stream from now on; null for none. */
  setStream(stream) {
    this.#stream = stream;
    for (const connection of this.peers.values()) connection.setStream(stream);
    this.#applySwitches();
  }

  /** Ends the call without a word and stops listening: for who leaves the room, which tells the others. */
  close() {
    this.#finish("left");
    for (const stop of this.#stops.splice(0)) stop();
  }

  #applySwitches() {
    const state = { audio: false, video: false };
    for (const track of this.#stream?.getTracks() ?? []) {
      track.enabled = this.#switches[track.kind];
      state[track.kind] = track.enabled && track.readyState === "live";
    }
    for (const connection of this.peers.values()) connection.setLocalState(state);
  }

  #send(t, peer, call, body, ttl) {
    const message = { t, to: { peer }, room: this.#room, call, ...(ttl && { ttl }), body };
    this.#client.send(message).catch((error) => {
      if (error.code === "no_such_peer" || error.code === "not_in_room") this.#end(peer, "unreachable");
      else if (error.code !== "session_lost" && error.code !== "closed") this.emit("problem", error);
    });
  }

  #sendHangup(peer, reason) {
    const [call] = this.peers.get(peer)?.calls ?? [this.#call];
    this.#send("hangup", peer, call, { reason });
  }

  #receive(message) {
    const { t, room, call } = message;
    const peer = message.from?.peer;
    if (room !== this.#room || !peer || typeof call !== "string") return;
    const waiting = this.callers.get(peer);
    if (t === "invite") this.#invited(peer, call);
    else if (t === "offer") this.#offered(peer, message);
    else if (t === "reject") this.invited.has(peer) && this.#end(peer, "declined");
    else if (t === "hangup") this.#knows(peer, call) && this.#end(peer, message.body?.reason ?? "hangup");
    else if (waiting?.call === call) waiting.inbox.push(message);
    else if (this.peers.get(peer)?.calls.has(call)) this.peers.get(peer).receive(message);
  }

  #knows(peer, call) {
    if (this.peers.has(peer)) return this.peers.get(peer).calls.has(call);
    return this.callers.get(peer)?.call === call || (this.invited.has(peer) && call === this.#call);
  }

  #invited(peer, call) {
    if (this.peers.has(peer)) {
      if (this.peers.get(peer).calls.has(call)) return;
      this.#drop(peer);
    }
    if (this.state === "active" || this.state === "calling") {
      const calls = this.invited.has(peer) ? [this.#call, call] : [call];
      this.#connect(peer, calls, []);
      this.#update("accepted");
    } else this.#wait(peer, call, []);
  }

  #offered(peer, message) {
    const connection = this.peers.get(peer);
    const settling = connection && connection.pc.connectionState === "new";
    if (connection?.calls.has(message.call) || settling) return connection.receive(message);
    if (connection) this.#drop(peer);
    const waiting = this.callers.get(peer);
    if (waiting) waiting.inbox.push(message);
    else if (this.state === "idle" || this.state === "incoming") this.#wait(peer, message.call, [message]);
    else {
      this.#connect(peer, [message.call], [message]);
      this.#update("accepted");
    }
  }

  #wait(peer, call, inbox) {
    this.callers.set(peer, { call, inbox });
    this.#ring(() => this.#finish("missed"));
    this.#update("invited");
    this.emit("incoming", { peer });
  }

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
      offers,
    });
    this.peers.set(peer, connection);
    connection.on("stream", (stream) => this.emit("stream", { peer, stream }));
    connection.on("change", () => this.emit("change", { peer }));
    connection.on("remote_state", () => this.emit("change", { peer }));
    connection.on("problem", (error) => this.emit("problem", error));
    connection.on("failed", () => {
      this.#sendHangup(peer, "ice_failed");
      this.#end(peer, "ice_failed");
    });
    for (const message of inbox) connection.receive(message);
    this.#applySwitches();
  }

  #left(room, peer, reason) {
    if (room === this.#room) this.#end(peer, reason);
  }

  #end(peer, reason) {
    const known = [this.#drop(peer), this.callers.delete(peer), this.invited.delete(peer)].includes(true);
    if (!known) return;
    this.emit("peer_ended", { peer, reason });
    this.#update(reason);
  }

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

  #ring(late) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(late, INVITE_LIFETIME);
  }

  #finish(reason) {
    for (const peer of [...this.peers.keys()]) this.#drop(peer);
    this.invited.clear();
    this.callers.clear();
    this.#update(reason);
  }

  #update(reason) {
    const state =
      this.peers.size > 0 ? "active" : this.invited.size > 0 ? "calling" : this.callers.size > 0 ? "incoming" : "idle";
    if (this.callers.size === 0 && this.invited.size === 0) clearTimeout(this.#timer);
    if (state === "idle") this.#call = "";
    const before = this.state;
    this.state = state;
    if (before !== state) this.emit("state", { state, before, reason });
    else this.emit("change", {});
  }
}
