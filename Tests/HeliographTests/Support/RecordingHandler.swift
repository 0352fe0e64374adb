import Heliograph

/// Answers what its paths say, and writes down all that it is told.
///
/// `/hello` answers at once; `/echo` streams the body back; `/big` is 3 MiB pulled as the peer takes it; `/whole` 1 MiB given at once; anything
/// else waits for ever.
final class RecordingHandler: Handler {
    var events: [String] = []
    /// Body bytes, by stream: pieces come as they are cut, and the cut is no event.
    var bodies: [Int32: [UInt8]] = [:]
    var reasons: [Int32: CloseReason] = [:]
    private let block = pattern(16 * 1024)

    func request(_ exchange: Exchange) {
        events.append("\(exchange.id) \(exchange.method) \(exchange.target)")
        switch exchange.path {
        case "/hello": exchange.respond(.ok, contentType: "text/plain", "Hello, World!")
        case "/echo": exchange.start(.ok)
        case "/whole": exchange.respond(.ok, contentType: "a/b", bytes: pattern(1 << 20))
        case "/big":
            var left = 192
            exchange.respond(.ok, contentType: "a/b") { [block] exchange in
                while left > 0 {
                    left -= 1
                    if !exchange.write(block) { break }
                }
                return left > 0
            }
        default: break
        }
    }

    func body(_ exchange: Exchange, _ chunk: RawSpan) {
        unsafe chunk.withUnsafeBytes { unsafe bodies[exchange.id, default: []].append(contentsOf: $0) }
        if exchange.pathIs("/echo"), !exchange.write(chunk) { exchange.pauseBody() }
    }

    func drained(_ exchange: Exchange) { exchange.resumeBody() }

    func end(_ exchange: Exchange) {
        events.append("\(exchange.id) end \(exchange.trailers?["x-sum"] ?? "-")")
        if exchange.pathIs("/echo") { exchange.finish() }
    }

    func closed(_ exchange: Exchange, _ reason: CloseReason) {
        events.append("\(exchange.id) closed \(reason)")
        reasons[exchange.id] = reason
    }
}
