/** What the client modules share: errors, listeners, and the format of server-sent events. */

/** An error of the service or of the way to it. `code` is stable, `message` is for people. */
export class SignalingError extends Error {
  constructor(code, detail, status = 0, retryAfter = 0) {
    super(detail || code);
    this.name = "SignalingError";
    /** The service's code, or `session_lost`, `closed`, `superseded`, `bad_response` of this client. */
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

  /** Whether asking again the same way is useless. */
  get refusal() {
    return this.status >= 400 && this.status < 500 && ![408, 425, 429].includes(this.status);
  }
}

/** Listeners by type of event. A listener that throws is reported and does not stop the others. */
export class Emitter {
  #listeners = new Map();

  /** Calls `listener(detail)` for each event of `type`. Returns a function that ends that. */
  on(type, listener) {
    if (!this.#listeners.has(type)) this.#listeners.set(type, new Set());
    this.#listeners.get(type).add(listener);
    return () => this.off(type, listener);
  }

  /** Ends what `on` began. */
  off(type, listener) {
    this.#listeners.get(type)?.delete(listener);
  }

  /** Calls the listeners of `type`, in the order in which they came. */
  emit(type, detail) {
    for (const listener of [...(this.#listeners.get(type) ?? [])]) {
      try {
        listener(detail);
      } catch (error) {
        globalThis.reportError(error);
      }
    }
  }
}

/** Splits a stream of server-sent events (HTML standard, section 9.2.6) into `{ id, data }`. */
export class EventStreamParser {
  #rest = "";
  #id = "";
  #data = [];

  /** Takes a piece of text, cut anywhere, and returns the events that it completes. */
  push(text) {
    const events = [];
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop();
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

/** The error that a response with `application/problem+json` stands for. */
export async function problem(response) {
  const body = await response.json().catch(() => ({}));
  const retryAfter = Number(response.headers.get("retry-after") ?? 0) * 1000 || 0;
  const detail = body.detail ?? response.statusText;
  return new SignalingError(body.code ?? "bad_response", detail, response.status, retryAfter);
}
