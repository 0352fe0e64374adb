/** The connection to one other party of a call. */

import { Emitter } from "./wire.js";

/** Candidates found within this time travel in one message. */
const CANDIDATE_DELAY = 40;
/** Candidates kept for a description that has not come. */
const HELD_CANDIDATES = 256;
/** A connection that failed and does not come back within this time, ICE restarts included, is given up. */
const RECOVERY_LIMIT = 30_000;

/**
 * The connection to one party, as the W3C's "perfect negotiation" (WebRTC 1.0, section 10.7): any change may be
 * made on either side at any time; when offers cross, the polite side takes its own back. The party with the
 * smaller id is the polite one.
 *
 * Events: `stream` (a MediaStream of the other side), `change` (some state changed, see `pc`), `remote_state`
 * (`{ audio, video }`: what the other side has switched on), `failed`.
 */
export class PeerConnection extends Emitter {
  /** The party id of the other side. */
  peer;
  /** The ids under which the two sides know this call: two, if both called at the same time. */
  calls;
  /** The browser's RTCPeerConnection. */
  pc;
  /** What the other side has switched on, as far as it said so. */
  remoteState = { audio: true, video: true };
  /** How often the polite side took an offer back, and the impolite one ignored one. */
  glare = 0;

  #client;
  #room;
  #polite;
  #configuration;
  #stream;
  #makingOffer = false;
  #chain = Promise.resolve();
  #neg = 0;
  #offerNeg = 0;
  #remoteNeg = 0;
  #localNeg = 0;
  #held = [];
  #found = [];
  #foundTimer = 0;
  #recoveryTimer = 0;
  #channel;
  #localState = { audio: true, video: true };

  /**
   * - `calls`: the ids of the call, the own one first.
   * - `stream`: what to send; null to receive only.
   * - `offers`: whether this side makes the first offer. One that answers takes the media sections as they come.
   */
  constructor({ client, room, peer, calls, configuration = {}, stream = null, offers = true }) {
    super();
    this.peer = peer;
    this.calls = new Set(calls);
    this.#client = client;
    this.#room = room;
    this.#polite = client.sid < peer;
    this.#configuration = { iceServers: client.iceServers, bundlePolicy: "max-bundle", ...configuration };
    this.#stream = stream;
    this.#open(offers);
  }

