/** What the page shows. It reads a plain description of the state and never decides anything. */

const $ = (id) => document.getElementById(id);

/** The elements that the page listens to. */
export const controls = {
  join: $("join"),
  room: $("room"),
  name: $("name"),
  enter: $("enter"),
  copy: $("copy"),
  invite: $("invite"),
  mic: $("mic"),
  cam: $("cam"),
  share: $("share"),
  talk: $("talk"),
  leave: $("leave"),
  say: $("say"),
  line: $("line"),
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
  $("copy").hidden = view !== "stage";
  $("place-name").textContent = room;
  if (view === "lobby") clearStage();
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
  if (tone === "info") noticeTimer = setTimeout(() => hideNotice(), NOTICE_TIME);
}

/** Takes the message away, whatever it is or if it says `text`. */
export function hideNotice(text = null) {
  if (text === null || $("notice-text").textContent === text) $("notice").hidden = true;
}

$("notice-close").onclick = () => hideNotice();

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
    setText(element, text);
  });
}

/**
 * Shows what the buttons do. `audio` and `video` are `on`, `off` or `none`; `screen` is `on`, `off`, or `none` where a
 * screen cannot be shared.
 */
export function showControls({ audio, video, screen }) {
  setControl(controls.mic, audio === "on", "i-mic", ["Mute", "Unmute"], audio === "none");
  setControl(controls.cam, video === "on", "i-cam", ["Stop video", "Start video"], video === "none");
  controls.share.hidden = screen === "none";
  controls.share.dataset.shares = String(screen === "on");
  controls.share.querySelector("use").setAttribute("href", screen === "on" ? "#i-screen-off" : "#i-screen");
  controls.share.querySelector("span").textContent = screen === "on" ? "Stop sharing" : "Share";
}

function setControl(button, on, icon, [turnOff, turnOn], missing) {
  button.dataset.on = String(on);
  button.disabled = missing;
  button.querySelector("use").setAttribute("href", `#${on ? icon : `${icon}-off`}`);
  button.querySelector("span").textContent = on ? turnOff : turnOn;
}

/**
 * Shows everybody in the room, and the screens that they share, in this order: `[{ id, name, own, kind, stream, video,
 * muted, route, doing }]`; `kind` is `person` or `screen`.
 */
export function showPeople(people) {
  const ids = new Set(people.map(({ id }) => id));
  for (const [id, tile] of tiles) {
    if (ids.has(id)) continue;
    tile.querySelector("video").srcObject = null;
    tile.remove();
    tiles.delete(id);
  }
  for (const person of people) showPerson(person);
  const persons = people.filter(({ kind }) => kind === "person").length;
  const hasScreen = people.length > persons;
  $("alone").hidden = people.length > 1;
  $("tiles").dataset.count = String(Math.max(people.length, 2));
  $("tiles").dataset.pair = String(!hasScreen && persons === 2);
  $("tiles").dataset.screen = String(hasScreen);
}

function showPerson({ id, name, own, kind, stream, video, muted, route, doing }) {
  const tile = tiles.get(id) ?? makeTile(id, own, kind);
  const player = tile.querySelector("video");
  if (player.srcObject !== stream) player.srcObject = stream;
  // The sound of a tile whose picture is hidden goes on.
  player.classList.toggle("off", !stream || !video);
  player.ariaLabel = kind === "screen" ? name : own ? "Your own picture" : `Picture of ${name}`;
  tile.querySelector(".face").hidden = Boolean(stream && video);
  setText(tile.querySelector(".face"), initials(name));
  tile.querySelector(".face").dataset.hue = String(hue(id));
  setText(tile.querySelector(".name"), own && kind === "person" ? "You" : name);
  setText(tile.querySelector(".route"), route);
  setText(tile.querySelector(".doing"), doing);
  tile.querySelector(".muted").toggleAttribute("hidden", !muted);
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function makeTile(id, own, kind) {
  const tile = $("tile").content.firstElementChild.cloneNode(true);
  tile.dataset.own = String(own);
  tile.dataset.kind = kind;
  tile.dataset.peer = id;
  // Own sound would come back as an echo; `autoplay` with sound is allowed to a page that captures.
  tile.querySelector("video").muted = own;
  $("tiles").append(tile);
  tiles.set(id, tile);
  return tile;
}

function clearStage() {
  for (const tile of tiles.values()) tile.remove();
  tiles.clear();
  for (const line of $("lines").querySelectorAll(".line")) line.remove();
  $("no-lines").hidden = false;
  showChat(false);
}

// The chat.

let unread = 0;

/** Opens or closes the chat. */
export function showChat(open) {
  const isNew = open && $("chat").hidden;
  $("chat").hidden = !open;
  $("stage").dataset.chat = String(open);
  controls.talk.setAttribute("aria-expanded", String(open));
  if (open) unread = 0;
  showUnread();
  if (isNew) controls.line.focus();
}

/** Whether the chat is open. */
export const isChatOpen = () => !$("chat").hidden;

/** Adds a line to the chat. */
export function addLine({ name, own, text }) {
  const line = document.createElement("p");
  line.className = "line";
  line.dataset.own = String(own);
  const who = document.createElement("b");
  who.textContent = own ? "You" : name;
  const time = document.createElement("time");
  time.textContent = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const said = document.createElement("span");
  said.textContent = text;
  line.append(who, time, said);
  $("no-lines").hidden = true;
  $("lines").append(line);
  $("lines").scrollTop = $("lines").scrollHeight;
  if (own || isChatOpen()) return;
  unread += 1;
  showUnread();
}

function showUnread() {
  $("unread").hidden = unread === 0;
  $("unread").textContent = String(unread);
  controls.talk.ariaLabel = unread === 0 ? "Chat" : `Chat, ${unread} unread`;
}

function closeChat() {
  showChat(false);
  controls.talk.focus();
}

$("chat-close").onclick = closeChat;
$("chat").addEventListener("keydown", ({ key }) => key === "Escape" && closeChat());

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
