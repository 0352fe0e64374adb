// Node's http2 server, compatibility layer left out: the stream API is the quicker one.
//
//   node node.mjs PORT CERTIFICATE KEY
import { readFileSync } from "node:fs";
import { createSecureServer } from "node:http2";

const [port, cert, key] = process.argv.slice(2);
const server = createSecureServer({ cert: readFileSync(cert), key: readFileSync(key), allowHTTP1: true });
const hello = Buffer.from("Hello, World!");
const bodies = new Map();

function body(path) {
  if (!path.startsWith("/bytes/")) return hello;
  if (!bodies.has(path)) bodies.set(path, Buffer.alloc(Number(path.slice(7)), "x"));
  return bodies.get(path);
}

// Those who read server-sent events at /feed; what is posted there goes to all of them.
const readers = new Set();

function publish(stream) {
  const parts = [];
  stream.on("data", (part) => parts.push(part));
  stream.on("end", () => {
    const event = Buffer.concat([Buffer.from("data: "), ...parts, Buffer.from("\n\n")]);
    for (const reader of readers) reader.write(event);
    stream.respond({ ":status": 202 }, { endStream: true });
  });
}

function subscribe(stream) {
  stream.respond({ ":status": 200, "content-type": "text/event-stream", "cache-control": "no-store" });
  stream.write(": welcome\n\n");
  readers.add(stream);
  stream.on("close", () => readers.delete(stream));
}

function count(stream) {
  let bytes = 0;
  stream.on("data", (part) => { bytes += part.length; });
  stream.on("end", () => {
    stream.respond({ ":status": 200, "content-type": "text/plain" });
    stream.end(String(bytes));
  });
}

server.on("stream", (stream, headers) => {
  stream.on("error", () => {});
  if (headers[":path"] === "/count") return count(stream);
  if (headers[":path"] === "/feed") return headers[":method"] === "POST" ? publish(stream) : subscribe(stream);
  const answer = body(headers[":path"]);
  stream.respond({ ":status": 200, "content-type": "text/plain", "content-length": answer.length });
  stream.end(answer);
});
server.on("request", (request, response) => {
  if (request.httpVersionMajor === 2) return;
  const answer = body(request.url);
  response.writeHead(200, { "content-type": "text/plain", "content-length": answer.length });
  response.end(answer);
});
server.on("error", (error) => { console.error(error.message); process.exit(1); });
server.listen(Number(port), "127.0.0.1");
