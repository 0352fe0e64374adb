import Heliograph

/// What a session's client hears. On the loop.
protocol SessionOwner: AnyObject {
    /// The session is there, or there again.
    func opened(_ session: SessionLink)
    func received(_ type: Substring, _ message: String)
}

/// A session of the service and what carries it. Belongs to the loop.
class SessionLink {
    let bench: LoadRun.Bench
    let place: Place
    /// Told of all that comes; it holds this link, and may have gone on to another.
    private(set) weak var owner: (any SessionOwner)?
    private(set) var sid = ""
    private(set) var token = ""
    private(set) var ticket = ""
    private(set) var epoch = ""
    private(set) var lastSeq = 0
    private var acknowledged = 0
    var isClosing = false

    init(_ bench: LoadRun.Bench, _ place: Place, owner: any SessionOwner) {
        self.bench = bench
        self.place = place
        self.owner = owner
    }

    func open() {}
    func send(_ message: String) {}

    /// What `POST /v1/sessions`, `welcome` and `resumed` say alike.
    func welcomed(_ message: String) {
        sid = message.field("sid") ?? sid
        token = message.field("token") ?? token
        ticket = message.field("resume") ?? ticket
        epoch = message.number("epoch") ?? epoch
    }

    func received(_ message: String) {
        let type = message.type
        switch type {
        case "welcome", "resumed":
            welcomed(message)
            owner?.opened(self)
        case "ack", "pong": break
        case "error": fail("an error: \(message)")
        default:
            if let seq = message.number("seq").flatMap({ Int($0) }) { lastSeq = seq }
            // The service keeps what is not acknowledged, up to a bound.
            if lastSeq - acknowledged >= 64 {
                acknowledged = lastSeq
                send("{\"t\":\"ack\",\"seq\":\(lastSeq)}")
            }
            owner?.received(type, message)
        }
    }

    func fail(_ reason: String) {
        if !isClosing { bench.recorder.failed(reason) }
    }
}

extension String {
    /// The value of the first field of that name, which is a string without escapes.
    func field(_ name: String) -> String? { value(after: "\"\(name)\":\"") { $0 != UInt8(ascii: "\"") } }

    func number(_ name: String) -> String? { value(after: "\"\(name)\":") { (0x30...0x39).contains($0) } }

    /// The type of a message: the service writes it behind `from`, whose fields have none of that name.
    var type: Substring { field("t").map { $0[...] } ?? "" }

    private func value(after start: String, while belongs: (UInt8) -> Bool) -> String? {
        let (bytes, wanted) = (Array(utf8), Array(start.utf8))
        guard bytes.count > wanted.count else { return nil }
        for place in 0..<(bytes.count - wanted.count)
        where bytes[place] == wanted[0] && bytes[place..<place + wanted.count].elementsEqual(wanted) {
            return String(decoding: bytes[(place + wanted.count)...].prefix(while: belongs), as: UTF8.self)
        }
        return nil
    }
}

/// Lines of a body that comes in any cut.
struct Lines {
    private var rest: [UInt8] = []

    mutating func take(_ chunk: RawSpan, _ line: (String) -> Void) {
        chunk.withUnsafeBytes { bytes in
            for byte in bytes {
                guard byte == UInt8(ascii: "\n") else {
                    rest.append(byte)
                    continue
                }
                line(String(decoding: rest, as: UTF8.self))
                rest.removeAll(keepingCapacity: true)
            }
        }
    }
}
