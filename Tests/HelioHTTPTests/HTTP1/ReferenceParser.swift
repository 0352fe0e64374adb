@testable import HelioHTTP

/// A second reading of RFC 9112, by splitting whole inputs and with no thought of speed: what the parser is held against.
struct ReferenceParser {
    private var log = EventLog()
    private var rest: ArraySlice<UInt8>
    private let limits: Limits

    static func events(_ bytes: [UInt8], limits: Limits = Limits()) -> [String] {
        var parser = ReferenceParser(rest: bytes[...], limits: limits)
        do {
            while true { try parser.request() }
        } catch let refused as Refused {
            parser.log.refusal(refused.status, refused.limit)
        } catch {}
        return parser.log.lines
    }

    private init(rest: ArraySlice<UInt8>, limits: Limits) {
        self.rest = rest
        self.limits = limits
    }

    // MARK: Lines

    private mutating func line(_ longest: Int, _ excess: Refused) throws -> Text {
        guard let end = rest.firstIndex(of: 10), end - rest.startIndex <= longest + 1 else {
            if rest.count >= longest + 2 { throw excess }
            throw Incomplete()
        }
        var line = Text(rest[..<end])
        rest = rest[(end + 1)...]
        guard line.popLast() == 13 else { throw bad }
        return line
    }

    // MARK: One request

    private mutating func request() throws {
        if rest.starts(with: [13, 10]) { rest = rest.dropFirst(2) }
        if rest.isEmpty || rest.elementsEqual([13]) { throw Incomplete() }
        let first = try line(limits.maxTargetLength + 74, Refused(status: 414, limit: .targetLength))
        let parts = first.split(separator: 32, maxSplits: Int.max, omittingEmptySubsequences: false).map { Text($0) }
        guard let method = parts.first, isToken(method), parts.count > 1 else { throw bad }
        if method.count > 64 { throw Refused(status: 501) }
        guard parts.count >= 3, let version = parts.last else { throw bad }
        let target = Text(parts[1..<(parts.count - 1)].joined(separator: [32]))
        guard !target.isEmpty, version.count == 8, string(version).hasPrefix("HTTP/"), version[6] == 46,
            (48...57).contains(version[5]), (48...57).contains(version[7])
        else { throw bad }
        if version[5] != 49 { throw Refused(status: 505) }
        if target.count > limits.maxTargetLength { throw Refused(status: 414, limit: .targetLength) }
        if target.contains(where: { $0 <= 32 || $0 == 127 || $0 == 35 }) { throw bad }
        var head = Head(method: string(method), isOld: version[7] == 48)
        try read(target, into: &head)
        try fieldLines { name, value in try Self.read(name, value, into: &head) }
        try deliver(head)
    }

    private struct Head {
        let method: String
        let isOld: Bool
        var target: Text = []
        var path: Text = []
        var authority: Text?
        var host: Text?
        var lengths: [Text] = []
        var codings: [Text] = []
        var connection: [String] = []
        var upgrades: [String] = []
        var fields: [(name: String, value: String)] = []
    }

    private func read(_ target: Text, into head: inout Head) throws {
        let text = string(target)
        if head.method == "CONNECT" {
            guard isAuthority(target, needsPort: true) else { throw bad }
            head.authority = target
        } else if text.hasPrefix("/") {
            head.target = target
        } else if target == [42] {
            guard head.method == "OPTIONS" else { throw bad }
            head.target = target
        } else {
            let lower = text.inLowerCase
            guard lower.hasPrefix("http://") || lower.hasPrefix("https://") else { throw bad }
            let after = target.dropFirst(lower.hasPrefix("https") ? 8 : 7)
            let authority = Text(after.prefix { $0 != 47 && $0 != 63 })
            guard !authority.isEmpty, isAuthority(authority) else { throw bad }
            head.authority = authority
            let rest = Text(after.dropFirst(authority.count))
            head.target = rest.first == 47 ? rest : rest.isEmpty && head.method == "OPTIONS" ? [42] : [47] + rest
        }
        head.path = Text(head.target.prefix { $0 != 63 })
    }

