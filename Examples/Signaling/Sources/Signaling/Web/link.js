/** What the page's address and this tab know before anything else. */

function partsOfLink() {
  const [room, query = ""] = location.hash.slice(1).split("?");
  return { room, query: new URLSearchParams(query) };
}

/** The room that the page's address names; empty for none. */
export function roomOfLink() {
  try {
    return decodeURIComponent(partsOfLink().room);
  } catch {
    return "";
  }
}

/** A link may carry a token, in the part of it that never goes over the wire. */
export function tokenOfLink() {
  const token = partsOfLink().query.get("token");
  if (token) sessionStorage.setItem("token", token);
  return sessionStorage.getItem("token") ?? undefined;
}

/** To try one of them: `sessionStorage.transports = "sse"`. */
export function transports() {
  return sessionStorage.getItem("transports")?.split(",");
}
