import FuzzSupport
import HelioHTTP
import HeliographTesting

/// A server's session whose handler echoes, pauses, answers early and opens tunnels.
enum SessionRun {
    static func compare(_ bytes: [UInt8], _ seed: UInt8, _ flags: UInt8, _ limits: Limits) {
        let whole = run(bytes, Cuts(0), flags, limits)
        let cut = run(bytes, Cuts(seed), flags, limits)
        check(whole.events == cut.events, "a cut changes what is heard: \(whole.events), not \(cut.events)")
        check(cut.output.starts(with: "HTTP/1.1 ".utf8) || cut.output.isEmpty, "the answer is none")
    }

    private static func run(
        _ bytes: [UInt8], _ cuts: Cuts, _ flags: UInt8, _ limits: Limits
    ) -> (events: [String], output: [UInt8]) {
        var limits = limits
        if flags & 8 != 0 { limits.responseHighWaterMark = 64 }
        let handler = PlainHandler()
        let server = HTTP1MemorySession(handler: handler, limits: limits)
        var output: [UInt8] = []
        var cuts = cuts
        for piece in cuts.pieces(of: bytes) {
            settle(server, handler, &output)
            // Who owns a session that is paused reads no more.
            if server.session.isFinished || server.session.isInputPaused { break }
            withExactCopy(of: piece) { server.session.receive($0, now: server.clock.now) }
        }
        settle(server, handler, &output)
        let isOver = server.session.isFinished
        for _ in 0..<3 where !server.session.isFinished {
            server.advance(by: .seconds(200))
            settle(server, handler, &output)
        }
        check(isOver || server.session.isFinished || handler.waits, "the connection stays open for ever")
        server.close()
        check(handler.openCount == 0, "\(handler.openCount) exchanges were not told of their end")
        check(server.resources.counterSnapshot().openStreams == 0, "streams are counted as open")
        return (handler.events, output)
    }

    /// Reads what there is and lets the session go on, as a connection does, until neither has more to do.
    private static func settle(_ server: HTTP1MemorySession, _ handler: PlainHandler, _ output: inout [UInt8]) {
        for _ in 0..<10_000 {
            let asked = server.inputRequests
            output += server.output()
            handler.goOn()
            if !server.session.isFinished, !server.session.isInputPaused { server.receive() }
            if !server.session.wantsDrain, !handler.holds, server.inputRequests == asked { return }
        }
        check(false, "it comes to no end")
    }
}

/// Answers by the first letter of the path, and writes down what it hears but for the cut of the body.
final class PlainHandler: Handler {
    private(set) var events: [String] = []
    private var open: [Int32: [UInt8]] = [:]
    private var tunnels: Set<Int32> = []
    private var held: [Exchange] = []

    var openCount: Int { open.count }
    var waits: Bool { !tunnels.isEmpty }
    var holds: Bool { !held.isEmpty }

    func request(_ exchange: Exchange) {
        check(open[exchange.id] == nil, "\(exchange.id) begins twice")
        open[exchange.id] = []
        let fields = exchange.headers.fields.map { "\($0.name)=\($0.value)" }.joined(separator: "|")
        events.append(
            "\(exchange.id) \(exchange.version) \(exchange.method) \(exchange.target) \(exchange.authority) \(fields)")
        switch exchange.path.utf8.dropFirst().first {
        case UInt8(ascii: "e"): exchange.start(.ok)
        case UInt8(ascii: "p"):
            exchange.pauseBody()
            held.append(exchange)
        case UInt8(ascii: "c"): exchange.collectBody(upTo: 20) { $0.respond(.ok, contentType: "a/b", bytes: $1) }
        case UInt8(ascii: "r"): exchange.reset()
        case UInt8(ascii: "h"): exchange.sendInformational(.earlyHints, headers: [("link", "</a>")])
        case UInt8(ascii: "b"): exchange.respond(.ok, contentType: "a/b", bytes: Array(repeating: 7, count: 100_000))
        default:
            if exchange.openTunnel() {
                tunnels.insert(exchange.id)
            } else {
                exchange.respond(.ok, contentType: "text/plain", "Hello")
            }
        }
    }

    func body(_ exchange: Exchange, _ chunk: RawSpan) {
        check(open[exchange.id] != nil, "a body of no exchange")
        chunk.withUnsafeBytes { open[exchange.id]?.append(contentsOf: $0) }
        guard exchange.isResponseStarted else { return }
        if !exchange.write(chunk), !exchange.isClosed {
            exchange.pauseBody()
            held.append(exchange)
        }
    }

    func end(_ exchange: Exchange) {
        guard let body = open[exchange.id] else { return check(false, "an end of no exchange") }
        // Of a request that was answered early the rest may be thrown away.
        guard !exchange.isResponseStarted || exchange.pathHasPrefix("/e") else {
            if exchange.isTunnel { exchange.finish() }
            return
        }
        let trailers = exchange.trailers?.fields.map { "\($0.name)=\($0.value)" }.joined(separator: "|")
        events.append("\(exchange.id) end \(body) \(trailers ?? "-")")
        if exchange.isResponseStarted {
            exchange.finish(trailers: [("x-end", "1")])
        } else {
            exchange.respond(.ok, contentType: "a/b", bytes: body)
        }
    }

    func drained(_ exchange: Exchange) { exchange.resumeBody() }

    func closed(_ exchange: Exchange, _ reason: CloseReason) {
        check(open.removeValue(forKey: exchange.id) != nil, "closed twice")
        tunnels.remove(exchange.id)
        held.removeAll { $0 === exchange }
    }

    func goOn() {
        let waiting = held
        held = []
        for exchange in waiting { exchange.resumeBody() }
    }
}
