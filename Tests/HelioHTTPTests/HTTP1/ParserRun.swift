@testable import HelioHTTP

/// What a parser finds in bytes, one line of text for each event; neighbouring pieces of a body are one.
enum ParserRun {
    /// - Parameter cuts: where the bytes are divided, in ascending order.
    static func events(_ bytes: [UInt8], cuts: [Int] = [], limits: Limits = Limits()) -> [String] {
        var log = EventLog()
        var parser = HTTP1Parser(limits)
        var fields = HeaderBlock()
        var trailers: HeaderBlock?
        var hasBegun = false
        var pending: [UInt8] = []
        var start = 0
        for end in cuts + [bytes.count] {
            pending += bytes[start..<end]
            start = end
            var position = 0
            let isRefused = unsafe pending.withUnsafeBytes { pending in
                while true {
                    if !hasBegun {
                        guard unsafe parser.requestBegins(in: pending, at: &position) else { return false }
                        hasBegun = true
                    }
                    do throws(HTTP1Refusal) {
                        switch try unsafe parser.next(in: pending, at: &position, into: trailers ?? fields) {
                        case .needsMore: return false
                        case .head: log.head(parser.head, fields)
                        case .content(let count): unsafe log.body(Array(pending[position - count..<position]))
                        case .trailersBegin: trailers = HeaderBlock()
                        case .end:
                            log.end(trailers?.fields ?? [])
                            parser.startNext()
                            fields = HeaderBlock()
                            trailers = nil
                            hasBegun = false
                        }
                    } catch {
                        log.refusal(error.status.rawValue, error.limit)
                        return true
                    }
                }
            }
            if isRefused { return log.lines }
            pending.removeFirst(position)
        }
        return log.lines
    }
}

/// Events as text, the same for every parser.
struct EventLog {
    private(set) var lines: [String] = []
    private var body: [UInt8] = []

    mutating func head(_ head: HTTP1Head, _ fields: HeaderBlock) {
        self.head(
            method: head.method.rawValue, target: fields.string(head.target), pathLength: head.pathLength,
            authority: head.authority.isPresent ? fields.string(head.authority) : nil, version: "\(head.version)",
            asks: head.protocolName.isPresent ? fields.string(head.protocolName) : nil, persists: head.persists,
            fields: fields.fields)
    }

    mutating func head(
        method: String, target: String, pathLength: Int, authority: String?, version: String, asks: String?,
        persists: Bool, fields: [(name: String, value: String)]
    ) {
        let listed = fields.map { "\($0.name)=\($0.value)" }.joined(separator: "|")
        lines.append(
            "\(version) \(method) [\(target)] path:\(pathLength) authority:\(authority ?? "-") asks:\(asks ?? "-") "
                + "\(persists ? "persists" : "closes") \(listed)")
    }

    mutating func body(_ bytes: [UInt8]) { body += bytes }

    mutating func end(_ trailers: [(name: String, value: String)]) {
        if !body.isEmpty { lines.append("body \(String(decoding: body, as: UTF8.self))") }
        body = []
        let listed = trailers.map { "\($0.name)=\($0.value)" }.joined(separator: "|")
        lines.append("end \(listed)")
    }

    mutating func refusal(_ status: UInt16, _ limit: LimitName?) {
        lines.append("refused \(status) \(limit?.rawValue ?? "")")
    }
}
