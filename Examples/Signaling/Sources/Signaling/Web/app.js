/** The demo page: puts the client, the call and the view together. */

import { roomOfLink, tokenOfLink, transports } from "./link.js";
import { canShareScreen, openMedia, openScreen } from "./media.js";
import { join, onRemove, showRemovable } from "./moderation.js";
import { Call, SignalingClient, iceRoute } from "./signaling.js";
import { endings, nameOf, refusals, routeText, stateText, statusText, transportText } from "./words.js";
import * as view from "./view.js";

const { controls } = view;

/** Everybody sends to everybody: beyond this, what goes up is too much for most lines. */
const MESH_LIMIT = 6;
/** How long entering waits for the camera; after that it joins the call when it comes. */
const MEDIA_PATIENCE = 2000;

const app = {
  name: "",
  room: "",
  client: null,
  call: null,
  stream: null,
  screen: null,
  switches: { audio: true, video: true },
  stats: new Map(),
  /** Names outlast their owners, for the sentence that says who left. */
  names: new Map(),
  lastEnd: null,
  lines: [],
  problems: [],
};

// Rooms: in and out.

async function enter(room, name) {
  app.room = room;
  app.name = name || "Guest";
  // Before the address is written anew, without it.
  const token = tokenOfLink();
  remember();
  view.hideNotice();
  view.showEntering(true);
  const client = new SignalingClient({ info: { page: "heliograph" }, token, transports: transports() });
  app.client = client;
  app.call = new Call({ client, room, mesh: true });
  listen(client, app.call);
  const media = startMedia(client);
  try {
    await Promise.all([client.connect(), Promise.race([media, pause(MEDIA_PATIENCE)])]);
    const members = await join(client, room, { name: app.name }, () => client === app.client);
    if (members.length >= MESH_LIMIT) throw Object.assign(new Error("The room is full."), { code: "room_full" });
    for (const { peer, meta } of members) app.names.set(peer, nameOf(meta));
  } catch (error) {
    if (client === app.client) fail(error);
    return;
  } finally {
    view.showEntering(false);
  }
  if (client !== app.client) return;
  app.call.start();
  view.showView("stage", room);
  view.announce(`You are in room ${room}.`);
  render();
}

async function startMedia(client = app.client) {
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
  stop(app.screen);
  app.stream = app.screen = null;
  app.stats.clear();
  app.lines = [];
  sessionStorage.removeItem("room");
  view.showView("lobby");
}

/** Leaves as one who means it, and says goodbye even when the service does not answer. */
async function depart(client, room) {
  if (client.state === "open") await Promise.race([client.leave(room).catch(note), pause(2000)]);
  client.close();
}

function fail(error) {
  exit();
  note(error);
  view.showNotice("error", refusals[error.code] ?? `The room could not be entered: ${error.message}`);
  controls.room.focus();
}

