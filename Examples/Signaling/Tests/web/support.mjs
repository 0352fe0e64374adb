/** The client module, and a service of a few lines that a test can tell what to answer. */

import { readFileSync } from "node:fs";
import { createServer } from "node:http";

export const source = new URL("../../Sources/Signaling/Web/signaling.js", import.meta.url);

// By its text: node takes a .js file without a package.json for a script.
const text = readFileSync(source, "utf8");
export const signaling = await import(`data:text/javascript;base64,${Buffer.from(text).toString("base64")}`);

/** Serves what `answers` has under `METHOD /path`; `{sid}` is s1. Every request is in `requests`. */
export class Service {
  requests = [];
  streams = [];
  answers = {
    "POST /v1/sessions": () => json(201, { sid: "s1", token: "secret", epoch: 7, ping: 25_000, resume: "ticket-1" }),
    "GET /v1/sessions/s1/events": (request) => this.stream(request),
    "POST /v1/sessions/s1/messages": ({ body }) =>
      json(202, { results: body.map(({ id }) => (id ? { id, ok: true } : { ok: true })) }),
    "DELETE /v1/sessions/s1": () => ({ status: 204 }),
  };

  async start() {
    this.server = createServer((incoming, response) => this.#take(incoming, response));
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }

  /** Answers by an event stream, to be written to by `event`. */
  stream({ response }, resumed = "yes") {
    response.writeHead(200, { "content-type": "text/event-stream", "signal-resumed": resumed });
    response.flushHeaders();
    this.streams.push(response);
  }

  event(seq, message, epoch = 7) {
    this.streams.at(-1).write(`id: ${epoch}.${seq}\ndata: ${JSON.stringify({ seq, ...message })}\n\n`);
  }

  of(route) {
    return this.requests.filter((request) => request.route === route);
  }

  /** All messages that were posted. */
  get messages() {
    return this.of("POST /v1/sessions/s1/messages").flatMap(({ body }) => body);
  }

  async #take(incoming, response) {
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { pathname, searchParams } = new URL(incoming.url, this.url);
    const body = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks)) : null;
    const route = `${incoming.method} ${pathname}`;
    const request = { route, headers: incoming.headers, query: searchParams, body, response, at: performance.now() };
    this.requests.push(request);
    const answer = this.answers[route]?.(request) ?? (this.answers[route] ? null : problem(404, "not_found"));
    if (!answer) return;
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }
}

export function json(status, value, headers = {}) {
  return { status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(value) };
}

export function problem(status, code, headers = {}) {
  return json(status, { type: "about:blank", status, code, title: code, detail: code }, headers);
}

/** Waits until `condition` is true. */
export async function until(condition, what) {
  for (let tries = 0; tries < 1000; tries += 1) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`not within ten seconds: ${what ?? condition}`);
}
