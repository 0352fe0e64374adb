/** What the page shows. It reads a plain description of the state and never decides anything. */

const $ = (id) => document.getElementById(id);

/** The elements that the page listens to. */
export const controls = {
  join: $("join"),
  room: $("room"),
  name: $("name"),
  enter: $("enter"),
  copy: $("copy"),
  mic: $("mic"),
  cam: $("cam"),
  start: $("start"),
  hangup: $("hangup"),
  leave: $("leave"),
  answer: $("answer"),
  decline: $("decline"),
};

const tiles = new Map();

/** Switches between the form, `lobby`, and the room, `stage`. */
export function showView(view, room = "") {
  document.body.dataset.view = view;
  document.title = view === "stage" ? `${room} · Heliograph` : "Heliograph";
  $("lobby").hidden = view !== "lobby";
  $("stage").hidden = view !== "stage";
  $("place").hidden = view !== "stage";
  $("status").hidden = view !== "stage";
  $("place-name").textContent = room;
  if (view === "lobby") clearTiles();
  else $("stage").focus();
}

/** Shows that a room is being entered, or not any more. */
export function showEntering(busy) {
  controls.enter.disabled = busy;
  controls.enter.textContent = busy ? "Entering…" : "Enter room";
}

/** Says something that is worth hearing, but needs no action, to screen readers. */
export function announce(text) {
  $("announcer").textContent = text;
}

const NOTICE_TIME = 8000;
let noticeTimer = 0;

/**
 * Shows a message. `tone` is `info`, `warning` or `error`: an `info` goes away by itself, the others stay until they
 * are closed or replaced. `action` is `{ label, run }`.
 */
export function showNotice(tone, text, action = null) {
  const button = $("notice-action");
  $("notice").dataset.tone = tone;
  $("notice-text").textContent = text;
  button.hidden = !action;
  button.textContent = action?.label ?? "";
  button.onclick = () => {
    hideNotice();
    action.run();
  };
  $("notice").hidden = false;
  clearTimeout(noticeTimer);
  if (tone === "info") noticeTimer = setTimeout(hideNotice, NOTICE_TIME);
}

/** Takes the message away. */
export function hideNotice() {
  $("notice").hidden = true;
}

$("notice-close").onclick = hideNotice;

/** Shows the state of the way to the service: `open`, `connecting`, `reconnecting` or `closed`. */
export function showStatus(state, text, protocol) {
  $("status").dataset.state = state;
  $("status-text").textContent = text;
  $("status-protocol").textContent = state === "open" ? protocol : "";
}

addEventListener("click", ({ target }) => {
  if (!$("status").contains(target)) $("status").open = false;
});
addEventListener("keydown", ({ key }) => {
  if (key === "Escape") $("status").open = false;
});

/** Shows `[name, value]` pairs in the panel under the status. */
export function showFacts(facts) {
  const list = $("facts");
  const wanted = facts.flatMap(([name, value]) => [name, value]);
  while (list.children.length > wanted.length) list.lastChild.remove();
  wanted.forEach((text, index) => {
    const tag = index % 2 === 0 ? "dt" : "dd";
    const element = list.children[index] ?? list.appendChild(document.createElement(tag));
    if (element.textContent !== text) element.textContent = text;
  });
}

/** Shows who calls, an array of names; empty when nobody does. */
export function showRing(names) {
  const ring = $("ring");
  const appears = ring.hidden && names.length > 0;
  ring.hidden = names.length === 0;
  $("ring-text").textContent = names.length === 0 ? "" : `${listed(names)} ${names.length > 1 ? "are" : "is"} calling`;
  if (appears) controls.answer.focus();
}

/** Shows which buttons make sense. `audio` and `video` are `on`, `off` or `none`. */
export function showControls({ call, others, audio, video }) {
  setControl(controls.mic, audio === "on", "i-mic", ["Mute", "Unmute"], audio === "none");
  setControl(controls.cam, video === "on", "i-cam", ["Stop video", "Start video"], video === "none");
  const focused = document.activeElement;
  controls.start.hidden = call !== "idle";
  controls.start.disabled = others === 0;
  controls.start.title = others === 0 ? "There is nobody to call yet" : "";
  controls.hangup.hidden = call !== "calling" && call !== "active";
  controls.hangup.querySelector("span").textContent = call === "calling" ? "Cancel" : "Hang up";
  // The button that had the focus may be gone: its counterpart takes over.
  const gone = [controls.start, controls.hangup, controls.answer, controls.decline].includes(focused);
  if (gone && focused.closest("[hidden]")) (call === "idle" ? controls.start : controls.hangup).focus();
}

function setControl(button, on, icon, [turnOff, turnOn], missing) {
  button.dataset.on = String(on);
  button.disabled = missing;
  button.querySelector("use").setAttribute("href", `#${on ? icon : `${icon}-off`}`);
  button.querySelector("span").textContent = on ? turnOff : turnOn;
}

/**
 * Shows everybody in the room: `[{ id, name, own, stream, video, muted, doing, add }]`, the own tile first. `add` is
 * what a button in the tile does, null for no button.
 */
export function showPeople(people, inCall) {
  const ids = new Set(people.map((person) => person.id));
  for (const [id, tile] of tiles) {
    if (ids.has(id)) continue;
    tile.querySelector("video").srcObject = null;
    tile.remove();
    tiles.delete(id);
  }
  for (const person of people) showPerson(person);
  $("alone").hidden = people.length > 1;
  const connected = people.filter((person) => !person.own && person.connected).length;
  $("tiles").dataset.count = String(Math.max(people.length, 2));
  $("tiles").dataset.call = String(inCall && people.length === 2 && connected === 1);
}

function showPerson({ id, name, own, stream, video, muted, doing, add }) {
  const tile = tiles.get(id) ?? makeTile(id, own);
  const player = tile.querySelector("video");
  if (player.srcObject !== stream) player.srcObject = stream;
  player.hidden = !stream || !video;
  player.ariaLabel = own ? "Your own picture" : `Picture of ${name}`;
  tile.querySelector(".face").hidden = !player.hidden;
  tile.querySelector(".face").textContent = initials(name);
  tile.querySelector(".face").dataset.hue = String(hue(id));
  tile.querySelector(".name").textContent = own ? "You" : name;
  tile.querySelector(".doing").textContent = doing;
  tile.querySelector(".muted").toggleAttribute("hidden", !muted);
  const button = tile.querySelector(".add");
  button.hidden = !add;
  button.onclick = add;
  button.ariaLabel = `Call ${name}`;
}

function makeTile(id, own) {
  const tile = $("tile").content.firstElementChild.cloneNode(true);
  tile.dataset.own = String(own);
  tile.dataset.peer = id;
  // Own sound would come back as an echo; `autoplay` with sound is allowed to a page that captures.
  tile.querySelector("video").muted = own;
  $("tiles").append(tile);
  tiles.set(id, tile);
  return tile;
}

function clearTiles() {
  for (const tile of tiles.values()) tile.remove();
  tiles.clear();
}

function initials(name) {
  const words = name.trim().split(/\s+/);
  return words
    .slice(0, 2)
    .map((word) => [...word][0] ?? "")
    .join("")
    .toUpperCase();
}

function hue(id) {
  return [...id].reduce((sum, character) => (sum * 31 + character.codePointAt(0)) % 6, 0);
}

/** `A`, `A and B`, `A, B and C`. */
export function listed(names) {
  return names.length < 2 ? (names[0] ?? "") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
