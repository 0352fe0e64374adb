/** The demo page: puts the client, the call and the view together. */

import { Call } from "./call.js";
import { openMedia } from "./media.js";
import { SignalingClient } from "./signaling.js";
import * as view from "./view.js";

const { controls } = view;

const app = {
  name: "",
  room: "",
  client: null,
  call: null,
  stream: null,
  switches: { audio: true, video: true },
  streams: new Map(),
  stats: new Map(),
  /** Names outlast their owners, for the sentence that says who left. */
  names: new Map(),
  lastEnd: null,
  problems: [],
};

// Rooms: in and out.

async function enter(room, name) {
  app.room = room;
  app.name = name || "Guest";
  remember();
  view.hideNotice();
  view.showEntering(true);
  const client = new SignalingClient({ info: { page: "heliograph" } });
  app.client = client;
  app.call = new Call({ client, room, stream: app.stream });
  listen(client, app.call);
  try {
    await client.connect();
    for (const { peer, meta } of await client.join(room, { name: app.name })) app.names.set(peer, nameOf(meta));
  } catch (error) {
    if (client === app.client) fail(error);
    return;
  } finally {
    view.showEntering(false);
  }
  if (client !== app.client) return;
  view.showView("stage", room);
  view.announce(`You are in room ${room}.`);
  render();
  await startMedia();
}

async function startMedia() {
  const { client } = app;
  const { stream, problem } = await openMedia();
  if (client !== app.client) return stop(stream);
  app.stream = stream;
  app.call.setStream(stream);
  for (const kind of ["audio", "video"]) app.call.setEnabled(kind, app.switches[kind]);
  if (problem) view.showNotice("warning", problem, { label: "Try again", run: startMedia });
  render();
}

function exit() {
  const { client, call } = app;
  app.client = null;
  app.call = null;
  call?.close();
  if (client) depart(client, app.room);
  stop(app.stream);
  app.stream = null;
  app.streams.clear();
  app.stats.clear();
  sessionStorage.removeItem("room");
  view.showRing([]);
  view.showView("lobby");
}

/** Leaves as one who means it, and says goodbye even when the service does not answer. */
async function depart(client, room) {
  const patience = new Promise((resolve) => setTimeout(resolve, 2000));
  if (client.state === "open") await Promise.race([client.leave(room).catch(note), patience]);
  client.close();
}

function fail(error) {
  exit();
  note(error);
  const said = {
    room_full: "This room is full. Try again later, or choose another room.",
    bad_message: "The service does not accept this room name. Choose another one.",
  }[error.code];
  view.showNotice("error", said ?? `The room could not be entered: ${error.message}`);
  controls.room.focus();
}

