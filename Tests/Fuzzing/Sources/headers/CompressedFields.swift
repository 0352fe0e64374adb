import FuzzSupport
import HelioHTTP
import HeliographTesting

/// Fields on their way through HPACK and a session to a handler.
enum CompressedFields {
    /// Fields of a client that are as they should be come as they were sent, over several requests of one connection.
    static func run(_ choices: inout Choices) {
        let handler = Collector()
        let server = MemorySession(handler: handler)
        let client = TestClient()
        var expected: [[Field]] = []
        while !choices.isAtEnd, expected.count < 20 {
            let fields = (0..<choices.number(below: 8)).map { _ in field(&choices) }
            let size = fields.reduce(4 * 32 + 64) { $0 + $1.name.utf8.count + $1.value.utf8.count + 32 }
            guard size < 16_000 else { continue }
            client.request("GET", "/", fields.map { ($0.name, $0.value) })
            expected.append(joined(fields))
            if choices.bool() { server.exchange(with: client, cut: 1 + choices.number(below: 40)) }
        }
        server.exchange(with: client)
        server.close()
        check(handler.seen == expected, "other fields have come:\n\(handler.seen)\n\(expected)")
        check(server.resources.liveBlocks == 0, "blocks of nghttp2's are left")
    }

    /// Any bytes as a header block, in one frame or two.
    static func runRaw(_ choices: inout Choices) {
        let handler = Collector()
        let server = MemorySession(handler: handler)
        var bytes = FrameBuilder.preface + FrameBuilder.settings()
        let cut = Int(choices.byte())
        let block = choices.rest()
        if cut == 0 || cut >= block.count {
            bytes += FrameBuilder.frame(.headers, flags: 5, stream: 1, block)
        } else {
            bytes += FrameBuilder.frame(.headers, flags: 1, stream: 1, Array(block[..<cut]))
            bytes += FrameBuilder.frame(.continuation, flags: 4, stream: 1, Array(block[cut...]))
        }
        server.receive(bytes)
        let output = server.output()
        server.close()
        check(!output.isEmpty, "nothing is answered")
        for fields in handler.seen {
            check(
                fields.allSatisfy { !$0.name.isEmpty && !$0.name.hasPrefix(":") }, "a pseudo-header field is given on")
            check(fields.filter { $0.name == "cookie" }.count <= 1, "crumbs of a cookie are given on")
        }
        check(server.resources.liveBlocks == 0, "blocks of nghttp2's are left")
    }

    struct Field: Equatable {
        var name: String
        var value: String
    }

    private static let names = ["cookie", "x-a", "accept", "x-long-name-of-a-field", "user-agent", "if-match"]

    private static func field(_ choices: inout Choices) -> Field {
        let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        let own = choices.take(1 + choices.number(below: 12)).map { letters[Int($0) % letters.count] }
        let name = choices.bool() ? choices.pick(names) : "y-" + String(decoding: own, as: UTF8.self)
        // Visible and blank characters, with none of the latter at the ends (RFC 9113 section 8.2.1).
        let value = choices.counted().map { 0x20 + $0 % 0x5f }
        let text = String(decoding: value, as: UTF8.self)
        return Field(name: name, value: "v" + (choices.byte() == 7 ? String(repeating: text, count: 12) : text) + "v")
    }

    private static func joined(_ fields: [Field]) -> [Field] {
        let crumbs = fields.filter { $0.name == "cookie" }
        guard crumbs.count > 1, let first = fields.firstIndex(where: { $0.name == "cookie" }) else { return fields }
        var fields = fields
        fields[first].value = crumbs.map(\.value).joined(separator: "; ")
        return fields.indices.filter { $0 == first || fields[$0].name != "cookie" }.map { fields[$0] }
    }
}

/// Keeps the fields of each request.
private final class Collector: Handler {
    private(set) var seen: [[CompressedFields.Field]] = []

    func request(_ exchange: Exchange) {
        seen.append(exchange.headers.fields.map { .init(name: $0.name, value: $0.value) })
        let fields = exchange.headers
        for (name, value) in fields.fields { check(fields.values(of: name).contains(value), "\(name) is not found") }
        exchange.respond(.noContent)
    }
}
