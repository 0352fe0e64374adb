/// Where those fields of a body lie that mean something to the service in some type of message.
struct MessageBody {
    var range: Range<Int>
    /// Of the values, by their names: see ``known``.
    var values: [String: Range<Int>] = [:]
    /// Elements of `candidates`, if that is an array.
    var candidates = 0
    /// Between the brackets of `candidates`.
    var list: Range<Int>?
    /// It has a field that is not among ``known``.
    var hasOthers = false
    var isObject = false

    static let known: Set<String> = ["candidates", "ufrag", "end", "sdp", "lifetime", "party"]
}

extension MessageBody {
    /// - Returns: the bytes of a string, decoded; nil when the field is missing or no string.
    func text(_ name: String, _ scanner: JSONScanner) -> [UInt8]? {
        guard let value = values[name], scanner.bytes[value.lowerBound] == UInt8(ascii: "\"") else { return nil }
        let inside = value.lowerBound + 1..<value.upperBound - 1
        let hasEscapes = scanner.bytes[inside].contains(UInt8(ascii: "\\"))
        return scanner.decoded(.init(range: inside, hasEscapes: hasEscapes)).utf8
    }

    func isTrue(_ name: String, _ scanner: JSONScanner) -> Bool {
        values[name].map { scanner.bytes[$0].elementsEqual("true".utf8) } ?? false
    }

    func integer(_ name: String, _ scanner: JSONScanner) -> UInt64? {
        values[name].flatMap { UInt64(String(decoding: scanner.bytes[$0], as: UTF8.self)) }
    }

    /// The values of the `a=ice-ufrag` lines of an SDP (RFC 8839 section 5.4), of which a bundle has one. Nil when there is
    /// none, or more than are looked at.
    func ufrags(_ scanner: JSONScanner, max: Int) -> Set<[UInt8]>? {
        guard let value = values["sdp"], scanner.bytes[value.lowerBound] == UInt8(ascii: "\"") else { return nil }
        let lines = scanner.escapedLines(value.lowerBound + 1..<value.upperBound - 1, startingWith: Self.ufragKey)
        guard let lines else { return ufragsOfDecoded(scanner, max: max) }
        return Self.ufrags(lines.lazy.map { scanner.bytes[$0] }, max: max)
    }

    /// However it is escaped.
    private func ufragsOfDecoded(_ scanner: JSONScanner, max: Int) -> Set<[UInt8]>? {
        guard let sdp = text("sdp", scanner) else { return nil }
        let lines = sdp.split { $0 == 0x0A || $0 == 0x0D }.lazy.filter { $0.starts(with: Self.ufragKey) }
        return Self.ufrags(lines.map { $0.dropFirst(Self.ufragKey.count) }, max: max)
    }

    private static func ufrags(_ values: some Sequence<ArraySlice<UInt8>>, max: Int) -> Set<[UInt8]>? {
        var result: Set<[UInt8]> = []
        for value in values {
            result.insert(Array(value))
            if result.count > max { return nil }
        }
        return result.isEmpty ? nil : result
    }

    private static let ufragKey = Array("a=ice-ufrag:".utf8)
}