function stop(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

function pause(delay) {
  return new Promise((resolve) => setTimeout(resolve, delay));
}

/** A page that is loaded again comes back to its room; a link that is opened for the first time asks for a name. */
function remember() {
  history.replaceState(null, "", `#${encodeURIComponent(app.room)}`);
  sessionStorage.setItem("room", app.room);
  localStorage.setItem("name", app.name === "Guest" ? "" : app.name);
}

// What comes from the service and from the call.

const SILENT = "The service does not answer. Trying again…";

function listen(client, call) {
  client.on("state", ({ state, error, retryIn }) => {
    if (client !== app.client) return;
    if (state === "connecting" && retryIn) view.showNotice("warning", SILENT);
    if (state === "open") view.hideNotice(SILENT);
    if (state === "reconnecting") view.announce("The connection to the service was lost. The call goes on.");
    if (state === "open" && client.streams > 1) view.announce("The connection to the service is back.");
    if (state === "closed" && error && document.body.dataset.view === "stage") fail(error);
    render();
  });
  client.on("peer_joined", ({ peer, meta }) => {
    app.names.set(peer, nameOf(meta));
    view.announce(`${nameOf(meta)} came in.`);
    render();
  });
  client.on("peer_left", ({ peer, reason }) => {
    if (peer === client.sid) return fail(Object.assign(new Error("You were removed."), { code: "kicked" }));
    app.stats.delete(peer);
    app.lastEnd = reason;
    view.showNotice("info", (endings[reason] ?? endings.left)(nameFor(peer)));
    render();
  });
  client.on("joined", render);
  client.on("peer_updated", render);
  client.on("join_failed", ({ error }) => fail(error));
  client.on("room_closed", () => fail(Object.assign(new Error("The room was closed."), { code: "room_closed" })));
  call.on("state", render);
  call.on("peer_ended", ({ peer, reason }) => {
    app.stats.delete(peer);
    if (reason === "ice_failed") view.showNotice("error", endings.ice_failed(nameFor(peer)));
  });
  call.on("chat", ({ peer, text }) => addLine({ name: nameFor(peer), own: false, text: text.slice(0, 2000) }));
  for (const type of ["stream", "change"]) call.on(type, render);
  call.on("problem", note);
}

function note(error) {
  app.problems.push(`${error.name}: ${error.message}`);
  console.warn(error);
}

function nameFor(peer) {
  return app.names.get(peer) ?? "Somebody";
}

function addLine(line) {
  app.lines.push(line);
  view.addLine(line);
}

// What is shown.

function render() {
  const { client, call } = app;
  if (!client || document.body.dataset.view !== "stage") return;
  const others = [...new Set([...(client.rooms.get(app.room)?.keys() ?? []), ...call.peers.keys()])];
  const own = {
    id: "own",
    name: app.name,
    own: true,
    kind: "person",
    stream: app.stream,
    video: track("video")?.enabled === true,
    muted: track("audio")?.enabled !== true,
    route: "",
    doing: "",
  };
  const screens = others.map(screenOf).filter(Boolean);
  if (app.screen) screens.unshift({ ...screen("own", "Your screen", app.screen), own: true });
  view.showPeople([own, ...others.map(describe), ...screens]);
  showRemovable(new Map(client.isModerator(app.room) ? others.map((peer) => [peer, nameFor(peer)]) : []));
  view.showControls({
    audio: switchOf("audio"),
    video: switchOf("video"),
    screen: canShareScreen ? (app.screen ? "on" : "off") : "none",
  });
  view.showStatus(client.state, statusText(client.state), transportText(client.transport));
  view.showFacts(facts());
}

function describe(peer) {
  const connection = app.call.peers.get(peer);
  const stream = cameraOf(connection);
  const { video = false, audio = true } = connection?.remoteState ?? {};
  return {
    id: peer,
    name: nameFor(peer),
    own: false,
    kind: "person",
    stream,
    video: video && stream !== null && stream.getVideoTracks().length > 0,
    muted: connection?.pc.connectionState === "connected" && !audio,
    route: routeText(app.stats.get(peer)?.route),
    doing: connection ? stateText(connection.pc) : "Connecting…",
  };
}

function cameraOf(connection) {
  const streams = [...(connection?.streams.values() ?? [])];
  return streams.find(({ id }) => id !== connection.remoteState.screen) ?? null;
}

function screenOf(peer) {
  const connection = app.call.peers.get(peer);
  const stream = connection?.streams.get(connection.remoteState.screen);
  return stream ? screen(peer, `${nameFor(peer)}’s screen`, stream) : null;
}

function screen(id, name, stream) {
  const plain = { own: false, kind: "screen", video: true, muted: false, route: "", doing: "" };
  return { ...plain, id: `${id}:screen`, name, stream };
}

/** ALPN names of the protocol that brought the page and, as far as the browser tells, that of the last request. */
function protocols() {
  const entries = performance.getEntriesByType("resource").filter(({ name }) => name.includes("/v1/sessions"));
  const page = performance.getEntriesByType("navigation")[0]?.nextHopProtocol ?? "";
  return { page, service: entries.at(-1)?.nextHopProtocol ?? "" };
}

function facts() {
  const { client, call } = app;
  const rows = [
    ["Service", statusText(client.state)],
    ["Transport", transportText(client.transport) || "none"],
    ["Protocol", { h2: "HTTP/2", "http/1.1": "HTTP/1.1" }[protocols().page] ?? protocols().page],
    ["Session", client.sid ? `${client.sid.slice(0, 10)}…` : "none"],
  ];
  for (const [peer, { pc }] of call.peers) {
    const { route, width, height, rate } = app.stats.get(peer) ?? {};
    rows.push([nameFor(peer), pc.connectionState]);
    if (route) rows.push(["Route", `${route.local} to ${route.remote}, ${route.protocol}`]);
    if (typeof route?.rtt === "number") rows.push(["Round trip", `${route.rtt} ms`]);
    if (width) rows.push(["Picture", `${width} × ${height}, ${rate} per second`]);
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
    const stats = await pc.getStats();
    const videos = [...stats.values()].filter(({ type, kind }) => type === "inbound-rtp" && kind === "video");
    const video = videos.find(({ framesDecoded }) => framesDecoded > 0) ?? {};
    app.stats.set(peer, {
      frames: video.framesDecoded ?? 0,
      width: video.frameWidth ?? 0,
      height: video.frameHeight ?? 0,
      rate: Math.round(video.framesPerSecond ?? 0),
      route: iceRoute(stats),
    });
  }
  render();
}

setInterval(measure, 500);

// What the person does.

controls.join.addEventListener("submit", (event) => {
  event.preventDefault();
  const room = controls.room.value.trim();
  if (room) enter(room, controls.name.value.trim());
});
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
controls.share.addEventListener("click", async () => {
  if (app.screen) return stopSharing();
  const { client } = app;
  const shared = await openScreen().catch(note);
  if (!shared || client !== app.client) return stop(shared);
  // The browser has a button of its own to stop.
  shared.getVideoTracks()[0].onended = stopSharing;
  app.screen = shared;
  app.call.setScreen(shared);
  view.announce("You share your screen.");
  render();
});

function stopSharing() {
  stop(app.screen);
  app.screen = null;
  app.call?.setScreen(null);
  view.announce("Your screen is not shared any more.");
  render();
}

onRemove((peer) => app.client?.kick(app.room, peer).catch(note));
controls.talk.addEventListener("click", () => view.showChat(!view.isChatOpen()));
controls.say.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = controls.line.value.trim();
  if (!text) return;
  if (app.call.sendChat(text) === 0) return view.showNotice("info", "Nobody is connected who could read this.");
  controls.line.value = "";
  addLine({ name: app.name, own: true, text });
});
for (const button of [controls.copy, controls.invite]) {
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      view.showNotice("info", "The link was copied. Send it to the people you want to talk to.");
    } catch {
      view.showNotice("info", `Send this address: ${location.href}`);
    }
  });
}
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
    transport: app.client?.transport ?? null,
    streams: app.client?.streams ?? 0,
    pending: app.client?.pending ?? 0,
    protocols: protocols(),
    others: [...(app.client?.rooms.get(app.room)?.keys() ?? [])],
    call: app.call?.state ?? "idle",
    lastEnd: app.lastEnd,
    lines: app.lines.map(({ name, text }) => `${name}: ${text}`),
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

const invited = roomOfLink();
controls.room.value = invited;
controls.name.value = localStorage.getItem("name") ?? "";
if (invited && sessionStorage.getItem("room") === invited) enter(invited, controls.name.value);
else (invited ? controls.name : controls.room).focus();