    private mutating func fieldLines(_ each: (_ name: String, _ value: Text) throws -> Void) throws {
        var count = 0
        var left = limits.maxHeaderListSize
        while true {
            let line = try line(left, Refused(status: 431, limit: .headerListSize))
            if line.isEmpty { return }
            let name = Text(line.prefix { $0 != 58 })
            guard isToken(name), name.count < line.count else { throw bad }
            let value = trimmed(Text(line.dropFirst(name.count + 1)))
            if value.contains(where: { $0 < 32 && $0 != 9 || $0 == 127 }) { throw bad }
            let size = max(name.count + value.count + 32, line.count)
            if size > left { throw Refused(status: 431, limit: .headerListSize) }
            if count >= limits.maxHeaderCount { throw Refused(status: 431, limit: .headerCount) }
            left -= size
            count += 1
            try each(string(name).inLowerCase, value)
        }
    }

    private static func read(_ name: String, _ value: Text, into head: inout Head) throws {
        let elements = value.split(separator: 44, maxSplits: Int.max, omittingEmptySubsequences: false)
            .map { trimmed(Text($0)) }
        let words = elements.map { string($0).inLowerCase }
        switch name {
        case "host":
            guard head.host == nil, isAuthority(value) else { throw bad }
            head.host = value
        case "content-length":
            guard head.lengths.isEmpty, !value.isEmpty, value.allSatisfy({ (48...57).contains($0) }) else {
                throw bad
            }
            if value.count > 18 { throw Refused(status: 413) }
            head.lengths.append(value)
        case "transfer-encoding":
            for element in elements {
                guard !head.codings.contains(where: { string($0).inLowerCase == "chunked" }), isToken(element) else {
                    throw bad
                }
                head.codings.append(element)
            }
        case "connection": head.connection += words
        case "upgrade": head.upgrades += words.filter { !$0.isEmpty && $0 != "h2c" }
        case "expect":
            if head.isOld { return }
            guard string(value).inLowerCase == "100-continue" else { throw Refused(status: 417) }
        default: break
        }
        let own = ["host", "transfer-encoding", "connection", "upgrade", "keep-alive", "proxy-connection"]
        if !own.contains(name) { head.fields.append((name, string(value))) }
    }

    private mutating func deliver(_ head: Head) throws {
        if !head.isOld, head.host == nil { throw bad }
        if !head.codings.isEmpty {
            guard head.lengths.isEmpty, !head.isOld else { throw bad }
            guard head.codings.count == 1, string(head.codings[0]).inLowerCase == "chunked" else {
                throw Refused(status: 501)
            }
        }
        let isConnect = head.method == "CONNECT"
        if isConnect, !head.codings.isEmpty || !head.lengths.isEmpty { throw bad }
        let length = head.lengths.first.flatMap { Int(string($0)) } ?? 0
        let hasBody = length > 0 || !head.codings.isEmpty
        let upgrades = !head.isOld && head.connection.contains("upgrade") && !hasBody
        let persists = !head.connection.contains("close") && (!head.isOld || head.connection.contains("keep-alive"))
        log.head(
            method: head.method, target: string(head.target), pathLength: head.path.count,
            authority: (head.authority ?? head.host).map { string($0) }, version: head.isOld ? "HTTP/1.0" : "HTTP/1.1",
            asks: upgrades ? head.upgrades.first : nil, persists: persists, fields: head.fields)
        if !head.codings.isEmpty { return try chunks() }
        log.body(Text(rest.prefix(length)))
        guard rest.count >= length else { throw Incomplete() }
        rest = rest.dropFirst(length)
        log.end([])
    }

    // MARK: Chunks

