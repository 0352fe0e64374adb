/// What a client says first: who it is, or which session it continues.
package enum Hello: Sendable, Hashable {
    /// - Parameter token: who it is; nil when it says so elsewhere.
    case hello(token: [UInt8]?)
    /// - Parameter last: the last event that it has.
    case resume(ticket: [UInt8], last: EventID?)

    package struct Refusal: Error, Hashable, Sendable {
        package let problem: Problem
        package let detail: String
    }

    /// The first message of a duplex stream: `{"t":"hello",…}` or `{"t":"resume",…}`.
    package static func message(_ bytes: [UInt8], limits: ServiceLimits) throws(Refusal) -> Hello {
        let fields = try Fields(bytes, limits)
        switch fields.type.map({ String(decoding: $0, as: UTF8.self) }) {
        case "hello": return .hello(token: fields.token)
        case "resume":
            guard let ticket = fields.ticket else {
                throw Refusal(problem: .badHello, detail: "resume needs ticket, a string")
            }
            return .resume(ticket: ticket, last: fields.event)
        default: throw Refusal(problem: .badHello, detail: "the first message is hello or resume")
        }
    }

    /// The body of `POST /v1/sessions`: empty, `{"client":…}` or `{"resume":"ticket","last":"epoch.seq"}`.
    package static func body(_ bytes: [UInt8], limits: ServiceLimits) throws(Refusal) -> Hello {
        guard !bytes.isEmpty else { return .hello(token: nil) }
        let fields = try Fields(bytes, limits)
        guard let ticket = fields.resume else { return .hello(token: nil) }
        return .resume(ticket: ticket, last: fields.event)
    }

    private struct Fields {
        var type: [UInt8]?
        var token: [UInt8]?
        var ticket: [UInt8]?
        var resume: [UInt8]?
        var last: [UInt8]?

        /// A name that is none is as good as no name: nothing is resumed after it.
        var event: EventID? { last.flatMap { EventID(String(decoding: $0, as: UTF8.self)) } }

        init(_ bytes: [UInt8], _ limits: ServiceLimits) throws(Refusal) {
            guard bytes.count <= limits.helloSize else {
                throw Refusal(problem: .tooLarge, detail: "a hello is at most \(limits.helloSize) bytes")
            }
            do throws(JSONError) {
                try scan(bytes, limits)
            } catch {
                throw Refusal(problem: .badJSON, detail: error.description)
            }
        }

        private mutating func scan(_ bytes: [UInt8], _ limits: ServiceLimits) throws(JSONError) {
            var scanner = JSONScanner(bytes, maxDepth: limits.depth)
            try scanner.object(maxMembers: limits.members) { scanner, key, _ throws(JSONError) in
                let name = scanner.name(key)
                guard ["t", "token", "ticket", "resume", "last"].contains(name),
                    try scanner.peek() == UInt8(ascii: "\"")
                else {
                    try scanner.skipValue(depth: 1)
                    return
                }
                let text = scanner.decoded(try scanner.string()).utf8
                switch name {
                case "t": type = text
                case "token": token = text
                case "ticket": ticket = text
                case "resume": resume = text
                default: last = text
                }
            }
            try scanner.expectEnd()
        }
    }
}
