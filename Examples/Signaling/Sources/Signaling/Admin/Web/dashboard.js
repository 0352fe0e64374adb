// Asks for the counts once a second and draws the last two minutes of them.

const PERIOD = 1000;
const KEPT = 120;
const SVG = "http://www.w3.org/2000/svg";

/** What is shown: a title, the value of a sample and the one before it, and how it is written. */
const TILES = [
  { title: "Sessions", value: (now) => now.sessions },
  { title: "Connected sessions", value: (now) => now.connected },
  { title: "Connections", value: (now) => now.connections },
  { title: "Rooms", value: (now) => now.rooms },
  { title: "Room members", value: (now) => now.members },
  { title: "Messages per second", value: rate("messages"), write: (value) => count(value, 1) },
  { title: "Refused messages per second", value: rate("messages_refused"), write: (value) => count(value, 1) },
  { title: "Events per second", value: rate("events"), write: (value) => count(value, 1) },
  { title: "Unacknowledged events", value: (now) => now.unacknowledged },
  { title: "Received per second", value: rate("bytes_received"), write: bytes },
  { title: "Sent per second", value: rate("bytes_sent"), write: bytes },
  { title: "Longest iteration", value: (now) => Math.max(0, ...now.loops.map((loop) => loop.longest_us)), write: time },
  { title: "Limits tripped", value: (now) => now.limits_tripped },
  { title: "Internal errors", value: (now) => now.internal_errors, isAlarm: (value) => value > 0 },
];

function rate(name) {
  return (now, before) => (before ? Math.max(0, now[name] - before[name]) / ((now.at - before.at) / 1000) : 0);
}

function count(value, digits = 0) {
  return value.toLocaleString("en", { maximumFractionDigits: value < 100 ? digits : 0 });
}

function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit += 1) value /= 1024;
  return `${count(value, 1)} ${units[unit]}`;
}

function time(microseconds) {
  return microseconds < 1000 ? `${microseconds} µs` : `${count(microseconds / 1000, 1)} ms`;
}

const state = document.querySelector("#state");
const login = document.querySelector("#login");
const rows = document.querySelector("#loops");
let token = sessionStorage.getItem("admin-token") ?? "";
let before = null;

const tiles = TILES.map((tile) => {
  const card = document.createElement("article");
  card.className = "tile";
  const title = document.createElement("h3");
  title.textContent = tile.title;
  const number = document.createElement("p");
  number.textContent = "–";
  const chart = document.createElementNS(SVG, "svg");
  chart.setAttribute("viewBox", `0 0 ${KEPT - 1} 30`);
  chart.setAttribute("preserveAspectRatio", "none");
  chart.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  chart.append(path);
  card.append(title, number, chart);
  document.querySelector("#tiles").append(card);
  return { ...tile, card, number, path, values: [] };
});

function line(values) {
  const top = Math.max(1, ...values);
  const start = KEPT - values.length;
  return values.map((value, index) => `${index ? "L" : "M"}${start + index} ${(28 - (value / top) * 26).toFixed(1)}`).join("");
}

function show(now) {
  for (const tile of tiles) {
    const value = tile.value(now, before);
    tile.values.push(value);
    if (tile.values.length > KEPT) tile.values.shift();
    tile.number.textContent = (tile.write ?? count)(value);
    tile.card.classList.toggle("alarm", tile.isAlarm?.(value) ?? false);
    tile.path.setAttribute("d", line(tile.values));
  }
  rows.replaceChildren(
    ...now.loops.map((loop, index) => {
      const last = before?.loops[index];
      const busy = last ? (loop.busy_us - last.busy_us) / ((now.at - before.at) * 10) : 0;
      const row = document.createElement("tr");
      for (const text of [loop.loop, count(loop.sessions), count(loop.rooms), `${count(busy, 1)} %`, time(loop.longest_us)]) {
        const cell = document.createElement("td");
        cell.textContent = text;
        row.append(cell);
      }
      return row;
    }),
  );
  before = now;
}

function say(text, mood) {
  if (state.textContent !== text) state.textContent = text;
  state.className = mood;
}

async function refresh() {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const response = await fetch("v1/status", { headers, signal: AbortSignal.timeout(10_000) });
  login.hidden = response.status !== 401;
  // A link cannot carry the token.
  document.querySelector("#views").hidden = !login.hidden || token !== "";
  if (response.status === 401) return say("an admin token is needed", "bad");
  if (!response.ok) return say(`the service answers ${response.status}`, "bad");
  const now = { ...(await response.json()), at: performance.now() };
  show(now);
  if (now.draining) say("draining", "bad");
  else say("ready", "good");
}

login.addEventListener("submit", (event) => {
  event.preventDefault();
  token = document.querySelector("#token").value;
  sessionStorage.setItem("admin-token", token);
});

for (;;) {
  try {
    if (!document.hidden) await refresh();
  } catch {
    say("the service cannot be reached", "bad");
  }
  await new Promise((resolve) => setTimeout(resolve, PERIOD));
}