    private mutating func chunks() throws {
        var extensions = limits.maxChunkExtensions
        while true {
            let line = try line(15 + extensions, Refused(status: 400, limit: .chunkExtensions))
            let digits = Text(line.prefix { string([$0]).first?.isHexDigit == true && $0 < 128 })
            guard !digits.isEmpty, digits.count <= 15, let size = Int(string(digits), radix: 16) else { throw bad }
            let tail = Text(line.dropFirst(digits.count))
            extensions -= tail.count
            if extensions < 0 { throw Refused(status: 400, limit: .chunkExtensions) }
            guard isExtension(tail) else { throw bad }
            if size == 0 { break }
            log.body(Text(rest.prefix(size)))
            guard rest.count >= size else { throw Incomplete() }
            rest = rest.dropFirst(size)
            guard try self.line(0, bad).isEmpty else { throw bad }
        }
        let dropped = [
            "authorization", "cache-control", "connection", "content-encoding", "content-length", "content-range",
            "content-type", "cookie", "expect", "host", "keep-alive", "max-forwards", "pragma", "proxy-authorization",
            "proxy-connection", "range", "te", "trailer", "transfer-encoding", "upgrade",
        ]
        var trailers: [(name: String, value: String)] = []
        try fieldLines { name, value in if !dropped.contains(name) { trailers.append((name, string(value))) } }
        log.end(trailers)
    }
}

/// By the letter of RFC 9112 section 7.1.1, one character after the other.
private func isExtension(_ text: Text) -> Bool {
    var rest = text[...]
    func skipBlanks() { rest = rest.drop { $0 == 32 || $0 == 9 } }
    func skipToken() -> Bool {
        let token = Text(rest.prefix { isToken([$0]) })
        rest = rest.dropFirst(token.count)
        return !token.isEmpty
    }
    while !rest.isEmpty {
        skipBlanks()
        guard rest.popFirst() == 59 else { return false }
        skipBlanks()
        guard skipToken() else { return false }
        let behind = rest
        skipBlanks()
        guard rest.first == 61 else {
            rest = behind
            continue
        }
        rest.removeFirst()
        skipBlanks()
        guard rest.first == 34 else {
            guard skipToken() else { return false }
            continue
        }
        rest.removeFirst()
        while true {
            guard var byte = rest.popFirst() else { return false }
            if byte == 34 { break }
            if byte == 92 {
                guard let quoted = rest.popFirst() else { return false }
                byte = quoted
            }
            guard byte == 9 || byte >= 32 && byte != 127 else { return false }
        }
    }
    return true
}

private typealias Text = [UInt8]

private func trimmed(_ text: Text) -> Text {
    var text = text[...]
    while let first = text.first, first == 32 || first == 9 { text.removeFirst() }
    while let last = text.last, last == 32 || last == 9 { text.removeLast() }
    return Text(text)
}

private func string(_ text: Text) -> String { String(decoding: text, as: UTF8.self) }

private func isToken(_ text: Text) -> Bool {
    let marks = Text("!#$%&'*+-.^_`|~".utf8)
    return !text.isEmpty
        && text.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || marks.contains(byte)
        }
}

private func isAuthority(_ text: Text, needsPort: Bool = false) -> Bool {
    var host = string(text)
    guard text.allSatisfy({ $0 < 128 }) else { return false }
    var port: String?
    if let colon = host.lastIndex(of: ":"), !host[colon...].contains("]") {
        port = String(host[host.index(after: colon)...])
        host = String(host[..<colon])
    }
    if let port {
        guard port.count <= 5, port.allSatisfy({ "0123456789".contains($0) }), !host.isEmpty else { return false }
    }
    if needsPort, port == nil || port == "" { return false }
    if host.hasPrefix("[") {
        let inner = host.dropFirst().dropLast()
        return host.hasSuffix("]") && !inner.isEmpty
            && inner.allSatisfy { "0123456789abcdefABCDEF:.".contains($0) }
    }
    let others = "-._~%!$&'()*+,;="
    return host.allSatisfy { ($0.isLetter || $0.isNumber) && $0.isASCII || others.contains($0) }
}

private struct Refused: Error {
    let status: UInt16
    var limit: LimitName?
}

private struct Incomplete: Error {}

private let bad = Refused(status: 400)

extension String {
    /// With the letters of ASCII alone changed: a peer's bytes may be any.
    fileprivate var inLowerCase: String {
        String(decoding: utf8.map { (65...90).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}
