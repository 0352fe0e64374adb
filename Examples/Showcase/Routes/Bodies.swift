import Heliograph

/// Bodies in both directions: `/echo`, `/count`, `/bytes/{count}` and `/trailers`.
func addBodies(to router: Routes) {
    router.on(nil, "/echo", Echo())
    router.post("/count") { exchange in exchange.hand(to: Count()) }
    let bytes = Bytes()
    router.get("/bytes/{count}") { exchange in bytes.answer(exchange) }
    router.get("/trailers") { exchange in
        let body = "The checksum of this body follows in the trailers.\n"
        exchange.start(.ok, contentType: "text/plain")
        exchange.write(body)
        let sum = body.utf8.reduce(UInt32(0)) { ($0 &* 31) &+ UInt32($1) }
        exchange.finish(trailers: [("x-checksum", String(sum, radix: 16))])
    }
}

/// The request's body, sent back as it comes: a reader that is slow slows the writer.
final class Echo: Handler {
    func request(_ exchange: Exchange) { exchange.start(.ok) }
    func body(_ exchange: Exchange, _ chunk: RawSpan) { if !exchange.write(chunk) { exchange.pauseBody() } }
    func drained(_ exchange: Exchange) { exchange.resumeBody() }
    func end(_ exchange: Exchange) { exchange.finish() }
}

/// How many bytes the request's body has.
final class Count: Handler {
    private var count = 0

    func request(_ exchange: Exchange) {}
    func body(_ exchange: Exchange, _ chunk: RawSpan) { count += chunk.byteCount }
    func end(_ exchange: Exchange) { exchange.respond(.ok, contentType: "text/plain", "\(count)") }
}

/// A body from memory, pulled as the peer takes it.
private struct Bytes {
    private let block = [UInt8](repeating: UInt8(ascii: "x"), count: 16 * 1024)

    func answer(_ exchange: Exchange) {
        guard let count = exchange.parameter("count", as: Int.self), (0...1 << 34).contains(count) else {
            exchange.respond(.notFound)
            return
        }
        let block = block
        var left = count
        exchange.respond(.ok, contentType: "application/octet-stream", contentLength: count) { exchange in
            while left > 0 {
                let next = min(left, block.count)
                left -= next
                let goesOn = next == block.count ? exchange.write(block) : exchange.write(Array(block[..<next]))
                if !goesOn { break }
            }
            return left > 0
        }
    }
}
