/** What the page says: states, ends and refusals, in words for people. */

/** Why somebody is not there any more. */
export const endings = {
  left: (name) => `${name} left the room.`,
  bye: (name) => `${name} left.`,
  timeout: (name) => `${name} lost the connection.`,
  kicked: (name) => `${name} was removed from the room.`,
  ice_failed: (name) =>
    `No direct connection to ${name} could be kept. A firewall may be in the way; another network often helps.`,
};

/** Why a room could not be entered, by the code of the error. */
export const refusals = {
  kicked: "You were removed from the room.",
  duplicate_identity: "You are in a call with this invitation already. Leave that one first.",
  replaced: "You are in this call in another tab or on another device now.",
  room_closed: "The room was closed.",
  room_full: "This room is full. Try again later, or choose another room.",
  bad_message: "The service does not accept this room name. Choose another one.",
  password_required: "This room has a password. Ask whoever sent you the link for it.",
  wrong_password: "This was not the password of the room.",
  too_many_guesses: "Too many wrong passwords. Try again in half a minute.",
  forbidden: "You may not enter this room. Ask whoever sent you the link for a new one.",
  unauthorized: "This service wants an invitation. Ask whoever sent you the link for a new one.",
};

/** The name that a peer gives itself. */
export function nameOf(meta) {
  const name = typeof meta?.name === "string" ? meta.name.trim().slice(0, 40) : "";
  return name || "Guest";
}

/** How the connection to a peer is. */
export function stateText({ connectionState }) {
  if (connectionState === "disconnected") return "Unstable…";
  if (connectionState === "failed") return "Reconnecting…";
  return connectionState === "connected" ? "" : "Connecting…";
}

/** How the connection to the service is. */
export function statusText(state) {
  const said = { open: "Connected", reconnecting: "Reconnecting…", closed: "Closed" };
  return said[state] ?? "Connecting…";
}

/** What carries it. */
export function transportText(transport) {
  return { websocket: "WebSocket", sse: "Event stream", poll: "Polling" }[transport] ?? "";
}

/** Whether media takes the direct way. */
export function routeText(route) {
  if (!route) return "";
  if (route.relayed) return "Relayed";
  return route.local === "host" && route.remote === "host" ? "Direct" : "Direct, through NAT";
}