  #open(offers) {
    this.pc = new RTCPeerConnection(this.#configuration);
    this.pc.onnegotiationneeded = () => this.#offer();
    this.pc.onicecandidate = ({ candidate }) => this.#collect(candidate);
    this.pc.ontrack = ({ track, streams }) => this.emit("stream", streams[0] ?? new MediaStream([track]));
    this.pc.onconnectionstatechange = () => this.#recover();
    this.pc.oniceconnectionstatechange = () => this.emit("change");
    this.pc.onsignalingstatechange = () => this.emit("change");
    this.#openChannel();
    for (const kind of ["audio", "video"]) {
      const track = trackOf(this.#stream, kind);
      if (track) this.pc.addTrack(track, this.#stream);
      else if (offers) this.pc.addTransceiver(kind, { direction: "recvonly" });
    }
  }

  /** Takes a message of the other side. Messages are handled one after the other. */
  receive(message) {
    this.#chain = this.#chain.then(() => this.#handle(message)).catch((error) => this.#report(error));
  }

  /** Sends the tracks of `stream` in place of those sent before. Without one, only receives. */
  setStream(stream) {
    this.#stream = stream;
    for (const kind of ["audio", "video"]) {
      const track = trackOf(stream, kind);
      const transceiver = this.pc.getTransceivers().find((t) => t.receiver.track.kind === kind);
      if (transceiver) {
        transceiver.sender.replaceTrack(track).catch((error) => this.#report(error));
        if (stream) transceiver.sender.setStreams(stream);
        transceiver.direction = track ? "sendrecv" : "recvonly";
      } else if (track) this.pc.addTrack(track, stream);
    }
  }

  /** Tells the other side what is switched on here. */
  setLocalState(state) {
    this.#localState = state;
    if (this.#channel.readyState === "open") this.#channel.send(JSON.stringify(state));
  }

  /** Ends the connection. Nothing is sent about it. */
  close() {
    clearTimeout(this.#foundTimer);
    clearTimeout(this.#recoveryTimer);
    this.pc.close();
  }

  get #closed() {
    return this.pc.signalingState === "closed";
  }

  #send(t, neg, body) {
    const [call] = this.calls;
    const message = { t, to: { peer: this.peer }, room: this.#room, call, neg, body };
    this.#client.send(message).catch((error) => this.#report(error));
  }

  #report(error) {
    if (!this.#closed) this.emit("problem", error);
  }

  async #offer() {
    const { pc } = this;
    try {
      this.#makingOffer = true;
      await pc.setLocalDescription();
      if (pc === this.pc && !this.#closed) this.#sendDescription();
    } catch (error) {
      if (pc === this.pc) this.#report(error);
    } finally {
      if (pc === this.pc) this.#makingOffer = false;
    }
  }

  #sendDescription() {
    const { type, sdp } = this.pc.localDescription;
    if (type === "offer") this.#offerNeg = this.#neg += 1;
    this.#localNeg = type === "offer" ? this.#offerNeg : this.#remoteNeg;
    this.#send(type, this.#localNeg, { sdp });
  }

  async #handle({ t, neg = 0, call, body = {} }) {
    if (this.#closed) return;
    this.calls.add(call);
    this.#neg = Math.max(this.#neg, neg);
    if (t === "offer") await this.#handleOffer(neg, body.sdp);
    else if (t === "answer") await this.#handleAnswer(neg, body.sdp);
    else if (t === "candidates") await this.#handleCandidates(body);
  }

  async #handleOffer(neg, sdp) {
    if (neg < this.#remoteNeg) return;
    const collision = this.#makingOffer || this.pc.signalingState !== "stable";
    if (collision) {
      this.glare += 1;
      if (!this.#polite) return;
      if (!this.pc.currentRemoteDescription) this.#startOver();
    }
    this.#remoteNeg = neg;
    // Takes an own offer back first, if there is one: the rollback is implicit.
    await this.pc.setRemoteDescription({ type: "offer", sdp });
    await this.#addHeld();
    await this.pc.setLocalDescription();
    if (!this.#closed) this.#sendDescription();
  }

  /**
   * Takes the very first offer back by a new RTCPeerConnection. Chromium (156) sometimes finds no candidates ever
   * after a rollback that comes before it found the first; with nothing agreed yet, nothing is lost.
   */
  #startOver() {
    clearTimeout(this.#foundTimer);
    this.#found = [];
    this.#makingOffer = false;
    this.pc.onicecandidate = this.pc.onnegotiationneeded = null;
    this.pc.close();
    this.#open(false);
  }

  async #handleAnswer(neg, sdp) {
    // An answer to an offer that was taken back meanwhile.
    if (neg !== this.#offerNeg || this.pc.signalingState !== "have-local-offer") return;
    await this.pc.setRemoteDescription({ type: "answer", sdp });
    await this.#addHeld();
  }

  /** Candidates wait for the description with their `ufrag`; those of an offer that was ignored wait in vain. */
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

  #collect(candidate) {
    this.#found.push(candidate);
    if (candidate === null) this.#sendFound();
    else if (this.#found.length === 1) this.#foundTimer = setTimeout(() => this.#sendFound(), CANDIDATE_DELAY);
  }

  #sendFound() {
    clearTimeout(this.#foundTimer);
    const groups = new Map();
    let last = this.#localUfrag;
    for (const candidate of this.#found.splice(0)) {
      const ufrag = candidate ? (candidate.usernameFragment ?? last) : last;
      last = ufrag;
      if (!groups.has(ufrag)) groups.set(ufrag, { candidates: [], ufrag });
      if (candidate === null || candidate.candidate === "") groups.get(ufrag).end = true;
      else groups.get(ufrag).candidates.push(description(candidate));
    }
    for (const { candidates, ufrag, end } of groups.values()) {
      do {
        const some = candidates.splice(0, this.#client.limits.candidates);
        const body = { candidates: some, ufrag, ...(end && candidates.length === 0 && { end }) };
        this.#send("candidates", this.#localNeg, body);
      } while (candidates.length > 0);
    }
  }

  get #localUfrag() {
    return /^a=ice-ufrag:(.*?)\r?$/m.exec(this.pc.localDescription?.sdp ?? "")?.[1];
  }

  #recover() {
    const state = this.pc.connectionState;
    if (state === "connected") {
      clearTimeout(this.#recoveryTimer);
      this.#recoveryTimer = 0;
    } else if (state === "failed") {
      this.#recoveryTimer ||= setTimeout(() => this.emit("failed"), RECOVERY_LIMIT);
      this.pc.restartIce();
    }
    this.emit("change");
  }

  /** Both sides open the channel by agreement, without asking: it carries what is switched on and off. */
  #openChannel() {
    this.#channel = this.pc.createDataChannel("state", { negotiated: true, id: 0 });
    this.#channel.onopen = () => this.setLocalState(this.#localState);
    this.#channel.onmessage = ({ data }) => {
      try {
        const { audio, video } = JSON.parse(data);
        this.remoteState = { audio: audio === true, video: video === true };
        this.emit("remote_state", this.remoteState);
      } catch (error) {
        this.#report(error);
      }
    };
  }
}

/** What of a candidate goes over the wire. */
function description({ candidate, sdpMid, sdpMLineIndex }) {
  return { candidate, sdpMid, sdpMLineIndex };
}

function trackOf(stream, kind) {
  return stream?.getTracks().find((track) => track.kind === kind) ?? null;
}