function stop(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** A page that is loaded again comes back to its room; a link that is opened for the first time asks for a name. */
function remember() {
  history.replaceState(null, "", `#${encodeURIComponent(app.room)}`);
  sessionStorage.setItem("room", app.room);
  localStorage.setItem("name", app.name === "Guest" ? "" : app.name);
}

// What comes from the service and from the call.

function listen(client, call) {
  client.on("state", ({ state, error, retryIn }) => {
    if (client !== app.client) return;
    if (state === "connecting" && retryIn) view.showNotice("warning", "The service does not answer. Trying again…");
    if (state === "open" && client.streams === 1) view.hideNotice();
    if (state === "reconnecting") view.announce("The connection to the service was lost. Reconnecting.");
    if (state === "open" && client.streams > 1) view.announce("The connection to the service is back.");
    if (state === "closed" && error && document.body.dataset.view === "stage") fail(error);
    render();
  });
  client.on("peer_joined", ({ peer, meta }) => {
    app.names.set(peer, nameOf(meta));
    view.announce(`${nameOf(meta)} came in.`);
    render();
  });
  client.on("peer_left", ({ peer }) => {
    app.streams.delete(peer);
    view.announce(`${app.names.get(peer)} left.`);
    render();
  });
  client.on("joined", render);
  call.on("state", ({ state, reason }) => {
    if (state === "active") view.hideNotice();
    if (state === "idle") {
      app.lastEnd = reason;
      view.announce("The call has ended.");
      if (reason === "session_lost") view.showNotice("warning", endings.session_lost());
      if (reason === "missed") view.showNotice("info", endings.missed());
    }
    render();
  });
  call.on("peer_ended", ({ peer, reason }) => {
    app.streams.delete(peer);
    app.stats.delete(peer);
    const sentence = (endings[reason] ?? endings.hangup)(app.names.get(peer) ?? "The other side");
    view.showNotice(reason === "ice_failed" ? "error" : "info", sentence);
  });
  call.on("stream", ({ peer, stream }) => {
    app.streams.set(peer, stream);
    render();
  });
  call.on("incoming", render);
  call.on("change", render);
  call.on("problem", note);
}

const endings = {
  hangup: (name) => `${name} hung up.`,
  declined: (name) => `${name} declined the call.`,
  no_answer: (name) => `${name} did not answer.`,
  invite_timeout: (name) => `You missed a call from ${name}.`,
  left: (name) => `${name} left the room.`,
  bye: (name) => `${name} left.`,
  timeout: (name) => `${name} lost the connection.`,
  unknown: (name) => `${name} left.`,
  unreachable: (name) => `${name} cannot be reached any more.`,
  ice_failed: (name) =>
    `No direct connection to ${name} could be kept. A firewall may be in the way; another network often helps.`,
  missed: () => "You missed a call.",
  session_lost: () => "The service was away for too long, and the call ended. You are back in the room; call again.",
};

function note(error) {
  app.problems.push(`${error.name}: ${error.message}`);
  console.warn(error);
}

function nameOf(meta) {
  const name = typeof meta?.name === "string" ? meta.name.trim().slice(0, 40) : "";
  return name || "Guest";
}

// What is shown.

function render() {
  const { client, call } = app;
  if (!client || document.body.dataset.view !== "stage") return;
  const others = [...(client.rooms.get(app.room) ?? [])];
  const inCall = call.state === "active" || call.state === "calling";
  const own = {
    id: "own",
    name: app.name,
    own: true,
    connected: false,
    stream: app.stream,
    video: track("video")?.enabled === true,
    muted: track("audio")?.enabled !== true,
    doing: "",
    add: null,
  };
  view.showPeople([own, ...others.map(([peer, meta]) => describe(peer, nameOf(meta), inCall))], inCall);
  view.showRing([...call.callers.keys()].map((peer) => app.names.get(peer) ?? "Somebody"));
  view.showControls({ call: call.state, others: others.length, audio: switchOf("audio"), video: switchOf("video") });
  view.showStatus(client.state, statusText(client.state), protocolName());
  view.showFacts(facts());
}

function describe(peer, name, inCall) {
  const connection = app.call.peers.get(peer);
  const invited = app.call.invited.has(peer);
  const waiting = app.call.callers.has(peer);
  return {
    id: peer,
    name,
    own: false,
    stream: app.streams.get(peer) ?? null,
    video: connection?.remoteState.video === true && app.streams.get(peer)?.getVideoTracks().length > 0,
    muted: connection?.pc.connectionState === "connected" && !connection.remoteState.audio,
    connected: connection !== undefined,
    doing: connection ? stateText(connection.pc) : invited ? "Ringing…" : waiting ? "Calling you" : "",
    add: inCall && !connection && !invited ? () => app.call.start([peer]) : null,
  };
}

function stateText({ connectionState }) {
  if (connectionState === "disconnected") return "Unstable…";
  if (connectionState === "failed") return "Reconnecting…";
  return connectionState === "connected" ? "" : "Connecting…";
}

function statusText(state) {
  const said = { open: "Connected", reconnecting: "Reconnecting…", closed: "Closed" };
  return said[state] ?? "Connecting…";
}

/** ALPN names of the protocol that brought the page and, as far as the browser tells, that of the last request. */
function protocols() {
  const entries = performance.getEntriesByType("resource").filter(({ name }) => name.includes("/v1/sessions"));
  const page = performance.getEntriesByType("navigation")[0]?.nextHopProtocol ?? "";
  return { page, service: entries.at(-1)?.nextHopProtocol ?? "" };
}

function protocolName() {
  const alpn = protocols().service || protocols().page;
  return { h2: "HTTP/2", h3: "HTTP/3", "http/1.1": "HTTP/1.1" }[alpn] ?? alpn;
}

function facts() {
  const { client, call } = app;
  const rows = [
    ["Service", statusText(client.state)],
    ["Protocol", protocolName()],
    ["Session", client.sid ? `${client.sid.slice(0, 10)}…` : "none"],
  ];
  for (const [peer, { pc }] of call.peers) {
    const seen = app.stats.get(peer);
    rows.push([app.names.get(peer) ?? "Peer", pc.connectionState]);
    rows.push(["Signaling", pc.signalingState], ["ICE", pc.iceConnectionState]);
    if (seen?.width) rows.push(["Picture", `${seen.width} × ${seen.height}, ${seen.rate} per second`]);
    if (seen?.path) rows.push(["Path", seen.path]);
  }
  return rows;
}

function track(kind) {
  return app.stream?.getTracks().find((candidate) => candidate.kind === kind);
}

function switchOf(kind) {
  return track(kind) ? (app.switches[kind] ? "on" : "off") : "none";
}

async function measure() {
  for (const [peer, { pc }] of app.call?.peers ?? []) {
    const reports = [...(await pc.getStats()).values()];
    const video = reports.find(({ type, kind }) => type === "inbound-rtp" && kind === "video") ?? {};
    const pair = reports.find((report) => report.type === "candidate-pair" && report.nominated);
    const local = reports.find(({ id }) => id === pair?.localCandidateId);
    app.stats.set(peer, {
      frames: video.framesDecoded ?? 0,
      width: video.frameWidth ?? 0,
      height: video.frameHeight ?? 0,
      rate: Math.round(video.framesPerSecond ?? 0),
      path: local ? `${local.candidateType}, ${local.protocol}` : "",
    });
  }
  render();
}

setInterval(measure, 1000);

// What the person does.

controls.join.addEventListener("submit", (event) => {
  event.preventDefault();
  const room = controls.room.value.trim();
  if (room) enter(room, controls.name.value.trim());
});
controls.start.addEventListener("click", () => app.call.start());
controls.hangup.addEventListener("click", () => app.call.hangup());
controls.answer.addEventListener("click", () => app.call.accept());
controls.decline.addEventListener("click", () => app.call.hangup());
controls.leave.addEventListener("click", () => {
  exit();
  controls.enter.focus();
});
for (const [kind, button] of [["audio", controls.mic], ["video", controls.cam]]) {
  button.addEventListener("click", () => {
    app.switches[kind] = !app.switches[kind];
    app.call.setEnabled(kind, app.switches[kind]);
    render();
  });
}
controls.copy.addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(location.href);
    view.showNotice("info", "The link was copied. Send it to the person you want to talk to.");
  } catch {
    view.showNotice("info", `Send this address: ${location.href}`);
  }
});
addEventListener("hashchange", () => {
  if (app.client) location.reload();
  else controls.room.value = roomOfLink();
});
// A page that comes back from the browser's memory has said goodbye already.
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());

/** For tests and the curious: what the page knows, as plain data. */
window.heliograph = {
  app,
  snapshot: () => ({
    view: document.body.dataset.view,
    room: app.room,
    sid: app.client?.sid ?? null,
    signaling: app.client?.state ?? "idle",
    streams: app.client?.streams ?? 0,
    protocols: protocols(),
    others: [...(app.client?.rooms.get(app.room)?.keys() ?? [])],
    call: app.call?.state ?? "idle",
    lastEnd: app.lastEnd,
    problems: [...app.problems],
    peers: Object.fromEntries(
      [...(app.call?.peers ?? [])].map(([peer, { pc, glare, remoteState }]) => [
        peer,
        {
          connection: pc.connectionState,
          ice: pc.iceConnectionState,
          signaling: pc.signalingState,
          glare,
          remoteState,
          frames: 0,
          ...app.stats.get(peer),
        },
      ]),
    ),
  }),
};

function roomOfLink() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";
  }
}

const invited = roomOfLink();
controls.room.value = invited;
controls.name.value = localStorage.getItem("name") ?? "";
if (invited && sessionStorage.getItem("room") === invited) enter(invited, controls.name.value);
else (invited ? controls.name : controls.room).focus();
