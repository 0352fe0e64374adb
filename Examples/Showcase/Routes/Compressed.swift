import Heliograph

/// Responses that are compressed for those who take them so: `/compressed`, a large JSON text, and `/compressed/events`.
func addCompressed(to router: Routes, _ context: RouteContext) {
    let loop = context.loop
    router.group(through: [{ ResponseCompression(wrapping: $0) }]) { compressed in
        compressed.get("/compressed") { exchange in
            let count = min(max(exchange.queryNumber("n") ?? 10_000, 0), 1_000_000)
            let items = (0..<count).map { "{\"id\":\($0),\"name\":\"item \($0)\",\"square\":\($0 &* $0)}" }
            exchange.addHeader("etag", "\"\(count)\"")
            exchange.respond(.ok, contentType: "application/json", "[\(items.joined(separator: ",\n"))]\n")
        }
        compressed.get("/compressed/events") { exchange in
            exchange.hand(to: Events(loop: loop, count: exchange.queryNumber("n") ?? 10))
        }
    }
}
