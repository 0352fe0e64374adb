import Heliograph

// Small requests through one session in memory: what a tool that counts instructions or allocations looks at.
//
//     requests N           N requests, a multiple of 32, which is a batch; the difference of two runs is the cost of the requests alone
//     requests N routed    the same by a router, each given an id and written to an access log
//     requests N http1     over HTTP/1.1, one after the other

final class Hello: Handler {
    func request(_ exchange: Exchange) { exchange.respond(.ok, contentType: "text/plain", "Hello, World!") }
}

/// What a service has in front of its handlers, to a log that goes nowhere.
func routed() throws -> any Handler {
    let loop = try EventLoop()
    let router = Router(on: loop) { routes in
        routes.get("/status") { $0.respond(.noContent) }
        routes.get("/hello/{name}") { $0.respond(.notFound) }
        routes.get("/{greeting}") { exchange in
            let length = exchange.withParameter("greeting") { $0.byteCount }
            guard length == 5 else { return _ = exchange.respond(.notFound) }
            exchange.respond(.ok, contentType: "text/plain", "Hello, World!")
        }
    }
    return AccessLog(.combined, to: try LogSink(.file("/dev/null")), on: loop, wrapping: RequestID(wrapping: router))
}

final class Owner: HTTPSessionOwner {
    func sessionNeedsDrain() {}
}

/// The frame of a request: HEADERS that ends its stream.
func request(_ stream: UInt32, _ block: [UInt8]) -> [UInt8] {
    let id = [UInt8(stream >> 24), UInt8(stream >> 16 & 255), UInt8(stream >> 8 & 255), UInt8(stream & 255)]
    return [0, 0, UInt8(block.count), 1, 5] + id + block
}

func literal(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }

/// A client's bytes against a session, in batches.
struct Run {
    let resources = HTTP2Resources(limits: Limits())
    let session: HTTP2Session
    let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 4096)
    var now: UInt64 = 1

    init(_ handler: any Handler) {
        session = HTTP2Session(resources: resources, handler: handler, owner: Owner(), now: 1)
    }

    mutating func exchange(_ bytes: [UInt8]) {
        now += 1_000_000
        bytes.withUnsafeBytes { session.receive($0, now: now) }
        while session.wantsDrain { _ = session.drain(into: output, now: now) }
    }

    mutating func requests(_ count: Int) -> Int {
        // The first request fills the compression table; those that follow are five bytes of indices, as h2load's are.
        var first: [UInt8] = [0x82, 0x87, 0x44] + literal("/hello") + [0x41] + literal("127.0.0.1:8443")
        first += [0x7a] + literal("h2load nghttp2/1.52.0")
        let indexed: [UInt8] = [0x82, 0x87, 0xc0, 0xbf, 0xbe]
        let settings: [UInt8] = [0, 0, 0, 4, 0, 0, 0, 0, 0]
        // A window that no number of these responses fills.
        let window: [UInt8] = [0, 0, 4, 8, 0, 0, 0, 0, 0, 0x7f, 0xfe, 0, 0]
        exchange(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + settings + window + request(1, first))
        // The same bytes again and again, but for the streams: the program itself is not to be counted.
        let frame = request(0, indexed)
        var batch = Array(repeatElement(frame, count: 32).joined())
        var stream: UInt32 = 3
        for _ in 0..<count / 32 {
            for start in stride(from: 5, to: batch.count, by: frame.count) {
                batch.withUnsafeMutableBytes {
                    $0.storeBytes(of: stream.bigEndian, toByteOffset: start, as: UInt32.self)
                }
                stream += 2
            }
            exchange(batch)
        }
        session.close(.connectionLost)
        output.deallocate()
        return resources.shared.counterSnapshot().requests - 1
    }
}

let kind = CommandLine.arguments.dropFirst(2).first
let count = CommandLine.arguments.count > 1 ? Int(CommandLine.arguments[1]) ?? 0 : 96_000
let answered: Int
if kind == "http1" {
    var run = HTTP1Run(Hello())
    answered = run.requests(count)
} else {
    var run = Run(kind == "routed" ? try routed() : Hello())
    answered = run.requests(count)
}
guard answered == count else { fatalError("not every request was answered") }
print("\(count) requests")
